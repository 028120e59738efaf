//! The limit of open files: raised at the start of the program, and the share of it that connections may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

// Blobs, SQLite, ffmpeg's sockets and the edge's connections to origins: a quarter of a small limit, and so many of a large
// one.
const LEAST_RESERVE: u64 = 128;
const MOST_RESERVE: u64 = 2048;

/// Raises the soft limit to the hard one: the usual 1,024 are for programs that use `select`, which has no place for more.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, connections are capped below it.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Returns how many files may be open at once; `None` is without a limit.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Returns how many of `wanted` connections fit below `limit`.
pub(crate) fn connections(wanted: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return wanted };
    // A server that takes its last descriptor for a viewer can open no segment to send.
    let reserve = (limit / 4).clamp(LEAST_RESERVE, MOST_RESERVE);
    wanted.min(limit.saturating_sub(reserve).max(1) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_open_files_for_others() {
        for (wanted, limit, expected) in [
            (4096, None, 4096),
            (4096, Some(1 << 20), 4096),
            (4096, Some(1024), 768),
            (4096, Some(200), 72),
            (4096, Some(10), 1),
            (100, Some(1024), 100),
        ] {
            assert_eq!(connections(wanted, limit), expected, "{wanted} of {limit:?}");
        }
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
