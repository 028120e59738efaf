//! The built front end inside the binary: its addresses, and which of them are pages. Its files' headers are
//! `asset`'s.

mod asset;

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use server::Problem;

use self::asset::Asset;

const PAGE: &str = "index.html";
const DOCS: &str = "api-docs.html";
const OF_ACCOUNTS: [&str; 9] =
    ["sign-in", "sign-up", "forgotten", "new-address", "mine", "shared", "account", "people", "jobs"];
const MISSING: &str = "The front end is not built into this binary. Run `make web` and build again.\n";

/// The pages that a site has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pages {
    All,
    /// Those of people are missing: there are no accounts.
    WithoutAccounts,
}

/// Answers requests that no role's route matches.
pub(crate) fn serve(pages: Pages, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/');
    // OpenAI's clients, at a process without a transcriber: neither the page nor a 405 would explain it to them.
    if path.starts_with("v1/") {
        let detail = "No speech is turned into words here; ask a `clipcut transcriber` at its own address.";
        return problem(StatusCode::NOT_FOUND, "no_transcriber", detail);
    }
    // The page's HTML with 200 would be parsed as JSON or as a playlist, and fail there.
    if ["api", "v"].contains(&path.split('/').next().unwrap_or_default()) {
        return unknown_path();
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let detail = "The page takes GET and HEAD.";
        let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        // RFC 9110 §15.5.6: a 405 must list the methods that the resource takes.
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    // Set by proxies that strip a path (Traefik's StripPrefix). The page's files are asked for at the root, where the other
    // site's are: a blank page would not say so.
    if let Some(prefix) = prefix(&parts) {
        let detail = format!(
            "A proxy has put this server below the path {prefix}, where its page does not work. Give it a host name of \
             its own, such as videos.example.org."
        );
        // RFC 9110 §15.5.20: the request was directed at a server that does not answer for its URL.
        return problem(StatusCode::MISDIRECTED_REQUEST, "below_a_path", detail);
    }
    // The page's own file is no address: its router would find no page there.
    if path != PAGE
        && let Some(asset) = Asset::find(path, &parts.headers)
    {
        return asset.answer(&parts, StatusCode::OK);
    }
    page(pages, path, &parts)
}

/// Shows Swagger UI over the document.
#[utoipa::path(
    get, path = "/api/docs", tag = "documents", operation_id = "getDocs",
    responses((status = 200, body = String, content_type = "text/html"), (status = 304)),
)]
pub(crate) async fn docs(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match Asset::find(DOCS, &parts.headers) {
        Some(asset) => asset.answer(&parts, StatusCode::OK),
        None => (StatusCode::SERVICE_UNAVAILABLE, MISSING).into_response(),
    }
}

/// Answers a method that an address of the program itself does not take; axum adds the field that lists the others.
pub(crate) async fn wrong_method() -> Response {
    let detail = "This address does not take this method; the Allow header lists those that it takes.";
    problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Answers with the page, whose own router reads the address.
fn page(pages: Pages, path: &str, parts: &Parts) -> Response {
    let known = is_page(pages, path);
    // Crawlers and browsers ask for /robots.txt and /favicon.ico by themselves: HTML with 200 there is taken for the
    // file (a "soft 404").
    if !known && is_file(path) {
        return unknown_path();
    }
    match Asset::find(PAGE, &parts.headers) {
        Some(asset) => asset.answer(parts, if known { StatusCode::OK } else { StatusCode::NOT_FOUND }),
        None => (StatusCode::SERVICE_UNAVAILABLE, MISSING).into_response(),
    }
}

/// Returns whether the page's router (`web/src/shared/route.ts`) has a page at `path`.
fn is_page(pages: Pages, path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) | (Some("watch"), Some(_), None) | (Some("search"), None, _) => true,
        (Some(name), None, _) => matches!(pages, Pages::All) && OF_ACCOUNTS.contains(&name),
        _ => false,
    }
}

fn is_file(path: &str) -> bool {
    path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn unknown_path() -> Response {
    problem(StatusCode::NOT_FOUND, "unknown_path", "There is nothing at this address.")
}

fn prefix(parts: &Parts) -> Option<&str> {
    let prefix = parts.headers.get("x-forwarded-prefix")?.to_str().ok()?.trim();
    Some(prefix).filter(|prefix| !prefix.trim_matches('/').is_empty())
}

fn problem(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Response {
    server::Response::from(Problem::new(status, code, detail)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_the_pages_router() {
        for path in [
            "",
            "/",
            "watch/7f3a",
            "watch/7f3a/",
            "watch/a.b",
            "search",
            "sign-in",
            "forgotten",
            "new-address",
            "mine/",
            "people",
            "jobs",
        ] {
            assert!(is_page(Pages::All, path), "{path:?}");
        }
        for path in ["watch", "watch/a/b", "search/a", "account/7f3a", "elsewhere/7f3a", "robots.txt"] {
            assert!(!is_page(Pages::All, path), "{path:?}");
        }
        assert!(is_page(Pages::WithoutAccounts, "search"));
        assert!(!is_page(Pages::WithoutAccounts, "people"));
    }
}
