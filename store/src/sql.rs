//! The database: SQLite or PostgreSQL behind one statement text. Leaves the statements to the tables'
//! own files, and the connections to `sqlite` and `postgres`.

mod migrations;
mod pool;
mod postgres;
mod query;
mod row;
mod sqlite;
mod transaction;

pub(crate) use pool::Sql;
pub use postgres::migrate;
pub(crate) use postgres::{connect, version};
pub(crate) use query::{Query, Value, query};
pub(crate) use row::{FromRow, Row};
pub(crate) use sqlite::{lock, open, open_shared};
pub(crate) use transaction::{LockScope, Transaction};
