//! A track's cues one by one: listed, added, corrected, deleted.

use std::time::Duration;

use axum::extract::{Path as UrlPath, Request, State};
use captions::Text;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{
    Problem, Response,
    document::{json, no_content},
    revision,
};
use store::{Cue, CueEdit, Edited, StoredCue};
use utoipa::ToSchema;

use super::{read_json, unknown_track};
use crate::{
    Origin,
    error::{Error, Result, bad_request},
};

// Ten lines more than a screen takes.
const MOST_TEXT: usize = 2000;
// The longest video that anybody uploads, and then some.
const MOST_TIME: Duration = Duration::from_hours(100);

/// A caption.
#[derive(Serialize, ToSchema)]
#[schema(as = Cue)]
pub(crate) struct Shown {
    number: u32,
    start_seconds: f64,
    end_seconds: f64,
    text: String,
    /// WebVTT's, such as `line:0`; absent where there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    settings: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CueList)]
pub(crate) struct Listed {
    revision: u64,
    cues: Vec<Shown>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCue)]
pub(crate) struct New {
    #[schema(minimum = 0, maximum = 360_000)]
    start_seconds: f64,
    #[schema(minimum = 0, maximum = 360_000)]
    end_seconds: f64,
    #[schema(min_length = 1)]
    text: String,
}

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CueChanges)]
pub(crate) struct Changes {
    #[schema(minimum = 0, maximum = 360_000)]
    start_seconds: Option<f64>,
    #[schema(minimum = 0, maximum = 360_000)]
    end_seconds: Option<f64>,
    #[schema(min_length = 1)]
    text: Option<String>,
}

/// Lists all cues of a track in the order in which they are shown.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/captions/{track}/cues", tag = "captions", operation_id = "listCues",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id")),
    responses(
        (status = 200, body = Listed, headers(("ETag" = String, description = "The track's revision"))),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
    ),
)]
pub(crate) async fn list(
    State(origin): State<Origin>,
    UrlPath((id, track)): UrlPath<(String, String)>,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let cues = origin.store.captions.cues(&track.id).await?;
    let cues = cues.into_iter().map(Shown::from).collect();
    Ok(revision::tagged(StatusCode::OK, &Listed { revision: track.revision, cues }, track.revision))
}

/// Adds a cue by hand.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/captions/{track}/cues", tag = "captions", operation_id = "addCue",
    params(("id" = String, Path, description = "The video"), ("track" = String, Path, description = "The captions' id")),
    request_body = New,
    responses(
        (status = 201, body = Shown),
        (status = 400, description = "`invalid_document`, `invalid_cue_time`, `cue_without_text`, `cue_backwards`, `too_long`"),
        (status = 404, description = "`unknown_video`, `unknown_captions`"),
    ),
)]
pub(crate) async fn add(
    State(origin): State<Origin>,
    UrlPath((id, track)): UrlPath<(String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let new: New = read_json(request).await?;
    let cue = Cue {
        start_ms: milliseconds(new.start_seconds)?,
        end_ms: milliseconds(new.end_seconds)?,
        text: text(&new.text)?,
        ..Cue::default()
    };
    if cue.end_ms <= cue.start_ms {
        return Err(backwards());
    }
    let added = origin.store.captions.add_cue(&track.id, &cue).await?.ok_or_else(unknown_track)?;
    Ok(json(StatusCode::CREATED, &Shown::from(added)))
}

/// Changes a cue's time and text, each if it is given.
#[utoipa::path(
    patch, path = "/api/v1/videos/{id}/captions/{track}/cues/{number}", tag = "captions", operation_id = "editCue",
    params(
        ("id" = String, Path, description = "The video"),
        ("track" = String, Path, description = "The captions' id"),
        ("number" = u32, Path, description = "The cue's number"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the list of cues that was edited"),
    ),
    request_body = Changes,
    responses(
        (status = 200, body = Shown, headers(("ETag" = String, description = "The track's revision"))),
        (status = 400, description = "`invalid_document`, `invalid_cue_time`, `cue_without_text`, `cue_backwards`, `too_long`"),
        (status = 404, description = "`unknown_video`, `unknown_captions`, `unknown_cue`"),
        (status = 412, description = "`edited_meanwhile`"),
    ),
)]
pub(crate) async fn edit(
    State(origin): State<Origin>,
    UrlPath((id, track, number)): UrlPath<(String, String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let number = number.parse().map_err(|_| Error::from(unknown_cue()))?;
    let seen = revision::seen(request.headers(), track.revision)?;
    let changes: Changes = read_json(request).await?;
    let edit = CueEdit {
        seen,
        start_ms: changes.start_seconds.map(milliseconds).transpose()?,
        end_ms: changes.end_seconds.map(milliseconds).transpose()?,
        text: changes.text.as_deref().map(text).transpose()?,
    };
    match origin.store.captions.edit_cue(&track.id, number, &edit).await? {
        Edited::Cue { cue, revision } => Ok(revision::tagged(StatusCode::OK, &Shown::from(cue), revision)),
        Edited::Backwards => Err(backwards()),
        Edited::Absent => Err(unknown_cue().into()),
    }
}

/// Deletes a cue.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/captions/{track}/cues/{number}", tag = "captions", operation_id = "deleteCue",
    params(
        ("id" = String, Path, description = "The video"),
        ("track" = String, Path, description = "The captions' id"),
        ("number" = u32, Path, description = "The cue's number"),
    ),
    responses((status = 204), (status = 404, description = "`unknown_video`, `unknown_captions`, `unknown_cue`")),
)]
pub(crate) async fn delete(
    State(origin): State<Origin>,
    UrlPath((id, track, number)): UrlPath<(String, String, String)>,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let number = number.parse().map_err(|_| Error::from(unknown_cue()))?;
    if !origin.store.captions.delete_cue(&track.id, number).await? {
        return Err(unknown_cue().into());
    }
    Ok(no_content())
}

impl From<StoredCue> for Shown {
    fn from(StoredCue { number, cue }: StoredCue) -> Self {
        let seconds = |ms: u64| ms as f64 / 1000.0;
        Self {
            number,
            start_seconds: seconds(cue.start_ms),
            end_seconds: seconds(cue.end_ms),
            text: cue.text,
            settings: cue.settings,
        }
    }
}

fn milliseconds(seconds: f64) -> Result<u64> {
    // NaN is in no range.
    if !(0.0..=MOST_TIME.as_secs_f64()).contains(&seconds) {
        let detail = format!("A cue's time lies between 0 and {} seconds.", MOST_TIME.as_secs());
        return Err(bad_request("invalid_cue_time", detail));
    }
    Ok((seconds * 1000.0).round() as u64)
}

fn text(written: &str) -> Result<String> {
    let text = Text::new(written);
    let count = text.as_str().chars().count();
    if count == 0 {
        return Err(bad_request("cue_without_text", "A cue has text; delete it if it should have none."));
    }
    if count > MOST_TEXT {
        let detail = format!("The cue has {count} characters; it may have {MOST_TEXT}.");
        return Err(bad_request("too_long", detail));
    }
    Ok(text.into())
}

fn backwards() -> Error {
    bad_request("cue_backwards", "A cue ends after it starts.")
}

fn unknown_cue() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_cue", "The captions have no such cue.")
}
