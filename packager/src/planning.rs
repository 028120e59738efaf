//! Planning: from facts to the grid, the ladder and the tracks. Pure; its
//! callers know it as `plan::plan`, beside the shape that it fills.

use std::time::Duration;

use crate::{
    cadence, colours,
    facts::{AudioFacts, Facts, PartFacts, VideoFacts},
    ladder,
    plan::{
        AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, AudioPlan, FrameRate, Grid, PartPlan, PicturePart, Plan,
        SoundEntry, StreamPart, TextPlan, VideoPlan,
    },
    refusal::Refusal,
    timeline::Stretch,
    tracks,
};

/// The operator's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The picture's sizes and quality.
    pub ladder: ladder::Config,
    /// Bit rate of every audio rendition.
    pub audio_bitrate_bps: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { ladder: ladder::Config::default(), audio_bitrate_bps: 128_000 }
    }
}

// Apple's HLS authoring specification asks for key frames each 2 s and for target durations of 6 s.
/// Seconds between key frames.
const GOP_SECONDS: f64 = 2.0;
/// GOPs in a segment: 6 s.
const SEGMENT_GOPS: u32 = 3;
/// AAC frames in a segment where there is no picture: 5.995 s, and no cut falls into a frame.
const SEGMENT_AAC_FRAMES: u64 = 281;
/// Sound that may be cut off when it is longer than the picture, at most.
const OVERHANG: Duration = Duration::from_millis(100);

/// Fixes everything that playlists and encoders need, before a frame is encoded.
pub fn plan(facts: &Facts, config: &Config) -> Result<Plan, Refusal> {
    let zero = zero(facts);
    // These count from the container's start, as ffmpeg's seeking does, so they are taken before times count from
    // zero.
    let entries: Vec<Option<SoundEntry>> =
        facts.audio.iter().map(|source| sound_entry(facts, source)).collect();
    let parts = parts(facts, zero);
    let facts = &facts.counted_from(zero);
    let sound_end = facts.audio.iter().map(|audio| audio.end).max();
    let (grid, video) = match (&facts.video, sound_end) {
        (Some(video), sound_end) => {
            let (grid, video) = picture(facts, video, sound_end.unwrap_or_default(), config);
            (grid, Some(video))
        }
        (None, Some(sound_end)) => (sound_alone(sound_end), None),
        (None, None) => return Err(Refusal::NothingToPlay),
    };
    let samples = grid.duration_ticks * u64::from(AUDIO_SAMPLE_RATE);
    let audio = tracks::audio(facts)
        .into_iter()
        .map(|(source, called)| AudioPlan {
            name: called.name,
            stream: source.stream,
            language: source.language.clone(),
            label: called.label,
            purpose: source.purpose,
            stretches: source.stretches.clone(),
            unskipped: is_unskipped(source),
            packets: source.packets.clone(),
            entry: facts
                .audio
                .iter()
                .position(|other| other.stream == source.stream)
                .and_then(|n| entries[n]),
            bitrate_bps: config.audio_bitrate_bps,
            // To the picture's end or just past it, where silence does no harm.
            frames: samples.div_ceil(u64::from(grid.timescale) * AAC_FRAME_SAMPLES).max(1),
        })
        .collect();
    let text = tracks::text(facts)
        .into_iter()
        .map(|(source, called)| TextPlan {
            name: called.name,
            stream: source.stream,
            language: source.language.clone().unwrap_or_else(|| "und".to_owned()),
            label: called.label,
            describes_sounds: source.describes_sounds,
            forced: source.forced,
            codec: source.codec.clone(),
            inside: source.inside.then(|| source.codec.clone()),
            channel: None,
        })
        .collect();
    let notes = facts.notes.clone();
    Ok(Plan { start_seconds: facts.start_seconds, zero, grid, video, audio, text, notes, parts })
}

/// Returns what is shown at zero: the first frame, where it comes a moment after the container's start, as
/// muxers put it behind the priming of the sound. Counted from there, no frame falls between two slots.
fn zero(facts: &Facts) -> Duration {
    let first = facts.video.as_ref().map_or(Duration::ZERO, |video| video.first);
    if first <= OVERHANG { first } else { Duration::ZERO }
}

fn picture(facts: &Facts, video: &VideoFacts, sound_end: Duration, config: &Config) -> (Grid, VideoPlan) {
    let frame_rate = FrameRate::of(video);
    let timescale = frame_rate.timescale();
    let frame_ticks = timescale / frame_rate.num * frame_rate.den;
    let gop_frames = (frame_rate.frames(GOP_SECONDS) as u32).max(1);
    let segment_frames = gop_frames * SEGMENT_GOPS;
    let phase = cadence::phase(video, frame_rate);
    let frames = frames(video, sound_end, frame_rate, phase);
    let grid = Grid {
        timescale,
        segment_ticks: u64::from(segment_frames) * u64::from(frame_ticks),
        start_up_segments: SEGMENT_GOPS,
        duration_ticks: frames * u64::from(frame_ticks),
    };
    let video = VideoPlan {
        key_frames: key_frames(video, &grid),
        stretches: video.stretches.clone(),
        packets: video.packets.clone(),
        stream: video.stream,
        frame_rate,
        phase: phase - video.late.as_secs_f64(),
        counted: video.untimed && cadence::keeps(video, frame_rate),
        frame_ticks,
        frames,
        gop_frames,
        segment_frames,
        conversion: colours::conversion(video),
        source_end: video.last,
        seek_margin: seek_margin(&facts.container),
        rungs: ladder::rungs(video, frame_rate, &config.ladder),
    };
    (grid, video)
}

/// Returns the last key frame before each segment's start; runs begin at segments, and nowhere else.
fn key_frames(video: &VideoFacts, grid: &Grid) -> Vec<Duration> {
    let mut keys: Vec<Duration> = Vec::new();
    let mut all = video.key_frames.iter().peekable();
    for n in 0..grid.segments() {
        let start = Duration::from_secs_f64(grid.seconds(grid.start(n)));
        let mut last = None;
        while let Some(key) = all.next_if(|key| **key <= start) {
            last = Some(*key);
        }
        keys.extend(last);
    }
    keys
}

/// Returns the frames of the whole presentation: never fewer than the picture has; more only when
/// the sound goes on for longer than encoders leave hanging over.
fn frames(video: &VideoFacts, sound_end: Duration, rate: FrameRate, phase: f64) -> u64 {
    let end = rate.frames(video.end.as_secs_f64());
    // The slot of the last frame counts too: a rounded end must not cut it off. Where frames are left out, the last
    // may be among them.
    let kept = video.frame_rate.is_none_or(|source| rate.fps() > source * 0.9);
    let last = if kept { rate.frames((video.last.as_secs_f64() + phase).max(0.0)) + 1 } else { 1 };
    let picture = end.max(last);
    let picture_end = Duration::from_secs_f64(picture as f64 / rate.fps());
    let aac_frame = AAC_FRAME_SAMPLES as f64 / f64::from(AUDIO_SAMPLE_RATE);
    // One frame of each kind is what muxers leave; at low frame rates that would be audible.
    let overhang = Duration::from_secs_f64(aac_frame + 1.0 / rate.fps()).min(OVERHANG);
    if sound_end <= picture_end + overhang {
        return picture;
    }
    let whole = (sound_end.as_secs_f64() * rate.fps()).ceil() as u64;
    whole.max(picture)
}

/// Returns a grid of whole AAC frames, so that sound alone has no cut inside one.
fn sound_alone(end: Duration) -> Grid {
    let samples = end.as_micros() as u64 * u64::from(AUDIO_SAMPLE_RATE) / 1_000_000;
    Grid {
        timescale: AUDIO_SAMPLE_RATE,
        segment_ticks: SEGMENT_AAC_FRAMES * AAC_FRAME_SAMPLES,
        // Sound is encoded many times faster than it plays: its first segment is soon there, whole.
        start_up_segments: 1,
        duration_ticks: samples.div_ceil(AAC_FRAME_SAMPLES).max(1) * AAC_FRAME_SAMPLES,
    }
}

/// Returns the parts of a plan, for a source that was joined.
fn parts(facts: &Facts, zero: Duration) -> Vec<PartPlan> {
    let part = |part: &PartFacts| {
        let PartFacts { head, bytes, at, from, until, facts } = part;
        let source = |stream, stretches: &[Stretch]| StreamPart {
            stream,
            stretches: stretches.to_vec(),
            unskipped: false,
        };
        PartPlan {
            head: head.clone(),
            bytes: bytes.clone(),
            clock_at_zero: facts.start_seconds - at.as_secs_f64() + zero.as_secs_f64(),
            start_seconds: facts.start_seconds,
            from: from.saturating_sub(zero),
            until: until.saturating_sub(zero),
            picture: facts.video.as_ref().map(|video| PicturePart {
                source: source(video.stream, &video.stretches),
                codec: video.codec.clone(),
                conversion: colours::conversion(video),
                seek_margin: seek_margin(&facts.container),
            }),
            sounds: tracks::audio(facts)
                .iter()
                .map(|(sound, _)| StreamPart {
                    unskipped: is_unskipped(sound),
                    ..source(sound.stream, &sound.stretches)
                })
                .collect(),
            texts: facts.text.iter().map(|text| text.stream).collect(),
            text_codecs: facts.text.iter().map(|text| text.codec.clone()).collect(),
        }
    };
    facts.parts.iter().map(part).collect()
}

/// Returns how far before a wanted time decoding starts. MP4 and Matroska lead to the exact key
/// frame; the others seek by guessing positions and may land behind it.
fn seek_margin(container: &str) -> Duration {
    let indexed = container.split(',').any(|name| matches!(name, "mov" | "matroska" | "webm"));
    if indexed { Duration::ZERO } else { Duration::from_secs(10) }
}

/// Returns whether a decoder skips more than the source's encoder may have put in front. ffmpeg's skips two frames of
/// Windows Media, of which the second has sound already in files that ffmpeg itself encodes.
fn is_unskipped(source: &AudioFacts) -> bool {
    matches!(source.codec.as_str(), "wmav1" | "wmav2")
}

/// Returns how the decoding of a sound may start in the middle. Only an index leads to the exact packet; and where the
/// clock starts again, only the way there shows which stretch a time is of.
fn sound_entry(facts: &Facts, source: &AudioFacts) -> Option<SoundEntry> {
    let named = |wanted: &str| facts.container.split(',').any(|name| name == wanted);
    let indexed = named("mov") || named("matroska");
    (indexed && facts.parts.is_empty() && source.stretches.is_empty() && source.sample_rate > 0).then_some(
        SoundEntry { sample_rate: source.sample_rate, first: source.first, rounded: named("matroska") },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::facts;

    fn planned(change: impl FnOnce(&mut Facts)) -> Plan {
        let mut facts = facts();
        change(&mut facts);
        plan(&facts, &Config::default()).unwrap()
    }

    fn with_rate(rate: f64, frames: u64) -> Plan {
        planned(|facts| {
            let video = facts.video.as_mut().unwrap();
            video.frame_rate = Some(rate);
            video.frames = frames;
            video.last = Duration::from_secs_f64((frames - 1) as f64 / rate);
            video.end = Duration::from_secs_f64(frames as f64 / rate);
            facts.audio.clear();
        })
    }

    #[test]
    fn segments_are_six_seconds_in_whole_gops() {
        let check = |rate: f64, gop: u32, segment: u32, ticks: u32, timescale: u32| {
            let plan = with_rate(rate, 1000);
            let video = plan.video.unwrap();
            assert_eq!((video.gop_frames, video.segment_frames), (gop, segment), "{rate}");
            assert_eq!((video.frame_ticks, plan.grid.timescale), (ticks, timescale), "{rate}");
            assert_eq!(video.frames, 1000, "{rate}");
            assert_eq!(plan.grid.duration_ticks, 1000 * u64::from(ticks), "{rate}");
        };
        check(24_000.0 / 1001.0, 48, 144, 1001, 24_000);
        check(24.0, 48, 144, 512, 12_288);
        check(25.0, 50, 150, 512, 12_800);
        check(30_000.0 / 1001.0, 60, 180, 1001, 30_000);
        check(30.0, 60, 180, 512, 15_360);
        check(60_000.0 / 1001.0, 120, 360, 1001, 60_000);
        check(12.5, 25, 75, 1024, 12_800);
        check(5.0, 10, 30, 2048, 10_240);
    }

    #[test]
    fn no_frame_is_lost_and_none_is_added_for_a_little_sound() {
        let check = |sound_milliseconds: u64, frames: u64| {
            let plan = planned(|facts| facts.audio[0].end = Duration::from_millis(sound_milliseconds));
            assert_eq!(plan.video.unwrap().frames, frames, "{sound_milliseconds} ms of sound");
        };
        check(10_000, 300);
        check(9_000, 300);
        check(10_020, 300);
        check(10_054, 300);
        check(10_055, 302);
        check(10_100, 303);
        check(12_000, 360);
    }

    #[test]
    fn sound_reaches_the_end_of_the_picture() {
        let plan = planned(|facts| facts.audio[0].end = Duration::from_secs(4));
        let audio = &plan.audio[0];
        assert_eq!(audio.frames, 469);
        assert_eq!(audio.first_frame(&plan.grid, 3), 281);
        assert_eq!(audio.segment_frames(&plan.grid, 3), 188);
    }

    #[test]
    fn half_the_rate_is_half_the_frames() {
        let video = with_rate(120.0, 120).video.unwrap();
        assert_eq!((video.frame_rate.fps(), video.frames), (60.0, 60));
    }

    #[test]
    fn one_frame_is_a_video() {
        let plan = planned(|facts| {
            let video = facts.video.as_mut().unwrap();
            (video.frames, video.frame_rate) = (1, None);
            (video.last, video.end) = (Duration::ZERO, Duration::ZERO);
            facts.audio.clear();
        });
        assert_eq!(plan.video.as_ref().unwrap().frames, 1);
        assert_eq!(plan.grid.segments(), 1);
    }

    #[test]
    fn sound_alone_is_cut_between_its_frames() {
        let plan = planned(|facts| {
            facts.video = None;
            facts.audio[0].end = Duration::from_secs(11);
        });
        assert_eq!(plan.grid.timescale, 48_000);
        assert_eq!(plan.audio[0].frames, 516);
        for n in 0..plan.grid.segments() {
            let samples = plan.audio[0].segment_frames(&plan.grid, n) * AAC_FRAME_SAMPLES;
            assert_eq!(samples, plan.grid.length(n), "segment {n}");
        }
    }

    #[test]
    fn nothing_to_play_is_refused() {
        let mut facts = facts();
        (facts.video, facts.audio) = (None, Vec::new());
        assert_eq!(plan(&facts, &Config::default()), Err(Refusal::NothingToPlay));
    }

    #[test]
    fn containers_without_an_index_are_read_from_before() {
        let check = |container: &str, seconds: u64| {
            let plan = planned(|facts| facts.container = container.to_owned());
            assert_eq!(plan.video.unwrap().seek_margin, Duration::from_secs(seconds), "{container}");
        };
        check("mov,mp4,m4a,3gp,3g2,mj2", 0);
        check("matroska,webm", 0);
        check("mpegts", 10);
        check("avi", 10);
        check("flv", 10);
    }

    proptest::proptest! {
        #[test]
        fn every_segment_has_a_frame_of_each_kind(
            fps in 1.0_f64..120.0, seconds in 0.01_f64..500.0, sound in 0.0_f64..500.0, variable: bool,
        ) {
            let plan = planned(|facts| {
                let video = facts.video.as_mut().unwrap();
                (video.frame_rate, video.variable) = (Some(fps), variable);
                (video.cadence, video.steady) = (Some(fps), None);
                video.last = Duration::from_secs_f64((seconds - 1.0 / fps).max(0.0));
                video.end = Duration::from_secs_f64(seconds);
                facts.audio[0].end = Duration::from_secs_f64(sound);
            });
            let video = plan.video.as_ref().unwrap();
            proptest::prop_assert!(video.frame_rate.fps() <= 60.0);
            proptest::prop_assert!(video.frames as f64 / video.frame_rate.fps() > seconds - 0.11);
            for n in 0..plan.grid.segments() {
                proptest::prop_assert!(plan.grid.length(n) >= u64::from(video.frame_ticks));
                proptest::prop_assert!(plan.audio[0].segment_frames(&plan.grid, n) >= 1, "segment {}", n);
            }
        }
    }
}
