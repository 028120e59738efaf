//! The header fields of tus: their names, and numbers in them.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::error::{Result, bad_request};

pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// Of the IETF's successor of tus (draft-ietf-httpbis-resumable-upload, "Upload-Limit"): tus has no field for it.
pub(super) const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");
pub(super) const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
pub(super) const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

const PATCH_TYPE: &str = "application/offset+octet-stream";

/// Reads a field that must be a non-negative integer.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        // Digits that do not fit: larger than anything we take, so the limits refuse it with the right status.
        Err(_) if digits => Ok(Some(u64::MAX)),
        _ => Err(bad_request("invalid_number", format!("{name} must be a non-negative integer."))),
    }
}

/// Returns whether the request's body is bytes of an upload.
pub(super) fn carries_bytes(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A parameter means nothing here, but HTTP libraries add them.
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(PATCH_TYPE)
}
