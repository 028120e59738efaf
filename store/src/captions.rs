//! Caption tracks: their rows, their names, the jobs that write them. Leaves cues to `cues`, the transcriber's side to
//! `transcription`, and the text in a cue to the roles.

pub(crate) mod rows;
mod track;

use std::collections::HashMap;

pub use rows::Cue;
use rows::{check_seen, clear, drop_job, free_name, has_video, parsed};
pub use track::{FileTrack, Naming, Origin, State, Track, TranscriptionOptions};

use crate::{
    CaptionId, JobClass, JobKind, NewJob, Result, Signal, Signals, Timestamp, VideoId,
    jobs::{insert_job, insert_playlists},
    sql::{LockScope, Sql, Transaction, query},
};

/// The tables of caption tracks and their cues.
#[derive(Clone, Debug)]
pub struct Captions {
    pub(crate) sql: Sql,
    pub(crate) signals: Signals,
}

// `exists` stops at the first cue. The id orders tracks of the same microsecond, so that playlists come out alike.
const TRACKS: &str = "select c.*, exists (select 1 from cues q where q.captions_id = c.id) as has_cues
     from captions c where c.video_id = $1 order by c.created_at, c.id";
const TRACK: &str = "select c.*, exists (select 1 from cues q where q.captions_id = c.id) as has_cues
     from captions c where c.id = $1";

impl Captions {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    /// Returns a video's tracks, the oldest first.
    pub async fn of(&self, video: &VideoId) -> Result<Vec<Track>> {
        query(TRACKS).bind(video.as_str()).fetch_all(&self.sql).await
    }

    /// Returns the tracks of many videos by one statement, those of a video with the oldest first.
    pub async fn of_all(&self, videos: &[VideoId]) -> Result<HashMap<VideoId, Vec<Track>>> {
        let query = query(
            "select c.*, exists (select 1 from cues q where q.captions_id = c.id) as has_cues
             from captions c where c.video_id in (select value from json_each($1)) order by c.created_at, c.id",
        );
        let rows: Vec<Track> = query.bind(&VideoId::list(videos)).fetch_all(&self.sql).await?;
        let mut tracks: HashMap<VideoId, Vec<Track>> = HashMap::new();
        for track in rows {
            tracks.entry(track.video.clone()).or_default().push(track);
        }
        Ok(tracks)
    }

    /// Returns a track.
    pub async fn get(&self, id: &CaptionId) -> Result<Option<Track>> {
        query(TRACK).bind(id.as_str()).fetch_optional(&self.sql).await
    }

    /// Returns the track of a video whose folder is `name`.
    pub async fn named(&self, video: &VideoId, name: &str) -> Result<Option<Track>> {
        let query = query(
            "select c.*, exists (select 1 from cues q where q.captions_id = c.id) as has_cues
             from captions c where c.video_id = $1 and c.name = $2",
        );
        query.bind(video.as_str()).bind(name).fetch_optional(&self.sql).await
    }

    /// Asks the machine for a track. Returns it, or `None` when there is no such video.
    pub async fn ask(&self, video: &VideoId, options: &TranscriptionOptions) -> Result<Option<Track>> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        // The foreign key would refuse the row as well, but as an error of the database and not as a 404.
        if !has_video(&mut tx, video).await? {
            return Ok(None);
        }
        let id = insert_machine(&mut tx, video, options).await?;
        tx.commit().await?;
        self.publish_changed(video);
        self.get(&id).await
    }

    /// Asks the machine to write a track again, in place of what it has. Returns whether there was one.
    pub async fn ask_again(&self, id: &CaptionId, options: &TranscriptionOptions) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        let video = query(
            "update captions set origin = 'machine', state = 'queued', message = null, name = null,
                 language = null, label = null, describes_sounds = false, forced = false, wanted_language = $2,
                 wanted_model = $3, prompt = $4, translated = $5, seconds_done = 0, checkpoint = null,
                 ends_at_seconds = null, provenance = null, edited = false, revision = revision + 1
             where id = $1 returning video_id",
        )
        .bind(id.as_str())
        .bind(&options.language)
        .bind(&options.model)
        .bind(&options.prompt)
        .bind(options.translated)
        .fetch_optional(&mut tx)
        .await?;
        let Some(video) = parsed(video)? else { return Ok(false) };
        // The job is dropped and not reset: a transcriber at work loses its lease with the row, and records nothing more.
        drop_job(&mut tx, id).await?;
        clear(&mut tx, id).await?;
        insert_job(&mut tx, &video, &job(JobKind::Captions, id, JobClass::Asked), Timestamp::now()).await?;
        insert_playlists(&mut tx, &video).await?;
        tx.commit().await?;
        self.publish_changed(&video);
        Ok(true)
    }

    /// Changes what a track is called. Returns the track, or `None` when there is none; [`crate::Error::Edited`] when somebody has
    /// edited it since the revision that was seen.
    pub async fn rename(&self, id: &CaptionId, naming: &Naming) -> Result<Option<Track>> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        let track: Option<Track> = query(TRACK).bind(id.as_str()).fetch_optional(&mut tx).await?;
        let Some(track) = track else { return Ok(None) };
        check_seen(id, naming.seen, track.revision)?;
        // The same language keeps its folder, whose URLs players have open.
        let moved = naming.language.as_ref().filter(|wanted| track.language.as_ref() != Some(wanted));
        let name = match moved {
            Some(language) => Some(free_name(&mut tx, &track.video, language).await?),
            None => track.name,
        };
        query(
            "update captions set name = $2, language = coalesce($3, language),
                 label = nullif(coalesce($4, label), ''), revision = revision + 1
             where id = $1",
        )
        .bind(id.as_str())
        .bind(&name)
        .bind(moved)
        .bind(&naming.label)
        .execute(&mut tx)
        .await?;
        insert_playlists(&mut tx, &track.video).await?;
        tx.commit().await?;
        self.publish_changed(&track.video);
        self.get(id).await
    }

    /// Deletes a track with its cues and its work. Returns whether there was one.
    pub async fn delete(&self, id: &CaptionId) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        let video = query("delete from captions where id = $1 returning video_id");
        let video: Option<String> = video.bind(id.as_str()).fetch_optional(&mut tx).await?;
        let Some(video) = parsed(video)? else { return Ok(false) };
        // Cues go by their foreign key; a job has its track in a plain column, which other kinds use for renditions.
        drop_job(&mut tx, id).await?;
        insert_playlists(&mut tx, &video).await?;
        tx.commit().await?;
        self.publish_changed(&video);
        Ok(true)
    }

    pub(crate) fn publish_changed(&self, video: &VideoId) {
        self.signals.publish(Signal::Changed(video.clone()));
        self.signals.notify_workers();
    }
}

/// The captions of a new plan.
pub(crate) struct PlannedCaptions<'a> {
    /// The file's own tracks.
    pub(crate) tracks: &'a [FileTrack],
    /// A machine is to write captions too.
    pub(crate) listen: bool,
}

/// Records the plan's caption tracks and queues all that is not done. Tracks from before a failure
/// stay.
pub(crate) async fn insert_planned(
    tx: &mut Transaction,
    video: &VideoId,
    plan: &PlannedCaptions<'_>,
    queued_at: Timestamp,
) -> Result<()> {
    for track in plan.tracks {
        query(
            "insert into captions (id, video_id, name, origin, state, language, label, describes_sounds, forced, created_at)
             values ($1, $2, $3, 'file', 'queued', $4, $5, $6, $7, $8) on conflict (video_id, name) do nothing",
        )
        .bind(CaptionId::random().as_str())
        .bind(video.as_str())
        .bind(&track.name)
        .bind(&track.language)
        .bind(&track.label)
        .bind(track.describes_sounds)
        .bind(track.forced)
        .bind(Timestamp::now().0)
        .execute(&mut *tx)
        .await?;
    }
    let tracks: Vec<Track> = query(TRACKS).bind(video.as_str()).fetch_all(&mut *tx).await?;
    if plan.listen && tracks.iter().all(|track| track.origin != Origin::Machine) {
        insert_machine(tx, video, &TranscriptionOptions::default()).await?;
    }
    for track in tracks {
        let kind = match (track.origin, track.state) {
            // A failed track waits for a person to ask again: its sound is the same as before.
            (_, State::Done | State::None | State::Failed) | (Origin::Person, _) => continue,
            (Origin::File, _) => JobKind::Text,
            (Origin::Machine, _) => JobKind::Captions,
        };
        insert_job(tx, video, &job(kind, &track.id, JobClass::Background), queued_at).await?;
    }
    Ok(())
}

async fn insert_machine(
    tx: &mut Transaction,
    video: &VideoId,
    options: &TranscriptionOptions,
) -> Result<CaptionId> {
    let id = CaptionId::random();
    let now = Timestamp::now();
    query(
        "insert into captions (id, video_id, origin, state, wanted_language, wanted_model, prompt, translated, created_at)
         values ($1, $2, 'machine', 'queued', $3, $4, $5, $6, $7)",
    )
    .bind(id.as_str())
    .bind(video.as_str())
    .bind(&options.language)
    .bind(&options.model)
    .bind(&options.prompt)
    .bind(options.translated)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    // Only a person sends options; a request without any may be an upload's own.
    let plain = *options == TranscriptionOptions::default();
    let class = if plain { JobClass::Background } else { JobClass::Asked };
    insert_job(tx, video, &job(JobKind::Captions, &id, class), now).await?;
    Ok(id)
}

fn job(kind: JobKind, id: &CaptionId, class: JobClass) -> NewJob {
    NewJob { kind, track: id.as_str().to_owned(), segments: 0..0, class, turn: 0 }
}
