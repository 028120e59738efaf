//! In charge of where somebody speaks: Silero's detector, whose file is part of the program, says every 32 ms how sure
//! it is; that becomes spans. `silero/README.md` says why this detector.

use ort::{session::Session, value::Tensor};

use crate::{Error, Result, mel::SAMPLE_RATE, runtime::Runtime};

const NETWORK: &[u8] = include_bytes!("../silero/silero_vad_16k_sequence.onnx");
// Samples of a step, and those before it that the network wants to see again.
const STEP: usize = 512;
const BEFORE: usize = 64;
const STATE: usize = 128;
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
    /// Returns where the detector began to be sure of it.
    pub(crate) fn certain_start(&self) -> u64 {
        self.start + MARGIN
    }

    /// Returns how many samples of `[start, end)` lie in it.
    pub fn within(&self, start: u64, end: u64) -> u64 {
        self.end.min(end).saturating_sub(self.start.max(start))
    }
}

/// The network; serves any number of sounds, one at a time.
#[derive(Debug)]
pub struct Detector(Session);

impl Detector {
    /// Loads it.
    pub fn load(runtime: &Runtime) -> Result<Self> {
        // Steps follow one another: more threads would only wait.
        let builder = Session::builder(&runtime.environment)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_deterministic_compute(true)?;
        let mut builder = builder;
        Ok(Self(builder.commit_from_memory(NETWORK)?))
    }

    /// Returns how sure it is of speech in each of `steps`, which each have the samples before them in front.
    fn scores(&mut self, steps: Vec<f32>, memory: &mut Memory) -> Result<Vec<f32>> {
        let count = steps.len() / (BEFORE + STEP);
        let state = |of: &mut Vec<f32>| Tensor::from_array(([1, 1, STATE], std::mem::take(of)));
        let outputs = self.0.run(ort::inputs![
            "input" => Tensor::from_array(([count, BEFORE + STEP], steps))?,
            "h" => state(&mut memory.hidden)?,
            "c" => state(&mut memory.cell)?,
        ])?;
        let read = |name: &str| -> Result<Vec<f32>> {
            let output = outputs.get(name);
            let output = output.ok_or_else(|| Error::Inference(format!("the detector gave no {name}")))?;
            Ok(output.try_extract_tensor::<f32>()?.1.to_vec())
        };
        (memory.hidden, memory.cell) = (read("hn")?, read("cn")?);
        read("speech_probs")
    }
}

/// What the network remembers from step to step.
struct Memory {
    hidden: Vec<f32>,
    cell: Vec<f32>,
}

/// Hears a sound from its beginning.
pub(crate) struct Listener<'a> {
    detector: &'a mut Detector,
    memory: Memory,
    /// Samples that do not make a step yet, and those before them.
    pending: Vec<f32>,
    spans: Spans,
}

impl<'a> Listener<'a> {
    pub(crate) fn new(detector: &'a mut Detector) -> Self {
        let memory = Memory { hidden: vec![0.0; STATE], cell: vec![0.0; STATE] };
        Self { detector, memory, pending: vec![0.0; BEFORE], spans: Spans::default() }
    }

    /// Hears the next samples.
    pub(crate) fn hear(&mut self, samples: &[f32]) -> Result<()> {
        self.pending.extend_from_slice(samples);
        let count = (self.pending.len() - BEFORE) / STEP;
        if count == 0 {
            return Ok(());
        }
        let steps = (0..count).flat_map(|n| &self.pending[n * STEP..][..BEFORE + STEP]).copied().collect();
        for score in self.detector.scores(steps, &mut self.memory)? {
            self.spans.score(score);
        }
        self.pending.drain(..count * STEP);
        Ok(())
    }

    /// Returns all speech, in order and apart from one another. The last moment counts as a whole step.
    pub(crate) fn finish(mut self) -> Result<Vec<Speech>> {
        let left = self.pending.len() - BEFORE;
        let end = self.spans.heard + left as u64;
        if left > 0 {
            self.hear(&vec![0.0; STEP - left])?;
        }
        Ok(self.spans.finish(end))
    }
}

/// Makes spans of scores.
#[derive(Default)]
struct Spans {
    heard: u64,
    open: Option<Speech>,
    closed: Vec<Speech>,
}

impl Spans {
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
        self.closed.extend(self.open.take().filter(|span| span.end - span.start >= LEAST_SPEECH));
    }

    fn finish(mut self, end: u64) -> Vec<Speech> {
        self.close();
        let mut joined: Vec<Speech> = Vec::new();
        for span in self.closed {
            let span = Speech { start: span.start.saturating_sub(MARGIN), end: (span.end + MARGIN).min(end) };
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = span.end,
                _ => joined.push(span),
            }
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_spans_without_clicks_and_short_pauses() {
        let check = |scores: &[(usize, f32)], expected: &[(u64, u64)]| {
            let mut spans = Spans::default();
            for (steps, score) in scores {
                (0..*steps).for_each(|_| spans.score(*score));
            }
            let end = spans.heard;
            let found: Vec<(u64, u64)> = spans
                .finish(end)
                .iter()
                .map(|s| (s.start / STEP as u64, s.end.div_ceil(STEP as u64)))
                .collect();
            assert_eq!(found, expected, "{scores:?}");
        };
        check(&[(100, 0.1)], &[]);
        check(&[(50, 0.1), (20, 0.9), (50, 0.1)], &[(43, 77)]);
        // Unsure is no beginning, but no end either.
        check(&[(50, 0.4), (20, 0.9), (10, 0.4), (50, 0.1)], &[(43, 87)]);
        check(&[(50, 0.1), (5, 0.9), (50, 0.1)], &[]);
        check(&[(50, 0.1), (20, 0.9), (10, 0.1), (20, 0.9), (50, 0.1)], &[(43, 107)]);
        check(&[(20, 0.9), (40, 0.1), (20, 0.9)], &[(0, 27), (53, 80)]);
    }
}
