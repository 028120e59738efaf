//! Text inside of sources: forced tracks, subtitles that are pictures, and broadcast captions in the picture's packets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::harness::{Packaged, make, package, quick};

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=8";
const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

fn read(packaged: &Packaged, path: &str) -> String {
    fs::read_to_string(packaged.folder.join(path)).unwrap()
}

#[tokio::test]
async fn a_forced_track_is_shown_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words.srt");
    fs::write(&words, "1\n00:00:01,000 --> 00:00:03,000\nStation\n").unwrap();
    let tracks = "-map 0 -map 1 -map 1 -metadata:s:s:0 language=eng -metadata:s:s:1 language=eng \
                  -disposition:s:0 default -disposition:s:1 forced";
    for (file, codec) in [("forced.mkv", "srt"), ("forced.mp4", "mov_text")] {
        let made_by = format!("{PICTURE} -i {} {tracks} {H264} -c:s {codec}", words.display());
        let packaged = package(&make(folder.path(), file, &made_by), quick()).await;
        let master = read(&packaged, "master.m3u8");
        let forced = master.lines().find(|line| line.contains("FORCED=YES")).unwrap();
        assert!(
            forced.contains("NAME=\"English (forced)\"") && forced.contains("AUTOSELECT=YES"),
            "{file}: {master}"
        );
        assert_eq!(master.matches("FORCED=YES").count(), 1, "{file}: {master}");
        let manifest = read(&packaged, "manifest.mpd");
        assert_eq!(manifest.matches("value=\"forced-subtitle\"").count(), 1, "{file}: {manifest}");
        assert_eq!(manifest.matches("value=\"subtitle\"").count(), 1, "{file}: {manifest}");
    }
}

#[tokio::test]
async fn subtitles_that_are_pictures_are_left_out_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures.sup");
    // A Blu-ray's composition of no objects at second 1, and its end: ffmpeg has no encoder of them.
    let segment = |kind: u8, data: &[u8]| {
        let head = [b"PG".as_slice(), &90_000_u32.to_be_bytes(), &0_u32.to_be_bytes(), &[kind]].concat();
        [head.as_slice(), &(data.len() as u16).to_be_bytes(), data].concat()
    };
    let composition = [1, 64, 0, 180, 16, 0, 0, 128, 0, 0, 0];
    fs::write(&pictures, [segment(0x16, &composition), segment(0x80, &[])].concat()).unwrap();
    let made_by = format!(
        "{PICTURE} -i {0} -i {0} -map 0 -map 1 -map 2 -metadata:s:s:0 language=ger {H264} -c:s copy",
        pictures.display()
    );
    let packaged = package(&make(folder.path(), "bluray.mkv", &made_by), quick()).await;
    let notes = &packaged.video.notes;
    assert_eq!(
        *notes,
        [
            "A subtitle track (German) was left out: its words are pictures.",
            "A subtitle track was left out: its words are pictures."
        ]
    );
    assert!(packaged.plan.text.is_empty(), "{:?}", packaged.plan.text);
}

/// Makes a picture without a container, and puts captions into it.
fn h264_with_captions(folder: &Path, add: fn(&[u8]) -> Vec<u8>) -> PathBuf {
    let encoder = format!("{PICTURE} {H264} -bf 0 -x264-params sliced-threads=0 -f h264");
    let plain = fs::read(make(folder, "plain.h264", &encoder)).unwrap();
    let captioned = folder.join("captioned.h264");
    fs::write(&captioned, add(&plain)).unwrap();
    captioned
}

#[tokio::test]
async fn broadcast_captions_become_a_track() {
    let folder = tempfile::tempdir().unwrap();
    let captioned = h264_with_captions(folder.path(), super::broadcast::captioned);
    for (file, rest) in [
        ("captioned.ts", "-c copy"),
        ("late.ts", "-c copy -output_ts_offset 3600"),
        ("captioned.mp4", "-c copy"),
        ("captioned.mkv", "-c copy"),
    ] {
        let made_by = format!("-r 25 -f h264 -i {} {rest}", captioned.display());
        let packaged = package(&make(folder.path(), file, &made_by), quick()).await;
        has_the_captions(&packaged, file);
        // They are offered once: the picture has none of them any more.
        let rung = &packaged.plan.video.as_ref().unwrap().rungs[0].name;
        assert!(!shows_captions(&packaged.folder.join(rung).join("media.m3u8")), "{file}");
        assert!(shows_captions(&folder.path().join(file)), "{file}");
    }
}

#[tokio::test]
async fn every_channel_of_broadcast_captions_becomes_a_track() {
    let folder = tempfile::tempdir().unwrap();
    let captioned = h264_with_captions(folder.path(), super::broadcast::captioned_in_several);
    for file in ["several.ts", "several.mp4"] {
        let made_by = format!("-r 25 -f h264 -i {} -c copy", captioned.display());
        let packaged = package(&make(folder.path(), file, &made_by), quick()).await;
        let labels: Vec<&str> = packaged.plan.text.iter().map(|text| text.label.as_str()).collect();
        let expected = super::broadcast::SEVERAL.map(|(label, _, _)| label);
        assert_eq!(labels, expected, "{file}");
        let master = read(&packaged, "master.m3u8");
        for (text, (label, words, at)) in packaged.plan.text.iter().zip(super::broadcast::SEVERAL) {
            assert!(master.contains(&format!("NAME=\"{label}\"")), "{file}: {master}");
            let written = read(&packaged, &format!("{}.vtt", text.name));
            let all: Vec<&str> = written.split("\n\n").filter(|block| block.contains("-->")).collect();
            assert_eq!(all.len(), 1, "{file}: {label}: {written}");
            let start = all[0].lines().find(|line| line.contains("-->")).map(seconds).unwrap();
            assert!(all[0].contains(words) && (start - at).abs() < 0.15, "{file}: {label}: {written}");
        }
    }
}

#[tokio::test]
async fn a_caption_track_of_quicktime_is_a_text_track() {
    let folder = tempfile::tempdir().unwrap();
    let scenarist = folder.path().join("words.scc");
    fs::write(&scenarist, super::broadcast::SCENARIST).unwrap();
    let made_by = format!("{PICTURE} -f scc -i {} {H264} -c:s copy", scenarist.display());
    let packaged = package(&make(folder.path(), "c608.mov", &made_by), quick()).await;
    let text = read(&packaged, "captions/und.vtt");
    assert!(text.contains("HELLO"), "{text}");
}

/// Expects what `broadcast::captioned` says, when it says it.
fn has_the_captions(packaged: &Packaged, source: &str) {
    let master = read(packaged, "master.m3u8");
    assert!(master.contains("NAME=\"Closed captions\""), "{source}: {master}");
    let text = read(packaged, "captions/und.vtt");
    let cues: Vec<(&str, f64)> = super::broadcast::WORDS.to_vec();
    for (words, at) in cues {
        let block = text.split("\n\n").find(|block| block.contains(words));
        let start = block.and_then(|block| block.lines().find(|line| line.contains("-->"))).map(seconds);
        assert!(start.is_some_and(|start| (start - at).abs() < 0.15), "{source}: {words} at {at}: {text}");
    }
}

/// Reads the start of a cue's line of times.
fn seconds(line: &str) -> f64 {
    let start = line.split(" -->").next().unwrap();
    start.split(':').fold(0.0, |whole, part| whole * 60.0 + part.parse::<f64>().unwrap())
}

fn shows_captions(file: &Path) -> bool {
    let frames = super::harness::ask(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-read_intervals",
            "%+#40",
            "-show_entries",
            "frame=key_frame:frame_side_data=side_data_type",
            "-of",
            "csv=p=0",
            file.to_str().unwrap(),
        ],
    );
    frames.contains("A53")
}
