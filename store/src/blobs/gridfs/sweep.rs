//! The leftovers of killed writers: found by their notes, deleted once no writer can still be at work.

use std::time::Duration;

use super::bucket::Bucket;
use crate::Result;

// Six times as long as a write may take, which leaves room for clocks that differ.
pub(super) const NOBODYS: Duration = Duration::from_hours(1);

/// Deletes the media of a bucket that never became visible. Returns how many there were.
pub(super) async fn sweep(bucket: &Bucket, age: Duration) -> Result<u64> {
    let mut swept = 0;
    // Blobs of media have object ids; notes of deleted videos have text, and are `Blobs::deleted`'s to end.
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
