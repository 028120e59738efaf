//! Idempotency keys: a client that does not know whether its request arrived sends it again with the same key, and gets the first
//! one's answer for a day (draft-ietf-httpapi-idempotency-key-header). Leaves sealing that to `seal`.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use server::{Problem, body};
use sha2::{Digest, Sha256};
use store::{
    UserId,
    accounts::{Begun, HOLD, Repeatable},
};
use tracing::Instrument;

use crate::{Accounts, Error, Result, access::Endpoint, document::MOST, seal::Seal, secret::hex};

/// The request's field.
pub(crate) const FIELD: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The endpoints that create something of a person's.
const CREATE: [&str; 10] = [
    "/api/v1/videos",
    "/api/v1/uploads",
    "/api/v1/videos/{id}/shares",
    "/api/v1/videos/{id}/people",
    "/api/v1/videos/{id}/captions",
    "/api/v1/videos/{id}/captions/machine",
    "/api/v1/videos/{id}/captions/{track}/cues",
    "/api/v1/account/tokens",
    "/api/v1/webhooks",
    "/api/v1/invitations",
];
// A UUID has 36.
const MOST_KEY: usize = 255;
// The longest answer is a video's document, some kilobytes.
const MOST_ANSWER: u64 = 64 * 1024;

/// Returns whether an endpoint takes a key.
pub(crate) fn takes_key(endpoint: &Endpoint) -> bool {
    endpoint.method == Method::POST && CREATE.contains(&endpoint.path)
}

/// A request with a key.
pub(crate) struct Keyed {
    request: Repeatable,
    seal: Seal,
}

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    fields: Vec<(String, String)>,
    body: String,
}

impl Keyed {
    /// Reads the key of a request, and what makes it that request. A document is read whole; a file is known by its length and
    /// its type, for nobody keeps it until it has come.
    pub(crate) async fn read(
        request: Request,
        user: &UserId,
        credential: &[u8],
    ) -> Result<(Request, Option<Self>)> {
        let Some(field) = request.headers().get(FIELD) else { return Ok((request, None)) };
        let key = key(field).ok_or_else(invalid)?;
        let endpoint = format!("{} {}", request.method(), request.uri().path());
        let (mut parts, mut content) = request.into_parts();
        // The answer is kept as text, for clients of every coding.
        parts.headers.remove(header::ACCEPT_ENCODING);
        let mut digest = Sha256::new();
        digest.update(parts.uri.query().unwrap_or_default());
        let kind =
            parts.headers.get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap_or_default());
        // The rest of a form's type is a boundary, another one each time.
        let kind = kind.split(';').next().unwrap_or_default();
        digest.update(format!("\n{kind}\n"));
        if kind.ends_with("json") {
            let bytes = body::collect(content, MOST).await?;
            digest.update(&bytes);
            content = Body::from(bytes);
        } else {
            for name in ["content-length", "upload-length", "upload-metadata"] {
                digest.update(parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
                digest.update("\n");
            }
        }
        let request = Repeatable {
            user: user.clone(),
            endpoint,
            key: hex(&Sha256::digest(&key)),
            fingerprint: hex(&digest.finalize()),
        };
        let keyed = Self { request, seal: Seal::of(credential, &key) };
        Ok((Request::from_parts(parts, content), Some(keyed)))
    }

    /// Answers: by `run`, or with what it answered before.
    pub(crate) async fn answer<F>(self, accounts: &Accounts, run: F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let begun = accounts.store.accounts.idempotency.begin(&self.request).await;
        let refused = match begun {
            Ok(Begun::First) => return self.run(accounts.clone(), run).await,
            Ok(Begun::Answered(sealed)) => match self.seal.open(&sealed).and_then(|text| replay(&text)) {
                Some(response) => return response,
                None => another_session(),
            },
            Ok(Begun::Running) => running(),
            Ok(Begun::Another) => another_request(),
            Err(error) => error.into(),
        };
        refused.into_response()
    }

    /// Runs the request to its end, also when its client goes away: it will ask again.
    async fn run<F>(self, accounts: Accounts, run: F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let work = async move {
            let mut running = std::pin::pin!(run);
            // Two of these may fail, and the key is still the request's.
            let mut ticks = tokio::time::interval(HOLD / 4);
            let keys = &accounts.store.accounts.idempotency;
            let response = loop {
                tokio::select! {
                    response = &mut running => break response,
                    _ = ticks.tick() => {
                        if let Err(error) = keys.hold(&self.request).await {
                            tracing::warn!(%error, "cannot hold an idempotency key");
                        }
                    }
                }
            };
            self.keep(&accounts, response).await
        };
        tokio::spawn(work.in_current_span()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request with an idempotency key broke off");
            server::Response::from(Problem::internal()).into_response()
        })
    }

    /// Keeps an answer that has created something. What was refused has changed nothing, and may be tried again.
    async fn keep(&self, accounts: &Accounts, response: Response) -> Response {
        let keys = &accounts.store.accounts.idempotency;
        if !response.status().is_success() {
            if let Err(error) = keys.release(&self.request).await {
                tracing::warn!(%error, "cannot free an idempotency key");
            }
            return response;
        }
        let (parts, content) = response.into_parts();
        let bytes = match body::collect(content, MOST_ANSWER).await {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "an answer is too long to be kept");
                return server::Response::from(Problem::internal()).into_response();
            }
        };
        let sealed = self.seal.close(&kept(parts.status, &parts.headers, &bytes));
        if let Err(error) = keys.keep(&self.request, &sealed).await {
            tracing::warn!(%error, "cannot keep the answer to a request with an idempotency key");
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}

fn kept(status: StatusCode, fields: &HeaderMap, body: &Bytes) -> String {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let kept = Kept {
        status: status.as_u16(),
        fields: fields.iter().filter_map(text).collect(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    serde_json::to_string(&kept).expect("texts and a number are always JSON")
}

fn replay(text: &str) -> Option<Response> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).ok()?;
    let headers = response.headers_mut();
    for (name, value) in kept.fields {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("?1"));
    Some(response)
}

/// Reads the key: a string as structured fields have it (RFC 9651 §3.3.3), or, as many clients send it, without quotes.
fn key(field: &HeaderValue) -> Option<String> {
    let text = field.to_str().ok()?.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = (1..=MOST_KEY).contains(&text.len()) && !text.contains(['"', '\\']);
    fits.then(|| text.to_owned())
}

fn invalid() -> Error {
    let detail = format!(
        "Idempotency-Key must be a text of 1 to {MOST_KEY} characters in quotes, without quotes in it: a new UUID for each \
         request is best."
    );
    Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail).into()
}

fn running() -> Error {
    let detail = "The first request with this Idempotency-Key still runs; try again in a while.";
    Problem::new(StatusCode::CONFLICT, "request_running", detail).retry_after(1).into()
}

fn another_request() -> Error {
    let detail = "This Idempotency-Key came with another request before; make a new key for each request.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail).into()
}

fn another_session() -> Error {
    let detail = "This Idempotency-Key came with another session or token of yours, which alone gets its answer again.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail).into()
}
