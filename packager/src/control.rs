//! The control of encoders from outside: stopped for good, or standing still while something urgent is done in this
//! process. A process that stands still loses nothing, and the machine is the urgent one's. Leaves the claims to `worker`.

use std::time::Duration;

use store::{JobRank, Orders, Pauses};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::child::Child;

/// The work of this process, counted by its ranks.
#[derive(Clone, Debug)]
pub(crate) struct Urgency {
    at_work: watch::Sender<Counts>,
}

/// Work in hand of each rank.
type Counts = [usize; JobRank::ALL.len()];

/// Work of some rank; that of lower ones stands still until it is dropped.
#[derive(Debug)]
pub(crate) struct UrgentGuard {
    rank: JobRank,
    at_work: watch::Sender<Counts>,
}

/// The control of one job's processes.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Ends them.
    pub(crate) stop: CancellationToken,
    /// The work that they make room for; `None` for those that make room for none.
    yields_to: Option<Yield>,
    /// The time for which they have made room.
    pub(crate) pauses: Pauses,
}

/// Making room, until a viewer waits for what makes it.
#[derive(Clone, Debug)]
struct Yield {
    /// Makes room for those above.
    rank: JobRank,
    at_work: watch::Receiver<Counts>,
    /// Ends it.
    hurry: CancellationToken,
}

/// Returns whether there is work of a rank above.
fn is_outranked(rank: JobRank, at_work: &Counts) -> bool {
    JobRank::ALL.into_iter().zip(at_work).any(|(other, count)| other > rank && *count > 0)
}

impl Yield {
    /// Returns once there is more urgent work; whether there is any more, and room is to be made for it.
    async fn begins(&mut self) -> bool {
        let rank = self.rank;
        tokio::select! {
            // In order, for a job that hurries is itself urgent work.
            biased;
            () = self.hurry.cancelled() => false,
            // Fails when the worker is gone, and with it all that is urgent.
            seen = self.at_work.wait_for(|at_work| is_outranked(rank, at_work)) => seen.is_ok(),
        }
    }

    /// Returns once there is room again; whether it has to be made again.
    async fn ends(&mut self) -> bool {
        let rank = self.rank;
        tokio::select! {
            biased;
            () = self.hurry.cancelled() => false,
            seen = self.at_work.wait_for(|at_work| !is_outranked(rank, at_work)) => seen.is_ok(),
        }
    }
}

impl Urgency {
    pub(crate) fn new() -> Self {
        Self { at_work: watch::Sender::new(Counts::default()) }
    }

    /// Has work of lower ranks stand still until the guard is dropped.
    pub(crate) fn begin(&self, rank: JobRank) -> UrgentGuard {
        self.at_work.send_modify(|at_work| at_work[rank as usize] += 1);
        UrgentGuard { rank, at_work: self.at_work.clone() }
    }

    /// Returns the control of work that makes room for that of higher ranks; `pauses` counts for how long.
    pub(crate) fn yielding(&self, rank: JobRank, orders: &Orders, pauses: &Pauses) -> Control {
        let Orders { stop, hurry } = orders.clone();
        let yields_to = Some(Yield { rank, at_work: self.at_work.subscribe(), hurry });
        Control { stop, yields_to, pauses: pauses.clone() }
    }
}

impl Drop for UrgentGuard {
    fn drop(&mut self) {
        self.at_work.send_modify(|at_work| at_work[self.rank as usize] -= 1);
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
        if let Some(mut room) = self.yields_to.clone() {
            room.ends().await;
        }
    }

    /// Has `child` stand still whenever it makes room, and returns once it has run for `time`.
    pub(crate) async fn run_out(&self, child: &Child, time: Duration) {
        let Some(mut room) = self.yields_to.clone() else {
            return tokio::time::sleep(time).await;
        };
        let mut left = time;
        loop {
            let began = Instant::now();
            let Ok(begins) = tokio::time::timeout(left, room.begins()).await else { return };
            left = left.saturating_sub(began.elapsed());
            if !begins {
                return tokio::time::sleep(left).await;
            }
            let running_again = child.stand_still();
            let stood = Instant::now();
            let again = room.ends().await;
            drop(running_again);
            // Rest is neither charged to the owner's service nor counted against the encoder's pace.
            self.pauses.add(stood.elapsed());
            if !again {
                return tokio::time::sleep(left).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn work_makes_room_until_the_last_urgent_one_is_done() {
        let urgency = Urgency::new();
        let control = urgency.yielding(JobRank::Calm, &Orders::default(), &Pauses::default());
        let (one, two) = (urgency.begin(JobRank::Ahead), urgency.begin(JobRank::Waited));
        drop(one);
        assert!(control.has_room().now_or_never().is_none());
        drop(two);
        assert!(control.has_room().now_or_never().is_some());
    }

    #[tokio::test]
    async fn work_makes_room_for_none_of_its_own_rank_or_a_lower_one() {
        let urgency = Urgency::new();
        let control = urgency.yielding(JobRank::Ahead, &Orders::default(), &Pauses::default());
        let _others = (urgency.begin(JobRank::Calm), urgency.begin(JobRank::Ahead));
        assert!(control.has_room().now_or_never().is_some());
    }

    #[tokio::test]
    async fn work_that_a_viewer_waits_for_makes_room_no_longer() {
        let urgency = Urgency::new();
        let orders = Orders::default();
        let control = urgency.yielding(JobRank::Ahead, &orders, &Pauses::default());
        let _urgent = urgency.begin(JobRank::Waited);
        assert!(control.has_room().now_or_never().is_none());
        orders.hurry.cancel();
        assert!(control.has_room().now_or_never().is_some());
    }
}
