//! The bounds that keep one client from taking the server from the others.

use std::time::Duration;

use crate::{forwarded::TrustedProxies, pace::Pace};

/// Bounds on connections, headers, bodies and the drain. The defaults carry a laptop and a small pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. At the bound the oldest idle one makes place for the next; while none is idle, a few more may
    /// ask for `/healthz` and `/readyz`, and the rest waits in the kernel's queue.
    pub connections: usize,
    /// Connections at once from one address, and requests at once of one client behind trusted proxies; 0: half of all
    /// connections.
    pub connections_for_address: usize,
    /// Proxies that send requests of many clients: their connections are bounded in all only.
    pub proxies: TrustedProxies,
    /// How long the headers of a request may take; also how long a connection may idle.
    pub header_timeout: Duration,
    /// Bytes of one request's headers, at least 8,192 (hyper's smallest buffer). Beyond: 431.
    pub header_bytes: u32,
    /// Fields of one HTTP/1.1 request's headers. Beyond: 431.
    pub headers: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// Requests of one HTTP/2 connection that were reset and not yet cleared away. Beyond: the connection ends.
    pub resets: usize,
    /// How often a quiet HTTP/2 connection is sent a PING, and how long its acknowledgement may take.
    pub ping: Duration,
    /// How long a request body may go without a byte.
    pub body_idle: Duration,
    /// Bytes a second that a request body has to bring on average; 0: any byte will do.
    pub body_least_bps: u32,
    /// How long a client may refuse to take a byte of a response.
    pub write_stall: Duration,
    /// Bytes a second that a client has to take of a response on average; 0: any byte will do.
    pub write_least_bps: u32,
    /// How long to go on accepting after the shutdown, so that load balancers see `/readyz` fail first.
    pub shutdown_delay: Duration,
    /// How long requests in flight may take to finish after that.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_for_address: 0,
            proxies: TrustedProxies::default(),
            header_timeout: Duration::from_secs(30),
            header_bytes: 64 * 1024,
            headers: 100,
            // RFC 9113 §6.5.2 advises 100 or more, so that parallel requests are not held back.
            streams: 128,
            // The number is h2's own: a player that seeks resets a few streams, an attacker thousands.
            resets: 20,
            ping: Duration::from_secs(20),
            body_idle: Duration::from_secs(30),
            body_least_bps: 100,
            // The span is nginx's default for `send_timeout`.
            write_stall: Duration::from_mins(1),
            // The rate is 8 kbit/s, less than any sound plays at.
            write_least_bps: 1000,
            shutdown_delay: Duration::ZERO,
            // Kubernetes kills a process 30 s after its stop signal, unless it is configured otherwise.
            drain: Duration::from_secs(30),
        }
    }
}

impl Limits {
    pub(crate) fn for_address(&self) -> usize {
        match self.connections_for_address {
            // A NAT may stand for many people, and still one address must not take all.
            0 => self.connections.div_ceil(2),
            most => most,
        }
    }

    pub(crate) fn request_pace(&self) -> Pace {
        Pace { pause: self.body_idle, least_bps: self.body_least_bps }
    }

    pub(crate) fn response_pace(&self) -> Pace {
        Pace { pause: self.write_stall, least_bps: self.write_least_bps }
    }
}
