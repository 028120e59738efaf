//! Tokens: the rights of programs that act for people. A token is never shown again, since only its hash is kept.

use super::User;
use crate::{
    Result, Timestamp, UserId, id,
    revocations::{self, Key},
    sql::{FromRow, Row, Sql, query},
};

/// A program's right to act for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name in lists; it opens nothing.
    pub id: String,
    /// Its name, for the person alone.
    pub name: String,
    /// The words of its scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
}

/// A new token.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// The person.
    pub user: &'a UserId,
    /// Its name, for the person alone.
    pub name: &'a str,
    /// The token, hashed.
    pub secret: &'a str,
    /// The words of its scopes, with spaces between.
    pub scopes: &'a str,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// The table of tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    sql: Sql,
}

/// A token and its person.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The program's right.
    pub token: Token,
    /// The person.
    pub user: User,
}

impl Tokens {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Adds a token.
    pub async fn add(&self, new: &NewToken<'_>) -> Result<Token> {
        let token = Token {
            id: id::random(),
            name: new.name.to_owned(),
            scopes: new.scopes.split_whitespace().map(str::to_owned).collect(),
            created_at: Timestamp::now(),
            expires_at: new.expires_at,
            last_used: None,
        };
        query(
            "insert into tokens (id, user_id, name, secret, scopes, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&token.id)
        .bind(new.user.as_str())
        .bind(new.name)
        .bind(new.secret)
        .bind(new.scopes)
        .bind(token.created_at.0)
        .bind(new.expires_at.map(|at| at.0))
        .execute(&self.sql)
        .await?;
        Ok(token)
    }

    /// Returns the token with a hash and its person, unless it has ended.
    pub async fn find(&self, secret: &str) -> Result<Option<Bearer>> {
        query(
            "select users.*, tokens.id as token_id, tokens.name as token_name, tokens.scopes,
                    tokens.created_at as token_created_at, tokens.expires_at, tokens.last_used
             from tokens join users on users.id = tokens.user_id
             where tokens.secret = $1 and (tokens.expires_at is null or tokens.expires_at > $2)
                   and users.disabled = $3 and users.deleted_at is null",
        )
        .bind(secret)
        .bind(Timestamp::now().0)
        .bind(false)
        .fetch_optional(&self.sql)
        .await
    }

    /// Notes that a token was used now.
    pub async fn touch(&self, id: &str) -> Result<()> {
        let query = query("update tokens set last_used = $2 where id = $1").bind(id);
        query.bind(Timestamp::now().0).execute(&self.sql).await.map(drop)
    }

    /// Returns a person's tokens, newest first.
    pub async fn of(&self, user: &UserId) -> Result<Vec<Token>> {
        query(
            "select id as token_id, name as token_name, scopes, created_at as token_created_at, expires_at, last_used
             from tokens where user_id = $1 order by created_at desc, id",
        )
        .bind(user.as_str())
        .fetch_all(&self.sql)
        .await
    }

    /// Returns the person of a token that has not ended.
    pub async fn person(&self, id: &str) -> Result<Option<User>> {
        query(
            "select users.* from tokens join users on users.id = tokens.user_id
             where tokens.id = $1 and (tokens.expires_at is null or tokens.expires_at > $2)
                   and users.disabled = $3 and users.deleted_at is null",
        )
        .bind(id)
        .bind(Timestamp::now().0)
        .bind(false)
        .fetch_optional(&self.sql)
        .await
    }

    /// Removes a token of a person. Returns whether there was one.
    pub(crate) async fn remove(&self, user: &UserId, id: &str) -> Result<bool> {
        let statement = "delete from tokens where user_id = $1 and id = $2";
        revocations::end(&self.sql, statement, Key { user, id }).await
    }
}

impl FromRow for Token {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let scopes: String = row.try_get("scopes")?;
        Ok(Self {
            id: row.try_get("token_id")?,
            name: row.try_get("token_name")?,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            created_at: Timestamp(row.try_get("token_created_at")?),
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp),
            last_used: row.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
        })
    }
}

impl FromRow for Bearer {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { token: Token::from_row(row)?, user: User::from_row(row)? })
    }
}
