//! A response's form: JSON as OpenAI writes it, plain text, SubRip or WebVTT.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use captions::{Spoken, Track};
use http::header;
use isolang::Language;
use serde_json::{Map, Value, json};

use super::{
    params::{Format, RequestParams},
    words,
};
use crate::{engine::Transcription, options::Task};

/// Returns the answer that `params` asks for.
pub(super) fn render(params: &RequestParams, transcription: &Transcription) -> Response {
    let cues = &transcription.track.cues;
    match params.format {
        Format::Json => {
            Json(json!({"text": text(&transcription.track), "usage": usage(transcription)})).into_response()
        }
        Format::VerboseJson => Json(verbose(params, transcription)).into_response(),
        Format::Text => typed("text/plain; charset=utf-8", format!("{}\n", text(&transcription.track))),
        Format::Srt => typed("application/x-subrip; charset=utf-8", captions::subrip::render(cues)),
        Format::Vtt => typed("text/vtt; charset=utf-8", captions::webvtt::render(cues)),
    }
}

fn typed(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn text(track: &Track) -> String {
    let sentences: Vec<&str> = track.segments.iter().map(|spoken| spoken.text.as_str()).collect();
    sentences.join(" ")
}

fn usage(transcription: &Transcription) -> Value {
    json!({"type": "duration", "seconds": transcription.seconds.ceil() as u64})
}

fn verbose(params: &RequestParams, transcription: &Transcription) -> Value {
    let segments = &transcription.track.segments;
    let mut answer = Map::new();
    let mut set = |name: &str, value: Value| _ = answer.insert(name.to_owned(), value);
    let task = if params.options.task == Task::Translate { "translate" } else { "transcribe" };
    set("task", task.into());
    set("language", named(&transcription.track.language).into());
    set("duration", transcription.seconds.into());
    set("text", text(&transcription.track).into());
    if params.segments {
        set("segments", segments.iter().enumerate().map(|(n, spoken)| segment(n, spoken)).collect());
    }
    if params.words {
        let timed = segments.iter().flat_map(words::of);
        let listed = timed.map(|timed| {
            json!({"word": timed.word, "start": timed.start.as_secs_f64(), "end": timed.end.as_secs_f64()})
        });
        set("words", listed.collect());
    }
    set("usage", usage(transcription));
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
