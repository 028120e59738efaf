//! Publishing: a blob first, then the row that stands for it.

use std::sync::Arc;

use bytes::Bytes;
use store::{ChunkWriter, Store, VideoId};

use crate::{Error, Result, fragment, in_hand::RunInHand, measure::SegmentFacts, segment::Segment};

/// Publishes what belongs to one video.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    pub(crate) store: Store,
    pub(crate) video: VideoId,
    /// The run that the segments are of, for jobs that are runs.
    pub(crate) run: Option<Arc<RunInHand>>,
}

impl Publisher {
    /// Publishes a rendition's init segment. Every run makes the same one; the first stays.
    pub(crate) async fn init(&self, rendition: &str, bytes: &[u8]) -> Result<()> {
        let key = self.key(&format!("{rendition}/init.mp4"));
        if !self.store.blobs.put_new(&key, bytes).await? {
            let published = self.store.blobs.read(&key).await?;
            if published.as_deref() != Some(bytes) {
                return Err(Error::OffPlan {
                    rendition: rendition.to_owned(),
                    given: "an init segment unlike the one published".into(),
                    planned: "the same from every run".into(),
                });
            }
        }
        let codecs = fragment::codecs(bytes)?;
        Ok(self.store.renditions.set_codecs(&self.video, rendition, &codecs).await?)
    }

    /// Shows viewers who wait for a segment its first chunk.
    pub(crate) fn begin(&self, rendition: &str, number: u32, first: Bytes) -> ChunkWriter {
        self.store.chunks.begin(&self.segment_key(rendition, number), first)
    }

    /// Publishes a segment; one that is published already stays as it is, for players may have it. Viewers who read it as it
    /// grows get the end only of what is published.
    pub(crate) async fn segment(
        &self,
        rendition: &str,
        segment: &Segment,
        growing: Option<ChunkWriter>,
    ) -> Result<()> {
        let number = segment.number;
        let key = self.segment_key(rendition, number);
        let facts = if self.store.blobs.put_new(&key, &segment.bytes).await? {
            if let Some(growing) = growing {
                growing.end(segment.last_chunk());
            }
            segment.facts.clone()
        } else {
            // Its chunks are of bytes that stay unpublished: the answers with them break off, and players ask again.
            drop(growing);
            self.facts_of(&key).await?
        };
        // The row comes behind the blob: after a kill in between the segment is encoded once more, and in the other
        // order viewers would be sent to nothing.
        let row = store::Segment { number, facts: serde_json::to_string(&facts)? };
        let recorded = self.store.renditions.publish(&self.video, rendition, &row).await;
        if matches!(recorded, Err(store::Error::Gone(_))) {
            // Deleted while we encoded: what was just written is an orphan.
            self.store.blobs.delete_all(&self.video.folder()).await?;
        }
        recorded?;
        tracing::debug!(video = %self.video, rendition, number, bytes = facts.bytes, "published");
        // Only first segments make a video playable, and the others are spared the statement.
        if number == 0 {
            self.mark_playable().await?;
        }
        if let Some(run) = &self.run {
            run.published(&self.store, number).await?;
        }
        Ok(())
    }

    /// Marks the video playable once what players begin on is there.
    pub(crate) async fn mark_playable(&self) -> Result<()> {
        if self.store.videos.mark_playable(&self.video).await? {
            tracing::info!(video = %self.video, "playable");
        }
        Ok(())
    }

    /// Records what could not be decoded of published segments.
    pub(crate) async fn lost(&self, rendition: &str, losses: &[store::Loss]) -> Result<()> {
        for loss in losses {
            self.store.renditions.set_lost(&self.video, rendition, loss).await?;
        }
        Ok(())
    }

    /// Publishes a text, such as a playlist, in place of what was there.
    pub(crate) async fn text(&self, path: &str, text: &str) -> Result<()> {
        self.blob(path, text.as_bytes()).await
    }

    /// Publishes a blob, such as the poster, in place of what was there.
    pub(crate) async fn blob(&self, path: &str, bytes: &[u8]) -> Result<()> {
        Ok(self.store.blobs.put(&self.key(path), bytes).await?)
    }

    /// Returns whether a blob is published.
    pub(crate) async fn has(&self, path: &str) -> Result<bool> {
        Ok(!self.store.blobs.existing(&[self.key(path)]).await?.is_empty())
    }

    /// Takes blobs back, in this order.
    pub(crate) async fn withdraw(&self, paths: &[&str]) -> Result<()> {
        for path in paths {
            self.store.blobs.delete_all(&self.key(path)).await?;
        }
        Ok(())
    }

    fn segment_key(&self, rendition: &str, number: u32) -> String {
        self.key(&format!("{rendition}/{number}.m4s"))
    }

    fn key(&self, path: &str) -> String {
        format!("{}/{path}", self.video.folder())
    }

    async fn facts_of(&self, key: &str) -> Result<SegmentFacts> {
        let bytes =
            self.store.blobs.read(key).await?.ok_or_else(|| store::Error::Gone(self.video.clone()))?;
        Ok(SegmentFacts { bytes: bytes.len() as u64, fragments: fragment::facts(&bytes)? })
    }
}
