//! Sound: a run of one audio rendition, decoded by one process and encoded by another. Leaves cutting to `segment`,
//! the picture to `encode`.

use std::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{
    Error, Result,
    child::{Feed, Task},
    decoded::Tally,
    encode::{
        Consumer, EncodeContext, bounds, clock_args, consume, mp4_args, seconds, span, strings, wall_time,
    },
    ffmpeg::{Bounds, input_args},
    notes::between,
    plan::{AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, AudioPlan, Plan, Run, SoundEntry},
    process,
    segment::Cutter,
    setpts::{rounded_sound_expression, sound_expression},
    takes::{self, Take},
    trouble::Trouble,
};

/// Frames that are encoded before the first and dropped: each overlaps the one before it (ISO/IEC 14496-3 §4.6.11), and
/// the encoder's choices follow from those before.
const WARM_UP: u64 = 8;
/// Frames that are encoded behind the last and dropped. The encoder chooses a frame's window by what follows: before
/// silence it would be one that does not overlap with the next run's first.
const LOOK_AHEAD: u64 = 3;
/// Decoders and resamplers come to what they give from the beginning well within this.
const PRE_ROLL: Duration = Duration::from_millis(500);
/// A packet that is read before the pre-roll: containers lead to the one at or before a time, and round it.
const SEEK_EARLIER: Duration = Duration::from_millis(500);
/// The last frame that was decoded well ends the next attempt, as the first one behind its end.
const BEFORE_DAMAGE: Duration = Duration::from_millis(50);
/// Ten milliseconds that are missing are filled: left alone, lost packets would add up to sound that runs ahead.
const FILLED: &str = "async=1:min_hard_comp=0.01";
/// The sound of a run of which nothing decodes.
const SILENCE: &str = "anullsrc=r=48000:cl=stereo,aformat=sample_fmts=flt";
/// The format that all sound is brought to.
const COMMON: &str = "aresample=48000,aformat=sample_fmts=flt:channel_layouts=stereo";

/// Encodes and publishes a run of one audio rendition, in two stages.
///
/// The first brings all sound to one format: where a source changes its rate or channels, ffmpeg builds the filters
/// anew, and what counts time would start again. The second puts it in its place and encodes it.
///
/// Decoding starts a moment before the run where the plan knows an entry, else at the beginning: gaps and drift are then
/// filled in the same way whichever run a segment belongs to.
///
/// Damage may end the decoder, such as by a frame of forty channels. What lies behind it is silence then, and noted as
/// lost; so is all of a sound beside a picture, of which nothing decodes.
pub(crate) async fn audio(context: &EncodeContext<'_>, audio: &AudioPlan, run: &Run) -> Result<()> {
    let cut = AtomicU32::new(0);
    match decode(context, audio, &Attempt { run: *run, until: None, cut: &cut }).await {
        Err(Error::Ffmpeg { at: Some(at), trouble, .. })
            if trouble.is_of_the_source() && cut.load(Ordering::Relaxed) == 0 =>
        {
            tracing::warn!(%trouble, ?at, rendition = audio.name, "the sound behind is left out");
            let until = Some(at.saturating_sub(BEFORE_DAMAGE));
            decode(context, audio, &Attempt { run: *run, until, cut: &cut }).await
        }
        Err(Error::Ffmpeg { at: None, trouble: Trouble::Damaged, .. }) if context.plan.video.is_some() => {
            tracing::warn!(rendition = audio.name, "nothing of the sound decodes");
            decode(context, audio, &Attempt { run: *run, until: Some(Duration::ZERO), cut: &cut }).await
        }
        outcome => outcome,
    }
}

/// One try at a run.
struct Attempt<'a> {
    run: Run,
    /// Where decoding ends, from the container's start.
    until: Option<Duration>,
    /// Counts the segments that came out.
    cut: &'a AtomicU32,
}

async fn decode(context: &EncodeContext<'_>, audio: &AudioPlan, attempt: &Attempt<'_>) -> Result<()> {
    let Attempt { run, until, cut: segments } = attempt;
    let plan = context.plan;
    let entry = entry(plan, audio, *run);
    let tally = Tally::default();
    let zero = plan.clock_at_zero();
    let seek = entry.map_or(Duration::ZERO, |entry| entry.seek);
    let takes = takes::sounds(plan, audio, context.source, seek);
    let mut input = Vec::new();
    for take in &takes {
        input.extend(clock_args(take.seek));
        if take.unskipped {
            input.extend(strings(["-flags2:a", "+skip_manual"]));
        }
        input.extend(input_args(&take.input));
    }
    // It ends no later than the second stage stops reading, which would otherwise break its pipe. It begins at zero: the
    // muxer between them would move all of what has a time before.
    let mut end = (audio.first_frame(&plan.grid, run.last) + LOOK_AHEAD) * AAC_FRAME_SAMPLES;
    if let Some(until) = until {
        // The muxer between the stages writes nothing of an empty stream.
        end = end.min(samples(until.saturating_sub(plan.zero))).max(AAC_FRAME_SAMPLES);
    }
    let filter = match takes.as_slice() {
        _ if *until == Some(Duration::ZERO) => {
            input = strings(["-f", "lavfi", "-i", SILENCE]);
            format!("[0:a]atrim=end_pts={end}[a]")
        }
        [take] if take.place.is_none() => {
            let times = match audio.entry {
                Some(entry) if entry.rounded => {
                    rounded_sound_expression(entry.first.as_secs_f64() - plan.zero.as_secs_f64(), zero)
                }
                _ => sound_expression(take.stretches, zero),
            };
            let cut = entry.map_or_else(String::new, |entry| format!("atrim=start={:.6},", entry.cut));
            format!(
                "[0:{}]asetpts={times},{},{cut}{COMMON},atrim=start_pts=0:end_pts={end}[a]",
                take.stream,
                Tally::filters("a")
            )
        }
        _ => joined(&takes, end),
    };
    input.extend(strings(["-filter_complex", &filter]));
    let decoded = Run { first: if entry.is_some() { run.first } else { 0 }, last: run.last };
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("decoding the sound {}", between(&plan.grid, decoded)),
        input,
        stdin: None,
        printed: Some(tally.printed(plan.zero.as_secs_f64())),
        // NUT carries the times of samples through a pipe, which WAV cannot.
        outputs: vec![strings(["-map", "[a]", "-c:a", "pcm_f32le", "-f", "nut"])],
        bounds: Bounds { nice: 0, ..bounds(context, decoded) },
        wall_time: wall_time(context, decoded),
    };
    let outcome = process::run(task, context.control, |_, output| {
        let sound = Feed { stream: output.stream, progress: output.progress };
        let from = entry.map_or(0, |entry| entry.from);
        encode(context, audio, Stage { run: *run, from, sound, cut: segments })
    })
    .await;
    if outcome.is_ok() && plan.video.is_none() && decoded.first == 0 && tally.latest().is_none() {
        let doing = format!("decoding the sound {}", between(&plan.grid, decoded));
        return Err(Error::Ffmpeg { doing, at: None, trouble: Trouble::Damaged });
    }
    let whole = seconds(plan, decoded);
    let reached = if outcome.is_ok() { whole } else { tally.decoded(whole) };
    let losses = tally.losses(&audio.packets, reached, plan);
    context.publisher.lost(&audio.name, &losses).await?;
    outcome.map_err(|error| error.near(tally.latest()))
}

/// Returns the filters of files that were joined: each one's sound is cut to its file's place, and filled up to the next
/// one's.
fn joined(takes: &[Take<'_>], end: u64) -> String {
    let places: Vec<Range<Duration>> =
        takes.iter().map(|take| take.place.clone().unwrap_or_default()).collect();
    let mut from = Duration::ZERO;
    let mut graph = String::new();
    for (n, (take, place)) in takes.iter().zip(&places).enumerate() {
        let next = places.get(n + 1).map_or(place.end, |next| next.start);
        let own = samples(place.end) - samples(from);
        let whole = samples(next) - samples(from);
        graph += &format!(
            "[{n}:{}]asetpts={},{}:direct=1,asetpts=PTS-{:.6}/TB,aresample={AUDIO_SAMPLE_RATE}:{FILLED}:first_pts=0,\
             {COMMON},atrim=end_sample={own},apad=whole_len={whole},atrim=end_sample={whole}[p{n}];",
            take.stream,
            sound_expression(take.stretches, take.clock_at_zero),
            Tally::filters("a"),
            from.as_secs_f64(),
        );
        from = next;
    }
    let inputs: String = (0..takes.len()).map(|n| format!("[p{n}]")).collect();
    format!("{graph}{inputs}concat=n={}:v=0:a=1,atrim=end_pts={end}[a]", takes.len())
}

fn samples(time: Duration) -> u64 {
    (time.as_secs_f64() * f64::from(AUDIO_SAMPLE_RATE)).round() as u64
}

/// The place in a source where the decoding of a run's sound starts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    /// From the container's start.
    seek: Duration,
    /// The first sample that is kept, in seconds from zero.
    cut: f64,
    /// Its place in the encoder's samples.
    from: u64,
}

/// Returns the entry of a run; `None` where decoding starts at the beginning.
///
/// The first sample kept is one that the resampler would give out as it is, counted from the sound's first: then all
/// behind it are those that come from the beginning.
fn entry(plan: &Plan, audio: &AudioPlan, run: Run) -> Option<Entry> {
    let SoundEntry { sample_rate, first, .. } = audio.entry?;
    let (theirs, ours) = (i64::from(sample_rate), i64::from(AUDIO_SAMPLE_RATE));
    let wanted =
        (audio.first_frame(&plan.grid, run.first).saturating_sub(WARM_UP) * AAC_FRAME_SAMPLES) as i64;
    let first = (first.as_secs_f64() - plan.zero.as_secs_f64()) * f64::from(sample_rate);
    let first = first.round() as i64;
    // Behind these samples of each, both are at a whole sample.
    let common = gcd(theirs, ours);
    let (step, our_step) = (theirs / common, ours / common);
    let before = wanted - PRE_ROLL.as_millis() as i64 * ours / 1000 - first * ours / theirs;
    let steps = before / our_step;
    // Near the beginning there is nothing to save.
    if before < 0 || steps == 0 {
        return None;
    }
    let cut = (first + steps * step) as f64 / f64::from(sample_rate);
    let from = (first as f64 * f64::from(AUDIO_SAMPLE_RATE) / f64::from(sample_rate)).round() as i64;
    let seek = plan.zero + Duration::try_from_secs_f64(cut).ok()?;
    let seek = seek.saturating_sub(PRE_ROLL + SEEK_EARLIER);
    let from = u64::try_from(from + steps * our_step).ok()?;
    (!seek.is_zero()).then_some(Entry { seek, cut, from })
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The second stage of sound.
struct Stage<'a> {
    run: Run,
    /// The place of the first stage's first sample; 0 for a source's beginning, before which silence is filled in.
    from: u64,
    /// The first stage's output.
    sound: Feed,
    /// Counts the segments that came out.
    cut: &'a AtomicU32,
}

async fn encode(context: &EncodeContext<'_>, audio: &AudioPlan, stage: Stage<'_>) -> Result<()> {
    let Stage { run, from: begins, sound, cut } = stage;
    let grid = &context.plan.grid;
    let Run { first, last } = run;
    let from = audio.first_frame(grid, first);
    let warm_up = from.min(WARM_UP);
    let frames = audio.first_frame(grid, last) - from + warm_up;
    // `apad` gives silence up to the plan's end where the sound ends before; `-frames:a` ends it.
    let filter = format!(
        "[0:a]aresample={AUDIO_SAMPLE_RATE}:{FILLED}:first_pts={begins},aformat=sample_fmts=fltp,\
         atrim=start_pts={},apad[a]",
        (from - warm_up) * AAC_FRAME_SAMPLES,
    );
    let bitrate = audio.bitrate_bps.to_string();
    // One more than wanted: the encoder's priming comes first and is dropped.
    let count = (frames + LOOK_AHEAD + 1).to_string();
    let mut output = strings(["-map", "[a]", "-c:a", "aac", "-b:a", &bitrate, "-frames:a", &count]);
    output.extend(mp4_args("+frag_every_frame"));
    let mut input = clock_args(Duration::ZERO);
    input.extend(strings(["-f", "nut", "-protocol_whitelist", "pipe", "-i", "pipe:0"]));
    input.extend(strings(["-filter_complex", &filter]));
    let decoded = Run { first: if begins > 0 { first } else { 0 }, last };
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("encoding the sound {}", between(grid, run)),
        input,
        stdin: Some(sound),
        printed: None,
        outputs: vec![output],
        bounds: Bounds { nice: 0, ..bounds(context, decoded) },
        wall_time: wall_time(context, decoded),
    };
    process::run(task, context.control, |_, output| {
        let cutter = Cutter::audio(audio, grid, run);
        let limit = 16 * (audio.bitrate_bps / 8 * span(context, run).as_secs().max(1)) + (64 << 20);
        let rendition = &audio.name;
        consume(context.publisher, output.stream, Consumer { rendition, cutter, start: 0, limit, cut })
    })
    .await
}
