//! Sources in, segments out: every kind of source becomes the segments of its plan, whichever runs encode it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../harness/mod.rs"]
mod harness;
mod together;

use std::path::Path;

use harness::{Packaged, ask, make, package, quick};

/// The expected result of one source.
struct Wanted<'a> {
    file: &'a str,
    made_by: String,
    /// Size of the highest rendition, and its frames.
    picture: Option<(u32, u32, u64)>,
    /// Names of the audio renditions.
    sound: &'a [&'a str],
    seconds: f64,
}

async fn check(wanted: Wanted<'_>) -> Packaged {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), wanted.file, &wanted.made_by);
    let packaged = package(&source, quick()).await;
    let source = format!("{} by {}", wanted.file, wanted.made_by);

    let top = packaged.plan.video.as_ref().map(|v| (v.rungs[0].width, v.rungs[0].height, v.frames));
    assert_eq!(top, wanted.picture, "{source}");
    let sound: Vec<&str> = packaged.plan.audio.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(sound, wanted.sound, "{source}");
    let seconds = packaged.video.duration_seconds.unwrap();
    assert!((seconds - wanted.seconds).abs() < 0.11, "{seconds} s: {source}");
    decodes_to_its_plan(&packaged, &source);
    packaged
}

/// Reads every rendition as a player would: all frames there, the first at zero, not one complaint.
fn decodes_to_its_plan(packaged: &Packaged, source: &str) {
    let plan = &packaged.plan;
    for rung in plan.video.iter().flat_map(|v| &v.rungs) {
        let wanted = (plan.video.as_ref().unwrap().frames, format!("{},{}", rung.width, rung.height));
        let decoded = streams(&packaged.folder.join(&rung.name).join("media.m3u8"), "width,height");
        assert_eq!((decoded.frames, decoded.rest), wanted, "{}: {source}", rung.name);
        assert!(decoded.start.abs() < 0.001, "{} starts at {}: {source}", rung.name, decoded.start);
    }
    for audio in &plan.audio {
        let decoded = streams(&packaged.folder.join(&audio.name).join("media.m3u8"), "sample_rate,channels");
        assert_eq!(
            (decoded.frames, decoded.rest.as_str()),
            (audio.frames, "48000,2"),
            "{}: {source}",
            audio.name
        );
        assert!(decoded.start.abs() < 0.001, "{} starts at {}: {source}", audio.name, decoded.start);
    }
    // The multivariant playlist and the manifest lead to the same.
    let of_master = ask(
        "ffprobe",
        &[
            "-v",
            "warning",
            "-show_entries",
            "stream=codec_type",
            "-of",
            "csv=p=0",
            path(&packaged.folder.join("master.m3u8")),
        ],
    );
    let video = of_master.lines().any(|line| line == "video");
    assert_eq!(video, plan.video.is_some(), "{source}");
    let mpd = packaged.folder.join("manifest.mpd");
    let frames = ask("ffmpeg", &["-v", "error", "-i", path(&mpd), "-map", "0", "-f", "framecrc", "-"]);
    assert!(frames.lines().filter(|line| !line.starts_with('#')).count() > 0, "{source}");
}

struct Decoded {
    rest: String,
    start: f64,
    frames: u64,
}

fn streams(playlist: &Path, fields: &str) -> Decoded {
    let entries = format!("stream={fields},start_time,nb_read_frames");
    let decoded = ask(
        "ffprobe",
        &["-v", "warning", "-count_frames", "-show_entries", &entries, "-of", "csv=p=0:nk=1", path(playlist)],
    );
    let line = decoded.lines().find(|line| !line.is_empty()).unwrap();
    let mut parts: Vec<&str> = line.split(',').collect();
    let frames = parts.pop().unwrap().parse().unwrap();
    let start = parts.pop().unwrap().parse().unwrap();
    Decoded { rest: parts.join(","), start, frames }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=2";
const SOUND: &str = "-f lavfi -i sine=f=440:r=48000:d=2";
const FAST: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";

/// Checks a source of 2 s, 320×180 at 25 frames a second with stereo or mono sound, in another shape.
async fn same(file: &str, made_by: &str) -> Packaged {
    let picture = Some((320, 180, 50));
    check(Wanted { file, made_by: made_by.to_owned(), picture, sound: &["audio"], seconds: 2.0 }).await
}

#[tokio::test]
async fn every_container_and_codec_comes_out_the_same() {
    let both = format!("{PICTURE} {SOUND}");
    same("h264.mp4", &format!("{both} {FAST}")).await;
    same("h264.mov", &format!("{both} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le")).await;
    same("h264.mkv", &format!("{both} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac")).await;
    same("h264.ts", &format!("{both} {FAST}")).await;
    same("h264.flv", &format!("{both} {FAST}")).await;
    same("mpeg4.avi", &format!("{both} -c:v mpeg4 -bf 0 -c:a pcm_s16le")).await;
    same("mpeg2.mpg", &format!("{both} -c:v mpeg2video -c:a mp2")).await;
    same("mpeg2.ts", &format!("{both} -c:v mpeg2video -c:a ac3")).await;
    same(
        "hevc.mp4",
        &format!(
            "{both} -c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -c:a aac"
        ),
    )
    .await;
    same("vp8.webm", &format!("{both} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis")).await;
    same("vp9.webm", &format!("{both} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus")).await;
    same("av1.mp4", &format!("{both} -c:v libaom-av1 -cpu-used 8 -usage realtime -c:a aac")).await;
}

#[tokio::test]
async fn every_kind_of_sound_becomes_48_khz_stereo() {
    same("mono.mp4", &format!("{PICTURE} {SOUND} {FAST} -ac 1")).await;
    same("surround.mp4", &format!("{PICTURE} {SOUND} {FAST} -ac 6")).await;
    same("cd.mp4", &format!("{PICTURE} {SOUND} {FAST} -ar 44100")).await;
    let (file, made_by) = ("silent.mp4", format!("{PICTURE} {FAST}"));
    check(Wanted { file, made_by, picture: Some((320, 180, 50)), sound: &[], seconds: 2.0 }).await;
    let (file, made_by) = ("alone.mp3", "-f lavfi -i sine=f=440:r=44100:d=14 -c:a libmp3lame".to_owned());
    check(Wanted { file, made_by, picture: None, sound: &["audio"], seconds: 14.0 }).await;
}

#[tokio::test]
async fn two_languages_become_two_renditions_with_their_names() {
    let made_by = format!(
        "{PICTURE} {SOUND} {SOUND} -map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=ger \
         -metadata:s:a:1 title='Deutsche Fassung' {FAST}"
    );
    let sound: &[&str] = &["audio-en", "audio-de"];
    let packaged =
        check(Wanted { file: "two.mkv", made_by, picture: Some((320, 180, 50)), sound, seconds: 2.0 }).await;
    let master = std::fs::read_to_string(packaged.folder.join("master.m3u8")).unwrap();
    assert!(master.contains("NAME=\"Deutsche Fassung\"") && master.contains("LANGUAGE=\"de\""), "{master}");
}

#[tokio::test]
async fn every_shape_of_picture_is_shown_upright_in_square_pixels() {
    let shape = async |file: &str, picture: (u32, u32), filter: &str, rest: &str| {
        let made_by = format!("{PICTURE} {SOUND} -vf {filter} {FAST} {rest}");
        let picture = Some((picture.0, picture.1, 50));
        check(Wanted { file, made_by, picture, sound: &["audio"], seconds: 2.0 }).await
    };
    shape("wide-pixels.mp4", (320, 180), "scale=160:180,setsar=2/1", "").await;
    shape("odd.mkv", (318, 178), "crop=319:179", "-pix_fmt yuv444p").await;
    shape("portrait.mp4", (180, 320), "transpose=1", "").await;
    shape("deep.mp4", (320, 180), "null", "-pix_fmt yuv420p10le").await;
    shape("wide-chroma.mp4", (320, 180), "null", "-pix_fmt yuv422p").await;
    shape("full-range.mp4", (320, 180), "scale=out_range=pc", "-color_range pc").await;
}

#[tokio::test]
async fn a_phone_held_upright_gives_an_upright_picture() {
    let folder = tempfile::tempdir().unwrap();
    // Red above, blue below, as the viewer should see it; stored lying on its side.
    let lying = make(
        folder.path(),
        "lying.mp4",
        "-f lavfi -i color=red:s=180x160:r=25:d=1 -f lavfi -i color=blue:s=180x160:r=25:d=1 \
         -filter_complex [0][1]vstack,transpose=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let turn = format!("-i {} -c copy -metadata:s:v rotate=90", lying.display());
    let source = make(folder.path(), "phone.mp4", &turn);
    let packaged = package(&source, quick()).await;
    let rung = &packaged.plan.video.as_ref().unwrap().rungs[0];
    assert!(rung.height > rung.width, "{}x{}", rung.width, rung.height);
    let (top, bottom) = (colour(&packaged, &rung.name, 0.25), colour(&packaged, &rung.name, 0.75));
    assert!(top.0 > 200 && top.2 < 60, "{top:?}");
    assert!(bottom.2 > 200 && bottom.0 < 60, "{bottom:?}");
}

/// Returns the colour in the middle of the first frame, at this share of its height.
fn colour(packaged: &Packaged, rendition: &str, height: f64) -> (u8, u8, u8) {
    let playlist = packaged.folder.join(rendition).join("media.m3u8");
    let crop = format!("crop=2:2:iw/2:ih*{height},scale=1:1:in_color_matrix=bt709,format=rgb24");
    let run = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i", path(&playlist), "-frames:v", "1", "-vf", &crop, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    (run.stdout[0], run.stdout[1], run.stdout[2])
}

#[tokio::test]
async fn colours_stay_whatever_matrix_range_or_curve_they_came_in() {
    let folder = tempfile::tempdir().unwrap();
    for (file, made_by) in [
        ("hd.mp4", "-vf scale=out_color_matrix=bt709 -colorspace bt709 -pix_fmt yuv420p -c:v libx264"),
        ("sd.mp4", "-vf scale=out_color_matrix=bt601 -colorspace smpte170m -pix_fmt yuv420p -c:v libx264"),
        (
            "full.mp4",
            "-vf scale=out_color_matrix=bt709:out_range=pc -color_range pc -colorspace bt709 -pix_fmt yuv420p -c:v libx264",
        ),
    ] {
        let source = make(
            folder.path(),
            file,
            &format!("-f lavfi -i color=0x3060C0:s=320x180:r=25:d=1 {made_by} -preset ultrafast"),
        );
        let packaged = package(&source, quick()).await;
        let (r, g, b) = colour(&packaged, &packaged.plan.video.as_ref().unwrap().rungs[0].name, 0.5);
        let near = |value: u8, wanted: u8| value.abs_diff(wanted) <= 4;
        assert!(near(r, 0x30) && near(g, 0x60) && near(b, 0xC0), "{file}: {r:02x}{g:02x}{b:02x}");
    }
}

#[tokio::test]
async fn hdr_is_tone_mapped_to_a_picture_with_light_and_shade() {
    for (file, curve) in [("hdr10.mp4", "smpte2084"), ("hlg.mp4", "arib-std-b67")] {
        let made_by = format!(
            "{PICTURE} -vf zscale=t={curve}:m=bt2020nc:p=bt2020:tin=bt709:min=bt709:pin=bt709:rin=limited,format=yuv420p10le \
             -c:v libx265 -preset ultrafast -x265-params log-level=none:colorprim=bt2020:transfer={curve}:colormatrix=bt2020nc"
        );
        let packaged =
            check(Wanted { file, made_by, picture: Some((320, 180, 50)), sound: &[], seconds: 2.0 }).await;
        assert!(packaged.plan.video.as_ref().unwrap().conversion.tone_map);
        let playlist =
            packaged.folder.join(&packaged.plan.video.as_ref().unwrap().rungs[0].name).join("media.m3u8");
        let decoded = ask(
            "ffprobe",
            &[
                "-v",
                "error",
                "-show_entries",
                "stream=color_transfer,color_space,pix_fmt",
                "-of",
                "csv=p=0",
                path(&playlist),
            ],
        );
        assert!(decoded.contains("yuv420p,bt709,bt709"), "{decoded}");
    }
}

#[tokio::test]
async fn every_cadence_comes_out_constant() {
    let cadence = async |file: &str, frames: u64, seconds: f64, source: &str| {
        let made_by = format!(
            "-f lavfi -i testsrc2=s=320x180:{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"
        );
        check(Wanted { file, made_by, picture: Some((320, 180, frames)), sound: &[], seconds }).await
    };
    let packaged =
        cadence("interlaced.mkv", 50, 2.0, "r=50:d=2 -vf interlace -flags +ildct+ilme -x264-params tff=1")
            .await;
    assert!(packaged.plan.video.unwrap().conversion.deinterlace);
    // Thirty pictures in the first second, then ten in each.
    cadence("variable.mp4", 88, 2.93, "r=30:d=3 -vf select='lt(n\\,30)+not(mod(n\\,3))' -vsync vfr").await;
    cadence("one.mp4", 1, 0.04, "r=25:d=1 -frames:v 1").await;
    cadence("half.mp4", 15, 0.5, "r=30:d=0.5").await;
    cadence("hundred.mp4", 100, 2.0, "r=100:d=2").await;
    cadence("film.mkv", 48, 2.0, "r=24000/1001:d=2").await;
    cadence("slow.mp4", 10, 2.0, "r=5:d=2").await;
}

#[tokio::test]
async fn a_clock_that_starts_anywhere_is_shown_from_zero() {
    same("late.ts", &format!("{PICTURE} {SOUND} {FAST} -output_ts_offset 3600")).await;
    same("late.mkv", &format!("{PICTURE} {SOUND} {FAST} -output_ts_offset 10")).await;
    // Sound that sets in a second late, and a picture that does.
    same("late-sound.mp4", &format!("{PICTURE} -itsoffset 1 -f lavfi -i sine=f=440:r=48000:d=1 {FAST}"))
        .await;
    same("late-picture.mp4", &format!("-itsoffset 1 -f lavfi -i testsrc2=s=320x180:r=25:d=1 {SOUND} {FAST}"))
        .await;
    // The longer of the two decides.
    same("long-sound.mp4", &format!("-f lavfi -i testsrc2=s=320x180:r=25:d=0.8 {SOUND} {FAST}")).await;
    same("short-sound.mp4", &format!("{PICTURE} -f lavfi -i sine=f=440:r=48000:d=0.8 {FAST}")).await;
}

#[tokio::test]
async fn an_edit_list_hides_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    // The picture's brightness encodes its time: two steps a frame. A copy from between two key frames keeps the
    // first and hides what lies before the cut.
    let clock = "-f lavfi -i color=black:s=320x180:r=25:d=4,format=gray,geq=lum='16+2*N'";
    let whole =
        make(folder.path(), "whole.mp4", &format!("{clock} -f lavfi -i sine=r=48000:d=4 {FAST} -g 50"));
    let cut = make(folder.path(), "cut.mp4", &format!("-ss 1.4 -i {} -c copy", whole.display()));
    let packaged = package(&cut, quick()).await;
    decodes_to_its_plan(&packaged, "cut.mp4");
    let frames = packaged.plan.video.as_ref().unwrap().frames;
    assert!((64..=66).contains(&frames), "{frames}");
    let (hidden, shown) = (brightness(&whole), brightness(&packaged.folder.join("180p/media.m3u8")));
    // 1.4 s are 35 frames.
    assert!((shown - hidden - 70.0).abs() < 3.0, "{shown} after {hidden}");
}

/// Returns the mean brightness of a file's first picture.
fn brightness(file: &Path) -> f64 {
    let run = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            path(file),
            "-frames:v",
            "1",
            "-vf",
            "format=gray",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    run.stdout.iter().map(|v| f64::from(*v)).sum::<f64>() / run.stdout.len() as f64
}

#[tokio::test]
async fn an_encoder_that_dies_leaves_its_last_lines_to_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", &format!("{PICTURE} {FAST}"));
    let config = packager::Config { preset: "no-such-preset".into(), ..quick() };
    let packaged = harness::try_package(&source, config).await;
    let failure = packaged.video.failure.unwrap();
    assert_eq!(failure.code, "encoding_failed");
    assert!(failure.message.contains("the server's log has its last lines"), "{}", failure.message);
    assert!(!failure.message.contains("no-such-preset"), "{}", failure.message);
}
