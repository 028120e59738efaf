//! A caption track: its origin, its state, its options. Leaves the tables to `captions`.

use crate::{
    CaptionId, Timestamp, VideoId,
    sql::{FromRow, Row},
};

/// Where a track's words are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The uploaded file's own text track.
    File,
    /// A machine that listened.
    Machine,
    /// A person.
    Person,
}

/// How far a track has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Queued,
    /// The model or its library is missing; the track's message has the command that mends it.
    Waiting,
    /// Being written; the cues before `seconds_done` are there.
    Running,
    /// Whole.
    Done,
    /// Whole and empty: the sound has no speech.
    None,
    /// It could not be written, or not to its end; the message has the reason.
    Failed,
}

/// A person's options for the machine; `None` leaves one to the machine's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptionOptions {
    /// The language of the speech, as BCP 47.
    pub language: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// Names and terms of the video.
    pub prompt: Option<String>,
    /// Into English, from any language.
    pub translated: bool,
}

/// A caption track without its cues.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own, and true of a track alone")]
pub struct Track {
    /// Its name in the API.
    pub id: CaptionId,
    /// The video.
    pub video: VideoId,
    /// Its folder below `captions/`; `None` until the language is known.
    pub name: Option<String>,
    /// Where its words are from.
    pub origin: Origin,
    /// How far it has come.
    pub state: State,
    /// A sentence for people: the missing thing, or why it failed.
    pub message: Option<String>,
    /// BCP 47; `und` where a file has none.
    pub language: Option<String>,
    /// A menu's label; `None` goes by the language.
    pub label: Option<String>,
    /// Describes sounds besides words.
    pub describes_sounds: bool,
    /// Shown even when captions are off, such as translated signs.
    pub forced: bool,
    /// Options for the machine; empty for a track that no machine writes.
    pub options: TranscriptionOptions,
    /// Cues that start before this are there.
    pub seconds_done: f64,
    /// Where the sound broke off, when it did so before the video's end.
    pub ends_at_seconds: Option<f64>,
    /// The transcriber's own, see [`Advance::checkpoint`](crate::Advance::checkpoint).
    pub checkpoint: Option<String>,
    /// Model, hash, library version and settings, as the transcriber's JSON.
    pub provenance: Option<String>,
    /// Somebody changed it by hand.
    pub edited: bool,
    /// Grows with every change.
    pub revision: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// There is something to show.
    pub has_cues: bool,
}

/// A text track inside the uploaded file, recorded with the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTrack {
    /// Its folder below `captions/`, unique within the video.
    pub name: String,
    /// BCP 47, or `und`.
    pub language: String,
    /// The file's own title of it.
    pub label: Option<String>,
    /// Describes sounds besides words.
    pub describes_sounds: bool,
    /// Shown even when captions are off, such as translated signs.
    pub forced: bool,
}

/// A person's naming of a track; `None` leaves a part as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// BCP 47. Another language moves the track to another folder.
    pub language: Option<String>,
    /// A menu's label; empty goes by the language.
    pub label: Option<String>,
    /// The revision that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

impl Track {
    /// Returns whether playlists list it: it has a cue to show, and a URL.
    pub fn is_listed(&self) -> bool {
        // A track without cues would be an entry of the player's menu that shows nothing.
        self.name.is_some() && self.has_cues
    }
}

impl Origin {
    /// All origins.
    pub const ALL: [Self; 3] = [Self::File, Self::Machine, Self::Person];

    /// Returns the origin's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Machine => "machine",
            Self::Person => "person",
        }
    }
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Waiting, Self::Running, Self::Done, Self::None, Self::Failed];

    /// Returns the state's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::None => "none",
            Self::Failed => "failed",
        }
    }
}

impl FromRow for Track {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let unknown = |column: &str| sqlx::Error::Decode(format!("captions.{column}").into());
        let origin: String = row.try_get("origin")?;
        let state: String = row.try_get("state")?;
        let revision: i64 = row.try_get("revision")?;
        Ok(Self {
            id: CaptionId::of_row(row, "id")?,
            video: VideoId::of_row(row, "video_id")?,
            name: row.try_get("name")?,
            origin: Origin::ALL
                .into_iter()
                .find(|it| it.as_str() == origin)
                .ok_or_else(|| unknown("origin"))?,
            state: State::ALL.into_iter().find(|it| it.as_str() == state).ok_or_else(|| unknown("state"))?,
            message: row.try_get("message")?,
            language: row.try_get("language")?,
            label: row.try_get("label")?,
            describes_sounds: row.try_get("describes_sounds")?,
            forced: row.try_get("forced")?,
            options: TranscriptionOptions {
                language: row.try_get("wanted_language")?,
                model: row.try_get("wanted_model")?,
                prompt: row.try_get("prompt")?,
                translated: row.try_get("translated")?,
            },
            seconds_done: row.try_get("seconds_done")?,
            ends_at_seconds: row.try_get("ends_at_seconds")?,
            checkpoint: row.try_get("checkpoint")?,
            provenance: row.try_get("provenance")?,
            edited: row.try_get("edited")?,
            revision: revision as u64,
            created_at: Timestamp(row.try_get("created_at")?),
            has_cues: row.try_get("has_cues")?,
        })
    }
}
