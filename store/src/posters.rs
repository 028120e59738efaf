//! Posters: the owner's choice of the picture that stands for a video, kept until a packager has made it. Leaves making it
//! to the packager, and automatic posters that nobody chose.

use bytes::Bytes;

use crate::{
    Blobs, Error, Result, Signal, Signals, Timestamp, VideoId, id,
    jobs::insert_poster,
    sql::{FromRow, LockScope, Row, Sql, query},
};

/// A kind of poster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A frame with detail, by the packager's choice.
    Automatic,
    /// The frame that is shown at a moment.
    Frame {
        /// The moment.
        seconds: f64,
    },
    /// A picture of the owner's.
    Picture,
}

/// The poster that a video has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poster {
    /// Where it is from.
    pub kind: Kind,
    /// How often it has changed.
    pub version: u64,
    /// How often people have chosen one.
    pub revision: u64,
}

/// A choice that is to be made.
#[derive(Clone, Copy, Debug)]
pub enum NewChoice<'a> {
    /// The packager's own choice.
    Automatic,
    /// The frame that is shown at a moment, in seconds.
    Frame(f64),
    /// A picture, as it was sent.
    Picture(&'a [u8]),
}

/// A choice that waits for a packager, or could not be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its name, which no other choice has.
    pub id: String,
    /// The poster that it asks for.
    pub kind: Kind,
    /// The code of the reason why it cannot be made; `None` while it waits.
    pub problem: Option<String>,
}

/// The outcome of writing a choice.
enum Inserted {
    /// It replaces the one that waited, if one did.
    InPlaceOf(Option<Choice>),
    /// There is no video that a poster can be made of.
    Nothing,
}

/// The table of choices.
#[derive(Clone, Debug)]
pub struct Posters {
    sql: Sql,
    signals: Signals,
    blobs: Blobs,
}

impl Posters {
    pub(crate) fn new(sql: Sql, signals: Signals, blobs: Blobs) -> Self {
        Self { sql, signals, blobs }
    }

    /// Has a poster made for a video whose plan stands, in place of a choice that waits. Returns the choice, or `None` where
    /// there is no such video.
    pub async fn choose(&self, video: &VideoId, new: NewChoice<'_>) -> Result<Option<Choice>> {
        self.replace(video, new, None).await
    }

    /// Does so in place of the poster that was `seen`. [`Error::Edited`] when somebody has chosen one since that revision.
    pub async fn replace(
        &self,
        video: &VideoId,
        new: NewChoice<'_>,
        seen: Option<u64>,
    ) -> Result<Option<Choice>> {
        let choice = Choice { id: id::random(), kind: new.kind(), problem: None };
        // The blob comes before its row. Without the row it is left over, in a folder that goes with the video.
        if let NewChoice::Picture(bytes) = new {
            self.blobs.put(&picture(video, &choice.id), bytes).await?;
        }
        let inserted = self.insert(video, &choice, seen).await;
        let unused = match &inserted {
            Ok(Inserted::InPlaceOf(before)) => before.as_ref(),
            Ok(Inserted::Nothing) | Err(_) => Some(&choice),
        };
        if let Some(unused) = unused {
            self.drop_picture(video, unused).await?;
        }
        match inserted? {
            Inserted::Nothing => Ok(None),
            Inserted::InPlaceOf(_) => {
                self.signals.notify_workers();
                Ok(Some(choice))
            }
        }
    }

    async fn insert(&self, video: &VideoId, choice: &Choice, seen: Option<u64>) -> Result<Inserted> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        let revision: Option<i64> = query(
            "update videos set poster_revision = poster_revision + 1 where id = $1
             returning poster_revision - 1",
        )
        .bind(video.as_str())
        .fetch_optional(&mut tx)
        .await?;
        let Some(revision) = revision.map(|revision| revision as u64) else { return Ok(Inserted::Nothing) };
        if seen.is_some_and(|seen| seen != revision) {
            return Err(Error::Edited { what: format!("the poster of {video}"), revision });
        }
        let before = query(OF_VIDEO).bind(video.as_str()).fetch_optional(&mut tx).await?;
        let done = query(
            "insert into poster_choices (video_id, id, kind, seconds)
             select v.id, $2, $3, $4 from videos v where v.id = $1 and v.state in ('planned', 'playable', 'ready')
             on conflict (video_id) do update
             set id = excluded.id, kind = excluded.kind, seconds = excluded.seconds, problem = null",
        )
        .bind(video.as_str())
        .bind(&choice.id)
        .bind(choice.kind.as_str())
        .bind(choice.kind.seconds())
        .execute(&mut tx)
        .await?;
        if done == 0 {
            return Ok(Inserted::Nothing);
        }
        insert_poster(&mut tx, video, Timestamp::now()).await?;
        tx.commit().await?;
        Ok(Inserted::InPlaceOf(before))
    }

    /// Returns the choice that waits for a packager, or could not be made.
    pub async fn choice(&self, video: &VideoId) -> Result<Option<Choice>> {
        query(OF_VIDEO).bind(video.as_str()).fetch_optional(&self.sql).await
    }

    /// Returns the picture of a choice, as it was sent; `None` where another choice has taken its place.
    pub async fn picture(&self, video: &VideoId, choice: &Choice) -> Result<Option<Bytes>> {
        self.blobs.read(&picture(video, &choice.id)).await
    }

    /// Records that a choice is made: the video has another poster now.
    pub async fn made(&self, video: &VideoId, choice: &Choice) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        query(
            "update videos set poster_kind = $2, poster_seconds = $3, poster_version = poster_version + 1
             where id = $1",
        )
        .bind(video.as_str())
        .bind(choice.kind.as_str())
        .bind(choice.kind.seconds())
        .execute(&mut tx)
        .await?;
        // One that came meanwhile stays.
        query("delete from poster_choices where video_id = $1 and id = $2")
            .bind(video.as_str())
            .bind(&choice.id)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        self.signals.publish(Signal::Changed(video.clone()));
        self.drop_picture(video, choice).await
    }

    /// Records why a choice cannot be made; the poster stays as it was.
    pub async fn refuse(&self, video: &VideoId, choice: &Choice, problem: &str) -> Result<()> {
        let query = query("update poster_choices set problem = $3 where video_id = $1 and id = $2");
        query.bind(video.as_str()).bind(&choice.id).bind(problem).execute(&self.sql).await?;
        self.signals.publish(Signal::Changed(video.clone()));
        self.drop_picture(video, choice).await
    }

    async fn drop_picture(&self, video: &VideoId, choice: &Choice) -> Result<()> {
        match choice.kind {
            Kind::Picture => self.blobs.delete_all(&picture(video, &choice.id)).await,
            Kind::Automatic | Kind::Frame { .. } => Ok(()),
        }
    }
}

const OF_VIDEO: &str = "select id, kind, seconds, problem from poster_choices where video_id = $1";

/// Returns the key of a picture as it was sent, which no URL stands for.
fn picture(video: &VideoId, choice: &str) -> String {
    format!("{}/poster-{choice}", video.folder())
}

impl NewChoice<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Automatic => Kind::Automatic,
            Self::Frame(seconds) => Kind::Frame { seconds: *seconds },
            Self::Picture(_) => Kind::Picture,
        }
    }
}

impl Kind {
    /// The words of all kinds.
    pub const WORDS: [&str; 3] = ["automatic", "frame", "picture"];

    /// Returns the kind's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        let [automatic, frame, picture] = Self::WORDS;
        match self {
            Self::Automatic => automatic,
            Self::Frame { .. } => frame,
            Self::Picture => picture,
        }
    }

    /// Returns the moment of a frame.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Frame { seconds } => Some(seconds),
            Self::Automatic | Self::Picture => None,
        }
    }

    fn read(word: &str, seconds: Option<f64>) -> Option<Self> {
        match (word, seconds) {
            ("automatic", _) => Some(Self::Automatic),
            ("frame", Some(seconds)) => Some(Self::Frame { seconds }),
            ("picture", _) => Some(Self::Picture),
            _ => None,
        }
    }
}

impl FromRow for Poster {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let word: String = row.try_get("poster_kind")?;
        let kind = Kind::read(&word, row.try_get("poster_seconds")?);
        Ok(Self {
            kind: kind.ok_or_else(|| sqlx::Error::Decode("videos.poster_kind".into()))?,
            version: row.try_get::<i64, _>("poster_version")? as u64,
            revision: row.try_get::<i64, _>("poster_revision")? as u64,
        })
    }
}

impl FromRow for Choice {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let word: String = row.try_get("kind")?;
        let kind = Kind::read(&word, row.try_get("seconds")?);
        Ok(Self {
            id: row.try_get("id")?,
            kind: kind.ok_or_else(|| sqlx::Error::Decode("poster_choices.kind".into()))?,
            problem: row.try_get("problem")?,
        })
    }
}
