//! In charge of changes of several statements, all or nothing, and of their order: whoever changes a video's rows
//! has that video for itself until it is done.

use sqlx::{Postgres, Sqlite};

use super::{Sql, in_time, query};
use crate::{CaptionId, Result, VideoId};

/// A transaction; dropped, it leaves nothing behind.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// What a change is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LockScope<'a> {
    /// Something that nobody else knows yet.
    New,
    /// A video and what belongs to it.
    Video(&'a VideoId),
    /// A caption track, and with it its video.
    Captions(&'a CaptionId),
    /// Who writes which video's playlists.
    Writers,
}

impl Sql {
    /// Begins a change. What it is about need not exist; then there is nothing to keep others from.
    ///
    /// `SQLite` has one writer at a time. `PostgreSQL` has many, so that one who reads in order to write locks the
    /// video's row first: always that and always first, which is why two never wait for each other.
    pub(crate) async fn begin(&self, scope: LockScope<'_>) -> Result<Transaction> {
        let mut tx = match self {
            Self::Sqlite { pool, .. } => {
                return Ok(Transaction::Sqlite(in_time(pool.begin_with("begin immediate")).await?));
            }
            Self::Postgres(pool) => Transaction::Postgres(in_time(pool.begin()).await?),
        };
        // Weaker than `for update`: rows that refer to the video may still be added.
        match scope {
            LockScope::New => return Ok(tx),
            LockScope::Video(id) => {
                query("select id from videos where id = $1 for no key update").bind(id.as_str())
            }
            LockScope::Captions(id) => query(
                "select id from videos where id = (select video_id from captions where id = $1) for no key update",
            )
            .bind(id.as_str()),
            // Any number will do that stands for nothing else.
            LockScope::Writers => query("select '' from pg_advisory_xact_lock(24111)"),
        }
        .fetch_optional::<String>(&mut tx)
        .await?;
        Ok(tx)
    }
}

impl Transaction {
    /// Makes it so.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => in_time(tx.commit()).await?,
            Self::Postgres(tx) => in_time(tx.commit()).await?,
        }
        Ok(())
    }
}
