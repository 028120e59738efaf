//! Sounds in which nobody speaks: music of chords, melody and drums in changing keys, tempos and timbres; pink noise.

use std::f32::consts::TAU;

use transcriber::mel::SAMPLE_RATE;

use crate::harness::Chance;

const LOUDNESS: f32 = 0.1;
const MAJOR: [f32; 7] = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0];
const MINOR: [f32; 7] = [0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0];
// Degrees of the scale that chords stand on, bar by bar.
const CHORDS: [usize; 4] = [0, 3, 4, 0];

/// Returns music: one piece after another, each of half a minute or so and unlike the one before.
pub(crate) fn music(seed: u64, seconds: usize) -> Vec<f32> {
    let mut chance = Chance(seed);
    let mut sound = vec![0.0; seconds * SAMPLE_RATE];
    let mut at = 0.0;
    while at < seconds as f32 {
        let piece = Piece::new(&mut chance);
        piece.play(&mut sound, at, &mut chance);
        at += piece.seconds;
    }
    made_loud(sound)
}

/// Returns noise whose power falls by 3 dB an octave (Paul Kellet's filter).
pub(crate) fn pink_noise(seed: u64, seconds: usize) -> Vec<f32> {
    let mut chance = Chance(seed);
    let mut kept = [0.0; 3];
    let sound = (0..seconds * SAMPLE_RATE).map(|_| {
        let white = chance.noise();
        kept[0] = 0.997_65 * kept[0] + white * 0.099_046;
        kept[1] = 0.963 * kept[1] + white * 0.296_516_4;
        kept[2] = 0.57 * kept[2] + white * 1.052_691_3;
        kept.iter().sum::<f32>() + white * 0.1848
    });
    made_loud(sound.collect())
}

fn made_loud(mut sound: Vec<f32>) -> Vec<f32> {
    let power = sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32;
    for sample in &mut sound {
        *sample = (*sample * LOUDNESS / power.sqrt()).clamp(-1.0, 1.0);
    }
    sound
}

struct Piece {
    seconds: f32,
    beat: f32,
    /// The key's lowest tone, in semitones above 440 Hz.
    root: f32,
    scale: [f32; 7],
    /// How loud each harmonic is.
    timbre: [f32; 6],
    vibrato: f32,
    fades: f32,
    drums: bool,
}

/// A tone in a piece.
struct Tone {
    at: f32,
    seconds: f32,
    degree: usize,
    loudness: f32,
}

impl Piece {
    fn new(chance: &mut Chance) -> Self {
        let mut timbre = [0.0; 6];
        for (n, harmonic) in timbre.iter_mut().enumerate() {
            *harmonic = between(chance, 0.1, 1.0) / (n + 1) as f32;
        }
        Self {
            seconds: between(chance, 20.0, 40.0),
            beat: 60.0 / between(chance, 70.0, 150.0),
            root: between(chance, -24.0, -9.0).round(),
            scale: if chance.below(2) == 0 { MAJOR } else { MINOR },
            timbre,
            vibrato: between(chance, 0.0, 0.006),
            fades: between(chance, 0.5, 3.0),
            drums: chance.below(10) < 7,
        }
    }

    fn play(&self, sound: &mut [f32], start: f32, chance: &mut Chance) {
        for beat in 0..(self.seconds / self.beat) as usize {
            let at = start + beat as f32 * self.beat;
            if beat % 4 == 0 {
                for third in [0, 2, 4] {
                    let degree = CHORDS[beat / 4 % CHORDS.len()] + third;
                    self.tone(sound, &Tone { at, seconds: self.beat * 4.0, degree, loudness: 0.15 });
                }
            }
            for half in 0..=chance.below(2) {
                let seconds = self.beat / 2.0 * between(chance, 0.8, 1.8);
                let degree = chance.between(7, 15);
                let at = at + half as f32 * self.beat / 2.0;
                self.tone(sound, &Tone { at, seconds, degree, loudness: 0.25 });
            }
            if self.drums {
                if beat % 2 == 0 { drum(sound, at) } else { snare(sound, at, chance) }
            }
        }
    }

    fn tone(&self, sound: &mut [f32], tone: &Tone) {
        let octave = 12.0 * (tone.degree / 7) as f32;
        let pitch = 440.0 * 2_f32.powf((self.root + octave + self.scale[tone.degree % 7]) / 12.0);
        for (time, sample) in from(sound, tone.at, tone.seconds) {
            let phase = TAU * pitch * time + self.vibrato * pitch / 5.0 * (TAU * 5.2 * time).sin();
            let wave: f32 =
                self.timbre.iter().enumerate().map(|(n, loud)| loud * ((n + 1) as f32 * phase).sin()).sum();
            let swells = (time / 0.01).min(1.0) * ((tone.seconds - time) / 0.05).min(1.0);
            *sample += tone.loudness * wave * swells * (-self.fades * time / tone.seconds).exp();
        }
    }
}

fn drum(sound: &mut [f32], at: f32) {
    for (time, sample) in from(sound, at, 0.15) {
        let phase = TAU * (50.0 * time + 1.0 - (-time * 30.0).exp());
        *sample += 0.5 * phase.sin() * (-time * 25.0).exp();
    }
}

fn snare(sound: &mut [f32], at: f32, chance: &mut Chance) {
    for (time, sample) in from(sound, at, 0.15) {
        *sample += 0.3 * chance.noise() * (-time * 30.0).exp();
    }
}

/// Returns the samples from `at` on, each with its time since then.
fn from(sound: &mut [f32], at: f32, seconds: f32) -> impl Iterator<Item = (f32, &mut f32)> {
    let first = ((at * SAMPLE_RATE as f32) as usize).min(sound.len());
    let last = sound.len().min(first + (seconds * SAMPLE_RATE as f32) as usize);
    sound[first..last].iter_mut().enumerate().map(|(n, sample)| (n as f32 / SAMPLE_RATE as f32, sample))
}

fn between(chance: &mut Chance, low: f32, high: f32) -> f32 {
    low + (high - low) * (chance.noise() + 1.0) / 2.0
}
