//! In charge of what each kind of job does.

use store::{Job, JobKind, NewJob, NewPlan, Rendition, RenditionKind, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Error, Result, dash, encode,
    encode::Work,
    hls,
    measure::{Measured, SegmentFacts, average_bps},
    plan::{Plan, plan},
    poster, probe,
    publish::Publisher,
    text,
};

/// Does `job`. What it publishes stays, also when it is stopped in the middle.
pub(crate) async fn run(store: &Store, config: &Config, job: &Job, stop: &CancellationToken) -> Result<()> {
    let publisher = Publisher { store: store.clone(), video: job.video.clone() };
    if job.kind == JobKind::Prepare {
        return prepare(config, &publisher).await;
    }
    let plan = stored_plan(&publisher).await?;
    let source = store.blobs.file(&job.video.source())?;
    let work = Work { config, plan: &plan, source: &source, publisher: &publisher, stop };
    match job.kind {
        JobKind::Prepare => Ok(()),
        JobKind::Poster => match &plan.video {
            Some(video) => poster::make(&work, video).await,
            None => Ok(()),
        },
        JobKind::Text => match plan.text.iter().find(|t| t.name == job.track) {
            Some(text) => text::make(&work, text).await,
            None => Err(unplanned(job)),
        },
        JobKind::Audio => {
            let audio = plan.audio.iter().find(|a| a.name == job.track).ok_or_else(|| unplanned(job))?;
            match remaining(&publisher, std::slice::from_ref(&audio.name), job.segments).await? {
                Some(run) => encode::audio(&work, audio, run).await,
                None => Ok(()),
            }
        }
        JobKind::Video => {
            let video = plan.video.as_ref().ok_or_else(|| unplanned(job))?;
            let rungs: Vec<String> = video.rungs.iter().map(|r| r.name.clone()).collect();
            match remaining(&publisher, &rungs, job.segments).await? {
                Some(run) => encode::video(&work, video, run).await,
                None => Ok(()),
            }
        }
        JobKind::Finish => finish(&publisher, &plan).await,
    }
}

/// Probes the source, fixes the plan, writes every playlist, and queues the rest.
async fn prepare(config: &Config, publisher: &Publisher) -> Result<()> {
    let (store, id) = (&publisher.store, &publisher.video);
    let video = store.videos.get(id).await?.ok_or_else(|| store::Error::Gone(id.clone()))?;
    // After a failure the first plan stands, because segments of it may be published.
    let plan = if let Some(json) = video.plan {
        serde_json::from_str(&json)?
    } else {
        let facts = probe::probe(&config.ffprobe, &store.blobs.file(&id.source())?).await?;
        config.limits.check(&facts)?;
        plan(&facts, &config.plan)?
    };
    write_playlists(publisher, &plan, None).await?;
    let json = serde_json::to_string(&plan)?;
    let (renditions, jobs) = (renditions(&plan), jobs(&plan, config));
    let duration_seconds = plan.grid.seconds(plan.grid.duration_ticks);
    let new = NewPlan { json: &json, duration_seconds, renditions: &renditions, jobs: &jobs };
    store.renditions.plan(id, &new).await?;
    tracing::info!(video = %id, duration_seconds, renditions = renditions.len(), "planned");
    Ok(())
}

/// Measures what was encoded, writes the playlists that tell it, and calls the video ready.
async fn finish(publisher: &Publisher, plan: &Plan) -> Result<()> {
    let (store, id) = (&publisher.store, &publisher.video);
    let mut measured = Vec::new();
    for progress in store.renditions.of(id).await? {
        let rendition = progress.rendition;
        if rendition.kind == RenditionKind::Text {
            continue;
        }
        let rows = store.renditions.segments(id, &rendition.name).await?;
        let segments = rows
            .iter()
            .map(|row| serde_json::from_str(&row.facts))
            .collect::<serde_json::Result<Vec<SegmentFacts>>>()?;
        let codecs = rendition.codecs.filter(|_| segments.len() == rendition.segments_total as usize);
        let codecs = codecs.ok_or_else(|| Error::OffPlan {
            rendition: rendition.name.clone(),
            given: format!("{} published segments", segments.len()),
            planned: rendition.segments_total.to_string(),
        })?;
        let bitrate = average_bps(&segments, plan.grid.seconds(plan.grid.duration_ticks));
        store.renditions.set_bitrate(id, &rendition.name, bitrate).await?;
        measured.push(Measured { name: rendition.name, codecs, segments });
    }
    write_playlists(publisher, plan, Some(&measured)).await?;
    store.videos.mark_ready(id).await?;
    tracing::info!(video = %id, "ready");
    Ok(())
}

/// Writes all playlists and the manifest; the multivariant playlist last, because it leads to the others.
async fn write_playlists(publisher: &Publisher, plan: &Plan, measured: Option<&[Measured]>) -> Result<()> {
    for rung in plan.video.iter().flat_map(|video| &video.rungs) {
        publisher.text(&format!("{}/media.m3u8", rung.name), &hls::media(plan, &rung.name)).await?;
        if let Some(of_rung) = measured.and_then(|all| all.iter().find(|m| m.name == rung.name)) {
            publisher
                .text(&format!("{}/iframes.m3u8", rung.name), &hls::iframes(plan, rung, of_rung))
                .await?;
        }
    }
    for audio in &plan.audio {
        publisher.text(&format!("{}/media.m3u8", audio.name), &hls::media(plan, &audio.name)).await?;
    }
    for track in &plan.text {
        publisher.text(&format!("{}/media.m3u8", track.name), &hls::text(plan, track)).await?;
    }
    publisher.text("manifest.mpd", &dash::manifest(plan, measured)).await?;
    publisher.text("master.m3u8", &hls::master(plan, measured)).await
}

/// Returns what is left of a run: from the first segment that any of `renditions` lacks to its end.
async fn remaining(
    publisher: &Publisher,
    renditions: &[String],
    (first, last): (u32, u32),
) -> Result<Option<(u32, u32)>> {
    let mut missing = last;
    for rendition in renditions {
        let rows = publisher.store.renditions.segments(&publisher.video, rendition).await?;
        let mut numbers = rows.iter().map(|s| s.number).filter(|n| (first..last).contains(n));
        missing = missing.min((first..last).find(|n| numbers.next() != Some(*n)).unwrap_or(last));
    }
    Ok((missing < last).then_some((missing, last)))
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
    };
    let sound = plan.audio.iter().map(|a| Rendition {
        bitrate_bps: Some(a.bitrate_bps),
        ..unseen(&a.name, RenditionKind::Audio, a.language.as_deref(), &a.label)
    });
    let text = plan.text.iter().map(|t| unseen(&t.name, RenditionKind::Text, Some(&t.language), &t.label));
    pictures.chain(sound).chain(text).collect()
}

fn jobs(plan: &Plan, config: &Config) -> Vec<NewJob> {
    let total = plan.grid.segments();
    let job = |kind, track: &str, segments| NewJob { kind, track: track.to_owned(), segments, priority: 0 };
    let mut jobs = vec![job(JobKind::Finish, "", (0, 0))];
    if plan.video.is_some() {
        jobs.push(job(JobKind::Poster, "", (0, 0)));
        let starts = (0..total).step_by(config.run_segments as usize);
        jobs.extend(starts.map(|n| job(JobKind::Video, "", (n, total.min(n + config.run_segments)))));
    }
    jobs.extend(plan.audio.iter().map(|a| job(JobKind::Audio, &a.name, (0, total))));
    jobs.extend(plan.text.iter().map(|t| job(JobKind::Text, &t.name, (0, total))));
    jobs
}

fn unplanned(job: &Job) -> Error {
    Error::OffPlan {
        rendition: job.track.clone(),
        given: format!("a {} job", job.kind.as_str()),
        planned: "no such rendition".into(),
    }
}
