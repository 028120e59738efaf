//! Turns: what a viewer waits for is encoded first, while all else goes on behind it to its end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "of the harness, other tests use more")]

mod harness;

use harness::{make, quick, settled, take_in};
use packager::Config;
use store::{State, Store, VideoId, Want};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LONG: &str = "-f lavfi -i testsrc2=s=640x360:r=25:d=90 -f lavfi -i sine=f=440:r=48000:d=90 \
    -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac";
const SHORT: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// Waits until `there` holds; each signal is a reason to look again.
async fn until(store: &Store, there: impl AsyncFn() -> bool) {
    let mut signals = store.signals.subscribe();
    while !there().await {
        let _ = signals.recv().await;
    }
}

/// A video of a minute and a half, and the packager that encodes it.
struct Encode {
    store: Store,
    id: VideoId,
    stop: CancellationToken,
    worker: JoinHandle<()>,
    _folders: [TempDir; 2],
}

impl Encode {
    async fn begin(config: Config) -> Self {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source = make(folder.path(), "long.mp4", LONG);
        let store = Store::embedded(home.path()).await.unwrap();
        let id = take_in(&store, &source).await;
        let stop = CancellationToken::new();
        let worker = tokio::spawn(packager::run(store.clone(), config, stop.clone()));
        Self { store, id, stop, worker, _folders: [folder, home] }
    }

    /// Waits for its end, and expects every segment of every rendition, and no note of a loss.
    async fn ends_whole(self) {
        let video = settled(&self.store, &self.id).await;
        assert_eq!((video.state, video.failure, video.notes), (State::Ready, None, Vec::new()));
        for progress in self.store.renditions.of(&self.id).await.unwrap() {
            assert_eq!(progress.segments_published, 17, "{}", progress.rendition.name);
        }
        self.stop.cancel();
        self.worker.await.unwrap();
    }
}

#[tokio::test]
async fn a_wanted_segment_is_encoded_before_those_before_it_and_nothing_is_lost() {
    let encode = Encode::begin(quick()).await;
    let Encode { store, id, .. } = &encode;

    until(store, async || store.videos.get(id).await.unwrap().unwrap().plan.is_some()).await;
    // The smallest rendition's turn comes behind all of the one that players begin on.
    let want = Want { video: id, rendition: "240p", number: 13 };
    assert!(store.jobs.want(&want).await.unwrap());
    until(store, async || store.renditions.is_published(id, "240p", 13).await.unwrap()).await;
    assert!(!store.renditions.is_published(id, "240p", 12).await.unwrap());

    encode.ends_whole().await;
}

#[tokio::test]
async fn a_viewer_who_seeks_again_does_not_wait_for_what_was_ahead_of_the_first_place() {
    let encode = Encode::begin(Config { encode_slots: 1, ..quick() }).await;
    let Encode { store, id, .. } = &encode;
    until(store, async || store.videos.get(id).await.unwrap().unwrap().plan.is_some()).await;

    let published = async |number| store.renditions.is_published(id, "240p", number).await.unwrap();
    for (number, behind) in [(12, 14), (5, 7)] {
        assert!(store.jobs.want(&Want { video: id, rendition: "240p", number }).await.unwrap());
        until(store, async || published(number).await).await;
        assert!(!published(behind).await, "{behind} is only ahead of a viewer of {number}");
    }
    assert!(!published(14).await, "the second place goes before what is ahead of the first");
    encode.ends_whole().await;
}

#[tokio::test]
async fn an_encoder_that_stands_still_goes_on_for_a_viewer_of_its_next_segment() {
    let encode = Encode::begin(Config { encode_slots: 1, ..quick() }).await;
    let Encode { store, id, .. } = &encode;

    let published = async |number| store.renditions.is_published(id, "360p", number).await.unwrap();
    until(store, async || published(3).await).await;
    // The encoder of the rendition's rest makes room for the first viewer, and has what the second waits for next.
    for number in [12, 5] {
        store.jobs.want(&Want { video: id, rendition: "360p", number }).await.unwrap();
    }
    until(store, async || published(5).await).await;
    assert!(!published(14).await, "it waited for all that is ahead of the first viewer");

    encode.ends_whole().await;
}

#[tokio::test]
async fn a_short_video_is_ready_while_a_long_one_is_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let (long, short) = (make(folder.path(), "long.mp4", LONG), make(folder.path(), "short.mp4", SHORT));
    let home = tempfile::tempdir().unwrap();
    let store = Store::embedded(home.path()).await.unwrap();
    let stop = CancellationToken::new();
    let first = take_in(&store, &long).await;
    let second = take_in(&store, &short).await;
    let worker =
        tokio::spawn(packager::run(store.clone(), Config { run_segments: 3, ..quick() }, stop.clone()));
    assert_eq!(settled(&store, &second).await.state, State::Ready);
    assert_ne!(store.videos.get(&first).await.unwrap().unwrap().state, State::Ready);
    assert_eq!(settled(&store, &first).await.state, State::Ready);
    stop.cancel();
    worker.await.unwrap();
}
