//! Purges: changes in the store evict objects from the edge in this process and from the edges elsewhere.

use edge::{Purge, PurgeClient};
use store::{Signal, Signals};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Sends purges to the edges elsewhere, until `stop`.
///
/// Every origin sends the changes of the whole cluster. Purges are idempotent, so an edge may get one from each origin, and
/// edges still get them when an origin dies.
pub(super) fn announce(
    purge_client: PurgeClient,
    signals: &Signals,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (late, stop_too) = (purge_client.clone(), stop.clone());
    tasks.spawn(async move { stop_too.run_until_cancelled(late.retry_pending()).await });
    tasks.spawn(follow(signals.subscribe(), stop.clone(), move |purge| {
        let purge_client = purge_client.clone();
        async move { purge_client.publish(&purge).await }
    }));
}

/// Passes changes to `evict` until `stop`. Changes that arrive while it runs are merged into the next purge.
pub(super) async fn follow<F>(
    mut changes: Receiver<Signal>,
    stop: CancellationToken,
    evict: impl Fn(Purge) -> F,
) where
    F: Future<Output = ()>,
{
    while let Some(first) = stop.run_until_cancelled(changes.recv()).await {
        let mut purge = match first {
            Ok(signal) => of(&signal),
            // The channel dropped its oldest signals, and nothing shows of which videos they were.
            Err(RecvError::Lagged(_)) => Purge::everything(),
            Err(RecvError::Closed) => return,
        };
        // Merged, a slow edge gets one purge for many.
        drain(&mut changes, &mut purge);
        if !purge.is_empty() {
            evict(purge).await;
        }
    }
}

fn drain(changes: &mut Receiver<Signal>, purge: &mut Purge) {
    loop {
        match changes.try_recv() {
            Ok(signal) => purge.merge(of(&signal)),
            // A lost change may be of any video.
            Err(TryRecvError::Lagged(_)) => purge.merge(Purge::everything()),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

fn of(signal: &Signal) -> Purge {
    let mut purge = Purge::default();
    match signal {
        Signal::Changed(id) => _ = purge.changed.insert(id.to_string()),
        Signal::Hidden(id) | Signal::Deleted(id) => _ = purge.gone.insert(id.to_string()),
        // No object changed: segments are new, an upload has none, and a person is no video.
        Signal::Published(..) | Signal::Progress(_) | Signal::Ended(_) => {}
        Signal::Missed => return Purge::everything(),
    }
    purge
}
