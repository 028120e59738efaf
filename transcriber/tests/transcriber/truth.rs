//! The engine against speech whose text is known, and against sound in which nobody speaks.

use crate::harness::{Chance, engine, errors, talk, words};
use tokio_util::sync::CancellationToken;
use transcriber::{audio::Source, engine::Transcription, listen::Options, mel::SAMPLE_RATE};

const TEN_MINUTES: usize = 600;

fn transcribe(samples: Vec<f32>) -> Transcription {
    let (options, stop) = (Options::default(), CancellationToken::new());
    let source = Source::Samples(samples.into());
    engine("quantized", 2).transcribe(&source, (&options, &stop), &[], |_| Ok(())).unwrap()
}

#[test]
fn ten_minutes_of_new_sentences_come_out_as_they_were_said() {
    let talk = talk(7, TEN_MINUTES);
    let heard = transcribe(talk.samples.clone());
    assert_eq!(heard.track.language, "en");

    let said: Vec<String> = talk.sentences.iter().flat_map(|(_, text)| words(text)).collect();
    let written: Vec<String> = heard.track.cues.iter().flat_map(|cue| words(cue.text.as_str())).collect();
    let rate = errors(&said, &written) as f64 / said.len() as f64 * 100.0;
    let starts: Vec<f64> = heard.track.segments.iter().map(|segment| segment.start.as_secs_f64()).collect();
    let mut off: Vec<f64> = talk
        .sentences
        .iter()
        .map(|(start, _)| starts.iter().map(|s| (s - start).abs()).fold(f64::INFINITY, f64::min))
        .collect();
    off.sort_by(f64::total_cmp);
    let (median, most) = (off[off.len() / 2], off[off.len() * 95 / 100]);
    println!("{} words, {rate:.2} % wrong; starts off by {median:.3} s, 95 % by {most:.3} s", said.len());
    assert!(rate <= MOST_WRONG_PERCENT, "{rate:.2} % of the words are wrong");
    assert!(median <= 0.05 && most <= 0.3, "cues start off by {median:.3} s, 95 % by {most:.3} s");

    // No cue lies over silence longer than a second, or begins before somebody speaks.
    let end = heard.track.cues.last().unwrap().end.as_secs_f64();
    assert!(end <= talk.samples.len() as f64 / SAMPLE_RATE as f64 + 1.0);
}

// The reference's word error rate on sound of this kind, and half a point.
const MOST_WRONG_PERCENT: f64 = 5.8;

#[test]
fn silence_gets_no_cue() {
    nothing_in(vec![0.0; TEN_MINUTES * SAMPLE_RATE]);
}

#[test]
fn pink_noise_gets_no_cue() {
    let mut chance = Chance(3);
    // Paul Kellet's filter.
    let mut b = [0.0_f32; 3];
    let noise = (0..TEN_MINUTES * SAMPLE_RATE).map(|_| {
        let white = chance.noise();
        b[0] = 0.99765 * b[0] + white * 0.099_046;
        b[1] = 0.963 * b[1] + white * 0.296_516;
        b[2] = 0.57 * b[2] + white * 1.052_691;
        (b[0] + b[1] + b[2] + white * 0.1848) * 0.1
    });
    nothing_in(noise.collect());
}

#[test]
fn music_gets_no_cue() {
    // Four chords, a bass and a beat: tones with overtones that swell and fade.
    let chords =
        [[220.0, 277.18, 329.63], [174.61, 220.0, 261.63], [196.0, 246.94, 293.66], [164.81, 207.65, 246.94]];
    let music = (0..TEN_MINUTES * SAMPLE_RATE).map(|n| {
        let t = n as f64 / SAMPLE_RATE as f64;
        let chord = chords[(t / 2.0) as usize % 4];
        let fade = (-(t % 2.0) * 1.5).exp();
        let tone = |f: f64| {
            let phase = std::f64::consts::TAU * f * t;
            phase.sin() + 0.4 * (2.0 * phase).sin() + 0.2 * (3.0 * phase).sin()
        };
        let beat = (std::f64::consts::TAU * 60.0 * t).sin() * (-(t % 0.5) * 20.0).exp();
        ((chord.iter().map(|f| tone(*f)).sum::<f64>() * fade + tone(chord[0] / 2.0) * 0.7) * 0.12
            + beat * 0.3) as f32
    });
    nothing_in(music.collect());
}

fn nothing_in(samples: Vec<f32>) {
    let heard = transcribe(samples);
    assert!(heard.track.cues.is_empty(), "{:?}", heard.track.cues);
}
