//! The engine for `reference/{speed,parity}.py`: transcribes the sound named by each line that comes in, and answers with a
//! line of JSON: the seconds that it took, and each window's tokens. One model, one process, so that rounds can take turns with other engines.
//!
//! Usage: windows MODEL PRECISION THREADS WINDOWS, of which the last is the number transcribed at once.

use std::{io::BufRead, path::Path, time::Instant};

use tokio_util::sync::CancellationToken;
use transcriber::{Config, Engine, Input, audio::Source, options::Options};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &str| arguments.next().unwrap_or_else(|| panic!("{name} is missing"));
    let (model, precision, threads) = (next("MODEL"), next("PRECISION"), next("THREADS"));
    let windows = next("WINDOWS").parse().expect("WINDOWS is a number");
    let engine = Engine::new(Config {
        model: model.into(),
        precision: if precision == "f32" { String::new() } else { precision },
        threads: threads.parse().expect("THREADS is a number"),
        windows,
        ..Config::default()
    });
    // Random weights fail every threshold; nothing is decoded twice.
    let options = Options {
        language: Some("en".into()),
        times: false,
        temperatures: vec![0.0],
        no_speech_most: 1.0,
        only_speech: false,
        ..Options::default()
    };
    engine.load().expect("the model loads");
    for line in std::io::stdin().lock().lines() {
        let source = Source::File(engine.file(Path::new(&line.expect("lines come in"))));
        let started = Instant::now();
        let transcription =
            engine.transcribe(Input::whole(&source, &options, &CancellationToken::new()), |_| Ok(()));
        let (transcription, seconds) =
            (transcription.expect("the sound is transcribed"), started.elapsed().as_secs_f64());
        let windows: Vec<&[u32]> =
            transcription.track.segments.iter().map(|spoken| spoken.tokens.as_slice()).collect();
        println!("{}", serde_json::json!({"seconds": seconds, "windows": windows}));
    }
}
