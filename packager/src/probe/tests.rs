//! Files of all kinds of index, read by it and by ffprobe.

use std::{path::PathBuf, process::Command};

use super::*;
use crate::packets::Track;

/// Pieces of ffmpeg's arguments.
const NAMED: [(&str, &str); 4] = [
    ("{s}", "-f lavfi -i sine=r=44100:d=2"),
    ("{v}", "-f lavfi -i testsrc2=s=160x90:r=25:d=2"),
    ("{x}", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"),
    ("{b}", "-c:v libx264 -preset veryfast -bf 3 -g 12 -pix_fmt yuv420p"),
];

/// Makes a file by commands one after the other, each of which may read what the one before wrote.
fn made(folder: &Path, name: &str, commands: &str) -> PathBuf {
    let mut file = PathBuf::new();
    for (n, command) in commands.split(" then ").enumerate() {
        let before = std::mem::replace(&mut file, folder.join(format!("{n}-{name}")));
        let command = command.replace("{it}", &before.to_string_lossy());
        let command = NAMED.iter().fold(command, |command, (name, args)| command.replace(name, args));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]).args(command.split_whitespace()).arg(&file);
        let output = ffmpeg.output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    file
}

/// Compares the scans of a file, if its index is one that is read. The last packet's end may differ by this: an edit's clock
/// rounds that of sound, and ffmpeg guesses that of pictures out of order.
async fn check(name: &str, commands: &str) -> bool {
    const GUESS: i64 = 45_000;
    let folder = tempfile::tempdir().unwrap();
    let file = made(folder.path(), name, commands);
    let programs = Programs { ffprobe: Path::new("ffprobe"), ffmpeg: Path::new("ffmpeg") };
    let input = Input::File(file.clone());
    let call = Call::on(programs, &input).await.unwrap();
    let described = call.describe().await.unwrap();
    let Some(indexed) = call.indexed(Bytes::File(&file), &described.answer).await.unwrap() else {
        return false;
    };
    let read = call.packets(&described).await.unwrap();
    for stream in 0..6 {
        let (Some(one), Some(other)) = (indexed.track(stream), read.track(stream)) else {
            assert!(indexed.track(stream).is_none() && read.track(stream).is_none(), "{commands}: {stream}");
            continue;
        };
        let shape = |track: &Track| {
            (
                track.packets,
                track.first,
                track.last,
                track.mean(),
                track.counts.clone(),
                track.key_frames.clone(),
            )
        };
        assert_eq!(shape(one), shape(other), "{commands}: stream {stream}");
        // There are pages of them.
        assert!(one.spread == other.spread, "{commands}: the distances in stream {stream}");
        assert!(
            (one.end - other.end).abs() <= GUESS,
            "{commands}: stream {stream} ends at {}, {}",
            one.end,
            other.end
        );
    }
    assert_eq!(indexed.timeline().seams(), read.timeline().seams(), "{commands}");
    true
}

#[tokio::test]
async fn an_index_gives_the_packets_that_ffprobe_reads() {
    for (name, commands) in [
        ("a.mp4", "{v} {s} {x} -c:a aac"),
        ("a.mp4", "{v} {s} {b} -c:a aac -movflags +faststart"),
        ("a.mp4", "{v} {s} {b} -c:a aac -movflags +negative_cts_offsets"),
        ("a.mp4", "{v} {s} {b} -c:a aac -use_editlist 0"),
        ("a.mp4", "{s} {v} {b} -c:a libmp3lame"),
        ("a.mp4", "{v} {s} {s} {x} -map 0 -map 1 -map 2 -c:a libopus"),
        // Late sound, a late picture.
        ("a.mp4", "{v} -itsoffset 0.7 {s} {b} -c:a aac"),
        ("a.mp4", "-itsoffset 0.4 {v} {s} {b} -c:a aac"),
        // Cut without encoding: the edit begins within a group of pictures or a packet, and ends before the media.
        ("a.mp4", "{v} {s} {b} -c:a aac then -ss 0.72 -i {it} -c copy"),
        ("a.m4a", "{s} -c:a aac then -ss 0.71 -i {it} -c copy"),
        ("a.mov", "{v} {s} {b} -c:a aac then -t 1.03 -i {it} -c copy"),
        ("a.mp4", "{v} {s} -vf select=mod(n\\,3) -vsync vfr {x} -c:a aac"),
        ("a.mov", "{v} {s} -c:v mpeg4 -bf 2 -c:a pcm_s16le -timecode 10:00:00:00"),
        ("a.mov", "{v} {s} -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s24le -ac 2"),
        ("a.mov", "{v} {s} -c:v dvvideo -s 720x576 -pix_fmt yuv420p -c:a alac"),
        ("a.mov", "{v} {s} -c:v prores -c:a pcm_alaw"),
        ("a.m4a", "{s} -c:a aac"),
    ] {
        assert!(check(name, commands).await, "{commands}: the index is not read");
    }
}

#[tokio::test]
async fn an_index_that_does_not_say_all_is_left_to_ffprobe() {
    for (name, commands) in [
        ("a.mp4", "{v} {s} {x} -c:a aac -movflags frag_keyframe+empty_moov"),
        ("a.mp4", "{v} {s} {x} -c:a ac3"),
        ("a.mp4", "{v} {s} {b} -c:a aac then -ss 0.7 -i {it} -c copy"),
        ("a.mkv", "{v} {s} {x} -c:a aac"),
    ] {
        assert!(!check(name, commands).await, "{commands}: the index is read");
    }
}
