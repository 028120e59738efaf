//! Runs: a range of segments that one ffmpeg process encodes, and the arguments that make the
//! segments of any run fit those of any other. Leaves planning to `plan`, the process to `process`,
//! sound to `sound`.

use std::{
    ffi::OsString,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use store::ChunkWriter;
use tokio::net::UnixStream;

use crate::{
    Config, Error, Result,
    child::Task,
    control::Control,
    decoded::{Seconds, Tally},
    ffmpeg::{Bounds, Input, input_args},
    fragment::{Part, Reader, init},
    graph::graph,
    notes::between,
    plan::{Plan, Run, Rung, VideoPlan},
    process,
    publish::Publisher,
    segment::{Cut, Cutter, Segment, chunk_frames, reorder_ticks},
    takes::{self, Reach},
    trouble::Trouble,
};

/// Segments between the encoder and the store; the encoder goes on while one is being written.
const AHEAD: usize = 2;
/// Inputs whose decoders have threads for every core.
const FEW: usize = 4;

/// Encodes and publishes a run of every rung: one decode feeds them all.
///
/// Decoding starts at a key frame that the scan has seen. Where nothing shown comes of it before the run's start (open
/// GOPs, damaged pictures), nothing has been published either, and it starts again from further back.
pub(crate) async fn video(context: &EncodeContext<'_>, video: &VideoPlan, run: &Run) -> Result<()> {
    let grid = &context.plan.grid;
    let from = Duration::from_secs_f64(grid.seconds(grid.start(run.first)));
    // Past the end of the pictures the last one is repeated, so decoding starts where there is one.
    let entries = video.entries(from.min(video.source_end));
    let (last, earlier) = entries.split_last().expect("the beginning is always an entry");
    for entry in earlier {
        let cut = AtomicU32::new(0);
        match video_from(context, video, &Attempt { run: *run, entry: *entry, cut: &cut }).await {
            Err(error @ (Error::Ffmpeg { .. } | Error::OffPlan { .. }))
                if cut.load(Ordering::Relaxed) == 0 =>
            {
                tracing::warn!(%error, ?entry, "decoding starts from further back");
            }
            outcome => return outcome,
        }
    }
    video_from(context, video, &Attempt { run: *run, entry: *last, cut: &AtomicU32::new(0) }).await
}

/// One try at a run of the picture.
struct Attempt<'a> {
    run: Run,
    /// The key frame that decoding starts at; `None` for the beginning.
    entry: Option<Duration>,
    /// Counts the segments that came out.
    cut: &'a AtomicU32,
}

async fn video_from(context: &EncodeContext<'_>, video: &VideoPlan, attempt: &Attempt<'_>) -> Result<()> {
    let grid = &context.plan.grid;
    let Attempt { run, entry, cut } = *attempt;
    let Run { first, last } = run;
    let frames = (grid.start(last) - grid.start(first)) / u64::from(video.frame_ticks);
    let until = Duration::from_secs_f64(grid.seconds(grid.start(last)));
    let takes = takes::pictures(context.plan, video, context.source, Reach { entry, until });
    let mut input = Vec::new();
    for it in &takes {
        input.extend(clock_args(it.take.seek));
        // Theora's headers behind a seam reconfigure a decoder of one thread alone; and of many files at once, each has
        // a decoder.
        if !it.take.stretches.is_empty() || takes.len() > FEW {
            input.extend(strings(["-threads:v", "1"]));
        }
        // A change of size or format goes through the filters as they are: built anew, they would count from zero again.
        input.extend(strings(["-reinit_filter", "0"]));
        input.extend(input_args(&it.take.input));
    }
    let graph = graph(video, &takes, grid.start(first) / u64::from(video.frame_ticks));
    input.extend(strings(["-filter_complex", &graph]));
    let outputs = video.rungs.iter().enumerate().map(|(n, rung)| {
        rung_args(context.config, video, rung, &Output { n, frames, timescale: grid.timescale })
    });
    // Without an entry all that lies before the run is decoded too, and needs its time.
    let decoded = Run { first: if entry.is_some() { first } else { 0 }, last };
    let tally = Tally::default();
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("encoding the picture {}", between(&context.plan.grid, run)),
        input,
        stdin: None,
        printed: Some(tally.printed(context.plan.zero.as_secs_f64() - video.phase)),
        outputs: outputs.collect(),
        bounds: bounds(context, decoded),
        wall_time: wall_time(context, decoded),
    };
    let outcome = process::run(task, context.control, |n, output| {
        let rung = &video.rungs[n];
        let cutter = Cutter::video(&rung.name, video, grid, run);
        let start = u64::from(reorder_ticks(video));
        // An output many times above its cap is a runaway encoder, at any rate: it would fill the disk.
        let limit = 16 * (rung.maxrate_bps / 8 * span(context, run).as_secs().max(1)) + (64 << 20);
        consume(
            context.publisher,
            output.stream,
            Consumer { rendition: &rung.name, cutter, start, limit, cut },
        )
    })
    .await;
    // The segments of a run that was stopped stay published, and so do the losses in it.
    let whole = seconds(context.plan, run);
    let reached = if outcome.is_ok() { whole } else { tally.decoded(whole) };
    let losses = tally.losses(&video.packets, reached, context.plan);
    context.publisher.lost(&video.rungs[0].name, &losses).await?;
    match outcome {
        Err(Error::OffPlan { .. }) if tally.latest().is_none() => {
            let doing = format!("encoding the picture {}", between(grid, run));
            Err(Error::Ffmpeg { doing, at: None, trouble: Trouble::Damaged })
        }
        outcome => outcome.map_err(|error| error.near(tally.latest())),
    }
}

/// The context that all runs of a video share.
#[derive(Clone, Copy)]
pub(crate) struct EncodeContext<'a> {
    pub(crate) config: &'a Config,
    pub(crate) plan: &'a Plan,
    pub(crate) source: &'a Input,
    pub(crate) publisher: &'a Publisher,
    pub(crate) control: &'a Control,
}

/// The use of one output of the encoder.
pub(crate) struct Consumer<'a> {
    pub(crate) rendition: &'a str,
    pub(crate) cutter: Cutter,
    /// The composition time that is shown at zero.
    pub(crate) start: u64,
    /// In bytes.
    pub(crate) limit: u64,
    /// Counts the segments that came out.
    pub(crate) cut: &'a AtomicU32,
}

pub(crate) async fn consume(publisher: &Publisher, stream: UnixStream, consumer: Consumer<'_>) -> Result<()> {
    use tokio::io::AsyncReadExt;

    let Consumer { rendition, mut cutter, start, limit, cut } = consumer;
    let (send, mut receive) = tokio::sync::mpsc::channel::<(Segment, Option<ChunkWriter>)>(AHEAD);
    // `move`: the sender has to fall with the reader, or the publisher would wait for ever.
    let read = async move {
        let mut reader = Reader::new(tokio::io::BufReader::with_capacity(256 * 1024, stream.take(limit)));
        // Viewers who wait for the segment read it as it grows.
        let mut growing: Option<ChunkWriter> = None;
        while let Some(part) = reader.next().await? {
            let fragment = match part {
                Part::Init(moov) => {
                    publisher.init(rendition, &init(*moov, start)?).await?;
                    continue;
                }
                Part::Fragment(fragment) => fragment,
            };
            match (cutter.push(fragment)?, &growing) {
                (Cut::Nothing, _) => {}
                (Cut::Chunk(_, chunk), Some(growing)) => growing.push(chunk),
                (Cut::Chunk(number, chunk), None) => {
                    growing = Some(publisher.begin(rendition, number, chunk));
                }
                (Cut::Whole(segment), _) => {
                    cut.fetch_add(1, Ordering::Relaxed);
                    if send.send((segment, growing.take())).await.is_err() {
                        // The publisher failed and returns the error itself.
                        return Ok(());
                    }
                }
            }
        }
        cutter.end()
    };
    let publish = async {
        while let Some((segment, growing)) = receive.recv().await {
            publisher.segment(rendition, &segment, growing).await?;
        }
        Ok::<(), Error>(())
    };
    tokio::try_join!(publish, read).map(|_| ())
}

struct Output {
    n: usize,
    frames: u64,
    timescale: u32,
}

fn rung_args(config: &Config, video: &VideoPlan, rung: &Rung, output: &Output) -> Vec<OsString> {
    let gop = video.gop_frames.to_string();
    let level = format!("{}.{}", rung.level_idc / 10, rung.level_idc % 10);
    let mut args =
        strings(["-map", &format!("[v{}]", output.n), "-c:v", "libx264", "-preset", &config.preset]);
    // CODECS stands in playlists before the first frame does, so profile and level are the plan's and not x264's
    // choice.
    args.extend(strings(["-profile:v", "high", "-level:v", &level]));
    // Capped quality: what is easy to encode stays small, and the cap keeps BANDWIDTH's promise for what is not.
    args.extend(strings(["-crf", &rung.crf.to_string()]));
    args.extend(strings([
        "-maxrate",
        &rung.maxrate_bps.to_string(),
        "-bufsize",
        &rung.bufsize_bits.to_string(),
    ]));
    // Key frames at the plan's places and nowhere else.
    args.extend(strings(["-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0"]));
    // Broadcast captions (CEA-608/708) would stay in the picture while the playlist states that there are none.
    args.extend(strings(["-a53cc", "0"]));
    // Set here, over the preset's value, because the edit list states how far pictures are reordered.
    args.extend(strings(["-bf", "3", "-x264-params", "b-pyramid=normal:open-gop=0:8x8dct=1"]));
    args.extend(strings(["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]));
    args.extend(strings([
        "-color_range",
        "tv",
        // The `fps` filter has made the rate constant. A second pass over it could double or drop a frame of the
        // plan's.
        "-fps_mode",
        "passthrough",
        "-frames:v",
        &output.frames.to_string(),
    ]));
    args.extend(strings(["-video_track_timescale", &output.timescale.to_string()]));
    // The muxer ends a fragment in front of the frame that makes it this long; half a frame less, for times are rounded.
    let frames = f64::from(chunk_frames(video)) - 0.5;
    let chunk = frames * f64::from(video.frame_ticks) / f64::from(output.timescale);
    args.extend(strings(["-frag_duration", &format!("{:.0}", chunk * 1e6)]));
    args.extend(mp4_args("+frag_keyframe+negative_cts_offsets"));
    args
}

/// Fragments as they come, with their real times.
pub(crate) fn mp4_args(fragments: &str) -> Vec<OsString> {
    // Without metadata and bit exact: whichever run is first publishes the init segment, so each has to write the
    // same.
    let flags = format!("{fragments}+empty_moov+default_base_moof+frag_discont+skip_trailer");
    strings([
        "-map_metadata",
        "-1",
        "-map_chapters",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags",
        "+bitexact",
        "-avoid_negative_ts",
        "disabled",
        "-movflags",
        &flags,
        "-f",
        "mp4",
    ])
}

/// Lets ffmpeg keep the source's own clock, and start reading at `seek` from the container's start.
///
/// Not `-start_at_zero`: for MPEG-TS it counts from the first stream in use, which differs between our calls.
pub(crate) fn clock_args(seek: Duration) -> Vec<OsString> {
    let mut args = strings(["-copyts"]);
    if !seek.is_zero() {
        // Accurate seeking would drop frames by ffmpeg's own reckoning; the filters cut at the frame.
        args.extend(strings(["-noaccurate_seek", "-ss", &format!("{:.6}", seek.as_secs_f64())]));
    }
    args
}

pub(crate) fn strings<const N: usize>(args: [&str; N]) -> Vec<OsString> {
    args.into_iter().map(OsString::from).collect()
}

/// Returns the seconds of the source that a run decodes whole; the last run goes to the end.
pub(crate) fn seconds(plan: &Plan, run: Run) -> Seconds {
    let at = |n| plan.grid.seconds(plan.grid.start(n)) + plan.zero.as_secs_f64();
    let first = if run.first == 0 { 0 } else { at(run.first).ceil() as u64 };
    let last = if run.last >= plan.grid.segments() { u64::MAX } else { at(run.last).floor() as u64 };
    Seconds { first, last }
}

pub(crate) fn span(context: &EncodeContext<'_>, run: Run) -> Duration {
    let grid = &context.plan.grid;
    Duration::from_secs_f64(grid.seconds(grid.start(run.last) - grid.start(run.first)))
}

// Far above what a slow machine needs for the slowest preset, far below for ever.
pub(crate) fn wall_time(context: &EncodeContext<'_>, run: Run) -> Duration {
    Duration::from_mins(5) + span(context, run) * 200
}

/// Pictures leave the processors to sound, which is short and waited for as much, and to what the server sends.
const PICTURES_NICE: u8 = 5;

pub(crate) fn bounds(context: &EncodeContext<'_>, run: Run) -> Bounds {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u32;
    Bounds {
        // Processor time adds up over threads.
        cpu: wall_time(context, run) * cores,
        // Every thread reserves an arena and a stack, and every rung has threads for every core.
        memory_bytes: (8 << 30) + u64::from(cores) * (1 << 30),
        // And one for each of the files that a source was joined from.
        open_files: 256 + context.plan.parts.len() as u64,
        nice: PICTURES_NICE,
    }
}
