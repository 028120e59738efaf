//! Links by which people set a password that they have forgotten: used once, and void after a while.

use crate::{
    Result, Timestamp, UserId,
    revocations::note_person,
    sql::{LockScope, Sql, query},
};

/// The table of such links.
#[derive(Clone, Debug)]
pub struct PasswordResets {
    sql: Sql,
}

impl PasswordResets {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Adds a link by its hashed key, in place of those that the person had.
    pub async fn add(&self, user: &UserId, secret: &str, expires_at: Timestamp) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        query("delete from password_resets where user_id = $1").bind(user.as_str()).execute(&mut tx).await?;
        query("insert into password_resets (secret, user_id, expires_at) values ($1, $2, $3)")
            .bind(secret)
            .bind(user.as_str())
            .bind(expires_at.0)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Returns the person of a link that still counts, by its hashed key.
    pub async fn person(&self, secret: &str) -> Result<Option<UserId>> {
        let query = query(
            "select u.id from password_resets r join users u on u.id = r.user_id
             where r.secret = $1 and r.expires_at > $2 and not u.disabled and u.deleted_at is null",
        );
        let id: Option<String> =
            query.bind(secret).bind(Timestamp::now().0).fetch_optional(&self.sql).await?;
        Ok(id.map(UserId::from))
    }

    /// Uses a link up: its person gets the password with this hash, and all their sessions end. Returns whether it still
    /// counted.
    pub async fn use_up(&self, secret: &str, hash: &str) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        let user: Option<String> = query(
            "select u.id from password_resets r join users u on u.id = r.user_id
             where r.secret = $1 and r.expires_at > $2 and not u.disabled and u.deleted_at is null",
        )
        .bind(secret)
        .bind(Timestamp::now().0)
        .fetch_optional(&mut tx)
        .await?;
        let Some(user) = user else { return Ok(false) };
        query("update users set password = $2 where id = $1").bind(&user).bind(hash).execute(&mut tx).await?;
        for statement in
            ["delete from sessions where user_id = $1", "delete from password_resets where user_id = $1"]
        {
            query(statement).bind(&user).execute(&mut tx).await?;
        }
        note_person(&mut tx, &UserId::from(user)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Drops the rows of links that have ended.
    pub async fn sweep(&self) -> Result<u64> {
        let query = query("delete from password_resets where expires_at <= $1");
        query.bind(Timestamp::now().0).execute(&self.sql).await
    }
}
