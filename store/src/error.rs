//! In charge of what can go wrong below the roles. Absence is `Option`, not an error.

/// The result of every call of the store.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed call of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk has no room; the caller may try again later.
    #[error("no room left for {what}")]
    Full {
        /// What was being written.
        what: String,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} {what}: {cause}")]
    Io {
        /// A verb, such as `open`.
        action: &'static str,
        /// The file or blob.
        what: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Another process has this data folder open.
    #[error("the data folder {0} is in use by another clipcut; stop that one or choose another with --data")]
    InUse(String),
    /// The database failed.
    #[error("database: {0}")]
    Sql(sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("database migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The video was deleted, or the rendition is not planned.
    #[error("video {0} is gone")]
    Gone(crate::VideoId),
}

impl Error {
    pub(crate) fn io(action: &'static str, what: impl Into<String>, cause: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let what = what.into();
        match cause.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full { what },
            _ => Self::Io { action, what, cause },
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        // https://www.sqlite.org/rescode.html#full
        const SQLITE_FULL: &str = "13";
        let full = e
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| code == SQLITE_FULL);
        if full { Self::Full { what: "the database".into() } } else { Self::Sql(e) }
    }
}
