//! Posters: the frame that players show at a moment, pictures of the owner's, and what becomes of them when a video is tried
//! again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "of the harness, other tests use more")]

mod harness;

use std::{path::Path, process::Command};

use harness::{make, quick, settled, take_in};
use packager::Config;
use store::{Failure, NewPoster, PosterKind, State, Store, VideoId};
use tokio_util::sync::CancellationToken;

// One key frame and three colours, of which none comes from a key frame's neighbourhood by chance.
const COLOURS: &str = "-f lavfi -i color=red:s=1280x720:r=25:d=2 -f lavfi -i color=lime:s=1280x720:r=25:d=2 \
    -f lavfi -i color=blue:s=1280x720:r=25:d=2 -filter_complex [0][1][2]concat=n=3 \
    -c:v libx264 -preset ultrafast -g 250 -sc_threshold 0 -pix_fmt yuv420p";
const SOUND: &str = "-f lavfi -i sine=f=440:r=48000:d=2 -c:a aac";

/// Waits until the choice is made or refused. Returns the problem.
async fn ended(store: &Store, id: &VideoId) -> Option<String> {
    let mut signals = store.signals.subscribe();
    loop {
        match store.posters.choice(id).await.unwrap() {
            None => return None,
            Some(choice) if choice.problem.is_some() => return choice.problem,
            Some(_) => _ = signals.recv().await,
        }
    }
}

/// Returns the size of a poster and its middle's colour.
fn seen(store: &Store, id: &VideoId, name: &str) -> Option<(u32, u32, &'static str)> {
    let file = store.blobs.file(&format!("{}/{name}", id.folder())).ok().filter(|file| file.exists())?;
    let probe = ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
    let size = harness::ask("ffprobe", &[&probe[..], &[file.to_str().unwrap()]].concat());
    let (width, height) = size.trim().split_once(',').unwrap();
    let middle = ["-vf", "crop=2:2,format=rgb24", "-f", "rawvideo", "-"];
    let drawn =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&file).args(middle).output().unwrap().stdout;
    let colour = match drawn[..3].iter().map(|part| *part > 128).collect::<Vec<_>>()[..] {
        [true, false, false] => "red",
        [false, true, false] => "lime",
        [false, false, true] => "blue",
        [true, true, true] => "white",
        _ => "another",
    };
    Some((width.parse().unwrap(), height.parse().unwrap(), colour))
}

fn picture(folder: &Path, name: &str, args: &str) -> Vec<u8> {
    std::fs::read(make(folder, name, &format!("-f lavfi -i {args} -frames:v 1"))).unwrap()
}

#[tokio::test]
async fn a_chosen_frame_is_the_one_that_players_show_and_a_picture_is_encoded_again() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::embedded(home.path()).await.unwrap();
    let id = take_in(&store, &make(folder.path(), "colours.mp4", COLOURS)).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(packager::run(store.clone(), quick(), stop.clone()));
    assert_eq!(settled(&store, &id).await.failure, None);
    let chosen = async |new: NewPoster<'_>| {
        store.posters.choose(&id, new).await.unwrap().unwrap();
        ended(&store, &id).await
    };
    for (moment, colour) in [(2.0, "lime"), (1.99, "red"), (0.0, "red"), (3.96, "lime"), (6.0, "blue")] {
        assert_eq!(chosen(NewPoster::Frame(moment)).await, None);
        assert_eq!(seen(&store, &id, "poster.jpg"), Some((1280, 720, colour)), "{moment}");
        assert_eq!(seen(&store, &id, "poster-640.jpg"), Some((640, 360, colour)), "{moment}");
    }
    for (name, args, whole, small) in [
        ("wide.png", "color=lime:s=2000x500", (1280, 320, "lime"), (640, 160, "lime")),
        ("small.webp", "color=red:s=301x201", (300, 200, "red"), (300, 200, "red")),
        ("tall.jpg", "color=blue:s=400x4000", (128, 1280, "blue"), (128, 1280, "blue")),
        ("clear.png", "color=red@0.0:s=64x64,format=rgba", (64, 64, "white"), (64, 64, "white")),
    ] {
        let sent = picture(folder.path(), name, args);
        assert_eq!(chosen(NewPoster::Picture(&sent)).await, None, "{name}");
        assert_eq!(seen(&store, &id, "poster.jpg"), Some(whole), "{name}");
        assert_eq!(seen(&store, &id, "poster-640.jpg"), Some(small), "{name}");
    }
    // A picture that does not decode is refused, and the poster stays.
    let whole = picture(folder.path(), "whole.png", "testsrc2=s=640x360");
    for broken in [&whole[..whole.len() / 4], b"\xff\xd8\xff\xe0 no more", b"RIFF\0\0\0\0WEBP#EXTM3U"] {
        assert_eq!(chosen(NewPoster::Picture(broken)).await.as_deref(), Some("unreadable_image"));
        assert_eq!(seen(&store, &id, "poster.jpg"), Some((64, 64, "white")));
    }
    let poster = store.videos.get(&id).await.unwrap().unwrap().poster;
    assert_eq!((poster.kind, poster.version), (PosterKind::Picture, 9));
    assert_eq!(chosen(NewPoster::Automatic).await, None);
    assert_eq!(seen(&store, &id, "poster.jpg").map(|(width, ..)| width), Some(1280));
    let left = store.blobs.children(&id.folder()).await.unwrap();
    let left: Vec<_> = left.into_iter().filter(|name| name.starts_with("poster")).collect();
    assert_eq!(left, ["poster-640.jpg", "poster.jpg"], "no picture stays as it was sent");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_video_that_is_tried_again_keeps_the_poster_that_its_owner_chose() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::embedded(home.path()).await.unwrap();
    let id = take_in(&store, &make(folder.path(), "colours.mp4", COLOURS)).await;
    // Without an encoder the video stays as it is planned.
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let idle = Config { encode_slots: 0, ..quick() };
    let worker = tokio::spawn(packager::run(store.clone(), idle, first.clone()));
    let mut signals = store.signals.subscribe();
    while store.posters.choose(&id, NewPoster::Frame(5.0)).await.unwrap().is_none() {
        let _ = signals.recv().await;
    }
    assert_eq!(ended(&store, &id).await, None);
    let failure = Failure { code: "cancelled".into(), message: String::new() };
    assert!(store.videos.cancel(&id, &failure).await.unwrap());
    first.cancel();
    worker.await.unwrap();
    assert!(store.videos.retry(&id).await.unwrap());
    let worker = tokio::spawn(packager::run(store.clone(), quick(), second.clone()));
    assert_eq!(settled(&store, &id).await.state, State::Ready);
    assert_eq!(seen(&store, &id, "poster.jpg"), Some((1280, 720, "blue")));
    let poster = store.videos.get(&id).await.unwrap().unwrap().poster;
    assert_eq!((poster.kind, poster.version), (PosterKind::Frame { seconds: 5.0 }, 1));
    second.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_sound_gets_a_picture_and_is_without_one_again() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::embedded(home.path()).await.unwrap();
    let id = take_in(&store, &make(folder.path(), "sound.m4a", SOUND)).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(packager::run(store.clone(), quick(), stop.clone()));
    assert_eq!(settled(&store, &id).await.failure, None);
    assert_eq!(seen(&store, &id, "poster.jpg"), None);
    let cover = picture(folder.path(), "cover.png", "color=red:s=600x600");
    for (new, expected) in
        [(NewPoster::Picture(&cover), Some((600, 600, "red"))), (NewPoster::Automatic, None)]
    {
        store.posters.choose(&id, new).await.unwrap().unwrap();
        assert_eq!(ended(&store, &id).await, None);
        assert_eq!(seen(&store, &id, "poster.jpg"), expected);
        assert_eq!(seen(&store, &id, "poster-640.jpg"), expected);
    }
    stop.cancel();
    worker.await.unwrap();
}
