//! PATCH of tus: bytes for an upload that was created, at exactly the offset where it stands.

use std::time::{Duration, Instant};

use axum::{body::Body, extract::Request};
use http::{HeaderMap, StatusCode, header};
use server::{Problem, Response};
use store::{Append, Upload, VideoId};
use tracing::Instrument;

use super::{
    Found,
    checksum::Checksum,
    empty,
    fields::{UPLOAD_OFFSET, carries_bytes, number},
    gone, set_expires,
};
use crate::{
    Origin,
    error::{Error, Result, bad_request, upload_too_large},
    receive::{Incoming, Received, bytes, content_length},
};

// Longer than the silence after which a request that holds an upload releases it, so that a client that lost its
// network resumes at its first try.
const HAND_OVER: Duration = Duration::from_secs(2);
// Signals may be lost, so the request is repeated; the lock itself is one statement each time.
const ASK_EVERY: Duration = Duration::from_millis(100);

impl Origin {
    /// PATCH: appends, and finishes the upload when it is whole.
    pub(super) async fn append(&self, id: VideoId, request: Request) -> Result<Response> {
        let (request, body) = request.into_parts();
        if !carries_bytes(&request.headers) {
            return Err(wrong_type().into());
        }
        let Some(offset) = number(&request.headers, &UPLOAD_OFFSET)? else {
            return Err(bad_request(
                "offset_required",
                "Upload-Offset must be the place of the bytes in the file.",
            ));
        };
        let checksum = Checksum::expected(&request.headers)?;
        let upload = match self.find(&id).await? {
            Found::Open(upload) => upload,
            // The answer to the last PATCH was lost on its way; the same one goes out again.
            Found::Complete(length) if offset == length && content_length(&body) == Some(0) => {
                return Ok(at(length));
            }
            Found::Complete(length) => return Err(wrong_offset(length).into()),
        };
        let piece = Piece { offset, body, checksum };
        let (origin, span) = (self.clone(), upload.span());
        self.run_to_completion(async move { origin.take(upload, piece).await }.instrument(span)).await
    }

    /// Takes one piece of an upload, while no other request can.
    pub(super) async fn take(&self, upload: Upload, piece: Piece) -> Result<Response> {
        let id = &upload.id;
        let limit = self.limit(&upload);
        if content_length(&piece.body).is_some_and(|bytes| bytes > limit.saturating_sub(piece.offset)) {
            return Err(upload_too_large(limit));
        }
        let Some(mut append) = self.claim(id, piece.checksum.is_some()).await? else {
            let detail = "Another request is uploading to this address.";
            // The status is tusd's, after which tus-js-client tries again, as it does after 409.
            return Err(Problem::new(StatusCode::LOCKED, "upload_locked", detail).retry_after(1).into());
        };
        // The request that had the right before may have finished or deleted the upload since it was looked up.
        if let Found::Complete(length) = self.find(id).await? {
            append.close().await?;
            return Err(wrong_offset(length).into());
        }
        let start = append.offset();
        // tus, PATCH: an offset that does not match must change nothing; after the 409 a client asks by HEAD and goes on.
        if start != piece.offset {
            append.close().await?;
            return Err(wrong_offset(start).into());
        }
        // The expiry moves before the first byte, or a sweep could take the upload while a slow piece comes in.
        self.store.uploads.extend(id, self.expiry()).await?;
        if let Err(error) = self.write(&upload, &mut append, piece).await {
            append.close().await?;
            // Nothing of it will ever be used, and the client is not to go on.
            if matches!(error, Error::NoMedia(_)) {
                self.store.delete(id).await?;
            }
            return Err(error);
        }
        if upload.length == Some(append.offset()) {
            let length = append.offset();
            return match self.store.uploads.finish(append).await {
                Ok(()) => Ok(at(length)),
                // A video may be deleted from the page between its last byte and the commit.
                Err(_) if self.store.videos.get(id).await?.is_none() => Err(gone()),
                Err(error) => Err(error.into()),
            };
        }
        let offset = append.sync().await?;
        append.close().await?;
        // Bytes of an upload that was deleted meanwhile must not be answered as stored.
        if self.store.uploads.get(id).await?.is_none() {
            return Err(gone());
        }
        let expires_at = self.expiry();
        self.store.uploads.extend(id, expires_at).await?;
        let mut response = at(offset);
        set_expires(&mut response, expires_at);
        Ok(response)
    }

    /// Takes the right to append. A request that has it and is idle hands it over: most likely a connection of the
    /// same client that broke without a FIN, which TCP notices half a minute later.
    async fn claim(&self, id: &VideoId, verify: bool) -> Result<Option<Append>> {
        let began = Instant::now();
        loop {
            let append = self.store.uploads.append(id, verify).await?;
            if append.is_some() || began.elapsed() > HAND_OVER {
                return Ok(append);
            }
            self.store.signals.request_takeover(id);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn limit(&self, upload: &Upload) -> u64 {
        upload.length.unwrap_or(self.config.max_upload_bytes)
    }

    /// Writes a piece, all of it or, where it is wrong, nothing.
    async fn write(&self, upload: &Upload, append: &mut Append, piece: Piece) -> Result<()> {
        let limit = self.limit(upload);
        let mut checksum = piece.checksum;
        let mut seen = |bytes: &[u8]| {
            if let Some(checksum) = &mut checksum {
                checksum.update(bytes);
            }
        };
        let rest = self.config.upload_expiry;
        let incoming = Incoming { bytes: bytes(piece.body), limit, rest, owner: None, seen: &mut seen };
        if let Received::TooMuch = self.receive(&upload.id, append, incoming).await? {
            append.cut(piece.offset).await?;
            return Err(upload_too_large(limit));
        }
        let Some(checksum) = checksum else { return Ok(()) };
        // Bytes that do not add up are never marked as verified, and the store drops them.
        checksum.compare()?;
        Ok(self.store.uploads.verified(append).await?)
    }
}

/// The bytes of one request.
pub(super) struct Piece {
    /// Their place in the file.
    pub(super) offset: u64,
    /// The bytes.
    pub(super) body: Body,
    /// The checksum that they must have.
    pub(super) checksum: Option<Checksum>,
}

/// Returns whether a creation brings bytes along.
pub(super) fn brings_bytes(headers: &HeaderMap, body: &Body) -> Result<bool> {
    if content_length(body) == Some(0) {
        return Ok(false);
    }
    if carries_bytes(headers) {
        return Ok(true);
    }
    // A type alone, as some clients send it with an empty chunked body, is no harm; bytes of another type are.
    if headers.contains_key(header::CONTENT_TYPE) { Err(wrong_type().into()) } else { Ok(false) }
}

fn at(offset: u64) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(UPLOAD_OFFSET, offset.into());
    response
}

fn wrong_type() -> Problem {
    let detail = "The bytes of an upload come as application/offset+octet-stream.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

fn wrong_offset(offset: u64) -> Problem {
    let detail = format!("The upload stands at {offset}, as HEAD shows.");
    Problem::new(StatusCode::CONFLICT, "wrong_offset", detail).header(UPLOAD_OFFSET, offset.into())
}
