//! The bytes selected by any `Range` lie inside the body: an offset past its end would be a panic in the slice.
#![no_main]

use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use server::range::{self, Part};

fuzz_target!(|input: (u64, &[u8])| {
    let (len, value) = input;
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let headers = HeaderMap::from_iter([(header::RANGE, value)]);
    if let Part::Bytes(bytes) = range::part(&headers, len) {
        assert!(bytes.start < bytes.end && bytes.end <= len, "{bytes:?} of {len}");
    }
});
