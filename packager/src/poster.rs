//! The poster: the frame with most detail, not a black one.

use std::{ffi::OsString, time::Duration};

use tokio::{io::AsyncReadExt, sync::Mutex};

use crate::{
    Error, Result,
    child::Task,
    encode::{EncodeContext, clock_args, strings},
    ffmpeg::{Bounds, input_args},
    graph::picture_filters,
    plan::{Plan, VideoPlan},
    process, takes,
    trouble::Trouble,
};

const CANDIDATES: u32 = 8;
// Small enough that grain does not count as detail.
const SAMPLE_WIDTH: u32 = 64;
const SAMPLE_HEIGHT: u32 = 36;
const MAX_SIDE: u32 = 1280;
// A card of the library, on a screen with two pixels a point.
const SMALL_WIDTH: u32 = 640;
const MAX_BYTES: u64 = 8 << 20;

/// Takes the frame with most detail of some that are spread over the video, and publishes it as `poster.jpg`
/// and, where that is wider than a card, as `poster-640.jpg`.
pub(crate) async fn make(context: &EncodeContext<'_>, video: &VideoPlan) -> Result<()> {
    let sample = |time| Frame { time, width: SAMPLE_WIDTH, height: SAMPLE_HEIGHT, format: Format::Grey };
    let samples: Vec<Frame> = candidates(context.plan, video).map(sample).collect();
    let mut best = (f64::MIN, Duration::ZERO);
    for (sample, grey) in samples.iter().zip(take(context, video, &samples).await?) {
        if grey.len() == (SAMPLE_WIDTH * SAMPLE_HEIGHT) as usize && visible_detail(&grey) > best.0 {
            best = (visible_detail(&grey), sample.time);
        }
    }
    let top = &video.rungs[0];
    let shrink = f64::from(MAX_SIDE) / f64::from(top.width.max(top.height)).max(f64::from(MAX_SIDE));
    let even = |side: u32| ((f64::from(side) * shrink / 2.0).round() as u32 * 2).max(2);
    let whole =
        Frame { time: best.1, width: even(top.width), height: even(top.height), format: Format::Jpeg };
    let small = (whole.width > SMALL_WIDTH).then(|| ("poster-640.jpg", whole.narrowed(SMALL_WIDTH)));
    // The small one first: where a document names a poster, a page asks for either.
    let (names, frames): (Vec<_>, Vec<_>) = small.into_iter().chain([("poster.jpg", whole)]).unzip();
    for (name, jpeg) in names.into_iter().zip(take(context, video, &frames).await?) {
        if jpeg.is_empty() {
            let doing = "taking the poster".to_owned();
            return Err(Error::Ffmpeg { doing, at: None, trouble: Trouble::Damaged });
        }
        context.publisher.blob(name, &jpeg).await?;
    }
    Ok(())
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
    let off_middle = (mean - 118.0).abs() / 118.0;
    variance.sqrt() * (1.2 - off_middle)
}

struct Frame {
    time: Duration,
    width: u32,
    height: u32,
    format: Format,
}

impl Frame {
    /// Returns the same frame in another width.
    fn narrowed(&self, width: u32) -> Self {
        let height = f64::from(self.height) * f64::from(width) / f64::from(self.width);
        Self { width, height: ((height / 2.0).round() as u32 * 2).max(2), ..*self }
    }
}

#[derive(Clone, Copy)]
enum Format {
    Grey,
    Jpeg,
}

/// Takes `frames` in one process, because starting ffmpeg costs more than a key frame; empty where there is none.
async fn take(context: &EncodeContext<'_>, video: &VideoPlan, frames: &[Frame]) -> Result<Vec<Vec<u8>>> {
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
    let task = Task {
        program: &context.config.ffmpeg,
        doing: "taking the poster".into(),
        input,
        stdin: None,
        printed: None,
        outputs: outputs.collect(),
        bounds: Bounds { memory_bytes: 8 << 30, open_files: 256, ..Bounds::default() },
        wall_time: Duration::from_mins(5),
    };
    let taken: Mutex<Vec<Vec<u8>>> = Mutex::new(vec![Vec::new(); frames.len()]);
    process::run(task, context.control, |n, output| {
        let taken = &taken;
        async move {
            let mut bytes = Vec::new();
            output.stream.take(MAX_BYTES).read_to_end(&mut bytes).await?;
            taken.lock().await[n] = bytes;
            Ok(())
        }
    })
    .await?;
    Ok(taken.into_inner())
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
            Self::Jpeg => strings(["-c:v", "mjpeg", "-q:v", "3", "-f", "mjpeg"]),
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
