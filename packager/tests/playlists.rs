//! Captions in the playlists: the file's own, and those that come, grow and go when a video is ready.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::{path::Path, time::Duration};

use harness::{ask, make, package, quick, settled, take_in};
use store::{Advance, Conclusion, Cue, DetectedLanguage, JobKind, NewTrack, State, Store, VideoId};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn text_tracks_become_captions_on_the_medias_own_grid() {
    let folder = tempfile::tempdir().unwrap();
    let subtitles = "1\n00:00:01,000 --> 00:00:02,500\nHello <b>there</b>\n\n2\n00:00:05,000 --> 00:00:07,000\nacross\nthe border\n";
    let srt = folder.path().join("text.srt");
    std::fs::write(&srt, subtitles).unwrap();
    let picture = "-f lavfi -i testsrc2=s=320x180:r=25:d=14";
    for (file, codec) in [("text.mkv", "subrip"), ("text.mp4", "mov_text")] {
        let text = format!("-i {} -map 0 -map 1 -c:s {codec} -metadata:s:s:0 language=eng", srt.display());
        let fast = "-c:v libx264 -preset ultrafast";
        let source = make(folder.path(), file, &format!("{picture} {text} {fast}"));
        let packaged = package(&source, quick()).await;
        let read = |name: &str| std::fs::read_to_string(packaged.folder.join("captions").join(name)).unwrap();
        assert!(read("en.vtt").contains("00:00:01.000 --> 00:00:02.500\nHello"), "{}", read("en.vtt"));
        for (number, wanted) in [(0, false), (2, true), (3, true), (4, false)] {
            let segment = read(&format!("en/{number}.vtt"));
            assert_eq!(
                segment.contains("00:00:05.000 --> 00:00:07.000\nacross\nthe border"),
                wanted,
                "{segment}"
            );
        }
        let media = read("en/media.m3u8");
        assert_eq!(media.matches("#EXTINF").count(), packaged.plan.grid.segments() as usize, "{media}");
        let master = std::fs::read_to_string(packaged.folder.join("master.m3u8")).unwrap();
        assert!(master.contains("TYPE=SUBTITLES") && master.contains("captions/en/media.m3u8"), "{master}");
        // ffmpeg reads the rendition as one: it knows the cue in both segments for one, and no header for words.
        let playlist = packaged.folder.join("captions/en/media.m3u8");
        let shown = ask("ffmpeg", &["-v", "error", "-i", playlist.to_str().unwrap(), "-f", "srt", "-"]);
        assert_eq!(shown.replace("\r\n", "\n").trim(), subtitles.trim());
    }
}

async fn ready(store: &Store, source: &Path) -> VideoId {
    let id = take_in(store, source).await;
    assert_eq!(settled(store, &id).await.state, State::Ready);
    id
}

/// Waits until a playlist is as wanted.
async fn until(store: &Store, id: &VideoId, file: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut events = store.signals.work();
    let key = format!("{}/{file}", id.folder());
    let looked = async {
        loop {
            events.mark_unchanged();
            let text = store.blobs.read(&key).await.unwrap().unwrap();
            let text = String::from_utf8(text.to_vec()).unwrap();
            if wanted(&text) {
                return text;
            }
            // A finished job is notified to the workers, and the playlists are written before it is finished.
            let _ = events.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.unwrap()
}

#[tokio::test]
async fn playlists_of_a_ready_video_follow_its_captions() {
    let folder = tempfile::tempdir().unwrap();
    let sound = "-f lavfi -i testsrc2=s=320x180:r=25:d=8 -f lavfi -i sine=d=8 -c:v libx264 -preset ultrafast -c:a aac";
    let source = make(folder.path(), "source.mp4", sound);
    let home = tempfile::tempdir().unwrap();
    let store = Store::embedded(home.path()).await.unwrap();
    let stop = CancellationToken::new();
    let config = packager::Config { listen: true, ..quick() };
    let worker = tokio::spawn(packager::run(store.clone(), config, stop.clone()));
    let id = ready(&store, &source).await;
    let first = until(&store, &id, "master.m3u8", |_| true).await;
    assert!(!first.contains("SUBTITLES") && first.contains("I-FRAME"), "{first}");

    let lease = Duration::from_mins(1);
    let job = store.jobs.claim(&[JobKind::Captions], "ear", lease).await.unwrap().unwrap();
    store.captions.begin(&job).await.unwrap().unwrap();
    store
        .captions
        .set_language(&job, &DetectedLanguage { language: "en", provenance: "{}" })
        .await
        .unwrap()
        .unwrap();
    let cues = [Cue {
        start_ms: 500,
        end_ms: 1500,
        styles: String::new(),
        settings: String::new(),
        text: "Hello".into(),
    }];
    let window = Advance { seconds_done: 4.0, checkpoint: "{}", cues: &cues, segments: "[]" };
    assert!(store.captions.advance(&job, &window).await.unwrap());
    let running = until(&store, &id, "master.m3u8", |text| text.contains("captions/en/")).await;
    assert!(running.contains("public.machine-generated"), "{running}");
    // Measured rates stay.
    assert!(running.contains("I-FRAME") && running.contains("SUBTITLES=\"captions\""), "{running}");
    let media = until(&store, &id, "captions/en/media.m3u8", |_| true).await;
    assert_eq!(media.matches(".vtt").count(), 4, "{media}");
    let manifest = until(&store, &id, "manifest.mpd", |_| true).await;
    assert!(!manifest.contains("text/vtt"), "a DASH player would never see the rest: {manifest}");

    store.captions.conclude(&job, Conclusion::Whole).await.unwrap();
    until(&store, &id, "manifest.mpd", |text| text.contains("captions/en.vtt")).await;
    let german = NewTrack { language: "de", label: None, cues: &cues };
    let german = store.captions.add(&id, &german).await.unwrap().unwrap();
    let both = until(&store, &id, "master.m3u8", |text| text.contains("captions/de/")).await;
    assert!(both.find("captions/de/") < both.find("captions/en/"), "people's words come first: {both}");
    store.captions.delete(&german.id).await.unwrap();
    until(&store, &id, "master.m3u8", |text| !text.contains("captions/de/")).await;
    stop.cancel();
    worker.await.unwrap();
    let gone = store.blobs.read(&format!("{}/captions/de/media.m3u8", id.folder())).await.unwrap();
    assert!(gone.is_none(), "what nothing leads to is gone");
}
