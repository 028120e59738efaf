//! Pages of the lists of people, invitations, sessions, tokens, links and grants: by keyset, as the list of videos is. Leaves the
//! entries themselves to their tables.

use std::fmt;

use crate::{
    Grant, Grants, Result, Share, Shares, Timestamp, UserId, VideoId,
    accounts::{Invitation, Invitations, Session, Sessions, Token, Tokens, User, Users},
    sql::{FromRow, Query, Sql, query},
};

/// A place in a list, after an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The time that the entry is ordered by …
    pub at: Timestamp,
    /// … and its id.
    pub id: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.0, self.id)
    }
}

impl Place {
    /// Reads what a list has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('-')?;
        let fits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        Some(Self { at: Timestamp(at.parse().ok()?), id: id.to_owned() }).filter(|_| fits)
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Entries<T> {
    /// In the list's order.
    pub entries: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<Place>,
}

/// A page that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PageOf<'a> {
    /// The last entry seen, if any.
    pub after: Option<&'a Place>,
    /// The number of entries, at most [`MOST`].
    pub limit: u32,
}

/// The longest page.
pub const MOST: u32 = 100;

// The id orders entries of one moment, some of which would else be lost between two pages.
const USERS: &str = "
    select * from users where deleted_at is null and (created_at, id) > ($1, $2)
    order by created_at, id limit $3";
const INVITATIONS: &str = "
    select * from invitations where invited_by is not null and (created_at, id) < ($1, $2) and expires_at > $4
    order by created_at desc, id desc limit $3";
const SESSIONS: &str = "
    select id as session_id, user_agent, last_seen, expires_at, created_at as session_created_at from sessions
    where user_id = $4 and (last_seen, id) < ($1, $2) and last_seen > $5 and expires_at > $6
    order by last_seen desc, id desc limit $3";
const TOKENS: &str = "
    select id as token_id, name as token_name, scopes, created_at as token_created_at, expires_at, last_used
    from tokens where user_id = $4 and (created_at, id) < ($1, $2)
    order by created_at desc, id desc limit $3";
const SHARES: &str = "
    select * from shares
    where video_id = $4 and (created_at, id) < ($1, $2) and (expires_at is null or expires_at > $5)
    order by created_at desc, id desc limit $3";
// The account behind an address is not named, or the list would show which addresses have one.
const GRANTS: &str = "
    select g.id, g.email, g.created_at, u.id as user_id, u.name
    from grants g left join users u on u.id = g.user_id and g.email is null
    where g.video_id = $4 and (g.created_at, g.id) < ($1, $2)
    order by g.created_at desc, g.id desc limit $3";

impl PageOf<'_> {
    /// Returns the page of a list that is newest first.
    fn newest_first(&self, statement: &'static str) -> Query {
        self.from(statement, i64::MAX)
    }

    fn from(&self, statement: &'static str, beginning: i64) -> Query {
        let (at, id) = self.after.map_or((beginning, ""), |place| (place.at.0, place.id.as_str()));
        // The entry beyond the page shows that there is a next one, without a count.
        query(statement).bind(at).bind(id).bind(i64::from(self.limit()) + 1)
    }

    fn limit(&self) -> u32 {
        self.limit.min(MOST)
    }

    async fn read<T: FromRow>(&self, query: Query, sql: &Sql, place: fn(&T) -> Place) -> Result<Entries<T>> {
        let mut entries: Vec<T> = query.fetch_all(sql).await?;
        let more = entries.len() > self.limit() as usize;
        entries.truncate(self.limit() as usize);
        let next = entries.last().filter(|_| more).map(place);
        Ok(Entries { entries, next })
    }
}

impl Users {
    /// Returns a page of all accounts, the oldest first.
    pub async fn page(&self, page: PageOf<'_>) -> Result<Entries<User>> {
        let place = |user: &User| Place { at: user.created_at, id: user.id.to_string() };
        page.read(page.from(USERS, i64::MIN), self.sql(), place).await
    }
}

impl Invitations {
    /// Returns a page of the invitations that have not ended, newest first.
    pub async fn page(&self, page: PageOf<'_>) -> Result<Entries<Invitation>> {
        let query = page.newest_first(INVITATIONS).bind(Timestamp::now().0);
        page.read(query, self.sql(), |one: &Invitation| Place { at: one.created_at, id: one.id.clone() })
            .await
    }
}

impl Sessions {
    /// Returns a page of a person's sessions that have not ended, the last used first.
    pub async fn page(
        &self,
        user: &UserId,
        idle_since: Timestamp,
        page: PageOf<'_>,
    ) -> Result<Entries<Session>> {
        let query = page.newest_first(SESSIONS).bind(user.as_str()).bind(idle_since.0);
        let query = query.bind(Timestamp::now().0);
        page.read(query, self.sql(), |one: &Session| Place { at: one.last_seen, id: one.id.clone() }).await
    }
}

impl Tokens {
    /// Returns a page of a person's tokens, newest first.
    pub async fn page(&self, user: &UserId, page: PageOf<'_>) -> Result<Entries<Token>> {
        let query = page.newest_first(TOKENS).bind(user.as_str());
        page.read(query, self.sql(), |one: &Token| Place { at: one.created_at, id: one.id.clone() }).await
    }
}

impl Shares {
    /// Returns a page of the links of a video that have not ended, newest first.
    pub async fn page(&self, video: &VideoId, page: PageOf<'_>) -> Result<Entries<Share>> {
        let query = page.newest_first(SHARES).bind(video.as_str()).bind(Timestamp::now().0);
        page.read(query, self.sql(), |one: &Share| Place { at: one.created_at, id: one.id.clone() }).await
    }
}

impl Grants {
    /// Returns a page of the grants of a video, newest first.
    pub async fn page(&self, video: &VideoId, page: PageOf<'_>) -> Result<Entries<Grant>> {
        let query = page.newest_first(GRANTS).bind(video.as_str());
        page.read(query, self.sql(), |one: &Grant| Place { at: one.created_at, id: one.id.clone() }).await
    }
}
