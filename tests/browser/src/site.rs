//! A whole site: the server, nginx before it, and the hosts around it, all of one case's own.

use tempfile::TempDir;

use crate::gate::Gate;
use crate::nginx::{Nginx, free_ports};
use crate::server::{Policy, Server};
use crate::wire::Wire;

/// What a case wants of its site beyond the defaults.
#[derive(Clone, Copy, Default)]
pub struct Stage {
    pub policy: Policy,
    /// Whether the server trusts `https://other.test`, so that it may write.
    pub trust_other: bool,
}

/// A running site. Everything ends when it is dropped, the nearest to the browser first.
pub struct Site {
    pub nginx: Nginx,
    pub gate: Gate,
    pub server: Server,
    pub wire: Wire,
    _directory: TempDir,
}

impl Site {
    pub async fn start() -> Self {
        Self::on(Stage::default()).await
    }

    pub async fn under(policy: Policy) -> Self {
        Self::on(Stage { policy, ..Stage::default() }).await
    }

    pub async fn on(stage: Stage) -> Self {
        for _ in 1..TRIES {
            if let Ok(site) = Self::try_on(stage).await {
                return site;
            }
        }
        Self::try_on(stage).await.unwrap_or_else(|complaint| panic!("nginx does not start: {complaint}"))
    }

    async fn try_on(stage: Stage) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let ports = free_ports();
        let trusted = format!("https://other.test:{}", ports[0]);
        let trust: &[&str] = if stage.trust_other { &["--trust", &trusted] } else { &[] };
        let server = Server::start(directory.path(), stage.policy, trust);
        let gate = Gate::to(server.port()).await;
        let nginx = Nginx::start(directory.path(), ports, server.port(), gate.port).await?;
        let wire = Wire::of(directory.path().join("wire.log"));
        Ok(Self { nginx, gate, server, wire, _directory: directory })
    }

    /// An address on the site itself.
    pub fn url(&self, path: &str) -> String {
        self.at("site.test", path)
    }

    /// The page for the scripts of a case, on the site itself.
    pub fn lab(&self) -> String {
        self.url("/lab/index.html")
    }

    /// An address on a host of the same site that someone else has.
    pub fn sibling(&self, path: &str) -> String {
        self.at("evil.site.test", path)
    }

    /// An address on another site.
    pub fn other(&self, path: &str) -> String {
        self.at("other.test", path)
    }

    /// An address of the API on a host of its own.
    pub fn api(&self, path: &str) -> String {
        self.at("api.test", path)
    }

    /// An address on the site without nginx's HTTP: the browser speaks HTTP/2 with the server itself.
    pub fn through(&self, path: &str) -> String {
        format!("https://through.test:{}{path}", self.nginx.through)
    }

    fn at(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.nginx.port)
    }
}

/// How often to begin anew because a port was taken meanwhile.
const TRIES: usize = 3;
