//! The store's health: reachable or not, for readiness probes, and the versions of its servers, for operators.

use std::time::Duration;

use crate::{Cluster, Error, Result, Store, blobs::GridFs, redis, sql};

// Below the probes' own timeouts: edges wait two seconds, Kubernetes one by default and as long as configured.
const TIMEOUT: Duration = Duration::from_millis(1500);

impl Store {
    /// Pings the servers that no work can do without: the database and the blobs'. Redis is not among them: without
    /// signals, workers and waiters poll.
    pub async fn ping(&self) -> Result<()> {
        let asked = async { tokio::try_join!(self.videos.ping(), self.blobs.ping()).map(drop) };
        let timed_out = || Err(Error::Unavailable { what: "the store", cause: "no answer in time".into() });
        tokio::time::timeout(TIMEOUT, asked).await.unwrap_or_else(|_| timed_out())
    }
}

/// Asks each server of a cluster for its version, and PostgreSQL whether its tables are those of this program. Does not
/// wait for servers that are about to start: the answer is about now.
pub async fn versions(at: &Cluster) -> [(&'static str, Result<String>); 3] {
    let (postgres, mongodb, redis) =
        tokio::join!(sql::version(&at.postgres), GridFs::version(&at.mongodb), redis::version(&at.redis));
    [("PostgreSQL", postgres), ("MongoDB", mongodb), ("Redis", redis)]
}
