//! Resumable uploads: the tus 1.0 protocol as Uppy, tus-js-client and tuspy speak it. An upload
//! has the id of the video that it becomes.

mod append;
mod checksum;
mod create;
mod fields;
mod metadata;

use axum::extract::{Path as UrlPath, Request, State};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use server::{Problem, Response, body};
use store::{Timestamp, Upload, VideoId};
use tracing::Instrument;

use crate::{
    Origin,
    error::{Error, Result},
};
use fields::{
    METHOD_OVERRIDE, TUS_CHECKSUM_ALGORITHM, TUS_EXTENSION, TUS_MAX_SIZE, TUS_RESUMABLE, TUS_VERSION,
    UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_LIMIT, UPLOAD_METADATA, UPLOAD_OFFSET, VERSION,
};

const EXTENSIONS: &str = "creation,creation-with-upload,termination,checksum,expiration";

/// Answers at the address where uploads are created.
pub(crate) async fn collection(State(origin): State<Origin>, request: Request) -> Response {
    let answered = match effective_method(&request) {
        Ok(Method::OPTIONS) => Ok(origin.abilities()),
        Ok(Method::POST) => origin.create(request).await,
        Ok(_) => Err(wrong_method("POST, OPTIONS")),
        Err(problem) => Err(problem),
    };
    finished(answered)
}

/// Answers at the address of one upload.
pub(crate) async fn upload(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Response {
    let answered = match (effective_method(&request), id.parse::<VideoId>()) {
        (Err(problem), _) => Err(problem),
        (Ok(Method::OPTIONS), _) => Ok(origin.abilities()),
        (Ok(_), Err(_)) => {
            Err(Problem::new(StatusCode::NOT_FOUND, "unknown_upload", "There is no such upload.").into())
        }
        (Ok(Method::HEAD), Ok(id)) => origin.offset(&id).await,
        (Ok(Method::PATCH), Ok(id)) => origin.append(id, request).await,
        (Ok(Method::DELETE), Ok(id)) => origin.terminate(&id).await,
        (Ok(_), Ok(_)) => Err(wrong_method("HEAD, PATCH, DELETE, OPTIONS")),
    };
    finished(answered)
}

/// Returns the method that the client means, once it speaks our version.
fn effective_method(request: &Request) -> Result<Method> {
    // tus 1.0.0, Core: the field stands for the method, for clients and proxies that cannot send PATCH or DELETE.
    let method = match request.headers().get(METHOD_OVERRIDE) {
        Some(value) => Method::from_bytes(value.as_bytes()).map_err(|_| {
            crate::error::bad_request("invalid_method", "X-HTTP-Method-Override is no method.")
        })?,
        None => request.method().clone(),
    };
    // OPTIONS is how a client asks for our version, so it need not have its own.
    if method != Method::OPTIONS && request.headers().get(TUS_RESUMABLE) != Some(&VERSION) {
        let detail = "This server speaks version 1.0.0 of the tus protocol; the request must have it in Tus-Resumable.";
        // tus, Core: the status is 412, with the versions that the server has.
        let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "unsupported_tus_version", detail);
        return Err(problem.header(TUS_VERSION, VERSION).into());
    }
    Ok(method)
}

/// Adds what every answer has, the errors too.
fn finished(answered: Result<Response>) -> Response {
    let mut response = answered.unwrap_or_else(|error| Problem::from(error).into());
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    // tus, HEAD: a stored offset would have a client go on at the wrong place.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn wrong_method(allowed: &'static str) -> Error {
    let problem = crate::wrong_method();
    problem.header(header::ALLOW, HeaderValue::from_static(allowed)).into()
}

/// An upload that is known.
enum Found {
    /// It takes more bytes.
    Open(Upload),
    /// It is whole and this long.
    Complete(u64),
}

impl Origin {
    fn abilities(&self) -> Response {
        let mut response = empty(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        headers.insert(TUS_VERSION, VERSION);
        headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
        headers.insert(TUS_MAX_SIZE, self.config.max_upload_bytes.into());
        headers.insert(TUS_CHECKSUM_ALGORITHM, HeaderValue::from_static(checksum::ALGORITHMS));
        self.set_limit(headers);
        response
    }

    /// Names the largest request that clients should send, where a proxy in front has a limit.
    fn set_limit(&self, headers: &mut HeaderMap) {
        if let Some(bytes) = self.config.upload_piece_bytes {
            set(headers, UPLOAD_LIMIT, &format!("max-append-size={bytes}"));
        }
    }

    async fn find(&self, id: &VideoId) -> Result<Found> {
        if let Some(upload) = self.store.uploads.get(id).await? {
            if upload.expires_at > Timestamp::now() {
                return Ok(Found::Open(upload));
            }
            // The promise in Upload-Expires holds to the second, whenever the sweep comes by.
            self.store.delete(id).await?;
            return Err(gone());
        }
        let complete = self.store.blobs.open_blob(&id.source()).await?;
        // Ids are random, so one that is well-formed and unknown was an upload that expired or was deleted.
        complete.map(|blob| Found::Complete(blob.len)).ok_or_else(gone)
    }

    /// HEAD: the offset.
    async fn offset(&self, id: &VideoId) -> Result<Response> {
        let mut response = empty(StatusCode::OK);
        let (offset, length) = match self.find(id).await? {
            Found::Open(upload) => {
                let (offset, length) = (self.store.uploads.offset(id).await?, upload.length);
                if length == Some(offset) {
                    self.finish_whole(upload).await?;
                } else {
                    set_expires(&mut response, upload.expires_at);
                }
                (offset, length)
            }
            Found::Complete(length) => (length, Some(length)),
        };
        let headers = response.headers_mut();
        headers.insert(UPLOAD_OFFSET, offset.into());
        self.set_limit(headers);
        if let Some(length) = length {
            // tus, HEAD: the length must be there where it is known.
            headers.insert(UPLOAD_LENGTH, length.into());
        }
        if let Some(video) = self.store.videos.get(id).await? {
            // tus, Creation: HEAD must return the metadata of an upload that has some.
            let metadata = metadata::encode(&[("filename", &video.source_name), ("title", &video.title)]);
            set(headers, UPLOAD_METADATA, &metadata);
        }
        Ok(response)
    }

    /// Finishes an upload that has all its bytes. A server that was killed between the last byte and that leaves one; its
    /// client, which sees a whole offset, would not send anything that could finish it.
    async fn finish_whole(&self, upload: Upload) -> Result<()> {
        let (store, span) = (self.store.clone(), upload.span());
        let work = async move {
            // Without the right, another request is about to.
            let Some(append) = store.uploads.append(&upload.id, false).await? else { return Ok(()) };
            if upload.length == Some(append.offset()) && store.uploads.get(&upload.id).await?.is_some() {
                store.uploads.finish(append).await?;
            }
            Ok(())
        };
        self.run_to_completion(work.instrument(span)).await
    }

    /// DELETE: the upload goes, and the video that it became with it.
    async fn terminate(&self, id: &VideoId) -> Result<Response> {
        self.find(id).await?;
        self.store.delete(id).await?;
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

fn gone() -> Error {
    Problem::new(StatusCode::GONE, "upload_gone", "This upload has expired or was deleted.").into()
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(body::empty());
    *response.status_mut() = status;
    response
}

fn set_expires(response: &mut Response, at: Timestamp) {
    set(response.headers_mut(), UPLOAD_EXPIRES, &httpdate::fmt_http_date(at.into()));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Dates and base 64 always fit a header.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
