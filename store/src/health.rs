//! In charge of whether the store can be reached now: for who decides where to send work, and for who sets up a cluster.

use std::time::Duration;

use crate::{Cluster, Error, Result, Store, blobs::GridFs, redis, sql};

// Whoever asks waits no longer: edges two seconds, most orchestrators as long as they are told.
const PATIENCE: Duration = Duration::from_millis(1500);

impl Store {
    /// Asks what no work can do without: the database, and the place of the blobs. Redis is not among them: without
    /// news everybody looks by themselves.
    pub async fn ping(&self) -> Result<()> {
        let asked = async { tokio::try_join!(self.videos.ping(), self.blobs.ping()).map(drop) };
        let silence = || Err(Error::Unavailable { what: "the store", cause: "no answer in time".into() });
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| silence())
    }
}

/// Asks each server of a cluster for its version, and PostgreSQL whether its tables are those of this program. Waits for
/// nobody who is about to start.
pub async fn versions(at: &Cluster) -> [(&'static str, Result<String>); 3] {
    let (postgres, mongodb, redis) =
        tokio::join!(sql::version(&at.postgres), GridFs::version(&at.mongodb), redis::version(&at.redis));
    [("PostgreSQL", postgres), ("MongoDB", mongodb), ("Redis", redis)]
}
