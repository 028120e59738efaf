//! In charge of the stop signals.

use tokio_util::sync::CancellationToken;

/// Returns what waits for a stop signal; from now on none ends the process by itself.
pub(super) fn on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = shutdown.cancelled() => {}
        }
        shutdown.cancel();
        tracing::info!("stopping; requests and uploads in flight are finished first");
    })
}
