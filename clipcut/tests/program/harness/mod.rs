//! Helpers of the tests: the program as a process, a server with its library, a TCP relay that can be paused, and
//! media.

mod cluster;
mod collector;
mod described;
mod http;
mod media;
mod people;
mod program;
mod relay;
mod server;
mod shelf;

use std::time::{Duration, Instant};

use rand::{SeedableRng, rngs::StdRng};

pub(crate) use cluster::{Cluster, Role};
pub(crate) use collector::{Collector, Span};
pub(crate) use described::Described;
pub(crate) use http::{Answer, Http};
pub(crate) use media::{Clip, boxes, count_frames, make, own, sha256, try_ask};
pub(crate) use people::{PASSWORD, cookie, invite, sign_up};
pub(crate) use program::{DEMO_MODEL, Finished, Program, RUNTIME, clipcut, finish};
pub(crate) use relay::Relay;
pub(crate) use server::{Server, published};
pub(crate) use shelf::Shelf;

// Far longer than any test takes, so that only a hang reaches it.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(4);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Polls until `look` returns something. Panics with `what` after the timeout.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < TIMEOUT, "waited in vain for {what}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Returns an address with a free port.
pub(crate) fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Returns a source of random moments and prints its seed: with it in `CLIPCUT_TEST_SEED`, a test tries the same
/// ones again.
pub(crate) fn seeded() -> StdRng {
    let fixed = std::env::var("CLIPCUT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = fixed.unwrap_or_else(rand::random::<u64>);
    println!("CLIPCUT_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
