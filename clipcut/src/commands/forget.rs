//! In charge of telling edges what the store says has changed: the one in this process, and those elsewhere.

use edge::{Announcer, Purge};
use store::{Signal, Signals};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tells edges elsewhere what changes, until `stop`.
///
/// Each origin tells what it hears of all of the cluster. Who is told twice forgets twice, and no origin's end leaves the
/// edges without news.
pub(super) fn announce(
    announcer: Announcer,
    signals: &Signals,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (late, stop_too) = (announcer.clone(), stop.clone());
    tasks.spawn(async move { stop_too.run_until_cancelled(late.catch_up()).await });
    tasks.spawn(follow(signals.subscribe(), stop.clone(), move |purge| {
        let announcer = announcer.clone();
        async move { announcer.tell(&purge).await }
    }));
}

/// Hands news to `forget` until `stop`. What comes in meanwhile is handed on together.
pub(super) async fn follow<F>(
    mut news: Receiver<Signal>,
    stop: CancellationToken,
    forget: impl Fn(Purge) -> F,
) where
    F: Future<Output = ()>,
{
    while let Some(first) = stop.run_until_cancelled(news.recv()).await {
        let mut purge = match first {
            Ok(signal) => of(&signal),
            Err(RecvError::Lagged(_)) => Purge::everything(),
            Err(RecvError::Closed) => return,
        };
        drain(&mut news, &mut purge);
        forget(purge).await;
    }
}

fn drain(news: &mut Receiver<Signal>, purge: &mut Purge) {
    loop {
        match news.try_recv() {
            Ok(signal) => purge.merge(of(&signal)),
            // What was missed may have been of any video.
            Err(TryRecvError::Lagged(_)) => purge.merge(Purge::everything()),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

fn of(signal: &Signal) -> Purge {
    let mut purge = Purge::default();
    match signal {
        Signal::Changed(id) => _ = purge.changed.insert(id.to_string()),
        Signal::Deleted(id) => _ = purge.gone.insert(id.to_string()),
        Signal::Missed => return Purge::everything(),
    }
    purge
}
