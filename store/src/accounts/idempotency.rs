//! Idempotency keys: the first request with a key runs, and those that repeat it get its answer for a day. Leaves what an answer
//! is to its callers.

use std::time::Duration;

use crate::{
    Result, Timestamp, UserId,
    sql::{FromRow, Row, Sql, query},
};

const DAY: Duration = Duration::from_hours(24);
/// How long a running request has its key; it renews that while it runs, and a killed process does not.
pub const HOLD: Duration = Duration::from_mins(2);

/// A request that may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// The person who sends it.
    pub user: UserId,
    /// The method and the path.
    pub endpoint: String,
    /// The client's key, hashed.
    pub key: String,
    /// A hash of all that makes it another request.
    pub fingerprint: String,
}

/// The standing of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody had it: the request may run.
    First,
    /// The first request with it runs.
    Running,
    /// Another request had it.
    Another,
    /// The first request has ended with this answer.
    Answered(String),
}

/// The table of idempotency keys.
#[derive(Clone, Debug)]
pub struct Idempotency {
    sql: Sql,
}

// A key of a process that was killed is free when its time is over, and so is one of a day ago.
const BEGIN: &str = "
    insert into idempotency_keys (user_id, endpoint, key_hash, fingerprint, held_until, created_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (user_id, endpoint, key_hash) do update
    set fingerprint = excluded.fingerprint, answer = null, held_until = excluded.held_until,
        created_at = excluded.created_at
    where (idempotency_keys.answer is null and idempotency_keys.held_until < $6)
          or idempotency_keys.created_at < $7";

// A client that makes keys without end has its oldest ones forgotten.
const TRIM: &str = "
    delete from idempotency_keys where user_id = $1 and answer is not null and created_at <= (
        select created_at from idempotency_keys where user_id = $1
        order by created_at desc limit 1 offset 999)";

impl Idempotency {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Begins a request, unless its key is taken.
    pub async fn begin(&self, request: &Repeatable) -> Result<Begun> {
        let now = Timestamp::now();
        query(TRIM).bind(request.user.as_str()).execute(&self.sql).await?;
        let begun = query(BEGIN)
            .bind(request.user.as_str())
            .bind(&request.endpoint)
            .bind(&request.key)
            .bind(&request.fingerprint)
            .bind((now + HOLD).0)
            .bind(now.0)
            .bind(now.0 - DAY.as_micros() as i64)
            .execute(&self.sql)
            .await?;
        if begun > 0 {
            return Ok(Begun::First);
        }
        let found = query(
            "select fingerprint, answer from idempotency_keys
             where user_id = $1 and endpoint = $2 and key_hash = $3",
        )
        .bind(request.user.as_str())
        .bind(&request.endpoint)
        .bind(&request.key)
        .fetch_optional::<Kept>(&self.sql)
        .await?;
        Ok(match found {
            Some(kept) if kept.fingerprint != request.fingerprint => Begun::Another,
            Some(Kept { answer: Some(answer), .. }) => Begun::Answered(answer),
            // It failed just now, and the next try may run.
            _ => Begun::Running,
        })
    }

    /// Says that a request still runs.
    pub async fn hold(&self, request: &Repeatable) -> Result<()> {
        let query = query(
            "update idempotency_keys set held_until = $4
             where user_id = $1 and endpoint = $2 and key_hash = $3 and answer is null",
        );
        let query = query.bind(request.user.as_str()).bind(&request.endpoint).bind(&request.key);
        query.bind((Timestamp::now() + HOLD).0).execute(&self.sql).await.map(drop)
    }

    /// Keeps the answer of a request.
    pub async fn keep(&self, request: &Repeatable, answer: &str) -> Result<()> {
        let query = query(
            "update idempotency_keys set answer = $4
             where user_id = $1 and endpoint = $2 and key_hash = $3 and answer is null",
        );
        let query = query.bind(request.user.as_str()).bind(&request.endpoint).bind(&request.key);
        query.bind(answer).execute(&self.sql).await.map(drop)
    }

    /// Frees the key of a request that has changed nothing.
    pub async fn release(&self, request: &Repeatable) -> Result<()> {
        let query = query(
            "delete from idempotency_keys
             where user_id = $1 and endpoint = $2 and key_hash = $3 and answer is null",
        );
        let query = query.bind(request.user.as_str()).bind(&request.endpoint).bind(&request.key);
        query.execute(&self.sql).await.map(drop)
    }

    /// Forgets the keys of more than a day ago.
    pub async fn sweep(&self) -> Result<()> {
        let before = Timestamp::now().0 - DAY.as_micros() as i64;
        query("delete from idempotency_keys where created_at < $1")
            .bind(before)
            .execute(&self.sql)
            .await
            .map(drop)
    }
}

struct Kept {
    fingerprint: String,
    answer: Option<String>,
}

impl FromRow for Kept {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { fingerprint: row.try_get("fingerprint")?, answer: row.try_get("answer")? })
    }
}
