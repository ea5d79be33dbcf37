//! Where the programs are: those the machine must have, and those that this repository builds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

/// A process that ends when this is dropped, whatever happened to the case.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Chromium itself. `chromium-headless-shell` would not do: it knows no Do Not Track.
pub fn chromium() -> PathBuf {
    installed("WAXSEAL_CHROMIUM", "chromium", &["/usr/bin/chromium"])
}

pub fn chromedriver() -> PathBuf {
    installed("WAXSEAL_CHROMEDRIVER", "chromium-driver", &["/usr/bin/chromedriver"])
}

pub fn nginx() -> PathBuf {
    installed("WAXSEAL_NGINX", "nginx", &["/usr/sbin/nginx", "/usr/local/sbin/nginx"])
}

/// nginx's module that passes TCP on, which some systems package by itself and some build in.
pub fn nginx_stream_module() -> PathBuf {
    let paths = ["/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so"];
    installed("WAXSEAL_NGINX_STREAM", "libnginx-mod-stream", &paths)
}

fn installed(variable: &str, package: &str, places: &[&str]) -> PathBuf {
    let named = env::var_os(variable).map(PathBuf::from);
    let place = named.or_else(|| places.iter().map(PathBuf::from).find(|path| path.exists()));
    place.unwrap_or_else(|| panic!("{} is missing: install {package}, or name it in {variable}", places[0]))
}

/// The example's binary: the one named by `WAXSEAL_API_SERVER`, or the one that cargo built, if it is not stale.
pub fn api_server() -> PathBuf {
    if let Some(named) = env::var_os("WAXSEAL_API_SERVER") {
        return named.into();
    }
    let program = target().join("debug/examples").join(format!("api_server{}", env::consts::EXE_SUFFIX));
    let built = fs::metadata(&program).and_then(|metadata| metadata.modified());
    let fresh = built.is_ok_and(|built| sources(&program).iter().all(|&changed| changed <= built));
    assert!(
        fresh,
        "{} is missing or older than its sources: in the repository's root, run \
         `cargo build --all-features --bins --example api_server`",
        program.display()
    );
    program
}

/// The command, which turns the keys of a ring; cargo puts it above the examples.
pub fn waxseal() -> PathBuf {
    let server = api_server();
    let directory = server.ancestors().nth(2).expect("the server lies among the examples");
    let program = directory.join(format!("waxseal{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: build it with --all-features --bins", program.display());
    program
}

/// When each source of the example was changed, the library's included: cargo lists them for make.
fn sources(program: &Path) -> Vec<SystemTime> {
    let list = fs::read_to_string(program.with_extension("d")).unwrap_or_default().replace("\\ ", "\0");
    let sources = list.split_whitespace().skip(1).map(|path| path.replace('\0', " "));
    // A source that is gone counts as changed now.
    let changed =
        |path| fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
    sources.map(changed).collect()
}

/// Where cargo builds the repository's own package.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/browser lies in it").to_owned()
}

/// Runs a program to its end and returns what it printed.
pub fn run(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {complaint}", program.display());
    String::from_utf8(output.stdout).expect("it prints text")
}
