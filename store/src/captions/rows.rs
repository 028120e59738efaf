//! Statements on the rows of caption tracks and cues that several transactions have in common.

use crate::{
    CaptionId, Error, Result, VideoId,
    search::{Spoken, index_cue},
    sql::{FromRow, Row, Transaction, query},
};

/// A text, its times and its place on the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cue {
    /// From the video's start.
    pub start_ms: u64,
    /// Behind the start.
    pub end_ms: u64,
    /// WebVTT's cue settings, such as `line:0`; mostly empty.
    pub settings: String,
    /// Plain lines, separated by `\n`.
    pub text: String,
    /// Styled parts of the text, as `captions::Text::styles` writes them; mostly empty.
    pub styles: String,
}

/// Returns the language's folder, or the first of `de-2`, `de-3` … that is free in the video.
pub(crate) async fn free_name(tx: &mut Transaction, video: &VideoId, language: &str) -> Result<String> {
    // The transaction has the video's row, so no other takes the name between this read and the insert.
    let taken: Vec<String> = query("select name from captions where video_id = $1 and name is not null")
        .bind(video.as_str())
        .fetch_all(tx)
        .await?;
    // Some file systems do not distinguish `zh-Hant` from `zh-hant`.
    let is_free = |name: &String| !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    let mut names = std::iter::once(language.to_owned()).chain((2..).map(|n| format!("{language}-{n}")));
    Ok(names.find(is_free).expect("the numbers do not end"))
}

pub(crate) async fn has_video(tx: &mut Transaction, video: &VideoId) -> Result<bool> {
    let count: i64 =
        query("select count(*) from videos where id = $1").bind(video.as_str()).fetch_one(tx).await?;
    Ok(count > 0)
}

pub(crate) async fn drop_job(tx: &mut Transaction, id: &CaptionId) -> Result<()> {
    // The kinds are named because `track` holds names of renditions in jobs that encode.
    query("delete from jobs where track = $1 and kind in ('captions', 'text')")
        .bind(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// A track that was edited by hand.
pub(crate) struct Marked {
    pub(crate) video: VideoId,
    /// The revision that it has now.
    pub(crate) revision: u64,
}

/// Marks a track as edited by hand.
pub(crate) async fn mark_edited(tx: &mut Transaction, id: &CaptionId) -> Result<Option<Marked>> {
    query(
        "update captions set edited = true, revision = revision + 1 where id = $1 returning video_id, revision",
    )
    .bind(id.as_str())
    .fetch_optional(tx)
    .await
}

/// Refuses an edit of a track that has another revision than the person has seen.
pub(crate) async fn check_revision(tx: &mut Transaction, id: &CaptionId, seen: Option<u64>) -> Result<()> {
    let Some(_) = seen else { return Ok(()) };
    let query = query("select revision from captions where id = $1").bind(id.as_str());
    match query.fetch_optional::<i64>(tx).await? {
        Some(current) => check_seen(id, seen, current as u64),
        None => Ok(()),
    }
}

/// Refuses an edit of a track whose revision is not the one that the person has seen.
pub(crate) fn check_seen(id: &CaptionId, seen: Option<u64>, current: u64) -> Result<()> {
    if seen.is_none_or(|seen| seen == current) {
        return Ok(());
    }
    Err(Error::Edited { what: id.as_str().to_owned(), revision: current })
}

impl FromRow for Marked {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let revision: i64 = row.try_get("revision")?;
        Ok(Self { video: VideoId::of_row(row, "video_id")?, revision: revision as u64 })
    }
}

/// Deletes a track's cues and recognized segments.
pub(crate) async fn clear(tx: &mut Transaction, id: &CaptionId) -> Result<()> {
    for statement in
        ["delete from cues where captions_id = $1", "delete from recognized where captions_id = $1"]
    {
        query(statement).bind(id.as_str()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Adds cues behind the highest number. Returns the last one's.
pub(crate) async fn append(tx: &mut Transaction, id: &CaptionId, cues: &[Cue]) -> Result<u32> {
    let highest = query("select coalesce(max(number), 0) from cues where captions_id = $1");
    let mut number: i64 = highest.bind(id.as_str()).fetch_one(&mut *tx).await?;
    for cue in cues {
        // A row each: a statement is a constant here, and one with a place for each value would differ by length.
        number += 1;
        query(
            "insert into cues (captions_id, number, start_ms, end_ms, settings, text, styles)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.as_str())
        .bind(number)
        .bind(cue.start_ms as i64)
        .bind(cue.end_ms as i64)
        .bind(&cue.settings)
        .bind(&cue.text)
        .bind(&cue.styles)
        .execute(&mut *tx)
        .await?;
        index_cue(&mut *tx, &Spoken { captions: id, number, text: &cue.text }).await?;
    }
    Ok(number as u32)
}

pub(crate) fn parsed(video: Option<String>) -> Result<Option<VideoId>> {
    let video = video.map(|text| text.parse::<VideoId>()).transpose();
    video.map_err(|e| Error::Sql(sqlx::Error::Decode(Box::new(e))))
}
