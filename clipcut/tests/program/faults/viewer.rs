//! A viewer during faults: requests one segment after the other, and keeps the digests of the responses.

use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::scene::BOUND;
use crate::harness::{Http, sha256};

const RENDITIONS: [&str; 3] = ["360p", "240p", "audio"];
// The machine has an encoder to run as well.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Viewer {
    leaves: CancellationToken,
    watching: JoinHandle<Seen>,
}

/// The statuses and digests that the viewer received.
#[derive(Debug, Default)]
pub(super) struct Seen {
    outcomes: BTreeMap<String, u32>,
    digests: BTreeMap<String, String>,
}

impl Viewer {
    /// Watches the `segments` segments of `id` at the servers in turn.
    pub(super) fn enter(servers: Vec<Http>, id: &str, segments: u64) -> Self {
        let (leaves, id) = (CancellationToken::new(), id.to_owned());
        let left = leaves.clone();
        let watching = tokio::spawn(async move {
            let mut seen = Seen::default();
            let segments = (0..segments).flat_map(|n| RENDITIONS.map(|rendition| (rendition, n)));
            for ((rendition, n), server) in segments.cycle().zip(servers.iter().cycle()) {
                if left.is_cancelled() {
                    break;
                }
                seen.look(server, &format!("/v/{id}/{rendition}/{n}.m4s")).await;
                tokio::time::sleep(PAUSE).await;
            }
            seen
        });
        Self { leaves, watching }
    }

    /// Stops the viewer and returns its results.
    pub(super) async fn leave(self) -> Seen {
        self.leaves.cancel();
        self.watching.await.unwrap()
    }
}

impl Seen {
    async fn look(&mut self, server: &Http, path: &str) {
        let asked = timeout(BOUND, Http::try_ask(server.request("GET", path)));
        let answer = asked.await.expect("an answer in bounded time").expect("a whole answer");
        let status = answer.status.as_u16();
        *self.outcomes.entry(status.to_string()).or_default() += 1;
        if status == 200 {
            let digest = sha256(&answer.body);
            let first = self.digests.entry(path.to_owned()).or_insert_with(|| digest.clone());
            assert_eq!(*first, digest, "{path} is not what it was");
            return;
        }
        // A segment that is not encoded yet, or cannot be read now, is 503 with Retry-After.
        assert_eq!(status, 503, "{path}: {answer:?}");
        assert!(answer.headers.contains_key("retry-after"), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}: {answer:?}");
    }

    /// Checks that every segment received equals the one stored at the end.
    pub(super) async fn check(&self, origin: &Http) {
        assert!(!self.digests.is_empty(), "no segment was received: {self}");
        for (path, digest) in &self.digests {
            let answer = origin.get(path).await;
            assert_eq!((answer.status.as_u16(), sha256(&answer.body)), (200, digest.clone()), "{path}");
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> =
            self.outcomes.iter().map(|(what, times)| format!("{times} × {what}")).collect();
        f.write_str(&counts.join(", "))
    }
}
