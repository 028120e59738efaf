//! The MongoDB-protocol server: `mongod` where there is one, else FerretDB over PostgreSQL.

use std::{
    env,
    ffi::OsString,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Postgres, Server,
    program::{announce, find, private},
    server::free_port,
};

/// A server that speaks MongoDB's protocol.
#[derive(Debug)]
pub struct Mongodb {
    /// Its address up to the database's name.
    address: String,
    options: String,
    server: Option<Server>,
    /// Where FerretDB keeps everything; not the one that tests of SQL kill.
    _postgres: Option<Postgres>,
    databases: AtomicU64,
}

impl Mongodb {
    /// Returns the server that the tests of this binary share: `CLIPCUT_TEST_MONGODB`, else one started here.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Mongodb> = OnceLock::new();
        SHARED.get_or_init(|| match env::var("CLIPCUT_TEST_MONGODB") {
            Ok(url) => {
                announce("MongoDB is the one of CLIPCUT_TEST_MONGODB");
                let (address, options) = parts(&url);
                Self { address, options, server: None, _postgres: None, databases: AtomicU64::new(0) }
            }
            Err(_) => Self::start(),
        })
    }

    /// Starts a server of one's own, to be killed and frozen at will.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that speaks TLS alone, with a certificate and its key in PEM. How its clients are to look at that
    /// is for them to add to the URL.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start_private(pem: &str) -> Self {
        Self::start_with(Some(pem))
    }

    fn start_with(pem: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_port();
        let pem = pem.map(|pem| private(folder.path(), pem));
        let (mut command, postgres) = if let Some(mongod) = find("mongod", &[]) {
            announce(&format!("MongoDB is {} on port {port}", mongod.display()));
            let mut command: Vec<OsString> = vec![mongod.into(), "--port".into(), port.to_string().into()];
            command.extend(["--bind_ip", "127.0.0.1", "--quiet", "--dbpath"].map(Into::into));
            command.push(folder.path().into());
            if pem.is_some() {
                command.extend(["--tlsMode", "requireTLS", "--tlsCertificateKeyFile"].map(Into::into));
            }
            (command, None)
        } else {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/mongodb-server");
            assert!(
                program.is_file(),
                "no MongoDB server: name one in CLIPCUT_TEST_MONGODB, put mongod on the PATH, or run scripts/install test"
            );
            let postgres = Postgres::start();
            announce(&format!("MongoDB is FerretDB over that PostgreSQL, on port {port}"));
            let listen = format!("127.0.0.1:{port}");
            let mut command = vec![
                program.into(),
                "-listen".into(),
                listen.into(),
                "-postgres".into(),
                postgres.database().into(),
            ];
            if pem.is_some() {
                command.push("-tls".into());
            }
            (command, Some(postgres))
        };
        command.extend(pem.map(Into::into));
        let server = Server::start_new(command, port, folder);
        Self {
            address: format!("mongodb://127.0.0.1:{port}/"),
            options: String::new(),
            server: Some(server),
            _postgres: postgres,
            databases: AtomicU64::new(0),
        }
    }

    /// Returns the URL of a database that nobody else uses.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        format!("{}clipcut_{}_{number}{}", self.address, std::process::id(), self.options)
    }

    /// Returns the process.
    ///
    /// # Panics
    /// Panics when it is another's: tests that kill start their own.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a server of the environment is not ours to touch")
    }
}

/// Splits a URL into what stands before a database's name and what stands behind it.
fn parts(url: &str) -> (String, String) {
    let (rest, options) = url.find('?').map_or((url, ""), |at| url.split_at(at));
    let start = rest.find("://").map_or(0, |at| at + 3);
    let end = rest[start..].find('/').map_or(rest.len(), |at| start + at);
    (format!("{}/", &rest[..end]), options.to_owned())
}
