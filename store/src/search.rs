//! Search over titles, descriptions and the words of captions. The index of each database finds candidates by their terms; `like`
//! and the order are the same for both, and so are the answers. Terms are made in `terms`, not by the databases.

mod passages;
mod terms;
mod words;

pub(crate) use passages::{Spoken, index_cue, index_missing, index_video};
pub(crate) use terms::fold;
pub use words::Words;

use crate::{
    Result, Shown, Timestamp, Video, VideoId,
    sql::{FromRow, Row, Sql, query},
    visibility::shows,
};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

struct Candidate {
    video: Video,
    place: Place,
}

struct VideoHit {
    video: VideoId,
    total: u32,
    hit: Hit,
}

// Each place is looked through up to the 10,000 latest passages with the words, so that a word which all say costs no
// more than a rare one; `like` then sees which terms stand together.
const FIND: &str = concat!(
    "select v.*, (select name from users where users.id = v.owner_id) as owner_name,
        cast(f.place as bigint) as found_in from (
        select video_id, min(place) as place from (
            select * from (
                select p.video_id, 0 as place from passages_index($1) f join passages p on p.id = f.rowid
                where p.terms like $4 and p.terms like $5 and p.terms like $6 and p.terms like $7
                    and p.terms like $8 and p.terms like $9 and p.terms like $10 and p.terms like $11
                    and p.terms like $12 and p.terms like $13 and p.terms like $14 and p.terms like $15
                order by f.rowid desc limit 10000) titles
            union all select * from (
                select p.video_id, 1 as place from passages_index($2) f join passages p on p.id = f.rowid
                where p.terms like $4 and p.terms like $5 and p.terms like $6 and p.terms like $7
                    and p.terms like $8 and p.terms like $9 and p.terms like $10 and p.terms like $11
                    and p.terms like $12 and p.terms like $13 and p.terms like $14 and p.terms like $15
                order by f.rowid desc limit 10000) about
            union all select * from (
                select p.video_id, 2 as place from passages_index($3) f join passages p on p.id = f.rowid
                where p.place = 'speech'
                    and p.terms like $4 and p.terms like $5 and p.terms like $6 and p.terms like $7
                    and p.terms like $8 and p.terms like $9 and p.terms like $10 and p.terms like $11
                    and p.terms like $12 and p.terms like $13 and p.terms like $14 and p.terms like $15
                order by f.rowid desc limit 10000) speech
        ) places group by video_id
    ) f join videos v on v.id = f.video_id
    where (f.place > $16 or (f.place = $16 and (v.created_at < $17 or (v.created_at = $17 and v.id < $18))))
        and ",
    shows!("v", "$20", "$21"),
    "   order by f.place, v.created_at desc, v.id desc limit $19"
);

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
        let (place, time, id) =
            after.map_or((-1, i64::MAX, ""), |c| (c.place as i64, c.created_at.0, c.id.as_str()));
        let index = |mark| words.index_text(&self.sql, mark);
        let mut find = query(FIND)
            .bind(&index(Some(passages::TITLE)))
            .bind(&index(Some(passages::ABOUT)))
            .bind(&index(None));
        for pattern in &words.patterns() {
            find = find.bind(pattern);
        }
        let find = find.bind(place).bind(time).bind(id).bind(i64::from(limit) + 1);
        let find = find.bind(shown.word()).bind(shown.person());
        let mut candidates: Vec<Candidate> = find.fetch_all(&self.sql).await?;
        let more = candidates.len() > limit as usize;
        candidates.truncate(limit as usize);
        let next = candidates.last().filter(|_| more).map(|last| SearchCursor {
            place: last.place,
            created_at: last.video.created_at,
            id: last.video.id.clone(),
        });
        let mut found: Vec<Found> = candidates
            .into_iter()
            .map(|Candidate { video, place }| Found { video, place, hits: Vec::new(), hits_total: 0 })
            .collect();
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

impl FromRow for Candidate {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let place: i64 = row.try_get("found_in")?;
        let place = Place::ALL.into_iter().find(|it| *it as i64 == place);
        let place = place.ok_or_else(|| sqlx::Error::Decode("found_in".into()))?;
        Ok(Self { video: Video::from_row(row)?, place })
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
