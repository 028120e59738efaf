//! A text that parses as a ticket is written the same again, and opens nothing: its signature is not ours.
#![no_main]

use std::{sync::LazyLock, time::UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use server::ticket::{self, Keys, Refusal, Ticket};

static KEYS: LazyLock<Keys> =
    LazyLock::new(|| Keys::read("1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").expect("a key"));

fuzz_target!(|path: &str| {
    let Some((text, opened)) = ticket::split(path) else { return };
    assert_eq!(format!("/t/{text}{opened}"), path);
    let Ok(ticket) = text.parse::<Ticket>() else { return };
    assert_eq!(ticket.text(), text);
    assert_eq!(KEYS.verify(&ticket, opened, UNIX_EPOCH), Err(Refusal::BadSignature));
});
