//! The worker on a store: captions of an uploaded video, window by window.

use std::{path::Path, process::Command, time::Duration};

use crate::harness::{Talk, demo, errors, talk, words};
use store::{CaptionState, CaptionTrack, NewPlan, NewVideo, Store, Timestamp, VideoId};
use tokio_util::sync::CancellationToken;
use transcriber::Config;

// The file's clock is at ten seconds where the presentation begins.
const PLAN: &str = r#"{"start_seconds":10.0,"zero":{"secs":0,"nanos":0},"audio":[{"stream":0}]}"#;

fn config(model: &Path) -> Config {
    Config { model: model.into(), ..Config::default() }
}

/// Writes a talk as a file whose clock begins at ten seconds.
fn film(folder: &Path, talk: &Talk) -> std::path::PathBuf {
    let (raw, file) = (folder.join("talk.f32"), folder.join("talk.mkv"));
    let bytes: Vec<u8> = talk.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::fs::write(&raw, bytes).unwrap();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "f32le", "-ar", "16000", "-ac", "1", "-i"])
        .arg(&raw)
        .args(["-output_ts_offset", "10", "-c:a", "flac"])
        .arg(&file)
        .output();
    assert!(made.unwrap().status.success());
    file
}

async fn upload(store: &Store, file: &Path, plan: &str) -> VideoId {
    let video = NewVideo {
        title: "Talk".into(),
        description: String::new(),
        source_name: "talk.mkv".into(),
        owner: None,
    };
    let upload = store.uploads.begin(&video, None, Timestamp(i64::MAX)).await.unwrap();
    store.uploads.finish_linked(&upload.id, file).await.unwrap();
    let plan = NewPlan {
        json: plan,
        duration_seconds: 60.0,
        renditions: &[],
        jobs: &[],
        captions: &[],
        listen: true,
        notes: &[],
    };
    store.renditions.plan(&upload.id, &plan).await.unwrap();
    // Captions wait until their video plays.
    store.videos.mark_ready(&upload.id).await.unwrap();
    upload.id
}

/// Works until the video's track is as wanted; the worker is then stopped as a server stops it.
async fn work_until(
    store: &Store,
    config: Config,
    video: &VideoId,
    wanted: impl Fn(&CaptionTrack) -> bool,
) -> CaptionTrack {
    let stop = CancellationToken::new();
    let mut events = store.signals.subscribe();
    let worker = tokio::spawn(transcriber::run(store.clone(), config, "/nowhere".into(), stop.clone()));
    let track = loop {
        let tracks = store.captions.of(video).await.unwrap();
        if let Some(track) = tracks.into_iter().find(&wanted) {
            break track;
        }
        // A missed event is no harm: the next query sees the same.
        let _ = tokio::time::timeout(Duration::from_millis(200), events.recv()).await;
    };
    stop.cancel();
    worker.await.unwrap();
    track
}

async fn shown(store: &Store, track: &CaptionTrack) -> Vec<(u64, u64, String)> {
    let cues = store.captions.cues(&track.id).await.unwrap();
    cues.into_iter().map(|cue| (cue.cue.start_ms, cue.cue.end_ms, cue.cue.text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_gets_its_captions_on_its_own_clock_and_goes_on_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let talk = talk(21, 80);
    let file = film(folder.path(), &talk);
    let store = Store::embedded(&folder.path().join("store")).await.unwrap();
    let video = upload(&store, &file, PLAN).await;
    let track = work_until(&store, config(&demo()), &video, |track| track.state == CaptionState::Done).await;
    assert_eq!(track.language.as_deref(), Some("en"));
    assert!(track.provenance.as_deref().unwrap().contains("\"model\":\"demo\""));
    let cues = shown(&store, &track).await;
    let truth: Vec<String> = talk.sentences.iter().flat_map(|sentence| words(&sentence.text)).collect();
    let written: Vec<String> = cues.iter().flat_map(|(_, _, text)| words(text)).collect();
    assert!(errors(&truth, &written) * 5 <= truth.len(), "{written:?}");
    // The file's clock starts at ten seconds, the video's at zero.
    assert!((cues[0].0 as f64 / 1000.0 - talk.sentences[0].start).abs() < 0.3, "{:?}", cues[0]);

    // The same again, stopped after its first window.
    let other = upload(&store, &file, PLAN).await;
    let half = work_until(&store, config(&demo()), &other, |track| track.seconds_done > 0.0).await;
    assert!(half.seconds_done < 80.0);
    let whole = work_until(&store, config(&demo()), &other, |track| track.state == CaptionState::Done).await;
    assert_eq!(shown(&store, &whole).await, cues);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_captions_wait_and_are_written_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), &talk(22, 5));
    let store = Store::embedded(&folder.path().join("store")).await.unwrap();
    let video = upload(&store, &file, PLAN).await;
    let nowhere = folder.path().join("no-model");
    let waiting = work_until(&store, config(&nowhere), &video, |t| t.state == CaptionState::Waiting).await;
    assert!(waiting.message.unwrap().contains("clipcut model pull"));
    assert_eq!(store.captions.languages_of(None).await.unwrap(), Vec::<String>::new());
    let done = work_until(&store, config(&demo()), &video, |t| t.state == CaptionState::Done).await;
    let known = store.captions.languages_of(None).await.unwrap();
    assert!(["de", "en"].iter().all(|code| known.iter().any(|known| known == code)), "{known:?}");
    assert!(done.has_cues);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_without_sound_or_speech_has_no_captions() {
    let folder = tempfile::tempdir().unwrap();
    let silent = Talk { samples: vec![0.0; 100_000], sentences: vec![] };
    let file = film(folder.path(), &silent);
    let store = Store::embedded(&folder.path().join("store")).await.unwrap();
    for plan in [PLAN, r#"{"start_seconds":0.0,"zero":{"secs":0,"nanos":0},"audio":[]}"#] {
        let video = upload(&store, &file, plan).await;
        let track = work_until(&store, config(&demo()), &video, |t| t.state == CaptionState::None).await;
        assert!(!track.has_cues);
    }
}
