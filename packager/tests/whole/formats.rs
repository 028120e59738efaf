//! Pictures and sound that change their format in the middle, as adverts and video calls do.

use std::path::{Path, PathBuf};

use super::{
    concatenated,
    harness::{make, package, quick},
    numbered::{Shown, beeps_of_two, inputs},
};

/// Makes parts of two seconds in different formats, joins them on one clock, and expects all of them.
async fn check(file: &str, parts: &[&str], rest: &str) {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<PathBuf> = (0..)
        .zip(parts)
        .map(|(n, part)| make(folder.path(), &format!("{n}-{file}"), &format!("{} {part} {rest}", inputs(2))))
        .collect();
    let whole = concatenated(folder.path(), file, &parts);
    shows_all(&whole, parts.len()).await;
}

/// The same with a sound that goes through, for its frames fill no two seconds.
async fn check_pictures(file: &str, parts: &[&str], picture: &str, sound: &str) {
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<PathBuf> = (0..)
        .zip(parts)
        .map(|(n, part)| {
            make(folder.path(), &format!("{n}-{file}"), &format!("{} -an {part} {picture}", inputs(2)))
        })
        .collect();
    let pictures = concatenated(folder.path(), &format!("pictures-{file}"), &made);
    let seconds = 2 * parts.len() as u32;
    let sound =
        make(folder.path(), &format!("sound-{file}"), &format!("{} -vn {sound}", beeps_of_two(parts.len())));
    let both = format!("-i {} -i {} -map 0 -map 1 -c copy -t {seconds}", pictures.display(), sound.display());
    shows_all(&make(folder.path(), file, &both), parts.len()).await;
}

async fn shows_all(source: &Path, parts: usize) {
    let packaged = package(source, quick()).await;
    let mut shown = Shown::of(&packaged);
    // At a seam the last frame of one sound overlaps the first of the other; their second beeps are clear.
    shown.beeps.retain(|(at, _)| at.round() as u32 % 2 == 1);
    let name = source.display().to_string();
    shown.frames(&vec![2; parts], 3, &name);
    assert_eq!(shown.beeps.len(), parts, "{name}: {:?}", shown.beeps);
    shown.together(&name);
    assert_eq!(packaged.video.notes, packaged.plan.notes, "{}: nothing is lost", source.display());
}

fn size(width: u32, height: u32) -> String {
    format!("-vf scale={width}:{height}:flags=neighbor")
}

#[tokio::test]
async fn a_picture_that_changes_its_size_is_scaled_to_the_plan() {
    let sizes = [size(320, 180), size(640, 360), size(160, 90), size(480, 270), size(320, 180)];
    let sizes: Vec<&str> = sizes.iter().map(String::as_str).collect();
    let opus = "-c:a libopus";
    check_pictures("call.webm", &sizes, "-c:v libvpx -deadline realtime -b:v 1M", opus).await;
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M";
    check_pictures("vp9.webm", &sizes[..3], vp9, opus).await;
    check_pictures("dvb.ts", &sizes, "-c:v libx264 -preset ultrafast -pix_fmt yuv420p", "-c:a aac").await;
    check_pictures("mpeg2.ts", &sizes[..3], "-c:v mpeg2video -b:v 3M", "-c:a mp2").await;
}

#[tokio::test]
async fn a_picture_that_changes_its_pixels_goes_on() {
    let formats = [
        "-pix_fmt yuv420p",
        "-pix_fmt yuv444p",
        "-pix_fmt yuv420p10le -profile:v high10",
        "-pix_fmt yuv422p",
    ];
    check("pixels.ts", &formats, "-c:v libx264 -preset ultrafast -c:a aac").await;
}

#[tokio::test]
async fn sound_that_changes_its_rate_or_channels_stays_in_its_place() {
    let picture = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let surround = ["-ac 6", "-ac 2", "-ac 6"];
    let rates = ["-ar 48000", "-ar 44100", "-ar 32000", "-ar 48000"];
    let channels = ["-ac 1", "-ac 2", "-ac 1"];
    for changes in [&surround[..], &rates, &channels] {
        check("aac.ts", changes, &format!("{picture} -c:a aac")).await;
    }
    check("ac3.ts", &surround, &format!("{picture} -c:a ac3")).await;
    check("ac3.mkv", &surround, &format!("{picture} -c:a ac3")).await;
    check("mp3.mkv", &channels, &format!("{picture} -c:a libmp3lame")).await;
}

#[tokio::test]
async fn a_clock_that_starts_again_may_bring_other_formats() {
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -c:a aac";
    let parts: Vec<PathBuf> = (0..)
        .zip([
            (3, "-ac 6"),
            (2, "-ac 2 -ar 44100 -vf scale=640:360:flags=neighbor"),
            (3, "-ac 1 -pix_fmt yuv422p"),
        ])
        .map(|(n, (seconds, how))| {
            make(folder.path(), &format!("{n}.ts"), &format!("{} {x264} {how}", inputs(seconds)))
        })
        .collect();
    let all = super::joined(folder.path(), "all.ts", &parts.iter().collect::<Vec<_>>());
    let packaged = package(&all, quick()).await;
    let rate = packaged.plan.video.as_ref().unwrap().frame_rate;
    assert_eq!((rate.num, rate.den), (25, 1), "sound that is longer than its picture is no slower picture");
    Shown::of(&packaged).check(&[3, 2, 3], 0, "all.ts");
}

#[tokio::test]
async fn sound_and_picture_change_at_once() {
    let parts = [
        "-ac 6 -ar 48000",
        "-ac 2 -ar 44100 -vf scale=640:360:flags=neighbor",
        "-ac 1 -ar 48000 -vf scale=160:90:flags=neighbor -pix_fmt yuv444p",
    ];
    check("advert.ts", &parts, "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac").await;
}
