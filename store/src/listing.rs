//! The list of videos, in pages, newest first. Leaves single videos to `videos`, and the rights behind a list to `visibility`.

use crate::{
    Result, Shown, State, Timestamp, Video, VideoId, Videos,
    sql::{Query, query},
    visibility::shows,
};

/// A place in the list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The creation time of the last video seen …
    pub created_at: Timestamp,
    /// … and its id.
    pub id: VideoId,
}

/// A part of the list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
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
    /// The last one seen, if any.
    pub after: Option<&'a Cursor>,
}

impl<'a> Listing<'a> {
    /// Returns the list of all videos that `shown` names, from the newest on.
    pub fn of(shown: &'a Shown) -> Self {
        Self { shown, state: None, tag: None, after: None }
    }
}

// The longest page; the statements name one more.
const MOST: u32 = 100;

// A keyset and no `offset`: an upload meanwhile would shift the pages, and the database would read all it skips.
//
// Each part of the union walks an index of its own from the cursor on, and ends at the longest page's length, a constant, for
// PostgreSQL takes a limit that it does not know for a tenth of the table; or the part is not begun, where its first condition,
// which names no column, does not hold. One `or` over all of them would have the database read
// every video that the viewer may not see. The page's own columns order it, or PostgreSQL might look for its few videos by
// going through all in their order.
const LIST: &str = "
    select videos.*, users.name as owner_name from (
        select * from (select id, created_at from videos
            where $4 = 'all' and $6 = '' and (created_at, id) < ($1, $2)
            order by created_at desc, id desc limit 101) every
        union select * from (select id, created_at from videos
            where $4 = 'all' and state = $6 and (created_at, id) < ($1, $2)
            order by created_at desc, id desc limit 101) every_of_state
        union select * from (select id, created_at from videos
            where $4 = 'public' and $6 = '' and visibility = 'public' and (created_at, id) < ($1, $2)
            order by created_at desc, id desc limit 101) public
        union select * from (select id, created_at from videos
            where $4 = 'public' and state = $6 and visibility = 'public' and (created_at, id) < ($1, $2)
            order by created_at desc, id desc limit 101) public_of_state
        union select * from (select id, created_at from videos
            where $4 in ('public', 'own') and owner_id = $5 and ($6 = '' or state = $6)
                and (created_at, id) < ($1, $2)
            order by created_at desc, id desc limit 101) own
        union select * from (select v.id, v.created_at from grants g join videos v on v.id = g.video_id
            where $4 in ('public', 'shared') and g.user_id = $5 and ($6 = '' or v.state = $6)
                and (v.created_at, v.id) < ($1, $2)
            order by v.created_at desc, v.id desc limit 101) shared
    ) page join videos on videos.id = page.id left join users on users.id = videos.owner_id
    order by page.created_at desc, page.id desc limit $3";

// The index of a tag has its videos in the list's order; who may see each is looked up.
const LIST_OF_TAG: &str = concat!(
    "select videos.*, users.name as owner_name from (
        select v.id, v.created_at from tags t join videos v on v.id = t.video_id
        where t.tag_key = $7 and (t.created_at, t.video_id) < ($1, $2) and ($6 = '' or v.state = $6) and ",
    shows!("v", "$4", "$5"),
    "   order by t.created_at desc, t.video_id desc limit 101
    ) page join videos on videos.id = page.id left join users on users.id = videos.owner_id
    order by page.created_at desc, page.id desc limit $3"
);

impl Videos {
    /// Returns at most `limit` videos of a list, newest first, and never more than a hundred.
    pub async fn list(&self, listing: Listing<'_>, limit: u32) -> Result<Page> {
        let limit = limit.min(MOST);
        let mut videos: Vec<Video> = statement(&listing, limit).fetch_all(self.sql()).await?;
        let more = videos.len() > limit as usize;
        videos.truncate(limit as usize);
        let last = videos.last().filter(|_| more);
        let next = last.map(|v| Cursor { created_at: v.created_at, id: v.id.clone() });
        Ok(Page { videos, next })
    }
}

fn statement(listing: &Listing<'_>, limit: u32) -> Query {
    let Listing { shown, state, tag, after } = listing;
    let (time, id) = after.map_or((i64::MAX, ""), |c| (c.created_at.0, c.id.as_str()));
    let list = query(if tag.is_some() { LIST_OF_TAG } else { LIST })
        .bind(time)
        .bind(id)
        // The video beyond the page shows that there is a next one, without a count.
        .bind(i64::from(limit) + 1)
        .bind(shown.word())
        .bind(shown.person())
        .bind(state.map_or("", State::as_str));
    match tag {
        Some(tag) => list.bind(*tag),
        None => list,
    }
}
