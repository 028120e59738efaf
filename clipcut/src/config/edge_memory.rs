//! The memory of a process with an edge, shared among the program, its connections and the bodies. The edge shares that of
//! the bodies further.

// The program, and memory that the allocator has not returned.
const PROGRAM_BYTES: u64 = 64 << 20;
// An idle connection: 30 KiB in the clear, 49 KiB with TLS (4,096 of each, measured).
const CONNECTION_BYTES: u64 = 48 << 10;

/// The shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EdgeMemory {
    /// How many connections the process may have.
    pub(super) connections: usize,
    /// Bytes for what is cached, fetched and being sent.
    pub(super) bodies: u64,
}

impl EdgeMemory {
    /// Shares `bytes` where `wanted` connections are asked for.
    pub(super) fn share(bytes: u64, wanted: usize) -> Self {
        // A fourth at most: 4,096 connections would leave a small edge nothing to cache.
        let affordable = usize::try_from(bytes / 4 / CONNECTION_BYTES).unwrap_or(usize::MAX);
        let connections = wanted.min(affordable).max(1);
        let fixed = PROGRAM_BYTES + connections as u64 * CONNECTION_BYTES;
        // A third at least, since the program's part alone would leave a small edge nothing.
        Self { connections, bodies: bytes - fixed.min(bytes / 3 * 2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn connections_are_paid_for_before_bodies() {
        for (mib, wanted, connections, bodies) in [
            (4096, 4096, 4096, (4096 - 64 - 192) * MIB),
            (256, 4096, 1365, 256 * MIB - 64 * MIB - 1365 * CONNECTION_BYTES),
            (256, 100, 100, 256 * MIB - 64 * MIB - 100 * CONNECTION_BYTES),
            (48, 4096, 256, 16 * MIB),
        ] {
            let expected = EdgeMemory { connections, bodies };
            assert_eq!(EdgeMemory::share(mib * MIB, wanted), expected, "{mib} MiB, {wanted} connections");
        }
        assert_eq!(EdgeMemory::share(0, 4096), EdgeMemory { connections: 1, bodies: 0 });
    }
}
