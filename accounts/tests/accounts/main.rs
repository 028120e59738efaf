//! Accounts, driven through sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod harness;
mod idempotency;
mod mail;
mod oidc;
mod provider;
mod receiver;
mod second_factor;
mod session;
mod sign_up;
mod tokens;
mod webhooks;
