//! Nothing but a place for `tests/claims.rs`.
