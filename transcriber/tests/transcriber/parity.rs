//! The engine against the reference's answers: transformers and optimum on the same model and sounds, written by
//! `reference/golden.py`.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use transcriber::{
    Input,
    analysis::{Analysis, AnalysisOptions, analyze},
    audio::{File, Source},
    mel::{HOP, Mel, WINDOW, scale},
    model::{Loading, Model, device::Device},
    options::Options,
    runtime::Runtime,
    transcribe::{Transcriber, Window},
    vad::Detector,
};

#[derive(Deserialize)]
struct Answer {
    samples_sha256: String,
    frames: u64,
    segments: Vec<Segment>,
    first_window_without_times: Vec<u32>,
    language: String,
    mel: Vec<(usize, u64, f32)>,
}

#[derive(Deserialize)]
struct Segment {
    start: f64,
    end: f64,
    tokens: Vec<u32>,
}

// The demo model's `<|endoftext|>`; words lie below it.
const END: u32 = 1200;

pub(super) fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn goldens() -> BTreeMap<String, Answer> {
    let text = std::fs::read_to_string(here("tests/golden/answers.json")).unwrap();
    let mut answers: BTreeMap<String, Answer> = serde_json::from_str(&text).unwrap();
    // As OpenAI's `transcribe` does: a segment without length or words is dropped.
    for answer in answers.values_mut() {
        answer.segments.retain(|s| s.start < s.end && s.tokens.iter().any(|token| *token < END));
        for segment in &mut answer.segments {
            // It hands the time that opens an unfinished sentence to the sentence before.
            if let [.., end, opens] = segment.tokens[..]
                && end > END
                && opens > END
            {
                segment.tokens.pop();
            }
        }
    }
    assert!(answers.len() >= 20);
    answers
}

pub(super) fn model() -> Model {
    let runtime = Runtime::load(None).unwrap();
    Model::load(runtime, Loading { folder: &here("demo"), precision: "", threads: 2, device: Device::Cpu })
        .unwrap()
}

pub(super) fn sound(name: &str) -> Source {
    let path = here("tests/golden").join(format!("{name}.flac"));
    Source::File(File { ffmpeg: "ffmpeg".into(), input: path.into(), stream: None, clock_at_zero: None })
}

fn facts(source: &Source) -> Analysis {
    let mut detector = Detector::load(Runtime::load(None).unwrap()).unwrap();
    let asked = AnalysisOptions { bins: 80, limit_seconds: 600 };
    analyze(source, asked, Some(&mut detector), &CancellationToken::new()).unwrap()
}

/// The reference's way: greedy, no thresholds, no speech detector.
pub(super) fn plainly(language: Option<&str>) -> Options {
    Options {
        language: language.map(ToOwned::to_owned),
        temperatures: vec![0.0],
        no_speech_most: 1.0,
        only_speech: false,
        ..Options::default()
    }
}

pub(super) fn windows(model: &mut Model, source: &Source, options: &Options) -> Vec<Window> {
    let analysis = facts(source);
    let stop = CancellationToken::new();
    let mut transcriber = Transcriber::new(model, &analysis, Input::whole(source, options, &stop)).unwrap();
    let mut windows = Vec::new();
    while let Some(window) = transcriber.next_window().unwrap() {
        windows.push(window);
    }
    windows
}

#[test]
fn tokens_and_times_are_the_references() {
    let mut model = model();
    let mut compared = 0;
    for (name, answer) in goldens() {
        let windows = windows(&mut model, &sound(&name), &plainly(Some("en")));
        let spoken: Vec<_> = windows.iter().flat_map(|window| &window.spoken).collect();
        let ours: Vec<_> = spoken.iter().map(|s| s.tokens.clone()).collect();
        let theirs: Vec<_> = answer.segments.iter().map(|s| s.tokens.clone()).collect();
        assert_eq!(ours, theirs, "{name}");
        let seconds = answer.frames as f64 / 100.0;
        for (ours, theirs) in spoken.iter().zip(&answer.segments) {
            // A sentence without an end begins, to the reference, with its window; to us, at its own time.
            let first = Duration::from_millis(u64::from(theirs.tokens[0].saturating_sub(END + 107)) * 20);
            let (start, later) = (ours.start.as_secs_f64(), theirs.start + first.as_secs_f64());
            let equal = |expected: f64| (start - expected).abs() < 0.011;
            assert!(equal(theirs.start) || equal(later), "{name}: {ours:?}");
            // The reference lets an end lie behind the sound's.
            let (end, theirs) = (ours.end.as_secs_f64().min(seconds), theirs.end.min(seconds));
            assert!((end - theirs).abs() < 0.011, "{name}: {ours:?}");
        }
        compared += ours.iter().map(Vec::len).sum::<usize>();
    }
    assert!(compared > 1000, "{compared} tokens are too few to mean anything");
}

#[test]
fn windows_without_times_are_the_references() {
    let mut model = model();
    for (name, answer) in goldens() {
        let options = Options { times: false, ..plainly(Some("en")) };
        let windows = windows(&mut model, &sound(&name), &options);
        let ours = windows[0].spoken.first().map(|s| s.tokens.clone()).unwrap_or_default();
        assert_eq!(ours, answer.first_window_without_times, "{name}");
    }
}

#[test]
fn the_language_is_the_references() {
    let mut model = model();
    for (name, answer) in goldens() {
        let source = sound(&name);
        let analysis = facts(&source);
        let (options, stop) = (plainly(None), CancellationToken::new());
        let mut transcriber =
            Transcriber::new(&mut model, &analysis, Input::whole(&source, &options, &stop)).unwrap();
        let window = transcriber.next_window().unwrap().unwrap();
        assert_eq!(window.language.as_deref(), Some(answer.language.as_str()), "{name}");
    }
}

#[test]
fn spectrograms_are_the_references_within_a_ten_thousandth() {
    let mut mel = Mel::new(80);
    for (name, answer) in goldens() {
        let source = sound(&name);
        let analysis = facts(&source);
        assert_eq!(analysis.frames(), answer.frames, "{name}");
        let mut sound = source.open().unwrap();
        let mut samples = sound.samples(0, analysis.samples as usize).unwrap().to_vec();
        assert_eq!(sha256_as_s16(&samples), answer.samples_sha256, "{name} is not the sound of the answers");
        samples.extend([0.0; 2 * WINDOW]);
        // Mirrored, as the reference does it.
        let mirrored: Vec<f32> = samples[1..=WINDOW / 2].iter().rev().chain(&samples).copied().collect();
        for (band, frame, expected) in answer.mel {
            let mut bands = [0.0; 80];
            mel.frame(&mirrored[frame as usize * HOP..][..WINDOW], &mut bands);
            let ours = scale(bands[band], analysis.loudest);
            assert!(
                (ours - expected).abs() <= 1e-4,
                "{name}, band {band}, frame {frame}: {ours}, not {expected}"
            );
        }
    }
}

fn sha256_as_s16(samples: &[f32]) -> String {
    use sha2::{Digest, Sha256};
    let bytes: Vec<u8> = samples.iter().flat_map(|s| ((s * 32768.0) as i16).to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
