//! A ticket opens only what begins with its very segments, in their one spelling.
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use libfuzzer_sys::fuzz_target;
use server::ticket::{Keys, Scope};

static KEYS: LazyLock<Keys> =
    LazyLock::new(|| Keys::read("1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").expect("a key"));

fuzz_target!(|input: (&str, &str)| {
    let (prefix, path) = input;
    let Ok(scope) = Scope::path(prefix) else { return };
    let ticket = KEYS.mint(&scope, UNIX_EPOCH + Duration::from_secs(1));
    if KEYS.verify(&ticket, path, UNIX_EPOCH).is_ok() {
        let mut given = path.split('/');
        assert!(prefix.split('/').all(|segment| given.next() == Some(segment)), "{prefix} opened {path}");
        assert!(path.split('/').skip(1).all(|s| !matches!(s, "" | "." | "..")), "{path}");
        assert!(!path.contains(['%', '\\', '?', '#', ';']), "{path}");
    }
});
