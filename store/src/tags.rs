//! Tags: the words under which a video's owner files it. Leaves what a tag may look like to the origin.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::{
    Result, VideoId, Videos,
    sql::{FromRow, Row, Transaction, query},
};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// As it was typed, in NFC.
    pub shown: String,
    /// The form by which tags are equal.
    pub key: String,
}

impl Tag {
    /// Makes a tag of a person's text.
    pub fn of(text: &str) -> Self {
        let shown: String = text.trim().nfc().collect();
        let key = shown.nfkc().collect::<String>().to_lowercase().nfc().collect();
        Self { shown, key }
    }
}

impl Videos {
    /// Returns the tags of many videos, as they were typed, by one statement; those of a video in their order.
    pub async fn tags_of_all(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, Vec<String>>> {
        let query = query(
            "select video_id, tag from tags where video_id in (select value from json_each($1)) order by position",
        );
        let rows: Vec<OfVideo> = query.bind(&VideoId::list(ids)).fetch_all(self.sql()).await?;
        let mut tags: HashMap<VideoId, Vec<String>> = HashMap::new();
        for OfVideo { video, tag } in rows {
            tags.entry(video).or_default().push(tag);
        }
        Ok(tags)
    }
}

/// Puts `tags` in place of those of a video. Of equal ones the first counts.
pub(crate) async fn set_tags(tx: &mut Transaction, video: &VideoId, tags: &[Tag]) -> Result<()> {
    query("delete from tags where video_id = $1").bind(video.as_str()).execute(&mut *tx).await?;
    for (position, tag) in tags.iter().enumerate() {
        query(
            "insert into tags (video_id, position, tag, tag_key, created_at)
             select id, $2, $3, $4, created_at from videos where id = $1
             on conflict (video_id, tag_key) do nothing",
        )
        .bind(video.as_str())
        .bind(position as i64)
        .bind(&tag.shown)
        .bind(&tag.key)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

struct OfVideo {
    video: VideoId,
    tag: String,
}

impl FromRow for OfVideo {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { video: VideoId::of_row(row, "video_id")?, tag: row.try_get("tag")? })
    }
}
