//! In charge of an answer's form: JSON as OpenAI writes it, plain text, SubRip or WebVTT.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use captions::{Spoken, Track};
use http::header;
use isolang::Language;
use serde_json::{Map, Value, json};

use super::{
    wish::{Format, Wish},
    words,
};
use crate::{engine::Transcription, listen::Task};

/// Returns the answer that `wish` asks for.
pub(super) fn render(wish: &Wish, heard: &Transcription) -> Response {
    let cues = &heard.track.cues;
    match wish.format {
        Format::Json => Json(json!({"text": text(&heard.track), "usage": usage(heard)})).into_response(),
        Format::VerboseJson => Json(verbose(wish, heard)).into_response(),
        Format::Text => typed("text/plain; charset=utf-8", format!("{}\n", text(&heard.track))),
        Format::Srt => typed("application/x-subrip; charset=utf-8", captions::subrip::render(cues)),
        Format::Vtt => typed("text/vtt; charset=utf-8", captions::webvtt::render(cues)),
    }
}

fn typed(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn text(track: &Track) -> String {
    let said: Vec<&str> = track.segments.iter().map(|spoken| spoken.text.as_str()).collect();
    said.join(" ")
}

fn usage(heard: &Transcription) -> Value {
    json!({"type": "duration", "seconds": heard.seconds.ceil() as u64})
}

fn verbose(wish: &Wish, heard: &Transcription) -> Value {
    let segments = &heard.track.segments;
    let mut answer = Map::new();
    let mut tell = |name: &str, value: Value| _ = answer.insert(name.to_owned(), value);
    let task = if wish.options.task == Task::Translate { "translate" } else { "transcribe" };
    tell("task", task.into());
    tell("language", named(&heard.track.language).into());
    tell("duration", heard.seconds.into());
    tell("text", text(&heard.track).into());
    if wish.segments {
        tell("segments", segments.iter().enumerate().map(|(n, spoken)| segment(n, spoken)).collect());
    }
    if wish.words {
        let timed = segments.iter().flat_map(words::of);
        let told = timed.map(|timed| {
            json!({"word": timed.word, "start": timed.start.as_secs_f64(), "end": timed.end.as_secs_f64()})
        });
        tell("words", told.collect());
    }
    tell("usage", usage(heard));
    answer.into()
}

fn segment(n: usize, spoken: &Spoken) -> Value {
    json!({
        "id": n,
        // In frames of a hundredth of a second; here the segment's own start.
        "seek": spoken.start.as_millis() as u64 / 10,
        "start": spoken.start.as_secs_f64(),
        "end": spoken.end.as_secs_f64(),
        "text": spoken.text,
        "tokens": spoken.tokens,
        "temperature": spoken.temperature,
        "avg_logprob": spoken.avg_logprob,
        "compression_ratio": spoken.compression_ratio,
        "no_speech_prob": spoken.no_speech_prob,
    })
}

/// OpenAI's answers have a language's English name, not its code.
fn named(code: &str) -> String {
    let name = Language::from_639_1(code).or_else(|| Language::from_639_3(code)).map(|known| known.to_name());
    // "Modern Greek (1453-)": the years are no part of a name.
    let name = name.unwrap_or(code).split(" (").next().unwrap_or(code);
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_english_name() {
        for (code, name) in [("en", "english"), ("de", "german"), ("el", "modern greek"), ("jw", "jw")] {
            assert_eq!(named(code), name);
        }
    }
}
