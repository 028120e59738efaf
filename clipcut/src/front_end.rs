//! The front end, embedded in the binary. Its router has more paths than files: those are answered with the page.

use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};
use server::Problem;

#[derive(Embed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";
const MISSING: &str = "The front end is not built into this binary. Run `make web` and build again.\n";
// hls.js assembles media in blobs, and its caption tracks start as data URLs. Nothing is loaded from other origins.
const POLICY: &str = "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; img-src 'self' data: blob:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Answers the paths that no role has.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    // OpenAI's clients at a process without a transcriber get a reason, rather than the page or a 405.
    if path.starts_with("v1/") {
        let detail = "No speech is turned into words here; ask a `clipcut transcriber` at its own address.";
        return server::Response::from(Problem::new(StatusCode::NOT_FOUND, "no_transcriber", detail))
            .into_response();
    }
    if path.starts_with("api/") || path.starts_with("v/") {
        let detail = "There is nothing at this address.";
        return server::Response::from(Problem::new(StatusCode::NOT_FOUND, "unknown_path", detail))
            .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    match Files::get(path) {
        Some(file) => answer(path, file),
        None => match Files::get(PAGE) {
            Some(page) => answer(PAGE, page),
            None => (StatusCode::SERVICE_UNAVAILABLE, MISSING).into_response(),
        },
    }
}

fn answer(path: &str, file: EmbeddedFile) -> Response {
    // Vite puts a hash of the content into the names below assets/.
    let caching =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(kind) = HeaderValue::from_str(file.metadata.mimetype()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}
