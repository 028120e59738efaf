//! Second factors: the secret that a person's app shares with the server, the last code that was taken, and what stands in
//! for a lost phone. Leaves working out codes to the crate `accounts`.

use std::fmt;

use crate::{
    Result, Timestamp, UserId,
    sql::{FromRow, LockScope, Row, Sql, query},
};

/// A person's second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret that the app and the server share, in base 32.
    pub secret: String,
    /// Whether a first code has shown that the app has it; until then it counts for nothing.
    pub is_on: bool,
}

/// The table of second factors.
#[derive(Clone, Debug)]
pub struct SecondFactors {
    sql: Sql,
}

impl SecondFactors {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Returns a person's second factor, also one that is not on yet.
    pub async fn of(&self, user: &UserId) -> Result<Option<SecondFactor>> {
        let query = query("select * from second_factors where user_id = $1").bind(user.as_str());
        query.fetch_optional(&self.sql).await
    }

    /// Begins one with a new secret, in place of one that was begun before. Returns whether there is none that is on.
    pub async fn begin(&self, user: &UserId, secret: &str) -> Result<bool> {
        let begun = query(
            "insert into second_factors (user_id, secret, created_at) values ($1, $2, $3)
             on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
             where second_factors.confirmed_at is null",
        );
        let begun = begun.bind(user.as_str()).bind(secret).bind(Timestamp::now().0);
        Ok(begun.execute(&self.sql).await? > 0)
    }

    /// Turns on the one with this secret, by the code of a step, with its recovery codes, hashed. Returns whether there was
    /// one to be turned on.
    pub async fn turn_on(&self, user: &UserId, first: &FirstCode<'_>) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        // RFC 6238 §5.2: a code counts once, so the one that turns it on signs nobody in afterwards.
        let on = query(
            "update second_factors set confirmed_at = $3, last_step = $4
             where user_id = $1 and secret = $2 and confirmed_at is null",
        )
        .bind(user.as_str())
        .bind(first.secret)
        .bind(Timestamp::now().0)
        .bind(first.step as i64)
        .execute(&mut tx)
        .await?;
        if on == 0 {
            return Ok(false);
        }
        query("delete from recovery_codes where user_id = $1").bind(user.as_str()).execute(&mut tx).await?;
        for code in first.recovery_codes {
            let add = query("insert into recovery_codes (user_id, code) values ($1, $2)");
            add.bind(user.as_str()).bind(code).execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the code of a step. Returns whether it is newer than the last one that was taken.
    pub async fn take_step(&self, user: &UserId, step: u64) -> Result<bool> {
        // One statement: of two requests with one code, one gets it.
        let taken = query(
            "update second_factors set last_step = $2
             where user_id = $1 and last_step < $2 and confirmed_at is not null",
        );
        Ok(taken.bind(user.as_str()).bind(step as i64).execute(&self.sql).await? > 0)
    }

    /// Takes a recovery code, hashed. Returns whether there was such a one.
    pub async fn take_recovery_code(&self, user: &UserId, code: &str) -> Result<bool> {
        let taken = query("delete from recovery_codes where user_id = $1 and code = $2");
        Ok(taken.bind(user.as_str()).bind(code).execute(&self.sql).await? > 0)
    }

    /// Returns how many recovery codes a person has left.
    pub async fn recovery_codes_left(&self, user: &UserId) -> Result<u64> {
        let count = query("select count(*) from recovery_codes where user_id = $1").bind(user.as_str());
        Ok(count.fetch_one::<i64>(&self.sql).await? as u64)
    }

    /// Turns a person's second factor off. Returns whether there was one.
    pub async fn remove(&self, user: &UserId) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        query("delete from recovery_codes where user_id = $1").bind(user.as_str()).execute(&mut tx).await?;
        let removed = query("delete from second_factors where user_id = $1").bind(user.as_str());
        let removed = removed.execute(&mut tx).await? > 0;
        tx.commit().await?;
        Ok(removed)
    }
}

/// The first code of a second factor, which turns it on.
#[derive(Clone, Copy)]
pub struct FirstCode<'a> {
    /// The secret that the code was worked out from.
    pub secret: &'a str,
    /// The step that it is of.
    pub step: u64,
    /// The codes for when the app is lost, hashed.
    pub recovery_codes: &'a [String],
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondFactor").field("is_on", &self.is_on).finish_non_exhaustive()
    }
}

impl fmt::Debug for FirstCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstCode").field("step", &self.step).finish_non_exhaustive()
    }
}

impl FromRow for SecondFactor {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let confirmed_at: Option<i64> = row.try_get("confirmed_at")?;
        Ok(Self { secret: row.try_get("secret")?, is_on: confirmed_at.is_some() })
    }
}
