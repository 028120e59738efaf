//! The grid that a video's segments lie on, as its plan writes it: segments of one length, the first of which is cut into short
//! ones. Leaves what lies in a segment to those who fill it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Segments on a line of ticks; the last one may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Ticks a second; for pictures a multiple of the frame rate's numerator.
    pub timescale: u32,
    /// Length of every segment but the first ones and the last.
    pub segment_ticks: u64,
    /// Segments that the first `segment_ticks` are cut into. Players decode nothing of a segment before all of it is there, and
    /// a short one is there sooner.
    #[serde(default = "one")]
    pub start_up_segments: u32,
    /// Length of the whole presentation.
    pub duration_ticks: u64,
}

// Plans from before there were short segments do not name any.
fn one() -> u32 {
    1
}

impl Grid {
    /// Returns the number of segments; at least one.
    pub fn segments(&self) -> u32 {
        let last = self.duration_ticks.saturating_sub(1);
        self.segment_at(last) + 1
    }

    /// Returns the segment in which `ticks` lie.
    pub fn segment_at(&self, ticks: u64) -> u32 {
        let ticks = ticks.min(self.duration_ticks.saturating_sub(1));
        let (short, length) = (u64::from(self.start_up_segments), self.segment_ticks.max(1));
        if ticks < length {
            // The greatest `n` whose start, which is rounded down, is not behind `ticks`.
            (((ticks + 1) * short).div_ceil(length) - 1) as u32
        } else {
            (ticks / length + short - 1) as u32
        }
    }

    /// Returns where segment `n` starts, in ticks; the whole length for those past the last.
    pub fn start(&self, n: u32) -> u64 {
        let (n, short) = (u64::from(n), u64::from(self.start_up_segments));
        let start =
            if n < short { n * self.segment_ticks / short } else { (n - short + 1) * self.segment_ticks };
        start.min(self.duration_ticks)
    }

    /// Returns the length of segment `n` in ticks.
    pub fn length(&self, n: u32) -> u64 {
        self.start(n + 1) - self.start(n)
    }

    /// Returns `ticks` in seconds.
    pub fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / f64::from(self.timescale.max(1))
    }

    /// Returns when segment `n` begins and when it ends, for text. The last one has no end: a cue that somebody puts behind
    /// the video's last picture stands in it.
    pub fn span(&self, n: u32) -> (Duration, Duration) {
        let end = if n + 1 >= self.segments() { Duration::MAX } else { self.border(n + 1) };
        (self.border(n), end)
    }

    fn border(&self, n: u32) -> Duration {
        let timescale = u128::from(self.timescale.max(1));
        // The border is rounded, for WebVTT has milliseconds and a border at 29.97 frames a second lies between two.
        Duration::from_millis(((u128::from(self.start(n)) * 1000 + timescale / 2) / timescale) as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn film(start_up_segments: u32) -> Grid {
        Grid { timescale: 30_000, segment_ticks: 180_180, start_up_segments, duration_ticks: 420_420 }
    }

    #[test]
    fn segments_follow_one_another_and_the_last_is_open() {
        let grid = film(1);
        let ms = Duration::from_millis;
        assert_eq!(grid.segments(), 3);
        assert_eq!(grid.span(0), (ms(0), ms(6006)));
        assert_eq!(grid.span(1), (ms(6006), ms(12_012)));
        assert_eq!(grid.span(2), (ms(12_012), Duration::MAX));
    }

    #[test]
    fn the_first_is_cut_into_short_ones_and_the_others_stay_where_they_are() {
        let grid = film(3);
        let starts: Vec<u64> = (0..=grid.segments()).map(|n| grid.start(n)).collect();
        assert_eq!(starts, [0, 60_060, 120_120, 180_180, 360_360, 420_420]);
    }

    #[test]
    fn a_plan_that_names_no_short_segments_has_none() {
        let stored = r#"{"timescale":30000,"segment_ticks":180180,"duration_ticks":420420}"#;
        assert_eq!(serde_json::from_str::<Grid>(stored).unwrap(), film(1));
    }

    proptest! {
        #[test]
        fn every_tick_lies_in_one_segment(
            segment_ticks in 1_u64..400,
            start_up_segments in 1_u32..5,
            duration_ticks in 1_u64..2000,
        ) {
            let short = start_up_segments.min(segment_ticks as u32);
            let grid = Grid { timescale: 1, segment_ticks, start_up_segments: short, duration_ticks };
            let mut at = 0;
            for n in 0..grid.segments() {
                prop_assert_eq!(grid.start(n), at);
                prop_assert!(grid.length(n) > 0);
                for tick in [at, at + grid.length(n) - 1] {
                    prop_assert_eq!(grid.segment_at(tick), n);
                }
                at += grid.length(n);
            }
            prop_assert_eq!(at, duration_ticks);
            prop_assert_eq!(grid.start(grid.segments()), duration_ticks);
        }
    }
}
