//! PostgreSQL.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Server,
    program::{announce, find, run, unprivileged},
    server::free_port,
};

/// A PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    /// Its address up to the database's name.
    address: String,
    server: Option<Server>,
    databases: AtomicU64,
}

impl Postgres {
    /// Returns the server that the tests of this binary share: `CLIPCUT_TEST_POSTGRES`, else one started here.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match env::var("CLIPCUT_TEST_POSTGRES") {
            Ok(url) => {
                announce("PostgreSQL is the one of CLIPCUT_TEST_POSTGRES");
                Self { address: address(&url), server: None, databases: AtomicU64::new(0) }
            }
            Err(_) => Self::start(),
        })
    }

    /// Starts a server of one's own, to be killed and frozen at will.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start() -> Self {
        let initdb = program("initdb");
        let postgres = program("postgres");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("the folder is ours");
        // PostgreSQL's user must own the folder, and may enter the folders above it.
        run(&["chmod", "0711", &folder.path().display().to_string()]);
        if rustix::process::geteuid().is_root() {
            run(&["chown", "postgres", &data.display().to_string()]);
        }
        let mut init = unprivileged(&initdb);
        init.extend(
            // The locale C sorts by bytes on every machine, as SQLite does.
            ["--auth=trust", "--username=clipcut", "--encoding=UTF8", "--locale=C", "--no-sync"]
                .map(Into::into),
        );
        init.extend(["-D".into(), data.clone().into()]);
        run(&init);
        let port = free_port();
        let mut serve = unprivileged(&postgres);
        serve.extend(["-D".into(), data.into(), "-p".into(), port.to_string().into()]);
        // A kill loses nothing without fsync; only a power cut would, and no test cuts the power.
        for setting in [
            "listen_addresses=127.0.0.1",
            // Debian's default folder belongs to its own server.
            "unix_socket_directories=",
            "fsync=off",
            // Each store opens eight, and many tests run at once.
            "max_connections=400",
            "shared_buffers=64MB",
        ] {
            serve.extend(["-c".into(), setting.into()]);
        }
        let server = Server::start_new(serve, port, folder);
        announce(&format!("PostgreSQL is {} on port {port}", postgres.display()));
        let started = Self {
            address: format!("postgres://clipcut@127.0.0.1:{port}/"),
            server: Some(server),
            databases: AtomicU64::new(0),
        };
        started.wait_until_ready();
        started
    }

    /// Creates a database of one's own. Returns its URL.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("clipcut_{}_{number}", std::process::id());
        self.run_statement(&format!("create database {name}"));
        format!("{}{name}", self.address)
    }

    /// Starts it again after [`Server::kill`], and waits until it has recovered.
    ///
    /// # Panics
    /// Panics when it does not come up.
    pub fn restart(&self) {
        self.server().start();
        self.wait_until_ready();
    }

    /// Has it take TLS too, with a certificate and its key in PEM.
    ///
    /// # Panics
    /// Panics when it cannot.
    pub fn take_tls(&self, certificate: &str, key: &str) {
        let folder = self.server().folder();
        for (setting, name, pem) in
            [("ssl_cert_file", "tls.crt", certificate), ("ssl_key_file", "tls.key", key)]
        {
            let file = folder.join(name).display().to_string();
            fs::write(&file, pem).expect("the folder is ours");
            if rustix::process::geteuid().is_root() {
                run(&["chown", "postgres", &file]);
            }
            // It takes no key that others may read.
            run(&["chmod", "0600", &file]);
            self.run_statement(&format!("alter system set {setting} = '{file}'"));
        }
        self.run_statement("alter system set ssl = on");
        self.run_statement("select pg_reload_conf()");
    }

    /// Returns the process.
    ///
    /// # Panics
    /// Panics when it is another's: tests that kill start their own.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a server of the environment is not ours to touch")
    }

    /// Runs a statement in the database `postgres`.
    fn run_statement(&self, statement: &str) {
        // Without `-X` a person's own `.psqlrc` would take part in the tests.
        run(&["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement, &format!("{}postgres", self.address)]);
    }

    /// It takes connections before it takes statements.
    fn wait_until_ready(&self) {
        let url = format!("{}postgres", self.address);
        for _ in 0..600 {
            let asked = Command::new("psql").args(["-qXc", "select 1", &url]).output();
            if asked.expect("psql comes with PostgreSQL; try scripts/install test").status.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL does not answer at {url}");
    }
}

/// Cuts a database's name off a URL.
fn address(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    format!("{}/", &url[..end])
}

/// Debian keeps the server's programs off the PATH, a folder for each version; the newest is taken.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    find(name, &folders).unwrap_or_else(|| panic!("no {name}; try scripts/install test"))
}
