//! Runs that start behind the beginning, in sources that cannot be entered just anywhere.

use packager::Config;

use super::{
    harness::{make, package, quick},
    numbered::{Shown, inputs},
};

const LONG: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0";

/// Packages in runs of one segment, so that each starts behind the beginning.
async fn check(file: &str, seconds: u32, codecs: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), file, &format!("{} {codecs}", inputs(seconds)));
    let packaged = package(&source, Config { run_segments: 1, ..quick() }).await;
    Shown::of(&packaged).check(&[seconds], 2, &format!("{file} by {codecs}"));
}

#[tokio::test]
async fn key_frames_far_apart_lose_nothing() {
    for file in ["far.ts", "far.mkv", "far.flv", "far.mp4"] {
        check(file, 40, &format!("{LONG} -g 625 -keyint_min 625 -c:a aac")).await;
    }
    check("far.mpg", 40, "-c:v mpeg2video -b:v 2M -g 600 -sc_threshold 1000000000 -c:a mp2 -f vob").await;
    check("far2.ts", 40, "-c:v mpeg2video -b:v 2M -g 600 -sc_threshold 1000000000 -c:a mp2").await;
}

#[tokio::test]
async fn open_groups_of_pictures_lose_nothing() {
    let open = "open-gop=1:keyint=79:min-keyint=79:bframes=3:b-adapt=0:scenecut=0";
    for file in ["open.mp4", "open.mkv", "open.ts"] {
        check(file, 20, &format!("{LONG} -x264-params {open} -c:a aac")).await;
    }
    check("open.mpg", 20, "-c:v mpeg2video -b:v 2M -g 79 -bf 2 -c:a mp2").await;
    let hevc = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p";
    check(
        "hevc.mp4",
        20,
        &format!("{hevc} -x265-params log-level=none:open-gop=1:keyint=79:min-keyint=79 -c:a aac"),
    )
    .await;
}

#[tokio::test]
async fn recovery_points_without_key_frames_lose_nothing() {
    check("refresh.ts", 20, &format!("{LONG} -x264-params intra-refresh=1:keyint=100:bframes=0 -c:a aac"))
        .await;
}

#[tokio::test]
async fn a_single_key_frame_serves_all() {
    for file in ["one.mp4", "one.ts", "one.mkv"] {
        check(file, 30, &format!("{LONG} -g 100000 -keyint_min 100000 -c:a aac")).await;
    }
}
