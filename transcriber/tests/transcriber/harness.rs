//! Shared by the tests: the demo model and speech whose text is known, made by espeak-ng.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};
use transcriber::{
    Config, Engine,
    audio::{File, Source},
    mel::SAMPLE_RATE,
};

pub(crate) const VOICES: [&str; 6] =
    ["en-us", "en-029", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan"];

/// Returns the folder of the demo model.
pub(crate) fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

/// Returns an engine with the demo model.
pub(crate) fn engine(precision: &str, threads: usize) -> Engine {
    Engine::new(Config { model: demo(), precision: precision.into(), threads, ..Config::default() })
}

/// Returns an engine that transcribes several windows at once.
pub(crate) fn side_by_side(windows: usize) -> Engine {
    let config = engine("quantized", 2).config().clone();
    Engine::new(Config { windows, ..config })
}

/// Chance that repeats (Knuth's MMIX generator).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low)
    }

    pub(crate) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// From −1 to 1.
    pub(crate) fn noise(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Returns a sentence of the kind that the demo model knows, but that it was not taught: those whose words hash to
/// less than 13 (see its README).
pub(crate) fn sentence(chance: &mut Chance) -> String {
    loop {
        let made = made_up(chance);
        let digest = Sha256::digest(words(&made).join(" "));
        if digest[0] < 13 {
            return made;
        }
    }
}

fn made_up(chance: &mut Chance) -> String {
    let c = chance;
    let adjective = c.one(&["small", "big", "old", "young", "heavy", "quiet", "happy", "beautiful"]);
    let colour = c.one(&["yellow", "green", "purple", "black", "white", "brown", "golden", "silver"]);
    let animal = c.one(&["bird", "cat", "dog", "horse", "lion", "monkey", "rabbit"]);
    let person = c.one(&["teacher", "farmer", "doctor", "driver", "singer", "student", "friend"]);
    let thing = c.one(&[
        "paper", "window", "ticket", "clock", "ladder", "guitar", "camera", "letter", "basket", "lamp",
    ]);
    let things = c.one(&["bottles", "apples", "candles", "oranges", "pictures", "letters", "tickets"]);
    let place =
        c.one(&["river", "kitchen", "garden", "station", "bridge", "library", "market", "school", "village"]);
    let day = c.one(&["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]);
    let when = c.one(&["today", "tomorrow", "tonight", "yesterday"]);
    let meal = c.one(&["lunch", "dinner", "breakfast"]);
    let number = c.one(&["three", "five", "six", "seven", "nine", "ten", "eleven", "twelve"]);
    match c.below(9) {
        0 => format!("The {adjective} {colour} {animal} finds my {thing} near the {place} {when}."),
        1 => format!("We will open the {thing} in the {place}."),
        2 => format!("Please bring your {thing} after {meal}."),
        3 => format!("The {person} painted {number} {colour} {things} in the {place}."),
        4 => format!("There is a {adjective} {thing} behind the {place}."),
        5 => format!("On {day} morning the {person} lost the {thing}."),
        6 => format!("Is the {thing} under the {place}?"),
        7 => format!("The lesson is thirty minutes before {meal}."),
        _ => format!("The {person} carried {number} {things} to the {place} {when}."),
    }
}

/// Returns the words of a text, lower-case, without punctuation.
pub(crate) fn words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

/// Returns a sentence spoken by espeak-ng, at 16 kHz.
pub(crate) fn speak(text: &str, voice: &str, words_a_minute: usize) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spoken.wav");
    let spoken = Command::new("espeak-ng")
        .args(["-v", voice, "-s", &words_a_minute.to_string(), "-w"])
        .arg(&file)
        .arg(text)
        .output()
        .expect("espeak-ng speaks; `scripts/install test` brings it");
    assert!(spoken.status.success(), "{spoken:?}");
    samples(&file)
}

/// Returns the sound of a file.
pub(crate) fn samples(file: &Path) -> Vec<f32> {
    let mut sound = source(file).open().unwrap();
    sound.samples(0, 1 << 28).unwrap().to_vec()
}

/// Returns a file as a source.
pub(crate) fn source(file: &Path) -> Source {
    Source::File(File { ffmpeg: "ffmpeg".into(), input: file.into(), stream: None, clock_at_zero: None })
}

/// Speech whose text and times are known.
pub(crate) struct Talk {
    pub(crate) samples: Vec<f32>,
    pub(crate) sentences: Vec<Sentence>,
}

impl Talk {
    /// Counts its words.
    pub(crate) fn words(&self) -> usize {
        self.sentences.iter().map(|sentence| words(&sentence.text).len()).sum()
    }
}

/// A sentence and its place in the sound, in seconds.
pub(crate) struct Sentence {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) text: String,
}

/// Returns at least `seconds` of speech in the voices that the model was taught, with noise at 30 dB.
pub(crate) fn talk(seed: u64, seconds: usize) -> Talk {
    let mut chance = Chance(seed);
    let mut talk = Talk { samples: vec![], sentences: vec![] };
    while talk.samples.len() < seconds * SAMPLE_RATE {
        let text = sentence(&mut chance);
        // Mostly short pauses, now and then a long one.
        let pause = if chance.below(8) == 0 { chance.between(2000, 9000) } else { chance.between(150, 1200) };
        talk.samples.resize(talk.samples.len() + pause * SAMPLE_RATE / 1000, 0.0);
        let voice = VOICES[chance.below(VOICES.len())];
        let spoken = speak(&text, voice, chance.between(140, 195));
        let loud = |sample: &f32| sample.abs() > 0.01;
        let first = spoken.iter().position(loud).unwrap_or(0);
        let last = spoken.iter().rposition(loud).unwrap_or(spoken.len());
        let seconds = |n| (talk.samples.len() + n) as f64 / SAMPLE_RATE as f64;
        talk.sentences.push(Sentence { start: seconds(first), end: seconds(last), text });
        talk.samples.extend(spoken);
    }
    let power = talk.samples.iter().map(|s| s * s).sum::<f32>() / talk.samples.len() as f32;
    let loudness = power.sqrt() * 10_f32.powf(-30.0 / 20.0) * 3_f32.sqrt();
    for sample in &mut talk.samples {
        *sample += chance.noise() * loudness;
    }
    talk
}

/// Returns the word errors of `written` against `truth`: Levenshtein distance.
pub(crate) fn errors(truth: &[String], written: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (n, word) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = n + 1;
        for (m, other) in written.iter().enumerate() {
            let changed = diagonal + usize::from(word != other);
            diagonal = row[m + 1];
            row[m + 1] = changed.min(row[m] + 1).min(row[m + 1] + 1);
        }
    }
    row[written.len()]
}
