//! In charge of the database connection, its settings and its migrations.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use rustix::fs::{FlockOperation, flock};
use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Result};

/// A pool of connections, and the folder's lock, which is held as long as any of them lives.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    pub(crate) pool: SqlitePool,
    _lock: Arc<File>,
}

/// Locks `dir` against other processes; the lock dies with this one, however it dies.
pub(crate) async fn lock(dir: &Path) -> Result<File> {
    tokio::fs::create_dir_all(dir).await.map_err(|e| Error::io("create", dir.display().to_string(), e))?;
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| Error::io("create", path.display().to_string(), e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse(dir.display().to_string())),
        Err(e) => Err(Error::io("lock", path.display().to_string(), e.into())),
    }
}

pub(crate) async fn open(dir: &Path, lock: File) -> Result<Sql> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("clipcut.sqlite"))
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut; there are few writes a second.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        // A transaction that a full disk broke off leaves its connection counting one that is no more.
        .after_release(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await?;
    sqlx::migrate!().run(&pool).await?;
    Ok(Sql { pool, _lock: Arc::new(lock) })
}
