//! The list of videos, in pages. Leaves its orders to `sort`, single videos to `videos`, and the rights behind a list to
//! `visibility`.

mod sort;
mod title;

use crate::{
    Result, Shown, State, Video, Videos,
    sql::{FromRow, Query, Row, query},
};
pub use sort::{Cursor, Sort, SortKey};
pub(crate) use title::{order_titles, title_key};

/// A part of the list.
#[derive(Clone, Debug)]
pub struct Page {
    /// In the list's order.
    pub videos: Vec<Video>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

/// The filter and the page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The videos that it may show.
    pub shown: &'a Shown,
    /// The one state to show, if not all.
    pub state: Option<State>,
    /// The key of the one tag that they have, if not any.
    pub tag: Option<&'a str>,
    /// The order.
    pub sort: Sort,
    /// The last one seen, in the same order, if any.
    pub after: Option<&'a Cursor>,
}

impl<'a> Listing<'a> {
    /// Returns the list of all videos that `shown` names, from the newest on.
    pub fn of(shown: &'a Shown) -> Self {
        Self { shown, state: None, tag: None, sort: Sort::Newest, after: None }
    }
}

// The longest page; the statements name one more.
const MOST: u32 = 100;

impl Videos {
    /// Returns at most `limit` videos of a list, and never more than a hundred.
    pub async fn list(&self, listing: Listing<'_>, limit: u32) -> Result<Page> {
        let limit = limit.min(MOST);
        let mut listed: Vec<Listed> = statement(&listing, limit).fetch_all(self.sql()).await?;
        let more = listed.len() > limit as usize;
        listed.truncate(limit as usize);
        let next = listed.last().filter(|_| more).map(|last| last.place(listing.sort));
        Ok(Page { videos: listed.into_iter().map(|one| one.video).collect(), next })
    }
}

fn statement(listing: &Listing<'_>, limit: u32) -> Query {
    let Listing { shown, state, tag, sort, after } = listing;
    let (start, first) = sort.start();
    let (time, id) = after.map_or((start, ""), |cursor| (cursor.created_at.0, cursor.id.as_str()));
    let statements = sort.statements();
    let list = query(if tag.is_some() { statements.of_tag } else { statements.all })
        .bind(time)
        .bind(id)
        // The video beyond the page shows that there is a next one, without a count.
        .bind(i64::from(limit) + 1)
        .bind(shown.word())
        .bind(shown.person())
        .bind(state.map_or("", State::as_str));
    let list = match first {
        Some(first) => list.bind(after.and_then(|cursor| cursor.key.clone()).unwrap_or(first)),
        None => list,
    };
    match tag {
        Some(tag) => list.bind(*tag),
        None => list,
    }
}

/// A video of a list, and what it may be sorted by.
struct Listed {
    video: Video,
    title_key: String,
    length_ms: i64,
}

impl Listed {
    fn place(&self, sort: Sort) -> Cursor {
        let key = match sort {
            Sort::Newest | Sort::Oldest => None,
            Sort::Title => Some(SortKey::Text(self.title_key.clone())),
            Sort::Views => Some(SortKey::Number(self.video.views as i64)),
            Sort::Longest => Some(SortKey::Number(self.length_ms)),
        };
        Cursor { key, created_at: self.video.created_at, id: self.video.id.clone() }
    }
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            video: Video::from_row(row)?,
            title_key: row.try_get("title_key")?,
            length_ms: row.try_get("length_ms")?,
        })
    }
}
