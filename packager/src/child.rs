//! A running process of ffmpeg: spawned, confined, its log and its standard output read, killed when dropped. Leaves
//! its outputs to `process`.

use std::{
    collections::VecDeque,
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ffmpeg_sidecar::{
    child::FfmpegChild,
    command::FfmpegCommand,
    event::{FfmpegEvent, LogLevel},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{net::UnixStream, sync::watch, task::JoinHandle};

use crate::{
    Error, Result,
    ffmpeg::{Bounds, confine},
    trouble::Trouble,
};

// As many last lines as a log has use for.
const LAST_LINES: usize = 8;
const LAST_LINE_CHARS: usize = 300;
/// The lines that filters print have a time and little else.
const PRINTED_LINE_BYTES: u64 = 4096;

/// How far a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Running,
    Well,
    Badly,
}

/// The end of a process.
pub(crate) struct Exit {
    /// Why it ended badly, if it did.
    pub(crate) trouble: Option<Trouble>,
    /// Its status and its last warnings and errors.
    pub(crate) last_lines: String,
}

/// Another process's output as standard input.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) stream: UnixStream,
    /// The other process. Only the end of one that ended well is the input's end: what is cut short is no short source.
    pub(crate) progress: watch::Receiver<Progress>,
}

/// Takes the lines that ffmpeg prints on its standard output.
pub(crate) type Printed = Box<dyn FnMut(&str) + Send>;

/// One call of ffmpeg.
pub(crate) struct Task<'a> {
    /// Path or name of ffmpeg.
    pub(crate) program: &'a Path,
    /// For people: the work, such as `encoding the picture between 0:00 and 2:00`.
    pub(crate) doing: String,
    /// All arguments before the outputs.
    pub(crate) input: Vec<OsString>,
    /// Another process's output to read as standard input.
    pub(crate) stdin: Option<Feed>,
    /// Takes the lines that the filters print.
    pub(crate) printed: Option<Printed>,
    /// The arguments of each output, without its address.
    pub(crate) outputs: Vec<Vec<OsString>>,
    /// Resources that the process may use.
    pub(crate) bounds: Bounds,
    /// When it is killed however it goes.
    pub(crate) wall_time: Duration,
}

/// A process that stands still; runs again when dropped.
pub(crate) struct Still<'a>(&'a Child);

/// A running process; killed when dropped.
pub(crate) struct Child {
    process: Arc<Mutex<FfmpegChild>>,
    listener: Option<JoinHandle<Exit>>,
    pub(crate) progress: watch::Receiver<Progress>,
}

impl Child {
    pub(crate) fn spawn(task: &mut Task<'_>, sockets: &[PathBuf]) -> Result<Self> {
        let start = |cause| Error::Start { program: task.program.display().to_string(), cause };
        let mut command = FfmpegCommand::new_with_path(task.program);
        for name in ffmpeg::NOT_IN_THE_ENVIRONMENT {
            command.as_inner_mut().env_remove(name);
        }
        command.as_inner_mut().env("AV_LOG_FORCE_NOCOLOR", "1");
        // A group of its own: the system ends a child that stands still when this process dies, for its group is then an
        // orphan (POSIX, SIGHUP and SIGCONT); in ours it would stand there for ever.
        command.as_inner_mut().process_group(0);
        // However much of a source is damaged, the rest plays, and what is lost is noted.
        command.args(["-hide_banner", "-nostdin", "-y", "-max_error_rate", "1"]).args(&task.input);
        for (output, socket) in task.outputs.iter().zip(sockets) {
            let mut address = std::ffi::OsString::from("unix:");
            address.push(socket);
            command.args(output).arg(address);
        }
        // The input may be an address with a secret.
        let hidden = |arg: &&std::ffi::OsStr| !arg.to_string_lossy().contains("http:");
        let arguments: Vec<_> = command.get_args().filter(hidden).collect();
        tracing::debug!(doing = %task.doing, ?arguments, "ffmpeg starts");
        // Bounds are set from outside: `pre_exec`, which could set them before ffmpeg runs, is unsafe.
        let mut child = command.spawn().map_err(start)?;
        confine(child.as_inner().id(), &task.bounds).map_err(start)?;
        let (stdin, stdout) = (child.take_stdin(), child.take_stdout());
        let events = child.iter().map_err(|e| start(std::io::Error::other(e)))?;

        let (sender, progress) = watch::channel(Progress::Running);
        feed(stdin, task.stdin.take(), progress.clone())?;
        let printed =
            task.printed.take().map(|take| tokio::task::spawn_blocking(move || each_line(stdout, take)));
        let process = Arc::new(Mutex::new(child));
        let reaped = process.clone();
        let doing = task.doing.clone();
        let runtime = tokio::runtime::Handle::current();
        // The log is read to its end before the wait: a process whose pipe is full never ends. The printed lines come
        // before the exit is known, because losses are counted by them.
        let listener = tokio::task::spawn_blocking(move || {
            let last_lines = Vec::from(collect_log(events, &doing));
            let status = lock(&reaped).wait();
            if let Some(printed) = printed {
                // Fails when it panicked, which its own task shows.
                let _ = runtime.block_on(printed);
            }
            let (trouble, status) = match status {
                Ok(status) if status.success() => (None, status.to_string()),
                Ok(status) => (Some(Trouble::of(status, &last_lines)), status.to_string()),
                Err(error) => (Some(Trouble::Unknown), error.to_string()),
            };
            // Ignored when nobody waits any more.
            let _ = sender.send(if trouble.is_none() { Progress::Well } else { Progress::Badly });
            Exit { trouble, last_lines: format!("{status}: {}", last_lines.join("; ")) }
        });
        Ok(Self { process, listener: Some(listener), progress })
    }

    pub(crate) fn kill(&mut self) {
        // Fails only when it has ended by itself.
        let _ = lock(&self.process).as_inner_mut().kill();
    }

    /// Has it stand still until what is returned is dropped.
    pub(crate) fn stand_still(&self) -> Still<'_> {
        self.signal(Signal::STOP);
        Still(self)
    }

    fn signal(&self, signal: Signal) {
        let mut process = lock(&self.process);
        let process = process.as_inner_mut();
        // The id of a process that has been waited for may be another's by now.
        if matches!(process.try_wait(), Ok(None)) {
            // Fails only when it has ended by itself.
            let _ = kill_process(Pid::from_child(process), signal);
        }
    }

    pub(crate) async fn wait(&mut self) -> Exit {
        let ended = match self.listener.take() {
            Some(listener) => listener.await,
            None => return Exit { trouble: None, last_lines: String::new() },
        };
        ended.unwrap_or_else(|e| Exit { trouble: Some(Trouble::Unknown), last_lines: e.to_string() })
    }
}

impl Drop for Still<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.listener.is_some() {
            self.kill();
        }
    }
}

/// Copies another process's output to a child's standard input, until either ends.
///
/// The input stays open behind the output of a process that ended badly, because ffmpeg would take the end for the
/// source's own and go on with silence; the child is killed together with its source.
fn feed(to: Option<ChildStdin>, from: Option<Feed>, mut child: watch::Receiver<Progress>) -> Result<()> {
    let (Some(mut to), Some(Feed { stream, mut progress })) = (to, from) else { return Ok(()) };
    let mut from = stream.into_std()?;
    // tokio's sockets do not block, and `copy` would take `WouldBlock` for a failure.
    from.set_nonblocking(false)?;
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        // Fails when the child has read enough, whose exit status says whether it has.
        let _ = std::io::copy(&mut from, &mut to);
        // So that the other process, which writes no more, is not taken for blocked.
        drop(from);
        runtime.block_on(async {
            let well = async {
                progress.wait_for(|it| *it != Progress::Running).await.is_ok_and(|it| *it == Progress::Well)
            };
            if !well.await {
                // Fails when the child's watcher is gone, and the child with it.
                let _ = child.wait_for(|it| *it != Progress::Running).await;
            }
        });
        drop(to);
    });
    Ok(())
}

fn each_line(stdout: Option<ChildStdout>, mut take: Printed) {
    let Some(stdout) = stdout else { return };
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while (&mut stdout).take(PRINTED_LINE_BYTES).read_line(&mut line).is_ok_and(|read| read > 0) {
        take(line.trim_end());
        line.clear();
    }
}

/// Reads ffmpeg's log to its end. Returns its last warnings and errors.
fn collect_log(events: impl Iterator<Item = FfmpegEvent>, doing: &str) -> VecDeque<String> {
    let mut last = VecDeque::new();
    for event in events {
        match event {
            FfmpegEvent::Progress(p) => {
                tracing::trace!(doing, frame = p.frame, speed = p.speed, "ffmpeg goes on");
            }
            // Unknown: lines of others on its standard error, such as the system's loader.
            FfmpegEvent::Log(
                LogLevel::Warning | LogLevel::Error | LogLevel::Fatal | LogLevel::Unknown,
                line,
            ) => {
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                last.push_back(line.chars().take(LAST_LINE_CHARS).collect());
            }
            _ => {}
        }
    }
    last
}

fn lock(process: &Mutex<FfmpegChild>) -> std::sync::MutexGuard<'_, FfmpegChild> {
    process.lock().unwrap_or_else(PoisonError::into_inner)
}
