//! The database of one machine: its file, its settings, its lock.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::Instant;

use super::{migrations::SQLITE, pool::Sql};
use crate::{Error, Result};

// A process that was killed a moment ago still holds its lock while the system takes its memory back.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_AGAIN: Duration = Duration::from_millis(50);

/// Locks `dir` against other processes; the lock dies with this one, however it dies.
pub(crate) async fn lock(dir: &Path) -> Result<File> {
    tokio::fs::create_dir_all(dir).await.map_err(|e| Error::io("create", dir.display().to_string(), e))?;
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| Error::io("create", path.display().to_string(), e))?;
    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if Instant::now() < give_up => tokio::time::sleep(LOCK_AGAIN).await,
            Err(Errno::WOULDBLOCK) => return Err(Error::InUse(dir.display().to_string())),
            Err(e) => return Err(Error::io("lock", path.display().to_string(), e.into())),
        }
    }
}

/// Opens the database in `dir`, created when absent, and brings its tables up to date.
pub(crate) async fn open(dir: &Path, lock: File) -> Result<Sql> {
    let pool = pool(dir).await?;
    SQLITE.run(&pool).await?;
    Ok(Sql::Sqlite { pool, _lock: Arc::new(lock) })
}

/// Opens the database in `dir` beside a server that may have it open: for statements that are whole by themselves. A server
/// that runs has brought the tables up to date; without one that is done here.
pub(crate) async fn open_shared(dir: &Path) -> Result<Sql> {
    tokio::fs::create_dir_all(dir).await.map_err(|e| Error::io("create", dir.display().to_string(), e))?;
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| Error::io("create", path.display().to_string(), e))?;
    let pool = pool(dir).await?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        SQLITE.run(&pool).await?;
    }
    Ok(Sql::Sqlite { pool, _lock: Arc::new(file) })
}

async fn pool(dir: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("clipcut.sqlite"))
        .create_if_missing(true)
        // SQLite enforces foreign keys where a connection asks for it, and `on delete cascade` is how a video's rows go.
        .foreign_keys(true)
        // Readers see the last commit while a writer works; a rollback journal would have viewers wait for the packager.
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut; there are few writes a second.
        .synchronous(SqliteSynchronous::Full)
        // SQLite's own limit is shorter than `in_time`'s, so that the error names the lock.
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new()
        // Writers queue for SQLite's one lock in any case; more connections would wait and not write faster.
        .max_connections(4)
        // A transaction that a full disk broke off leaves its connection counting one that is no more.
        .after_release(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await?;
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;

    const BEFORE: &str = include_str!("../../migrations/0001_library.sql");
    const CAPTIONS: &str = include_str!("../../migrations/0002_captions.sql");

    #[tokio::test(start_paused = true)]
    async fn a_folder_whose_process_is_about_to_end_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).await.unwrap();
        let mut second = std::pin::pin!(lock(folder.path()));
        assert!(tokio::time::timeout(LOCK_WAIT / 2, &mut second).await.is_err());
        drop(first);
        let second = second.await.unwrap();
        assert!(matches!(lock(folder.path()).await, Err(Error::InUse(_))));
        drop(second);
    }

    #[tokio::test]
    async fn text_renditions_of_before_become_captions_that_are_read_again() {
        // One connection: each has a database in memory of its own.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let library = "insert into videos (id, title, state, source_name, created_at)
                values ('v1', 't', 'ready', 's', 7), ('v2', 't', 'planned', 's', 8);
             insert into renditions (video_id, name, kind, position, language, label, segments_total)
                values ('v1', '720p', 'video', 0, null, null, 2), ('v1', 'captions/en', 'text', 1, 'en', 'English', 2),
                       ('v2', 'captions/de-2', 'text', 0, 'de', null, 2);
             insert into segments values ('v1', '720p', 0, '{}'), ('v1', 'captions/en', 0, '{}');
             insert into jobs (id, video_id, kind, track, queued_at)
                values ('j1', 'v2', 'text', 'captions/de-2', 8), ('j2', 'v2', 'video', '', 8);";
        for statements in [BEFORE, library, CAPTIONS] {
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&pool).await.unwrap();
        }
        let read = async |query: &'static str| {
            let rows = sqlx::query(query).fetch_all(&pool).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join(" ")
        };
        let tracks = "select video_id || '/' || name || '=' || state from captions order by 1";
        assert_eq!(read(tracks).await, "v1/en=queued v2/de-2=queued");
        assert_eq!(read("select kind from jobs order by video_id, kind").await, "text text video");
        assert_eq!(read("select name from renditions").await, "720p");
        assert_eq!(read("select rendition from segments").await, "720p");
    }
}
