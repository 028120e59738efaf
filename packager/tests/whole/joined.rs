//! Files joined byte by byte, in containers whose demuxers stop or start again at the seam.

use std::{fs, path::Path};

use super::{
    X264,
    harness::{Packaged, make, package, quick},
    joined,
    numbered::{Shown, inputs, sound_of},
};

const FRAGMENTS: &str = "-movflags +frag_keyframe+empty_moov+default_base_moof";
const JOINED: &str = "The file was joined from 2 files, which follow each other here too.";

fn source(folder: &Path, name: &str, seconds: u32, codecs: &str) -> std::path::PathBuf {
    make(folder, name, &format!("{} {codecs}", inputs(seconds)))
}

/// Every segment is a run of its own, so that runs begin in and behind every seam.
fn cut_often() -> packager::Config {
    packager::Config { run_segments: 1, ..quick() }
}

async fn plays_on(file: &str, codecs: &str) -> Packaged {
    let folder = tempfile::tempdir().unwrap();
    let long = source(folder.path(), file, 8, codecs);
    let short = source(folder.path(), &format!("short-{file}"), 5, codecs);
    let two = joined(folder.path(), &format!("two-{file}"), &[&long, &short]);
    let packaged = package(&two, cut_often()).await;
    let shown = Shown::of(&packaged);
    shown.frames(&[8, 5], 0, file);
    shown.together(file);
    assert_eq!(shown.beeps.len(), 13, "{file}: {:?}", shown.beeps);
    packaged
}

#[tokio::test]
async fn files_joined_byte_by_byte_play_on() {
    for (file, codecs) in [
        ("plain.mp4", X264.to_owned()),
        ("faststart.mp4", format!("{X264} -movflags +faststart")),
        ("fragments.mp4", format!("{X264} {FRAGMENTS}")),
        ("a.mov", format!("{X264} -bf 0")),
        (
            "hevc.mp4",
            "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a libmp3lame"
                .to_owned(),
        ),
        ("h264.flv", X264.to_owned()),
        ("flv1.flv", "-c:v flv1 -b:v 1M -c:a libmp3lame -ar 44100".to_owned()),
        ("a.wmv", "-c:v wmv2 -b:v 2M -c:a wmav2".to_owned()),
        ("a.mxf", "-c:v mpeg2video -b:v 5M -c:a pcm_s16le -ar 48000".to_owned()),
        ("a.ogv", "-c:v libtheora -q:v 8 -c:a libvorbis".to_owned()),
    ] {
        let packaged = plays_on(file, &codecs).await;
        assert_eq!(packaged.video.notes, [JOINED], "{file}");
    }
}

#[tokio::test]
async fn containers_whose_demuxers_read_on_play_on_too() {
    for (file, codecs) in [
        ("a.mkv", X264),
        ("a.webm", "-c:v libvpx -deadline realtime -b:v 1M -c:a libopus"),
        ("a.avi", "-c:v mpeg4 -b:v 2M -bf 2 -c:a libmp3lame"),
    ] {
        plays_on(file, codecs).await;
    }
}

#[tokio::test]
async fn sounds_joined_byte_by_byte_play_on() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codec) in [
        ("a.wav", "pcm_s16le"),
        ("a.m4a", "aac"),
        ("a.flac", "flac"),
        ("a.opus", "libopus"),
        ("vorbis.ogg", "libvorbis"),
        ("flac.ogg", "flac"),
        ("a.wma", "wmav2"),
        ("a.mp3", "libmp3lame"),
        ("a.aac", "aac"),
    ] {
        let part = make(folder.path(), file, &format!("{} -c:a {codec}", sound_of(5)));
        let two = joined(folder.path(), &format!("two-{file}"), &[&part, &part]);
        let beeps = super::numbered::beeps_of(&package(&two, quick()).await);
        let expected: Vec<u32> = (0..5).chain(0..5).collect();
        let seconds: Vec<u32> = beeps.iter().map(|(_, second)| *second).collect();
        assert_eq!(seconds, expected, "{file}: {beeps:?}");
        // Formats without a note of it keep their encoder's padding, of a packet on either side.
        for pair in beeps.windows(2) {
            let distance = pair[1].0 - pair[0].0;
            assert!((distance - distance.round()).abs() < 0.08, "{file}: {beeps:?}");
        }
    }
}

#[tokio::test]
async fn files_of_different_kinds_become_one() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, codecs: &str| source(folder.path(), name, 4, codecs);
    let parts = [
        make("small.mp4", &format!("{X264} -vf scale=160:90 -ar 22050 -ac 1")),
        make("large.mp4", &format!("{X264} -vf scale=640:360")),
        make("other.mp4", "-c:v mpeg4 -b:v 2M -c:a libmp3lame"),
        make("silent.mp4", "-an -c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
        make("last.mp4", X264),
    ];
    let all = joined(folder.path(), "all.mp4", &parts.each_ref());
    let packaged = package(&all, cut_often()).await;
    let shown = Shown::of(&packaged);
    shown.frames(&[4; 5], 0, "all.mp4");
    shown.together("all.mp4");
    let seconds: Vec<u32> = shown.beeps.iter().map(|(_, second)| *second).collect();
    assert_eq!(seconds, [0, 1, 2, 3].repeat(4), "{:?}", shown.beeps);
    assert_eq!(packaged.plan.video.as_ref().unwrap().rungs[0].height, 360);
}

#[tokio::test]
async fn files_of_other_codecs_play_on_where_the_demuxer_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    let broadcast = "-c:v mpeg2video -b:v 3M -c:a mp2";
    let h264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    for (file, first, second) in [
        ("other.ts", X264.to_owned(), broadcast.to_owned()),
        ("sound.ts", X264.to_owned(), format!("{h264} -c:a ac3")),
        ("other.mkv", format!("{h264} -c:a eac3"), format!("{h264} -c:a mp2")),
        (
            "other.webm",
            "-c:v libvpx -deadline realtime -b:v 1M -c:a libopus".to_owned(),
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -c:a libvorbis".to_owned(),
        ),
    ] {
        let parts =
            [source(folder.path(), file, 3, &first), source(folder.path(), &format!("2-{file}"), 2, &second)];
        let all = joined(folder.path(), &format!("all-{file}"), &parts.each_ref());
        let packaged = package(&all, quick()).await;
        let shown = Shown::of(&packaged);
        shown.frames(&[3, 2], 0, file);
        shown.together(file);
        assert_eq!(shown.beeps.len(), 5, "{file}: {:?}", shown.beeps);
        assert_eq!(packaged.video.notes, [JOINED], "{file}");
    }
}

#[tokio::test]
async fn a_stream_that_we_do_not_read_hides_no_second_file() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = "-map 0 -map 1 -map 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 aac -c:a:1 tta";
    let part = source(folder.path(), "a.mkv", 3, codecs);
    let all = joined(folder.path(), "all.mkv", &[&part, &part]);
    let packaged = package(&all, quick()).await;
    Shown::of(&packaged).check(&[3, 3], 0, "all.mkv");
    assert_eq!(packaged.video.notes[0], JOINED);
}

#[tokio::test]
async fn matroska_behind_the_second_file_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let part = source(folder.path(), "a.mkv", 2, X264);
    let all = joined(folder.path(), "all.mkv", &[&part; 4]);
    Shown::of(&package(&all, quick()).await).check(&[2; 4], 0, "all.mkv");
}

#[tokio::test]
async fn aac_whose_rate_changes_stays_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, how: &str| make(folder.path(), name, &format!("{} -c:a aac {how}", sound_of(4)));
    let parts = [part("a.aac", ""), part("b.aac", "-ar 22050 -ac 1"), part("c.aac", "-ar 44100")];
    let all = joined(folder.path(), "all.aac", &parts.each_ref());
    let beeps = super::numbered::beeps_of(&package(&all, quick()).await);
    let seconds: Vec<u32> = beeps.iter().map(|(_, second)| *second).collect();
    assert_eq!(seconds, [0, 1, 2, 3].repeat(3), "{beeps:?}");
    for pair in beeps.windows(2) {
        let distance = pair[1].0 - pair[0].0;
        assert!((distance - 1.0).abs() < 0.12, "{beeps:?}");
    }
}

#[tokio::test]
async fn a_joined_file_that_is_cut_off_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let part = source(folder.path(), "a.mp4", 4, X264);
    let cut = folder.path().join("cut.mp4");
    let bytes = fs::read(&part).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let all = joined(folder.path(), "all.mp4", &[&part, &part, &cut]);
    let packaged = package(&all, quick()).await;
    Shown::of(&packaged).check(&[4, 4], 0, "all.mp4");
    let expected = "File 3 of those that the file was joined from could not be read and was left out.";
    assert!(packaged.video.notes.iter().any(|note| note == expected), "{:?}", packaged.video.notes);
}

#[tokio::test]
async fn subtitles_of_joined_files_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words.srt");
    fs::write(&words, "1\n00:00:01,000 --> 00:00:02,000\nStation\n").unwrap();
    let made_by =
        format!("{} -i {} {X264} -c:s mov_text -metadata:s:s:0 language=eng", inputs(4), words.display());
    let part = make(folder.path(), "a.mp4", &made_by);
    let all = joined(folder.path(), "all.mp4", &[&part, &part]);
    let packaged = package(&all, quick()).await;
    let text = fs::read_to_string(packaged.folder.join("captions/en.vtt")).unwrap();
    for time in ["00:01.000 --> ", "00:05.000 --> "] {
        assert!(text.contains(time), "{text}");
    }
    assert_eq!(text.matches("Station").count(), 2, "{text}");
}
