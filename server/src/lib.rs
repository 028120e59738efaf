//! In charge of what every HTTP role shares: listening, limits and drain, ranges, conditionals, content,
//! tickets, problem responses. Knows nothing of videos, and nothing of ours.

mod access;
pub mod body;
pub mod conditional;
pub mod content;
pub mod cors;
pub mod encoding;
pub mod health;
mod incoming;
mod limits;
mod listen;
mod problem;
pub mod range;
pub mod ticket;

pub use body::{Body, BoxError};
pub use limits::Limits;
pub use listen::serve;
pub use problem::Problem;

/// A request as every role receives it.
pub type Request = http::Request<Body>;

/// A response as every role gives it.
pub type Response = http::Response<Body>;
