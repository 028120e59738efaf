//! Pace: how fast a run comes out of its encoder, against the time that it plays. Pure but for the pauses that it subtracts.

use std::{collections::VecDeque, time::Duration};

use store::Pauses;
use tokio::time::Instant;

use crate::plan::Grid;

// Seconds of film, five segments: a scene that is hard to encode shows, and a single segment does not.
const STRETCH: f64 = 32.0;
// Seconds of film: those before have the start of the encoder in them. Two segments, or the short ones and the first long one.
const KNOWN_AFTER: f64 = 7.0;

/// The pace of a run in hand.
#[derive(Debug)]
pub(crate) struct Pace {
    grid: Grid,
    pauses: Pauses,
    /// When the last segment came, and all pauses until then.
    last: (Instant, Duration),
    /// Of the last segments: the seconds that they play, and the seconds of work that they took.
    stretch: VecDeque<(f64, f64)>,
}

impl Pace {
    /// Begins a run on `grid`; `pauses` counts while its encoder stands still.
    pub(crate) fn new(grid: Grid, pauses: Pauses) -> Self {
        let last = (Instant::now(), pauses.total());
        Self { grid, pauses, last, stretch: VecDeque::new() }
    }

    /// Notes segment `number`. Returns the seconds of media for each second of work over the last stretch, once that is
    /// known.
    pub(crate) fn published(&mut self, number: u32) -> Option<f64> {
        let (now, paused) = (Instant::now(), self.pauses.total());
        let work = (now - self.last.0).saturating_sub(paused.saturating_sub(self.last.1));
        self.last = (now, paused);
        self.stretch.push_back((self.grid.seconds(self.grid.length(number)), work.as_secs_f64()));
        let (mut media, mut work) = self.total();
        while media > STRETCH {
            self.stretch.pop_front();
            (media, work) = self.total();
        }
        (media > KNOWN_AFTER && work > 0.0).then(|| media / work)
    }

    fn total(&self) -> (f64, f64) {
        self.stretch.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_that_of_the_last_stretch_without_its_pauses() {
        let grid = Grid { timescale: 1, segment_ticks: 6, start_up_segments: 1, duration_ticks: 600 };
        let pauses = Pauses::default();
        let mut pace = Pace::new(grid, pauses.clone());
        advance(Duration::from_secs(4)).await;
        assert_eq!(pace.published(0), None, "one segment is no pace");
        advance(Duration::from_secs(2)).await;
        assert_eq!(pace.published(1), Some(2.0));
        advance(Duration::from_secs(102)).await;
        pauses.add(Duration::from_secs(100));
        assert_eq!(pace.published(2), Some(18.0 / 8.0));
        for number in 3..8 {
            advance(Duration::from_secs(12)).await;
            pace.published(number);
        }
        assert_eq!(pace.published(8), Some(30.0 / 48.0));
    }
}
