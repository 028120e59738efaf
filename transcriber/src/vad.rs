//! In charge of where somebody speaks: the `earshot` detector's scores every 16 ms, made into spans.

use earshot::Detector;

use crate::mel::SAMPLE_RATE;

const STEP: usize = 256;
// A span begins above the first and ends below the second, as Silero's own script does it.
const BEGINS: f32 = 0.5;
const ENDS: f32 = 0.35;
const LEAST_SPEECH: u64 = SAMPLE_RATE as u64 / 4;
const LEAST_PAUSE: u64 = SAMPLE_RATE as u64 / 2;
// Soft beginnings and ends lie outside what the detector is sure of.
const MARGIN: u64 = SAMPLE_RATE as u64 / 5;

/// Samples `[start, end)` in which somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech {
    /// The first sample.
    pub start: u64,
    /// The one behind the last.
    pub end: u64,
}

impl Speech {
    /// Returns how many samples of `[start, end)` lie in it.
    pub fn within(&self, start: u64, end: u64) -> u64 {
        self.end.min(end).saturating_sub(self.start.max(start))
    }
}

/// Hears a sound from its beginning.
pub(crate) struct Listener {
    detector: Box<Detector>,
    pending: Vec<f32>,
    heard: u64,
    open: Option<Speech>,
    spans: Vec<Speech>,
}

impl Listener {
    pub(crate) fn new() -> Self {
        Self { detector: Box::default(), pending: Vec::new(), heard: 0, open: None, spans: Vec::new() }
    }

    /// Hears the next samples.
    pub(crate) fn hear(&mut self, samples: &[f32]) {
        self.pending.extend_from_slice(samples);
        let whole = self.pending.len() / STEP * STEP;
        let pending = std::mem::take(&mut self.pending);
        for step in pending[..whole].chunks_exact(STEP) {
            let score = self.detector.predict_f32(step);
            self.score(score);
        }
        self.pending = pending[whole..].to_vec();
    }

    /// Returns all speech, in order and apart from one another.
    pub(crate) fn finish(mut self) -> Vec<Speech> {
        self.close();
        let end = self.heard + self.pending.len() as u64;
        let mut joined: Vec<Speech> = Vec::new();
        for span in self.spans {
            let span = Speech { start: span.start.saturating_sub(MARGIN), end: (span.end + MARGIN).min(end) };
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = span.end,
                _ => joined.push(span),
            }
        }
        joined
    }

    fn score(&mut self, score: f32) {
        let (start, end) = (self.heard, self.heard + STEP as u64);
        self.heard = end;
        match &mut self.open {
            Some(span) if score >= ENDS => span.end = end,
            Some(span) if start - span.end >= LEAST_PAUSE => self.close(),
            None if score >= BEGINS => self.open = Some(Speech { start, end }),
            _ => {}
        }
    }

    fn close(&mut self) {
        // A click is no speech.
        self.spans.extend(self.open.take().filter(|span| span.end - span.start >= LEAST_SPEECH));
    }
}
