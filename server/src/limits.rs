//! In charge of the bounds that keep one client from taking the server from the others.

use std::time::Duration;

/// Bounds on connections, headers, bodies and the drain. The defaults carry a laptop and a small pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. At the bound the next one waits in the kernel's queue.
    pub connections: usize,
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
    /// How often an HTTP/2 connection that is quiet while a request is open is asked whether it still lives, and how
    /// long it may think.
    pub ping: Duration,
    /// How long a request body may go without a byte.
    pub body_idle: Duration,
    /// How long a client may refuse to take a byte of a response.
    pub write_stall: Duration,
    /// How long to go on accepting after the shutdown, so that load balancers see `/readyz` fail first.
    pub shutdown_delay: Duration,
    /// How long requests in flight may take to finish after that.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(30),
            header_bytes: 64 * 1024,
            headers: 100,
            streams: 128,
            resets: 20,
            ping: Duration::from_secs(20),
            body_idle: Duration::from_secs(30),
            write_stall: Duration::from_mins(1),
            shutdown_delay: Duration::ZERO,
            drain: Duration::from_secs(30),
        }
    }
}
