//! The passages of the index: written within the transaction that changes their text, and deleted by the database along
//! with what they are of.

use super::terms;
use crate::{
    CaptionId, Result, VideoId,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};

/// The first term of every title; no person's text has one of these characters as a term.
pub(super) const TITLE: char = '\u{e000}';
/// The first term of all that is written about a video.
pub(super) const ABOUT: char = '\u{e001}';

const BATCH: i64 = 100;

/// The words of a video, without those that are said in it.
#[derive(Debug)]
struct Written {
    id: VideoId,
    title: String,
    description: String,
}

/// A cue's text, and where it is from.
#[derive(Debug)]
pub(crate) struct Spoken<'a> {
    pub(crate) captions: &'a CaptionId,
    pub(crate) number: i64,
    pub(crate) text: &'a str,
}

struct StoredSpoken {
    captions: CaptionId,
    number: i64,
    text: String,
}

/// Puts the words of a video into the index, as they are now.
pub(crate) async fn index_video(tx: &mut Transaction, id: &VideoId) -> Result<()> {
    let written = query("select id, title, description from videos where id = $1");
    let Some(Written { title, description, .. }) = written.bind(id.as_str()).fetch_optional(&mut *tx).await?
    else {
        return Ok(());
    };
    let tags: Vec<String> = query("select tag from tags where video_id = $1 order by position")
        .bind(id.as_str())
        .fetch_all(&mut *tx)
        .await?;
    let about = format!("{title}\n{description}\n{}", tags.join("\n"));
    for (place, mark, text) in [("title", TITLE, &title), ("about", ABOUT, &about)] {
        query(
            // The index behind `on conflict` is partial: of a title there is one, of cues there are as many as the
            // captions have.
            "insert into passages (video_id, place, terms) values ($1, $2, $3)
             on conflict (video_id, place) where cue is null do update set terms = excluded.terms",
        )
        .bind(id.as_str())
        .bind(place)
        .bind(&format!(" {mark}{}", or_blank(terms::of(text))))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Puts the words of a cue into the index, in place of those that it had.
pub(crate) async fn index_cue(tx: &mut Transaction, cue: &Spoken<'_>) -> Result<()> {
    query(
        "insert into passages (video_id, place, captions_id, cue, terms)
         select video_id, 'speech', id, $2, $3 from captions where id = $1
         on conflict (captions_id, cue) do update set terms = excluded.terms",
    )
    .bind(cue.captions.as_str())
    .bind(cue.number)
    .bind(&terms::of(cue.text))
    .execute(tx)
    .await?;
    Ok(())
}

/// Puts into the index what a program without one has written, video by video.
pub(crate) async fn index_missing(sql: &Sql) -> Result<()> {
    loop {
        let videos: Vec<Written> = query(
            "select v.id, v.title, v.description from videos v
             where not exists (select 1 from passages p where p.video_id = v.id and p.place = 'title')
             order by v.created_at desc limit $1",
        )
        .bind(BATCH)
        .fetch_all(sql)
        .await?;
        if videos.is_empty() {
            return Ok(());
        }
        tracing::info!(videos = videos.len(), "putting videos into the search's index");
        for video in videos {
            // A transaction for each video: after a kill the next start goes on with those that are left.
            let mut tx = sql.begin(LockScope::Video(&video.id)).await?;
            index_video(&mut tx, &video.id).await?;
            let spoken: Vec<StoredSpoken> = query(
                "select q.captions_id, q.number, q.text from captions c join cues q on q.captions_id = c.id
                 where c.video_id = $1",
            )
            .bind(video.id.as_str())
            .fetch_all(&mut tx)
            .await?;
            for StoredSpoken { captions, number, text } in &spoken {
                index_cue(&mut tx, &Spoken { captions, number: *number, text }).await?;
            }
            tx.commit().await?;
        }
    }
}

/// Keeps the blank behind a mark where no terms bring one.
fn or_blank(terms: String) -> String {
    if terms.is_empty() { " ".to_owned() } else { terms }
}

impl FromRow for Written {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: VideoId::of_row(row, "id")?,
            title: row.try_get("title")?,
            description: row.try_get("description")?,
        })
    }
}

impl FromRow for StoredSpoken {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            captions: CaptionId::of_row(row, "captions_id")?,
            number: row.try_get("number")?,
            text: row.try_get("text")?,
        })
    }
}
