//! Rate limits: counted in this process, or over Redis for all of a cluster.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{Client, Script, aio::ConnectionManager};

use crate::{Result, redis::connection};

// Past this many at once, the table starts afresh: forgetting is better than growing.
const MOST_KEYS: usize = 65_536;
// How long Redis is not asked after it did not answer, so that not every request waits for it.
const LEFT_ALONE: Duration = Duration::from_secs(1);

// One script is one step for Redis: no two callers see the same count, and no count stays without its end.
// A fixed window needs one number a key; its price is up to twice the limit around a border.
const COUNT: &str = "local n = redis.call('incr', KEYS[1])
if n == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {n, redis.call('pttl', KEYS[1])}";

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// This many times…
    pub most: u64,
    /// …from the first on, for as long.
    pub window: Duration,
}

/// The outcome of one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Whether the limit allows it.
    pub allowed: bool,
    /// How long until counting starts afresh.
    pub rest: Duration,
}

/// Counters by name.
#[derive(Clone, Debug)]
pub struct Counters {
    here: Arc<Mutex<Here>>,
    shared: Option<ConnectionManager>,
}

#[derive(Debug, Default)]
struct Here {
    counts: HashMap<String, (u64, Instant)>,
    left_alone_until: Option<Instant>,
}

impl Counters {
    /// Counts for this process alone.
    pub fn in_process() -> Self {
        Self { here: Arc::default(), shared: None }
    }

    /// Counts for all processes that name the same Redis by its `url`; each for itself while that is away.
    pub fn over_redis(url: &str) -> Result<Self> {
        Ok(Self { here: Arc::default(), shared: Some(connection(&Client::open(url)?)?) })
    }

    /// Counts `key` once more, and returns whether that is within `limit`.
    pub async fn hit(&self, key: &str, limit: Limit) -> Hit {
        if let Some(shared) = self.shared.clone().filter(|_| !self.here().leaves_redis_alone()) {
            match count(shared, key, limit).await {
                Ok(hit) => return hit,
                Err(error) => {
                    tracing::warn!(%error, "redis is away; limits count in each process alone");
                    self.here().left_alone_until = Some(Instant::now() + LEFT_ALONE);
                }
            }
        }
        self.here().hit(key, limit, Instant::now())
    }

    fn here(&self) -> std::sync::MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here {
    fn hit(&mut self, key: &str, limit: Limit, now: Instant) -> Hit {
        if self.counts.len() >= MOST_KEYS {
            // Windows that are over go first: a flood of new keys must not start running ones afresh at once.
            self.counts.retain(|_, (_, end)| *end > now);
        }
        if self.counts.len() >= MOST_KEYS {
            self.counts.clear();
        }
        let (count, end) = self.counts.entry(key.to_owned()).or_insert((0, now + limit.window));
        if *end <= now {
            (*count, *end) = (0, now + limit.window);
        }
        *count += 1;
        Hit { allowed: *count <= limit.most, rest: *end - now }
    }

    fn leaves_redis_alone(&self) -> bool {
        self.left_alone_until.is_some_and(|until| until > Instant::now())
    }
}

async fn count(mut shared: ConnectionManager, key: &str, limit: Limit) -> redis::RedisResult<Hit> {
    let script = Script::new(COUNT);
    let mut call = script.key(format!("clipcut:count:{key}"));
    let (count, rest_ms): (u64, i64) =
        // The client tries EVALSHA first; a Redis that was started again has lost the script and gets it whole (NOSCRIPT).
        call.arg(limit.window.as_millis() as u64).invoke_async(&mut shared).await?;
    // PTTL is -1 for a key without an end, and -2 for none.
    Ok(Hit { allowed: count <= limit.most, rest: Duration::from_millis(rest_ms.max(0) as u64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { most: 2, window: Duration::from_secs(10) };

    #[test]
    fn a_window_begins_with_the_first_and_ends_for_all() {
        let (mut here, start) = (Here::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(here.hit("a", LIMIT, at(0)).allowed && here.hit("a", LIMIT, at(9)).allowed);
        assert_eq!(here.hit("a", LIMIT, at(9)), Hit { allowed: false, rest: Duration::from_secs(1) });
        assert!(here.hit("b", LIMIT, at(9)).allowed);
        assert!(here.hit("a", LIMIT, at(10)).allowed);
    }

    #[test]
    fn names_without_end_do_not_fill_the_memory() {
        let (mut here, now) = (Here::default(), Instant::now());
        for n in 0..=MOST_KEYS {
            here.hit(&n.to_string(), LIMIT, now);
        }
        assert!(here.counts.len() <= MOST_KEYS);
    }
}
