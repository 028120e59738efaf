//! A window's spectrogram: frames of the sound as the model's encoder takes them.

use crate::{
    Result,
    audio::{Sound, window},
    mel::{HOP, Mel, WINDOW, scale},
};

/// A window's span in the sound, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowSpan {
    /// Its first frame.
    pub(crate) from: u64,
    /// Frames in it; those behind the sound's end are silent …
    pub(crate) frames: usize,
    /// … and those from here on, whatever is there.
    pub(crate) silent_from: usize,
}

/// Returns bands × frames, scaled by the sound's `loudest`.
pub(crate) fn render(sound: &mut Sound, mel: &mut Mel, span: WindowSpan, loudest: f32) -> Result<Vec<f32>> {
    let half = WINDOW as u64 / 2;
    let from = (span.from * HOP as u64).saturating_sub(half);
    let until = (span.from + span.frames as u64) * HOP as u64 + half;
    let samples = sound.samples(from, (until - from) as usize)?;
    let bins = mel.bins();
    let mut spectrogram = vec![0.0; bins * span.frames];
    let mut bands = vec![0.0; bins];
    // Where nothing sounds, the logarithm is at its floor.
    spectrogram.fill(scale(-10.0, loudest));
    for frame in 0..span.frames.min(span.silent_from) {
        let mut under = [0.0; WINDOW];
        window(samples, from, span.from + frame as u64, &mut under);
        mel.frame(&under, &mut bands);
        for (band, log) in bands.iter().enumerate() {
            spectrogram[band * span.frames + frame] = scale(*log, loudest);
        }
    }
    Ok(spectrogram)
}
