//! The engine against speech whose text is known, and against silence.

use crate::{
    harness::{Talk, engine, errors, side_by_side, talk, words},
    music::{music, pink_noise},
};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use transcriber::{Engine, Input, audio::Source, engine::Transcription, mel::SAMPLE_RATE, options::Options};

const TEN_MINUTES: usize = 600;

fn transcribe(engine: &Engine, samples: Vec<f32>) -> Transcription {
    let (options, stop) = (Options::default(), CancellationToken::new());
    let source = Source::Samples(samples.into());
    engine.transcribe(Input::whole(&source, &options, &stop), |_| Ok(())).unwrap()
}

#[test]
fn ten_minutes_of_new_sentences_come_out_as_they_were_spoken() {
    let talk = talk(7, TEN_MINUTES);
    come_out_as_they_were_spoken(&engine("quantized", 2), &talk, reference_percent(talk.words()));
}

#[test]
fn ten_minutes_cut_at_their_pauses_come_out_as_they_were_spoken() {
    // Another talk of the same kind: on the first one the reference and we are cut otherwise, and luckier.
    let reference = reference_percent(talk(7, TEN_MINUTES).words());
    come_out_as_they_were_spoken(&side_by_side(2), &talk(9, TEN_MINUTES), reference);
}

fn come_out_as_they_were_spoken(engine: &Engine, talk: &Talk, reference_percent: f64) {
    let transcription = transcribe(engine, talk.samples.clone());
    assert_eq!(transcription.track.language, "en");

    let truth: Vec<String> = talk.sentences.iter().flat_map(|sentence| words(&sentence.text)).collect();
    let written: Vec<String> =
        transcription.track.cues.iter().flat_map(|cue| words(cue.text.as_str())).collect();
    let rate = errors(&truth, &written) as f64 / truth.len() as f64 * 100.0;
    let starts: Vec<f64> =
        transcription.track.segments.iter().map(|segment| segment.start.as_secs_f64()).collect();
    let mut off: Vec<f64> = talk
        .sentences
        .iter()
        .map(|sentence| starts.iter().map(|s| (s - sentence.start).abs()).fold(f64::INFINITY, f64::min))
        .collect();
    off.sort_by(f64::total_cmp);
    let (median, most) = (off[off.len() / 2], off[off.len() * 95 / 100]);
    println!("{} words, {rate:.2} % wrong; starts off by {median:.3} s, 95 % by {most:.3} s", truth.len());
    let most_wrong = reference_percent + 0.5;
    assert!(rate <= most_wrong, "{rate:.2} % of the words are wrong, more than {most_wrong:.2} %");
    assert!(median <= 0.05 && most <= 0.3, "cues start off by {median:.3} s, 95 % by {most:.3} s");
    let beside = beside_their_speech(&transcription, talk);
    assert!(beside.is_empty(), "{beside:#?}");
}

/// Returns the share of words that transformers gets wrong in the same sound with the same networks (`reference/truth.py`).
fn reference_percent(words: usize) -> f64 {
    #[derive(Deserialize)]
    struct Figures {
        words: usize,
        wrong_quantized: usize,
    }
    let figures: Figures = serde_json::from_str(include_str!("../golden/truth.json")).unwrap();
    assert_eq!(words, figures.words, "the reference was asked about another sound; see reference/truth.py");
    figures.wrong_quantized as f64 / words as f64 * 100.0
}

/// Returns the cues that begin before their speech or lie over silence for longer than a second. Where two sentences
/// are apart by less, there is no silence.
fn beside_their_speech(transcription: &Transcription, talk: &Talk) -> Vec<String> {
    let mut speech: Vec<(f64, f64)> = Vec::new();
    for sentence in &talk.sentences {
        match speech.last_mut() {
            Some(last) if sentence.start - last.1 <= 1.0 => last.1 = sentence.end,
            _ => speech.push((sentence.start, sentence.end)),
        }
    }
    let beside = transcription.track.cues.iter().filter(|cue| {
        let (start, end) = (cue.start.as_secs_f64(), cue.end.as_secs_f64());
        !speech.iter().any(|(from, to)| *from - EARLY_SECONDS <= start && start < *to && end <= *to + 1.0)
    });
    beside.map(|cue| format!("{:?}–{:?} {}", cue.start, cue.end, cue.text.as_str())).collect()
}

// The model's own times, multiples of 20 ms, may be early by this.
const EARLY_SECONDS: f64 = 0.1;

#[test]
fn silence_gets_no_cue() {
    nothing_in(vec![0.0; TEN_MINUTES * SAMPLE_RATE]);
}

#[test]
fn music_gets_no_cue() {
    nothing_in(music(1, TEN_MINUTES));
}

#[test]
fn noise_gets_no_cue() {
    nothing_in(pink_noise(2, TEN_MINUTES));
}

fn nothing_in(samples: Vec<f32>) {
    let transcription = transcribe(&engine("quantized", 2), samples);
    assert!(transcription.track.cues.is_empty(), "{:?}", transcription.track.cues);
}
