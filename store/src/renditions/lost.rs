//! The parts of a source that could not be decoded, segment by segment.

use super::{Loss, Renditions};
use crate::{
    Result, VideoId,
    sql::{FromRow, Row, query},
};

impl Renditions {
    /// Records how much of the source within a published segment could not be decoded.
    pub async fn set_lost(&self, id: &VideoId, rendition: &str, lost: &Loss) -> Result<()> {
        query("update segments set lost_ms = $4 where video_id = $1 and rendition = $2 and number = $3")
            .bind(id.as_str())
            .bind(rendition)
            .bind(i64::from(lost.number))
            .bind(lost.milliseconds as i64)
            .execute(&self.sql)
            .await?;
        Ok(())
    }

    /// Returns the segments of a rendition in which something is lost, in order.
    pub async fn losses(&self, id: &VideoId, rendition: &str) -> Result<Vec<Loss>> {
        let query = query(
            "select number, lost_ms from segments where video_id = $1 and rendition = $2 and lost_ms > 0 order by number",
        );
        query.bind(id.as_str()).bind(rendition).fetch_all(&self.sql).await
    }
}

impl FromRow for Loss {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let (number, lost): (i64, i64) = (row.try_get("number")?, row.try_get("lost_ms")?);
        Ok(Self { number: number as u32, milliseconds: lost as u64 })
    }
}
