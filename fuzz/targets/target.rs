//! Normalisation of a target is idempotent: a normal target decodes to itself, so one resource has one key.
#![no_main]

use edge::key::Target;
use http::{HeaderMap, HeaderValue, Uri, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The targets of proxies and of OPTIONS are no addresses of ours.
    if !text.starts_with('/') {
        return;
    }
    let Ok(uri) = text.parse::<Uri>() else { return };
    let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("example.org"))]);
    let Ok(target) = Target::decode("http", &uri, &headers, None) else { return };
    let again: Uri = target.as_str().parse().expect("a normal target is a URI");
    let again = Target::decode("http", &again, &headers, None).expect("a normal target decodes");
    assert_eq!(again.as_str(), target.as_str(), "{text}");
});
