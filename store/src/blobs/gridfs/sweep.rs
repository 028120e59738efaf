//! In charge of what writers that were killed left: found by their notes, deleted once nobody can be at it.

use std::time::Duration;

use super::{GridFs, bucket::Bucket};
use crate::Result;

// Six times as long as a write may take, which leaves room for clocks that differ.
pub(super) const NOBODYS: Duration = Duration::from_hours(1);

impl GridFs {
    /// Deletes media that never became visible. Returns how many there were.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        sweep(&self.media, NOBODYS).await
    }
}

async fn sweep(bucket: &Bucket, age: Duration) -> Result<u64> {
    let mut swept = 0;
    for id in bucket.noted(age).await? {
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
