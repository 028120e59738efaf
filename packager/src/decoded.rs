//! Decoded frames, second by second: what came out of a source's decoder, beside the packets that the scan has seen, and
//! what is lost of them. Leaves the sentence about it to `notes`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use store::Loss;

use crate::{
    child::Printed,
    plan::{Grid, Plan},
};

/// Times are rounded on their way through containers and filters; a frame belongs to the second that it nearly reaches.
pub(crate) const ROUNDING_MICROSECONDS: i64 = 500;
/// Less in a run is no loss: frames at its border, and those that a decoder holds back at the end.
const NEGLIGIBLE: Duration = Duration::from_millis(200);
/// The filters print the time of each frame that has this key, beside it.
const KEY: &str = "clipcut";

/// The seconds of a source that a run decodes whole, from the container's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Frames counted as they are decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counted: Arc<Mutex<Counted>>,
}

#[derive(Debug, Default)]
struct Counted {
    seconds: BTreeMap<u64, u32>,
    latest: Option<Duration>,
}

impl Tally {
    /// Returns the filters that print the time of each frame; `kind` is `a` for sound, empty for pictures.
    pub(crate) fn filters(kind: &str) -> String {
        // `direct` writes each line at once: an encoder that is stopped would take those in its buffer with it.
        format!("{kind}metadata=add:key={KEY}:value=1,{kind}metadata=print:key={KEY}:file=-:direct=1")
    }

    /// Returns what takes the filters' lines. Their times count from `zero`, in seconds from the container's start, the
    /// tally's from that start.
    pub(crate) fn printed(&self, zero: f64) -> Printed {
        let counted = self.counted.clone();
        Box::new(move |line| {
            let Some(time) = line.split("pts_time:").nth(1).and_then(|text| text.trim().parse::<f64>().ok())
            else {
                return;
            };
            let microseconds = ((time + zero) * 1e6).round() as i64;
            let Ok(microseconds) = u64::try_from(microseconds + ROUNDING_MICROSECONDS) else { return };
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            *counted.seconds.entry(microseconds / 1_000_000).or_default() += 1;
            counted.latest = counted.latest.max(Some(Duration::from_micros(microseconds)));
        })
    }

    /// Returns where the last frame lies that was decoded.
    pub(crate) fn latest(&self) -> Option<Duration> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).latest
    }

    /// Returns the part of a run's seconds that is decoded whole by now, in a run that ended early.
    pub(crate) fn decoded(&self, seconds: Seconds) -> Seconds {
        let latest = self.latest().map_or(0, |latest| latest.as_secs());
        Seconds { last: seconds.last.min(latest), ..seconds }
    }

    /// Returns what is lost of `packets`, which counts the source's own in each second, as losses of segments.
    pub(crate) fn losses(&self, packets: &[u32], seconds: Seconds, plan: &Plan) -> Vec<Loss> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lost = lost(packets, &counted.seconds, seconds);
        // The worst places first: a frame that was counted one second early is none of them.
        lost.sort_by_key(|(_, missing)| std::cmp::Reverse(*missing));
        let mut of_segments: BTreeMap<u32, u64> = BTreeMap::new();
        for (second, missing) in lost {
            let number = segment(&plan.grid, Duration::from_secs(second).saturating_sub(plan.zero));
            *of_segments.entry(number).or_default() += missing.as_millis() as u64;
        }
        of_segments.into_iter().map(|(number, milliseconds)| Loss { number, milliseconds }).collect()
    }
}

/// Returns the lost parts of seconds; none where they are negligible together.
fn lost(packets: &[u32], decoded: &BTreeMap<u64, u32>, seconds: Seconds) -> Vec<(u64, Duration)> {
    let expected =
        packets.iter().zip(0_u64..).filter(|(_, second)| (seconds.first..seconds.last).contains(second));
    let expected: Vec<(u64, u32)> =
        expected.map(|(count, second)| (second, *count)).filter(|(_, count)| *count > 0).collect();
    let all: u64 = expected.iter().map(|(_, count)| u64::from(*count)).sum();
    let come: u64 = decoded.range(seconds.first..seconds.last).map(|(_, count)| u64::from(*count)).sum();
    let Some(missing) = all.checked_sub(come).filter(|missing| *missing > 0) else { return Vec::new() };
    // A source ends within its last second, which is as full as the one before as far as it goes.
    let before = expected.iter().rev().nth(1).map_or(0, |(_, count)| *count);
    let end = expected.last().map(|(second, _)| *second);
    let mut short: Vec<(u64, u32, u32)> = expected
        .iter()
        .map(|(second, count)| {
            let missing = count.saturating_sub(decoded.get(second).copied().unwrap_or_default());
            let whole = if Some(*second) == end { before.max(*count) } else { *count };
            (*second, whole, missing)
        })
        .filter(|(_, _, short)| *short > 0)
        .collect();
    short.sort_by_key(|(_, _, short)| std::cmp::Reverse(*short));
    // The net loss bounds the sum: a frame that came a second late is missing in one second and over in the next.
    let mut left = missing;
    let mut lost = Vec::new();
    for (second, count, short) in short {
        let taken = u64::from(short).min(left);
        left -= taken;
        if taken > 0 {
            lost.push((second, Duration::from_secs(1).mul_f64(taken as f64 / f64::from(count))));
        }
    }
    let whole: Duration = lost.iter().map(|(_, missing)| *missing).sum();
    if whole < NEGLIGIBLE { Vec::new() } else { lost }
}

fn segment(grid: &Grid, at: Duration) -> u32 {
    grid.segment_at((at.as_secs_f64() * f64::from(grid.timescale)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::film;

    fn losses(decoded: impl IntoIterator<Item = f64>, seconds: (u64, u64)) -> Vec<Loss> {
        let tally = Tally::default();
        let mut take = tally.printed(0.0);
        for (n, time) in decoded.into_iter().enumerate() {
            take(&format!("frame:{n}    pts:{n}       pts_time:{time}"));
            take("clipcut=1");
        }
        tally.losses(&[25; 14], Seconds { first: seconds.0, last: seconds.1 }, &film())
    }

    fn frames(count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(|n| f64::from(n) / 25.0)
    }

    #[test]
    fn a_run_that_ended_early_has_lost_nothing_behind_its_last_frame() {
        let tally = Tally::default();
        let mut printed = tally.printed(0.0);
        for n in (0..90).filter(|n| !(30..45).contains(n)) {
            printed(&format!("frame:{n} pts:0 pts_time:{}", f64::from(n) / 25.0));
        }
        let run = tally.decoded(Seconds { first: 0, last: 14 });
        assert_eq!(run, Seconds { first: 0, last: 3 });
        let losses = tally.losses(&[25; 14], run, &film());
        assert_eq!(losses, [Loss { number: 0, milliseconds: 600 }]);
    }

    #[test]
    fn a_whole_source_has_no_loss() {
        assert_eq!(losses(frames(350), (0, 14)), []);
        // A run that starts at a key frame before its own, and one frame that was not given out.
        assert_eq!(losses(frames(350).skip(150), (8, 14)), []);
        assert_eq!(losses(frames(349), (0, 14)), []);
    }

    #[test]
    fn what_is_lost_is_lost_in_its_segment() {
        let hole = |from: f64, to: f64| frames(350).filter(move |time| !(from..to).contains(time));
        assert_eq!(losses(hole(7.0, 7.6), (0, 14)), [Loss { number: 1, milliseconds: 600 }]);
        // Half of it on either side of a segment's border at 12.012 s.
        let both = losses(hole(11.0, 14.0), (0, 14));
        assert_eq!(both, [Loss { number: 1, milliseconds: 2000 }, Loss { number: 2, milliseconds: 1000 }]);
        // Nothing decodes.
        assert_eq!(losses([], (0, 14)).iter().map(|loss| loss.milliseconds).sum::<u64>(), 14_000);
        let missing = lost(&[40, 40, 4], &BTreeMap::new(), Seconds { first: 0, last: 3 });
        assert_eq!(missing.iter().map(|(_, length)| length.as_millis()).sum::<u128>(), 2100);
    }

    #[test]
    fn frames_that_are_shown_a_moment_later_are_not_lost() {
        assert_eq!(losses(frames(350).map(|time| time + 0.03), (0, 14)), []);
    }
}
