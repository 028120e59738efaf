//! The library's rows: videos, their states and what people may edit. Leaves lists of them to `listing`.

use crate::{
    Error, Job, NewVisibility, Poster, Result, Rights, Signal, Signals, Tag, Timestamp, UserId, VideoId,
    listing::title_key,
    revocations,
    search::index_video,
    sql::{FromRow, LockScope, Query, Row, Sql, query},
    tags::set_tags,
    webhooks::{Event, note},
};

/// How far a video has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Bytes are coming in.
    Uploading,
    /// The file is whole and waits to be looked at.
    Uploaded,
    /// Its playlists stand.
    Planned,
    /// Enough is encoded to start watching.
    Playable,
    /// All of it is encoded.
    Ready,
    /// It could not be encoded; the failure has the reason.
    Failed,
}

/// Why a video failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for programs, such as `not_media`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A video's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// Its name in URLs.
    pub id: VideoId,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// How far it has come.
    pub state: State,
    /// Set exactly when the state is `Failed`.
    pub failure: Option<Failure>,
    /// The file's name on the uploader's machine.
    pub source_name: String,
    /// Known from the plan on.
    pub duration_seconds: Option<f64>,
    /// The packager's plan as JSON.
    pub plan: Option<String>,
    /// Sentences for people about parts of the source that were left out, mended or lost.
    pub notes: Vec<String>,
    /// When its upload began.
    pub created_at: Timestamp,
    /// The rights that requests for it are judged by.
    pub rights: Rights,
    /// The owner's name, as others see it.
    pub owner_name: Option<String>,
    /// How many people have watched it, each counted once a day.
    pub views: u64,
    /// The number of edits so far.
    pub revision: u64,
    /// The picture that stands for it.
    pub poster: Poster,
}

/// The words of a new video.
#[derive(Clone, Debug)]
pub struct NewVideo {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The file's name on the uploader's machine.
    pub source_name: String,
    /// The person whose it is; `None` where there are no accounts.
    pub owner: Option<UserId>,
}

/// A person's change; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The new title.
    pub title: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The people who may watch it from now on.
    pub visibility: Option<NewVisibility>,
    /// The tags in place of those that it has.
    pub tags: Option<Vec<Tag>>,
    /// The revision that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// The table of videos.
#[derive(Clone, Debug)]
pub struct Videos {
    sql: Sql,
    signals: Signals,
}

impl Videos {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Returns the video `id`.
    pub async fn get(&self, id: &VideoId) -> Result<Option<Video>> {
        let query = query(
            "select videos.*, users.name as owner_name
             from videos left join users on users.id = videos.owner_id where videos.id = $1",
        );
        query.bind(id.as_str()).fetch_optional(&self.sql).await
    }

    /// Returns those of the videos `ids` that are there, in any order, by one statement.
    pub async fn get_all(&self, ids: &[VideoId]) -> Result<Vec<Video>> {
        let query = query(
            "select videos.*, users.name as owner_name
             from videos left join users on users.id = videos.owner_id
             where videos.id in (select value from json_each($1))",
        );
        query.bind(&VideoId::list(ids)).fetch_all(&self.sql).await
    }

    /// Returns the ids of a person's videos.
    pub(crate) async fn owned_by(&self, user: &UserId) -> Result<Vec<VideoId>> {
        let query = query("select id as video_id from videos where owner_id = $1").bind(user.as_str());
        query.fetch_all(&self.sql).await
    }

    /// Asks the database for nothing, to see whether it answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        query("select ''").fetch_one::<String>(&self.sql).await.map(drop)
    }

    /// Returns the number of videos.
    pub async fn count(&self) -> Result<u64> {
        let count: i64 = query("select count(*) from videos").fetch_one(&self.sql).await?;
        Ok(count as u64)
    }

    /// Changes what people may change. Returns the video, or `None` when there is none; [`Error::Edited`] when somebody has
    /// edited it since the revision that was seen.
    pub async fn edit(&self, id: &VideoId, edit: &Edit) -> Result<Option<Video>> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let done = query(
            // Tickets may be by a clock ahead of this one: `tickets_from` goes on by a second then, and they are void
            // all the same.
            "update videos set title = coalesce($2, title), title_key = coalesce($7, title_key),
                    description = coalesce($3, description),
                    visibility = coalesce($4, visibility),
                    tickets_from = case when coalesce($4, visibility) = visibility then tickets_from
                                        when tickets_from >= $5 then tickets_from + 1 else $5 end,
                    revision = revision + 1
             where id = $1 and revision = coalesce($6, revision)",
        )
        .bind(id.as_str())
        .bind(&edit.title)
        .bind(&edit.description)
        .bind(edit.visibility.map(|new| new.visibility.as_str()))
        .bind(edit.visibility.map_or(0, |new| new.tickets_from as i64))
        .bind(edit.seen.map(|revision| revision as i64))
        .bind(&edit.title.as_deref().map(title_key))
        .execute(&mut tx)
        .await?;
        if done == 0 {
            drop(tx);
            // Without a revision to compare, only a video that is not there is not edited.
            let now = if edit.seen.is_some() { self.get(id).await? } else { None };
            return match now {
                Some(video) => Err(Error::Edited { what: id.to_string(), revision: video.revision }),
                None => Ok(None),
            };
        }
        if let Some(tags) = &edit.tags {
            set_tags(&mut tx, id, tags).await?;
        }
        index_video(&mut tx, id).await?;
        if edit.visibility.is_some() {
            revocations::note(&mut tx, std::slice::from_ref(id)).await?;
        }
        tx.commit().await?;
        // Caches hold answers that were given by the visibility before.
        match edit.visibility {
            Some(_) => revocations::publish_soon(&self.sql, &self.signals).await,
            None => self.signals.publish(Signal::Changed(id.clone())),
        }
        self.get(id).await
    }

    /// Puts these notes, of one line each, in place of the video's.
    pub async fn set_notes(&self, id: &VideoId, notes: &[String]) -> Result<()> {
        let query = query("update videos set notes = $2 where id = $1").bind(id.as_str());
        self.run(id, query.bind(&notes.join("\n"))).await.map(drop)
    }

    /// Moves the video from `planned` to `playable` once the first segment of each rendition is published that players
    /// begin on; from any other state it stays. Returns whether it moved.
    pub async fn mark_playable(&self, id: &VideoId) -> Result<bool> {
        self.moved(id, mark_playable(id), Event::Playable).await
    }

    /// Moves the video to `ready` once all is published. Returns whether it moved.
    pub async fn mark_ready(&self, id: &VideoId) -> Result<bool> {
        let query =
            query("update videos set state = 'ready' where id = $1 and state in ('planned', 'playable')");
        let moved = self.moved(id, query.bind(id.as_str()), Event::Ready).await?;
        if moved {
            self.signals.publish_as(crate::signals::Topic::Ready, Signal::Changed(id.clone()));
        }
        Ok(moved)
    }

    /// Moves the video of a claimed job to `failed` and drops its remaining jobs. Nothing happens when the lease is gone:
    /// the worker that has it now may succeed.
    pub async fn fail(&self, job: &Job, failure: &Failure) -> Result<()> {
        let id = &job.video;
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        if !crate::jobs::holds_lease(&mut tx, job).await? {
            return Ok(());
        }
        query("update videos set state = 'failed', error_code = $2, error_message = $3 where id = $1")
            .bind(id.as_str())
            .bind(&failure.code)
            .bind(&failure.message)
            .execute(&mut tx)
            .await?;
        // Runs at work lose their leases with the rows and stop at the next renewal.
        query("delete from jobs where video_id = $1").bind(id.as_str()).execute(&mut tx).await?;
        note(Event::Failed, id).execute(&mut tx).await?;
        tx.commit().await?;
        self.signals.publish(Signal::Changed(id.clone()));
        Ok(())
    }

    /// Ends the work on a video that is not ready: it has failed then, as by a person's will, and can be tried again.
    /// Returns whether there was any.
    pub async fn cancel(&self, id: &VideoId, failure: &Failure) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let done = query(
            "update videos set state = 'failed', error_code = $2, error_message = $3
             where id = $1 and state in ('uploaded', 'planned', 'playable')",
        )
        .bind(id.as_str())
        .bind(&failure.code)
        .bind(&failure.message)
        .execute(&mut tx)
        .await?;
        if done > 0 {
            // Workers notice with their next renewal, or with the next segment.
            query("delete from jobs where video_id = $1").bind(id.as_str()).execute(&mut tx).await?;
            note(Event::Failed, id).execute(&mut tx).await?;
            tx.commit().await?;
            self.signals.publish(Signal::Changed(id.clone()));
        }
        Ok(done > 0)
    }

    /// Starts a failed video again from its source; what was published stays and is not encoded again.
    /// Returns whether there was a failed one.
    pub async fn retry(&self, id: &VideoId) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let done = query(
            "update videos set state = 'uploaded', error_code = null, error_message = null
             where id = $1 and state = 'failed'",
        )
        .bind(id.as_str())
        .execute(&mut tx)
        .await?;
        if done == 0 {
            return Ok(false);
        }
        crate::jobs::insert_prepare(&mut tx, id).await?;
        tx.commit().await?;
        self.signals.publish(Signal::Changed(id.clone()));
        self.signals.notify_workers();
        Ok(true)
    }

    pub(crate) async fn delete(&self, id: &VideoId) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        // Before the row goes, of which it is written.
        note(Event::Deleted, id).execute(&mut tx).await?;
        let query = query("delete from videos where id = $1").bind(id.as_str());
        let existed = query.execute(&mut tx).await? > 0;
        tx.commit().await?;
        if existed {
            self.signals.publish(Signal::Deleted(id.clone()));
        }
        Ok(existed)
    }

    /// Runs a statement that moves a video to another state, and notes the event for webhooks if it did.
    async fn moved(&self, id: &VideoId, query: Query, event: Event) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let moved = query.execute(&mut tx).await? > 0;
        if moved {
            note(event, id).execute(&mut tx).await?;
            tx.commit().await?;
            self.signals.publish(Signal::Changed(id.clone()));
        }
        Ok(moved)
    }

    async fn run(&self, id: &VideoId, query: Query) -> Result<bool> {
        let moved = query.execute(&self.sql).await? > 0;
        if moved {
            self.signals.publish(Signal::Changed(id.clone()));
        }
        Ok(moved)
    }
}

/// Returns the statement behind [`Videos::mark_playable`]. It asks the rows and no worker, so that a kill between a
/// segment's row and this leaves nothing that the next look does not mend.
pub(crate) fn mark_playable(id: &VideoId) -> Query {
    // The state is compared and set in one statement: a run that ends late must not move a `ready` or `failed` video back.
    query(
        "update videos set state = 'playable' where id = $1 and state = 'planned' and not exists (
             select 1 from renditions r where r.video_id = $1 and r.start_up and not exists (
                 select 1 from segments s where s.video_id = r.video_id and s.rendition = r.name and s.number = 0))",
    )
    .bind(id.as_str())
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Uploading, Self::Uploaded, Self::Planned, Self::Playable, Self::Ready, Self::Failed];

    /// Reads a state's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Returns the state's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Uploaded => "uploaded",
            Self::Planned => "planned",
            Self::Playable => "playable",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

impl FromRow for Video {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        let state = State::parse(&state);
        let code: Option<String> = row.try_get("error_code")?;
        let message: Option<String> = row.try_get("error_message")?;
        Ok(Self {
            id: VideoId::of_row(row, "id")?,
            title: row.try_get("title")?,
            description: row.try_get("description")?,
            state: state.ok_or_else(|| sqlx::Error::Decode("videos.state".into()))?,
            failure: code.zip(message).map(|(code, message)| Failure { code, message }),
            source_name: row.try_get("source_name")?,
            duration_seconds: row.try_get("duration_seconds")?,
            plan: row.try_get("plan")?,
            notes: row.try_get::<String, _>("notes")?.lines().map(str::to_owned).collect(),
            created_at: Timestamp(row.try_get("created_at")?),
            rights: Rights::from_row(row)?,
            owner_name: row.try_get("owner_name")?,
            views: row.try_get::<i64, _>("views")? as u64,
            revision: row.try_get::<i64, _>("revision")? as u64,
            poster: Poster::from_row(row)?,
        })
    }
}
