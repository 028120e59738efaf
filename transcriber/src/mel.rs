//! The log-mel spectrogram, as transformers' `WhisperFeatureExtractor` makes it: 25 ms windows every
//! 10 ms, Slaney's mel filters, ten powers of ten of range. Reckons in f64; its numbers reach the model as f32.

use std::{f64::consts::PI, sync::Arc, time::Duration};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

/// The rate of all sound in here, in hertz.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples from one frame to the next.
pub const HOP: usize = 160;
/// Samples under one frame's window.
pub const WINDOW: usize = 400;
/// Frames in a second.
pub const FRAMES_PER_SECOND: usize = SAMPLE_RATE / HOP;

/// Returns the time of a frame.
pub fn time(frames: u64) -> Duration {
    Duration::from_millis(frames * 1000 / FRAMES_PER_SECOND as u64)
}

/// Returns the frame at a time.
pub fn frame(time: Duration) -> u64 {
    time.as_millis() as u64 * FRAMES_PER_SECOND as u64 / 1000
}

const SPECTRUM: usize = WINDOW / 2 + 1;
// The extractor's floor, and the range below the loudest.
const FLOOR: f64 = 1e-10;
const RANGE: f32 = 8.0;

/// Makes frames; keeps its buffers between them.
pub struct Mel {
    fft: Arc<dyn RealToComplex<f64>>,
    hann: [f64; WINDOW],
    filters: Vec<Filter>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    power: [f64; SPECTRUM],
}

/// One mel band: its weights from the spectrum's line `first` on.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl Mel {
    /// Returns a maker of frames with `bins` bands, from 0 to 8 kHz.
    pub fn new(bins: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        Self {
            // The window is periodic, as torch's `hann_window` is by default: the divisor
            // is the length and not the length less one.
            hann: std::array::from_fn(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos()),
            filters: filters(bins),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            power: [0.0; SPECTRUM],
            fft,
        }
    }

    /// Returns the number of bands.
    pub fn bins(&self) -> usize {
        self.filters.len()
    }

    /// Writes one frame's decimal logarithms: the powers of `samples`, a whole window, in each band.
    pub fn frame(&mut self, samples: &[f32], out: &mut [f32]) {
        for ((windowed, sample), weight) in self.windowed.iter_mut().zip(samples).zip(&self.hann) {
            *windowed = f64::from(*sample) * weight;
        }
        // Both buffers are the plan's own, so their lengths fit.
        let _ = self.fft.process(&mut self.windowed, &mut self.spectrum);
        for (power, line) in self.power.iter_mut().zip(&self.spectrum) {
            *power = line.norm_sqr();
        }
        for (band, filter) in out.iter_mut().zip(&self.filters) {
            let lines = &self.power[filter.first..filter.first + filter.weights.len()];
            let sum: f64 = lines.iter().zip(&filter.weights).map(|(power, weight)| power * weight).sum();
            *band = sum.max(FLOOR).log10() as f32;
        }
    }
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mel").field("bins", &self.bins()).finish_non_exhaustive()
    }
}

/// Brings logarithms to the model's scale: eight powers of ten below the sound's `loudest`, then around zero.
pub fn scale(log: f32, loudest: f32) -> f32 {
    (log.max(loudest - RANGE) + 4.0) / 4.0
}

/// Slaney's filters: triangles that overlap by half, linear below 1 kHz and logarithmic above, of equal area.
fn filters(bins: usize) -> Vec<Filter> {
    let top = mel(SAMPLE_RATE as f64 / 2.0);
    let corners: Vec<f64> = (0..bins + 2).map(|n| hertz(top * n as f64 / (bins + 1) as f64)).collect();
    let line_hertz = |line: usize| line as f64 * SAMPLE_RATE as f64 / WINDOW as f64;
    let filter = |corner: &[f64]| {
        let (low, peak, high) = (corner[0], corner[1], corner[2]);
        let weight = |line: usize| {
            let f = line_hertz(line);
            let slope = ((f - low) / (peak - low)).min((high - f) / (high - peak));
            slope.max(0.0) * 2.0 / (high - low)
        };
        // A band covers a few of the 201 lines; the zeros around it are cut off and not multiplied.
        let weights: Vec<f64> = (0..SPECTRUM).map(weight).collect();
        let first = weights.iter().position(|w| *w > 0.0).unwrap_or(0);
        let end = weights.iter().rposition(|w| *w > 0.0).map_or(first, |last| last + 1);
        Filter { first, weights: weights[first..end].to_vec() }
    };
    corners.windows(3).map(filter).collect()
}

// Slaney's scale: three mels to 200 Hz up to 1 kHz, then 27 mels to a factor of 6.4.
const LINEAR_HERTZ: f64 = 200.0 / 3.0;
const LINEAR_TOP_MELS: f64 = 15.0;

fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 {
        hertz / LINEAR_HERTZ
    } else {
        LINEAR_TOP_MELS + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln()
    }
}

fn hertz(mel: f64) -> f64 {
    if mel < LINEAR_TOP_MELS {
        mel * LINEAR_HERTZ
    } else {
        1000.0 * ((mel - LINEAR_TOP_MELS) * 6.4_f64.ln() / 27.0).exp()
    }
}
