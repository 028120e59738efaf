//! Sources in GridFS are measured as files are, and by their index where they have one.
#![expect(clippy::unwrap_used, reason = "tests, and the functions that they share")]

#[path = "harness/film.rs"]
mod film;

use std::path::Path;

use packager::probe::{Programs, probe, probe_loopback};
use store::{Blobs, Source, VideoId};
use testbed::Mongodb;

const NOISE: &str =
    "-f lavfi -i nullsrc=s=320x180:r=25:d=24,geq=random(1)*255:128:128 -b:v 6M -pix_fmt yuv420p";
const TONE: &str = "-f lavfi -i sine=r=48000:d=23.7";

/// The part of a source that is fetched.
#[derive(Debug, PartialEq)]
enum Fetched {
    Index,
    Whole,
}

fn programs() -> Programs<'static> {
    Programs { ffprobe: Path::new("ffprobe"), ffmpeg: Path::new("ffmpeg") }
}

async fn check(name: &str, args: &str, expected: Fetched) {
    let folder = tempfile::tempdir().unwrap();
    let file = film::make(folder.path(), name, &args.replace("{noise}", NOISE).replace("{tone}", TONE));
    let of_file = probe(programs(), &file.as_path().into()).await.unwrap();

    let blobs = Blobs::in_gridfs(&Mongodb::shared().database()).await.unwrap();
    let id = VideoId::random();
    blobs.put(&id.source(), &std::fs::read(&file).unwrap()).await.unwrap();
    let Source::Loopback(source) = blobs.source(&id).await.unwrap() else { panic!("it is a file") };
    let of_grid = probe_loopback(programs(), &source).await.unwrap();

    assert_eq!(format!("{of_grid:?}"), format!("{of_file:?}"), "{args}");
    let (fetched, len) = (source.fetched_bytes(), source.len());
    let how = if fetched < len * 2 / 3 { Fetched::Index } else { Fetched::Whole };
    assert_eq!(how, expected, "{args}: {fetched} of {len} bytes");
}

#[tokio::test]
async fn an_index_at_either_end_is_enough() {
    let x264 = "-c:v libx264 -preset ultrafast -c:a aac";
    check("a.mp4", &format!("{{tone}} {{noise}} {x264}"), Fetched::Index).await;
    check("a.mp4", &format!("{{tone}} {{noise}} {x264} -movflags +faststart"), Fetched::Index).await;
    check("a.mov", "{tone} {noise} -c:v mpeg4 -bf 2 -c:a pcm_s16le -timecode 10:00:00:00", Fetched::Index)
        .await;
}

#[tokio::test]
async fn the_index_shows_frames_out_of_order_and_uneven_times() {
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3";
    check("a.mp4", &format!("{{tone}} {{noise}} {hevc} -c:a libopus"), Fetched::Index).await;
    let uneven = "-vf select=mod(n\\,3) -vsync vfr -c:v libx264 -preset veryfast -bf 3";
    check("a.mp4", &format!("-itsoffset 0.4 {{noise}} {uneven}"), Fetched::Index).await;
}

#[tokio::test]
async fn what_has_no_such_index_is_read_whole() {
    let x264 = "{tone} {noise} -c:v libx264 -preset ultrafast";
    check("a.mp4", &format!("{x264} -c:a ac3"), Fetched::Whole).await;
    check("a.mp4", &format!("{x264} -c:a aac -movflags frag_keyframe+empty_moov"), Fetched::Whole).await;
    check("a.mkv", &format!("{x264} -c:a aac"), Fetched::Whole).await;
}
