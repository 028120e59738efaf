//! A track's cues one by one: listed, added, corrected, deleted.

use std::time::Duration;

use axum::extract::{Path as UrlPath, Request, State};
use captions::Text;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{
    Problem, Response,
    document::{json, no_content},
};
use store::{Cue, CueEdit, Edited, StoredCue};

use super::{read_json, unknown_track};
use crate::{
    Origin,
    error::{Error, Result, bad_request},
};

// Ten lines more than a screen takes.
const MOST_TEXT: usize = 2000;
// The longest video that anybody uploads, and then some.
const MOST_TIME: Duration = Duration::from_hours(100);

#[derive(Serialize)]
struct Shown {
    number: u32,
    start_seconds: f64,
    end_seconds: f64,
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    settings: String,
}

#[derive(Serialize)]
struct Listed {
    revision: u64,
    cues: Vec<Shown>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    start_seconds: f64,
    end_seconds: f64,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    start_seconds: Option<f64>,
    end_seconds: Option<f64>,
    text: Option<String>,
}

/// Lists all cues of a track in the order in which they are shown.
pub(super) async fn list(
    State(origin): State<Origin>,
    UrlPath((id, track)): UrlPath<(String, String)>,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let cues = origin.store.captions.cues(&track.id).await?;
    let cues = cues.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &Listed { revision: track.revision, cues }))
}

/// Adds a cue by hand.
pub(super) async fn add(
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
pub(super) async fn edit(
    State(origin): State<Origin>,
    UrlPath((id, track, number)): UrlPath<(String, String, String)>,
    request: Request,
) -> Result<Response> {
    let track = origin.track(&id, &track).await?;
    let number = number.parse().map_err(|_| Error::from(unknown_cue()))?;
    let changes: Changes = read_json(request).await?;
    let edit = CueEdit {
        start_ms: changes.start_seconds.map(milliseconds).transpose()?,
        end_ms: changes.end_seconds.map(milliseconds).transpose()?,
        text: changes.text.as_deref().map(text).transpose()?,
    };
    match origin.store.captions.edit_cue(&track.id, number, &edit).await? {
        Edited::Cue(cue) => Ok(json(StatusCode::OK, &Shown::from(cue))),
        Edited::Backwards => Err(backwards()),
        Edited::Absent => Err(unknown_cue().into()),
    }
}

/// Deletes a cue.
pub(super) async fn delete(
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
