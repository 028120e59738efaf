//! Cuts: where renditions are cut, in the microseconds that playlists are written in.

use std::time::Duration;

use crate::plan::{AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, AudioPlan, Grid};

/// The borders of a playlist's entries, in microseconds, from zero to the end.
///
/// Lengths are differences of rounded borders, so that their sum never drifts from the media, however
/// many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cuts {
    borders: Vec<u64>,
}

impl Cuts {
    /// Returns the cuts of pictures and text.
    pub(crate) fn of_grid(grid: &Grid) -> Self {
        let borders = (0..=grid.segments()).map(|n| microseconds(grid.start(n), grid.timescale));
        Self { borders: borders.collect() }
    }

    /// Returns the cuts of an audio rendition: the frame borders nearest to the grid's.
    pub(crate) fn of_audio(grid: &Grid, audio: &AudioPlan) -> Self {
        let cut = |n| microseconds(audio.first_frame(grid, n) * AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE);
        Self { borders: (0..=grid.segments()).map(cut).collect() }
    }

    /// Returns the key frames' cuts: each segment cut again every `gop_ticks`.
    pub(crate) fn of_key_frames(grid: &Grid, gop_ticks: u64) -> Self {
        let mut ticks = Vec::new();
        for n in 0..grid.segments() {
            ticks.extend((grid.start(n)..grid.start(n + 1)).step_by(gop_ticks.max(1) as usize));
        }
        ticks.push(grid.duration_ticks);
        let borders = ticks.into_iter().map(|at| microseconds(at, grid.timescale));
        Self { borders: borders.collect() }
    }

    pub(crate) fn lengths(&self) -> impl Iterator<Item = Duration> {
        self.borders.windows(2).map(|pair| Duration::from_micros(pair[1] - pair[0]))
    }

    /// Returns `EXT-X-TARGETDURATION`: no length, rounded, is above it (RFC 8216 §4.3.3.1).
    pub(crate) fn target_seconds(&self) -> u64 {
        let rounded = self.lengths().map(|length| length.as_secs_f64().round() as u64);
        rounded.max().unwrap_or(0).max(1)
    }
}

fn microseconds(ticks: u64, timescale: u32) -> u64 {
    let timescale = u128::from(timescale);
    ((u128::from(ticks) * 1_000_000 + timescale / 2) / timescale) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_add_up_to_the_whole_without_drift() {
        // 100 segments of 281 AAC frames: no length is a whole number of microseconds.
        let ticks = 281 * AAC_FRAME_SAMPLES;
        let grid = Grid {
            timescale: 48_000,
            segment_ticks: ticks,
            start_up_segments: 1,
            duration_ticks: ticks * 100,
        };
        let whole: Duration = Cuts::of_grid(&grid).lengths().sum();
        assert_eq!(whole, Duration::from_micros(599_466_667));
    }

    #[test]
    fn key_frames_start_anew_with_each_segment() {
        let grid = Grid { timescale: 10, segment_ticks: 60, start_up_segments: 1, duration_ticks: 85 };
        let lengths: Vec<f64> = Cuts::of_key_frames(&grid, 20).lengths().map(|l| l.as_secs_f64()).collect();
        assert_eq!(lengths, [2.0, 2.0, 2.0, 2.0, 0.5]);
    }

    #[test]
    fn a_video_of_a_few_frames_still_has_a_target_duration() {
        let grid = Grid { timescale: 1000, segment_ticks: 6000, start_up_segments: 1, duration_ticks: 40 };
        assert_eq!(Cuts::of_grid(&grid).target_seconds(), 1);
    }
}
