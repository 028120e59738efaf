//! Grants: the accounts that may watch a private video of another's, until the owner revokes it.

use std::collections::HashSet;

use crate::{
    Result, Signal, Signals, Timestamp, UserId, VideoId, id,
    revocations::Revocation,
    sql::{FromRow, Row, Sql, query},
};

/// An account's right to watch a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name in URLs; it opens nothing.
    pub id: String,
    /// The account and its name, where the owner chose it by its id. By an address, whether that has an account is nobody's
    /// to learn.
    pub user: Option<(UserId, String)>,
    /// The address by which it was made.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The account that is to watch.
#[derive(Clone, Copy, Debug)]
pub enum Grantee<'a> {
    /// The account with this id.
    Id(&'a UserId),
    /// The account, if any, with this address: as it was typed, and the form by which addresses are equal.
    Address {
        /// As it was typed.
        shown: &'a str,
        /// The form by which addresses are equal.
        key: &'a str,
    },
}

/// The table of grants.
#[derive(Clone, Debug)]
pub struct Grants {
    sql: Sql,
    signals: Signals,
}

// A name is shown where the owner knew the account already.
const OF_VIDEO: &str = "
    select g.id, g.email, g.created_at, u.id as user_id, u.name
    from grants g left join users u on u.id = g.user_id and g.email is null
    where g.video_id = $1 order by g.created_at desc, g.id";

impl Grants {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Lets an account watch a video. `None` when there is no such video or no account with the id; an address without an
    /// account gets a grant as well, which opens nothing. Again is fine: by then the address may have one.
    pub async fn add(&self, video: &VideoId, grantee: Grantee<'_>) -> Result<Option<Grant>> {
        let (id, now) = (id::random(), Timestamp::now());
        // Each conflict names a unique index; the update that changes nothing has the row returned.
        let statement = match grantee {
            Grantee::Id(user) => query(
                "insert into grants (id, video_id, user_id, created_at)
                 select $1, v.id, u.id, $3 from videos v join users u on u.id = $4 and u.deleted_at is null
                 where v.id = $2
                 on conflict (video_id, user_id) where email_key is null do update set id = grants.id
                 returning id",
            )
            .bind(&id)
            .bind(video.as_str())
            .bind(now.0)
            .bind(user.as_str()),
            Grantee::Address { shown, key } => query(
                "insert into grants (id, video_id, user_id, email, email_key, created_at)
                 select $1, v.id, u.id, $4, $5, $3
                 from videos v left join users u on u.email_key = $5 and u.deleted_at is null where v.id = $2
                 on conflict (video_id, email_key) do update set user_id = coalesce(excluded.user_id, grants.user_id)
                 returning id",
            )
            .bind(&id)
            .bind(video.as_str())
            .bind(now.0)
            .bind(shown)
            .bind(key),
        };
        let Some(id) = statement.fetch_optional::<String>(&self.sql).await? else { return Ok(None) };
        self.signals.publish(Signal::Changed(video.clone()));
        Ok(self.of(video).await?.into_iter().find(|grant| grant.id == id))
    }

    /// Returns the grants of a video, newest first.
    pub async fn of(&self, video: &VideoId) -> Result<Vec<Grant>> {
        query(OF_VIDEO).bind(video.as_str()).fetch_all(&self.sql).await
    }

    /// Returns whether an account has a grant of a video.
    pub async fn has(&self, video: &VideoId, user: &UserId) -> Result<bool> {
        Ok(self.among(std::slice::from_ref(video), user).await?.contains(video))
    }

    /// Returns those of `videos` of which an account has a grant, by one statement.
    pub async fn among(&self, videos: &[VideoId], user: &UserId) -> Result<HashSet<VideoId>> {
        let query = query(
            "select distinct video_id from grants
             where user_id = $1 and video_id in (select value from json_each($2))",
        );
        let ids: Vec<VideoId> =
            query.bind(user.as_str()).bind(&VideoId::list(videos)).fetch_all(&self.sql).await?;
        Ok(ids.into_iter().collect())
    }

    /// Revokes a grant. Tickets of the video that end before the second `tickets_from` are void from now on. Returns whether
    /// there was one.
    pub async fn revoke(&self, video: &VideoId, grant: &str, tickets_from: u64) -> Result<bool> {
        let statement = "delete from grants where video_id = $1 and id = $2";
        let revocation = Revocation { statement, video, id: grant, tickets_from };
        revocation.make(&self.sql, &self.signals).await
    }
}

impl FromRow for Grant {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let (user, name): (Option<String>, Option<String>) = (row.try_get("user_id")?, row.try_get("name")?);
        Ok(Self {
            id: row.try_get("id")?,
            user: user.map(UserId::from).zip(name),
            email: row.try_get("email")?,
            created_at: Timestamp(row.try_get("created_at")?),
        })
    }
}
