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

const SIGNS: &str = "[Script Info]\nScriptType: v4.00+\nPlayResY: 180\n\n[V4+ Styles]\n\
    Format: Name, Fontname, Bold, Italic, Alignment\nStyle: Default,Arial,0,0,2\nStyle: Sign,Arial,0,-1,8\n\n[Events]\n\
    Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
    Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}Up {\\b1}here{\\b0}\n\
    Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\an7\\p1}m 0 0 l 100 0 100 100{\\p0}\n\
    Dialogue: 0,0:00:03.00,0:00:04.00,Sign,,0,0,0,,Station\n\
    Dialogue: 0,0:00:04.00,0:00:05.00,Default,,0,0,0,,5 --> 6 {a note}\\Ntwo\n";

const SPOKEN: &str = "1\n00:00:01,005 --> 00:00:02,000\n{\\an8}<i>Up</i> at the caf&eacute;\n\n\
    2\n00:00:03,000 --> 00:00:04,000\n5 --> 6\n<font color=\"#ff0000\">Tom</font> & Jerry\n\n";

const PLACED: &str = "WEBVTT\n\n00:01.005 --> 00:02.000 line:0 align:start\n<b>Up</b> &amp; left\n";

#[tokio::test]
async fn text_inside_of_a_source_keeps_its_styles_and_places_and_drawings_are_no_words() {
    let folder = tempfile::tempdir().unwrap();
    let inputs: String = [("signs.ass", SIGNS), ("spoken.srt", SPOKEN), ("placed.vtt", PLACED)]
        .into_iter()
        .map(|(name, text)| {
            fs::write(folder.path().join(name), text).unwrap();
            format!(" -i {}", folder.path().join(name).display())
        })
        .collect();
    let made_by = format!("{PICTURE}{inputs} -map 0 -map 1 -map 2 -map 3 {H264} -c:s copy");
    let packaged = package(&make(folder.path(), "texts.mkv", &made_by), quick()).await;
    let read = |name: &str| read(&packaged, &format!("captions/{name}.vtt"));
    let check = |written: &str, cues: &[(&str, &str)]| {
        let blocks: Vec<&str> = written.split("\n\n").filter(|block| block.contains("-->")).collect();
        assert_eq!(blocks.len(), cues.len(), "{written}");
        for (block, (times, words)) in blocks.iter().zip(cues) {
            assert!(block.contains(times) && block.contains(words), "{times} {words}: {written}");
        }
    };
    check(
        &read("und"),
        &[
            ("00:00:01.000 --> 00:00:02.000 line:0", "Up <b>here</b>"),
            ("00:00:03.000 --> 00:00:04.000 line:0", "<i>Station</i>"),
            ("00:00:04.000 --> 00:00:05.000\n", "5 --&gt; 6\ntwo"),
        ],
    );
    check(
        &read("und-2"),
        &[
            ("00:00:01.005 --> 00:00:02.000 line:0", "<i>Up</i> at the café"),
            ("00:00:03.000 --> 00:00:04.000\n", "5 --&gt; 6\nTom &amp; Jerry"),
        ],
    );
    check(&read("und-3"), &[("00:00:01.005 --> 00:00:02.000 line:0 align:start", "<b>Up</b> &amp; left")]);
    let made_by = format!(
        "{PICTURE} -i {} -map 0 -map 1 {H264} -c:s mov_text",
        folder.path().join("spoken.srt").display()
    );
    let packaged = package(&make(folder.path(), "text.mp4", &made_by), quick()).await;
    let written = super::captions::read(&packaged, "captions/und.vtt");
    assert!(
        written.contains("<i>Up</i> at the caf") && written.contains("5 --&gt; 6\nTom &amp; Jerry"),
        "{written}"
    );
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
        ("mpeg2.ts", "-c:v mpeg2video -q:v 3 -bf 2"),
        ("mpeg2.mpg", "-c:v mpeg2video -q:v 3 -bf 2"),
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
