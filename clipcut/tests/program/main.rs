//! Drives the program from outside: its command lines, its URLs, its folders, and the blows that it survives.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod harness;

mod access;
mod accounts;
mod admin;
mod cluster;
mod configuration;
mod demo;
#[cfg(target_os = "linux")]
mod disk;
mod documents;
mod edge;
mod faults;
mod fsck;
mod hostile;
mod kill;
mod kill_accounts;
mod lasting;
mod limits;
#[path = "../../../transcriber/tests/transcriber/loopback_hub.rs"]
#[expect(dead_code, reason = "the transcriber's tests have more faults")]
mod loopback_hub;
mod models;
mod monitoring;
mod openapi;
mod package;
mod private;
mod proxies;
mod quotas;
mod rights;
mod roles;
mod stop;
mod tls;
mod traces;
mod turns;
mod upload;
