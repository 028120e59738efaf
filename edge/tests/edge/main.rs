//! The contract of the edge: every rule that it keeps, through sockets, before an origin that the test scripts.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod harness;
mod http2;

mod access;
mod asking;
mod broken;
mod collapse;
mod keys;
mod metrics;
mod origins;
mod passing;
mod peers;
mod prefetch;
mod purging;
mod stale;
mod storing;
mod validating;
mod variants;
