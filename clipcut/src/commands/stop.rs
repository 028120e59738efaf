//! The stop signals: SIGTERM and SIGINT.

use tokio_util::sync::CancellationToken;

/// Returns a future that cancels `shutdown` on a stop signal; from now on no signal ends the process directly.
pub(super) fn on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    // SIGTERM is what systemd, Docker and Kubernetes send; SIGINT is Ctrl-C.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            // A process that ends for another reason must not wait for a signal, since its tasks are waited for.
            () = shutdown.cancelled() => {}
        }
        shutdown.cancel();
        tracing::info!("stopping; requests and uploads in flight are finished first");
    })
}
