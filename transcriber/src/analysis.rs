//! The facts of a whole sound that the first window needs: its length, its loudest frame, its speech, its hash. One pass, thousands of times faster than the sound.

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    audio::{Source, window},
    mel::{FRAMES_PER_SECOND, HOP, Mel, SAMPLE_RATE, WINDOW},
    model::folder::hex,
    vad::{Detector, Speech, SpeechScanner},
};

/// The bounds of an analysis.
#[derive(Clone, Copy, Debug)]
pub struct AnalysisOptions {
    /// Bands of the spectrogram.
    pub bins: usize,
    /// The longest sound that is taken.
    pub limit_seconds: u64,
}

/// A sound's facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Its length.
    pub samples: u64,
    /// The highest decimal logarithm in its spectrogram.
    pub loudest: f32,
    /// The detected speech, where there was a detector.
    pub speech: Vec<Speech>,
    /// The certain parts of that speech, without margins and breaks.
    pub certain: Vec<Speech>,
    /// SHA-256 of the samples, as little-endian f32.
    pub sha256: String,
    /// The end of ffmpeg's stderr, if the sound broke off before its end.
    pub broke_off: Option<String>,
}

/// Reads `source` from end to end. Without a `detector` no speech is found.
pub fn analyze(
    source: &Source,
    AnalysisOptions { bins, limit_seconds }: AnalysisOptions,
    detector: Option<&mut Detector>,
    stop: &CancellationToken,
) -> Result<Analysis> {
    let mut sound = source.open()?;
    let mut mel = Mel::new(bins);
    let mut scanner = detector.map(SpeechScanner::new);
    let mut hash = Sha256::new();
    // The references scale by the maximum of the whole sound and not of a window, hence a pass before the first one.
    let mut loudest = f32::NEG_INFINITY;
    let (mut second, mut samples) = (0, 0);
    let mut bands = vec![0.0; bins];
    loop {
        if stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        if second >= limit_seconds {
            return Err(Error::TooLong { limit_seconds });
        }
        // A second, with half a window on both sides.
        let start = second * SAMPLE_RATE as u64;
        let from = start.saturating_sub(WINDOW as u64 / 2);
        let before = (start - from) as usize;
        let read = sound.samples(from, before + SAMPLE_RATE + WINDOW / 2)?;
        let new = read.get(before..).unwrap_or_default();
        let new = &new[..new.len().min(SAMPLE_RATE)];
        for frame in 0..new.len().div_ceil(HOP) as u64 {
            let mut under = [0.0; WINDOW];
            window(read, from, second * FRAMES_PER_SECOND as u64 + frame, &mut under);
            mel.frame(&under, &mut bands);
            loudest = bands.iter().copied().fold(loudest, f32::max);
        }
        // The hash is of the samples and not of the file: the same sound in another
        // container has the same seed, and the same words.
        hash.update(new.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
        if let Some(scanner) = &mut scanner {
            scanner.push(new)?;
        }
        samples += new.len() as u64;
        second += 1;
        if new.len() < SAMPLE_RATE {
            break;
        }
    }
    let voice = scanner.map(SpeechScanner::finish).transpose()?.unwrap_or_default();
    Ok(Analysis {
        samples,
        // Silence is measured too: at the floor.
        loudest: loudest.max(-10.0),
        speech: voice.speech,
        certain: voice.certain,
        sha256: hex(&hash.finalize()),
        broke_off: sound.broke_off().map(ToOwned::to_owned),
    })
}

impl Analysis {
    /// Returns the length in frames.
    pub fn frames(&self) -> u64 {
        // The references drop the last frame of their STFT, which leaves as many as there are whole hops.
        self.samples / HOP as u64
    }
}
