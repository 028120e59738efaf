//! Facts: all that is known about a source before anything is planned. Types only: `probe` fills
//! them, `plan` reads them.

use std::{ops::Range, time::Duration};

use serde::{Deserialize, Serialize};

use crate::timeline::Stretch;

/// A source, as measured. All times count from the container's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// ffprobe's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// The container's own start time in seconds, which the clock counts from.
    pub start_seconds: f64,
    /// Where the last picture or sound ends.
    pub duration: Duration,
    /// The best video stream, if there is a picture.
    pub video: Option<VideoFacts>,
    /// Every audio stream that we read, in the order of the file.
    pub audio: Vec<AudioFacts>,
    /// Every text stream that we read, in the order of the file.
    pub text: Vec<TextFacts>,
    /// Sentences for people about parts that were left out or mended.
    pub notes: Vec<String>,
    /// The files that the source was joined from, byte by byte; none for a single one.
    #[serde(default)]
    pub parts: Vec<PartFacts>,
}

/// A file of those that a source was joined from. Times count from the start of the first one's container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartFacts {
    /// Bytes of the source that it needs in front: the initialization of fragments that begin again.
    #[serde(default)]
    pub head: Option<Range<u64>>,
    /// Where it lies in the source.
    pub bytes: Range<u64>,
    /// Where its container starts.
    pub at: Duration,
    /// Where it begins to be shown.
    pub from: Duration,
    /// Where it ends, and the next begins.
    pub until: Duration,
    /// The file's own facts, whose times count from its own container's start.
    pub facts: Facts,
}

/// The picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// The stream's index in the source.
    pub stream: u32,
    /// ffprobe's name of the codec.
    pub codec: String,
    /// Width as stored, before the sample aspect ratio and the rotation.
    pub width: u32,
    /// Height as stored.
    pub height: u32,
    /// Width of a sample over its height.
    pub sample_aspect: Ratio,
    /// BCP 47, shortest form.
    pub language: Option<String>,
    /// Clockwise quarter turns that the player must do, in degrees: 0, 90, 180 or 270.
    pub rotation: u32,
    /// Frames that are shown, counted.
    pub frames: u64,
    /// Average frame rate, from the packets' times; `None` for a single frame.
    pub frame_rate: Option<f64>,
    /// The rate at which a good part of the frames follow each other; above the average where frames are
    /// missing.
    pub cadence: Option<f64>,
    /// The rate that nearly all frames follow each other at, around jitter and between lost frames.
    pub steady: Option<f64>,
    /// The distances between frames differ by more than a container's rounding.
    pub variable: bool,
    /// Frames hold two fields of different times.
    pub interlaced: bool,
    /// ffmpeg's name, such as `yuv420p10le`.
    pub pixel_format: String,
    /// Bits of a sample.
    pub bit_depth: u8,
    /// The colours, as far as the source states.
    pub colour: Colour,
    /// When the first frame is shown.
    pub first: Duration,
    /// When the last frame is shown.
    pub last: Duration,
    /// The average of all frames' times; `None` where the source's clock starts again.
    pub mean: Option<Duration>,
    /// When the last frame ends.
    pub end: Duration,
    /// Key frames, at least a second apart; none where decoding can only start at the beginning.
    pub key_frames: Vec<Duration>,
    /// Where the source's own clock is not the timeline.
    pub stretches: Vec<Stretch>,
    /// How much later than in the file's own order of time decoders give frames out, where packets have no times but those
    /// of their decoding: AVI's first picture is shown at zero all the same.
    #[serde(default)]
    pub late: Duration,
    /// Some frames have no time of their own, and what ffmpeg makes up for them may be wrong.
    #[serde(default)]
    pub untimed: bool,
    /// Frames in each second from the container's start.
    pub packets: Vec<u32>,
}

/// A fraction of two whole numbers above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Above the line.
    pub num: u32,
    /// Below the line.
    pub den: u32,
}

/// ffmpeg's names for the colours; `None` where the source has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// Such as `bt709`, `smpte2084`, `arib-std-b67`.
    pub transfer: Option<String>,
    /// Such as `bt709`, `bt2020`.
    pub primaries: Option<String>,
    /// Such as `bt709`, `smpte170m`, `bt2020nc`.
    pub matrix: Option<String>,
    /// Sample values use the full range.
    pub full_range: bool,
}

/// One audio stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// The stream's index in the source.
    pub stream: u32,
    /// ffprobe's name of the codec.
    pub codec: String,
    /// Channels as stored.
    pub channels: u32,
    /// In hertz.
    pub sample_rate: u32,
    /// BCP 47, shortest form.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// The file marks it as the one to play.
    pub default: bool,
    /// In the language that the film was made in.
    pub original: bool,
    /// For all, or for those who ask for it.
    pub purpose: Purpose,
    /// When its first sample sounds.
    pub first: Duration,
    /// When its last sample has sounded.
    pub end: Duration,
    /// Where the source's own clock is not the timeline.
    pub stretches: Vec<Stretch>,
    /// Packets in each second from the container's start.
    pub packets: Vec<u32>,
}

/// The purpose of a sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// The film's own.
    #[default]
    Main,
    /// A description of the picture, for viewers who do not see it.
    Description,
    /// A commentary on the film.
    Commentary,
}

/// One text stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFacts {
    /// The stream's index in the source.
    pub stream: u32,
    /// ffprobe's name of the codec.
    pub codec: String,
    /// BCP 47, shortest form.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// Marked as transcribing sounds too, for deaf viewers.
    #[serde(default)]
    pub describes_sounds: bool,
    /// Marked as shown even when subtitles are off.
    #[serde(default)]
    pub forced: bool,
    /// Inside the picture's packets, whose codec is `codec`: broadcast captions (CEA-608).
    #[serde(default)]
    pub inside: bool,
}

impl Facts {
    /// Returns the same facts with all times counted from `zero`.
    pub(crate) fn counted_from(&self, zero: Duration) -> Self {
        let mut facts = self.clone();
        facts.duration = facts.duration.saturating_sub(zero);
        if let Some(video) = &mut facts.video {
            let own = [&mut video.first, &mut video.last, &mut video.end];
            for time in own.into_iter().chain(&mut video.mean).chain(&mut video.key_frames) {
                *time = time.saturating_sub(zero);
            }
        }
        for audio in &mut facts.audio {
            audio.first = audio.first.saturating_sub(zero);
            audio.end = audio.end.saturating_sub(zero);
        }
        facts
    }
}

impl VideoFacts {
    /// Returns width and height as shown: square samples, rotated.
    pub fn displayed(&self) -> (f64, f64) {
        let stretch = f64::from(self.sample_aspect.num) / f64::from(self.sample_aspect.den);
        let (width, height) = (f64::from(self.width) * stretch, f64::from(self.height));
        if self.rotation % 180 == 90 { (height, width) } else { (width, height) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Ten seconds of 1080p at 30 frames a second with one stereo track, for tests to change.
    pub(crate) fn facts() -> Facts {
        let ten = Duration::from_secs(10);
        Facts {
            container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
            start_seconds: 0.0,
            duration: ten,
            video: Some(VideoFacts {
                stream: 0,
                codec: "h264".to_owned(),
                width: 1920,
                height: 1080,
                sample_aspect: Ratio { num: 1, den: 1 },
                language: None,
                rotation: 0,
                frames: 300,
                frame_rate: Some(30.0),
                cadence: Some(30.0),
                steady: Some(30.0),
                variable: false,
                interlaced: false,
                pixel_format: "yuv420p".to_owned(),
                bit_depth: 8,
                colour: Colour::default(),
                first: Duration::ZERO,
                last: Duration::from_micros(9_966_667),
                mean: None,
                end: ten,
                key_frames: (0..5).map(|n| Duration::from_secs(n * 2)).collect(),
                stretches: Vec::new(),
                late: Duration::ZERO,
                untimed: false,
                packets: vec![30; 10],
            }),
            audio: vec![AudioFacts {
                stream: 1,
                codec: "aac".to_owned(),
                channels: 2,
                sample_rate: 48_000,
                language: None,
                title: None,
                default: true,
                original: false,
                purpose: Purpose::Main,
                first: Duration::ZERO,
                end: ten,
                stretches: Vec::new(),
                packets: vec![47; 10],
            }],
            text: Vec::new(),
            notes: Vec::new(),
            parts: Vec::new(),
        }
    }

    #[test]
    fn samples_are_squared_before_the_picture_turns() {
        let mut video = facts().video.unwrap();
        (video.width, video.height) = (720, 576);
        video.sample_aspect = Ratio { num: 64, den: 45 };
        assert_eq!(video.displayed(), (1024.0, 576.0));
        video.rotation = 270;
        assert_eq!(video.displayed(), (576.0, 1024.0));
    }
}
