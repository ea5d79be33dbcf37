//! One Chromium with an empty profile, driven by a chromedriver of its own.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, WebDriver, WindowHandle};

use crate::extension::Extension;
use crate::programs::{self, Process};
use crate::wait::{PATIENCE, until};

/// What the person who sits before the browser wishes of all sites.
#[derive(Default)]
pub struct Wish {
    /// The setting "Send a Do Not Track request", on from the start.
    pub dnt: bool,
    /// An extension, as those that say `Sec-GPC: 1`.
    pub extension: Option<Extension>,
    /// Chromium's own Global Privacy Control, which has no switch for people yet.
    pub own_gpc: bool,
}

/// A running browser. Dropping it ends the browser, then chromedriver, then the profile.
pub struct Browser {
    driver: Option<WebDriver>,
    port: u16,
    /// In the order in which the case met them; the driver's own list has none.
    tabs: RefCell<Vec<WindowHandle>>,
    _chromedriver: Process,
    _extension: Option<Extension>,
    _profile: TempDir,
}

/// All that a WebDriver can do.
impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is there until the drop")
    }
}

/// A killed chromedriver would leave its browser behind, so it is told to end it first.
///
/// By hand: the driver's own way waits for a connection that only the runtime blocked here could serve.
impl Drop for Browser {
    fn drop(&mut self) {
        let Some(driver) = self.driver.take() else { return };
        let request = format!("DELETE /session/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", driver.session_id());
        let _ = driver.leak();
        let sent = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            stream.read_exact(&mut [0])
        });
        if let Err(error) = sent {
            eprintln!("the browser may be left running: {error}");
        }
    }
}

impl Browser {
    /// A browser whose user has no wish.
    pub async fn start() -> Self {
        Self::with(Wish::default()).await
    }

    /// A browser that sends `DNT: 1`.
    pub async fn dnt() -> Self {
        Self::with(Wish { dnt: true, ..Wish::default() }).await
    }

    /// A browser whose extension sends these fields.
    pub async fn sending(fields: &[(&str, &str)]) -> Self {
        Self::with(Wish { extension: Some(Extension::setting(fields)), ..Wish::default() }).await
    }

    pub async fn with(wish: Wish) -> Self {
        let profile = tempfile::tempdir().unwrap();
        fs::create_dir(profile.path().join("Default")).unwrap();
        // A start page of the browser's own may be half there when chromedriver comes, which then waits for ever.
        let start = json!({ "restore_on_startup": 4, "startup_urls": ["about:blank"] });
        let preferences = json!({ DO_NOT_TRACK: wish.dnt, "session": start });
        fs::write(profile.path().join("Default/Preferences"), preferences.to_string()).unwrap();
        let (chromedriver, port) = chromedriver(profile.path());
        let wanted = capabilities(profile.path(), &wish);
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        let tabs = RefCell::new(driver.windows().await.unwrap());
        Self {
            driver: Some(driver),
            port,
            tabs,
            _chromedriver: chromedriver,
            _extension: wish.extension,
            _profile: profile,
        }
    }

    /// Opens an address in this tab and waits until its page is there.
    pub async fn open(&self, url: impl AsRef<str>) {
        self.goto(url.as_ref()).await.unwrap_or_else(|error| panic!("{}: {error}", url.as_ref()));
    }

    /// Runs the body of an async function in the page, with these arguments, and returns what it returns.
    pub async fn run(&self, body: &str, arguments: &[Value]) -> Value {
        let script = format!("return (async (...args) => {{ {body} }})(...arguments);");
        let done = self.execute(script, arguments.to_vec()).await;
        done.unwrap_or_else(|error| panic!("{body}\n{error}")).json().clone()
    }

    /// Switches Do Not Track on or off in the settings, in another tab, as a person does.
    pub async fn set_dnt(&self, on: bool) {
        let here = self.window().await.unwrap();
        let settings = self.new_tab().await.unwrap();
        self.switch_to_window(settings).await.unwrap();
        self.open("chrome://settings/cookies").await;
        let set = "return new Promise((done) => chrome.settingsPrivate.setPref(args[0], args[1], '', done));";
        assert_eq!(self.run(set, &[json!(DO_NOT_TRACK), json!(on)]).await, true, "the setting was not taken");
        self.close_window().await.unwrap();
        self.switch_to_window(here).await.unwrap();
    }

    /// Opens an address in a new tab, as one who types it there, and goes on in that tab.
    pub async fn open_in_new_tab(&self, url: impl AsRef<str>) {
        let tab = self.new_tab().await.unwrap();
        self.tabs.borrow_mut().push(tab.clone());
        self.switch_to_window(tab).await.unwrap();
        self.open(url).await;
    }

    /// Waits for a tab that something else opened, and goes on in it.
    pub async fn follow(&self) {
        let tab = until("there is a new tab", async || {
            let all = self.windows().await.unwrap();
            all.into_iter().find(|tab| !self.tabs.borrow().contains(tab))
        });
        let tab = tab.await;
        self.tabs.borrow_mut().push(tab.clone());
        self.switch_to_window(tab).await.unwrap();
    }

    /// Goes to the first tab, to the second, and so on.
    pub async fn tab(&self, index: usize) {
        let tab = self.tabs.borrow()[index].clone();
        self.switch_to_window(tab).await.unwrap();
    }

    /// What the page shows.
    pub async fn text(&self) -> String {
        self.run("return document.body.innerText;", &[]).await.as_str().unwrap().to_owned()
    }

    /// Keeps a picture of the page in the folder `WAXSEAL_SCREENSHOTS`, or among what cargo built.
    pub async fn picture(&self, name: &str) {
        let folder = std::env::var_os("WAXSEAL_SCREENSHOTS");
        let folder = folder.map_or_else(|| programs::target().join("screenshots"), Into::into);
        fs::create_dir_all(&folder).unwrap();
        self.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
    }
}

/// Starts chromedriver on a port that it chooses itself, which another process may take from it meanwhile.
///
/// Both it and the browser leave their temporary files in the profile, which goes in the end.
fn chromedriver(profile: &Path) -> (Process, u16) {
    let started = (0..TRIES).find_map(|_| try_chromedriver(profile));
    started.expect("chromedriver says where it listens")
}

fn try_chromedriver(profile: &Path) -> Option<(Process, u16)> {
    let mut command = Command::new(programs::chromedriver());
    command.arg("--port=0").env("TMPDIR", profile).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process(command.spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("ChromeDriver was started successfully on port ")?.strip_suffix('.')?.parse().ok()
    });
    Some((process, port?))
}

fn capabilities(profile: &Path, wish: &Wish) -> ChromeCapabilities {
    let mut wanted = ChromeCapabilities::new();
    wanted.set_binary(programs::chromium().to_str().unwrap()).unwrap();
    for switch in SWITCHES {
        wanted.add_arg(switch).unwrap();
    }
    wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    if let Some(extension) = &wish.extension {
        wanted.add_arg(&format!("--load-extension={}", extension.path().display())).unwrap();
    }
    if wish.own_gpc {
        wanted.add_arg("--enable-features=GlobalPrivacyControlForce").unwrap();
    }
    wanted
}

/// The whole browser without a window, for root too, and without a word to anyone but this machine.
const SWITCHES: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
    "--window-size=1100,1400",
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];

const TRIES: usize = 5;

const DO_NOT_TRACK: &str = "enable_do_not_track";
