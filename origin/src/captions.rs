//! The captions API: tracks listed, added, named, replaced, deleted, requested from the machine. Leaves a
//! track's cues to `cues`, playing it to `serve`.

pub(crate) mod cues;
mod document;
mod file;
mod serve;
mod words;

use axum::{
    Router,
    extract::{Path as UrlPath, Request, State},
    routing::{get, patch, post},
};
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use server::{
    Problem, Response, body,
    document::{json, no_content},
    revision,
};
use store::{CaptionId, CaptionNaming, CaptionTrack, NewTrack, Replacement, TranscriptionOptions};
use utoipa::ToSchema;

pub(crate) use document::Captions as Document;

use crate::{
    Origin,
    asker::Asker,
    error::{Error, Result, bad_request, unknown_video},
    library::{is_json, known, not_json},
};

// The longest prompt, and room for its escapes.
const MOST_DOCUMENT: u64 = 64 * 1024;

/// Returns the routes below `/videos/{id}/captions`.
pub(crate) fn routes() -> Router<Origin> {
    Router::new()
        .route("/", get(list).post(add))
        .route("/machine", post(ask))
        .route("/{track}", get(show).patch(rename).put(replace).delete(delete))
        .route("/{track}/machine", post(ask_again))
        .route("/{track}/cues", get(cues::list).post(cues::add))
        .route("/{track}/cues/{number}", patch(cues::edit).delete(cues::delete))
}

#[derive(Serialize, ToSchema)]
#[schema(as = CaptionList)]
pub(crate) struct Listed {
    captions: Vec<Document>,
}

/// A person's request to the machine.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TranscriptionRequest)]
pub(crate) struct Asked {
    /// A BCP 47 tag; detected where it is not given.
    #[schema(max_length = 35)]
    language: Option<String>,
    #[schema(max_length = 200)]
    model: Option<String>,
    /// Names and terms that may be said.
    #[schema(max_length = 1000)]
    prompt: Option<String>,
    translate: bool,
}

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaptionNames)]
pub(crate) struct Names {
    /// A BCP 47 tag.
    #[schema(max_length = 35)]
    language: Option<String>,
    /// The name in menus; empty for the language's own.
    #[schema(max_length = 100)]
    label: Option<String>,
}

/// Lists the captions of a video.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/captions", tag = "captions", operation_id = "listCaptions",
    params(("id" = String, Path, description = "The video")),
    responses((status = 200, body = Listed), (status = 404, description = "`unknown_video`")),
)]
pub(crate) async fn list(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let id = known(&id)?;
    let rights = origin.store.videos.rights(&id).await?.ok_or_else(unknown_video)?;
    let tracks = origin.store.captions.of(&id).await?;
    let folder = origin.folder(&id, &rights, &asker);
    let captions = tracks.into_iter().map(|track| Document::of(track, &folder)).collect();
    Ok(json(StatusCode::OK, &Listed { captions }))
}

/// Shows a track.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/captions/{track}", tag = "captions", operation_id = "getCaptions",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id")),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
    ),
)]
pub(crate) async fn show(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath((id, track)): UrlPath<(String, String)>,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    origin.tagged(&asker, track).await
}

/// Takes a person's file as a new track.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/captions", tag = "captions", operation_id = "addCaptions",
    params(("id" = String, Path, description = "The video"), file::Fields),
    request_body(
        content((file::Upload = "multipart/form-data"), (String = "text/vtt"), (String = "application/x-subrip")),
        description = "A WebVTT or SubRip file, in a form or as the body",
    ),
    responses(
        (status = 201, body = Document),
        (status = 400, description = "`invalid_captions`, `file_required`, `language_required`, `invalid_language`, `invalid_form`, `invalid_query`, `too_long`"),
        (status = 404, description = "`unknown_video`"),
        (status = 413, description = "`body_too_large`"),
    ),
)]
pub(crate) async fn add(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    let taken = file::take(request).await?;
    let language = taken.language.ok_or_else(|| {
        let detail = "Name the language of the captions: ?language=de, or `und` if nobody knows.";
        bad_request("language_required", detail)
    })?;
    let new = NewTrack { language: &language, label: taken.label.as_deref(), cues: &taken.cues };
    let track = origin.store.captions.add(&id, &new).await?.ok_or_else(unknown_video)?;
    Ok(json(StatusCode::CREATED, &origin.shown(&asker, track).await?))
}

/// Takes a person's file in place of a track's cues.
#[utoipa::path(
    put, path = "/api/v1/videos/{id}/captions/{track}", tag = "captions", operation_id = "replaceCaptions",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id"), ("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited"), file::Fields),
    request_body(
        content((file::Upload = "multipart/form-data"), (String = "text/vtt"), (String = "application/x-subrip")),
        description = "A WebVTT or SubRip file, in a form or as the body",
    ),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_captions`, `file_required`, `language_required`, `invalid_language`, `invalid_form`, `invalid_query`, `too_long`"),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 413, description = "`body_too_large`"),
    ),
)]
pub(crate) async fn replace(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath((id, track)): UrlPath<(String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let mut seen = revision::seen(request.headers(), track.revision)?;
    let taken = file::take(request).await?;
    if track.name.is_none() && taken.language.is_none() {
        let detail = "The language of this track is not known yet; name it: ?language=de.";
        return Err(bad_request("language_required", detail));
    }
    let captions = &origin.store.captions;
    if taken.language.is_some() || taken.label.is_some() {
        let naming = CaptionNaming { language: taken.language, label: taken.label, seen };
        // The name comes first: `replace` takes a track only once its language gives it a folder.
        let renamed = captions.rename(&track.id, &naming).await?.ok_or_else(unknown_track)?;
        seen = seen.map(|_| renamed.revision);
    }
    let new = Replacement { cues: &taken.cues, seen };
    let track = captions.replace(&track.id, new).await?.ok_or_else(unknown_track)?;
    origin.tagged(&asker, track).await
}

/// Changes the language and the label of a track, each if it is given.
#[utoipa::path(
    patch, path = "/api/v1/videos/{id}/captions/{track}", tag = "captions", operation_id = "renameCaptions",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id"), ("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited")),
    request_body = Names,
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `invalid_language`, `too_long`"),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
        (status = 412, description = "`edited_meanwhile`"),
    ),
)]
pub(crate) async fn rename(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath((id, track)): UrlPath<(String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let seen = revision::seen(request.headers(), track.revision)?;
    let names: Names = read_json(request).await?;
    let naming = CaptionNaming {
        seen,
        language: names.language.as_deref().map(words::language).transpose()?,
        label: names.label.as_deref().map(words::label).transpose()?,
    };
    let track = origin.store.captions.rename(&track.id, &naming).await?.ok_or_else(unknown_track)?;
    origin.tagged(&asker, track).await
}

/// Deletes a track.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/captions/{track}", tag = "captions", operation_id = "deleteCaptions",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id")),
    responses((status = 204), (status = 404, description = "`unknown_video`, `unknown_captions`")),
)]
pub(crate) async fn delete(
    State(origin): State<Origin>,
    UrlPath((id, track)): UrlPath<(String, String)>,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    if !origin.store.captions.delete(&track.id).await? {
        return Err(unknown_track().into());
    }
    Ok(no_content())
}

/// Asks the machine for one more track.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/captions/machine", tag = "captions", operation_id = "transcribe",
    params(("id" = String, Path, description = "The video")),
    request_body = Asked,
    responses(
        (status = 202, body = Document),
        (status = 400, description = "`invalid_document`, `invalid_language`, `unknown_language`, `cannot_translate`, `demo_model`, `too_long`"),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn ask(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    let options = origin.options(request).await?;
    let track = origin.store.captions.ask(&id, &options).await?.ok_or_else(unknown_video)?;
    Ok(json(StatusCode::ACCEPTED, &origin.shown(&asker, track).await?))
}

/// Asks the machine to write a track again, in place of what it has.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/captions/{track}/machine", tag = "captions", operation_id = "transcribeAgain",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id")),
    request_body = Asked,
    responses(
        (status = 202, body = Document),
        (status = 400, description = "`invalid_document`, `invalid_language`, `unknown_language`, `cannot_translate`, `demo_model`, `too_long`"),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
    ),
)]
pub(crate) async fn ask_again(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath((id, track)): UrlPath<(String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let options = origin.options(request).await?;
    if !origin.store.captions.ask_again(&track.id, &options).await? {
        return Err(unknown_track().into());
    }
    let track = origin.store.captions.get(&track.id).await?.ok_or_else(unknown_track)?;
    Ok(json(StatusCode::ACCEPTED, &origin.shown(&asker, track).await?))
}

impl Asked {
    fn options(self) -> Result<TranscriptionOptions> {
        Ok(TranscriptionOptions {
            language: self.language.as_deref().map(words::language).transpose()?,
            model: self.model.as_deref().map(words::model).transpose()?,
            prompt: self.prompt.as_deref().map(words::prompt).transpose()?,
            translated: self.translate,
        })
    }
}

impl Origin {
    /// Returns the track that a URL names, if it is of the video that the URL names.
    async fn track(&self, video: &str, track: &str) -> Result<CaptionTrack> {
        let video = known(video)?;
        if self.store.videos.get(&video).await?.is_none() {
            return Err(unknown_video().into());
        }
        let id: CaptionId = track.parse().map_err(|_| Error::from(unknown_track()))?;
        let found = self.store.captions.get(&id).await?;
        // Rights were judged by the video in the path, so that the track of another one is none here.
        found.filter(|track| track.video == video).ok_or_else(|| unknown_track().into())
    }

    /// Reads a request to the machine. A language is refused where a transcriber has recorded those of the model; else
    /// the track itself fails with the reason.
    async fn options(&self, request: Request) -> Result<TranscriptionOptions> {
        let options = read_json::<Asked>(request).await?.options()?;
        let known = self.store.captions.languages_of(options.model.as_deref()).await?;
        if let Some(language) = &options.language {
            words::known_language(language, &known)?;
        }
        // Models of English alone have no token for the task, so the track could only fail.
        if options.translated && known == ["en"] {
            let message = "The model knows English alone, so it cannot translate.";
            return Err(bad_request("cannot_translate", message.to_owned()));
        }
        Ok(options)
    }

    /// Answers with a track and the entity tag of its revision.
    async fn tagged(&self, asker: &Asker, track: CaptionTrack) -> Result<Response> {
        let current = track.revision;
        Ok(revision::tagged(StatusCode::OK, &self.shown(asker, track).await?, current))
    }

    async fn shown(&self, asker: &Asker, track: CaptionTrack) -> Result<Document> {
        let rights = self.store.videos.rights(&track.video).await?.ok_or_else(unknown_video)?;
        let folder = self.folder(&track.video, &rights, asker);
        Ok(Document::of(track, &folder))
    }
}

pub(crate) async fn read_json<T: DeserializeOwned>(request: Request) -> Result<T> {
    if !is_json(&request) {
        return Err(not_json());
    }
    let bytes = body::collect(request.into_body(), MOST_DOCUMENT).await?;
    serde_json::from_slice(&bytes).map_err(|e| bad_request("invalid_document", e.to_string()))
}

fn unknown_track() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_captions", "The video has no such captions.")
}
