//! A caption track as the API shows it.

use serde::Serialize;
use serde_json::value::RawValue;
use server::schema::{id, time};
use store::{CaptionId, CaptionTrack};
use utoipa::ToSchema;

use crate::schema::{caption_origins, caption_states};

/// A caption track's document.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaptionTrack)]
#[expect(clippy::struct_excessive_bools, reason = "a JSON document has a field for each")]
pub(crate) struct Captions {
    #[schema(schema_with = id)]
    id: CaptionId,
    /// Its folder below `/v/{id}/captions/`.
    #[schema(required)]
    name: Option<String>,
    /// A BCP 47 tag.
    #[schema(required)]
    language: Option<String>,
    #[schema(required)]
    label: Option<String>,
    #[schema(schema_with = caption_origins)]
    origin: &'static str,
    #[schema(schema_with = caption_states)]
    state: &'static str,
    #[schema(required)]
    message: Option<String>,
    /// Playlists list it.
    listed: bool,
    describes_sounds: bool,
    forced: bool,
    edited: bool,
    seconds_done: f64,
    #[schema(required)]
    ends_at_seconds: Option<f64>,
    asked: Asked,
    /// Model, hash, library version and settings of what a machine wrote.
    #[schema(required, value_type = Option<Object>)]
    machine: Option<Box<RawValue>>,
    #[schema(required)]
    files: Option<Files>,
    revision: u64,
    #[schema(schema_with = time)]
    created_at: String,
}

/// The request to the machine.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AskedTranscription)]
struct Asked {
    #[schema(required)]
    language: Option<String>,
    #[schema(required)]
    model: Option<String>,
    #[schema(required)]
    prompt: Option<String>,
    translate: bool,
}

/// Where to get it: absolute paths on this server.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaptionFiles)]
struct Files {
    vtt: String,
    srt: String,
    txt: String,
    json: String,
}

impl Captions {
    /// Shows `track`, whose video's files lie in `folder`.
    pub(crate) fn of(track: CaptionTrack, folder: &str) -> Self {
        let path = |extension: &str| {
            let name = track.name.as_deref().unwrap_or_default();
            format!("{folder}/captions/{name}.{extension}")
        };
        let files = track.is_listed().then(|| Files {
            vtt: path("vtt"),
            srt: path("srt"),
            txt: path("txt"),
            json: path("json"),
        });
        Self {
            listed: track.is_listed(),
            files,
            id: track.id,
            name: track.name,
            language: track.language,
            label: track.label,
            origin: track.origin.as_str(),
            state: track.state.as_str(),
            message: track.message,
            describes_sounds: track.describes_sounds,
            forced: track.forced,
            edited: track.edited,
            seconds_done: track.seconds_done,
            ends_at_seconds: track.ends_at_seconds,
            asked: Asked {
                language: track.options.language,
                model: track.options.model,
                prompt: track.options.prompt,
                translate: track.options.translated,
            },
            // Only the transcriber writes it, so broken JSON is left out rather than an error.
            machine: track.provenance.and_then(|json| RawValue::from_string(json).ok()),
            revision: track.revision,
            created_at: track.created_at.rfc3339(),
        }
    }
}
