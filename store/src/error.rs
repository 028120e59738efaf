//! The store's errors. Absence is `Option`, not an error.

/// The result of every call of the store.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed call of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk has no room; the caller may try again later.
    #[error("no room left for {what}")]
    StorageFull {
        /// The thing being written.
        what: String,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} {what}: {cause}")]
    Io {
        /// A verb, such as `open`.
        action: &'static str,
        /// The file or blob.
        what: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// Another process has this data folder open.
    #[error("the data folder {0} is in use by another clipcut; stop that one or choose another with --data")]
    InUse(String),
    /// A server of the cluster does not answer; the caller may try again later.
    #[error("{what} does not answer: {cause}")]
    Unavailable {
        /// The server.
        what: &'static str,
        /// The error that showed it.
        cause: String,
    },
    /// Stored bytes are not those that were written. They never go to a viewer.
    #[error("{key} is damaged: {problem}")]
    Damaged {
        /// The blob.
        key: String,
        /// The sign of it.
        problem: String,
    },
    /// MongoDB refused.
    #[error("mongodb: {0}")]
    Mongodb(Box<mongodb::error::Error>),
    /// Redis cannot be used as configured.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// The address of a server is none.
    #[error("this is no address of {what}: {cause}")]
    Address {
        /// The server.
        what: &'static str,
        /// The mistake in it.
        cause: String,
    },
    /// The database's tables were made by an older program.
    #[error("the database's tables are not up to date; run `clipcut migrate`, then try again")]
    OlderTables,
    /// The database failed.
    #[error("database: {0}")]
    Sql(sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("database migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another process appends to the upload, for this one did not renew its lease in time.
    #[error("another process has taken the upload {0} over")]
    TakenOver(crate::VideoId),
    /// A job was claimed as often as it may be, and each time its worker died without a word.
    #[error(
        "all {attempts} workers that took the job died of it; the system's log may say of what, such as too little memory"
    )]
    WorkersDied {
        /// How often.
        attempts: u32,
    },
    /// The video was deleted, or the rendition is not planned.
    #[error("video {0} is gone")]
    Gone(crate::VideoId),
    /// Somebody has edited it since it was seen.
    #[error("{what} was edited meanwhile; it has revision {revision} now")]
    Edited {
        /// Its id.
        what: String,
        /// The revision that it has now.
        revision: u64,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, what: impl Into<String>, cause: std::io::Error) -> Self {
        // A quota (EDQUOT) and a file system's largest file (EFBIG) are, to an upload,
        // what a full disk is: 507 (RFC 4918 §11.5).
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let what = what.into();
        match cause.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::StorageFull { what },
            _ => Self::Io { action, what, cause },
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        let unavailable = |e: &sqlx::Error| Self::Unavailable { what: "the database", cause: e.to_string() };
        match &e {
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                Some(SQLITE_FULL | DISK_FULL) => Self::StorageFull { what: "the database".into() },
                Some(code) if is_busy(code) => unavailable(&e),
                Some(code) if PASSING.iter().any(|class| code.starts_with(class)) => unavailable(&e),
                _ => Self::Sql(e),
            },
            // Rustls' kind for a certificate that it does not trust, which no wait will mend.
            sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => Self::Sql(e),
            // `in_time` reports a statement without an answer as a pool's timeout, so a frozen server ends here, too.
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => unavailable(&e),
            _ => Self::Sql(e),
        }
    }
}

impl From<mongodb::error::Error> for Error {
    fn from(e: mongodb::error::Error) -> Self {
        use mongodb::error::{ErrorKind, WriteFailure};
        // https://www.mongodb.com/docs/manual/reference/error-codes/
        const OUT_OF_DISK_SPACE: i32 = 14031;
        let unavailable =
            |cause: &mongodb::error::Error| Self::Unavailable { what: "MongoDB", cause: cause.to_string() };
        match &*e.kind {
            ErrorKind::Command(c) if c.code == OUT_OF_DISK_SPACE => Self::StorageFull { what: "MongoDB".into() },
            ErrorKind::Write(WriteFailure::WriteError(w)) if w.code == OUT_OF_DISK_SPACE => {
                Self::StorageFull { what: "MongoDB".into() }
            }
            ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            // Written, but not yet where a majority has it.
            | ErrorKind::Write(WriteFailure::WriteConcernError(_)) => unavailable(&e),
            // Another member was elected; the driver has tried once again already.
            _ if e.contains_label(mongodb::error::RETRYABLE_WRITE_ERROR) => unavailable(&e),
            _ => Self::Mongodb(Box::new(e)),
        }
    }
}
// https://www.sqlite.org/rescode.html#full
const SQLITE_FULL: &str = "13";
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const DISK_FULL: &str = "53100";
// Broken connections, a server that starts, stops or became a standby, too many connections, locks and statements that
// took too long, and deadlocks: the same call may well succeed in a while.
const PASSING: [&str; 9] = ["08", "57P", "53300", "55P03", "57014", "40001", "40P01", "25006", "25P03"];

/// Returns whether SQLite gave up waiting for another process, such as a backup, to let go of the database: 5 is
/// `SQLITE_BUSY` and 6 `SQLITE_LOCKED`, in the low byte of extended codes. PostgreSQL's codes have five characters.
fn is_busy(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
}
