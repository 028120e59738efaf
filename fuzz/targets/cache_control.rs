//! No `Cache-Control` makes the parser panic, and none with no-store is read without it.
#![no_main]

use edge::cache_control::{CacheControl, Flag};
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|values: Vec<Vec<u8>>| {
    let mut headers = HeaderMap::new();
    for value in &values {
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        headers.append(header::CACHE_CONTROL, value);
    }
    _ = CacheControl::of(&headers);
    _ = CacheControl::targeted(&headers);
    // In front, where nothing that follows can have opened a quotation around it.
    let mut forbidding = HeaderMap::new();
    forbidding.append(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.get_all(header::CACHE_CONTROL).iter().for_each(|value| {
        forbidding.append(header::CACHE_CONTROL, value.clone());
    });
    assert!(CacheControl::of(&forbidding).has(Flag::NoStore), "{values:?}");
});
