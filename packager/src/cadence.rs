//! The frame rate: from a measured average to a constant standard frame rate, and
//! from that to whole frames and whole ticks.

use crate::{facts::VideoFacts, plan::FrameRate};

/// The rates that screens and editors know, ascending. Below 24 are screen recordings and webcams; they needn't
/// become film.
const STANDARD: [(u32, u32); 14] = [
    (5, 1),
    (8, 1),
    (10, 1),
    (25, 2),
    (15, 1),
    (20, 1),
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48, 1),
    (50, 1),
    (60_000, 1001),
];
/// The last of them, and the highest that we make.
const HIGHEST: FrameRate = FrameRate { num: 60, den: 1 };

/// 30 and 29.97 lie 0.1 % apart: nearer than half of that is the same.
const SAME: f64 = 0.000_5;
/// Rounded timestamps and short clips measure this far off the truth.
const CLOSE: f64 = 0.01;

/// A cadence this far above the average comes from missing frames.
const GAPS: f64 = 1.2;

/// Ticks a second that a timescale has at least, as ffmpeg's own muxer has.
const LEAST_TIMESCALE: u32 = 10_000;

impl FrameRate {
    /// Returns the constant rate for a picture. Sources of one standard rate keep it, so that no frame is lost
    /// or doubled; above 60 they are halved. Uneven ones go to the standard rate that is not below their
    /// average, or to the rate that they would have without their gaps.
    pub fn of(video: &VideoFacts) -> Self {
        let average = video.frame_rate.unwrap_or(25.0);
        if video.variable {
            let even = nearest(average, SAME).unwrap_or_else(|| not_below(average));
            // A screen recording of 30 that leaves out what doesn't move has an average of 19; at that rate
            // its moving parts would stumble. Mere jitter around the average changes nothing.
            let without_gaps = video.cadence.and_then(not_above);
            return without_gaps.filter(|rate| rate.fps() > even.fps() * GAPS).unwrap_or(even);
        }
        let mut constant = average;
        while constant > HIGHEST.fps() * (1.0 + CLOSE) {
            constant /= 2.0;
        }
        nearest(constant, CLOSE).or_else(|| whole(constant)).unwrap_or_else(|| not_below(constant))
    }

    /// Returns frames a second.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Returns the whole number of frames that is nearest to a length.
    pub(crate) fn frames(self, seconds: f64) -> u64 {
        (seconds * self.fps()).round() as u64
    }

    /// Returns the smallest doubling of the numerator that is fine enough: every frame is a whole
    /// number of its ticks.
    pub(crate) fn timescale(self) -> u32 {
        let mut timescale = self.num;
        while timescale < LEAST_TIMESCALE {
            timescale *= 2;
        }
        timescale
    }
}

fn standard() -> impl Iterator<Item = FrameRate> {
    let rates = STANDARD.into_iter().map(|(num, den)| FrameRate { num, den });
    rates.chain([HIGHEST])
}

fn nearest(fps: f64, tolerance: f64) -> Option<FrameRate> {
    let off = |rate: &FrameRate| (fps / rate.fps() - 1.0).abs();
    standard().min_by(|a, b| off(a).total_cmp(&off(b))).filter(|rate| off(rate) <= tolerance)
}

/// Film at 16 or 18 frames a second is no standard of today, but is as constant as one.
fn whole(fps: f64) -> Option<FrameRate> {
    let num = fps.round();
    let near = (fps / num - 1.0).abs() <= SAME;
    (near && num >= 5.0).then_some(FrameRate { num: num as u32, den: 1 })
}

/// Returns the highest standard rate that is not above; rounding to milliseconds makes 30 look like 30.3.
fn not_above(fps: f64) -> Option<FrameRate> {
    standard().filter(|rate| rate.fps() <= fps * (1.0 + CLOSE)).last()
}

fn not_below(fps: f64) -> FrameRate {
    standard().find(|rate| rate.fps() >= fps * (1.0 - SAME)).unwrap_or(HIGHEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::facts;

    fn rate(fps: f64, variable: bool) -> (u32, u32) {
        let mut video = facts().video.unwrap();
        (video.frame_rate, video.variable, video.cadence) = (Some(fps), variable, Some(fps));
        let rate = FrameRate::of(&video);
        (rate.num, rate.den)
    }

    #[test]
    fn constant_rates_keep_every_frame() {
        let check = |fps: f64, expected: (u32, u32)| assert_eq!(rate(fps, false), expected, "{fps}");
        check(23.976, (24_000, 1001));
        check(24.0, (24, 1));
        check(25.0, (25, 1));
        check(29.97, (30_000, 1001));
        check(29.95, (30_000, 1001));
        check(30.0, (30, 1));
        check(30.02, (30, 1));
        check(47.952, (48, 1));
        check(59.94, (60_000, 1001));
        check(60.0, (60, 1));
        check(12.5, (25, 2));
        check(15.0, (15, 1));
        check(18.0, (18, 1));
        check(5.0, (5, 1));
        check(1.0, (5, 1));
        check(18.3, (20, 1));
    }

    #[test]
    fn rates_above_sixty_are_halved() {
        let check = |fps: f64, expected: (u32, u32)| assert_eq!(rate(fps, false), expected, "{fps}");
        check(120.0, (60, 1));
        check(119.88, (60_000, 1001));
        check(100.0, (50, 1));
        check(240.0, (60, 1));
        check(90.0, (45, 1));
    }

    #[test]
    fn uneven_rates_go_to_the_standard_above() {
        let check = |fps: f64, expected: (u32, u32)| assert_eq!(rate(fps, true), expected, "{fps}");
        check(29.97, (30_000, 1001));
        check(29.8, (30_000, 1001));
        check(17.2, (20, 1));
        check(21.0, (24_000, 1001));
        check(40.0, (48, 1));
        check(61.0, (60, 1));
        check(90.0, (60, 1));
        check(0.3, (5, 1));
    }

    #[test]
    fn sources_with_gaps_keep_the_rate_between_the_gaps() {
        let check = |average: f64, cadence: f64, expected: (u32, u32)| {
            let mut video = facts().video.unwrap();
            video.variable = true;
            (video.frame_rate, video.cadence) = (Some(average), Some(cadence));
            let rate = FrameRate::of(&video);
            assert_eq!((rate.num, rate.den), expected, "{average}, {cadence}");
        };
        check(18.7, 30.3, (30, 1));
        check(12.0, 62.5, (60, 1));
        check(40.0, 1000.0, (60, 1));
        check(0.5, 5.0, (5, 1));
        // Jitter.
        check(29.97, 33.0, (30_000, 1001));
        check(24.0, 26.3, (24, 1));
    }

    #[test]
    fn a_frame_is_a_whole_number_of_ticks() {
        for rate in standard() {
            let ticks = u64::from(rate.timescale()) * u64::from(rate.den);
            assert_eq!(ticks % u64::from(rate.num), 0, "{rate:?}");
            assert!(rate.timescale() >= LEAST_TIMESCALE, "{rate:?}");
        }
        assert_eq!(FrameRate { num: 25, den: 1 }.timescale(), 12_800);
        assert_eq!(FrameRate { num: 30_000, den: 1001 }.timescale(), 30_000);
    }
}
