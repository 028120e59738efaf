//! Webhooks: addresses of other programs that are notified of what happens to videos. Leaves the outbox to `outbox`, what is
//! to be sent and the log to `deliveries`, and the sending to the crate `accounts`.

mod deliveries;
mod outbox;

use std::fmt;

use crate::{
    Error, Result, Timestamp, UserId, id,
    sql::{FromRow, Row, Sql, query},
};

pub use deliveries::{Attempted, Delivery, DeliveryState, Due, Logged, Target};
pub(crate) use outbox::{note, note_captions};

/// An event in a video's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The last byte of its upload is there.
    Uploaded,
    /// Enough is encoded to start watching.
    Playable,
    /// All of it is encoded.
    Ready,
    /// It could not be encoded, or a person ended the work.
    Failed,
    /// A track that the file had or a machine wrote is whole.
    CaptionsReady,
    /// It is gone.
    Deleted,
}

/// The videos that a webhook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Those of its person.
    Own,
    /// All, while its person is an administrator.
    All,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in lists; it opens nothing.
    pub id: String,
    /// Where it sends to.
    pub url: String,
    /// The events that it sends.
    pub events: Vec<Event>,
    /// The videos that it is about.
    pub about: About,
    /// Whether it sends at all.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number of edits so far.
    pub revision: u64,
}

/// A new webhook.
#[derive(Clone, Copy)]
pub struct NewWebhook<'a> {
    /// The person.
    pub user: &'a UserId,
    /// Where it sends to.
    pub url: &'a str,
    /// The events that it sends.
    pub events: &'a [Event],
    /// The videos that it is about.
    pub about: About,
    /// The secret that signs every delivery, as it is.
    pub secret: &'a str,
}

/// A person's change; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookEdit {
    /// Where it sends to from now on, what waits included.
    pub url: Option<String>,
    /// The events that it sends from now on.
    pub events: Option<Vec<Event>>,
    /// Whether it sends at all.
    pub active: Option<bool>,
    /// The revision that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// The table of webhooks and their deliveries.
#[derive(Clone, Debug)]
pub struct Webhooks {
    sql: Sql,
}

impl Webhooks {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Adds a webhook.
    pub async fn add(&self, new: &NewWebhook<'_>) -> Result<Webhook> {
        let webhook = Webhook {
            id: id::random(),
            url: new.url.to_owned(),
            events: new.events.to_vec(),
            about: new.about,
            active: true,
            created_at: Timestamp::now(),
            revision: 0,
        };
        query(
            "insert into webhooks (id, user_id, url, events, videos, secret, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&webhook.id)
        .bind(new.user.as_str())
        .bind(new.url)
        .bind(&written(new.events))
        .bind(new.about.as_str())
        .bind(new.secret)
        .bind(webhook.created_at.0)
        .execute(&self.sql)
        .await?;
        Ok(webhook)
    }

    /// Returns a person's webhooks, newest first.
    pub async fn of(&self, user: &UserId) -> Result<Vec<Webhook>> {
        let query = query("select * from webhooks where user_id = $1 order by created_at desc, id");
        query.bind(user.as_str()).fetch_all(&self.sql).await
    }

    /// Returns a webhook of a person.
    pub async fn get(&self, user: &UserId, id: &str) -> Result<Option<Webhook>> {
        let query = query("select * from webhooks where user_id = $1 and id = $2");
        query.bind(user.as_str()).bind(id).fetch_optional(&self.sql).await
    }

    /// Changes a webhook of a person. `None` when there is no such one; [`Error::Edited`] when somebody has edited it since the
    /// revision that was seen.
    pub async fn edit(&self, user: &UserId, id: &str, edit: &WebhookEdit) -> Result<Option<Webhook>> {
        let edited = query(
            // A word, since a null needs a type in PostgreSQL and `Value` has none for booleans.
            "update webhooks set url = coalesce($3, url), events = coalesce($4, events),
                 active = case when $5 = 'on' then true when $5 = 'off' then false else active end,
                 revision = revision + 1
             where user_id = $1 and id = $2 and revision = coalesce($6, revision) returning *",
        )
        .bind(user.as_str())
        .bind(id)
        .bind(&edit.url)
        .bind(edit.events.as_deref().map(written).as_ref())
        .bind(edit.active.map_or("as it is", |active| if active { "on" } else { "off" }))
        .bind(edit.seen.map(|revision| revision as i64))
        .fetch_optional(&self.sql)
        .await?;
        if edited.is_some() || edit.seen.is_none() {
            return Ok(edited);
        }
        match self.get(user, id).await? {
            Some(webhook) => Err(Error::Edited { what: webhook.id, revision: webhook.revision }),
            None => Ok(None),
        }
    }

    /// Removes a webhook of a person, and its deliveries. Returns whether there was one.
    pub async fn remove(&self, user: &UserId, id: &str) -> Result<bool> {
        let query = query("delete from webhooks where user_id = $1 and id = $2").bind(user.as_str()).bind(id);
        Ok(query.execute(&self.sql).await? > 0)
    }
}

/// Writes events as a statement finds one of them by its word.
fn written(events: &[Event]) -> String {
    let words: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
    format!(" {} ", words.join(" "))
}

impl Event {
    /// All events, in the order of a video's life.
    pub const ALL: [Self; 6] =
        [Self::Uploaded, Self::Playable, Self::Ready, Self::Failed, Self::CaptionsReady, Self::Deleted];

    /// Returns the event's word in the API, the database and what is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "video.uploaded",
            Self::Playable => "video.playable",
            Self::Ready => "video.ready",
            Self::Failed => "video.failed",
            Self::CaptionsReady => "captions.ready",
            Self::Deleted => "video.deleted",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

impl About {
    /// Returns the word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::All => "all",
        }
    }
}

impl fmt::Debug for NewWebhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FromRow for Webhook {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let events: String = row.try_get("events")?;
        let about: String = row.try_get("videos")?;
        Ok(Self {
            id: row.try_get("id")?,
            url: row.try_get("url")?,
            // A word of a newer program is passed over: this one does not send it.
            events: events.split_whitespace().filter_map(Event::read).collect(),
            about: if about == About::All.as_str() { About::All } else { About::Own },
            active: row.try_get("active")?,
            created_at: Timestamp(row.try_get("created_at")?),
            revision: row.try_get::<i64, _>("revision")? as u64,
        })
    }
}
