//! The chosen frame: the one that players show at a moment. Goes through the filters of the encode, which know joined files,
//! broken clocks and where the picture ends before the sound.

use std::time::Duration;

use super::{Drawn, Pictures, Size, Sizes, draw, jpeg};
use crate::{
    Error, Result,
    encode::{EncodeContext, clock_args, strings},
    ffmpeg::input_args,
    graph::graph,
    plan::{Rung, VideoPlan},
    takes::{self, Reach},
};

// Of a frame; a page's clock is in floating point.
const ROUNDING: f64 = 1e-3;

/// Takes the frame that is shown at `seconds`.
pub(super) async fn take(context: &EncodeContext<'_>, video: &VideoPlan, seconds: f64) -> Result<Pictures> {
    let number = number_at(video, seconds);
    let time = Duration::from_secs_f64(number as f64 / video.frame_rate.fps());
    let entries = video.entries(time.min(video.source_end));
    let (last, earlier) = entries.split_last().expect("the beginning is always an entry");
    for entry in earlier {
        match take_from(context, video, Attempt { number, entry: *entry }).await {
            // Nothing before the frame decodes from there.
            Err(Error::Ffmpeg { .. }) => {}
            outcome => return outcome,
        }
    }
    take_from(context, video, Attempt { number, entry: *last }).await
}

/// Returns the number of the frame that is shown at `seconds`; the last one behind the end.
fn number_at(video: &VideoPlan, seconds: f64) -> u64 {
    ((seconds * video.frame_rate.fps() + ROUNDING) as u64).min(video.frames.saturating_sub(1))
}

/// One try at a frame.
struct Attempt {
    number: u64,
    /// The key frame that decoding starts at; `None` for the beginning.
    entry: Option<Duration>,
}

async fn take_from(context: &EncodeContext<'_>, video: &VideoPlan, attempt: Attempt) -> Result<Pictures> {
    let Attempt { number, entry } = attempt;
    let until = Duration::from_secs_f64((number + 1) as f64 / video.frame_rate.fps());
    let takes = takes::pictures(context.plan, video, context.source, Reach { entry, until });
    let top = &video.rungs[0];
    let sizes = Sizes::of(top);
    let rung = |Size { width, height }| Rung { width, height, ..top.clone() };
    let rungs: Vec<Rung> = std::iter::once(sizes.whole).chain(sizes.small).map(rung).collect();
    let count = rungs.len();
    let video = VideoPlan { rungs, ..video.clone() };
    let mut input = Vec::new();
    for it in &takes {
        input.extend(clock_args(it.take.seek));
        input.extend(strings(["-threads:v", "1", "-reinit_filter", "0"]));
        input.extend(input_args(&it.take.input));
    }
    input.extend(strings(["-filter_complex", &graph(&video, &takes, number)]));
    let outputs = (0..count).map(|n| {
        let mut output = strings(["-map", &format!("[v{n}]"), "-frames:v", "1", "-fps_mode", "passthrough"]);
        output.extend(jpeg());
        output
    });
    let outputs = outputs.collect();
    Pictures::of(draw(context, Drawn { input, stdin: None, outputs }).await?)
}
