//! An SMTP server that keeps what it takes: aiosmtpd, with a folder for mail.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{Server, program::announce, server::free_port};

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// An SMTP server.
#[derive(Debug)]
pub struct Smtp {
    url: String,
    mail: TempDir,
    server: Server,
}

impl Smtp {
    /// Starts one.
    ///
    /// # Panics
    /// Panics when there is none to start.
    pub fn start() -> Self {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/smtp/bin/python");
        assert!(python.is_file(), "no {}; try scripts/install test", python.display());
        let mail = tempfile::tempdir().expect("there is room for a folder");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_port();
        let mut command = vec![python.into_os_string()];
        let listen = format!("127.0.0.1:{port}");
        // `-n` is not to become another user.
        let handler = ["-m", "aiosmtpd", "-n", "-l", &listen, "-c", "aiosmtpd.handlers.Mailbox"];
        command.extend(handler.map(Into::into));
        command.push(mail.path().join("maildir").into());
        let server = Server::start_new(command, port, folder);
        announce(&format!("SMTP is aiosmtpd on port {port}"));
        Self { url: format!("smtp://127.0.0.1:{port}"), mail, server }
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the process.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Waits for a mail, takes it out of the folder and returns it, head and body.
    ///
    /// # Panics
    /// Panics when the folder cannot be read.
    pub fn next(&self) -> String {
        loop {
            if let Some(file) = self.waiting().first() {
                let mail = fs::read_to_string(file).expect("a mail is a file");
                fs::remove_file(file).expect("the folder is ours");
                return mail;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Returns how many mails have come and were not taken yet.
    pub fn count(&self) -> usize {
        self.waiting().len()
    }

    /// Returns the files of a maildir's new mail; a mail is moved there when it is whole.
    fn waiting(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.mail.path().join("maildir/new")) else { return Vec::new() };
        files.filter_map(|file| Some(file.ok()?.path())).collect()
    }
}
