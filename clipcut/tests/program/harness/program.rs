//! The program as a process: started without the environment of the tests, observed through its standard error,
//! killed when its handle is dropped.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Http, TIMEOUT};

/// The path of ONNX Runtime, as a setting.
pub(crate) const RUNTIME: (&str, &str) =
    ("CLIPCUT_ONNXRUNTIME", concat!(env!("CARGO_MANIFEST_DIR"), "/../target/onnxruntime"));

/// The settings of a program that transcribes with the demo model.
pub(crate) const DEMO_MODEL: [(&str, &str); 2] =
    [("CLIPCUT_MODEL", concat!(env!("CARGO_MANIFEST_DIR"), "/../transcriber/demo")), RUNTIME];

/// Returns the program's command line so far, to be run in `folder`: the quickest encoder, two renditions.
pub(crate) fn clipcut(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipcut"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CLIPCUT_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        // `clipcut upload` stores the URLs of unfinished uploads there.
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_PROXY", "127.0.0.1")
        // Plain text, so that tests can read it.
        .env("NO_COLOR", "1")
        // Without people most tests are shorter; those of accounts set it back.
        .env("CLIPCUT_ACCOUNTS", "off")
        .env("CLIPCUT_PRESET", "ultrafast")
        .env("CLIPCUT_LADDER", "360,240");
    command
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running program.
pub(crate) struct Program {
    child: Child,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    text: Mutex<(String, Stderr)>,
    more: Condvar,
}

/// Whether the program has closed its standard error.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stderr {
    #[default]
    Open,
    Closed,
}

impl Program {
    /// Starts `command` and collects its standard error.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let log = Arc::<Log>::default();
        let writer = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut text = writer.text.lock().unwrap();
                text.0.push_str(&line);
                text.0.push('\n');
                writer.more.notify_all();
            }
            writer.text.lock().unwrap().1 = Stderr::Closed;
            writer.more.notify_all();
        });
        Self { child, log }
    }

    /// Starts `command` and closes its standard error once a line with `part` was logged. Returns that line too.
    pub(crate) fn start_with_closed_log(command: &mut Command, part: &str) -> (Self, String) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains(part));
        (Self { child, log: Arc::default() }, line.unwrap_or_else(|| panic!("{part:?} was never logged")))
    }

    /// Returns the first line with `part` in it, waiting for it.
    pub(crate) fn wait_for_log(&self, part: &str) -> String {
        let found = |text: &str| text.lines().find(|line| line.contains(part)).map(str::to_owned);
        let text = self.log.text.lock().unwrap();
        let wait = |text: &mut (String, Stderr)| found(&text.0).is_none() && text.1 == Stderr::Open;
        let (text, _) = self.log.more.wait_timeout_while(text, TIMEOUT, wait).unwrap();
        found(&text.0).unwrap_or_else(|| panic!("{part:?} was never logged, only this:\n{}", text.0))
    }

    /// Returns a client of the operators' listener.
    pub(crate) fn admin(&self) -> Http {
        let line = self.wait_for_log("administration on ");
        let address = line.rsplit(' ').next().unwrap();
        Http::new(&format!("http://{address}"))
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap().0.clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Sends SIGSTOP.
    pub(crate) fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }

    /// Sends SIGCONT, after [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }

    /// Sends SIGKILL and returns once the process is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns how the program ended, if it has.
    pub(crate) fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until the program ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.try_wait() {
                return status;
            }
            assert!(begun.elapsed() < TIMEOUT, "it does not end; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the log of a program:\n{}---", self.log());
        }
    }
}
