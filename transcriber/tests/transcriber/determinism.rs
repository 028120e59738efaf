//! The words do not depend on threads, interruptions, or the window that work goes on from.

use crate::harness::{engine, side_by_side, source, talk};
use tokio_util::sync::CancellationToken;
use transcriber::{Engine, Error, Input, audio::Source, options::Options, transcribe::Window};

#[test]
fn one_thread_or_many_write_the_same_bytes() {
    let sound = Source::Samples(talk(11, 70).samples.into());
    let (options, stop) = (Options::default(), CancellationToken::new());
    let written = |precision, threads| {
        let transcription =
            engine(precision, threads).transcribe(Input::whole(&sound, &options, &stop), |_| Ok(())).unwrap();
        captions::json::render(&transcription.track)
    };
    for precision in ["", "quantized"] {
        let once = written(precision, 1);
        assert!(once.contains("\"text\""));
        assert_eq!(once, written(precision, 1));
        assert_eq!(once, written(precision, 4));
    }
}

#[test]
fn work_that_was_stopped_goes_on_to_the_same_bytes() {
    let sound = Source::Samples(talk(12, 100).samples.into());
    let engine = engine("quantized", 2);
    let options = Options::default();
    let whole =
        engine.transcribe(Input::whole(&sound, &options, &CancellationToken::new()), |_| Ok(())).unwrap();

    let stop = CancellationToken::new();
    let mut done: Vec<Window> = Vec::new();
    let stopped = engine.transcribe(Input::whole(&sound, &options, &stop), |report| {
        done.push(report.window.clone());
        if done.len() == 2 {
            stop.cancel();
        }
        Ok(())
    });
    assert!(matches!(stopped, Err(Error::Interrupted)));
    // As a worker keeps it: as text.
    let done: Vec<Window> = serde_json::from_str(&serde_json::to_string(&done).unwrap()).unwrap();
    let rest = engine
        .transcribe(
            Input { source: &sound, options: &options, done: &done, stop: &CancellationToken::new() },
            |_| Ok(()),
        )
        .unwrap();
    assert_eq!(captions::json::render(&rest.track), captions::json::render(&whole.track));
}

#[test]
fn windows_side_by_side_write_the_same_bytes_however_many_and_wherever_they_are_stopped() {
    let sound = Source::Samples(talk(12, 150).samples.into());
    let options = Options::default();
    let whole = |windows: usize, done: &[Window]| {
        let mut order = Vec::new();
        let go = CancellationToken::new();
        let transcription = side_by_side(windows).transcribe(
            Input { source: &sound, options: &options, done, stop: &go },
            |report| {
                order.push(report.window.clone());
                Ok(())
            },
        );
        let (transcription, all) = (transcription.unwrap(), [done, &order].concat());
        assert!(all.is_sorted_by_key(|window| window.next), "{all:?}");
        (captions::json::render(&transcription.track), all)
    };
    let (written, windows) = whole(2, &[]);
    assert!(windows.len() > 4, "{windows:?}");
    assert_eq!(whole(3, &[]).0, written);
    for stopped_after in [1, 3, windows.len()] {
        assert_eq!(whole(2, &windows[..stopped_after]).0, written, "{stopped_after}");
    }
    let stop = CancellationToken::new();
    let stopped = side_by_side(2).transcribe(Input::whole(&sound, &options, &stop), |_| {
        stop.cancel();
        Ok(())
    });
    assert!(matches!(stopped, Err(Error::Interrupted)));
}

#[test]
fn odd_sounds_are_no_failures() {
    let engine = engine("quantized", 2);
    let (options, stop) = (Options::default(), CancellationToken::new());
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, args: &[&str]| {
        let file = folder.path().join(name);
        let made =
            std::process::Command::new("ffmpeg").args(["-v", "error", "-y"]).args(args).arg(&file).output();
        assert!(made.unwrap().status.success());
        file
    };
    let tone = "sine=f=440:d=1:r=48000";
    let cases = [
        make("moment.wav", &["-f", "lavfi", "-i", "sine=f=440:d=0.01"]),
        make("fast.wav", &["-f", "lavfi", "-i", "sine=f=440:d=1:r=192000"]),
        make("wide.wav", &["-f", "lavfi", "-i", tone, "-ac", "8"]),
        make("odd.wav", &["-f", "lavfi", "-i", "aevalsrc='if(lt(t,0.5),0/0,1/0)':d=1", "-c:a", "pcm_f32le"]),
    ];
    for file in cases {
        let transcription =
            engine.transcribe(Input::whole(&source(&file), &options, &stop), |_| Ok(())).unwrap();
        assert!(transcription.track.cues.is_empty(), "{}", file.display());
    }

    let mute = make("mute.mp4", &["-f", "lavfi", "-i", "color=d=1:s=64x64", "-c:v", "libx264"]);
    let refused = engine.transcribe(Input::whole(&source(&mute), &options, &stop), |_| Ok(()));
    assert!(matches!(refused, Err(Error::NoSound)), "{refused:?}");

    let whole = make("whole.flac", &["-f", "lavfi", "-i", "sine=f=440:d=20"]);
    let bytes = std::fs::read(&whole).unwrap();
    let broken = folder.path().join("broken.flac");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    let transcription =
        engine.transcribe(Input::whole(&source(&broken), &options, &stop), |_| Ok(())).unwrap();
    let end = transcription.track.ends_at_seconds.expect("the sound breaks off");
    assert!((1.0..19.0).contains(&end), "{end}");

    let text = folder.path().join("text.wav");
    std::fs::write(&text, "no sound at all").unwrap();
    let refused = engine.transcribe(Input::whole(&source(&text), &options, &stop), |_| Ok(()));
    assert!(matches!(refused, Err(Error::Unreadable(_))), "{refused:?}");
}

#[test]
fn a_language_that_the_model_does_not_know_is_answered_with_the_list() {
    let engine = engine("quantized", 2);
    let options = Options { language: Some("klingon".into()), ..Options::default() };
    let sound = Source::Samples(vec![0.0; 16_000].into());
    let refused = engine.transcribe(Input::whole(&sound, &options, &CancellationToken::new()), |_| Ok(()));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("`klingon`") && message.contains("de, el, en, es"), "{message}");
}

#[test]
fn sampled_tokens_repeat() {
    let sound = Source::Samples(talk(13, 40).samples.into());
    let warm = Options { temperatures: vec![1.0], ..Options::default() };
    let written = |engine: &Engine, options: &Options| {
        let stop = CancellationToken::new();
        let transcription = engine.transcribe(Input::whole(&sound, options, &stop), |_| Ok(())).unwrap();
        transcription.track.segments
    };
    let (one, other) = (engine("quantized", 2), engine("quantized", 1));
    let drawn = written(&one, &warm);
    assert_eq!(drawn, written(&one, &warm));
    assert_eq!(drawn, written(&other, &warm));
    assert!(!drawn.is_empty() && drawn != written(&one, &Options::default()), "nothing was sampled");
}

#[test]
fn a_result_that_looks_wrong_is_decoded_at_every_temperature() {
    let sound = Source::Samples(talk(13, 20).samples.into());
    let temperatures = |options: Options| {
        let (engine, stop) = (engine("quantized", 2), CancellationToken::new());
        let transcription = engine.transcribe(Input::whole(&sound, &options, &stop), |_| Ok(())).unwrap();
        transcription.track.segments.iter().map(|spoken| spoken.temperature).collect::<Vec<_>>()
    };
    let taken = temperatures(Options::default());
    assert!(!taken.is_empty());
    assert_eq!(taken, vec![0.0; taken.len()]);
    // Nothing is as sure as this, or so varied; the last try stands.
    for never_right in [
        Options { avg_logprob_least: 0.0, ..Options::default() },
        Options { compression_ratio_most: 0.0, ..Options::default() },
    ] {
        let tried = temperatures(never_right);
        assert!(!tried.is_empty());
        assert_eq!(tried, vec![1.0; tried.len()]);
    }
}
