//! One ffmpeg process: started, confined, reaped. Its outputs come through Unix sockets,
//! so that no media touches the disk before it is published.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ChildStdin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ffmpeg_sidecar::{
    child::FfmpegChild,
    command::FfmpegCommand,
    event::{FfmpegEvent, LogLevel},
};
use futures::future::try_join_all;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    ffmpeg::{Bounds, confine},
};

// As many last words as a person reads.
const LAST_LINES: usize = 8;
const LAST_LINE_CHARS: usize = 300;

/// One call of ffmpeg.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    /// Path or name of ffmpeg.
    pub(crate) program: &'a Path,
    /// For the error: what ffmpeg is asked to do.
    pub(crate) doing: String,
    /// All arguments before the outputs.
    pub(crate) input: Vec<OsString>,
    /// Another process's output to read as standard input.
    pub(crate) stdin: Option<UnixStream>,
    /// The arguments of each output, without its address.
    pub(crate) outputs: Vec<Vec<OsString>>,
    /// Resources that the process may use.
    pub(crate) bounds: Bounds,
    /// When it is killed however it goes.
    pub(crate) wall_time: Duration,
}

/// Runs ffmpeg and gives each output to `consume` as it comes. Returns once the process has ended well and
/// every output is consumed to its end; the process never outlives the call.
pub(crate) async fn run<F>(
    mut task: Task<'_>,
    stop: &CancellationToken,
    consume: impl Fn(usize, UnixStream) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let folder = tempfile::Builder::new().prefix("clipcut-").tempdir()?;
    let sockets: Vec<PathBuf> = (0..task.outputs.len()).map(|n| folder.path().join(n.to_string())).collect();
    let listeners = sockets.iter().map(UnixListener::bind).collect::<std::io::Result<Vec<_>>>()?;

    let stdin = task.stdin.take();
    let mut child = Child::spawn(&task, &sockets, stdin)?;
    let ended = child.ended.clone();
    let outputs = try_join_all(listeners.into_iter().enumerate().map(|(n, listener)| {
        let accepted = accept(listener, ended.clone());
        let consumed = &consume;
        async move {
            match accepted.await? {
                Some(stream) => consumed(n, stream).await,
                // The process ended without opening this output; its exit status has the cause.
                None => Ok(()),
            }
        }
    }));
    let outcome = tokio::select! {
        outcome = outputs => outcome.map(drop),
        () = stop.cancelled() => Err(Error::Interrupted),
        () = tokio::time::sleep(task.wall_time) => Err(Error::Ffmpeg {
            doing: task.doing.clone(),
            cause: format!("it took more than {} s", task.wall_time.as_secs()),
        }),
    };
    // An output that breaks off mostly means that the process is ending, and its log has the cause.
    let grace = match &outcome {
        Ok(()) => Duration::from_mins(1),
        Err(Error::Interrupted) => Duration::ZERO,
        Err(_) => Duration::from_secs(1),
    };
    let mut ended = child.ended.clone();
    let by_itself = tokio::time::timeout(grace, ended.wait_for(|ended| *ended)).await.is_ok();
    if !by_itself {
        child.kill();
    }
    match (outcome, child.wait().await) {
        // When the store failed we closed the pipe ourselves, and ffmpeg's complaint about that is no cause.
        (Err(e), _) if !by_itself || matches!(e, Error::Store(_)) => Err(e),
        (_, Err(cause)) => Err(Error::Ffmpeg { doing: task.doing, cause }),
        (outcome, Ok(())) => outcome,
    }
}

async fn accept(listener: UnixListener, mut ended: watch::Receiver<bool>) -> Result<Option<UnixStream>> {
    tokio::select! {
        biased;
        accepted = listener.accept() => Ok(Some(accepted?.0)),
        _ = ended.wait_for(|ended| *ended) => Ok(None),
    }
}

/// How a process ended; with its status and last words when badly.
type Exit = std::result::Result<(), String>;

/// A running process; killed when dropped.
struct Child {
    process: Arc<Mutex<FfmpegChild>>,
    listener: Option<JoinHandle<Exit>>,
    ended: watch::Receiver<bool>,
}

impl Child {
    fn spawn(task: &Task<'_>, sockets: &[PathBuf], stdin: Option<UnixStream>) -> Result<Self> {
        let start = |cause| Error::Start { program: task.program.display().to_string(), cause };
        let mut command = FfmpegCommand::new_with_path(task.program);
        for name in ffmpeg::NOT_IN_THE_ENVIRONMENT {
            command.as_inner_mut().env_remove(name);
        }
        command.as_inner_mut().env("AV_LOG_FORCE_NOCOLOR", "1");
        command.args(["-hide_banner", "-nostdin", "-y"]).args(&task.input);
        for (output, socket) in task.outputs.iter().zip(sockets) {
            let mut address = OsString::from("unix:");
            address.push(socket);
            command.args(output).arg(address);
        }
        // The input may be an address with a secret.
        let hidden = |arg: &&std::ffi::OsStr| !arg.to_string_lossy().starts_with("http:");
        let arguments: Vec<_> = command.get_args().filter(hidden).collect();
        tracing::debug!(doing = %task.doing, ?arguments, "ffmpeg starts");
        let mut child = command.spawn().map_err(start)?;
        confine(child.as_inner().id(), &task.bounds).map_err(start)?;
        feed(child.take_stdin(), stdin)?;
        drop(child.take_stdout());
        let events = child.iter().map_err(|e| start(std::io::Error::other(e)))?;

        let process = Arc::new(Mutex::new(child));
        let (ended_sender, ended) = watch::channel(false);
        let reaped = process.clone();
        let doing = task.doing.clone();
        let listener = tokio::task::spawn_blocking(move || {
            let last_lines = collect_log(events, &doing);
            let status = lock(&reaped).wait();
            // Ignored when nobody waits any more.
            let _ = ended_sender.send(true);
            match status {
                Ok(status) if status.success() => Ok(()),
                Ok(status) if last_lines.is_empty() => Err(status.to_string()),
                Ok(status) => Err(format!("{status}: {}", Vec::from(last_lines).join("; "))),
                Err(e) => Err(e.to_string()),
            }
        });
        Ok(Self { process, listener: Some(listener), ended })
    }

    fn kill(&mut self) {
        // Fails only when it has ended by itself.
        let _ = lock(&self.process).as_inner_mut().kill();
    }

    async fn wait(&mut self) -> Exit {
        match self.listener.take() {
            Some(listener) => listener.await.unwrap_or_else(|e| Err(e.to_string())),
            None => Ok(()),
        }
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
fn feed(to: Option<ChildStdin>, from: Option<UnixStream>) -> Result<()> {
    if let (Some(mut to), Some(from)) = (to, from) {
        let mut from = from.into_std()?;
        from.set_nonblocking(false)?;
        // Fails when the child has read enough, whose exit status says whether it has.
        tokio::task::spawn_blocking(move || std::io::copy(&mut from, &mut to));
    }
    Ok(())
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
