//! Shares: links that open one video to whoever has them, until they end or are revoked.

use crate::{
    Result, Signals, Timestamp, VideoId, id,
    revocations::Revocation,
    sql::{FromRow, Row, Sql, query},
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
