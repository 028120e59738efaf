//! Responses to GET and HEAD for a resource that exists: validators, preconditions, ranges, compression, caching.
//! Finding the resource, and CORS, are the caller's part.

use std::{ops::Range, time::SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

use crate::{
    Body, Problem, Response, body, compression,
    conditional::{self, Decision, Validators},
    encoding,
    range::{self, Part},
};

/// The metadata of a resource, from which the headers of its representations are made.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Changes whenever the bytes do; without quotes, made of characters that may stand between them.
    pub tag: String,
    /// When the bytes last changed.
    pub modified: SystemTime,
    /// Its MIME type.
    pub content_type: &'static str,
    /// The `Cache-Control` field: which caches may store it, and how long it is fresh.
    pub cache_control: &'static str,
}

/// Answers with bytes of a resource of `len` bytes, which `read` opens. `read` is called at most once, with the range
/// to send, and not at all for HEAD, 304, 412 and 416: these need no disk.
pub async fn answer<F, R, E>(request: &Parts, meta: &Meta, len: u64, read: F) -> Result<Response, E>
where
    F: FnOnce(Range<u64>) -> R,
    R: Future<Output = Result<Body, E>>,
{
    let representation = Representation::new(meta);
    if let Some(early) = representation.preconditions(request) {
        return Ok(early);
    }
    representation.send(request, len, read).await
}

/// Answers with `text`, gzipped for a client that prefers gzip.
pub async fn answer_text(request: &Parts, meta: &Meta, text: Bytes) -> std::io::Result<Response> {
    let mut representation = Representation::new(meta);
    // Also on the plain answer and the 304: a cache must know that another request may get another answer.
    representation.varies = true;
    if !encoding::prefers_gzip(&request.headers) {
        if let Some(early) = representation.preconditions(request) {
            return Ok(early);
        }
        let len = text.len() as u64;
        return representation.send(request, len, async |part| Ok(body::full(slice(&text, part)))).await;
    }
    // RFC 9110 §8.8.3.3: the gzipped representation is another one, so it has a strong tag of its own.
    representation.gzip = true;
    representation.validators.etag = compression::packed(&representation.validators.etag);
    if let Some(early) = representation.preconditions(request) {
        return Ok(early);
    }
    let packed = encoding::gzip(text).await?;
    let len = packed.len() as u64;
    representation.send(request, len, async |part| Ok(body::full(slice(&packed, part)))).await
}

/// One representation of the resource that `Meta` describes (RFC 9110 §3.2).
struct Representation<'a> {
    meta: &'a Meta,
    validators: Validators,
    varies: bool,
    gzip: bool,
}

impl<'a> Representation<'a> {
    fn new(meta: &'a Meta) -> Self {
        let validators = Validators { etag: format!("\"{}\"", meta.tag), modified: meta.modified };
        Self { meta, validators, varies: false, gzip: false }
    }

    /// Returns the answer when the preconditions alone give it.
    fn preconditions(&self, request: &Parts) -> Option<Response> {
        match conditional::evaluate(&request.method, &request.headers, &self.validators) {
            Decision::Proceed => None,
            Decision::NotModified => {
                let mut response = Response::new(body::empty());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                self.head(&mut response);
                Some(response)
            }
            Decision::Failed => Some(
                Problem::new(
                    StatusCode::PRECONDITION_FAILED,
                    "precondition_failed",
                    "What is stored is not what the request expects.",
                )
                .into(),
            ),
        }
    }

    async fn send<F, R, E>(&self, request: &Parts, len: u64, read: F) -> Result<Response, E>
    where
        F: FnOnce(Range<u64>) -> R,
        R: Future<Output = Result<Body, E>>,
    {
        // RFC 9110 §14.2: Range is defined for GET alone.
        let ranged = request.method == Method::GET
            && conditional::range_counts(&request.headers, &self.validators, SystemTime::now());
        let part = if ranged { range::part(&request.headers, len) } else { Part::Whole };
        let (status, bytes) = match part {
            Part::Whole => (StatusCode::OK, 0..len),
            Part::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
            Part::Unsatisfiable => return Ok(unsatisfiable(len)),
        };
        let sent = bytes.end - bytes.start;
        let content_range = format!("bytes {}-{}/{len}", bytes.start, bytes.end.saturating_sub(1));
        // RFC 9110 §9.3.2: HEAD has the fields of GET, Content-Length among them, and no content.
        let sends = request.method != Method::HEAD && sent > 0;
        let mut response = Response::new(if sends { read(bytes).await? } else { body::empty() });
        *response.status_mut() = status;
        self.head(&mut response);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.meta.content_type));
        headers.insert(header::CONTENT_LENGTH, sent.into());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // Uploads decide these bytes; nothing may take them for a page.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if status == StatusCode::PARTIAL_CONTENT {
            set(&mut response, header::CONTENT_RANGE, &content_range);
        }
        Ok(response)
    }

    /// Sets what 200, 206 and 304 have in common (RFC 9110 §15.4.5).
    fn head(&self, response: &mut Response) {
        set(response, header::ETAG, &self.validators.etag);
        set(response, header::LAST_MODIFIED, &httpdate::fmt_http_date(self.validators.modified));
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.meta.cache_control));
        if self.varies {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
    }
}

fn unsatisfiable(len: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        format!("The range lies outside of the {len} bytes that there are."),
    );
    let mut response = problem.into();
    // RFC 9110 §15.5.17: with the length a player asks for a range that exists.
    set(&mut response, header::CONTENT_RANGE, &format!("bytes */{len}"));
    response
}

fn slice(bytes: &Bytes, part: Range<u64>) -> Bytes {
    bytes.slice(part.start as usize..part.end as usize)
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    // Tags are made of characters that fit a header; one that did not would be left out, not panic.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;

    use super::*;

    const TEXT: &str = "0123456789";

    fn meta() -> Meta {
        Meta {
            tag: "t1".to_owned(),
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777),
            content_type: "video/mp4",
            cache_control: "max-age=1",
        }
    }

    fn request(method: Method, fields: &[(HeaderName, &str)]) -> Parts {
        let mut request = Request::new(());
        *request.method_mut() = method;
        for (name, value) in fields {
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        request.into_parts().0
    }

    async fn ask(method: Method, fields: &[(HeaderName, &str)]) -> (Response, Bytes) {
        let read = async |part: Range<u64>| {
            let bytes = Bytes::from_static(TEXT.as_bytes());
            Ok::<_, std::io::Error>(body::full(slice(&bytes, part)))
        };
        let answered = answer(&request(method, fields), &meta(), TEXT.len() as u64, read).await.unwrap();
        let (parts, body) = answered.into_parts();
        (Response::from_parts(parts, body::empty()), body::collect(body, 10_000).await.unwrap())
    }

    fn field(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_get_has_all_bytes_and_its_validators() {
        let (response, bytes) = ask(Method::GET, &[]).await;
        assert_eq!((response.status(), &bytes[..]), (StatusCode::OK, TEXT.as_bytes()));
        for (name, expected) in [
            (header::CONTENT_LENGTH, "10"),
            (header::CONTENT_TYPE, "video/mp4"),
            (header::ETAG, "\"t1\""),
            (header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (header::CACHE_CONTROL, "max-age=1"),
            (header::ACCEPT_RANGES, "bytes"),
        ] {
            assert_eq!(field(&response, name.clone()), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn a_head_has_the_length_and_ignores_ranges() {
        let (response, bytes) = ask(Method::HEAD, &[(header::RANGE, "bytes=2-4")]).await;
        assert_eq!((response.status(), bytes.len()), (StatusCode::OK, 0));
        assert_eq!(field(&response, header::CONTENT_LENGTH), "10");
    }

    #[tokio::test]
    async fn a_range_gives_206_with_its_place() {
        let (response, bytes) = ask(Method::GET, &[(header::RANGE, "bytes=2-4")]).await;
        assert_eq!((response.status(), &bytes[..]), (StatusCode::PARTIAL_CONTENT, &b"234"[..]));
        assert_eq!(field(&response, header::CONTENT_RANGE), "bytes 2-4/10");
        assert_eq!(field(&response, header::CONTENT_LENGTH), "3");
    }

    #[tokio::test]
    async fn a_seek_past_the_end_is_416() {
        let (response, _) = ask(Method::GET, &[(header::RANGE, "bytes=10-")]).await;
        assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(field(&response, header::CONTENT_RANGE), "bytes */10");
    }

    #[tokio::test]
    async fn a_range_of_something_older_gives_all_of_the_newer() {
        let fields = [(header::RANGE, "bytes=2-4"), (header::IF_RANGE, "\"t0\"")];
        let (response, bytes) = ask(Method::GET, &fields).await;
        assert_eq!((response.status(), bytes.len()), (StatusCode::OK, 10));
        let fields = [(header::RANGE, "bytes=2-4"), (header::IF_RANGE, "\"t1\"")];
        assert_eq!(ask(Method::GET, &fields).await.0.status(), StatusCode::PARTIAL_CONTENT);
    }

    #[tokio::test]
    async fn what_the_client_has_already_is_304_even_with_a_range() {
        let fields = [(header::IF_NONE_MATCH, "\"t1\""), (header::RANGE, "bytes=99-")];
        let (response, bytes) = ask(Method::GET, &fields).await;
        assert_eq!((response.status(), bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(field(&response, header::ETAG), "\"t1\"");
        assert_eq!(field(&response, header::CONTENT_LENGTH), "");
    }

    #[tokio::test]
    async fn what_the_client_does_not_expect_is_412() {
        let (response, _) = ask(Method::GET, &[(header::IF_MATCH, "\"t0\"")]).await;
        assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    }

    #[tokio::test]
    async fn gzipped_text_is_a_representation_of_its_own() {
        let text = Bytes::from("#EXTINF:6,\n".repeat(100));
        let ask = async |fields: &[(HeaderName, &str)]| {
            answer_text(&request(Method::GET, fields), &meta(), text.clone()).await.unwrap()
        };
        let plain = ask(&[]).await;
        let packed = ask(&[(header::ACCEPT_ENCODING, "gzip")]).await;
        assert_eq!((field(&plain, header::ETAG), field(&plain, header::CONTENT_ENCODING)), ("\"t1\"", ""));
        assert_eq!(
            (field(&packed, header::ETAG), field(&packed, header::CONTENT_ENCODING)),
            ("\"t1-gzip\"", "gzip")
        );
        assert_eq!(field(&plain, header::VARY), "accept-encoding");
        assert_eq!(field(&packed, header::VARY), "accept-encoding");

        let known = [(header::ACCEPT_ENCODING, "gzip"), (header::IF_NONE_MATCH, "\"t1-gzip\"")];
        let known = ask(&known).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(field(&known, header::VARY), "accept-encoding");
    }
}
