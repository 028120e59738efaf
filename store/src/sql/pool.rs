//! The pool of connections to either database, and the time that a statement may take.

use std::{fs::File, sync::Arc, time::Duration};

use sqlx::{PgPool, SqlitePool};

use crate::metrics::STATEMENT_SECONDS;

// A server that is frozen answers nothing, not even that a statement took too long. The limit is longer than the
// databases' own (10 s), whose errors name the cause.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A pool of connections.
#[derive(Clone, Debug)]
pub(crate) enum Sql {
    /// In a file of this machine. The folder's lock is held as long as any clone lives.
    Sqlite { pool: SqlitePool, _lock: Arc<File> },
    /// On a server that many share.
    Postgres(PgPool),
}

impl Sql {
    /// Returns whether other processes use the database too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

pub(super) async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let begun = tokio::time::Instant::now();
    let done = tokio::time::timeout(TIMEOUT, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    STATEMENT_SECONDS.observe(begun.elapsed().as_secs_f64());
    done
}
