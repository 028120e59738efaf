//! The contract of the edge: every rule that it keeps, through sockets, before an origin that the test scripts.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod harness;

mod asking;
mod collapse;
mod keys;
mod origins;
mod passing;
mod purging;
mod rights;
mod stale;
mod storing;
mod validating;
mod variants;
