//! Rates and codecs in manifests: the plan's caps before encoding, the measured
//! truth after. Shared by `hls` and `dash`.

use crate::{
    cuts::Cuts,
    measure::Measured,
    plan::{AudioPlan, Plan, Rung},
};

/// Capped quality spends about this much of its cap over a whole video.
const PLANNED_AVERAGE: f64 = 0.7;

/// Bit rates of a playlist, as RFC 8216 §4.1 defines them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    /// The highest rate of any contiguous segments that last half to one and a half target durations.
    pub(crate) peak_bps: u64,
    /// All bits over all time.
    pub(crate) average_bps: u64,
}

impl Rates {
    /// Returns a rung's rates by itself.
    pub(crate) fn of_rung(plan: &Plan, rung: &Rung, measured: &[Measured]) -> Self {
        match find(measured, &rung.name) {
            Some(found) => Self::of(&Cuts::of_grid(&plan.grid), |n| found.bytes(n)),
            None => Self {
                peak_bps: rung.maxrate_bps,
                average_bps: (rung.maxrate_bps as f64 * PLANNED_AVERAGE) as u64,
            },
        }
    }

    /// Returns an audio rendition's rates by itself.
    pub(crate) fn of_audio(plan: &Plan, audio: &AudioPlan, measured: &[Measured]) -> Self {
        match find(measured, &audio.name) {
            Some(found) => Self::of(&Cuts::of_audio(&plan.grid, audio), |n| found.bytes(n)),
            None => Self { peak_bps: audio.bitrate_bps, average_bps: audio.bitrate_bps },
        }
    }

    /// Returns a rung's rates with the audio rendition that costs most over the same time: one plays,
    /// and the listed rate has to hold for whichever it is.
    pub(crate) fn of_variant(plan: &Plan, rung: &Rung, measured: &[Measured]) -> Self {
        let picture = Self::of_rung(plan, rung, measured);
        let with = |audio: &AudioPlan| match (find(measured, &rung.name), find(measured, &audio.name)) {
            (Some(rung), Some(audio)) => {
                Self::of(&Cuts::of_grid(&plan.grid), |n| rung.bytes(n) + audio.bytes(n))
            }
            _ => picture.plus(Self::of_audio(plan, audio, measured)),
        };
        let worst = plan.audio.iter().map(with).reduce(Self::worse);
        worst.unwrap_or(picture)
    }

    /// Returns the rates of anything cut like `cuts`, each piece as large as its entry in `bytes`.
    pub(crate) fn of(cuts: &Cuts, bytes: impl Fn(usize) -> u64) -> Self {
        let lengths = cuts.lengths().enumerate();
        let shares: Vec<Share> =
            lengths.map(|(n, length)| Share { bytes: bytes(n), seconds: length.as_secs_f64() }).collect();
        rates(&shares, cuts.target_seconds() as f64)
    }

    fn plus(self, other: Self) -> Self {
        Self { peak_bps: self.peak_bps + other.peak_bps, average_bps: self.average_bps + other.average_bps }
    }

    pub(crate) fn worse(self, other: Self) -> Self {
        Self {
            peak_bps: self.peak_bps.max(other.peak_bps),
            average_bps: self.average_bps.max(other.average_bps),
        }
    }
}

/// Returns a rung's RFC 6381 codec: as measured, else High profile without constraints, which is what
/// x264 writes.
pub(crate) fn video_codec(rung: &Rung, measured: &[Measured]) -> String {
    let planned = || format!("avc1.6400{:02x}", rung.level_idc);
    find(measured, &rung.name).map_or_else(planned, |found| found.codecs.clone())
}

/// Returns an audio rendition's codec: as measured, else AAC-LC.
pub(crate) fn audio_codec(audio: &AudioPlan, measured: &[Measured]) -> String {
    let planned = || "mp4a.40.2".to_owned();
    find(measured, &audio.name).map_or_else(planned, |found| found.codecs.clone())
}

pub(crate) fn find<'a>(measured: &'a [Measured], name: &str) -> Option<&'a Measured> {
    measured.iter().find(|rendition| rendition.name == name)
}

/// One segment in the reckoning of rates.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    bytes: u64,
    seconds: f64,
}

/// Returns the rates of segments in order; `target` is their playlist's target duration in seconds.
fn rates(segments: &[Share], target: f64) -> Rates {
    let whole = rate(segments);
    let mut peak: Option<u64> = None;
    for first in 0..segments.len() {
        let mut seconds = 0.0;
        for (count, segment) in segments[first..].iter().enumerate() {
            seconds += segment.seconds;
            // Sets are this short, so the loops within each other cost a few steps a segment and no square of them.
            if seconds > target * 1.5 {
                break;
            }
            if seconds >= target * 0.5 {
                let set = rate(&segments[first..=first + count]);
                peak = Some(peak.map_or(set, |peak| peak.max(set)));
            }
        }
    }
    Rates {
        // A video of a few frames has no set that is long enough.
        peak_bps: peak.unwrap_or(whole),
        average_bps: whole,
    }
}

/// Rounded up: a listed rate that is too low stalls the player.
fn rate(segments: &[Share]) -> u64 {
    let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let seconds: f64 = segments.iter().map(|segment| segment.seconds).sum();
    if seconds > 0.0 { (bytes as f64 * 8.0 / seconds).ceil() as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_of_sets_as_long_as_a_segment() {
        let check = |segments: &[(u64, f64)], target: f64, peak_bps: u64, average_bps: u64| {
            let shares: Vec<Share> =
                segments.iter().map(|(bytes, seconds)| Share { bytes: *bytes, seconds: *seconds }).collect();
            assert_eq!(rates(&shares, target), Rates { peak_bps, average_bps }, "{segments:?}");
        };
        check(&[(600, 6.0), (1200, 6.0)], 6.0, 1600, 1200);
        // The last is too short to count alone, but counts together with the one before it.
        check(&[(600, 6.0), (700, 1.0)], 6.0, 1486, 1486);
        check(&[(1200, 6.0), (600, 6.0), (700, 1.0)], 6.0, 1600, 1539);
        // Nothing is long enough.
        check(&[(100, 0.1)], 1.0, 8000, 8000);
        check(&[], 6.0, 0, 0);
    }
}
