//! ffprobe's JSON: its shape, and the facts that stand in it once the packet scan has
//! given the times. Pure; leaves running ffprobe to `probe`.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{
    facts::{AudioFacts, Colour, Facts, Ratio, TextFacts, VideoFacts},
    ffmpeg, language, notes,
    packets::{Scan, Track},
    refusal::Refusal,
    timeline::Kind,
};

/// The part of ffprobe's `-show_format -show_streams` that we use.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    start_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_name: String,
    codec_type: String,
    width: u32,
    height: u32,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    pix_fmt: Option<String>,
    field_order: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    color_space: Option<String>,
    color_range: Option<String>,
    channels: u32,
    sample_rate: Option<String>,
    disposition: BTreeMap<String, u8>,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

/// Whether a picture's frames hold two fields, as far as the container and the codec state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fields {
    Progressive,
    Interlaced,
    /// Known only from the frames' own flags.
    Unknown,
}

/// The facts, and the one thing that may need a look at frames.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) facts: Facts,
    pub(crate) fields: Fields,
}

impl Answer {
    /// Returns whether a packet's length stands in its bytes alone, whatever length the container's index gives.
    pub(crate) fn parsed(&self) -> bool {
        self.streams.iter().any(|stream| matches!(stream.codec_name.as_str(), "ac3" | "eac3"))
    }

    /// Returns the streams of sound and picture, which have a place on the timeline.
    pub(crate) fn kinds(&self) -> BTreeMap<u32, Kind> {
        let kind = |stream: &Stream| match stream.codec_type.as_str() {
            "video" if !stream.is_still() => Some((stream.index, Kind::Picture)),
            "audio" => Some((stream.index, Kind::Sound)),
            _ => None,
        };
        self.streams.iter().filter_map(kind).collect()
    }

    /// Joins the JSON with the packet scan.
    pub(crate) fn read(&self, scan: &Scan) -> Result<Reading, Refusal> {
        let start = self.format.start_time.as_deref().and_then(|text| text.parse().ok());
        let start = start.map_or(0, |seconds: f64| (seconds * 1e6).round() as i64);
        let clock = Clock { start: scan.start(start) };
        let picture = self.picture(scan);
        let audio = self.kind("audio");
        let readable: Vec<AudioFacts> =
            audio.clone().filter_map(|stream| stream.audio(scan, clock)).collect();

        if picture.is_none() && readable.is_empty() {
            return Err(match audio.clone().find(|stream| !ffmpeg::reads(&stream.codec_name)) {
                Some(stream) => stream.unsupported(),
                None => Refusal::NothingToPlay,
            });
        }
        for stream in audio.filter(|stream| !ffmpeg::reads(&stream.codec_name)) {
            tracing::warn!(stream = stream.index, codec = stream.codec_name, "audio track left out");
        }

        let mut fields = Fields::Progressive;
        let video = match picture {
            Some((stream, _)) if !ffmpeg::reads(&stream.codec_name) => {
                return Err(stream.unsupported());
            }
            Some((stream, track)) => {
                fields = stream.fields();
                Some(stream.video(track, clock, fields))
            }
            None => None,
        };
        let ends = video.iter().map(|video| video.end);
        let duration = ends.chain(readable.iter().map(|audio| audio.end)).max();
        let facts = Facts {
            container: self.format.format_name.clone(),
            start_seconds: clock.start as f64 / 1e6,
            notes: notes::of(scan.timeline()),
            duration: duration.unwrap_or_default(),
            video,
            audio: readable,
            text: self.kind("subtitle").filter_map(Stream::text).collect(),
        };
        Ok(Reading { facts, fields })
    }

    fn kind(&self, kind: &'static str) -> impl Iterator<Item = &Stream> + Clone {
        self.streams.iter().filter(move |stream| stream.codec_type == kind)
    }

    /// Returns the stream to show: the largest, among equals the file's default, then the longest,
    /// then the first.
    fn picture<'a>(&'a self, scan: &'a Scan) -> Option<(&'a Stream, &'a Track)> {
        self.kind("video")
            .filter(|stream| !stream.is_still())
            .filter(|stream| stream.width > 0 && stream.height > 0)
            .filter_map(|stream| Some((stream, scan.track(stream.index)?)))
            .max_by_key(|(stream, track)| {
                let pixels = u64::from(stream.width) * u64::from(stream.height);
                (pixels, stream.is("default"), track.packets, Reverse(stream.index))
            })
    }
}

impl Stream {
    fn is(&self, disposition: &str) -> bool {
        self.disposition.get(disposition).is_some_and(|set| *set != 0)
    }

    fn is_still(&self) -> bool {
        self.is("attached_pic") || self.is("timed_thumbnails")
    }

    fn unsupported(&self) -> Refusal {
        let codec = if self.codec_name.is_empty() { "unknown" } else { &self.codec_name };
        Refusal::UnsupportedCodec { codec: codec.to_owned() }
    }

    fn video(&self, track: &Track, clock: Clock, fields: Fields) -> VideoFacts {
        let frame_rate = self.frame_rate(track, fields);
        let frame = frame_rate.map_or(0, |rate| (1e6 / rate).round() as i64);
        VideoFacts {
            stream: self.index,
            codec: self.codec_name.clone(),
            width: self.width,
            height: self.height,
            sample_aspect: self.sample_aspect(),
            rotation: self.rotation(),
            frames: track.packets,
            frame_rate,
            cadence: track.cadence(),
            variable: track.variable(),
            interlaced: fields == Fields::Interlaced,
            pixel_format: self.pix_fmt.clone().unwrap_or_default(),
            bit_depth: bit_depth(self.pix_fmt.as_deref().unwrap_or_default()),
            colour: self.colour(),
            first: clock.time(track.first),
            last: clock.time(track.last),
            // Some containers give packets no duration; then the last frame is as long as the average.
            end: clock.time(if track.end > track.last { track.end } else { track.last + frame }),
            // Places in a file whose clock starts again cannot be sought by time.
            key_frames: if track.stretches.is_empty() {
                track.key_frames.iter().map(|time| clock.time(*time)).collect()
            } else {
                Vec::new()
            },
            stretches: track.stretches.clone(),
        }
    }

    /// Returns the measured rate; where the header's agrees with it, the header's, which is exact.
    fn frame_rate(&self, track: &Track, fields: Fields) -> Option<f64> {
        let declared = self.avg_frame_rate.as_deref().and_then(|text| fraction(text, '/'));
        let declared = declared.map(|rate| f64::from(rate.num) / f64::from(rate.den));
        let Some(measured) = track.rate() else {
            return declared;
        };
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.004;
        match declared {
            Some(declared) if near(measured, declared) => Some(declared),
            // Field-coded streams have a packet for each of a frame's two fields.
            Some(declared) if fields == Fields::Interlaced && near(measured / 2.0, declared) => {
                Some(declared)
            }
            // Frames that were dropped here and there: AVI's header knows the rate of the rest.
            Some(declared) if track.variable() && (1.0..1.1).contains(&(declared / measured)) => {
                Some(declared)
            }
            _ => Some(measured),
        }
    }

    fn sample_aspect(&self) -> Ratio {
        let square = Ratio { num: 1, den: 1 };
        let declared = self.sample_aspect_ratio.as_deref().and_then(|text| fraction(text, ':'));
        // Beyond ten to one it is a broken header and would leave a line instead of a picture.
        declared
            .filter(|ratio| ratio.num <= ratio.den.saturating_mul(10))
            .filter(|ratio| ratio.den <= ratio.num.saturating_mul(10))
            .unwrap_or(square)
    }

    /// Returns the quarter turns that ffmpeg's own autorotation would do; it leaves the picture's
    /// sides as they are at every other angle.
    fn rotation(&self) -> u32 {
        let counter_clockwise = self.side_data_list.iter().find_map(|data| data.rotation);
        let clockwise = (-counter_clockwise.unwrap_or(0.0)).rem_euclid(360.0);
        [90, 180, 270].into_iter().find(|turn| (clockwise - f64::from(*turn)).abs() < 1.0).unwrap_or(0)
    }

    fn fields(&self) -> Fields {
        match (self.field_order.as_deref(), self.codec_name.as_str()) {
            (Some("progressive"), _) => Fields::Progressive,
            (Some("tt" | "bb" | "tb" | "bt"), _) => Fields::Interlaced,
            // HEVC codes fields as pictures of their own, and the web's codecs know none.
            (_, "hevc" | "vp6" | "vp6f" | "vp8" | "vp9" | "av1" | "theora" | "flv1" | "h263") => {
                Fields::Progressive
            }
            _ => Fields::Unknown,
        }
    }

    fn colour(&self) -> Colour {
        let declared = |value: &Option<String>| {
            value.clone().filter(|name| !matches!(name.as_str(), "unknown" | "reserved"))
        };
        let full = self.pix_fmt.as_deref().is_some_and(|format| format.starts_with("yuvj"));
        Colour {
            transfer: declared(&self.color_transfer),
            primaries: declared(&self.color_primaries),
            matrix: declared(&self.color_space),
            full_range: full || self.color_range.as_deref() == Some("pc"),
        }
    }

    fn audio(&self, scan: &Scan, clock: Clock) -> Option<AudioFacts> {
        let track = scan.track(self.index)?;
        let sample_rate = self.sample_rate.as_deref()?.parse().ok()?;
        if self.channels == 0 || sample_rate == 0 || !ffmpeg::reads(&self.codec_name) {
            return None;
        }
        Some(AudioFacts {
            stream: self.index,
            codec: self.codec_name.clone(),
            channels: self.channels,
            sample_rate,
            language: self.language(),
            title: self.title(),
            default: self.is("default"),
            first: clock.time(track.first),
            end: clock.time(track.end),
            stretches: track.stretches.clone(),
        })
    }

    fn text(&self) -> Option<TextFacts> {
        // Only text can become WebVTT; pictures of text (DVD, Blu-ray) aren't in the codec list.
        ffmpeg::reads(&self.codec_name).then(|| TextFacts {
            stream: self.index,
            codec: self.codec_name.clone(),
            language: self.language(),
            title: self.title(),
            describes_sounds: self.is("hearing_impaired"),
        })
    }

    fn language(&self) -> Option<String> {
        self.tags.get("language").and_then(|written| language::tag(written))
    }

    /// Returns the title without what playlists can't carry; quotes and lines end attributes.
    fn title(&self) -> Option<String> {
        let title = self.tags.get("title")?;
        let plain: String = title
            .chars()
            .map(|c| {
                if c.is_control() {
                    ' '
                } else if c == '"' {
                    '\''
                } else {
                    c
                }
            })
            .take(80)
            .collect();
        let plain = plain.trim();
        (!plain.is_empty()).then(|| plain.to_owned())
    }
}

/// The container's clock: what ffmpeg's `-start_at_zero` takes away.
#[derive(Clone, Copy)]
struct Clock {
    start: i64,
}

impl Clock {
    /// Returns a time after the start; nothing is shown before it.
    fn time(self, microseconds: i64) -> Duration {
        Duration::from_micros(u64::try_from(microseconds - self.start).unwrap_or(0))
    }
}

/// Reads `30000/1001` or `4:3`; zero on either side is no value.
fn fraction(text: &str, sign: char) -> Option<Ratio> {
    let (num, den) = text.split_once(sign)?;
    let (num, den) = (num.parse().ok()?, den.parse().ok()?);
    (num > 0 && den > 0).then_some(Ratio { num, den })
}

/// Reads the depth from a pixel format's name: `yuv420p10le`, `p010le`, `gray12be`; else 8.
fn bit_depth(pixel_format: &str) -> u8 {
    let stem = pixel_format.trim_end_matches("le").trim_end_matches("be");
    if stem == pixel_format {
        return 8;
    }
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    match stem[stem.len() - digits..].trim_start_matches('0').parse() {
        Ok(depth @ 9..=16) => depth,
        // `rgb48le`, `rgba64be`: bits of a pixel.
        Ok(48 | 64) => 16,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixel_formats_have_a_depth() {
        let check = |format: &str, depth: u8| assert_eq!(bit_depth(format), depth, "{format}");
        check("yuv420p", 8);
        check("yuvj422p", 8);
        check("yuv420p10le", 10);
        check("yuv422p12be", 12);
        check("p010le", 10);
        check("rgb48le", 16);
        check("nv12", 8);
        check("", 8);
    }

    #[test]
    fn a_broken_aspect_ratio_leaves_square_pixels() {
        let check = |declared: Option<&str>, num: u32, den: u32| {
            let sample_aspect_ratio = declared.map(str::to_owned);
            let stream = Stream { sample_aspect_ratio, ..Stream::default() };
            assert_eq!(stream.sample_aspect(), Ratio { num, den }, "{declared:?}");
        };
        check(None, 1, 1);
        check(Some("0:1"), 1, 1);
        check(Some("1:65535"), 1, 1);
        check(Some("4294967295:1"), 1, 1);
        check(Some("64:45"), 64, 45);
    }

    #[test]
    fn only_quarter_turns_turn_the_sides() {
        let check = |declared: f64, turn: u32| {
            let side_data_list = vec![SideData { rotation: Some(declared) }];
            let stream = Stream { side_data_list, ..Stream::default() };
            assert_eq!(stream.rotation(), turn, "{declared}");
        };
        check(-90.0, 90);
        check(90.0, 270);
        check(-180.0, 180);
        check(180.0, 180);
        check(45.0, 0);
        check(0.0, 0);
    }

    #[test]
    fn titles_cannot_leave_their_attribute() {
        let tags = BTreeMap::from([("title".to_owned(), "A\",URI=\"x\"\n#EXT".to_owned())]);
        let stream = Stream { tags, ..Stream::default() };
        assert_eq!(stream.title().unwrap(), "A',URI='x' #EXT");
    }
}
