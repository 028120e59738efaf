//! One file of the page, in the coding that the client prefers of those that the build made.

use std::{borrow::Cow, time::SystemTime};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};
use server::{
    conditional::{self, Decision, Validators},
    encoding,
};

#[derive(Embed)]
#[folder = "../web/dist"]
// A build without the page still makes every other role.
#[allow_missing = true]
struct Files;

// The codings and the extensions that web/precompress.ts gives them, the smaller first.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

// hls.js assembles media in blobs, and its caption tracks start as data URLs. Nothing is loaded from other origins.
const POLICY: &str = "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; img-src 'self' data: blob:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// A file of the page in one coding.
pub(super) struct Asset {
    bytes: Cow<'static, [u8]>,
    content_type: Option<HeaderValue>,
    coding: Option<&'static str>,
    etag: String,
    /// There are other codings of the same file.
    varies: bool,
    caching: &'static str,
}

impl Asset {
    /// Finds the file and its best coding.
    pub(super) fn find(path: &str, headers: &HeaderMap) -> Option<Self> {
        // A coding alone is no address: its bytes make sense with a Content-Encoding only.
        if CODINGS.iter().any(|(_, extension)| path.ends_with(extension)) {
            return None;
        }
        let plain = Files::get(path)?;
        let variants = CODINGS.map(|(coding, extension)| (coding, Files::get(&format!("{path}{extension}"))));
        let offered: Vec<_> =
            variants.iter().filter(|(_, file)| file.is_some()).map(|(name, _)| *name).collect();
        let coding = encoding::preferred(headers, &offered);
        let etag = etag(&plain, coding);
        let content_type = HeaderValue::from_str(plain.metadata.mimetype()).ok();
        let varies = !offered.is_empty();
        let chosen = variants.into_iter().find(|(name, _)| coding == Some(*name)).and_then(|(_, file)| file);
        Some(Self {
            bytes: chosen.unwrap_or(plain).data,
            content_type,
            coding,
            etag,
            varies,
            // Vite puts a hash of the content into the names below assets/.
            caching: if path.starts_with("assets/") {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        })
    }

    /// Answers with the file, or with 304 to a client that has it.
    pub(super) fn answer(self, request: &Parts, status: StatusCode) -> Response {
        // The times of embedded files are those of a build, different on each machine: only the tag counts.
        let ours = Validators { etag: self.etag.clone(), modified: SystemTime::now() };
        // RFC 9110 §13.2.1: preconditions count only where the answer without them would be a 2xx.
        let known = status.is_success()
            && conditional::evaluate(&request.method, &request.headers, &ours) == Decision::NotModified;
        let body = match self.bytes {
            _ if known => Body::empty(),
            Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let mut response = Response::new(body);
        *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { status };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.caching));
        if let Ok(etag) = HeaderValue::from_str(&self.etag)
            && status.is_success()
        {
            headers.insert(header::ETAG, etag);
        }
        // The field stands on the 304 too (RFC 9110 §15.4.5), or a cache would forget which coding its copy has.
        if self.varies {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if known {
            return response;
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        // `nosniff` keeps a browser from running a file of another type as a script.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        if let Some(kind) = self.content_type {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        if let Some(coding) = self.coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

/// Returns a strong tag, of its own for each coding (RFC 9110 §8.8.3.3).
fn etag(plain: &EmbeddedFile, coding: Option<&str>) -> String {
    let hash = URL_SAFE_NO_PAD.encode(plain.metadata.sha256_hash());
    match coding {
        Some(coding) => format!("\"{hash}-{coding}\""),
        None => format!("\"{hash}\""),
    }
}
