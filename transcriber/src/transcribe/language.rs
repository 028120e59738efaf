//! The language of a sound. A window may be a song, a greeting or a name in another language; where the first one leaves
//! doubts, those behind it are asked too, and the languages' probabilities are added up.

use crate::{
    Result,
    decode::EncoderOutput,
    mel::HOP,
    spectrogram::{self, WindowSpan},
};

use super::Transcriber;

/// The probability from which on one window is enough, as in faster-whisper's `language_detection_threshold`.
const SURE: f32 = 0.5;
/// Two minutes of speech; each window costs a pass of the encoder.
const MOST_WINDOWS: usize = 4;

impl Transcriber<'_> {
    /// Detects the language by the window that begins at `from`, and by those behind it where that one leaves doubts.
    pub(super) fn detect_language(&mut self, first: &EncoderOutput, from: u64) -> Result<()> {
        let mut beliefs = Beliefs::of(self.model.language_probabilities(first)?);
        // The reference asks the first window alone.
        if self.options.recovers() && !beliefs.are_sure() {
            self.ask_windows_behind(from, &mut beliefs)?;
        }
        let languages = &self.model.vocabulary.languages;
        self.language = beliefs.best().and_then(|n| languages.get(n)).map(|(code, _)| code.clone());
        Ok(())
    }

    fn ask_windows_behind(&mut self, from: u64, beliefs: &mut Beliefs) -> Result<()> {
        let frames = self.model.shape.frames;
        // The sound that is transcribed is read forwards only, and comes to these windows later.
        let mut sound = self.source.open()?;
        let mut at = from + frames as u64;
        for _ in 1..MOST_WINDOWS {
            let Some(place) = self.speech_from(at) else { break };
            if self.stop.is_cancelled() {
                return Err(crate::Error::Interrupted);
            }
            let silent_from = frames.min((self.analysis.frames() - place) as usize);
            let span = WindowSpan { from: place, frames, silent_from };
            let spectrogram = spectrogram::render(&mut sound, &mut self.mel, span, self.analysis.loudest)?;
            let encoded = self.model.encode(spectrogram)?;
            beliefs.add(&self.model.language_probabilities(&encoded)?);
            if beliefs.are_sure() {
                break;
            }
            at = place + frames as u64;
        }
        Ok(())
    }

    /// Returns the first frame of speech at or behind `frame`.
    fn speech_from(&self, frame: u64) -> Option<u64> {
        let speech = self.analysis.speech.iter().find(|speech| speech.end > frame * HOP as u64)?;
        Some(frame.max(speech.start / HOP as u64)).filter(|frame| *frame < self.analysis.frames())
    }
}

/// The probabilities of the languages, in the vocabulary's order, summed over windows.
struct Beliefs {
    sums: Vec<f32>,
    windows: usize,
}

impl Beliefs {
    fn of(first: Vec<f32>) -> Self {
        Self { sums: first, windows: 1 }
    }

    fn add(&mut self, window: &[f32]) {
        for (sum, belief) in self.sums.iter_mut().zip(window) {
            *sum += belief;
        }
        self.windows += 1;
    }

    /// Returns the place of the likeliest language.
    fn best(&self) -> Option<usize> {
        (0..self.sums.len()).max_by(|a, b| self.sums[*a].total_cmp(&self.sums[*b]))
    }

    fn are_sure(&self) -> bool {
        self.best().is_none_or(|best| self.sums[best] >= SURE * self.windows as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubtful_first_window_is_outvoted_by_those_behind_it() {
        let mut beliefs = Beliefs::of(vec![0.4, 0.35, 0.25]);
        assert!(!beliefs.are_sure());
        assert_eq!(beliefs.best(), Some(0));
        beliefs.add(&[0.1, 0.8, 0.1]);
        assert!(beliefs.are_sure());
        assert_eq!(beliefs.best(), Some(1));
    }

    #[test]
    fn one_sure_window_is_enough_and_a_model_of_one_language_is_sure() {
        assert!(Beliefs::of(vec![0.5, 0.3, 0.2]).are_sure());
        assert!(Beliefs::of(vec![]).are_sure());
        assert_eq!(Beliefs::of(vec![]).best(), None);
    }
}
