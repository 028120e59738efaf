//! The look through one place for a page of videos, newest first: by the index of words where few passages have them, else through the
//! videos themselves, window by window. Leaves the order of places to `search`, and the texts to `statements`.

use super::{
    Place, SearchCursor, Words, passages,
    statements::{BY_INDEX, COUNT, FEW, WINDOWS, Window},
};
use crate::{
    Result, Shown, Timestamp, Video,
    sql::{FromRow, Query, Row, Sql, query},
};

/// A place among the videos, newest first.
#[derive(Clone, Debug)]
pub(super) struct Position {
    created_at: Timestamp,
    id: String,
}

/// A search, and how many passages have its terms.
pub(super) struct Look<'a> {
    sql: &'a Sql,
    words: &'a Words,
    shown: &'a Shown,
    passages: Passages,
}

/// A part of what a place has.
struct Part<'a> {
    place: Place,
    from: &'a Position,
    most: usize,
}

/// The passages of each place that have all terms, counted up to one more than [`FEW`].
struct Passages {
    titles: i64,
    about: i64,
    speech: i64,
}

impl<'a> Look<'a> {
    pub(super) async fn new(sql: &'a Sql, words: &'a Words, shown: &'a Shown) -> Result<Self> {
        let count = Place::ALL
            .into_iter()
            .fold(query(COUNT), |count, place| count.bind(&words.index_text(sql, mark(place))));
        Ok(Self { sql, words, shown, passages: count.fetch_one(sql).await? })
    }

    /// Returns at most `most` videos behind `from` that have the words in a place, and in none before it.
    pub(super) async fn through(&self, place: Place, mut from: Position, most: usize) -> Result<Vec<Video>> {
        let mut found = Vec::new();
        let passages = self.passages.of(place);
        if passages == 0 {
            return Ok(found);
        }
        let windows: &[Window] = if passages > FEW { &WINDOWS } else { &[] };
        for window in windows {
            let end: Option<Position> = self.shown(window.end, &from).fetch_optional(self.sql).await?;
            let part = Part { place, from: &from, most: most - found.len() };
            found.extend(self.within(window, part, end.as_ref()).await?);
            match end {
                Some(end) if found.len() < most => from = end,
                _ => return Ok(found),
            }
        }
        let rest = Part { place, from: &from, most: most - found.len() };
        found.extend(self.by_index(rest).await?);
        Ok(found)
    }

    async fn within(&self, window: &Window, part: Part<'_>, end: Option<&Position>) -> Result<Vec<Video>> {
        let (time, id) = end.map_or((i64::MIN, ""), |end| (end.created_at.0, &end.id));
        let found = self.shown(window.within, part.from).bind(time).bind(id);
        self.said_in(part.place, found).bind(part.most as i64).fetch_all(self.sql).await
    }

    async fn by_index(&self, part: Part<'_>) -> Result<Vec<Video>> {
        let text = self.words.index_text(self.sql, mark(part.place));
        let found = self.shown(BY_INDEX, part.from).bind(&text).bind(part.most as i64);
        self.said_in(part.place, found).fetch_all(self.sql).await
    }

    /// Begins a statement about the videos behind `from`.
    fn shown(&self, statement: &'static str, from: &Position) -> Query {
        query(statement)
            .bind(self.shown.word())
            .bind(self.shown.person())
            .bind(from.created_at.0)
            .bind(&from.id)
    }

    fn said_in(&self, place: Place, statement: Query) -> Query {
        let (at, before) = match place {
            Place::Title => ("title", ""),
            // All that is written about a video begins with its title.
            Place::About => ("about", "title"),
            Place::Speech => ("speech", "about"),
        };
        self.words.patterns().iter().fold(statement.bind(at).bind(before), Query::bind)
    }
}

fn mark(place: Place) -> Option<char> {
    match place {
        Place::Title => Some(passages::TITLE),
        Place::About => Some(passages::ABOUT),
        Place::Speech => None,
    }
}

impl Position {
    /// Returns the place in front of all videos.
    pub(super) fn newest() -> Self {
        Self { created_at: Timestamp(i64::MAX), id: String::new() }
    }
}

impl From<&SearchCursor> for Position {
    fn from(cursor: &SearchCursor) -> Self {
        Self { created_at: cursor.created_at, id: cursor.id.to_string() }
    }
}

impl Passages {
    fn of(&self, place: Place) -> i64 {
        match place {
            Place::Title => self.titles,
            Place::About => self.about,
            Place::Speech => self.speech,
        }
    }
}

impl FromRow for Passages {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            titles: row.try_get("titles")?,
            about: row.try_get("about")?,
            speech: row.try_get("speech")?,
        })
    }
}

impl FromRow for Position {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { created_at: Timestamp(row.try_get("created_at")?), id: row.try_get("id")? })
    }
}
