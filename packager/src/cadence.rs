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

/// A phone's clock is this far off the standard rate that it means; 30 and 29.97 lie 0.1 % apart. A source that is
/// further off, such as 29.9, keeps its own.
const SAME: f64 = 0.001_5;
/// Rounded timestamps and short clips measure this far off the truth.
const CLOSE: f64 = 0.01;

/// A cadence this far above the average comes from missing frames.
const GAPS: f64 = 1.2;

/// Every second, third … frame is kept, down to film's rate.
const LEAST_THINNED: f64 = 23.9;

/// The rate of a single frame.
const UNKNOWN: f64 = 25.0;

/// Ticks a second that a timescale has at least, as ffmpeg's own muxer has.
const LEAST_TIMESCALE: u32 = 10_000;

impl FrameRate {
    /// Returns the constant rate for a picture. Sources of one rate keep it, so that no frame is lost or doubled, and
    /// those around a standard rate go to that; above 60 every second, third … frame is kept. Uneven ones go to the rate
    /// that they would have without their gaps, or to a standard rate that loses nothing.
    pub fn of(video: &VideoFacts) -> Self {
        if let Some(rate) = steady(video) {
            let above = rate > HIGHEST.fps() * (1.0 + SAME);
            return if above { thinned(rate, video.frames) } else { kept(rate, video.frames) };
        }
        let average = video.frame_rate.unwrap_or(UNKNOWN);
        let even = nearest(average, CLOSE).unwrap_or_else(|| not_below(average));
        // A screen recording of 30 that leaves out what doesn't move has an average of 19; at that rate
        // its moving parts would stumble.
        let without_gaps = video.cadence.and_then(not_above);
        without_gaps.filter(|rate| rate.fps() > even.fps() * GAPS).unwrap_or(even)
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

/// Returns the one rate that a source's frames follow each other at, if they do.
fn steady(video: &VideoFacts) -> Option<f64> {
    if video.variable { video.steady } else { Some(video.frame_rate.unwrap_or(UNKNOWN)) }
}

/// Returns whether a rate has a frame for each of the source's.
pub(crate) fn keeps(video: &VideoFacts, rate: FrameRate) -> bool {
    steady(video).is_some_and(|source| (source / rate.fps() - 1.0).abs() < CLOSE)
}

/// Returns the shift of a source's times, in seconds, that lays its frames in the middle of their slots at `rate`. A time
/// on the border of two slots goes to either of them, by its last digit: one slot stays empty, and another has two.
pub(crate) fn phase(video: &VideoFacts, rate: FrameRate) -> f64 {
    let Some(source) = steady(video) else {
        return 0.0;
    };
    let slot = 1.0 / rate.fps();
    let frames_a_slot = (source * slot).round().max(1.0);
    // Of several frames the slot's last is shown: the one that is due at its time.
    let thinned = (1.0 - 1.0 / frames_a_slot) / 2.0 * slot;
    let slots = (video.frames.saturating_sub(1)) as f64 / frames_a_slot;
    let length = video.last.saturating_sub(video.first).as_secs_f64() / slot;
    // Missing frames pull the mean off the middle, and it says no more where in their slots the others lie.
    let Some(mean) = video.mean.filter(|_| (length - slots).abs() < 1.5) else {
        return thinned;
    };
    let off = mean.as_secs_f64() / slot - slots / 2.0;
    thinned + (off.round() - off) * slot
}

fn standard() -> impl DoubleEndedIterator<Item = FrameRate> {
    let rates = STANDARD.into_iter().map(|(num, den)| FrameRate { num, den });
    rates.chain([HIGHEST])
}

fn nearest(fps: f64, tolerance: f64) -> Option<FrameRate> {
    let off = |rate: &FrameRate| (fps / rate.fps() - 1.0).abs();
    standard().min_by(|a, b| off(a).total_cmp(&off(b))).filter(|rate| off(rate) <= tolerance)
}

/// Returns the standard rate that a steady source of so many frames means, if it means one. A clip is short if it ends
/// before it is a frame and a half off: one may be missing at its end.
fn meant(fps: f64, frames: u64) -> Option<FrameRate> {
    let short = (1.5 / frames.max(1) as f64).min(CLOSE);
    nearest(fps, SAME.max(short))
}

fn kept(fps: f64, frames: u64) -> FrameRate {
    meant(fps, frames).or_else(|| exact(fps)).unwrap_or_else(|| not_below(fps))
}

/// Returns the highest standard rate that is a whole part of `fps`; else half of it, or a third …
fn thinned(fps: f64, frames: u64) -> FrameRate {
    let least = (fps / HIGHEST.fps() / (1.0 + SAME)).ceil().max(2.0);
    let parts = (least as u32..).map(f64::from);
    let parts = parts.take_while(|part| fps / part >= LEAST_THINNED);
    let standard = parts.map(|part| meant(fps / part, frames / part as u64)).find(Option::is_some);
    standard.flatten().unwrap_or_else(|| kept(fps / least, frames / least as u64))
}

/// Returns a rate of hundredths: old film and webcams know no standard, but are as constant as one. Slides below five
/// frames a second are better off with more.
fn exact(fps: f64) -> Option<FrameRate> {
    let hundredths = (fps * 100.0).round() as u32;
    let common =
        [100, 50, 25, 20, 10, 5, 4, 2].into_iter().find(|n| hundredths.is_multiple_of(*n)).unwrap_or(1);
    (fps >= 5.0).then_some(FrameRate { num: hundredths / common, den: 100 / common })
}

/// Returns the highest standard rate that is not above; rounding to milliseconds makes 30 look like 30.3.
fn not_above(fps: f64) -> Option<FrameRate> {
    standard().rfind(|rate| rate.fps() <= fps * (1.0 + CLOSE))
}

fn not_below(fps: f64) -> FrameRate {
    standard().find(|rate| rate.fps() >= fps * (1.0 - SAME)).unwrap_or(HIGHEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::facts::tests::facts;

    fn rate(fps: f64, variable: bool) -> (u32, u32) {
        let mut video = facts().video.unwrap();
        (video.frame_rate, video.variable) = (Some(fps), variable);
        (video.cadence, video.steady) = (Some(fps), None);
        let rate = FrameRate::of(&video);
        (rate.num, rate.den)
    }

    /// A source whose frames are `seconds` apart but for rounding, jitter, or a late start; and the slots that they go to.
    fn slots(times: &[f64], constant: bool) -> (FrameRate, Vec<i64>) {
        let (first, last) = (times[0], times[times.len() - 1]);
        let average = (times.len() - 1) as f64 / (last - first);
        let mut video = facts().video.unwrap();
        video.frames = times.len() as u64;
        (video.first, video.last) = (Duration::from_secs_f64(first), Duration::from_secs_f64(last));
        video.mean = Some(Duration::from_secs_f64(times.iter().sum::<f64>() / times.len() as f64));
        (video.frame_rate, video.variable, video.steady) = (Some(average), !constant, Some(average));
        let rate = FrameRate::of(&video);
        let phase = phase(&video, rate);
        (rate, times.iter().map(|time| ((time + phase) * rate.fps()).round() as i64).collect())
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
        check(18.3, (183, 10));
        check(27.77, (2777, 100));
        check(29.7, (297, 10));
        check(30.034, (30, 1));
        check(25.02, (25, 1));
        check(24.03, (24, 1));
    }

    #[test]
    fn a_rate_far_from_every_standard_is_kept_where_frames_would_be_repeated() {
        let check = |fps: f64, frames: u64, expected: (u32, u32)| {
            let mut video = facts().video.unwrap();
            (video.frame_rate, video.frames) = (Some(fps), frames);
            let rate = FrameRate::of(&video);
            assert_eq!((rate.num, rate.den), expected, "{fps}, {frames} frames");
        };
        check(29.9, 3000, (299, 10));
        // Too short for a frame to be one too many.
        check(29.9, 300, (30_000, 1001));
        check(30.034, 30_000, (30, 1));
        check(24.03, 30_000, (24, 1));
    }

    #[test]
    fn above_sixty_each_second_or_third_frame_is_kept_at_a_standard_rate() {
        let check = |fps: f64, expected: (u32, u32)| assert_eq!(rate(fps, false), expected, "{fps}");
        check(120.0, (60, 1));
        check(119.88, (60_000, 1001));
        check(119.9, (60_000, 1001));
        check(100.0, (50, 1));
        check(240.0, (60, 1));
        check(239.76, (60_000, 1001));
        check(480.0, (60, 1));
        check(960.0, (60, 1));
        check(144.0, (48, 1));
        check(90.0, (30, 1));
        check(72.0, (24, 1));
        check(75.0, (25, 1));
        // No part of these is a standard rate.
        check(85.0, (85, 2));
        check(165.0, (55, 1));
    }

    #[test]
    fn uneven_rates_go_to_the_nearest_standard_or_lose_nothing() {
        let check = |fps: f64, expected: (u32, u32)| assert_eq!(rate(fps, true), expected, "{fps}");
        check(30.034, (30, 1));
        check(25.02, (25, 1));
        check(24.03, (24, 1));
        check(23.976, (24_000, 1001));
        check(59.94, (60_000, 1001));
        check(29.97, (30_000, 1001));
        check(29.8, (30_000, 1001));
        check(17.2, (20, 1));
        check(21.0, (24_000, 1001));
        check(40.0, (48, 1));
        check(61.0, (60, 1));
        check(90.0, (60, 1));
        check(0.3, (5, 1));
    }

    /// Numbers between minus a half and a half that look like chance.
    fn off(n: u32) -> f64 {
        f64::from(n * 7919 % 101) / 101.0 - 0.5
    }

    #[test]
    fn each_frame_has_a_slot_of_its_own() {
        let check = |fps: f64, standard: f64, time: fn(u32, f64) -> f64| {
            let times: Vec<f64> = (0..240).map(|n| time(n, fps)).collect();
            let (rate, slots) = slots(&times, false);
            assert!((rate.fps() - standard).abs() < 0.001, "{fps}: {rate:?}");
            let each: Vec<i64> = (0..240).collect();
            assert_eq!(slots, each, "{fps}");
        };
        let jitter = |n: u32, fps: f64| (f64::from(n) + 0.6 * off(n)) / fps + 0.32 / fps;
        check(30.034, 30.0, jitter);
        check(25.02, 25.0, jitter);
        check(24.03, 24.0, jitter);
        check(30.0, 30.0, jitter);
        // A start between two slots.
        check(25.0, 25.0, |n, fps| (f64::from(n) + 0.4 + 0.3 * off(n)) / fps);
    }

    #[test]
    fn times_in_milliseconds_keep_every_second_or_fourth_frame() {
        let check = |fps: f64, part: usize| {
            let times: Vec<f64> = (0..960).map(|n| (f64::from(n) * 1000.0 / fps).round() / 1000.0).collect();
            let (_, slots) = slots(&times, true);
            let last_of_slot: Vec<usize> =
                (0..slots.len() - 1).filter(|n| slots[*n] != slots[*n + 1]).collect();
            let steps: Vec<usize> = last_of_slot.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.len() > 100 && steps.iter().all(|step| *step == part), "{fps}: {steps:?}");
            assert_eq!(last_of_slot[0], 0, "{fps}: the first frame is the first slot's");
        };
        check(120.0, 2);
        check(120_000.0 / 1001.0, 2);
        check(100.0, 2);
        check(240.0, 4);
        check(144.0, 3);
        check(480.0, 8);
    }

    #[test]
    fn sources_with_gaps_keep_the_rate_between_the_gaps() {
        let check = |average: f64, cadence: f64, expected: (u32, u32)| {
            let mut video = facts().video.unwrap();
            (video.variable, video.steady) = (true, None);
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
