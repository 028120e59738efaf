//! The graph of filters from decoded pictures to renditions. Leaves the process that runs it to `encode`, expressions of
//! times to `setpts`.

use crate::{
    decoded::Tally,
    plan::{Conversion, Rung, VideoPlan},
    setpts::{counted_expression, expression},
    takes::PictureTake,
};

/// Returns the filters from the source's pictures to one labelled output for each rung.
///
/// `fps` gives each output frame the source's last picture up to it; times stay absolute (`-copyts`), so a
/// run that starts anywhere picks the same pictures as one that starts at the beginning. `tpad` repeats the
/// last picture for ever and `-frames:v` ends it: a run has exactly the frames of the plan.
///
/// Files that were joined are each brought to the largest rung's size and to BT.709 before they become one.
pub(crate) fn graph(video: &VideoPlan, takes: &[PictureTake<'_>], first_frame: u64) -> String {
    let joined = takes.iter().any(|it| it.take.place.is_some());
    let mut graph = String::new();
    for (n, PictureTake { take, conversion }) in takes.iter().enumerate() {
        let zero = take.clock_at_zero - video.phase;
        let times = if video.counted {
            counted_expression(take.stretches, zero, 1.0 / video.frame_rate.fps())
        } else {
            expression(take.stretches, zero)
        };
        let mut steps = vec![format!("setpts={times}")];
        // Of several at once, each writes whole lines.
        steps.push(Tally::filters("") + if joined { ":direct=1" } else { "" });
        if conversion.deinterlace {
            steps.push(DEINTERLACE.to_owned());
        }
        if n + 1 == takes.len() {
            // The end that ffmpeg reckons may come before the last picture, which `fps` then drops: copies of it come
            // between.
            steps.push("tpad=stop=60:stop_mode=clone".to_owned());
        }
        graph += &format!("[{n}:{}]{}", take.stream, steps.join(","));
        if joined {
            graph += &format!(",{},format=yuv420p[p{n}];", brought(video, conversion));
        }
    }
    if joined {
        let inputs: String = (0..takes.len()).map(|n| format!("[p{n}]")).collect();
        graph += &format!("{inputs}interleave=n={}", takes.len());
    }
    let mut steps = Vec::new();
    // A source that starts late shows its first picture from zero on.
    let start = if first_frame == 0 { ":start_time=0" } else { "" };
    // `pass` keeps the last picture where the end that ffmpeg reckons comes before it.
    steps.push(format!(
        "fps={}/{}:round=near:eof_action=pass{start}",
        video.frame_rate.num, video.frame_rate.den
    ));
    steps.push("tpad=stop=-1:stop_mode=clone".to_owned());
    // Behind `fps` a tick is a frame, so the cut is a whole number and no rounded time.
    steps.push(format!("trim=start_pts={first_frame}"));
    if video.conversion.tone_map && !joined {
        let top = &video.rungs[0];
        steps.push(tone_map(&video.conversion, top.width, top.height));
    }
    let rungs = video.rungs.iter().enumerate();
    let split: String = rungs.clone().map(|(n, _)| format!("[s{n}]")).collect();
    graph += &format!(",{},split={}{split}", steps.join(","), video.rungs.len());
    for (n, rung) in rungs {
        let scale = if joined {
            format!("scale={}:{}:flags=bicubic,setsar=1", rung.width, rung.height)
        } else {
            scale(&video.conversion, rung.width, rung.height)
        };
        graph += &format!(";[s{n}]{scale},format=yuv420p[v{n}]");
    }
    graph
}

fn brought(video: &VideoPlan, conversion: &Conversion) -> String {
    let Rung { width, height, .. } = video.rungs[0];
    let scale = scale(conversion, width, height);
    if conversion.tone_map { format!("{},{scale}", tone_map(conversion, width, height)) } else { scale }
}

/// Returns the filters that make a single picture of the source, in ffmpeg's pixel `format`.
pub(crate) fn picture_filters(conversion: &Conversion, width: u32, height: u32, format: &str) -> String {
    let mut steps = Vec::new();
    if conversion.deinterlace {
        steps.push(DEINTERLACE.to_owned());
    }
    if conversion.tone_map {
        steps.push(tone_map(conversion, width, height));
    }
    steps.push(scale(conversion, width, height));
    steps.push(format!("format={format}"));
    steps.join(",")
}

// One frame for two fields, since twice the rate would be twice the work of every rung; frames that are flagged as
// progressive pass as they are, because sources mix both.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// Hable's curve on linear light, at the size wanted and not the source's: the work grows with the pixels.
fn tone_map(source: &Conversion, width: u32, height: u32) -> String {
    let range = match source.matrix.as_str() {
        // Red, green and blue have no limited range.
        "gbr" => "auto",
        _ if source.full_range => "pc",
        _ => "tv",
    };
    // The tags are the plan's: zscale refuses frames whose own are missing or contradict each other.
    let tags = match source.transfer.as_str() {
        "" => String::new(),
        transfer => format!(
            "setparams=color_trc={transfer}:color_primaries={}:colorspace={}:range={range},",
            source.primaries, source.matrix
        ),
    };
    format!(
        "{tags}zscale=w={width}:h={height}:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
         zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
    )
}

fn scale(conversion: &Conversion, width: u32, height: u32) -> String {
    let colours = if conversion.tone_map {
        String::new()
    } else {
        let range = if conversion.full_range { "pc" } else { "tv" };
        let matrix = &conversion.matrix;
        format!(":in_color_matrix={matrix}:in_range={range}:out_color_matrix=bt709:out_range=tv")
    };
    format!("scale={width}:{height}:flags=bicubic{colours},setsar=1")
}
