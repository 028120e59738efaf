//! Drives an origin through real sockets, over the embedded store in a temporary folder.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod captions;
mod events;
mod harness;
mod ingest;
mod jobs;
mod library;
mod playback;
mod poster;
mod search;
mod statements;
mod tus;
