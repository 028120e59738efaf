//! Voice activity: Silero's detector, whose file is part of the program, gives a probability every 32 ms; those become
//! spans of speech. `silero/README.md` has the reasons for this detector.

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
// The bound is Silero's own; a click is shorter.
const LEAST_SPEECH: u64 = SAMPLE_RATE as u64 / 4;
// Silero's own 100 ms would end a span at every breath within a sentence.
const LEAST_PAUSE: u64 = SAMPLE_RATE as u64 / 2;
// Shorter pauses within a span separate words, for their times.
const LEAST_BREAK: u64 = SAMPLE_RATE as u64 / 5;
// Soft beginnings and ends lie outside the detector's certain speech.
const MARGIN: u64 = SAMPLE_RATE as u64 / 5;

/// Samples `[start, end)` of speech.
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

/// The speech of a sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// Spans with their margins, apart by pauses.
    pub speech: Vec<Speech>,
    /// The certain parts of them, without margins and short breaks.
    pub certain: Vec<Speech>,
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

    /// Returns the probability of speech in each of `steps`, which each have the samples before them in front.
    fn probabilities(&mut self, steps: Vec<f32>, state: &mut LstmState) -> Result<Vec<f32>> {
        let count = steps.len() / (BEFORE + STEP);
        let tensor = |of: &mut Vec<f32>| Tensor::from_array(([1, 1, STATE], std::mem::take(of)));
        let outputs = self.0.run(ort::inputs![
            "input" => Tensor::from_array(([count, BEFORE + STEP], steps))?,
            "h" => tensor(&mut state.hidden)?,
            "c" => tensor(&mut state.cell)?,
        ])?;
        let read = |name: &str| -> Result<Vec<f32>> {
            let output = outputs.get(name);
            let output = output.ok_or_else(|| Error::Inference(format!("the detector gave no {name}")))?;
            Ok(output.try_extract_tensor::<f32>()?.1.to_vec())
        };
        (state.hidden, state.cell) = (read("hn")?, read("cn")?);
        read("speech_probs")
    }
}

/// The LSTM's state between steps.
struct LstmState {
    hidden: Vec<f32>,
    cell: Vec<f32>,
}

/// Scans a sound for speech, from its beginning.
pub(crate) struct SpeechScanner<'a> {
    detector: &'a mut Detector,
    state: LstmState,
    /// Samples that do not make a step yet, and those before them.
    pending: Vec<f32>,
    spans: Spans,
}

impl<'a> SpeechScanner<'a> {
    pub(crate) fn new(detector: &'a mut Detector) -> Self {
        let state = LstmState { hidden: vec![0.0; STATE], cell: vec![0.0; STATE] };
        Self { detector, state, pending: vec![0.0; BEFORE], spans: Spans::default() }
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.pending.extend_from_slice(samples);
        let count = (self.pending.len() - BEFORE) / STEP;
        if count == 0 {
            return Ok(());
        }
        let steps = (0..count).flat_map(|n| &self.pending[n * STEP..][..BEFORE + STEP]).copied().collect();
        for probability in self.detector.probabilities(steps, &mut self.state)? {
            self.spans.push(probability);
        }
        self.pending.drain(..count * STEP);
        Ok(())
    }

    /// Returns all speech, in order and apart from one another. The last moment counts as a whole step.
    pub(crate) fn finish(mut self) -> Result<Voice> {
        let left = self.pending.len() - BEFORE;
        let end = self.spans.position + left as u64;
        if left > 0 {
            self.push(&vec![0.0; STEP - left])?;
        }
        Ok(self.spans.finish(end))
    }
}

/// Joins probabilities to spans, with hysteresis.
#[derive(Default)]
struct Spans {
    position: u64,
    open: Option<Speech>,
    closed: Vec<Speech>,
    /// The certain parts of the open span, then of all closed ones.
    open_parts: Vec<Speech>,
    certain: Vec<Speech>,
}

impl Spans {
    fn push(&mut self, probability: f32) {
        let (start, end) = (self.position, self.position + STEP as u64);
        self.position = end;
        match &mut self.open {
            Some(span) if probability >= ENDS => {
                span.end = end;
                match self.open_parts.last_mut() {
                    Some(part) if start - part.end < LEAST_BREAK => part.end = end,
                    _ => self.open_parts.push(Speech { start, end }),
                }
            }
            Some(span) if start - span.end >= LEAST_PAUSE => self.close(),
            None if probability >= BEGINS => {
                self.open = Some(Speech { start, end });
                self.open_parts = vec![Speech { start, end }];
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        // A click is no speech.
        let parts = std::mem::take(&mut self.open_parts);
        if let Some(span) = self.open.take().filter(|span| span.end - span.start >= LEAST_SPEECH) {
            self.closed.push(span);
            self.certain.extend(parts);
        }
    }

    fn finish(mut self, end: u64) -> Voice {
        self.close();
        let mut joined: Vec<Speech> = Vec::new();
        for span in self.closed {
            let span = Speech { start: span.start.saturating_sub(MARGIN), end: (span.end + MARGIN).min(end) };
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = span.end,
                _ => joined.push(span),
            }
        }
        Voice { speech: joined, certain: self.certain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_become_spans_without_clicks_and_short_pauses() {
        let check = |probabilities: &[(usize, f32)], expected: &[(u64, u64)]| {
            let mut spans = Spans::default();
            for (steps, probability) in probabilities {
                (0..*steps).for_each(|_| spans.push(*probability));
            }
            let end = spans.position;
            let found: Vec<(u64, u64)> = spans
                .finish(end)
                .speech
                .iter()
                .map(|s| (s.start / STEP as u64, s.end.div_ceil(STEP as u64)))
                .collect();
            assert_eq!(found, expected, "{probabilities:?}");
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
