//! The control of encoders from outside: stopped for good, or standing still while something urgent is done in this
//! process. A process that stands still loses nothing, and the machine is the urgent one's. Leaves the claims to `worker`.

use std::time::Duration;

use store::Pauses;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::child::Child;

/// The urgent work of this process, counted.
#[derive(Clone, Debug)]
pub(crate) struct Urgency {
    at_work: watch::Sender<usize>,
}

/// Urgent work; other work stands still until it is dropped.
#[derive(Debug)]
pub(crate) struct UrgentGuard {
    at_work: watch::Sender<usize>,
}

/// The control of one job's processes.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Ends them.
    pub(crate) stop: CancellationToken,
    /// Counts the urgent work that they make room for; `None` for those that make room for none.
    yields_to: Option<watch::Receiver<usize>>,
    /// The time for which they have made room.
    pub(crate) pauses: Pauses,
}

impl Urgency {
    pub(crate) fn new() -> Self {
        Self { at_work: watch::Sender::new(0) }
    }

    /// Has other work stand still until the guard is dropped.
    pub(crate) fn begin(&self) -> UrgentGuard {
        self.at_work.send_modify(|count| *count += 1);
        UrgentGuard { at_work: self.at_work.clone() }
    }

    /// Returns the control of work that makes room; `pauses` counts for how long.
    pub(crate) fn yielding(&self, stop: &CancellationToken, pauses: &Pauses) -> Control {
        Control { stop: stop.clone(), yields_to: Some(self.at_work.subscribe()), pauses: pauses.clone() }
    }
}

impl Drop for UrgentGuard {
    fn drop(&mut self) {
        self.at_work.send_modify(|count| *count -= 1);
    }
}

impl Control {
    /// Returns the control of work that makes no room.
    pub(crate) fn of(stop: &CancellationToken) -> Self {
        Self { stop: stop.clone(), yields_to: None, pauses: Pauses::default() }
    }

    /// Returns the same with another end.
    pub(crate) fn ended_by(&self, stop: &CancellationToken) -> Self {
        Self { stop: stop.clone(), ..self.clone() }
    }

    /// Returns once nothing is at work that this makes room for. A process that stands still has cost its start.
    pub(crate) async fn has_room(&self) {
        if let Some(mut urgent) = self.yields_to.clone() {
            // Fails when the worker is gone, and with it all that is urgent.
            let _ = urgent.wait_for(|count| *count == 0).await;
        }
    }

    /// Has `child` stand still whenever it makes room, and returns once it has run for `time`.
    pub(crate) async fn run_out(&self, child: &Child, time: Duration) {
        let Some(mut urgent) = self.yields_to.clone() else {
            return tokio::time::sleep(time).await;
        };
        let mut left = time;
        loop {
            let began = Instant::now();
            match tokio::time::timeout(left, urgent.wait_for(|count| *count > 0))
                .await
                .map(|seen| seen.is_ok())
            {
                Ok(true) => {}
                // The worker is gone, and with it all that is urgent.
                Ok(false) => return tokio::time::sleep(left).await,
                Err(_) => return,
            }
            left = left.saturating_sub(began.elapsed());
            let _running_again = child.stand_still();
            let stood = Instant::now();
            let over = urgent.wait_for(|count| *count == 0).await.is_ok();
            // Rest is neither charged to the owner's service nor counted against the encoder's pace.
            self.pauses.add(stood.elapsed());
            if !over {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_makes_room_until_the_last_urgent_one_is_done() {
        let urgency = Urgency::new();
        let control = urgency.yielding(&CancellationToken::new(), &Pauses::default());
        let waiting = || *control.yields_to.as_ref().unwrap().borrow() > 0;
        let (one, two) = (urgency.begin(), urgency.begin());
        drop(one);
        assert!(waiting());
        drop(two);
        assert!(!waiting());
    }
}
