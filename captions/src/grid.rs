//! The grid that a video's segments lie on, as its plan writes it: the times that a segment of captions covers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Equal segments on a line of ticks; the last one may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Ticks a second.
    pub timescale: u32,
    /// Length of every segment but the last.
    pub segment_ticks: u64,
    /// Length of the whole presentation.
    pub duration_ticks: u64,
}

impl Grid {
    /// Returns the number of segments; at least one.
    pub fn segments(&self) -> u32 {
        self.duration_ticks.div_ceil(self.segment_ticks.max(1)).max(1) as u32
    }

    /// Returns when segment `n` begins and when it ends. The last one has no end: a cue that somebody puts behind
    /// the video's last picture stands in it.
    pub fn span(&self, n: u32) -> (Duration, Duration) {
        let end = if n + 1 >= self.segments() { Duration::MAX } else { self.border(n + 1) };
        (self.border(n), end)
    }

    fn border(&self, n: u32) -> Duration {
        let ticks = u128::from(n) * u128::from(self.segment_ticks);
        let timescale = u128::from(self.timescale.max(1));
        // The border is rounded, for WebVTT has milliseconds and a border at 29.97 frames a second lies between two.
        Duration::from_millis(((ticks * 1000 + timescale / 2) / timescale) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_one_another_and_the_last_is_open() {
        let grid = Grid { timescale: 30_000, segment_ticks: 180_180, duration_ticks: 420_420 };
        let ms = Duration::from_millis;
        assert_eq!(grid.segments(), 3);
        assert_eq!(grid.span(0), (ms(0), ms(6006)));
        assert_eq!(grid.span(1), (ms(6006), ms(12_012)));
        assert_eq!(grid.span(2), (ms(12_012), Duration::MAX));
    }
}
