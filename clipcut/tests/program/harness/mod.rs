//! What the tests share: the program as a process, a server with its library, a line that can be held, and
//! media to try them with.

mod cluster;
mod http;
mod media;
mod program;
mod relay;
mod server;
mod shelf;

use std::time::{Duration, Instant};

use rand::{SeedableRng, rngs::StdRng};

pub(crate) use cluster::{Cluster, Role};
pub(crate) use http::{Answer, Http};
pub(crate) use media::{Clip, boxes, count_frames, make, own, sha256, try_ask};
pub(crate) use program::{Finished, HEARS, Program, RUNTIME, clipcut, finish};
pub(crate) use relay::Relay;
pub(crate) use server::{Server, published};
pub(crate) use shelf::Shelf;

// Far beyond any test's own time, so that only a hang meets it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks until `look` sees something. Panics, naming `what`, when that takes unreasonably long.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Returns an address on which nobody listens.
pub(crate) fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Returns a source of random moments and prints its seed: with it in `CLIPCUT_TEST_SEED`, a test tries the same
/// ones again.
pub(crate) fn seeded() -> StdRng {
    let told = std::env::var("CLIPCUT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = told.unwrap_or_else(rand::random::<u64>);
    println!("CLIPCUT_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
