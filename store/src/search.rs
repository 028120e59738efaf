//! Search over titles, descriptions and the words of captions. The index of each database finds candidates by their terms; `like`
//! and the order are the same for both, and so are the answers. Terms are made in `terms`, not by the databases; the way to a page
//! of videos is `look`.

mod look;
mod passages;
mod statements;
mod terms;
mod words;

pub(crate) use passages::{Spoken, index_cue, index_missing, index_video};
pub(crate) use terms::fold;
pub use words::Words;

use crate::{
    Result, Shown, Timestamp, Video, VideoId,
    sql::{FromRow, Row, Sql, query},
};
use look::{Look, Position};

/// A search, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// All of them are to be found.
    pub words: &'a Words,
    /// The videos to look in.
    pub shown: &'a Shown,
    /// The last one seen, if any.
    pub after: Option<&'a SearchCursor>,
}

/// Where the words were found. The order is that of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// All of them in the title.
    Title,
    /// In title and description together.
    About,
    /// In captions, within one cue.
    Speech,
}

/// A place in the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCursor {
    /// Where the last video seen was found …
    pub place: Place,
    /// … its creation time …
    pub created_at: Timestamp,
    /// … and its id.
    pub id: VideoId,
}

/// A video that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The video.
    pub video: Video,
    /// The first of the places in which it was found.
    pub place: Place,
    /// The first cues that have all words.
    pub hits: Vec<Hit>,
    /// How many such cues there are.
    pub hits_total: u32,
}

/// A moment in which the words are spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The language of the captions, as BCP 47.
    pub language: Option<String>,
    /// From the video's start.
    pub start_ms: u64,
    /// Behind the start.
    pub end_ms: u64,
    /// The cue's text.
    pub text: String,
}

/// A part of the results.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// By place, then newest first.
    pub found: Vec<Found>,
    /// Where the next page starts, if there is one.
    pub next: Option<SearchCursor>,
}

/// The index over the library's words.
#[derive(Clone, Debug)]
pub struct Search {
    sql: Sql,
}

struct VideoHit {
    video: VideoId,
    total: u32,
    hit: Hit,
}

// Passages of the page's videos alone are read, by their index, so the words need no second look-up.
const HITS: &str = "
    select h.*, c.language from (
        select p.video_id, p.captions_id, q.start_ms, q.end_ms, q.text,
            row_number() over (partition by p.video_id order by q.start_ms, p.id) as position,
            count(*) over (partition by p.video_id) as total
        from passages p join cues q on q.captions_id = p.captions_id and q.number = p.cue
        where p.video_id in (select value from json_each($1)) and p.place = 'speech'
            and p.terms like $2 and p.terms like $3 and p.terms like $4 and p.terms like $5
            and p.terms like $6 and p.terms like $7 and p.terms like $8 and p.terms like $9
            and p.terms like $10 and p.terms like $11 and p.terms like $12 and p.terms like $13
    ) h join captions c on c.id = h.captions_id
    where h.position <= $14 order by h.video_id, h.position";

const MOST_HITS: i64 = 3;

impl Search {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Returns at most `limit` of the videos in which what is `wanted` is found.
    pub async fn find(&self, wanted: &Wanted<'_>, limit: u32) -> Result<Results> {
        let &Wanted { words, shown, after } = wanted;
        if words.is_empty() {
            return Ok(Results::default());
        }
        let mut found: Vec<Found> = Vec::new();
        // The video beyond the page shows that there is a next one.
        let most = limit as usize + 1;
        let look = Look::new(&self.sql, words, shown).await?;
        for place in Place::ALL {
            let from = match after {
                Some(cursor) if cursor.place > place => continue,
                Some(cursor) if cursor.place == place => Position::from(cursor),
                _ => Position::newest(),
            };
            let videos = look.through(place, from, most - found.len()).await?.into_iter();
            found.extend(videos.map(|video| Found { video, place, hits: Vec::new(), hits_total: 0 }));
            if found.len() == most {
                break;
            }
        }
        let more = found.len() == most;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| SearchCursor {
            place: last.place,
            created_at: last.video.created_at,
            id: last.video.id.clone(),
        });
        self.add_hits(words, &mut found).await?;
        Ok(Results { found, next })
    }

    async fn add_hits(&self, words: &Words, found: &mut [Found]) -> Result<()> {
        let mut hits = query(HITS).bind(&VideoId::list(found.iter().map(|found| &found.video.id)));
        for pattern in &words.patterns() {
            hits = hits.bind(pattern);
        }
        let hits: Vec<VideoHit> = hits.bind(MOST_HITS).fetch_all(&self.sql).await?;
        for VideoHit { video, total, hit } in hits {
            if let Some(found) = found.iter_mut().find(|found| found.video.id == video) {
                found.hits.push(hit);
                found.hits_total = total;
            }
        }
        Ok(())
    }
}

impl Place {
    /// All places.
    pub const ALL: [Self; 3] = [Self::Title, Self::About, Self::Speech];

    /// Returns the place's word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::About => "about",
            Self::Speech => "speech",
        }
    }

    /// Reads a place's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == word)
    }
}

impl FromRow for VideoHit {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i64, _>(column);
        Ok(Self {
            video: VideoId::of_row(row, "video_id")?,
            total: number("total")? as u32,
            hit: Hit {
                language: row.try_get("language")?,
                start_ms: number("start_ms")? as u64,
                end_ms: number("end_ms")? as u64,
                text: row.try_get("text")?,
            },
        })
    }
}
