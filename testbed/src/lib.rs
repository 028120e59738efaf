//! The servers that tests run on: PostgreSQL, a MongoDB-protocol server, Redis, Prometheus and one that takes mail, each
//! started in a temporary folder on a free port, or the one that the environment names. They end with the test
//! binary, also when that is killed.

mod mongodb;
mod postgres;
mod program;
mod prometheus;
mod redis;
mod server;
mod smtp;

pub use mongodb::Mongodb;
pub use postgres::Postgres;
pub use prometheus::Prometheus;
pub use redis::Redis;
pub use server::Server;
pub use smtp::Smtp;
