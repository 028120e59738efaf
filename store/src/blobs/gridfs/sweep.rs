//! The leftovers of killed writers: found by their notes, deleted once no writer can still be at work.

use std::time::Duration;

use mongodb::bson::Bson;

use super::{GridFs, bucket::Bucket};
use crate::{Result, VideoId};

// Six times as long as a write may take, which leaves room for clocks that differ.
pub(super) const NOBODYS: Duration = Duration::from_hours(1);

impl GridFs {
    /// Deletes media that never became visible. Returns how many there were.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        sweep(&self.media, NOBODYS).await
    }

    /// Notes that a video's media is about to be deleted. The note stays until [`Self::forget_deleted`], for a writer
    /// that does not know of it yet may still leave some.
    pub(crate) async fn note_deleted(&self, video: &VideoId) -> Result<()> {
        self.media.note(&Bson::String(video.to_string())).await
    }

    /// Returns the videos of which there is an old note.
    pub(crate) async fn deleted(&self) -> Result<Vec<VideoId>> {
        self.media.noted_videos(NOBODYS).await
    }

    /// Takes the note of a video back.
    pub(crate) async fn forget_deleted(&self, video: &VideoId) -> Result<()> {
        self.media.forget(&Bson::String(video.to_string())).await
    }
}

async fn sweep(bucket: &Bucket, age: Duration) -> Result<u64> {
    let mut swept = 0;
    for id in bucket.noted(age).await?.into_iter().filter(|id| id.as_object_id().is_some()) {
        if bucket.is_visible(&id).await? {
            bucket.forget(&id).await?;
        } else {
            tracing::warn!(%id, "swept what a killed writer left");
            bucket.drop_bytes(&id).await?;
            swept += 1;
        }
    }
    Ok(swept)
}
