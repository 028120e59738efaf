//! Quotas: how much a person's videos may take, and how much they take. Leaves the limit for everybody to the configuration, and
//! refusing to the origin.

use crate::{
    Result, UserId, VideoId,
    sql::{FromRow, Row, Sql, query},
};

/// How much the videos of one person may take; `None` is any amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The size of their files.
    pub bytes: Option<u64>,
    /// Their lengths.
    pub minutes: Option<u64>,
}

/// How much the videos of one person take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// The size of their files; of one that is on its way all of it, where its length is known.
    pub bytes: u64,
    /// Their lengths, as far as these are known.
    pub minutes: f64,
}

/// The storage of a person's videos, and its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// So much.
    pub usage: Usage,
    /// At most so much.
    pub quota: Quota,
}

/// The part of a quota that does not allow an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The files would be too large.
    Bytes,
    /// The videos are too long already.
    Minutes,
}

/// Storage by person.
#[derive(Clone, Debug)]
pub struct Quotas {
    sql: Sql,
}

impl Balance {
    /// Returns how many bytes may be added; `None` is any number.
    pub fn bytes_left(&self) -> Option<u64> {
        Some(self.quota.bytes?.saturating_sub(self.usage.bytes))
    }

    /// Decides whether `bytes` more are allowed. How long a video is shows when it has come: it is refused where the minutes are
    /// used up.
    pub fn admits(&self, bytes: u64) -> std::result::Result<(), Exceeded> {
        let total = self.usage.bytes.saturating_add(bytes);
        if self.quota.bytes.is_some_and(|limit| total > limit) {
            return Err(Exceeded::Bytes);
        }
        if self.quota.minutes.is_some_and(|limit| self.usage.minutes >= limit as f64) {
            return Err(Exceeded::Minutes);
        }
        Ok(())
    }
}

impl Quotas {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Returns what a person's videos take and may take: what an administrator has set for them, else what `everybody` may.
    pub async fn balance(&self, user: &UserId, everybody: Quota) -> Result<Balance> {
        // An upload counts whole from its first byte on, or each of two at once would fit.
        let found: Option<Balance> = query(
            "select u.quota_bytes, u.quota_minutes, coalesce(sum(v.duration_seconds), 0.0) as seconds,
                    cast(coalesce(sum(case when p.video_id is null then coalesce(v.source_bytes, 0)
                                           else coalesce(p.length, p.counted) end), 0) as bigint) as bytes
             from users u left join videos v on v.owner_id = u.id left join uploads p on p.video_id = v.id
             where u.id = $1 group by u.id, u.quota_bytes, u.quota_minutes",
        )
        .bind(user.as_str())
        .fetch_optional(&self.sql)
        .await?;
        let Balance { usage, quota } = found.unwrap_or_default();
        let quota =
            Quota { bytes: quota.bytes.or(everybody.bytes), minutes: quota.minutes.or(everybody.minutes) };
        Ok(Balance { usage, quota })
    }

    /// Counts how much has come of an upload without a length, so that others of the same person count it.
    pub async fn count_upload(&self, upload: &VideoId, bytes: u64) -> Result<()> {
        query("update uploads set counted = $2 where video_id = $1")
            .bind(upload.as_str())
            .bind(bytes as i64)
            .execute(&self.sql)
            .await
            .map(drop)
    }
}

impl FromRow for Balance {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let limit = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(|n| n as u64));
        Ok(Self {
            usage: Usage {
                bytes: row.try_get::<i64, _>("bytes")? as u64,
                minutes: row.try_get::<f64, _>("seconds")? / 60.0,
            },
            quota: Quota { bytes: limit("quota_bytes")?, minutes: limit("quota_minutes")? },
        })
    }
}
