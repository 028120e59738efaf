//! The HTTP server that every role shares: listening, limits and drain, ranges, conditionals, content, tickets, problem
//! responses. It knows nothing of videos and depends on none of our crates.

mod access;
mod activity;
mod answer;
pub mod body;
mod clients;
pub mod compression;
pub mod conditional;
mod connection;
mod connections;
pub mod content;
mod context;
mod cork;
pub mod cors;
pub mod document;
pub mod encoding;
mod fields;
pub mod forwarded;
pub mod health;
mod incoming;
mod limits;
mod listen;
pub mod metrics;
pub mod network;
pub mod openapi;
mod pace;
mod problem;
pub mod range;
pub mod revision;
pub mod schema;
mod sending;
pub mod site;
mod span;
mod streams;
pub mod ticket;
mod tls;
mod well_formed;

pub use body::{Body, BoxError};
pub use fields::has_any;
pub use limits::Limits;
pub use listen::{Listener, serve};
pub use metrics::Metrics;
pub use problem::{Problem, ProblemDocument};
pub use tls::{Tls, TlsError};

/// A request as every role receives it.
pub type Request = http::Request<Body>;

/// A response as every role gives it.
pub type Response = http::Response<Body>;
