//! One caption job, on a thread for blocking work: each finished window goes to the store at once, with all
//! that is needed to go on behind it.

use std::time::Duration;

use captions::{Cue, Spoken};
use serde::{Deserialize, Serialize};
use store::{Advance, CaptionTrack, Conclusion, DetectedLanguage, Job, Store};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, Error, Input,
    audio::Source,
    cues::Draft,
    engine::{self, WindowReport},
    options::{Options, Task},
    transcribe::Window,
};

/// A job with its track and its source.
pub(super) struct CaptionJob {
    pub(super) store: Store,
    pub(super) handle: Handle,
    pub(super) job: Job,
    pub(super) stop: CancellationToken,
    /// The packager's plan, as JSON.
    pub(super) plan: String,
    pub(super) source: store::Source,
    pub(super) track: CaptionTrack,
}

/// Why a job ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The video, the track or the lease is gone.
    #[error("gone")]
    Gone,
    /// A sentence for people; trying again gives the same.
    #[error("{0}")]
    For(String),
    #[error(transparent)]
    Engine(#[from] Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Failed {
    pub(super) fn panicked(e: tokio::task::JoinError) -> Self {
        Self::Engine(Error::Io(std::io::Error::other(e)))
    }

    /// Returns whether the model, or the library that runs it, is missing: a person mends that, no attempt does.
    pub(super) fn awaits_model(&self) -> bool {
        use Error::{Model, NoModel, NoRuntime, Runtime};
        matches!(self, Self::Engine(NoRuntime { .. } | Runtime { .. } | NoModel { .. } | Model { .. }))
    }
}

/// The part of the plan that concerns the sound.
#[derive(Deserialize)]
struct Plan {
    start_seconds: f64,
    zero: Duration,
    audio: Vec<Audio>,
}

#[derive(Deserialize)]
struct Audio {
    stream: u32,
}

/// The place in the sound, and the segments whose cues are not final.
#[derive(Deserialize, Serialize)]
struct Checkpoint {
    window: Window,
    held: Vec<Spoken>,
}

impl CaptionJob {
    /// Transcribes to the end, or to where it is stopped.
    pub(super) fn run(self, engine: &Engine) -> Result<Conclusion<'static>, Failed> {
        let plan: Plan =
            serde_json::from_str(&self.plan).map_err(std::io::Error::from).map_err(Error::from)?;
        let Some(audio) = plan.audio.first() else { return Ok(Conclusion::Silent) };
        let input: ffmpeg::Input = match &self.source {
            store::Source::File(path) => path.clone().into(),
            store::Source::Loopback(source) => {
                ffmpeg::Input::Loopback { url: source.url().to_owned(), len: source.len() }
            }
        };
        let mut file = engine.file(input);
        file.stream = Some(audio.stream);
        // The pictures' clock: cues of a sound that begins later than its pictures would be early by the difference.
        file.clock_at_zero = Some(plan.start_seconds + plan.zero.as_secs_f64());

        let checkpoint = self.checkpoint();
        let (done, held) = checkpoint.map_or((None, vec![]), |c| (Some(c.window), c.held));
        let mut draft = Draft::holding(held);
        let mut named = false;
        let mut last: Option<Window> = done.clone();
        // The store's errors leave the engine this way.
        let mut broken: Option<Failed> = None;
        let options = self.options();
        let source = Source::File(file);
        let input = Input { source: &source, options: &options, done: done.as_slice(), stop: &self.stop };
        let transcribed = engine.transcribe(input, |report| {
            let recorded = self.record(&report, &mut draft, &mut named);
            last = Some(report.window.clone());
            recorded.map_err(|failed| {
                broken = Some(failed);
                Error::Interrupted
            })
        });
        if let Some(failed) = broken {
            return Err(failed);
        }
        // A sound that was taken away in the middle sounds like one that ends there.
        if let Some(failure) = self.source.failure() {
            return Err(failure.into());
        }
        let transcription = match transcribed {
            Ok(transcription) => transcription,
            Err(Error::NoSound) => return Ok(Conclusion::Silent),
            Err(e @ Error::Language { .. }) => return Err(Failed::For(format!("{e}."))),
            Err(e @ (Error::Unreadable(_) | Error::TooLong { .. } | Error::Request(_))) => {
                return Err(Failed::For(format!("The captions could not be written: {e}.")));
            }
            Err(e) => return Err(e.into()),
        };
        if named {
            self.record_wordless(&transcription.track)?;
        }
        if let Some(mut window) = last {
            window.spoken.clear();
            self.advance(
                transcription.seconds,
                &Checkpoint { window, held: vec![] },
                Written { cues: &draft.finish(), segments: "[]" },
            )?;
        }
        Ok(transcription.track.ends_at_seconds.map_or(Conclusion::Whole, Conclusion::CutShort))
    }

    /// Returns where an earlier worker stopped; one of another version begins anew, since it cannot be read.
    fn checkpoint(&self) -> Option<Checkpoint> {
        self.track.checkpoint.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }

    fn options(&self) -> Options {
        let asked = &self.track.options;
        Options {
            language: asked.language.clone(),
            prompt: asked.prompt.clone(),
            task: if asked.translated { Task::Translate } else { Task::Transcribe },
            ..Options::default()
        }
    }

    fn record(&self, report: &WindowReport<'_>, draft: &mut Draft, named: &mut bool) -> Result<(), Failed> {
        let window = report.window;
        // A language found in silence is a guess; the track gets its folder, and
        // playlists their entry, with its first words.
        if !*named && (!window.spoken.is_empty() || !draft.held().is_empty()) {
            let spoken = window.language.as_deref().unwrap_or("und");
            let language = if self.track.options.translated { "en" } else { spoken };
            let provenance =
                serde_json::to_string(report.machine).map_err(std::io::Error::from).map_err(Error::from)?;
            // Whisper's own code for Javanese is of an older standard.
            let language = if language == "jw" { "jv" } else { language };
            let detected = DetectedLanguage { language, provenance: &provenance };
            // This thread is of the blocking pool; `block_on` on a worker thread of tokio's panics.
            if self.handle.block_on(self.store.captions.set_language(&self.job, &detected))?.is_none() {
                return Err(Failed::Gone);
            }
            *named = true;
        }
        let cues = draft.push(&window.spoken);
        let segments =
            serde_json::to_string(&window.spoken).map_err(std::io::Error::from).map_err(Error::from)?;
        // The words are rows by now; a checkpoint that kept them would grow with the sound.
        let window = Window { spoken: vec![], ..window.clone() };
        // The segments that are held back begin here at the earliest.
        let held = draft.held().to_vec();
        let done = held
            .first()
            .map_or(report.progress.done, |held| held.start.as_secs_f64().min(report.progress.done));
        self.advance(done, &Checkpoint { window, held }, Written { cues: &cues, segments: &segments })
    }

    /// Writes the speech that stayed without words on the track, where there is some.
    fn record_wordless(&self, track: &captions::Track) -> Result<(), Failed> {
        let captions::Provenance::Machine(machine) = &track.provenance else { return Ok(()) };
        if !machine.settings.contains_key(engine::WORDLESS) {
            return Ok(());
        }
        let provenance = serde_json::to_string(machine).map_err(std::io::Error::from).map_err(Error::from)?;
        let language = if track.language == "jw" { "jv" } else { &track.language };
        let detected = DetectedLanguage { language, provenance: &provenance };
        let ours = self.handle.block_on(self.store.captions.set_language(&self.job, &detected))?;
        ours.map(drop).ok_or(Failed::Gone)
    }

    fn advance(
        &self,
        seconds_done: f64,
        checkpoint: &Checkpoint,
        written: Written<'_>,
    ) -> Result<(), Failed> {
        let checkpoint =
            serde_json::to_string(checkpoint).map_err(std::io::Error::from).map_err(Error::from)?;
        let Written { cues, segments } = written;
        let cues: Vec<store::Cue> = cues.iter().map(stored).collect();
        let advance = Advance { seconds_done, checkpoint: &checkpoint, cues: &cues, segments };
        let ours = self.handle.block_on(self.store.captions.advance(&self.job, &advance))?;
        if ours { Ok(()) } else { Err(Failed::Gone) }
    }
}

/// The words of a step.
#[derive(Clone, Copy)]
struct Written<'a> {
    cues: &'a [Cue],
    /// The segments that they were made of, as JSON.
    segments: &'a str,
}

fn stored(cue: &Cue) -> store::Cue {
    store::Cue {
        start_ms: cue.start.as_millis() as u64,
        end_ms: cue.end.as_millis() as u64,
        settings: cue.settings.clone(),
        text: cue.text.as_str().to_owned(),
        styles: cue.text.styles(),
    }
}
