//! Drives a listening server through real sockets: slow, greedy and malformed clients, TLS, panics, the drain.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod form;
mod frames;
mod http2;
mod listen;
mod running;
mod streams;
mod tls;
