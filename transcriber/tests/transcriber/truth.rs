//! The engine against speech whose text is known, and against silence.

use crate::{
    harness::{engine, errors, talk, words},
    music::{music, pink_noise},
};
use tokio_util::sync::CancellationToken;
use transcriber::{audio::Source, engine::Transcription, listen::Options, mel::SAMPLE_RATE};

const TEN_MINUTES: usize = 600;

fn transcribe(samples: Vec<f32>) -> Transcription {
    let (options, stop) = (Options::default(), CancellationToken::new());
    let source = Source::Samples(samples.into());
    engine("quantized", 2).transcribe(&source, (&options, &[], &stop), |_| Ok(())).unwrap()
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

    // No cue outstays the sound by more than a second.
    let end = heard.track.cues.last().unwrap().end.as_secs_f64();
    assert!(end <= talk.samples.len() as f64 / SAMPLE_RATE as f64 + 1.0);
}

// What the quantized demo model gets wrong of these sentences, all of which are new to it, and half a point.
const MOST_WRONG_PERCENT: f64 = 7.5;

#[test]
fn silence_gets_no_cue() {
    nothing_in(vec![0.0; TEN_MINUTES * SAMPLE_RATE]);
}

#[test]
fn music_gets_no_cue() {
    nothing_in(music(1, TEN_MINUTES));
}

#[test]
fn noise_gets_no_cue() {
    nothing_in(pink_noise(2, TEN_MINUTES));
}

fn nothing_in(samples: Vec<f32>) {
    let heard = transcribe(samples);
    assert!(heard.track.cues.is_empty(), "{:?}", heard.track.cues);
}
