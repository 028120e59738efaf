//! The facts of a picture, out of its stream's JSON and the packet scan.

use std::time::Duration;

use super::{Clock, Stream};
use crate::{
    facts::{Colour, Ratio, VideoFacts},
    packets::Track,
};

/// Whether a picture's frames hold two fields, as far as the container and the codec state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fields {
    Progressive,
    Interlaced,
    /// Known only from the frames' own flags.
    Unknown,
}

impl Stream {
    pub(super) fn video(&self, track: &Track, clock: Clock, fields: Fields) -> VideoFacts {
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
            cadence: track.spread.cadence(),
            steady: steady(track, frame_rate),
            language: self.language(),
            variable: track.variable(),
            interlaced: fields == Fields::Interlaced,
            pixel_format: self.pix_fmt.clone().unwrap_or_default(),
            bit_depth: bit_depth(self.pix_fmt.as_deref().unwrap_or_default()),
            colour: self.colour(),
            first: clock.time(track.first),
            last: clock.time(track.last),
            mean: track.mean().map(|mean| clock.time(mean)),
            // Some containers give packets no duration; then the last frame is as long as the average.
            end: clock.time(if track.end > track.last { track.end } else { track.last + frame }),
            // Places in a file whose clock starts again cannot be sought by time.
            key_frames: if track.stretches.is_empty() {
                track.key_frames.iter().map(|time| clock.time(*time)).collect()
            } else {
                Vec::new()
            },
            stretches: track.stretches.clone(),
            late: if track.decoded_only() {
                Duration::from_micros(u64::from(self.has_b_frames) * frame.unsigned_abs())
            } else {
                Duration::ZERO
            },
            untimed: track.untimed,
            packets: track.frames_by_second(frame_rate),
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
        // Rounding moves the ends by a millisecond each; some headers hold a guess by the first frames.
        let rounding = (2_000.0 / (track.last - track.first) as f64).clamp(1e-5, 0.004);
        match declared {
            Some(declared) if (measured / declared - 1.0).abs() < rounding => Some(declared),
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

    pub(super) fn fields(&self) -> Fields {
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
}

/// Returns the one rate of frames at jittery distances. Packets that hold fields have none that means anything.
fn steady(track: &Track, frame_rate: Option<f64>) -> Option<f64> {
    let packets = track.rate()?;
    let frames = frame_rate.is_some_and(|rate| (packets / rate - 1.0).abs() < 0.1);
    frames.then(|| track.spread.steady(packets))?
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
    use crate::streams::SideData;

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
}
