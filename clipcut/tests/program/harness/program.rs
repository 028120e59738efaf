//! In charge of the program as a process: started with nothing of our own environment, heard through its
//! standard error, ended with its handle.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// Where ONNX Runtime lies, as a setting.
pub(crate) const RUNTIME: (&str, &str) =
    ("CLIPCUT_ONNXRUNTIME", concat!(env!("CARGO_MANIFEST_DIR"), "/../target/onnxruntime"));

/// The settings of a program that hears with the demo model.
pub(crate) const HEARS: [(&str, &str); 2] =
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
        // Where `upload` keeps its notes.
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_PROXY", "127.0.0.1")
        // Plain text, so that tests can read it.
        .env("NO_COLOR", "1")
        .env("CLIPCUT_PRESET", "ultrafast")
        .env("CLIPCUT_LADDER", "360,240");
    command
}

/// How a command ended and what it printed.
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
    said: Arc<Said>,
}

#[derive(Default)]
struct Said {
    text: Mutex<(String, Over)>,
    more: Condvar,
}

/// Whether the program has closed its standard error.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Over {
    #[default]
    No,
    Yes,
}

impl Program {
    /// Starts `command` and listens to its standard error.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let said = Arc::<Said>::default();
        let hears = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut text = hears.text.lock().unwrap();
                text.0.push_str(&line);
                text.0.push('\n');
                hears.more.notify_all();
            }
            hears.text.lock().unwrap().1 = Over::Yes;
            hears.more.notify_all();
        });
        Self { child, said }
    }

    /// Starts `command` and closes its standard error once a line with `part` was heard. Returns that line too.
    pub(crate) fn start_unheard(command: &mut Command, part: &str) -> (Self, String) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains(part));
        (Self { child, said: Arc::default() }, line.unwrap_or_else(|| panic!("{part:?} was never said")))
    }

    /// Returns the first line with `part` in it, waiting for it.
    pub(crate) fn hear(&self, part: &str) -> String {
        let found = |text: &str| text.lines().find(|line| line.contains(part)).map(str::to_owned);
        let text = self.said.text.lock().unwrap();
        let wait = |text: &mut (String, Over)| found(&text.0).is_none() && text.1 == Over::No;
        let (text, _) = self.said.more.wait_timeout_while(text, PATIENCE, wait).unwrap();
        found(&text.0).unwrap_or_else(|| panic!("{part:?} was never said, only this:\n{}", text.0))
    }

    /// Returns what was said so far.
    pub(crate) fn said(&self) -> String {
        self.said.text.lock().unwrap().0.clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to stop.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Stops the program in its tracks.
    pub(crate) fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }

    /// Lets it go on after [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }

    /// Ends the program without a warning and returns once it is gone.
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
            assert!(begun.elapsed() < PATIENCE, "it does not end; it said:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- a program said:\n{}---", self.said());
        }
    }
}
