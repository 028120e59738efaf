//! Captions going out to players and people: a playlist's segments and whole files, rendered from the
//! cues as they are now. Waits for a segment that is still being written.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use captions::{Machine, Provenance, Spoken, Text, Track, json, plain, segment, subrip, webvtt};
use http::{StatusCode, request::Parts};
use server::{
    Problem, Response,
    content::{self, Meta},
};
use sha2::{Digest, Sha256};
use store::{CaptionOrigin, CaptionState, CaptionTrack, Signal, StoredCue, VideoId};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    File, Format, Origin, Path,
    error::{Error, Result},
    planned,
    playback::{unknown_file, unknown_segment},
};

/// Text and whether it is all there will be.
struct Written {
    text: String,
    whole: bool,
}

impl Origin {
    /// Answers GET and HEAD of a caption track's segment.
    pub(crate) async fn cue_segment(&self, request: &Parts, path: &Path, number: u32) -> Result<Response> {
        let File::CueSegment { rendition, .. } = &path.file else { return Err(unknown_file().into()) };
        let name = rendition.strip_prefix("captions/").unwrap_or(rendition);
        // Subscribed before the first look, so that no signal falls between the look and the wait.
        let mut signals = self.store.signals.subscribe();
        let waited = tokio::time::timeout(self.config.segment_wait, async {
            loop {
                if let Some(text) = self.segment(&path.video, name, number).await? {
                    return Ok(text);
                }
                loop {
                    match signals.recv().await {
                        Ok(Signal::Published(..) | Signal::Progress(_)) => {}
                        Ok(signal) if signal.video().is_some_and(|id| *id != path.video) => {}
                        // A lost signal may have been ours.
                        Ok(_) | Err(RecvError::Lagged(_)) => break,
                        // The store is going away; the bound ends the wait.
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            }
        });
        let text = waited.await.unwrap_or_else(|_| Err(Error::from(not_written_yet())))?;
        answer(request, path, Written { text, whole: true }).await
    }

    /// Answers GET and HEAD of a whole caption track.
    pub(crate) async fn captions_file(
        &self,
        request: &Parts,
        path: &Path,
        format: Format,
    ) -> Result<Response> {
        let File::Captions { language: name, .. } = &path.file else { return Err(unknown_file().into()) };
        // The track before its cues: one that ends in between is answered as unfinished, which no cache keeps.
        let track = self.listed(&path.video, name).await?;
        let stored = self.store.captions.cues(&track.id).await?;
        let cues: Vec<captions::Cue> = stored.into_iter().map(shown).collect();
        let text = match format {
            Format::Vtt => webvtt::render(&cues),
            Format::Srt => subrip::render(&cues),
            Format::Text => plain::render(&cues),
            Format::Json => json::render(&self.whole(&track, cues).await?),
        };
        answer(request, path, Written { text, whole: !is_being_written(&track) }).await
    }

    /// Returns a segment's text, or `None` while words of it may still come.
    async fn segment(&self, video: &VideoId, name: &str, number: u32) -> Result<Option<String>> {
        // As above: `seconds_done` is then no later than the cues that are read.
        let track = self.listed(video, name).await?;
        let plan = self.store.videos.get(video).await?.and_then(|video| video.plan);
        let plan = plan.ok_or_else(|| Error::from(unknown_file()))?;
        let grid = planned::grid(&plan).map_err(|e| Error::Io(e.into()))?;
        if number >= grid.segments() {
            return Err(unknown_segment(grid.segments()).into());
        }
        let (start, end) = grid.span(number);
        if is_being_written(&track) && end.as_secs_f64() > track.seconds_done {
            return Ok(None);
        }
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX) as u64;
        let stored = self.store.captions.cues_between(&track.id, ms(start), ms(end)).await?;
        let cues: Vec<captions::Cue> = stored.into_iter().map(shown).collect();
        Ok(Some(segment::render(&cues, start, end)))
    }

    /// Returns the track whose folder is `name`, if playlists list it.
    async fn listed(&self, video: &VideoId, name: &str) -> Result<CaptionTrack> {
        if let Some(track) = self.store.captions.named(video, name).await?.filter(CaptionTrack::is_listed) {
            return Ok(track);
        }
        Err(self.absent(video).await?)
    }

    async fn whole(&self, track: &CaptionTrack, cues: Vec<captions::Cue>) -> Result<Track> {
        let read = |e: serde_json::Error| Error::Io(e.into());
        let mut segments: Vec<Spoken> = Vec::new();
        for window in self.store.captions.recognized(&track.id).await? {
            segments.append(&mut serde_json::from_str(&window).map_err(read)?);
        }
        let machine = track.provenance.as_deref().map(serde_json::from_str::<Machine>);
        let provenance = match (track.origin, machine.transpose().map_err(read)?) {
            (CaptionOrigin::Machine, Some(machine)) => Provenance::Machine(machine),
            (CaptionOrigin::File, _) => Provenance::Source,
            _ => Provenance::Person,
        };
        Ok(Track {
            language: track.language.clone().unwrap_or_else(|| "und".to_owned()),
            cues,
            segments,
            ends_at_seconds: track.ends_at_seconds,
            provenance,
        })
    }
}

fn is_being_written(track: &CaptionTrack) -> bool {
    matches!(track.state, CaptionState::Queued | CaptionState::Waiting | CaptionState::Running)
}

async fn answer(request: &Parts, path: &Path, written: Written) -> Result<Response> {
    let digest = Sha256::digest(&written.text);
    let meta = Meta {
        tag: digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect(),
        // Rendered just now (RFC 9110 §8.8.2.1); the tag is the validator.
        modified: SystemTime::now(),
        content_type: path.file.content_type(),
        // A cache must not keep a part and serve it as the whole later.
        cache_control: if written.whole { path.file.cache_control() } else { "no-store" },
    };
    Ok(content::answer_text(request, &meta, Bytes::from(written.text)).await?)
}

fn shown(StoredCue { number, cue }: StoredCue) -> captions::Cue {
    captions::Cue {
        id: number.to_string(),
        start: Duration::from_millis(cue.start_ms),
        end: Duration::from_millis(cue.end_ms),
        settings: cue.settings,
        text: Text::from(cue.text).with_styles(&cue.styles),
    }
}

fn not_written_yet() -> Problem {
    let detail = "The captions of this part are still being written.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "captions_not_written_yet", detail).retry_after(1)
}
