//! One server's process: started, killed, frozen, started again where it was, ended with us.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

// Starting is a second or two; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

// Starts a program, prints its id, and kills it when our end of the pipe closes, however we end. A frozen one
// cannot die of anything but this.
const GUARD: &str = r#"exec 3<&0 4>&1; "$@" <&- 3<&- 4>&- >&2 & child=$!; echo $child >&4; exec 1>&- 4>&-; cat <&3 >/dev/null; kill -KILL $child 2>/dev/null; wait"#;

/// A server that runs in a process of its own.
#[derive(Debug)]
pub struct Server {
    /// The program and its arguments; the same for every start.
    command: Vec<OsString>,
    /// Where it listens once it is ready.
    port: u16,
    folder: TempDir,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    pid: Pid,
}

impl Server {
    /// Starts `command`, which listens on `port` and keeps what it has in `folder`.
    pub(crate) fn start_new(command: Vec<OsString>, port: u16, folder: TempDir) -> Self {
        let server = Self { command, port, folder, running: Mutex::default() };
        server.start();
        server
    }

    /// Starts it, where it was and with what it had. Returns once it takes connections.
    ///
    /// # Panics
    /// Panics when it does not come up; its own words are in the message.
    pub fn start(&self) {
        let began = Instant::now();
        loop {
            let running = self.spawn();
            *self.running() = Some(running);
            while began.elapsed() < PATIENCE {
                if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                    return;
                }
                if self.has_ended() {
                    break;
                }
                thread::sleep(LOOK_AGAIN);
            }
            // One that was killed a moment ago may still hold its port or its lock.
            self.kill();
            assert!(began.elapsed() < PATIENCE, "{:?} does not start: {}", self.command, self.output());
            thread::sleep(LOOK_AGAIN * 10);
        }
    }

    /// Kills it as a power cut would: nothing is finished, no connection is closed in order.
    pub fn kill(&self) {
        if let Some(mut running) = self.running().take() {
            for pid in running.family() {
                let _ = kill_process(pid, Signal::KILL);
            }
            drop(running.guard.stdin.take());
            let _ = running.guard.wait();
        }
    }

    /// Stops it in its tracks: connections stay open and nobody answers.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Returns the port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns what the server wrote to its log.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Returns the folder in which it keeps what it has.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    fn spawn(&self) -> Running {
        // The log is appended to, so that a restart leaves what the server wrote before it was killed.
        let log = File::options().create(true).append(true).open(self.log()).expect("the folder is ours");
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .args(&self.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("there is a shell");
        let mut line = String::new();
        let out = guard.stdout.take().expect("it was asked for");
        BufReader::new(out).read_line(&mut line).expect("the guard prints the id");
        let pid = line.trim().parse().ok().and_then(Pid::from_raw).expect("the guard prints an id");
        Running { guard, pid }
    }

    fn has_ended(&self) -> bool {
        let running = self.running();
        running.as_ref().is_none_or(|running| rustix::process::test_kill_process(running.pid).is_err())
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = self.running().as_ref() {
            for pid in running.family() {
                let _ = kill_process(pid, signal);
            }
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// The process and its children: PostgreSQL answers each connection in a process of its own.
    fn family(&self) -> Vec<Pid> {
        let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("there is ps");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ours = self.pid.as_raw_nonzero().get();
        let children = listed.lines().filter_map(|line| {
            let (pid, parent) = line.trim().split_once(' ')?;
            let parent: i32 = parent.trim().parse().ok()?;
            (parent == ours).then(|| Pid::from_raw(pid.parse().ok()?)).flatten()
        });
        std::iter::once(self.pid).chain(children).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns a port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback address takes listeners");
    listener.local_addr().expect("it is bound").port()
}
