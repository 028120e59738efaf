//! Sentences for people about encoders that fail: no line of ffmpeg's, no address, no socket.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use packager::Config;

use super::{
    X264,
    harness::{make, quick, try_package},
    numbered::inputs,
};

/// ffmpeg by way of a shell that does something to it first.
fn ffmpeg(folder: &Path, first: &str) -> PathBuf {
    let program = folder.join("ffmpeg");
    fs::write(&program, format!("#!/bin/sh\n{first}\nexec ffmpeg \"$@\"\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

async fn check(source: &Path, config: Config, words: &[&str]) {
    let failed = try_package(source, config).await;
    let failure = failed.video.failure.expect("it fails");
    let message = failure.message;
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    for never in ["0x", "unix:", "/", "av_", "[", "exit status", "signal", "ffmpeg"] {
        assert!(!message.contains(never), "{never}: {message}");
    }
}

#[tokio::test]
async fn an_encoder_that_ends_badly_is_told_in_words_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", &format!("{} {X264}", inputs(4)));
    for (first, words) in [
        ("kill -9 $$", ["killed while", "Try again"]),
        ("kill -11 $$", ["crashed while", "Convert the file"]),
        // Enough to start, too little for a picture.
        ("set -- -max_alloc 60000 \"$@\"", ["too little memory", "Try again"]),
        ("exit 1", ["stopped while", "the server's log has its last lines"]),
    ] {
        let config = Config { ffmpeg: ffmpeg(folder.path(), first), ..quick() };
        check(&source, config, &words).await;
    }
}

#[tokio::test]
async fn a_picture_that_never_decodes_is_told_in_words_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mkv", &format!("{} {X264}", inputs(4)));
    let broken = format!("-i {} -c copy -bsf:v noise=amount=2", source.display());
    let source = make(folder.path(), "broken.mkv", &broken);
    check(
        &source,
        quick(),
        &["could not be decoded while encoding the picture between 0:00 and 0:04", "upload it again"],
    )
    .await;
}

#[tokio::test]
async fn sound_whose_decoder_is_killed_is_not_silently_silent() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", &format!("{} {X264}", inputs(4)));
    // The first process of sound is the one that writes samples; the list of decoders names their format for all.
    let decoder = "case \"$*\" in *'-c:a pcm_f32le'*) kill -9 $$;; esac";
    let config = Config { ffmpeg: ffmpeg(folder.path(), decoder), ..quick() };
    check(&source, config, &["killed while decoding the sound"]).await;
}
