//! Redis.

use std::{env, sync::OnceLock};

use crate::{
    Server,
    program::{announce, find, private},
    server::free_port,
};

/// A Redis server.
#[derive(Debug)]
pub struct Redis {
    url: String,
    server: Option<Server>,
}

impl Redis {
    /// Returns the server that the tests of this binary share: `CLIPCUT_TEST_REDIS`, else one started here.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(|| match env::var("CLIPCUT_TEST_REDIS") {
            Ok(url) => {
                announce("Redis is the one of CLIPCUT_TEST_REDIS");
                Self { url, server: None }
            }
            Err(_) => Self::start(),
        })
    }

    /// Starts a server of one's own, to be killed and frozen at will. It keeps nothing.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that speaks TLS alone, with a certificate and its key in PEM.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start_private(pem: &str) -> Self {
        Self::start_with(Some(pem))
    }

    fn start_with(pem: Option<&str>) -> Self {
        let program = find("redis-server", &[]).expect("no redis-server; try scripts/install test");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_port();
        let mut command = vec![program.clone().into()];
        let port_text = port.to_string();
        let scheme = if let Some(pem) = pem {
            let pem = private(folder.path(), pem).display().to_string();
            command.extend(
                ["--port", "0", "--tls-port", &port_text, "--tls-auth-clients", "no"].map(Into::into),
            );
            command.extend(["--tls-cert-file", &pem, "--tls-key-file", &pem].map(Into::into));
            "rediss"
        } else {
            command.extend(["--port", &port_text].map(Into::into));
            "redis"
        };
        command.extend(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"].map(Into::into));
        command.extend(["--dir".into(), folder.path().into()]);
        let server = Server::start_new(command, port, folder);
        announce(&format!("Redis is {} on port {port}", program.display()));
        Self { url: format!("{scheme}://127.0.0.1:{port}"), server: Some(server) }
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the process.
    ///
    /// # Panics
    /// Panics when it is another's: tests that kill start their own.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a server of the environment is not ours to touch")
    }
}
