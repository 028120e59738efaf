//! Rows of either database, and the types that are read from them.

use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// A row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A type that a row is read into.
pub(crate) trait FromRow: Sized {
    /// Reads the columns by name.
    fn from_row(row: &Row) -> sqlx::Result<Self>;
}

impl Row {
    /// Reads one column.
    pub(crate) fn try_get<'r, T, I>(&'r self, column: I) -> sqlx::Result<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

macro_rules! single_columns {
    ($($type:ty)+) => { $(
        impl FromRow for $type {
            fn from_row(row: &Row) -> sqlx::Result<Self> {
                row.try_get(0)
            }
        }
    )+ };
}

// Statements that ask for one column.
single_columns! { i64 Option<i64> String Option<String> }
