//! The plan: from probed facts to everything that playlists and encoders need to know,
//! fixed before a frame is encoded. Pure; leaves rendering to `hls` and `dash`, encoding to `encode`.

#[cfg(test)]
pub(crate) mod tests;

use std::{ops::Range, time::Duration};

use serde::{Deserialize, Serialize};

pub use captions::Grid;

pub use crate::planning::{Config, plan};
use crate::{facts::Purpose, timeline::Stretch};

/// Samples in one AAC-LC frame (ISO/IEC 14496-3 §4.5.1.1).
pub const AAC_FRAME_SAMPLES: u64 = 1024;
/// The sample rate of every audio rendition, in hertz.
pub const AUDIO_SAMPLE_RATE: u32 = 48_000;

/// The cap of the rung that players begin on; with its sound it stays below that of the variant which `hls` lists first.
const START_UP_BPS: u64 = 2_000_000;

/// A whole video's layout in time and in renditions: the single source of every playlist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the source's own clock stands at its container's start, in seconds.
    pub start_seconds: f64,
    /// The time from there that is shown at zero.
    pub zero: Duration,
    /// The segment grid that all renditions share.
    pub grid: Grid,
    /// The picture, unless the source is sound alone.
    pub video: Option<VideoPlan>,
    /// One entry per audio rendition; the first is the default.
    pub audio: Vec<AudioPlan>,
    /// One entry per text track found in the source.
    pub text: Vec<TextPlan>,
    // Stored plans outlive the program that made them: what came later has a default.
    /// Sentences for people about parts of the source that were left out or mended.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The files that the source was joined from, byte by byte; none for a single one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartPlan>,
}

/// A file of those that a source was joined from. Times count from the plan's zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartPlan {
    /// Bytes of the source that it needs in front: the initialization of fragments that begin again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Range<u64>>,
    /// Where it lies in the source.
    pub bytes: Range<u64>,
    /// The time of its own clock at the plan's zero, in seconds.
    pub clock_at_zero: f64,
    /// The time of its own clock at its container's start, in seconds.
    pub start_seconds: f64,
    /// Where it begins.
    pub from: Duration,
    /// Where it ends, and the next begins.
    pub until: Duration,
    /// Its picture.
    pub picture: Option<PicturePart>,
    /// Its sounds, in the order of the plan's.
    pub sounds: Vec<StreamPart>,
    /// Its texts, in the order of the plan's.
    pub texts: Vec<u32>,
    /// ffprobe's names of their codecs.
    #[serde(default)]
    pub text_codecs: Vec<String>,
}

/// The picture of a file that was joined to others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PicturePart {
    /// The stream.
    pub source: StreamPart,
    /// ffprobe's name of the codec.
    pub codec: String,
    /// Conversion of the decoded picture.
    pub conversion: Conversion,
    /// As in [`VideoPlan`].
    pub seek_margin: Duration,
}

/// A stream of a file that was joined to others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamPart {
    /// The stream's index in the file.
    pub stream: u32,
    /// Where the file's own clock is not the timeline.
    pub stretches: Vec<Stretch>,
    /// As in [`AudioPlan`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unskipped: bool,
}

/// A constant frame rate as the fraction that the standards give, such as 30000/1001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRate {
    /// Frames …
    pub num: u32,
    /// … in this many seconds.
    pub den: u32,
}

/// The picture: how it is read from the source, and the ladder that it is encoded to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// The stream's index in the source.
    pub stream: u32,
    /// Constant output frame rate of every rung.
    pub frame_rate: FrameRate,
    /// Seconds that are added to the source's times, so that its frames lie in the middle of their slots.
    #[serde(default)]
    pub phase: f64,
    /// Frames follow each other at this rate, and some have no time of their own, or a wrong one.
    #[serde(default)]
    pub counted: bool,
    /// Ticks of the grid per frame.
    pub frame_ticks: u32,
    /// Frames in the whole presentation.
    pub frames: u64,
    /// Frames between key frames (2 s); a segment holds a whole number of these.
    pub gop_frames: u32,
    /// Frames in every segment but the short ones at the start and the last (6 s).
    pub segment_frames: u32,
    /// Conversion of the decoded picture before it is scaled.
    pub conversion: Conversion,
    /// Where the last decoded frame of the source lies; later frames repeat it.
    pub source_end: Duration,
    /// Of each segment, the key frame that decoding may start at; none where it can only start at the beginning.
    #[serde(default)]
    pub key_frames: Vec<Duration>,
    /// Where the source's own clock is not the timeline.
    #[serde(default)]
    pub stretches: Vec<Stretch>,
    /// Frames of the source in each second from the container's start, so that a loss is noticed.
    #[serde(default)]
    pub packets: Vec<u32>,
    /// How far before a wanted time decoding must start, for containers without an index.
    pub seek_margin: Duration,
    /// The renditions, highest first.
    pub rungs: Vec<Rung>,
}

/// Steps from the source's picture to BT.709 progressive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The source has interlaced frames.
    pub deinterlace: bool,
    /// The source is HDR (SMPTE ST 2084 or ARIB STD-B67) and is tone-mapped.
    pub tone_map: bool,
    /// The source's colour matrix: swscale's name for SDR (`bt601`), that of `setparams` for HDR (`bt2020nc`).
    pub matrix: String,
    /// The name of an HDR source's primaries in `setparams`, such as `bt2020`.
    #[serde(default)]
    pub primaries: String,
    /// The name of an HDR source's transfer function in `setparams`: `smpte2084` or `arib-std-b67`.
    #[serde(default)]
    pub transfer: String,
    /// Sample values use the full range.
    pub full_range: bool,
}

/// One video rendition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The rendition's name and folder, such as `720p`.
    pub name: String,
    /// Even, square pixels, rotation applied.
    pub width: u32,
    /// Even.
    pub height: u32,
    /// H.264 `level_idc`: ten times the level, such as 31.
    pub level_idc: u8,
    /// Constant rate factor that `maxrate_bps` caps.
    pub crf: f32,
    /// The cap of the video bit rate (x264's VBV).
    pub maxrate_bps: u64,
    /// VBV buffer.
    pub bufsize_bits: u64,
}

/// One audio rendition: AAC-LC, stereo, 48 kHz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudioPlan {
    /// The rendition's name and folder, such as `audio` or `audio-de`.
    pub name: String,
    /// The stream's index in the source.
    pub stream: u32,
    /// BCP 47, or `None` when the source has none.
    pub language: Option<String>,
    /// The label in a menu.
    pub label: String,
    /// For all, or for those who ask for it.
    #[serde(default)]
    pub purpose: Purpose,
    /// Where the source's own clock is not the timeline.
    #[serde(default)]
    pub stretches: Vec<Stretch>,
    /// Everything that is decoded belongs to the sound: the decoder would skip what encoders other than the source's put
    /// in front.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unskipped: bool,
    /// Frames of the source in each second from the container's start, so that a loss is noticed.
    #[serde(default)]
    pub packets: Vec<u32>,
    /// How decoding may start in the middle; `None` where it starts at the beginning.
    #[serde(default)]
    pub entry: Option<SoundEntry>,
    /// Constant bit rate.
    pub bitrate_bps: u64,
    /// AAC frames in the whole presentation.
    pub frames: u64,
}

/// The place where decoding enters a sound in its middle and comes to the same samples as from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundEntry {
    /// The source's, in hertz.
    pub sample_rate: u32,
    /// When its first sample sounds, from the container's start.
    pub first: Duration,
    /// The container rounds times to milliseconds.
    pub rounded: bool,
}

/// One text rendition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextPlan {
    /// The rendition's name and folder, such as `captions/en`.
    pub name: String,
    /// The stream's index in the source.
    pub stream: u32,
    /// BCP 47; `und` when the source has none.
    pub language: String,
    /// The label in a menu.
    pub label: String,
    /// Transcribes sounds too, for deaf viewers.
    #[serde(default)]
    pub describes_sounds: bool,
    /// Shown even when subtitles are off, such as translated signs.
    #[serde(default)]
    pub forced: bool,
    /// ffprobe's name of the codec of a stream of its own.
    #[serde(default)]
    pub codec: String,
    /// The codec of the picture that the text is inside of; `None` for a stream of its own.
    #[serde(default)]
    pub inside: Option<String>,
    /// Which of the broadcast captions inside of the picture: `CC1` to `CC4`, or `Service 1` and so on; the first where
    /// none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl Plan {
    /// Returns what the source's own clock shows at zero, in seconds.
    pub fn clock_at_zero(&self) -> f64 {
        self.start_seconds + self.zero.as_secs_f64()
    }

    /// Returns the names of what players begin on: a rung, and the default sound.
    pub fn start_up(&self) -> impl Iterator<Item = &str> {
        let rung =
            self.video.iter().flat_map(|video| video.rungs.iter().filter(|rung| video.begins_on(rung)));
        rung.map(|rung| rung.name.as_str()).chain(self.audio.first().map(|audio| audio.name.as_str()))
    }

    /// Returns the plan with those of its pictures and sounds alone that playlists list.
    #[must_use]
    pub fn listing(&self, is_listed: impl Fn(&str) -> bool) -> Self {
        let mut plan = self.clone();
        if let Some(video) = &mut plan.video {
            video.rungs.retain(|rung| is_listed(&rung.name));
        }
        plan.audio.retain(|audio| is_listed(&audio.name));
        plan
    }
}

impl VideoPlan {
    /// Returns whether players begin on `rung`: the best that most lines carry, and small enough to be there at once.
    pub fn begins_on(&self, rung: &Rung) -> bool {
        let carried = self.rungs.iter().find(|rung| rung.maxrate_bps <= START_UP_BPS);
        carried.or(self.rungs.last()).is_some_and(|start_up| start_up.name == rung.name)
    }

    /// Returns where decoding may start to show what is at `from`: the nearest key frame, the one before it in case
    /// that nothing before `from` decodes from there, and the beginning (`None`).
    pub(crate) fn entries(&self, from: Duration) -> Vec<Option<Duration>> {
        let before = self.key_frames.iter().rev().filter(|key| **key <= from && !key.is_zero());
        before.take(2).copied().map(Some).chain([None]).collect()
    }

    /// Parts the segments into runs of about `length` segments. A run starts where little is decoded in vain before
    /// it, so that a source with few key frames costs no more for its length than one with many.
    pub(crate) fn runs(&self, grid: &Grid, length: u32) -> Vec<Range<u32>> {
        let time = |ticks| Duration::from_secs_f64(grid.seconds(ticks));
        let run = time((u64::from(length) * grid.segment_ticks).min(grid.duration_ticks));
        let cheap = |n: &u32| {
            let from = time(grid.start(*n));
            let entry = self.key_frames.iter().rev().find(|key| **key <= from).copied().unwrap_or_default();
            // Half a run's length more may be decoded and thrown away.
            from.saturating_sub(entry) * 2 <= run
        };
        let starts: Vec<u32> = blocks(grid, length).filter(cheap).collect();
        joined(starts, grid.segments())
    }
}

impl AudioPlan {
    /// Parts the segments into runs of `length`; into one where each would be decoded from the beginning.
    pub(crate) fn runs(&self, grid: &Grid, length: u32) -> Vec<Range<u32>> {
        let total = grid.segments();
        let length = if self.entry.is_some() { length } else { total };
        joined(blocks(grid, length), total)
    }

    /// Returns the first AAC frame of segment `n`: the frame border nearest to the grid's.
    pub fn first_frame(&self, grid: &Grid, n: u32) -> u64 {
        // The last segment has all that is left, for sound is rounded up past the picture's end.
        if n >= grid.segments() {
            return self.frames;
        }
        let unit = AAC_FRAME_SAMPLES * u64::from(grid.timescale);
        let samples = grid.start(n) * u64::from(AUDIO_SAMPLE_RATE);
        ((samples + unit / 2) / unit).min(self.frames)
    }

    /// Returns the number of AAC frames in segment `n`.
    pub fn segment_frames(&self, grid: &Grid, n: u32) -> u64 {
        self.first_frame(grid, n + 1) - self.first_frame(grid, n)
    }
}

/// Returns the segments at which blocks of `length` begin, but the first. Its short segments count as one.
fn blocks(grid: &Grid, length: u32) -> impl Iterator<Item = u32> {
    let short = grid.start_up_segments - 1;
    (short + 1..grid.segments()).filter(move |n| (n - short).is_multiple_of(length))
}

fn joined(starts: impl IntoIterator<Item = u32>, total: u32) -> Vec<Range<u32>> {
    let borders: Vec<u32> = std::iter::once(0).chain(starts).chain([total]).collect();
    borders.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The segments `[first, last)` of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) last: u32,
}
