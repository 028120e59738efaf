//! Statements: written once, with `$1` and on, and run on either database.

use sqlx::{Database, Encode, Postgres, Sqlite, Type, query::Query as Prepared};

use super::{
    pool::{Sql, in_time},
    row::{FromRow, Row},
    transaction::Transaction,
};
use crate::Result;

/// A statement and the values of its places.
#[derive(Debug)]
pub(crate) struct Query {
    // The text is a constant: nothing that a person sends can become a part of a statement.
    text: &'static str,
    values: Vec<Value>,
}

/// A value of a type that both databases have.
#[derive(Debug)]
pub(crate) enum Value {
    // PostgreSQL wants a type for each null, so null is not a kind of its own.
    Text(Option<String>),
    Integer(Option<i64>),
    Real(Option<f64>),
    Boolean(bool),
}

/// The executor of a statement: the pool, or a transaction.
pub(crate) enum Executor<'a> {
    Sql(&'a Sql),
    Transaction(&'a mut Transaction),
}

/// Begins a statement.
pub(crate) fn query(text: &'static str) -> Query {
    Query { text, values: Vec::new() }
}

impl Query {
    /// Gives the next place its value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Returns the number of rows that it touched.
    pub(crate) async fn execute(self, on: impl Into<Executor<'_>>) -> Result<u64> {
        self.trace();
        let done = async {
            Ok(match on.into() {
                Executor::Sql(Sql::Sqlite { pool, .. }) => {
                    self.prepared::<Sqlite>().execute(pool).await?.rows_affected()
                }
                Executor::Sql(Sql::Postgres(pool)) => {
                    self.prepared::<Postgres>().execute(pool).await?.rows_affected()
                }
                Executor::Transaction(Transaction::Sqlite(tx)) => {
                    self.prepared::<Sqlite>().execute(&mut **tx).await?.rows_affected()
                }
                Executor::Transaction(Transaction::Postgres(tx)) => {
                    self.prepared::<Postgres>().execute(&mut **tx).await?.rows_affected()
                }
            })
        };
        Ok(in_time(done).await?)
    }

    /// Returns all rows.
    pub(crate) async fn fetch_all<T: FromRow>(self, on: impl Into<Executor<'_>>) -> Result<Vec<T>> {
        self.trace();
        let sqlite = |rows: Vec<_>| rows.into_iter().map(Row::Sqlite).collect::<Vec<_>>();
        let postgres = |rows: Vec<_>| rows.into_iter().map(Row::Postgres).collect::<Vec<_>>();
        let fetched = async {
            Ok(match on.into() {
                Executor::Sql(Sql::Sqlite { pool, .. }) => {
                    sqlite(self.prepared::<Sqlite>().fetch_all(pool).await?)
                }
                Executor::Sql(Sql::Postgres(pool)) => {
                    postgres(self.prepared::<Postgres>().fetch_all(pool).await?)
                }
                Executor::Transaction(Transaction::Sqlite(tx)) => {
                    sqlite(self.prepared::<Sqlite>().fetch_all(&mut **tx).await?)
                }
                Executor::Transaction(Transaction::Postgres(tx)) => {
                    postgres(self.prepared::<Postgres>().fetch_all(&mut **tx).await?)
                }
            })
        };
        let rows = in_time(fetched).await?;
        Ok(rows.iter().map(T::from_row).collect::<sqlx::Result<_>>()?)
    }

    /// Returns the row of a statement that has at most one.
    pub(crate) async fn fetch_optional<T: FromRow>(self, on: impl Into<Executor<'_>>) -> Result<Option<T>> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    /// Returns the row of a statement that always has one.
    pub(crate) async fn fetch_one<T: FromRow>(self, on: impl Into<Executor<'_>>) -> Result<T> {
        Ok(self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// Logs the statement within the caller's task, where sqlx has its own events in SQLite's threads: tests count by it.
    fn trace(&self) {
        tracing::trace!(statement = self.text, "statement");
    }

    fn prepared<DB: Database>(self) -> Prepared<'static, DB, DB::Arguments>
    where
        Option<String>: Encode<'static, DB> + Type<DB>,
        Option<i64>: Encode<'static, DB> + Type<DB>,
        Option<f64>: Encode<'static, DB> + Type<DB>,
        bool: Encode<'static, DB> + Type<DB>,
    {
        // SQLite takes `$1` for a name; sqlx reads the number in it, so both databases share the text.
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
            Value::Boolean(truth) => query.bind(truth),
        })
    }
}

impl<'a> From<&'a Sql> for Executor<'a> {
    fn from(sql: &'a Sql) -> Self {
        Self::Sql(sql)
    }
}

impl<'a> From<&'a mut Transaction> for Executor<'a> {
    fn from(tx: &'a mut Transaction) -> Self {
        Self::Transaction(tx)
    }
}

macro_rules! values {
    ($($type:ty: $value:ident => $made:expr;)+) => { $(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )+ };
}

values! {
    &str: text => Self::Text(Some(text.to_owned()));
    &String: text => Self::Text(Some(text.clone()));
    Option<&str>: text => Self::Text(text.map(str::to_owned));
    Option<&String>: text => Self::Text(text.cloned());
    &Option<String>: text => Self::Text(text.clone());
    i64: number => Self::Integer(Some(number));
    Option<i64>: number => Self::Integer(number);
    f64: number => Self::Real(Some(number));
    Option<f64>: number => Self::Real(number);
    bool: truth => Self::Boolean(truth);
}
