//! The operations of resumable uploads (tus 1.0.0). One handler routes them by the method that the client means, so each has a
//! function here that is its document alone.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

/// Creates an upload.
///
/// Its id is that of the video that it becomes. With `Content-Type: application/offset+octet-stream` the body is the first bytes.
#[utoipa::path(
    post, path = "/api/v1/uploads", tag = "uploads", operation_id = "createUpload",
    params(
        ("Tus-Resumable" = Version, Header, description = "The version of tus"),
        ("Upload-Length" = u64, Header, description = "The size of the whole file, in bytes"),
        ("Upload-Metadata" = Option<String>, Header, description = "`filename`, `title` and `description`, each with its text in base 64"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256`, and the checksum of the body in base 64"),
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses(
        Gone,
        BytesRefused,
        (status = 201, headers(
            ("Location" = String, description = "The upload's address"),
            ("Upload-Offset" = u64, description = "The bytes that are stored"),
        )),
        (status = 400, description = "`length_required`, `invalid_number`, `invalid_metadata`, `invalid_method`, `unsupported_extension`, `invalid_checksum`, `unsupported_checksum`, `body_broken`"),
        (status = 405, description = "`method_not_allowed`: the method in `X-HTTP-Method-Override`"),
        (status = 422, description = "`invalid_text`"),
    ),
)]
#[expect(dead_code, reason = "a document")]
pub(crate) fn create() {}

/// Tells where an upload stands.
#[utoipa::path(
    head, path = "/api/v1/uploads/{id}", tag = "uploads", operation_id = "uploadOffset",
    params(
        ("id" = String, Path, description = "The upload"),
        ("Tus-Resumable" = Version, Header, description = "The version of tus"),
    ),
    responses(
        Gone,
        (status = 200, headers(
            ("Upload-Offset" = u64, description = "The bytes that are stored"),
            ("Upload-Length" = u64, description = "The size of the whole file"),
        )),
        (status = 400, description = "`invalid_method`"),
        (status = 404, description = "`unknown_upload`"),
        (status = 405, description = "`method_not_allowed`: the method in `X-HTTP-Method-Override`"),
    ),
)]
#[expect(dead_code, reason = "a document")]
pub(crate) fn offset() {}

/// Appends bytes to an upload.
#[utoipa::path(
    patch, path = "/api/v1/uploads/{id}", tag = "uploads", operation_id = "appendToUpload",
    params(
        ("id" = String, Path, description = "The upload"),
        ("Tus-Resumable" = Version, Header, description = "The version of tus"),
        ("Upload-Offset" = u64, Header, description = "Where the upload stands"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256`, and the checksum of the body in base 64"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        Gone,
        BytesRefused,
        (status = 204, headers(("Upload-Offset" = u64, description = "The bytes that are stored"))),
        (status = 400, description = "`offset_required`, `invalid_number`, `invalid_method`, `invalid_checksum`, `unsupported_checksum`, `body_broken`"),
        (status = 404, description = "`unknown_upload`, `unknown_video`"),
        (status = 405, description = "`method_not_allowed`: the method in `X-HTTP-Method-Override`"),
    ),
)]
#[expect(dead_code, reason = "a document")]
pub(crate) fn append() {}

/// Deletes an upload, and the video that it became.
#[utoipa::path(
    delete, path = "/api/v1/uploads/{id}", tag = "uploads", operation_id = "deleteUpload",
    params(
        ("id" = String, Path, description = "The upload"),
        ("Tus-Resumable" = Version, Header, description = "The version of tus"),
    ),
    responses(
        Gone,
        (status = 204),
        (status = 400, description = "`invalid_method`"),
        (status = 404, description = "`unknown_upload`"),
        (status = 405, description = "`method_not_allowed`: the method in `X-HTTP-Method-Override`"),
    ),
)]
#[expect(dead_code, reason = "a document")]
pub(crate) fn terminate() {}

/// Does what a field says, for clients that cannot send PATCH or DELETE.
///
/// `X-HTTP-Method-Override` stands for the method: see `patch` and `delete`.
#[utoipa::path(
    post, path = "/api/v1/uploads/{id}", tag = "uploads", operation_id = "overrideUploadMethod",
    params(
        ("id" = String, Path, description = "The upload"),
        ("Tus-Resumable" = Version, Header, description = "The version of tus"),
        ("X-HTTP-Method-Override" = Override, Header, description = "The method that is meant"),
        ("Upload-Offset" = Option<u64>, Header, description = "Where the upload stands"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256`, and the checksum of the body in base 64"),
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses(
        Gone,
        BytesRefused,
        (status = 204, headers(("Upload-Offset" = u64, description = "The bytes that are stored, after `PATCH`"))),
        (status = 400, description = "`offset_required`, `invalid_number`, `invalid_method`, `invalid_checksum`, `unsupported_checksum`, `body_broken`"),
        (status = 404, description = "`unknown_upload`, `unknown_video`"),
        (status = 405, description = "`method_not_allowed`"),
    ),
)]
#[expect(dead_code, reason = "a document")]
pub(crate) fn overridden() {}

/// The one version of tus that is spoken.
#[derive(utoipa::ToSchema)]
#[schema(as = TusVersion)]
#[expect(dead_code, reason = "a schema")]
pub(crate) enum Version {
    #[schema(rename = "1.0.0")]
    One,
}

/// The methods that `X-HTTP-Method-Override` may stand for.
#[derive(utoipa::ToSchema)]
#[schema(as = UploadMethod, rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "a schema")]
pub(crate) enum Override {
    Patch,
    Delete,
}

/// The refusals of every request about an upload.
struct Gone;

impl IntoResponses for Gone {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described([("410", "`upload_gone`"), ("412", "`unsupported_tus_version`")])
    }
}

/// The refusals of a request that may carry bytes of the file.
struct BytesRefused;

impl IntoResponses for BytesRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described([
            ("408", "`body_stalled`"),
            ("409", "`wrong_offset`"),
            ("413", "`upload_too_large`, `quota_exceeded`"),
            ("415", "`unsupported_media_type`, `not_media`"),
            ("423", "`upload_locked`"),
            ("460", "`checksum_mismatch`"),
            ("507", "`insufficient_storage`"),
        ])
    }
}

fn described<const N: usize>(refusals: [(&str, &str); N]) -> BTreeMap<String, RefOr<Response>> {
    refusals.map(|(status, codes)| (status.to_owned(), Response::new(codes).into())).into()
}
