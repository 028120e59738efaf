//! The engine on OpenAI's tiny.en, with recorded and synthetic speech whose words are known. Runs where
//! `CLIPCUT_TEST_WHISPER` names the folder, or where it lies beside the repository.

use std::path::{Path, PathBuf};

use captions::{Cue, Track};
use tokio_util::sync::CancellationToken;
use transcriber::{
    Config, Engine, Input,
    options::{Options, Parity},
};

use crate::{
    harness::{source, words},
    score::{Score, share, truth},
};

/// Returns the folder of the model and the sounds; prints where there is none.
fn whisper() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/whisper-real");
    let named = std::env::var_os("CLIPCUT_TEST_WHISPER").filter(|path| !path.is_empty()).map(PathBuf::from);
    let folder = named.or_else(|| beside.is_dir().then_some(beside));
    if folder.is_none() {
        println!("not run: CLIPCUT_TEST_WHISPER names no folder with OpenAI's tiny.en");
    }
    folder
}

fn engine(folder: &Path, windows: usize) -> Engine {
    // Optimized networks are written beside the published ones, and those are not ours to write to.
    let model = Path::new(env!("CARGO_TARGET_TMPDIR")).join("whisper-tiny.en");
    std::fs::create_dir_all(model.join("onnx")).unwrap();
    let published = folder.join("whisper-tiny.en");
    for part in ["", "onnx"] {
        for file in std::fs::read_dir(published.join(part)).unwrap().flatten() {
            let link = model.join(part).join(file.file_name());
            if file.path().is_file() && !link.exists() {
                // Another test may be faster.
                let _ = std::os::unix::fs::symlink(file.path(), link);
            }
        }
    }
    Engine::new(Config { model, windows, ..Config::default() })
}

fn transcribe(engine: &Engine, folder: &Path, name: &str) -> Track {
    let sound = source(&folder.join(format!("sounds/{name}.flac")));
    let (options, stop) = (Options::default(), CancellationToken::new());
    engine.transcribe(Input::whole(&sound, &options, &stop), |_| Ok(())).unwrap().track
}

fn written(track: &Track) -> Vec<String> {
    // Hyphens are a matter of spelling.
    track.cues.iter().flat_map(|cue| words(&cue.text.as_str().replace('-', " "))).collect()
}

fn in_order(cues: &[Cue]) {
    for pair in cues.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{pair:?}");
    }
    for cue in cues {
        let seconds = cue.end.saturating_sub(cue.start).as_secs_f64();
        assert!(seconds <= 7.0, "{cue:?}");
    }
}

#[test]
fn recorded_speech_has_every_word_once() {
    let Some(folder) = whisper() else { return };
    let truth = truth(&folder, "real");
    for windows in [1, 2] {
        let track = transcribe(&engine(&folder, windows), &folder, "real");
        let score = Score::of(&truth, &track);
        let wrong = score.wrong_percent;
        println!("real, {windows} windows: {}", score.line());
        // Chunks know nothing of the words before them.
        let most = if windows == 1 { 0.01 } else { 5.0 };
        assert!(wrong <= most, "{windows} windows: {wrong:.1} %: {:?}", written(&track));
        assert_eq!(written(&track).iter().filter(|word| *word == "ask").count(), 2, "{windows} windows");
        in_order(&track.cues);
        assert!(!track.cues.iter().any(|cue| cue.text.as_str().ends_with("Mr.")), "{:?}", track.cues);
        assert_eq!(track.language, "en");
    }
}

#[test]
fn detected_speech_has_words() {
    let Some(folder) = whisper() else { return };
    let engine = engine(&folder, 1);
    // Words of sentences that a single time token, or a stretched sentence, made the decoder skip.
    for (name, expected) in [
        ("skipped", ["doctor", "fence", "dashwood", "beauty"]),
        ("lost", ["amiable", "winding", "kittens", "beauty"]),
        ("lost2", ["dashwood", "electricity", "weather", "piano"]),
    ] {
        let track = transcribe(&engine, &folder, name);
        in_order(&track.cues);
        let written = written(&track);
        for word in expected {
            assert!(written.iter().any(|found| found == word), "{name}: no {word} in {written:?}");
        }
        println!(
            "{name}: {:#?}",
            track.segments.iter().map(|s| (s.start, s.end, &s.text)).collect::<Vec<_>>()
        );
    }
}

/// Returns whether the processor adds up eight-bit products without a loss.
fn has_vnni() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn a_talk_is_written_whole_and_in_time() {
    let Some(folder) = whisper() else { return };
    let truth = truth(&folder, "talk");
    let tracks = [1, 3].map(|windows| (windows, transcribe(&engine(&folder, windows), &folder, "talk")));
    for (windows, track) in tracks {
        let score = Score::of(&truth, &track);
        println!("talk, {windows} windows: {}", score.line());
        in_order(&track.cues);
        // transformers' share on the same weights; eight-bit products are coarser where the processor has no VNNI.
        let (most_wrong, most_unwritten) = if has_vnni() { (14.9, 0) } else { (17.0, 3) };
        assert!(score.wrong_percent <= most_wrong, "{windows} windows: {}", score.line());
        assert!(score.unwritten.len() <= most_unwritten, "{windows} windows: {score:?}");
        assert!(score.outside.is_empty(), "{windows} windows: {score:?}");
        let (starts, ends) = (&score.starts, &score.ends);
        assert!(starts.len() > 80 && ends.len() > 80, "{windows} windows: {}", score.line());
        assert!(
            share(starts, 0.5) <= 0.1 && share(starts, 0.95) <= 0.4,
            "{windows} windows: {}",
            score.line()
        );
        assert!(share(ends, 0.5) <= 0.25, "{windows} windows: {}", score.line());
    }
}

#[test]
fn parity_with_transformers_gives_its_words() {
    #[derive(serde::Deserialize)]
    struct Segment {
        text: String,
    }
    let Some(folder) = whisper() else { return };
    let config = Config { parity: Parity::Transformers, ..engine(&folder, 1).config().clone() };
    let track = transcribe(&Engine::new(config), &folder, "real");
    let json = std::fs::read(folder.join("reference/real.hf.json")).unwrap();
    let reference: Vec<Segment> = serde_json::from_slice(&json).unwrap();
    let theirs: Vec<String> = reference.iter().flat_map(|segment| words(&segment.text)).collect();
    let ours: Vec<String> = track.segments.iter().flat_map(|segment| words(&segment.text)).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn an_english_models_language_has_many_names() {
    let Some(folder) = whisper() else { return };
    let engine = engine(&folder, 1);
    let silence = transcriber::audio::Source::Samples(vec![0.0; 32_000].into());
    let stop = CancellationToken::new();
    for tag in ["en", "EN", "en-GB", "en_us"] {
        let options = Options { language: Some(tag.into()), ..Options::default() };
        let track = engine.transcribe(Input::whole(&silence, &options, &stop), |_| Ok(())).unwrap().track;
        assert_eq!(track.language, "en", "{tag}");
    }
    let options = Options { language: Some("de".into()), ..Options::default() };
    let refused =
        engine.transcribe(Input::whole(&silence, &options, &stop), |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("`de`") && refused.contains("it knows en"), "{refused}");
    let silent = transcribe_nothing(&engine);
    assert_eq!(silent.language, "en");
    let captions::Provenance::Machine(machine) = silent.provenance else { panic!("not a machine's") };
    assert_eq!(machine.settings["language"], "en");
    let missing = Config { precision: "int8".into(), ..engine.config().clone() };
    let refused = Engine::new(missing).load().unwrap_err().to_string();
    assert!(refused.contains("\"quantized\"") && !refused.contains("\"\""), "{refused}");
}

fn transcribe_nothing(engine: &Engine) -> Track {
    let silence = transcriber::audio::Source::Samples(vec![0.0; 32_000].into());
    let (options, stop) = (Options::default(), CancellationToken::new());
    engine.transcribe(Input::whole(&silence, &options, &stop), |_| Ok(())).unwrap().track
}
