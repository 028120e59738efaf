//! Jobs: the work of each kind.

use std::{sync::Arc, time::Duration};

use ffmpeg::Input;
use store::{
    FileTrack, Job, JobClass, JobKind, NewJob, NewPlan, Rendition, RenditionKind, Source, Store, Video,
};

use crate::{
    Config, Error, Refusal, Result, channels,
    control::Control,
    encode,
    encode::EncodeContext,
    facts::Facts,
    in_hand::RunInHand,
    notes::{self, Part},
    pace::Pace,
    plan::{Plan, Rung, VideoPlan, plan},
    playlists, poster,
    probe::{self, Programs},
    publish::Publisher,
    runs::{self, Hole},
    sound, text,
};

// Where caption tracks have their folders.
const CAPTIONS: &str = "captions/";

/// Does `job`. Published segments stay when it is stopped in the middle, so that the next run goes on behind them.
pub(crate) async fn run(store: &Store, config: &Config, job: &Job, control: &Control) -> Result<()> {
    let publisher = Publisher { store: store.clone(), video: job.video.clone(), run: None };
    if job.kind == JobKind::Prepare {
        return prepare(config, &publisher, control).await;
    }
    let plan = stored_plan(&publisher).await?;
    if matches!(job.kind, JobKind::Finish | JobKind::Playlists) {
        return write_playlists(job, &publisher, &plan).await;
    }
    let source = store.blobs.source(&job.video).await?;
    let context =
        EncodeContext { config, plan: &plan, source: &input(&source), publisher: &publisher, control };
    prefer_source_error(encode(&context, job).await, &source)
}

async fn write_playlists(job: &Job, publisher: &Publisher, plan: &Plan) -> Result<()> {
    match job.kind {
        JobKind::Finish => finish(publisher, plan).await,
        _ => playlists::rewrite(publisher, plan).await,
    }
}

async fn encode(context: &EncodeContext<'_>, job: &Job) -> Result<()> {
    match job.kind {
        JobKind::Prepare | JobKind::Captions | JobKind::Finish | JobKind::Playlists => Err(unplanned(job)),
        JobKind::Poster => poster::make(context).await,
        JobKind::Text => read_text(context, job).await,
        JobKind::Audio | JobKind::Video => encode_run(context, job).await,
    }
}

/// Encodes what is left of a run.
async fn encode_run(context: &EncodeContext<'_>, job: &Job) -> Result<()> {
    let names = renditions_of(context.plan, job);
    // A kill between the last publication and this look may have left it undone.
    context.publisher.mark_playable().await?;
    for hole in runs::holes(context.publisher, &names, job.segments.clone()).await? {
        let turn = context.control.stop.child_token();
        let control = context.control.ended_by(&turn);
        let pace = Pace::new(context.plan.grid, context.control.pauses.clone());
        let in_hand = Arc::new(RunInHand::new(job, &hole.renditions, turn, pace));
        let publisher = Publisher { run: Some(in_hand.clone()), ..context.publisher.clone() };
        let context = EncodeContext { control: &control, publisher: &publisher, ..*context };
        match encode_hole(&context, job, &hole).await {
            // The rest is another row's: this job has come to its end, and its later holes went with the rest.
            Err(Error::Interrupted) if in_hand.is_cut_off() => return Ok(()),
            outcome => outcome?,
        }
    }
    context.publisher.store.renditions.list_whole(&job.video).await?;
    Ok(())
}

async fn encode_hole(context: &EncodeContext<'_>, job: &Job, hole: &Hole) -> Result<()> {
    let has = |name: &str| hole.renditions.iter().any(|rendition| rendition == name);
    if job.kind == JobKind::Audio {
        let audio = context.plan.audio.iter().find(|audio| has(&audio.name)).ok_or_else(|| unplanned(job))?;
        return sound::audio(context, audio, &hole.run).await;
    }
    let video = context.plan.video.as_ref().ok_or_else(|| unplanned(job))?;
    let rungs: Vec<Rung> = video.rungs.iter().filter(|rung| has(&rung.name)).cloned().collect();
    if rungs.is_empty() {
        return Err(unplanned(job));
    }
    encode::video(context, &VideoPlan { rungs, ..video.clone() }, &hole.run).await
}

/// Returns the renditions of a run, in the plan's order.
fn renditions_of(plan: &Plan, job: &Job) -> Vec<String> {
    let has = |name: &String| job.track.split(' ').any(|track| track == name);
    if job.kind == JobKind::Audio {
        return plan.audio.iter().map(|audio| audio.name.clone()).filter(has).collect();
    }
    let rungs = plan.video.iter().flat_map(|video| &video.rungs).map(|rung| rung.name.clone());
    // Runs from before they were cut by renditions name none.
    rungs.filter(|name| job.track.is_empty() || has(name)).collect()
}

async fn probed(config: &Config, source: &Source) -> Result<Facts> {
    let programs = Programs { ffprobe: &config.ffprobe, ffmpeg: &config.ffmpeg };
    match source {
        Source::File(path) => probe::probe(programs, &path.clone().into()).await,
        Source::Loopback(source) => probe::probe_loopback(programs, source).await,
    }
}

/// Returns the input that ffmpeg and ffprobe open.
fn input(source: &Source) -> Input {
    match source {
        Source::File(path) => path.clone().into(),
        Source::Loopback(source) => Input::Loopback { url: source.url().to_owned(), len: source.len() },
    }
}

/// Returns the source's own error if it has one: the complaints of a program whose source was taken away are no verdict on the file.
fn prefer_source_error<T>(outcome: Result<T>, source: &Source) -> Result<T> {
    match (outcome, source.failure()) {
        (Err(_), Some(failure)) => Err(failure.into()),
        (outcome, _) => outcome,
    }
}

/// Probes the source, fixes the plan, writes every playlist, and queues the rest.
async fn prepare(config: &Config, publisher: &Publisher, control: &Control) -> Result<()> {
    let (store, id) = (&publisher.store, &publisher.video);
    let video = store.videos.get(id).await?.ok_or_else(|| store::Error::Gone(id.clone()))?;
    // After a failure the first plan stands, because segments of it may be published.
    let plan = if let Some(json) = video.plan {
        serde_json::from_str(&json)?
    } else {
        let source = store.blobs.source(id).await?;
        let facts = prefer_source_error(probed(config, &source).await, &source)?;
        config.limits.check(&facts)?;
        admit_minutes(config, store, Length { of: &video, duration: facts.duration }).await?;
        let plan = plan(&facts, &config.plan)?;
        let context = EncodeContext { config, plan: &plan, source: &input(&source), publisher, control };
        let text = prefer_source_error(channels::texts(&context).await, &source)?;
        Plan { text, ..plan }
    };
    // Playlists come before the row, which sends viewers to them.
    playlists::write(publisher, &plan, None).await?;
    let json = serde_json::to_string(&plan)?;
    let (renditions, jobs) = (renditions(&plan), jobs(&plan, config));
    let duration_seconds = plan.grid.seconds(plan.grid.duration_ticks);
    let captions = captions(&plan);
    let new = NewPlan {
        json: &json,
        duration_seconds,
        renditions: &renditions,
        jobs: &jobs,
        captions: &captions,
        listen: config.listen && !plan.audio.is_empty(),
        notes: &plan.notes,
    };
    store.renditions.plan(id, &new).await?;
    tracing::info!(video = %id, duration_seconds, renditions = renditions.len(), "planned");
    Ok(())
}

/// How long a video is.
struct Length<'a> {
    of: &'a Video,
    duration: Duration,
}

/// Refuses a video whose length would bring its owner over their minutes. An upload is refused where these are used up; how long it
/// is shows here at the earliest.
async fn admit_minutes(config: &Config, store: &Store, length: Length<'_>) -> Result<()> {
    let Some(owner) = &length.of.rights.owner else { return Ok(()) };
    let balance = store.quotas.balance(owner, config.quota).await?;
    let Some(limit) = balance.quota.minutes else { return Ok(()) };
    // The length of this one is not recorded yet.
    let (duration, used) = (length.duration, balance.usage.minutes);
    if used + duration.as_secs_f64() / 60.0 > limit as f64 {
        return Err(Refusal::OverQuota { duration, used, limit }.into());
    }
    Ok(())
}

/// Measures what was encoded, writes the playlists with its rates, and calls the video ready.
async fn finish(publisher: &Publisher, plan: &Plan) -> Result<()> {
    let measured = playlists::measure(publisher, plan).await?;
    playlists::write(publisher, plan, Some(&measured)).await?;
    // `ready` comes last, so that a kill before it has all of this done again.
    publisher.store.videos.set_notes(&publisher.video, &all_notes(publisher, plan).await?).await?;
    publisher.store.videos.mark_ready(&publisher.video).await?;
    tracing::info!(video = %publisher.video, "ready");
    Ok(())
}

/// Returns the plan's notes, and those on what could not be decoded.
async fn all_notes(publisher: &Publisher, plan: &Plan) -> Result<Vec<String>> {
    let losses = async |rendition: &str| publisher.store.renditions.losses(&publisher.video, rendition).await;
    let mut all = plan.notes.clone();
    // All rungs are of the same decoded pictures.
    if let Some(rung) = plan.video.as_ref().and_then(|video| video.rungs.first()) {
        all.extend(notes::lost(Part::Picture, &losses(&rung.name).await?, &plan.grid));
    }
    for audio in &plan.audio {
        let part = if plan.audio.len() > 1 { Part::SoundOf(&audio.label) } else { Part::Sound };
        all.extend(notes::lost(part, &losses(&audio.name).await?, &plan.grid));
    }
    Ok(all)
}

/// Copies a text track of the file into the captions that stand for it.
async fn read_text(context: &EncodeContext<'_>, job: &Job) -> Result<()> {
    let captions = &context.publisher.store.captions;
    let track = match job.track.parse() {
        Ok(id) => captions.get(&id).await?,
        Err(_) => None,
    };
    // Somebody may have deleted it meanwhile.
    let Some(track) = track else { return Ok(()) };
    let name = format!("{CAPTIONS}{}", track.name.unwrap_or_default());
    let text = context.plan.text.iter().find(|text| text.name == name).ok_or_else(|| unplanned(job))?;
    let cues = text::read(context, text).await?;
    Ok(captions.fill(job, &cues).await?)
}

async fn stored_plan(publisher: &Publisher) -> Result<Plan> {
    let video = publisher.store.videos.get(&publisher.video).await?;
    let json = video.and_then(|v| v.plan).ok_or_else(|| store::Error::Gone(publisher.video.clone()))?;
    Ok(serde_json::from_str(&json)?)
}

fn renditions(plan: &Plan) -> Vec<Rendition> {
    let segments_total = plan.grid.segments();
    let pictures = plan.video.iter().flat_map(|video| {
        video.rungs.iter().map(move |rung| Rendition {
            name: rung.name.clone(),
            kind: RenditionKind::Video,
            width: Some(rung.width),
            height: Some(rung.height),
            frame_rate: Some(f64::from(video.frame_rate.num) / f64::from(video.frame_rate.den)),
            bitrate_bps: Some(rung.maxrate_bps),
            language: None,
            label: None,
            codecs: None,
            segments_total,
            start_up: video.begins_on(rung),
        })
    });
    let unseen = |name: &str, kind, language: Option<&str>, label: &str| Rendition {
        name: name.to_owned(),
        kind,
        width: None,
        height: None,
        frame_rate: None,
        bitrate_bps: None,
        language: language.map(str::to_owned),
        label: Some(label.to_owned()),
        codecs: None,
        segments_total,
        start_up: false,
    };
    let sound = plan.audio.iter().enumerate().map(|(place, a)| Rendition {
        bitrate_bps: Some(a.bitrate_bps),
        start_up: place == 0,
        ..unseen(&a.name, RenditionKind::Audio, a.language.as_deref(), &a.label)
    });
    pictures.chain(sound).collect()
}

fn captions(plan: &Plan) -> Vec<FileTrack> {
    let tracks = plan.text.iter().map(|text| FileTrack {
        name: text.name.strip_prefix(CAPTIONS).unwrap_or(&text.name).to_owned(),
        language: text.language.clone(),
        label: Some(text.label.clone()),
        describes_sounds: text.describes_sounds,
        forced: text.forced,
    });
    tracks.collect()
}

fn jobs(plan: &Plan, config: &Config) -> Vec<NewJob> {
    let whole =
        |kind| NewJob { kind, track: String::new(), segments: 0..0, class: JobClass::Background, turn: 0 };
    // Without a picture, too: the owner may have chosen one before the video failed.
    let mut jobs = vec![whole(JobKind::Finish), whole(JobKind::Poster)];
    jobs.extend(runs::of(plan, config.run_segments));
    jobs
}

fn unplanned(job: &Job) -> Error {
    Error::OffPlan {
        rendition: job.track.clone(),
        given: format!("a {} job", job.kind.as_str()),
        planned: "no such rendition".into(),
    }
}
