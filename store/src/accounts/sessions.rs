//! Sessions: browsers that are signed in. A session ends after a rest, at its absolute end, or when a person ends it.

use super::User;
use crate::{
    Result, Timestamp, UserId, id,
    revocations::{self, Key},
    sql::{FromRow, Row, Sql, query},
};

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name in lists; it opens nothing.
    pub id: String,
    /// The browser's name for itself.
    pub user_agent: String,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// When it was last seen, to the minute.
    pub last_seen: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
}

/// A new session.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The person.
    pub user: &'a UserId,
    /// The cookie's secret, hashed.
    pub secret: &'a str,
    /// The browser's name for itself.
    pub user_agent: &'a str,
    /// The absolute end.
    pub expires_at: Timestamp,
}

/// The table of sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    sql: Sql,
}

/// A session and its person.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The browser.
    pub session: Session,
    /// The person.
    pub user: User,
}

impl Sessions {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Begins a session. Returns its id.
    pub async fn begin(&self, new: &NewSession<'_>) -> Result<String> {
        let (id, now) = (id::random(), Timestamp::now().0);
        query(
            "insert into sessions (id, user_id, secret, user_agent, created_at, last_seen, expires_at)
             values ($1, $2, $3, $4, $5, $5, $6)",
        )
        .bind(&id)
        .bind(new.user.as_str())
        .bind(new.secret)
        .bind(new.user_agent)
        .bind(now)
        .bind(new.expires_at.0)
        .execute(&self.sql)
        .await?;
        Ok(id)
    }

    /// Returns the session behind a cookie's hashed secret, and its person, unless it has ended or was not seen since
    /// `idle_since`.
    pub async fn find(&self, secret: &str, idle_since: Timestamp) -> Result<Option<SignedIn>> {
        query(
            "select users.*, sessions.id as session_id, sessions.user_agent, sessions.last_seen, sessions.expires_at,
                    sessions.created_at as session_created_at
             from sessions join users on users.id = sessions.user_id
             where sessions.secret = $1 and sessions.expires_at > $2 and sessions.last_seen > $3
                   and users.disabled = $4 and users.deleted_at is null",
        )
        .bind(secret)
        .bind(Timestamp::now().0)
        .bind(idle_since.0)
        .bind(false)
        .fetch_optional(&self.sql)
        .await
    }

    /// Notes that a session was seen now.
    pub async fn touch(&self, id: &str) -> Result<()> {
        let query = query("update sessions set last_seen = $2 where id = $1").bind(id);
        query.bind(Timestamp::now().0).execute(&self.sql).await.map(drop)
    }

    /// Returns a person's sessions that have not ended, the last used first.
    pub async fn of(&self, user: &UserId, idle_since: Timestamp) -> Result<Vec<Session>> {
        query(
            "select id as session_id, user_agent, last_seen, expires_at, created_at as session_created_at from sessions
             where user_id = $1 and expires_at > $2 and last_seen > $3 order by last_seen desc, id limit 100",
        )
        .bind(user.as_str())
        .bind(Timestamp::now().0)
        .bind(idle_since.0)
        .fetch_all(&self.sql)
        .await
    }

    /// Returns the person of a session that has not ended, and was seen since `idle_since`.
    pub async fn person(&self, id: &str, idle_since: Timestamp) -> Result<Option<User>> {
        query(
            "select users.* from sessions join users on users.id = sessions.user_id
             where sessions.id = $1 and sessions.expires_at > $2 and sessions.last_seen > $3
                   and users.disabled = $4 and users.deleted_at is null",
        )
        .bind(id)
        .bind(Timestamp::now().0)
        .bind(idle_since.0)
        .bind(false)
        .fetch_optional(&self.sql)
        .await
    }

    /// Ends a session of a person. Returns whether there was one.
    pub(crate) async fn end(&self, user: &UserId, id: &str) -> Result<bool> {
        let statement = "delete from sessions where user_id = $1 and id = $2";
        revocations::end(&self.sql, statement, Key { user, id }).await
    }

    /// Drops the rows of sessions that have ended by themselves.
    pub async fn sweep(&self, idle_since: Timestamp) -> Result<u64> {
        let query = query("delete from sessions where expires_at <= $1 or last_seen <= $2");
        query.bind(Timestamp::now().0).bind(idle_since.0).execute(&self.sql).await
    }
}

impl FromRow for Session {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("session_id")?,
            user_agent: row.try_get("user_agent")?,
            created_at: Timestamp(row.try_get("session_created_at")?),
            last_seen: Timestamp(row.try_get("last_seen")?),
            expires_at: Timestamp(row.try_get("expires_at")?),
        })
    }
}

impl FromRow for SignedIn {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { session: Session::from_row(row)?, user: User::from_row(row)? })
    }
}
