//! The renditions that playlists list: those that players can live on.

use super::Renditions;
use crate::{
    Result, Signal, VideoId,
    jobs::insert_playlists,
    sql::{LockScope, Transaction, query},
};

impl Renditions {
    /// Has playlists list renditions that players can live on now. Returns whether any of them was not listed.
    pub async fn list(&self, id: &VideoId, names: &[&str]) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let mut new = 0;
        for name in names {
            let query =
                query("update renditions set listed = true where video_id = $1 and name = $2 and not listed");
            new += query.bind(id.as_str()).bind(*name).execute(&mut tx).await?;
        }
        self.end_listing(id, tx, new).await
    }

    /// Has playlists list those renditions that are whole. Returns whether any of them was not listed.
    pub async fn list_whole(&self, id: &VideoId) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let query = query(
            "update renditions set listed = true where video_id = $1 and not listed and segments_total <= (
                 select count(*) from segments s
                 where s.video_id = renditions.video_id and s.rendition = renditions.name)",
        );
        let new = query.bind(id.as_str()).execute(&mut tx).await?;
        self.end_listing(id, tx, new).await
    }

    async fn end_listing(&self, id: &VideoId, mut tx: Transaction, new: u64) -> Result<bool> {
        if new == 0 {
            return Ok(false);
        }
        insert_playlists(&mut tx, id).await?;
        tx.commit().await?;
        self.signals.publish(Signal::Changed(id.clone()));
        self.signals.notify_workers();
        Ok(true)
    }
}
