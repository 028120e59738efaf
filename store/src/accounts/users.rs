//! People: signed up, changed, disabled and deleted. The first one is the administrator, and the last administrator stays.

use super::addresses::{free_for, void_resets};
use crate::{
    Error, Quota, Result, Timestamp, UserId,
    revocations::note_person,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};

/// The rights of a person on the whole site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May change every video and every account.
    Administrator,
    /// May change their own.
    User,
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name in URLs.
    pub id: UserId,
    /// The person's name, as others see it.
    pub name: String,
    /// The address, as it was typed.
    pub email: String,
    /// The password's hash in PHC's string format.
    pub password: String,
    /// The rights on the whole site.
    pub role: Role,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The limit of its videos; where none is set, the one for everybody counts.
    pub quota: Quota,
    /// The number of edits so far.
    pub revision: u64,
}

/// A person's change of their own account; `None` leaves a part as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The address.
    pub email: Option<Email<'a>>,
    /// The revision that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// The words of a new account.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// The name.
    pub name: &'a str,
    /// The address, as it was typed.
    pub email: &'a str,
    /// The form by which addresses are equal.
    pub email_key: &'a str,
    /// The password's hash.
    pub password: &'a str,
}

/// The ground on which somebody gets an account.
#[derive(Clone, Copy, Debug)]
pub enum SignUp<'a> {
    /// There is no account yet: this one is the administrator's.
    First,
    /// The key of a link, hashed; the link is used up.
    Invited(&'a str),
    /// Sign-up is open, or the operator of the machine says so.
    Granted(Role),
}

/// The outcome of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// There is an account now.
    Created(User),
    /// The address has one.
    Taken,
    /// The ground does not hold (any more).
    Refused,
}

/// The outcome of a change or a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Done,
    /// There is no such account.
    Unknown,
    /// Nobody could administrate the site any more.
    LastAdministrator,
    /// The account that was to get the videos is not there.
    UnknownHeir,
}

/// The table of people.
#[derive(Clone, Debug)]
pub struct Users {
    pub(super) sql: Sql,
}

impl Users {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Returns the account `id`, unless it is being deleted.
    pub async fn get(&self, id: &UserId) -> Result<Option<User>> {
        let query = query("select * from users where id = $1 and deleted_at is null").bind(id.as_str());
        query.fetch_optional(&self.sql).await
    }

    /// Returns the account with an address.
    pub async fn by_email(&self, email_key: &str) -> Result<Option<User>> {
        let query = query("select * from users where email_key = $1 and deleted_at is null").bind(email_key);
        query.fetch_optional(&self.sql).await
    }

    /// Returns all accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<User>> {
        let query = query("select * from users where deleted_at is null order by created_at, id");
        query.fetch_all(&self.sql).await
    }

    /// Returns whether there is an account.
    pub async fn any(&self) -> Result<bool> {
        let one: Option<String> = query("select id from users limit 1").fetch_optional(&self.sql).await?;
        Ok(one.is_some())
    }

    /// Makes an account. The first administrator gets the videos that are nobody's.
    pub async fn sign_up(&self, new: &NewUser<'_>, ground: SignUp<'_>) -> Result<SignedUp> {
        // Two at once must not both be the first, nor use one link twice.
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        let any: Option<String> = query("select id from users limit 1").fetch_optional(&mut tx).await?;
        let role = match ground {
            SignUp::First if any.is_none() => Role::Administrator,
            SignUp::First => return Ok(SignedUp::Refused),
            SignUp::Granted(role) => role,
            SignUp::Invited(secret) => match use_up(&mut tx, secret, new).await? {
                Some(role) => role,
                None => return Ok(SignedUp::Refused),
            },
        };
        let user = User {
            id: UserId::random(),
            name: new.name.to_owned(),
            email: new.email.to_owned(),
            password: new.password.to_owned(),
            role,
            disabled: false,
            created_at: Timestamp::now(),
            quota: Quota::default(),
            revision: 0,
        };
        let inserted = query(
            "insert into users (id, name, email, email_key, password, role, created_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (email_key) do nothing",
        )
        .bind(user.id.as_str())
        .bind(new.name)
        .bind(new.email)
        .bind(new.email_key)
        .bind(new.password)
        .bind(role.as_str())
        .bind(user.created_at.0)
        .execute(&mut tx)
        .await?;
        if inserted == 0 {
            return match ground {
                // The link is used up, and the answer is that of one that counts no more: its holder cannot go through
                // addresses and learn which have accounts.
                SignUp::Invited(_) => tx.commit().await.map(|()| SignedUp::Refused),
                SignUp::First | SignUp::Granted(_) => Ok(SignedUp::Taken),
            };
        }
        if role == Role::Administrator {
            // A library from before accounts, and the demo; later administrators find none that is nobody's.
            query("update videos set owner_id = $1 where owner_id is null")
                .bind(user.id.as_str())
                .execute(&mut tx)
                .await?;
        }
        tx.commit().await?;
        Ok(SignedUp::Created(user))
    }

    /// Changes a person's own words. Returns the account as it is now, or `None` when there is none or another one has the address;
    /// [`Error::Edited`] when somebody has edited it since the revision that was seen.
    pub async fn edit(&self, id: &UserId, edit: &Profile<'_>) -> Result<Option<User>> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        check_seen(&mut tx, id, edit.seen).await?;
        if let Some(email) = edit.email
            && !free_for(&mut tx, email.key, id).await?
        {
            return Ok(None);
        }
        let edited = query(
            "update users set name = coalesce($2, name), email = coalesce($3, email),
                 email_key = coalesce($4, email_key), revision = revision + 1
             where id = $1 and deleted_at is null returning *",
        )
        .bind(id.as_str())
        .bind(edit.name)
        .bind(edit.email.map(|email| email.shown))
        .bind(edit.email.map(|email| email.key))
        .fetch_optional(&mut tx)
        .await?;
        if edit.email.is_some() {
            void_resets(&mut tx, id).await?;
        }
        tx.commit().await?;
        Ok(edited)
    }

    /// Changes the password and ends all sessions but `kept`. For a process beside the servers, which end what runs by those.
    pub async fn set_password(&self, id: &UserId, hash: &str, kept: Option<&str>) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        query("update users set password = $2 where id = $1")
            .bind(id.as_str())
            .bind(hash)
            .execute(&mut tx)
            .await?;
        query("delete from sessions where user_id = $1 and id <> $2")
            .bind(id.as_str())
            // No session has an empty id, so that without one to keep all end.
            .bind(kept.unwrap_or_default())
            .execute(&mut tx)
            .await?;
        note_person(&mut tx, id).await?;
        tx.commit().await
    }

    /// Stores a stronger hash of the same password, unless the password has changed since `before` was read.
    pub async fn rehash(&self, id: &UserId, hashes: Rehash<'_>) -> Result<()> {
        query("update users set password = $3 where id = $1 and password = $2")
            .bind(id.as_str())
            .bind(hashes.before)
            .bind(hashes.after)
            .execute(&self.sql)
            .await
            .map(drop)
    }
}

/// An address, as it is shown and as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Email<'a> {
    /// As it was typed.
    pub shown: &'a str,
    /// The form by which addresses are equal.
    pub key: &'a str,
}

/// Two hashes of one password.
#[derive(Clone, Copy, Debug)]
pub struct Rehash<'a> {
    /// The stored one.
    pub before: &'a str,
    /// The stronger one.
    pub after: &'a str,
}

/// Whether the site can do without an account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Replaceable,
    LastAdministrator,
}

pub(super) async fn look(tx: &mut Transaction, id: &UserId) -> Result<Option<Standing>> {
    let user: Option<User> = query("select * from users where id = $1 and deleted_at is null")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(user) = user else { return Ok(None) };
    // A disabled administrator cannot sign in, so the site loses nobody who administrates.
    if user.role != Role::Administrator || user.disabled {
        return Ok(Some(Standing::Replaceable));
    }
    let others: i64 = query(
        "select count(*) from users
         where role = 'administrator' and disabled = $2 and deleted_at is null and id <> $1",
    )
    .bind(id.as_str())
    .bind(false)
    .fetch_one(&mut *tx)
    .await?;
    Ok(Some(if others == 0 { Standing::LastAdministrator } else { Standing::Replaceable }))
}

/// Refuses an edit of an account that has another revision than the person has seen.
pub(super) async fn check_seen(tx: &mut Transaction, id: &UserId, seen: Option<u64>) -> Result<()> {
    let Some(seen) = seen else { return Ok(()) };
    let query = query("select revision from users where id = $1").bind(id.as_str());
    match query.fetch_optional::<i64>(tx).await? {
        Some(revision) if revision as u64 != seen => {
            Err(Error::Edited { what: id.to_string(), revision: revision as u64 })
        }
        _ => Ok(()),
    }
}

/// Uses up the invitation behind a link's key. Returns the role that it gives.
async fn use_up(tx: &mut Transaction, secret: &str, new: &NewUser<'_>) -> Result<Option<Role>> {
    // An invitation for an address is for that one alone.
    let role: Option<String> = query(
        "select role from invitations
         where secret = $1 and expires_at > $2 and user_id is null and (email is null or email = $3)",
    )
    .bind(secret)
    .bind(Timestamp::now().0)
    .bind(new.email_key)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(role) = role else { return Ok(None) };
    query("delete from invitations where secret = $1").bind(secret).execute(&mut *tx).await?;
    Ok(Some(Role::read(&role)?))
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 2] = [Self::Administrator, Self::User];

    /// Returns the role's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::User => "user",
        }
    }

    pub(crate) fn read(text: &str) -> sqlx::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| sqlx::Error::Decode("role".into()))
    }
}

impl FromRow for User {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: UserId::from(row.try_get::<String, _>("id")?),
            name: row.try_get("name")?,
            email: row.try_get("email")?,
            password: row.try_get("password")?,
            role: Role::read(&row.try_get::<String, _>("role")?)?,
            disabled: row.try_get("disabled")?,
            created_at: Timestamp(row.try_get("created_at")?),
            revision: row.try_get::<i64, _>("revision")? as u64,
            quota: Quota {
                bytes: row.try_get::<Option<i64>, _>("quota_bytes")?.map(|n| n as u64),
                minutes: row.try_get::<Option<i64>, _>("quota_minutes")?.map(|n| n as u64),
            },
        })
    }
}
