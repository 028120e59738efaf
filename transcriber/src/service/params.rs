//! The parameters of a request: the form's texts read and checked, each mistake with its parameter.

use super::refusal::{Refusal, Result};
use crate::options::{Options, Task, primary};

// OpenAI's name, which many clients have no other way than to send.
const ANY_MODEL: &str = "whisper-1";

/// The forms of an answer, by OpenAI's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
    Srt,
    VerboseJson,
    Vtt,
}

const FORMATS: [(&str, Format); 5] = [
    ("json", Format::Json),
    ("text", Format::Text),
    ("srt", Format::Srt),
    ("verbose_json", Format::VerboseJson),
    ("vtt", Format::Vtt),
];

/// A request's parameters, decoded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RequestParams {
    pub(super) options: Options,
    pub(super) format: Format,
    /// Whether each word has its times, in `verbose_json`.
    pub(super) words: bool,
    /// Whether each segment is listed, in `verbose_json`.
    pub(super) segments: bool,
}

impl RequestParams {
    /// Reads the texts. Unknown parameters, such as `stream`, are ignored as OpenAI does for Whisper.
    pub(super) fn read(
        texts: &[(String, String)],
        task: Task,
        model: &str,
        languages: &[String],
    ) -> Result<Self> {
        // Before the sound is decoded: a model of English alone has no token for it.
        if task == Task::Translate && languages == ["en"] {
            let message = "a model of English alone cannot translate; this server has one";
            return Err(Refusal::plain("invalid_request", message));
        }
        let mut options = Options { task, ..Options::default() };
        let mut format = Format::Json;
        let mut granularities = Vec::new();
        for (name, text) in texts {
            let text = text.trim();
            match name.as_str() {
                "model" => check_model(text, model)?,
                "language" if !text.is_empty() => options.language = Some(language(text, languages)?),
                "prompt" if !text.is_empty() => options.prompt = Some(text.to_owned()),
                "temperature" if !text.is_empty() => temperature(text, &mut options)?,
                "response_format" if !text.is_empty() => format = self::format(text)?,
                "timestamp_granularities[]" | "timestamp_granularities" => granularities.push(text),
                _ => {}
            }
        }
        if let Some(unknown) = granularities.iter().find(|name| !["word", "segment"].contains(name)) {
            let message = format!("`{unknown}` is no granularity; word and segment are");
            return Err(Refusal::parameter("timestamp_granularities", message));
        }
        if !granularities.is_empty() && format != Format::VerboseJson {
            let message = "timestamps come with response_format=verbose_json alone";
            return Err(Refusal::parameter("timestamp_granularities", message));
        }
        let segments = granularities.is_empty() || granularities.contains(&"segment");
        Ok(Self { options, format, words: granularities.contains(&"word"), segments })
    }
}

/// Refuses a model that is not here.
pub(super) fn check_model(asked: &str, here: &str) -> Result<()> {
    if asked == here || asked == ANY_MODEL { Ok(()) } else { Err(Refusal::unknown_model(asked, here)) }
}

fn format(text: &str) -> Result<Format> {
    FORMATS.iter().find(|(name, _)| *name == text).map(|(_, format)| *format).ok_or_else(|| {
        let names = FORMATS.map(|(name, _)| name).join(", ");
        Refusal::parameter("response_format", format!("`{text}` is no format; these are: {names}"))
    })
}

fn language(text: &str, languages: &[String]) -> Result<String> {
    // Of `de-AT` the model knows `de`.
    let primary = primary(text);
    if languages.contains(&primary) {
        return Ok(primary);
    }
    Err(crate::Error::Language { given: text.to_owned(), known: languages.join(", ") }.into())
}

/// Zero is the default: higher ones are tried by themselves where an answer looks wrong.
fn temperature(text: &str, options: &mut Options) -> Result<()> {
    let value = text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
    let value = value.ok_or_else(|| {
        Refusal::parameter("temperature", format!("`{text}` is no temperature: a number from 0 to 1 is"))
    })?;
    if value > 0.0 {
        options.temperatures = vec![value];
    }
    Ok(())
}
