//! The times of words, by the decoder's cross attention: against the references' algorithm, and against the times of
//! espeak-ng. `reference/words.py` writes both.

use std::{collections::BTreeMap, fs, path::Path};

use captions::{Provenance, Spoken, Word};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use transcriber::{Config, Engine, Input, engine::Transcription, options::Options};

use crate::{
    folder,
    harness::{engine, words},
    parity::{here, model, plainly, sound, windows},
};

#[derive(Deserialize)]
struct Answer {
    /// Words and the seconds at which they truly begin.
    truth: Vec<(String, f64)>,
    /// Each sentence's words, and the seconds at which the reference lets them begin.
    reference: Vec<Vec<(String, f64)>>,
}

fn goldens() -> BTreeMap<String, Answer> {
    let text = fs::read_to_string(here("tests/golden/words.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn words_begin_where_the_references_do() {
    let mut model = model();
    let mut compared = 0;
    for (name, answer) in goldens() {
        let windows = windows(&mut model, &sound(&name), &plainly(Some("en")));
        let ours: Vec<&Spoken> = windows.iter().flat_map(|window| &window.spoken).collect();
        assert_eq!(ours.len(), answer.reference.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&answer.reference) {
            let text = |words: Vec<&String>| words.into_iter().cloned().collect::<Vec<_>>().join(" ");
            assert_eq!(text(ours.words.iter().map(|word| &word.word).collect()), ours.text, "{name}");
            assert_eq!(text(theirs.iter().map(|(word, _)| word).collect()), ours.text, "{name}");
            let mut at = ours.start;
            for (word, (_, expected)) in ours.words.iter().zip(theirs) {
                let start = word.start.as_secs_f64();
                assert!((start - expected).abs() < 0.0201, "{name}: {word:?}, not {expected}");
                assert!(
                    at <= word.start && word.start <= word.end && word.end <= ours.end,
                    "{name}: {ours:?}"
                );
                at = word.end;
                compared += 1;
            }
        }
    }
    assert!(compared > 800, "{compared} words are too few to mean anything");
}

#[test]
fn words_of_sentences_begin_nearer_to_the_truth_than_their_share_of_characters() {
    nearer_than_their_share(&Options::default(), 0.6);
}

#[test]
fn words_of_a_window_in_one_piece_begin_nearer_to_the_truth_than_their_share_of_characters() {
    nearer_than_their_share(&Options { times: false, ..Options::default() }, 0.2);
}

#[test]
fn no_word_and_no_cue_lasts_over_a_long_pause() {
    let options = Options { times: false, ..Options::default() };
    // Its sentences are six to nine seconds apart, and stand in one piece without times.
    let by_attention = transcribe(&engine("quantized", 2), "long-pauses", &options).track;
    let folder = tempfile::tempdir().unwrap();
    let hidden = without_attention(folder.path());
    let by_share = transcribe(&hidden, "long-pauses", &options).track;
    for track in [by_attention, by_share] {
        let words: Vec<&Word> = track.segments.iter().flat_map(|spoken| &spoken.words).collect();
        assert!(words.len() > 20, "{words:?}");
        for word in &words {
            let seconds = word.end.saturating_sub(word.start).as_secs_f64();
            assert!(seconds < 2.0, "{word:?} lasts {seconds} s");
        }
        assert!(words.is_sorted_by_key(|word| (word.start, word.end)), "{words:?}");
        for cue in &track.cues {
            assert!(cue.end.saturating_sub(cue.start) < std::time::Duration::from_secs(6), "{cue:?}");
        }
    }
}

/// Returns an engine whose network has no outputs of these names, as ordinary exports have it.
fn without_attention(folder: &Path) -> Engine {
    folder::copy(folder);
    let file = folder.join("onnx/decoder_model_merged_quantized.onnx");
    let mut network = fs::read(&file).unwrap();
    let (name, other) = (b"cross_attentions.", b"other_attentions.");
    while let Some(at) = network.windows(name.len()).position(|bytes| bytes == name) {
        network[at..at + name.len()].copy_from_slice(other);
    }
    fs::write(&file, network).unwrap();
    Engine::new(Config { model: folder.into(), ..engine("quantized", 2).config().clone() })
}

/// Checks that the median word begins at least so much nearer to its truth.
fn nearer_than_their_share(options: &Options, part: f64) {
    let engine = engine("quantized", 2);
    let (mut ours, mut shares) = (Vec::new(), Vec::new());
    for (name, answer) in goldens() {
        let transcription = transcribe(&engine, &name, options);
        let truth: Vec<(String, f64)> = answer.truth.iter().map(|(word, at)| (bare(word), *at)).collect();
        let timed = transcription.track.segments.iter().flat_map(|spoken| {
            assert!(!spoken.words.is_empty(), "{spoken:?}");
            let word = |word: &Word| (bare(&word.word), word.start.as_secs_f64());
            spoken
                .words
                .iter()
                .map(word)
                .zip(by_characters(spoken))
                .map(|((word, at), share)| (word, (at, share)))
        });
        let timed: Vec<(String, (f64, f64))> = timed.collect();
        for (truth, (start, share)) in matched(&truth, &timed) {
            ours.push((start - truth).abs());
            shares.push((share - truth).abs());
        }
    }
    let [ours, shares] = [ours, shares].map(|mut off| {
        off.sort_by(f64::total_cmp);
        let at = |percent: usize| off[off.len() * percent / 100];
        (off.len(), at(50), at(95))
    });
    println!("words, median and 95 % off: {ours:?} by attention, {shares:?} by characters");
    assert!(ours.0 > 700, "{} words are too few to mean anything", ours.0);
    assert!(ours.1 <= shares.1 * part, "{ours:?} by attention, {shares:?} by characters");
}

/// Returns when each word of a sentence would begin by its share of the characters.
fn by_characters(spoken: &Spoken) -> Vec<f64> {
    let length = |word: &Word| word.word.chars().count() + 1;
    let total: usize = spoken.words.iter().map(length).sum();
    let (start, seconds) =
        (spoken.start.as_secs_f64(), spoken.end.saturating_sub(spoken.start).as_secs_f64());
    let mut passed = 0;
    let mut share = |word: &Word| {
        let at = start + seconds * passed as f64 / total as f64;
        passed += length(word);
        at
    };
    spoken.words.iter().map(&mut share).collect()
}

fn bare(word: &str) -> String {
    words(word).concat()
}

/// Returns the times of the words that two texts have in common, in their longest common order.
fn matched<T: Copy, U: Copy>(truth: &[(String, T)], found: &[(String, U)]) -> Vec<(T, U)> {
    let mut common = vec![vec![0; found.len() + 1]; truth.len() + 1];
    for n in (0..truth.len()).rev() {
        for m in (0..found.len()).rev() {
            let skipped = common[n + 1][m].max(common[n][m + 1]);
            common[n][m] = if truth[n].0 == found[m].0 { common[n + 1][m + 1] + 1 } else { skipped };
        }
    }
    let (mut n, mut m, mut pairs) = (0, 0, Vec::new());
    while n < truth.len() && m < found.len() {
        if truth[n].0 == found[m].0 {
            pairs.push((truth[n].1, found[m].1));
            (n, m) = (n + 1, m + 1);
        } else if common[n + 1][m] >= common[n][m + 1] {
            n += 1;
        } else {
            m += 1;
        }
    }
    pairs
}

fn transcribe(engine: &Engine, name: &str, options: &Options) -> Transcription {
    engine.transcribe(Input::whole(&sound(name), options, &CancellationToken::new()), |_| Ok(())).unwrap()
}

#[test]
fn a_network_that_does_not_show_its_attention_writes_the_same_but_for_words() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = without_attention(folder.path());
    let timed = transcribe(&engine("quantized", 2), "voice-3", &Options::default()).track;
    let plain = transcribe(&hidden, "voice-3", &Options::default()).track;
    assert!(plain.segments.iter().all(|spoken| spoken.words.is_empty()));
    let without = |mut spoken: Spoken| {
        assert!(!spoken.words.is_empty());
        spoken.words.clear();
        spoken
    };
    let timed_segments: Vec<Spoken> = timed.segments.into_iter().map(without).collect();
    assert_eq!(timed_segments, plain.segments);
    let settings = |provenance| match provenance {
        Provenance::Machine(machine) => machine.settings,
        other => panic!("{other:?} is no machine"),
    };
    let (mut timed, plain) = (settings(timed.provenance), settings(plain.provenance));
    assert_eq!(timed.remove("words").as_deref(), Some("attention"));
    assert_eq!(timed, plain);
}
