//! Files of different containers joined byte by byte, and pieces of one that come again: each part plays.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    X264,
    harness::{Packaged, make, package, quick},
    joined,
    numbered::{Shown, inputs},
};

const FRAGMENTS: &str = "-movflags +frag_keyframe+empty_moov+default_base_moof";

fn source(folder: &Path, name: &str, seconds: u32) -> PathBuf {
    let codecs = match name.rsplit('.').next().unwrap() {
        "mxf" => "-c:v mpeg2video -b:v 5M -c:a pcm_s16le -ar 48000",
        "mpg" => "-c:v mpeg2video -b:v 5M -c:a mp2 -f vob",
        "avi" => "-c:v mpeg4 -b:v 2M -c:a libmp3lame",
        "wmv" => "-c:v wmv2 -b:v 2M -c:a wmav2",
        "ogv" => "-c:v libtheora -q:v 8 -c:a libvorbis",
        _ => X264,
    };
    make(folder, name, &format!("{} {codecs}", inputs(seconds)))
}

/// Packages in runs of one segment, so that runs begin in and behind every seam.
async fn play(file: &Path) -> Packaged {
    package(file, packager::Config { run_segments: 1, ..quick() }).await
}

/// Joins files of so many seconds, and expects all of each.
async fn check(files: &[(&str, u32)]) {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<PathBuf> =
        files.iter().map(|(name, seconds)| source(folder.path(), name, *seconds)).collect();
    let parts: Vec<&PathBuf> = parts.iter().collect();
    let extension = parts[0].extension().unwrap().display();
    let all = joined(folder.path(), &format!("all.{extension}"), &parts);
    let packaged = play(&all).await;
    let shown = Shown::of(&packaged);
    let seconds: Vec<u32> = files.iter().map(|(_, seconds)| *seconds).collect();
    let case = format!("{files:?}");
    shown.frames(&seconds, 0, &case);
    shown.together(&case);
    let beeps: Vec<u32> = shown.beeps.iter().map(|(_, second)| *second).collect();
    let each: Vec<u32> = seconds.iter().flat_map(|seconds| 0..*seconds).collect();
    assert_eq!(beeps, each, "{case}: {:?}", shown.beeps);
    let note = format!("The file was joined from {} files, which follow each other here too.", files.len());
    assert_eq!(packaged.video.notes, [note], "{case}");
}

#[tokio::test]
async fn files_of_different_containers_become_one() {
    for files in [
        [("a.mp4", 3), ("b.ts", 3)],
        [("a.mp4", 3), ("b.mkv", 2)],
        [("a.avi", 3), ("b.mp4", 3)],
        [("a.flv", 3), ("b.mp4", 3)],
        [("a.mkv", 3), ("b.mp4", 3)],
        [("a.mkv", 2), ("b.ts", 3)],
        [("a.ogv", 3), ("b.mp4", 2)],
        [("a.wmv", 2), ("b.mp4", 2)],
        [("a.mxf", 3), ("b.mp4", 3)],
    ] {
        check(&files).await;
    }
}

#[tokio::test]
async fn a_file_behind_a_stream_that_its_demuxer_goes_on_in_is_found() {
    for files in [
        [("a.ts", 3), ("b.mp4", 3)],
        [("a.ts", 2), ("b.mkv", 3)],
        [("a.ts", 3), ("b.avi", 2)],
        [("a.ts", 3), ("b.mpg", 3)],
        [("a.mpg", 3), ("b.mp4", 3)],
        [("a.mpg", 3), ("b.ts", 2)],
    ] {
        check(&files).await;
    }
}

#[tokio::test]
async fn a_file_between_two_of_another_container_is_found() {
    check(&[("a.ts", 2), ("b.mp4", 3), ("c.ts", 2)]).await;
    check(&[("a.mkv", 2), ("b.ts", 2), ("c.mkv", 3)]).await;
    check(&[("a.mp4", 2), ("b.ts", 2), ("c.mp4", 3), ("d.ts", 2)]).await;
}

#[tokio::test]
async fn a_second_mxf_of_the_same_length_is_found() {
    check(&[("a.mxf", 3), ("b.mxf", 3)]).await;
}

/// Returns the fragments of a file, behind its initialization.
fn fragments(bytes: &[u8]) -> &[u8] {
    let first = bytes.windows(4).position(|kind| kind == b"moof").unwrap();
    &bytes[first - 4..]
}

#[tokio::test]
async fn fragments_that_come_again_without_an_initialization_play_on() {
    let folder = tempfile::tempdir().unwrap();
    // Places in a file count from a fragment's start, or from the file's.
    for flags in [FRAGMENTS, "-movflags +frag_keyframe+delay_moov"] {
        let part = make(folder.path(), "a.mp4", &format!("{} {X264} {flags}", inputs(6)));
        let bytes = fs::read(&part).unwrap();
        for times in [2, 3] {
            let all = folder.path().join("again.mp4");
            let again = fragments(&bytes).repeat(times - 1);
            fs::write(&all, [bytes.as_slice(), &again].concat()).unwrap();
            let packaged = play(&all).await;
            Shown::of(&packaged).check(&vec![6; times], 0, flags);
            let note = format!("The file was joined from {times} files, which follow each other here too.");
            assert_eq!(packaged.video.notes, [note], "{flags}");
        }
    }
}
