//! The servers themselves: there when asked for, gone when killed, back with what they had.

use std::net::TcpStream;

use testbed::{Mongodb, Postgres, Redis, Server};

fn answers(server: &Server) -> bool {
    TcpStream::connect(("127.0.0.1", server.port())).is_ok()
}

#[test]
fn a_killed_server_is_gone_and_comes_back_where_it_was() {
    let redis = Redis::start();
    let server = redis.server();
    assert!(answers(server));
    server.kill();
    assert!(!answers(server));
    server.start();
    assert!(answers(server));
}

#[test]
fn postgres_keeps_its_databases_over_a_kill() {
    let postgres = Postgres::start();
    let first = postgres.database();
    postgres.server().kill();
    postgres.restart();
    let second = postgres.database();
    assert_ne!(first, second);
}

#[test]
fn a_frozen_server_goes_on_when_it_is_thawed() {
    let mongodb = Mongodb::start();
    mongodb.server().freeze();
    mongodb.server().thaw();
    assert!(answers(mongodb.server()));
    assert_ne!(mongodb.database(), mongodb.database());
}
