//! Deliveries on their way: claimed, sent, and tried again with growing pauses for a day. Any process with accounts does it;
//! leases keep two from sending one delivery at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store::{
    Signal, Store,
    webhooks::{Attempted, Due},
};
use tokio::{sync::broadcast, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Config, message::Message, sender::Sender};
use crate::Accounts;

const AT_ONCE: usize = 16;
// Longer than an attempt may take.
const LEASE: Duration = Duration::from_mins(1);
// Signals may be lost, and pauses end without one.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Accounts {
    /// Sends what webhooks are due, until `shutdown`, and then ends what is on its way.
    pub async fn deliver(&self, shutdown: CancellationToken) {
        let courier = Courier {
            store: self.store.clone(),
            config: self.config.webhooks.clone(),
            sender: Sender::new(self.config.webhooks.allowed.clone(), self.config.webhooks.timeout),
            name: format!("{:032x}", rand::random::<u128>()),
        };
        let mut signals = self.store.signals.subscribe();
        let mut sending = JoinSet::new();
        loop {
            while sending.len() < AT_ONCE
                && let Some(due) = courier.claim().await
            {
                let courier = courier.clone();
                sending.spawn(async move { courier.deliver(due).await });
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = sending.join_next() => {}
                () = changed(&mut signals) => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        // Cut off, a delivery that its target may have taken would be sent once more when its lease ends.
        while sending.join_next().await.is_some() {}
    }
}

/// Claims deliveries and sends them.
#[derive(Clone)]
struct Courier {
    store: Store,
    config: Config,
    sender: Sender,
    /// No other process has it.
    name: String,
}

impl Courier {
    async fn claim(&self) -> Option<Due> {
        match self.store.webhooks.claim(&self.name, LEASE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "cannot look for deliveries");
                None
            }
        }
    }

    async fn deliver(&self, due: Due) {
        let (status, problem) = match self.send(&due).await {
            Ok(status) if status.is_success() => (Some(status.as_u16()), None),
            // The target was checked as it was typed and resolved; where a redirect leads, nobody has checked.
            Ok(status) if status.is_redirection() => {
                (Some(status.as_u16()), Some(format!("it answered {status}; redirects are not followed")))
            }
            Ok(status) => (Some(status.as_u16()), Some(format!("it answered {status}"))),
            Err(problem) => (None, Some(problem)),
        };
        // Standard Webhooks: 410 means that nothing is to be sent there any more.
        let gone = status == Some(410);
        let off = due.target.is_none();
        let again_in = if gone || off { None } else { self.config.pause(due.delivery.attempts) };
        let outcome = Attempted { status, problem: problem.as_deref(), again_in, gone };
        if problem.is_some() && again_in.is_none() && !off {
            tracing::warn!(
                webhook = due.delivery.webhook,
                delivery = due.delivery.id,
                problem,
                "a delivery is given up"
            );
        }
        // Where the outcome is lost, the lease ends and it is sent once more: receivers know it by its id.
        if let Err(error) = self.store.webhooks.conclude(&due, outcome).await {
            tracing::warn!(%error, "cannot record a delivery");
        }
    }

    async fn send(&self, due: &Due) -> Result<http::StatusCode, String> {
        let target = due.target.as_ref().ok_or("the webhook is switched off")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let message =
            Message::of(&due.delivery, &target.secret, now).ok_or("the webhook's secret is unreadable")?;
        self.sender.send(&target.url, message).await
    }
}

/// Waits for a signal after which there may be something to send.
async fn changed(signals: &mut broadcast::Receiver<Signal>) {
    loop {
        match signals.recv().await {
            // They come by the second while a video is uploaded or encoded, and no webhook is about them.
            Ok(Signal::Progress(_) | Signal::Published(..)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
        }
    }
}
