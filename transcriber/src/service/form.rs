//! A form on its way in: the sound goes to the disk as it comes, the texts are few and short.

use std::path::Path;

use axum::extract::multipart::{Field, Multipart};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use super::refusal::{Refusal, Result};

// OpenAI's form has about ten fields, one of them repeated.
const TEXTS: usize = 64;
// The longest field is the prompt, of which the model sees 223 tokens.
const TEXT_BYTES: usize = 64 << 10;

/// A form, received.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// The part `file`; deleted when dropped.
    pub(super) sound: Option<TempPath>,
    /// All other parts, by name.
    pub(super) texts: Vec<(String, String)>,
}

impl Form {
    pub(super) async fn receive(mut parts: Multipart, folder: &Path, most: u64) -> Result<Self> {
        let broken = |e| Refusal::form(e, most);
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == "file" {
                if form.sound.is_some() {
                    return Err(Refusal::parameter("file", "one sound at a time: `file` came twice"));
                }
                form.sound = Some(keep(part, folder, most).await?);
                continue;
            }
            if form.texts.len() == TEXTS {
                return Err(Refusal::plain(
                    "too_many_fields",
                    format!("a form may have {TEXTS} fields besides `file`"),
                ));
            }
            let text = read(part, most).await?;
            form.texts.push((name, text));
        }
        Ok(form)
    }
}

async fn keep(mut part: Field<'_>, folder: &Path, most: u64) -> Result<TempPath> {
    let file = NamedTempFile::new_in(folder)?;
    // A descriptor of its own: the first one deletes the file when it is dropped.
    let mut out = tokio::fs::File::from_std(file.reopen()?);
    let mut length = 0;
    while let Some(bytes) = part.chunk().await.map_err(|e| Refusal::form(e, most))? {
        length += bytes.len() as u64;
        if length > most {
            return Err(Refusal::too_large(most));
        }
        out.write_all(&bytes).await?;
    }
    // tokio's file writes on a thread behind this one; without the flush ffmpeg might miss the end.
    out.flush().await?;
    Ok(file.into_temp_path())
}

async fn read(mut part: Field<'_>, most: u64) -> Result<String> {
    let name = part.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(more) = part.chunk().await.map_err(|e| Refusal::form(e, most))? {
        bytes.extend_from_slice(&more);
        if bytes.len() > TEXT_BYTES {
            return Err(Refusal::plain(
                "field_too_long",
                format!("the field `{name}` may have {TEXT_BYTES} bytes"),
            ));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Refusal::plain("field_not_text", format!("the field `{name}` is not UTF-8")))
}
