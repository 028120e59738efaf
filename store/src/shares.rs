//! Shares: links that open one video to whoever has them, until they end or are revoked.

use crate::{
    Result, Signal, Signals, Timestamp, UserId, VideoId, id,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};

/// A link that opens one video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its name in URLs; it opens nothing.
    pub id: String,
    /// The link's secret.
    pub secret: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// A new link.
#[derive(Clone, Copy, Debug)]
pub struct NewShare<'a> {
    /// The video that it opens.
    pub video: &'a VideoId,
    /// A text that nobody can guess.
    pub secret: &'a str,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// The table of shares.
#[derive(Clone, Debug)]
pub struct Shares {
    sql: Sql,
    signals: Signals,
}

impl Shares {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Adds a link; `None` when there is no such video.
    pub async fn add(&self, new: &NewShare<'_>) -> Result<Option<Share>> {
        let share = Share {
            id: id::random(),
            // Not hashed as tokens are: lists show the whole link to its owner again.
            secret: new.secret.to_owned(),
            created_at: Timestamp::now(),
            expires_at: new.expires_at,
        };
        let added = query(
            // A video that is gone leaves no row to select, in place of a foreign key's error in each database's own
            // words.
            "insert into shares (id, video_id, secret, created_at, expires_at)
             select $1, id, $3, $4, $5 from videos where id = $2",
        )
        .bind(&share.id)
        .bind(new.video.as_str())
        .bind(new.secret)
        .bind(share.created_at.0)
        .bind(new.expires_at.map(|at| at.0))
        .execute(&self.sql)
        .await?;
        Ok((added > 0).then_some(share))
    }

    /// Returns the links of a video that have not ended, newest first.
    pub async fn of(&self, video: &VideoId) -> Result<Vec<Share>> {
        query(
            "select * from shares where video_id = $1 and (expires_at is null or expires_at > $2)
             order by created_at desc, id",
        )
        .bind(video.as_str())
        .bind(Timestamp::now().0)
        .fetch_all(&self.sql)
        .await
    }

    /// Returns the share of a video behind a link's secret, unless it has ended.
    pub async fn find(&self, video: &VideoId, secret: &str) -> Result<Option<Share>> {
        query(
            "select * from shares
             where secret = $1 and video_id = $2 and (expires_at is null or expires_at > $3)",
        )
        .bind(secret)
        .bind(video.as_str())
        .bind(Timestamp::now().0)
        .fetch_optional(&self.sql)
        .await
    }

    /// Revokes a link. Tickets of the video that end before the second `tickets_from` are void from now on. Returns whether
    /// there was one.
    pub async fn revoke(&self, video: &VideoId, share: &str, tickets_from: u64) -> Result<bool> {
        let statement = "delete from shares where video_id = $1 and id = $2";
        let revocation = Revocation { statement, video, id: share, tickets_from };
        revocation.make(&self.sql, &self.signals).await
    }
}

/// The end of a right to one video that somebody had.
pub(crate) struct Revocation<'a> {
    /// Deletes the row of a video and an id.
    pub(crate) statement: &'static str,
    pub(crate) video: &'a VideoId,
    pub(crate) id: &'a str,
    /// Tickets of the video that end before this second are void from now on.
    pub(crate) tickets_from: u64,
}

impl Revocation<'_> {
    /// Deletes the row, and has caches forget the video. Returns whether there was one.
    pub(crate) async fn make(&self, sql: &Sql, signals: &Signals) -> Result<bool> {
        let mut tx = sql.begin(LockScope::Video(self.video)).await?;
        let revoked = query(self.statement).bind(self.video.as_str()).bind(self.id).execute(&mut tx).await?;
        if revoked == 0 {
            return Ok(false);
        }
        void_tickets(&mut tx, self.video, self.tickets_from).await?;
        tx.commit().await?;
        // A cache that asks again at the signal must find the new row.
        signals.publish(Signal::Hidden(self.video.clone()));
        Ok(true)
    }
}

/// The videos that somebody who loses their rights may have tickets of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticketed<'a> {
    /// A person's own ones and those that are shared with them.
    Of(&'a UserId),
    /// All private ones, which administrators may watch.
    Private,
    /// All, where strangers may watch none.
    All,
}

const VOID_OF_PERSON: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    where id in (select id from videos where owner_id = $2
                 union select video_id from grants where user_id = $2)
    returning id as video_id";
const VOID_PRIVATE: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    where visibility = 'private' returning id as video_id";
const VOID_ALL: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    returning id as video_id";

/// Makes tickets void that end before the second `tickets_from`, and those that were made since by a clock behind. Returns
/// their videos.
pub(crate) async fn void_tickets_of(
    tx: &mut Transaction,
    of: Ticketed<'_>,
    tickets_from: u64,
) -> Result<Vec<VideoId>> {
    let (statement, person) = match of {
        Ticketed::Of(user) => (VOID_OF_PERSON, Some(user)),
        Ticketed::Private => (VOID_PRIVATE, None),
        Ticketed::All => (VOID_ALL, None),
    };
    let statement = query(statement).bind(tickets_from as i64);
    let statement = match person {
        Some(user) => statement.bind(user.as_str()),
        None => statement,
    };
    statement.fetch_all(tx).await
}

/// Makes the tickets of a video void that end before the second `tickets_from`, and those that were made since by a clock
/// behind.
async fn void_tickets(tx: &mut Transaction, video: &VideoId, tickets_from: u64) -> Result<()> {
    query(
        "update videos set tickets_from = case when tickets_from >= $2 then tickets_from + 1 else $2 end
         where id = $1",
    )
    .bind(video.as_str())
    .bind(tickets_from as i64)
    .execute(tx)
    .await
    .map(drop)
}

impl FromRow for Share {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            secret: row.try_get("secret")?,
            created_at: Timestamp(row.try_get("created_at")?),
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp),
        })
    }
}
