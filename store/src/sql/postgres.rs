//! The database that a cluster shares: its limits, the wait for it at the start, and whether its tables
//! are those of this program.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{migrations::POSTGRES, pool::Sql};
use crate::{Error, Result};

// Of each process; a server takes a hundred by default.
const CONNECTIONS: u32 = 8;
// Less than what a request waits for.
const CONNECT: Duration = Duration::from_secs(5);
// Servers of a cluster start together, and the database need not be the first.
const START: Duration = Duration::from_mins(1);
// A statement takes milliseconds. One that waits for the lock of a dead process ends, as an outage that passes.
//
// A plan for certain values is another one for others, and no test has seen it: a search for a word of 500,000 cues took over ten
// seconds by its own, and three by the plan for any. That is the one which tests explain, so it is the one that runs.
const SERVER_SETTINGS: [(&str, &str); 5] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("plan_cache_mode", "force_generic_plan"),
    // To compile such a plan takes longer than to run it.
    ("jit", "off"),
];

/// Connects to the database at `url`, whose tables must be as new as this program or newer.
pub(crate) async fn connect(url: &str) -> Result<Sql> {
    let pool = pool(url, &SERVER_SETTINGS)?;
    ping(&pool).await?;
    check(&pool).await?;
    Ok(Sql::Postgres(pool))
}

/// Returns the server's version. An error where its tables are not up to date.
pub(crate) async fn version(url: &str) -> Result<String> {
    let pool = pool(url, &SERVER_SETTINGS)?;
    reach(&pool).await?;
    let version = sqlx::query_scalar("show server_version").fetch_one(&pool).await?;
    check(&pool).await?;
    pool.close().await;
    Ok(version)
}

/// Brings the tables at `url` up to date. Two processes may do so at once: sqlx takes a lock. Returns how many steps
/// it took.
pub async fn migrate(url: &str) -> Result<usize> {
    // Statements of a migration may take as long as they need.
    let pool = pool(url, &[])?;
    ping(&pool).await?;
    let before = applied(&pool).await?.len();
    POSTGRES.run(&pool).await?;
    let after = applied(&pool).await?.len();
    crate::search::index_missing(&Sql::Postgres(pool.clone())).await?;
    crate::listing::order_titles(&Sql::Postgres(pool.clone())).await?;
    pool.close().await;
    Ok(after.saturating_sub(before))
}

fn pool(url: &str, settings: &[(&'static str, &'static str)]) -> Result<PgPool> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        let cause = "postgres://user:password@host/database is expected".to_owned();
        return Err(Error::Address { what: "PostgreSQL", cause });
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|e| Error::Address { what: "PostgreSQL", cause: e.to_string() })?
        .application_name("clipcut")
        .options(settings.iter().copied());
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(CONNECT);
    Ok(pool.connect_lazy_with(options))
}

/// Waits for a server that is about to start. The pauses are random, so that a cluster's processes do not all try at
/// the same moment.
async fn ping(pool: &PgPool) -> Result<()> {
    let give_up = tokio::time::Instant::now() + START;
    loop {
        let error = match reach(pool).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !matches!(error, Error::Unavailable { .. }) || tokio::time::Instant::now() >= give_up {
            return Err(error);
        }
        tracing::warn!(%error, "waiting for the database");
        tokio::time::sleep(Duration::from_secs(1).mul_f64(rand::random_range(0.5..1.5))).await;
    }
}

/// Connects once, beside the pool: that tries again by itself until its time is over, and then names no other cause.
async fn reach(pool: &PgPool) -> Result<()> {
    let options = pool.connect_options();
    let connected = tokio::time::timeout(CONNECT, PgConnection::connect_with(&options)).await;
    Ok(connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))?.close().await?)
}

async fn check(pool: &PgPool) -> Result<()> {
    let applied = applied(pool).await?;
    // Newer tables are fine: migrations only add, so that a cluster is upgraded one process after the other.
    if POSTGRES.iter().all(|migration| applied.contains(&migration.version)) {
        return Ok(());
    }
    Err(Error::OlderTables)
}

async fn applied(pool: &PgPool) -> Result<Vec<i64>> {
    // `to_regclass` is null for a table that does not exist, where a select would be an error.
    let there = sqlx::query("select to_regclass('_sqlx_migrations') is not null").fetch_one(pool).await?;
    if !there.try_get::<bool, _>(0)? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("select version from _sqlx_migrations where success order by version");
    let rows = rows.fetch_all(pool).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?)
}
