//! The whole way of one sound: analysis, windows, cues, and the record of how they came about. Keeps models
//! in memory, as many as were at work at once, loaded when they are first wanted.

use std::{
    ops::Range,
    path::PathBuf,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use captions::{Machine, Provenance, Spoken, Track};
use server::metrics::Counter;

use crate::{
    Result,
    analysis::{Analysis, AnalysisOptions, analyze},
    audio::File,
    chunks, cues,
    mel::SAMPLE_RATE,
    model::{Loading, Model, device::Device},
    options::{Options, Parity},
    runtime::Runtime,
    transcribe::{Input, Transcriber, Window},
    vad::Detector,
};

/// The configuration of an engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path or name of ffmpeg.
    pub ffmpeg: PathBuf,
    /// ONNX Runtime's library or its folder; else it is looked for.
    pub onnxruntime: Option<PathBuf>,
    /// The model's folder.
    pub model: PathBuf,
    /// Which of its networks: `""` is f32.
    pub precision: String,
    /// The processor that its networks run on.
    pub device: Device,
    /// Threads of each network.
    pub threads: usize,
    /// Windows of a sound that are transcribed at once, which share the threads. More than one cuts it at its pauses.
    pub windows: usize,
    /// Sounds that are transcribed at once, each with a model in memory of its own.
    pub sessions: usize,
    /// The longest sound that is taken, in seconds.
    pub limit_seconds: u64,
    /// The reference whose tokens are to come out.
    pub parity: Parity,
    /// Names and terms that all sounds may have, in front of those of one.
    pub prompt: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            onnxruntime: None,
            model: "models/whisper-tiny".into(),
            precision: "quantized".into(),
            device: Device::Auto,
            threads: 2,
            // At a cut a word may be recognized differently, so speed by cutting is a choice.
            windows: 1,
            sessions: 1,
            limit_seconds: 12 * 3600,
            parity: Parity::None,
            prompt: None,
        }
    }
}

/// The key of a track's record for the seconds of detected speech that have no words.
pub(crate) const WORDLESS: &str = "wordless";

/// Detected speech without words, in seconds, over all sounds of the process: captions' and the service's.
pub(crate) static WORDLESS_SECONDS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// A model at work, for as many sounds at once as its callers bring.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    idle: Mutex<Vec<Loaded>>,
}

/// The networks in memory.
#[derive(Debug)]
struct Loaded {
    model: Model,
    detector: Detector,
}

impl Loaded {
    fn new(config: &Config) -> Result<Self> {
        let runtime = Runtime::load(config.onnxruntime.as_deref())?;
        let Config { model: folder, precision, threads, windows, device, .. } = config;
        // Windows at once share the threads that the settings grant; more threads than cores slow ONNX Runtime down.
        let threads = (threads / windows).max(1);
        let model = Model::load(runtime, Loading { folder, precision, threads, device: *device })?;
        Ok(Self { model, detector: Detector::load(runtime)? })
    }
}

/// How far a transcription is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Seconds of sound that are done with …
    pub done: f64,
    /// … of these.
    pub all: f64,
}

/// A window that is finished.
#[derive(Clone, Copy, Debug)]
pub struct WindowReport<'a> {
    /// Its words, and the state to go on from.
    pub window: &'a Window,
    /// How far that is.
    pub progress: Progress,
    /// The model and settings that write it.
    pub machine: &'a Machine,
}

/// The transcription of a sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcription {
    /// Cues, segments and their provenance.
    pub track: Track,
    /// The sound's length in seconds.
    pub seconds: f64,
}

impl Engine {
    /// Returns an engine that has not loaded anything yet.
    pub fn new(config: Config) -> Self {
        Self { config, idle: Mutex::default() }
    }

    /// Returns its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns a file as ffmpeg reads it for this engine.
    pub fn file(&self, input: impl Into<ffmpeg::Input>) -> File {
        File { ffmpeg: self.config.ffmpeg.clone(), input: input.into(), stream: None, clock_at_zero: None }
    }

    /// Loads the model unless it is loaded; the error names the reason. Blocks.
    pub fn load(&self) -> Result<()> {
        self.loaded(|_| Ok(()))
    }

    /// Returns the codes of the languages that the model knows. Blocks.
    pub fn languages(&self) -> Result<Vec<String>> {
        self.loaded(|Loaded { model, .. }| {
            Ok(model.vocabulary.languages.iter().map(|(code, _)| code.clone()).collect())
        })
    }

    /// Transcribes a sound, going on behind the windows that are done. Calls `report` with each new window. Blocks; ends early
    /// with [`Error::Interrupted`] once the input's `stop` is cancelled.
    pub fn transcribe(
        &self,
        input: Input<'_>,
        mut report: impl FnMut(WindowReport<'_>) -> Result<()>,
    ) -> Result<Transcription> {
        let Input { source, done, stop, .. } = input;
        let options = &input.options.clone().behind(self.config.prompt.as_deref()).like(self.config.parity);
        let mut windows = done.to_vec();
        let mut keep = |window: Window, analysis: &Analysis, machine: &Machine| {
            let (at, all) = (window.next.min(analysis.frames()), analysis.frames());
            let progress = Progress { done: at as f64 / 100.0, all: all as f64 / 100.0 };
            let wordless: u64 = window.wordless.iter().map(|(start, end)| end - start).sum();
            WORDLESS_SECONDS.inc_by(wordless.div_ceil(100));
            report(WindowReport { window: &window, progress, machine })?;
            windows.push(window);
            Ok(())
        };
        let (analysis, machine, rest, language) = self.loaded(|Loaded { model, detector }| {
            let machine = self.machine(model, options)?;
            let limits =
                AnalysisOptions { bins: model.shape.mel_bins, limit_seconds: self.config.limit_seconds };
            let analysis = analyze(source, limits, options.only_speech.then_some(detector), stop)?;
            let machine = Machine { sound_sha256: analysis.sha256.clone(), ..machine };
            let mut chunks = self.chunks(&analysis, options, model.shape.frames);
            let at = done.last().map_or(0, |window| window.next);
            chunks.retain(|chunk| chunk.end > at);
            let mut transcriber = Transcriber::new(model, &analysis, Input { options, ..input })?;
            let mut chunks = chunks.into_iter();
            // The language is detected once, from the first chunk on.
            if let Some(first) = chunks.next() {
                transcriber.go_to(first.start.max(at)..first.end);
                while let Some(window) = transcriber.next_window()? {
                    keep(window, &analysis, &machine)?;
                }
            }
            let language = transcriber.language().map(ToOwned::to_owned);
            Ok((analysis, machine, chunks.collect::<Vec<_>>(), language))
        })?;
        // All chunks get the first one's language: a song or a name in a later one must not switch it.
        let known = Options { language, ..options.clone() };
        let run = |work: &mut dyn FnMut(&mut Transcriber<'_>) -> Result<()>| {
            self.loaded(|Loaded { model, .. }| {
                let input = Input { options: &known, done: &[], ..input };
                work(&mut Transcriber::new(model, &analysis, input)?)
            })
        };
        chunks::transcribe(&rest, self.config.windows, run, |window| keep(window, &analysis, &machine))?;
        let seconds = analysis.samples as f64 / SAMPLE_RATE as f64;
        let mut track = track(&windows, machine);
        if let Some(language) = known.language.filter(|_| track.language == "und") {
            track.language = language;
        }
        track.ends_at_seconds = analysis.broke_off.is_some().then_some(seconds);
        Ok(Transcription { track, seconds })
    }

    /// Returns the chunks that are transcribed on their own: the whole sound, or its stretches between pauses.
    fn chunks(&self, analysis: &Analysis, options: &Options, frames: usize) -> Vec<Range<u64>> {
        let (most, end) = (frames as u64, analysis.frames());
        match (self.config.windows, options) {
            (2.., Options { only_speech: true, .. }) => chunks::split(&analysis.speech, most),
            // Without times a window is always followed by the one behind it.
            (2.., Options { times: false, .. }) => {
                (0..end.div_ceil(most)).map(|n| n * most..end.min((n + 1) * most)).collect()
            }
            _ => std::iter::once(0..end).collect(),
        }
    }

    /// Returns the record of how captions come about, but for the sound.
    fn machine(&self, model: &Model, options: &Options) -> Result<Machine> {
        let runtime = Runtime::load(self.config.onnxruntime.as_deref())?;
        let mut settings = options.settings();
        let plain = self.config.precision.is_empty();
        settings.insert("precision".into(), if plain { "f32" } else { &self.config.precision }.into());
        if let Some(accelerator) = model.accelerator {
            settings.insert("device".into(), accelerator.into());
        }
        if model.vocabulary.languages.is_empty() {
            settings.insert("language".into(), "en".into());
        }
        settings.insert("cut".into(), (self.config.windows > 1).to_string());
        // Without, words have their share of the characters.
        if !model.alignment_heads.is_empty() {
            settings.insert("words".into(), "attention".into());
        }
        Ok(Machine {
            model: model.name.clone(),
            model_revision: model.revision.clone(),
            model_sha256: model.sha256.clone(),
            library: format!("clipcut {}, ONNX Runtime {}", env!("CARGO_PKG_VERSION"), runtime.version()),
            sound_sha256: String::new(),
            settings,
        })
    }

    fn loaded<T>(&self, work: impl FnOnce(&mut Loaded) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let mut loaded = idle.map_or_else(|| Loaded::new(&self.config), Ok)?;
        // A panic drops the model, whose state nobody knows then; after an error it is as good as before.
        let worked = work(&mut loaded);
        self.idle().push(loaded);
        worked
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Loaded>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the track of the words in `windows`.
pub fn track(windows: &[Window], machine: Machine) -> Track {
    let wordless: Vec<String> = windows
        .iter()
        .flat_map(|window| &window.wordless)
        .map(|(start, end)| format!("{:.2}-{:.2}", *start as f64 / 100.0, *end as f64 / 100.0))
        .collect();
    let mut machine = machine;
    if !wordless.is_empty() {
        machine.settings.insert(WORDLESS.into(), wordless.join(" "));
    }
    let segments: Vec<Spoken> = windows.iter().flat_map(|window| window.spoken.clone()).collect();
    let language = match machine.settings.get("task").map(String::as_str) {
        Some("translate") => Some("en".to_owned()),
        _ => windows.iter().rev().find_map(|window| window.language.clone()),
    };
    Track {
        language: language.unwrap_or_else(|| "und".into()),
        cues: cues::lay_out(&segments),
        segments,
        ends_at_seconds: None,
        provenance: Provenance::Machine(machine),
    }
}
