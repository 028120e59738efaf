//! Shared by the packager's tests: sources made by ffmpeg, a packager at work on an embedded store, and ffprobe's
//! view of the result.

mod film;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use packager::plan::Plan;
use store::{NewVideo, State, Store, Timestamp, Video, VideoId};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) use film::make;

// Far beyond any test's own time; only a hang meets it.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs a program and returns what it prints; it must end well and, with ffmpeg's `-v warning`, in silence.
pub(crate) fn ask(program: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).output().unwrap();
    let complaints = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && complaints.is_empty(), "{program} {args:?}: {complaints}");
    String::from_utf8(run.stdout).unwrap()
}

/// A packaged source.
pub(crate) struct Packaged {
    pub(crate) video: Video,
    pub(crate) plan: Plan,
    pub(crate) folder: PathBuf,
    _home: TempDir,
}

/// Packages `source` and expects it to become ready.
pub(crate) async fn package(source: &Path, config: packager::Config) -> Packaged {
    let packaged = try_package(source, config).await;
    assert_eq!(packaged.video.failure, None);
    packaged
}

/// Packages `source` until it is ready or has failed.
pub(crate) async fn try_package(source: &Path, config: packager::Config) -> Packaged {
    let home = tempfile::tempdir().unwrap();
    let store = Store::embedded(home.path()).await.unwrap();
    let id = take_in(&store, source).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(packager::run(store.clone(), config, stop.clone()));
    let video = tokio::time::timeout(PATIENCE, settled(&store, &id)).await.unwrap();
    stop.cancel();
    worker.await.unwrap();
    if video.plan.is_some() {
        packager::export_captions(&store, &id).await.unwrap();
    }
    let plan = serde_json::from_str(video.plan.as_deref().unwrap_or("{}"));
    let plan = plan.unwrap_or_else(|_| empty_plan());
    let folder = store.blobs.file(&id.folder()).unwrap();
    Packaged { video, plan, folder, _home: home }
}

/// Makes a video of `source`, which waits for a packager then.
pub(crate) async fn take_in(store: &Store, source: &Path) -> VideoId {
    let new = NewVideo {
        title: String::new(),
        description: String::new(),
        source_name: "source".into(),
        owner: None,
    };
    let id = store.uploads.begin(&new, None, Timestamp::now()).await.unwrap().id;
    store.uploads.finish_linked(&id, source).await.unwrap();
    id
}

/// Waits until the video is ready or has failed.
pub(crate) async fn settled(store: &Store, id: &VideoId) -> Video {
    let mut events = store.signals.subscribe();
    loop {
        let video = store.videos.get(id).await.unwrap().unwrap();
        if matches!(video.state, State::Ready | State::Failed) {
            return video;
        }
        let _ = events.recv().await;
    }
}

fn empty_plan() -> Plan {
    let grid =
        packager::plan::Grid { timescale: 1, segment_ticks: 1, start_up_segments: 1, duration_ticks: 0 };
    Plan {
        start_seconds: 0.0,
        zero: Duration::ZERO,
        grid,
        video: None,
        audio: Vec::new(),
        text: Vec::new(),
        notes: Vec::new(),
        parts: Vec::new(),
    }
}

/// The quickest encoder and few rungs: what is tested is where frames lie, not how good they look.
pub(crate) fn quick() -> packager::Config {
    let mut config = packager::Config { preset: "ultrafast".into(), ..packager::Config::default() };
    config.plan.ladder.rungs = vec![720, 240];
    config
}
