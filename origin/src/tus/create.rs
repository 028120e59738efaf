//! POST of tus: new uploads, with or without their first bytes.

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use server::Response;
use store::{NewVideo, Upload};

use super::{
    append::{Piece, brings_bytes},
    checksum::Checksum,
    empty,
    fields::{UPLOAD_CONCAT, UPLOAD_DEFER_LENGTH, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, number},
    metadata, set_expires,
};
use crate::{
    Origin,
    asker::Asker,
    error::{Result, bad_request, insufficient_storage, upload_too_large},
    title,
};

impl Origin {
    /// POST: creates an upload.
    pub(super) async fn create(&self, request: Request) -> Result<Response> {
        let (request, body) = request.into_parts();
        let length = self.length(&request.headers)?;
        let asker = Asker::of(self, &request.extensions);
        let video = NewVideo { owner: asker.viewer.user().cloned(), ..described(&request.headers)? };
        let brings_bytes = brings_bytes(&request.headers, &body)?;
        let checksum = Checksum::expected(&request.headers)?;

        self.admit(video.owner.as_ref(), length).await?;
        let upload = self.store.uploads.begin(&video, Some(length), self.expiry()).await?;
        let id = upload.id.clone();
        // Counted by now, as is another one that was begun meanwhile.
        if let Err(refused) = self.admit(video.owner.as_ref(), 0).await {
            self.store.delete(&id).await?;
            return Err(refused);
        }
        let mut response = empty(StatusCode::CREATED);
        set_expires(&mut response, upload.expires_at);
        let mut offset = HeaderValue::from(0);
        // A file without bytes is whole as soon as it exists.
        if brings_bytes || length == 0 {
            let body = if brings_bytes { body } else { axum::body::Body::empty() };
            let piece = Piece { offset: 0, body, checksum };
            let origin = self.clone();
            let taken = self.run_to_completion(async move { origin.take_first(upload, piece).await }).await?;
            if let Some(reached) = taken.headers().get(UPLOAD_OFFSET) {
                offset = reached.clone();
            }
        }
        // tus, Creation With Upload: the offset shows the client how much of its first bytes was taken.
        response.headers_mut().insert(UPLOAD_OFFSET, offset);
        self.set_limit(response.headers_mut());
        // Relative, which the protocol allows and clients resolve: we cannot know the name that they use for us.
        super::set(response.headers_mut(), header::LOCATION, &format!("/api/v1/uploads/{id}"));
        Ok(response)
    }

    /// Takes the first piece. When that fails, the client never gets a Location where it could go on, so
    /// the upload goes.
    async fn take_first(&self, upload: Upload, piece: Piece) -> Result<Response> {
        let id = upload.id.clone();
        let taken = self.take(upload, piece).await;
        if taken.is_err() {
            self.store.delete(&id).await?;
        }
        taken
    }

    fn length(&self, headers: &HeaderMap) -> Result<u64> {
        if headers.contains_key(UPLOAD_DEFER_LENGTH) || headers.contains_key(UPLOAD_CONCAT) {
            let detail = "This server offers neither creation-defer-length nor concatenation.";
            return Err(bad_request("unsupported_extension", detail));
        }
        let Some(length) = number(headers, &UPLOAD_LENGTH)? else {
            return Err(bad_request("length_required", "Upload-Length must be the size of the whole file."));
        };
        // tus, Creation: the status is 413 for more than Tus-Max-Size.
        if length > self.config.max_upload_bytes {
            return Err(upload_too_large(self.config.max_upload_bytes));
        }
        // Better refused now than after an hour of uploading. Other writers may fill the disk meanwhile, of course.
        if self.store.blobs.free_bytes()?.is_some_and(|free| length > free) {
            return Err(insufficient_storage().into());
        }
        Ok(length)
    }
}

/// Reads the video's words from the metadata.
fn described(headers: &HeaderMap) -> Result<NewVideo> {
    let field = headers.get(UPLOAD_METADATA).map_or(Some(""), |value| value.to_str().ok());
    let Some(pairs) = field.and_then(metadata::decode) else {
        return Err(bad_request("invalid_metadata", "Upload-Metadata must be keys with base 64 values."));
    };
    // Uppy sends `name` where tus-js-client's examples send `filename`.
    let name = pairs.get("filename").or(pairs.get("name")).map(String::as_str).unwrap_or_default();
    let source_name = title::source_name(name);
    let title = match pairs.get("title").filter(|text| !text.trim().is_empty()) {
        Some(text) => title::title(text)?,
        None => title::from_source_name(&source_name),
    };
    let description = title::description(pairs.get("description").map_or("", String::as_str))?;
    Ok(NewVideo { title, description, source_name, owner: None })
}
