//! A caption file on its way in: as a form's file or as the body, in any encoding, checked line by line.

use axum::extract::{FromRequest, Multipart, Query, Request};
use captions::file::MAX_BYTES;
use serde::Deserialize;
use server::{BoxError, body};
use store::Cue;
use utoipa::{IntoParams, ToSchema};

use super::words;
use crate::{
    error::{Error, Result, bad_request},
    ingest::is_form,
};

// A form's parts have headers and boundaries besides their bytes.
const FORM_EXTRA: u64 = 64 * 1024;
// The longest field of a form; a label that is too long is refused, not cut off.
const MOST_WORD: usize = 4096;

/// A person's captions.
pub(super) struct Taken {
    pub(super) language: Option<String>,
    pub(super) label: Option<String>,
    pub(super) cues: Vec<Cue>,
}

/// A form that brings a file.
#[derive(ToSchema)]
#[schema(as = CaptionUpload)]
#[expect(dead_code, reason = "the schema of a form, which is read field by field")]
pub(crate) struct Upload {
    #[schema(format = Binary)]
    file: String,
    language: Option<String>,
    label: Option<String>,
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Fields {
    /// A BCP 47 tag, or `und`.
    #[param(max_length = 35)]
    language: Option<String>,
    /// The name in menus.
    #[param(max_length = 100)]
    label: Option<String>,
}

/// Reads the whole request; a file that has a mistake is refused with its lines.
pub(super) async fn take(request: Request) -> Result<Taken> {
    let query = Query::<Fields>::try_from_uri(request.uri());
    let Query(mut fields) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let bytes = if is_form(&request) {
        form(request, &mut fields).await?
    } else {
        body::collect(request.into_body(), MAX_BYTES as u64).await?.to_vec()
    };
    if bytes.is_empty() {
        let detail = "The request must bring captions, as the field `file` or as its body.";
        return Err(bad_request("file_required", detail));
    }
    // Megabytes are read line by line, which is too long for a thread that answers others.
    let cues = tokio::task::spawn_blocking(move || captions::file::read(&bytes)).await;
    let cues =
        cues.map_err(Error::Interrupted)?.map_err(|e| bad_request("invalid_captions", e.to_string()))?;
    Ok(Taken {
        language: fields.language.as_deref().map(words::language).transpose()?,
        label: fields.label.as_deref().map(words::label).transpose()?.filter(|label| !label.is_empty()),
        cues: cues.into_iter().map(stored).collect(),
    })
}

fn stored(cue: captions::Cue) -> Cue {
    Cue {
        start_ms: cue.start.as_millis() as u64,
        end_ms: cue.end.as_millis() as u64,
        settings: cue.settings,
        styles: cue.text.styles(),
        text: cue.text.into(),
    }
}

async fn form(request: Request, fields: &mut Fields) -> Result<Vec<u8>> {
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|e| bad_request("invalid_form", e.body_text()))?;
    let mut file = Vec::new();
    let mut seen = 0;
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let limit = if name == "file" { MAX_BYTES } else { MOST_WORD };
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            seen += piece.len() as u64;
            if bytes.len() + piece.len() > limit || seen > MAX_BYTES as u64 + FORM_EXTRA {
                return Err(body::Error::TooLarge { limit: limit as u64 }.into());
            }
            bytes.extend_from_slice(&piece);
        }
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "language" => fields.language = Some(text()),
            "label" => fields.label = Some(text()),
            "file" => file = bytes,
            // A form may have a button or a token that is none of our business.
            _ => {}
        }
    }
    Ok(file)
}

fn broken(error: axum::extract::multipart::MultipartError) -> Error {
    body::Error::from(Box::new(error) as BoxError).into()
}
