//! Transactions: several statements, all or nothing, and in order: a transaction on a video's rows locks that video until
//! its end.

use sqlx::{Postgres, Sqlite};

use super::pool::{Sql, in_time};
use crate::{CaptionId, Result, VideoId};

/// A transaction; dropped, it leaves nothing behind.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// The rows that a transaction locks before it reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LockScope<'a> {
    /// None: the rows are new, and no other transaction knows them.
    New,
    /// A video and what belongs to it.
    Video(&'a VideoId),
    /// A caption track, and with it its video.
    Captions(&'a CaptionId),
    /// The right to hand out writers of playlists.
    Writers,
    /// The accounts: the first one and the last administrator are so by a look at all rows.
    Accounts,
}

impl Sql {
    /// Begins a transaction. The rows of its scope need not exist; then nothing is locked.
    ///
    /// `SQLite` has one writer at a time. `PostgreSQL` has many, so a transaction that reads in order to write locks the
    /// video's row first: always that row and always first, so that no two can deadlock.
    pub(crate) async fn begin(&self, scope: LockScope<'_>) -> Result<Transaction> {
        let pool = match self {
            Self::Sqlite { pool, .. } => {
                // A deferred transaction that has read fails at its first write when another wrote in between
                // (SQLITE_BUSY_SNAPSHOT), however long the timeout; `immediate` waits at the start.
                return Ok(Transaction::Sqlite(in_time(pool.begin_with("begin immediate")).await?));
            }
            Self::Postgres(pool) => pool,
        };
        let mut tx = in_time(pool.begin()).await?;
        // Weaker than `for update`: rows that refer to the video may still be added.
        let lock = match scope {
            LockScope::New => return Ok(Transaction::Postgres(tx)),
            LockScope::Video(id) => {
                sqlx::query("select id from videos where id = $1 for no key update").bind(id.as_str())
            }
            // A track never moves to another video, so its video is found without a lock on the track.
            LockScope::Captions(id) => sqlx::query(
                "select id from videos where id = (select video_id from captions where id = $1) for no key update",
            )
            .bind(id.as_str()),
            // An advisory lock's key: any number that stands for nothing else.
            // The lock of a transaction ends with it, also when its process dies; a session's would have to be given back.
            LockScope::Writers => sqlx::query("select pg_advisory_xact_lock(24111)"),
            LockScope::Accounts => sqlx::query("select pg_advisory_xact_lock(24112)"),
        };
        in_time(lock.fetch_optional(&mut *tx)).await?;
        Ok(Transaction::Postgres(tx))
    }
}

impl Transaction {
    /// Commits.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => in_time(tx.commit()).await?,
            Self::Postgres(tx) => in_time(tx.commit()).await?,
        }
        Ok(())
    }
}
