//! Sound: a run of one audio rendition, decoded by one process and encoded by another. Leaves cutting to `segment`,
//! the picture to `encode`.

use std::{sync::atomic::AtomicU32, time::Duration};

use crate::{
    Result,
    child::{Feed, Task},
    decoded::Tally,
    encode::{
        Consumer, EncodeContext, bounds, clock_args, consume, mp4_args, seconds, span, strings, wall_time,
    },
    ffmpeg::input_args,
    notes::between,
    plan::{AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, AudioPlan, Run},
    process,
    segment::Cutter,
    setpts::sound_expression,
};

/// Encodes and publishes a run of one audio rendition, in two stages.
///
/// The first brings all sound to one format: where a source changes its rate or channels, ffmpeg builds the filters
/// anew, and what counts time would start again. The second puts it in its place and encodes it.
///
/// Decoding always starts at the beginning: sound costs little, gaps and drift are then filled in the same
/// way whichever run a segment belongs to.
pub(crate) async fn audio(context: &EncodeContext<'_>, audio: &AudioPlan, run: &Run) -> Result<()> {
    let plan = context.plan;
    // It ends no later than the second stage stops reading, which would otherwise break its pipe.
    let filter = format!(
        "[0:{}]asetpts={},{},aresample={AUDIO_SAMPLE_RATE},aformat=sample_fmts=flt:channel_layouts=stereo,\
         atrim=end_pts={}[a]",
        audio.stream,
        sound_expression(&audio.stretches, plan.clock_at_zero()),
        Tally::filters("a"),
        audio.first_frame(&plan.grid, run.last) * AAC_FRAME_SAMPLES,
    );
    let mut input = clock_args(Duration::ZERO);
    input.extend(input_args(context.source));
    input.extend(strings(["-filter_complex", &filter]));
    let decoded = Run { first: 0, last: run.last };
    let tally = Tally::default();
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("decoding the sound {}", between(&plan.grid, decoded)),
        input,
        stdin: None,
        printed: Some(tally.printed(plan.zero.as_secs_f64())),
        outputs: vec![strings(["-map", "[a]", "-c:a", "pcm_f32le", "-f", "nut"])],
        bounds: bounds(context, decoded),
        wall_time: wall_time(context, decoded),
    };
    let outcome = process::run(task, context.stop, |_, output| {
        let sound = Feed { stream: output.stream, progress: output.progress };
        encode(context, audio, Stage { run: *run, sound })
    })
    .await;
    let losses = tally.losses(&audio.packets, seconds(plan, decoded), plan);
    context.publisher.lost(&audio.name, &losses).await?;
    outcome.map_err(|error| error.near(tally.latest()))
}

/// The second stage of sound.
struct Stage {
    run: Run,
    /// The first stage's output.
    sound: Feed,
}

async fn encode(context: &EncodeContext<'_>, audio: &AudioPlan, stage: Stage) -> Result<()> {
    let Stage { run, sound } = stage;
    let grid = &context.plan.grid;
    let Run { first, last } = run;
    let from = audio.first_frame(grid, first);
    // Two frames before the first, because each frame overlaps the one before it (ISO/IEC 14496-3 §4.6.11).
    let warm_up = from.min(2);
    let frames = audio.first_frame(grid, last) - from + warm_up;
    // Ten milliseconds that are missing are filled: left alone, lost packets would add up to sound that runs ahead.
    let filter = format!(
        "[0:a]aresample={AUDIO_SAMPLE_RATE}:async=1:min_hard_comp=0.01:first_pts=0,aformat=sample_fmts=fltp,\
         atrim=start_pts={},apad[a]",
        (from - warm_up) * AAC_FRAME_SAMPLES,
    );
    let bitrate = audio.bitrate_bps.to_string();
    // One more than wanted: the encoder's priming comes first and is dropped.
    let count = (frames + 1).to_string();
    let mut output = strings(["-map", "[a]", "-c:a", "aac", "-b:a", &bitrate, "-frames:a", &count]);
    output.extend(mp4_args("+frag_every_frame"));
    let mut input = clock_args(Duration::ZERO);
    input.extend(strings(["-f", "nut", "-protocol_whitelist", "pipe", "-i", "pipe:0"]));
    input.extend(strings(["-filter_complex", &filter]));
    let decoded = Run { first: 0, last };
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("encoding the sound {}", between(grid, run)),
        input,
        stdin: Some(sound),
        printed: None,
        outputs: vec![output],
        bounds: bounds(context, decoded),
        wall_time: wall_time(context, decoded),
    };
    let cut = AtomicU32::new(0);
    process::run(task, context.stop, |_, output| {
        let cutter = Cutter::audio(audio, grid, run);
        let limit = 16 * (audio.bitrate_bps / 8 * span(context, run).as_secs().max(1)) + (64 << 20);
        let rendition = &audio.name;
        consume(context.publisher, output.stream, Consumer { rendition, cutter, start: 0, limit, cut: &cut })
    })
    .await
}
