//! The automatic poster: the frame with most detail, not a black one.

use std::{ffi::OsString, time::Duration};

use super::{Drawn, Pictures, Size, Sizes, draw, jpeg};
use crate::{
    Result,
    encode::{EncodeContext, clock_args, strings},
    ffmpeg::input_args,
    graph::picture_filters,
    plan::{Plan, VideoPlan},
    takes,
};

const CANDIDATES: u32 = 8;
// Small enough that grain does not count as detail.
const SAMPLE_WIDTH: u32 = 64;
const SAMPLE_HEIGHT: u32 = 36;

/// Takes the frame with most detail of some that are spread over the video.
pub(super) async fn take(context: &EncodeContext<'_>, video: &VideoPlan) -> Result<Pictures> {
    let sample = |time| Frame { time, width: SAMPLE_WIDTH, height: SAMPLE_HEIGHT, format: Format::Grey };
    let samples: Vec<Frame> = candidates(context.plan, video).map(sample).collect();
    let mut best = (f64::MIN, Duration::ZERO);
    for (sample, grey) in samples.iter().zip(frames_at(context, video, &samples).await?) {
        if grey.len() == (SAMPLE_WIDTH * SAMPLE_HEIGHT) as usize && visible_detail(&grey) > best.0 {
            best = (visible_detail(&grey), sample.time);
        }
    }
    let sizes = Sizes::of(&video.rungs[0]);
    let frame = |Size { width, height }| Frame { time: best.1, width, height, format: Format::Jpeg };
    let frames: Vec<Frame> = std::iter::once(sizes.whole).chain(sizes.small).map(frame).collect();
    Pictures::of(frames_at(context, video, &frames).await?)
}

fn candidates(plan: &Plan, video: &VideoPlan) -> impl Iterator<Item = Duration> {
    let length = plan.grid.seconds(plan.grid.duration_ticks).min(video.source_end.as_secs_f64());
    // The very beginning and end are mostly titles and fades.
    (0..CANDIDATES)
        .map(move |n| Duration::from_secs_f64(length * (f64::from(n) + 0.5) / f64::from(CANDIDATES)))
}

/// Returns how much there is to see: the spread of the brightness (in standard deviations of 0 to 255), less
/// for frames that are mostly black or white.
fn visible_detail(grey: &[u8]) -> f64 {
    let n = grey.len().max(1) as f64;
    let mean = grey.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = grey.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    // Middle grey, 18 % of the light, is 118 in sRGB. Black keeps a little: of a dark film the best frame is still
    // best.
    let off_middle = (mean - 118.0).abs() / 118.0;
    variance.sqrt() * (1.2 - off_middle)
}

struct Frame {
    time: Duration,
    width: u32,
    height: u32,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    Grey,
    Jpeg,
}

/// Takes `frames` in one process, because starting ffmpeg costs more than a key frame; empty where there is none.
async fn frames_at(context: &EncodeContext<'_>, video: &VideoPlan, frames: &[Frame]) -> Result<Vec<Vec<u8>>> {
    let mut input: Vec<OsString> = Vec::new();
    let mut graph = Vec::new();
    for (n, frame) in frames.iter().enumerate() {
        let at = takes::picture_at(context.plan, video, context.source, frame.time);
        input.extend(clock_args(at.take.seek));
        // More threads would each decode a frame that nobody looks at.
        input.extend(strings(["-threads", "1"]));
        input.extend(input_args(&at.take.input));
        let filters = picture_filters(at.conversion, frame.width, frame.height, frame.format.pixels());
        graph.push(format!("[{n}:{}]{filters}[p{n}]", at.take.stream));
    }
    input.extend(strings(["-filter_complex", &graph.join(";")]));
    let outputs = frames.iter().enumerate().map(|(n, frame)| {
        let mut output = strings(["-map", &format!("[p{n}]"), "-frames:v", "1", "-fps_mode", "passthrough"]);
        output.extend(frame.format.encoder());
        output
    });
    let drawn = Drawn { input, stdin: None, outputs: outputs.collect() };
    draw(context, drawn).await
}

impl Format {
    fn pixels(self) -> &'static str {
        match self {
            Self::Grey => "gray",
            Self::Jpeg => "yuvj420p",
        }
    }

    fn encoder(self) -> Vec<OsString> {
        match self {
            Self::Grey => strings(["-c:v", "rawvideo", "-f", "rawvideo"]),
            Self::Jpeg => jpeg(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_black_frame_has_less_detail_than_a_dark_scene_and_that_less_than_a_bright_one() {
        let black = visible_detail(&[16; 64]);
        let dark: Vec<u8> = (0..64).map(|n| n % 40).collect();
        let bright: Vec<u8> = (0..64).map(|n| n * 4).collect();
        assert!(black < visible_detail(&dark));
        assert!(visible_detail(&dark) < visible_detail(&bright));
    }
}
