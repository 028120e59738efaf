//! The writing of a caption track by a job: by a transcriber, window by window, or by the packager, which copies a file's
//! own track. Every step takes effect only while the job's lease holds.
//!
//! A transcriber's steps: claim a job of [`JobKind::Captions`](crate::JobKind::Captions); without a model
//! [`await_model`](crate::Captions::await_model); else [`begin`](crate::Captions::begin), which returns the track with
//! the checkpoint to go on from; [`set_language`](crate::Captions::set_language) once the language is known;
//! [`advance`](crate::Captions::advance) after each window; and [`conclude`](crate::Captions::conclude). A worker that is
//! stopped gives the job back by [`Jobs::release`](crate::Jobs::release); the checkpoint stays.

use std::time::Duration;

use crate::{
    CaptionId, CaptionTrack, Captions, Cue, Job, Result, Timestamp,
    captions::rows::{append, clear, free_name},
    jobs::{holds_lease, insert_playlists, progressed},
    sql::{LockScope, Transaction, query},
    webhooks::note_captions,
};

/// The language of a track, known before its first cue.
#[derive(Clone, Debug)]
pub struct DetectedLanguage<'a> {
    /// The language of the cues, as BCP 47: that of the speech, or `en` for a translation.
    pub language: &'a str,
    /// Model, revision and hash, library version and settings, as JSON.
    pub provenance: &'a str,
}

/// A finished window.
#[derive(Clone, Debug)]
pub struct Advance<'a> {
    /// The end of the part that is final: later cues start here or later.
    pub seconds_done: f64,
    /// The transcriber's state, as its own JSON, from which it goes on as if it had never stopped. It replaces the last
    /// one, so parts that would grow with the video belong into the cues.
    pub checkpoint: &'a str,
    /// The cues that became final with this window.
    pub cues: &'a [Cue],
    /// The segments recognized in this window, as a JSON array: words, tokens, probabilities.
    pub segments: &'a str,
}

/// The end of a track's writing.
#[derive(Clone, Copy, Debug)]
pub enum Conclusion<'a> {
    /// All of it is written; a track without cues becomes `none`.
    Whole,
    /// The sound breaks off after so many seconds, before the video ends; all of it is written.
    CutShort(f64),
    /// There is nothing to listen to, such as a video without sound: `none`.
    Silent,
    /// It cannot be written, or not to its end; what is written stays. The sentence is for people.
    Failed(&'a str),
}

impl Captions {
    /// Begins or goes on with a claimed job's track, which is `running` from here on. Returns it with its options
    /// ([`TranscriptionOptions`](crate::TranscriptionOptions)) and the last [`Advance::checkpoint`], or `None` when the lease or the track is gone.
    pub async fn begin(&self, job: &Job) -> Result<Option<CaptionTrack>> {
        let Some(id) = track_of(job) else { return Ok(None) };
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !holds_lease(&mut tx, job).await? {
            return Ok(None);
        }
        query("update captions set state = 'running', message = null where id = $1")
            .bind(id.as_str())
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        self.publish_changed(&job.video);
        self.get(&id).await
    }

    /// Records that the model, or the library that runs it, is missing, with the command that mends it: the track is
    /// `waiting`, and the job comes back after `pause`. To be called instead of [`Captions::begin`]. Returns whether the
    /// track was not waiting for the same before.
    pub async fn await_model(&self, job: &Job, message: &str, pause: Duration) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !holds_lease(&mut tx, job).await? {
            return Ok(false);
        }
        // Only a new message is published: every pause of every waiting track would wake all pages otherwise.
        let changed = query(
            "update captions set state = 'waiting', message = $2
             where id = $1 and (state <> 'waiting' or message is null or message <> $2)",
        )
        .bind(&job.track)
        .bind(message)
        .execute(&mut tx)
        .await?;
        query(
            // The wait for a model is no failure, so the attempt that the claim counted is taken back.
            "update jobs set lease_owner = null, lease_until = null, not_before = $2, attempts = attempts - 1
             where id = $1",
        )
        .bind(&job.id)
        .bind((Timestamp::now() + pause).0)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        let is_new = changed > 0;
        if is_new {
            self.publish_changed(&job.video);
        }
        Ok(is_new)
    }

    /// Records the language, which gives the track its folder, and how it is made. Returns the track, or `None`
    /// when the lease or the track is gone. Calling it again after a restart is fine.
    pub async fn set_language(
        &self,
        job: &Job,
        detected: &DetectedLanguage<'_>,
    ) -> Result<Option<CaptionTrack>> {
        let Some(id) = track_of(job) else { return Ok(None) };
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !holds_lease(&mut tx, job).await? {
            return Ok(None);
        }
        let named: Option<Option<String>> = query("select name from captions where id = $1")
            .bind(id.as_str())
            .fetch_optional(&mut tx)
            .await?;
        let Some(named) = named else { return Ok(None) };
        let name = match named {
            // A track that resumes keeps its folder, whose URLs players have open.
            Some(name) => name,
            None => free_name(&mut tx, &job.video, detected.language).await?,
        };
        query(
            // A person may have named the language while the model listened, and is right.
            "update captions set name = $2, language = coalesce(language, $3), provenance = $4,
                 revision = revision + 1
             where id = $1",
        )
        .bind(id.as_str())
        .bind(&name)
        .bind(detected.language)
        .bind(detected.provenance)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        self.publish_changed(&job.video);
        self.get(&id).await
    }

    /// Records a finished window, all or nothing: its cues are shown from now on, and after a kill the work goes
    /// on behind it. Returns whether the job is still ours; if not, nothing was recorded and the work ends.
    pub async fn advance(&self, job: &Job, advance: &Advance<'_>) -> Result<bool> {
        let Some(id) = track_of(job) else { return Ok(false) };
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !progressed(&mut tx, job).await? {
            return Ok(false);
        }
        let done = query(
            "update captions set seconds_done = $2, checkpoint = $3, revision = revision + 1 where id = $1",
        )
        .bind(id.as_str())
        .bind(advance.seconds_done)
        .bind(advance.checkpoint)
        .execute(&mut tx)
        .await?;
        if done == 0 {
            return Ok(false);
        }
        // HLS lists a track from its first cue on, so the playlists change with that one and not with every window.
        let first = !advance.cues.is_empty() && !has_cues(&mut tx, &id).await?;
        append(&mut tx, &id, advance.cues).await?;
        query(
            // The lease has one holder, so `max + 1` cannot be taken twice.
            "insert into recognized (captions_id, number, segments)
             select $1, coalesce(max(number), 0) + 1, $2 from recognized where captions_id = $1",
        )
        .bind(id.as_str())
        .bind(advance.segments)
        .execute(&mut tx)
        .await?;
        if first {
            insert_playlists(&mut tx, &job.video).await?;
        }
        tx.commit().await?;
        self.publish_changed(&job.video);
        Ok(true)
    }

    /// Ends a job and its track's writing. Nothing happens when the lease is gone.
    pub async fn conclude(&self, job: &Job, conclusion: Conclusion<'_>) -> Result<()> {
        let Some(id) = track_of(job) else { return Ok(()) };
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !holds_lease(&mut tx, job).await? {
            return Ok(());
        }
        let written = if has_cues(&mut tx, &id).await? { "done" } else { "none" };
        let (state, message, ends_at_seconds) = match conclusion {
            Conclusion::Whole => (written, None, None),
            Conclusion::CutShort(seconds) => (written, None, Some(seconds)),
            Conclusion::Silent => ("none", None, None),
            Conclusion::Failed(message) => ("failed", Some(message), None),
        };
        query(
            "update captions set state = $2, message = $3, ends_at_seconds = $4, checkpoint = null,
                 revision = revision + 1
             where id = $1",
        )
        .bind(id.as_str())
        .bind(state)
        .bind(message)
        .bind(ends_at_seconds)
        .execute(&mut tx)
        .await?;
        if state == "done" {
            note_captions(&job.video, &id).execute(&mut tx).await?;
        }
        query("delete from jobs where id = $1").bind(&job.id).execute(&mut tx).await?;
        // DASH shows a track once it is whole.
        insert_playlists(&mut tx, &job.video).await?;
        tx.commit().await?;
        self.publish_changed(&job.video);
        Ok(())
    }

    /// Records a file's own track whole and ends the job.
    pub async fn fill(&self, job: &Job, cues: &[Cue]) -> Result<()> {
        let Some(id) = track_of(job) else { return Ok(()) };
        let mut tx = self.sql.begin(LockScope::Video(&job.video)).await?;
        if !holds_lease(&mut tx, job).await? {
            return Ok(());
        }
        let done =
            query("update captions set state = $2, message = null, revision = revision + 1 where id = $1")
                .bind(id.as_str())
                .bind(if cues.is_empty() { "none" } else { "done" })
                .execute(&mut tx)
                .await?;
        if done > 0 {
            clear(&mut tx, &id).await?;
            append(&mut tx, &id, cues).await?;
            if !cues.is_empty() {
                note_captions(&job.video, &id).execute(&mut tx).await?;
            }
            insert_playlists(&mut tx, &job.video).await?;
        }
        query("delete from jobs where id = $1").bind(&job.id).execute(&mut tx).await?;
        tx.commit().await?;
        self.publish_changed(&job.video);
        Ok(())
    }

    /// Returns the recognized segments, one JSON array for each window, in order.
    pub async fn recognized(&self, id: &CaptionId) -> Result<Vec<String>> {
        let query = query("select segments from recognized where captions_id = $1 order by number");
        query.bind(id.as_str()).fetch_all(&self.sql).await
    }
}

/// Returns the track that a job is about; `None` for a job of another kind.
fn track_of(job: &Job) -> Option<CaptionId> {
    job.track.parse().ok()
}

async fn has_cues(tx: &mut Transaction, id: &CaptionId) -> Result<bool> {
    let cue: Option<i64> = query("select number from cues where captions_id = $1 limit 1")
        .bind(id.as_str())
        .fetch_optional(tx)
        .await?;
    Ok(cue.is_some())
}
