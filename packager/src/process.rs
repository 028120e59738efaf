//! One call of ffmpeg from its start to its end. Its outputs come through Unix sockets, so that no media touches the
//! disk before it is published. Leaves the process itself to `child`.

use std::{path::PathBuf, time::Duration};

use crate::{
    Error, Result,
    child::{Child, Progress, Task},
    control::Control,
    trouble::Trouble,
};
use futures::future::try_join_all;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// One output as it comes, and the progress of the process that writes it.
pub(crate) struct Output {
    pub(crate) stream: UnixStream,
    pub(crate) progress: watch::Receiver<Progress>,
}

/// Runs ffmpeg and gives each output to `consume` as it comes. Returns once the process has ended well and
/// every output is consumed to its end; the process never outlives the call.
pub(crate) async fn run<F>(
    mut task: Task<'_>,
    control: &Control,
    consume: impl Fn(usize, Output) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let folder = tempfile::Builder::new().prefix("clipcut-").tempdir()?;
    let sockets: Vec<PathBuf> = (0..task.outputs.len()).map(|n| folder.path().join(n.to_string())).collect();
    // Sockets listen before the process starts, which connects to all of them at once.
    let listeners = sockets.iter().map(UnixListener::bind).collect::<std::io::Result<Vec<_>>>()?;

    tokio::select! {
        biased;
        () = control.stop.cancelled() => return Err(Error::Interrupted),
        () = control.has_room() => {}
    }
    let mut child = Child::spawn(&mut task, &sockets)?;
    let progress = child.progress.clone();
    let outputs = try_join_all(listeners.into_iter().enumerate().map(|(n, listener)| {
        let accepted = accept(listener, progress.clone());
        let (consumed, progress) = (&consume, progress.clone());
        async move {
            match accepted.await? {
                Some(stream) => consumed(n, Output { stream, progress }).await,
                // The process ended without opening this output; its exit status has the cause.
                None => Ok(()),
            }
        }
    }));
    let failure = |trouble| Error::Ffmpeg { doing: task.doing.clone(), at: None, trouble };
    let outcome = tokio::select! {
        biased;
        // First: a run that is whole counts, though a stop comes in the same moment.
        outcome = outputs => outcome.map(drop),
        () = control.stop.cancelled() => Err(Error::Interrupted),
        () = control.run_out(&child, task.wall_time) => Err(failure(Trouble::OutOfTime)),
        // A consumer that feeds another process would wait for more.
        () = ended_badly(child.progress.clone()) => Err(failure(Trouble::ReaderGone)),
    };
    // An output that breaks off mostly means that the process is ending, and its log has the cause.
    let grace = match &outcome {
        Ok(()) => Duration::from_mins(1),
        Err(Error::Interrupted) => Duration::ZERO,
        Err(_) => Duration::from_secs(1),
    };
    let mut ended = child.progress.clone();
    let by_itself = tokio::time::timeout(grace, ended.wait_for(|it| *it != Progress::Running)).await.is_ok();
    if !by_itself {
        child.kill();
    }
    let exit = child.wait().await;
    let error = match (outcome, exit.trouble) {
        (Ok(()), None) => return Ok(()),
        // When the store failed we closed the pipe ourselves, and ffmpeg's complaint about that is no cause.
        (Err(error @ (Error::Interrupted | Error::Store(_))), _) => return Err(error),
        (Err(error), trouble) if !by_itself || matches!(trouble, None | Some(Trouble::ReaderGone)) => error,
        (_, trouble) => failure(trouble.unwrap_or(Trouble::Unknown)),
    };
    tracing::warn!(doing = %task.doing, %error, ffmpeg = %exit.last_lines, "ffmpeg failed");
    Err(error)
}

async fn ended_badly(mut progress: watch::Receiver<Progress>) {
    if progress.wait_for(|it| *it == Progress::Badly).await.is_err() {
        // It ended well.
        std::future::pending::<()>().await;
    }
}

async fn accept(
    listener: UnixListener,
    mut progress: watch::Receiver<Progress>,
) -> Result<Option<UnixStream>> {
    tokio::select! {
        biased;
        accepted = listener.accept() => Ok(Some(accepted?.0)),
        _ = progress.wait_for(|it| *it != Progress::Running) => Ok(None),
    }
}
