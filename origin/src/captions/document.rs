//! A caption track as the API shows it.

use serde::Serialize;
use serde_json::value::RawValue;
use store::{CaptionId, CaptionTrack};

/// A caption track's document.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a JSON document has a field for each")]
pub(crate) struct Captions {
    id: CaptionId,
    name: Option<String>,
    language: Option<String>,
    label: Option<String>,
    origin: &'static str,
    state: &'static str,
    message: Option<String>,
    /// Playlists list it.
    listed: bool,
    describes_sounds: bool,
    forced: bool,
    edited: bool,
    seconds_done: f64,
    ends_at_seconds: Option<f64>,
    asked: Asked,
    /// Model, hash, library version and settings of what a machine wrote.
    machine: Option<Box<RawValue>>,
    files: Option<Files>,
    revision: u64,
    created_at: String,
}

#[derive(Clone, Debug, Serialize)]
struct Asked {
    language: Option<String>,
    model: Option<String>,
    prompt: Option<String>,
    translate: bool,
}

/// Where to get it: absolute paths on this server.
#[derive(Clone, Debug, Serialize)]
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
