//! Frame rates that only look uneven, and those that are too high: no frame is shown twice, and none is lost but every
//! second, third or fourth.

use super::{
    harness::{make, package, quick},
    numbered::{Shown, picture},
};

const X264: &str = "-c:v libx264 -preset ultrafast -g 50 -bf 2 -pix_fmt yuv420p";

/// Packages a source of 240 numbered frames, and expects every `part`th of them at one of the rates.
async fn check(file: &str, made_by: &str, rates: &[(u32, u32)], part: u32) {
    let folder = tempfile::tempdir().unwrap();
    let packaged = package(&make(folder.path(), file, made_by), quick()).await;
    let rate = packaged.plan.video.as_ref().unwrap().frame_rate;
    assert!(rates.contains(&(rate.num, rate.den)), "{rate:?} of {file}: {made_by}");
    let shown = Shown::of(&packaged);
    let numbers: Vec<u32> = (0..240).step_by(part as usize).collect();
    assert_eq!(shown.numbers, numbers, "{file}: {made_by}");
}

#[tokio::test]
async fn jitter_around_a_standard_rate_costs_no_frame() {
    for (rate, expected) in [
        ("30.034", (30, 1)),
        ("25.02", (25, 1)),
        ("24.03", (24, 1)),
        ("24000/1001", (24_000, 1001)),
        ("30000/1001", (30_000, 1001)),
        ("60000/1001", (60_000, 1001)),
        ("12.5", (25, 2)),
    ] {
        // Half a frame to and fro, as phones and webcams have it.
        let jitter = format!("settb=1/90000,setpts=(N+0.5*random(1))/({rate})/TB");
        let made_by =
            format!("{} -vf {jitter} -vsync passthrough -enc_time_base 1:90000 {X264}", picture(rate, 240));
        for file in ["jitter.mp4", "jitter.mkv"] {
            check(file, &made_by, &[expected], 1).await;
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_a_little_off_costs_no_frame() {
    for (rate, expected) in [
        ("30.034", (30, 1)),
        ("25.02", (25, 1)),
        ("24.03", (24, 1)),
        ("15", (15, 1)),
        ("50", (50, 1)),
        // No standard rate, but one rate all the same.
        ("18.3", (183, 10)),
    ] {
        for file in ["clock.mp4", "clock.mkv", "clock.ts"] {
            check(file, &format!("{} {X264}", picture(rate, 240)), &[expected], 1).await;
        }
    }
}

#[tokio::test]
async fn a_rate_that_no_standard_is_near_costs_no_frame() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "a.mp4", &format!("{} {X264}", picture("29.9", 900)));
    let shown = Shown::of(&package(&source, quick()).await);
    let all: Vec<u32> = (0..900).collect();
    assert_eq!(shown.numbers, all);
}

#[tokio::test]
async fn of_too_many_frames_each_second_third_or_fourth_is_shown() {
    // Two seconds in whole milliseconds are too short to tell 59.94 from 60.
    let sixty: &[(u32, u32)] = &[(60, 1), (60_000, 1001)];
    for (rate, expected, part) in [
        ("120", sixty, 2),
        ("120000/1001", sixty, 2),
        ("144", &[(48, 1)], 3),
        ("240", sixty, 4),
        ("480", sixty, 8),
    ] {
        // Matroska and FLV count whole milliseconds.
        for file in ["fast.mkv", "fast.flv", "fast.mp4"] {
            check(file, &format!("{} {X264}", picture(rate, 240)), expected, part).await;
        }
    }
}

/// Screen recorders write no frames while nothing moves, and encoders reorder those on either side.
#[tokio::test]
async fn frames_behind_a_still_come_no_earlier() {
    let folder = tempfile::tempdir().unwrap();
    let moves = |n: u32| !(10..40).contains(&(n % 50)) && n != 199;
    let still = "-vf select=not(between(mod(n\\,50)\\,10\\,39)+eq(n\\,199)) -vsync vfr -c:a aac";
    let mut expected = Vec::new();
    let mut last = 0;
    for n in 0..200 {
        last = if moves(n) { n } else { last };
        expected.push(last);
    }
    for file in ["still.mp4", "still.mkv", "still.ts", "still.flv"] {
        let made_by = format!("{} {X264} {still}", super::numbered::inputs(8));
        let source = make(folder.path(), file, &made_by);
        let packaged = package(&source, packager::Config { run_segments: 1, ..quick() }).await;
        let shown = Shown::of(&packaged);
        assert_eq!(packaged.plan.notes, Vec::<String>::new(), "{file}");
        let rate = packaged.plan.video.as_ref().unwrap().frame_rate;
        assert_eq!((rate.num, rate.den), (25, 1), "{file}");
        assert_eq!(shown.numbers[..198], expected[..198], "{file}");
        assert_eq!(shown.beeps.len(), 8, "{file}: {:?}", shown.beeps);
        for (at, second) in &shown.beeps {
            assert!((at - f64::from(*second)).abs() < 0.03, "{file}: second {second} beeps at {at}");
        }
    }
}

#[tokio::test]
async fn containers_with_few_times_lose_no_frame_at_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = super::numbered::inputs(8);
    for (file, codecs) in [
        // AVI has no times of presentation, and one packet of a program stream begins several pictures.
        ("reordered.avi", format!("{X264} -c:a libmp3lame")),
        ("reordered-4.avi", "-c:v mpeg4 -b:v 2M -bf 2 -c:a libmp3lame".to_owned()),
        ("far.mpg", format!("{X264} -g 625 -keyint_min 625 -sc_threshold 0 -c:a mp2 -f vob")),
        (
            "broadcast.mpg",
            "-c:v mpeg2video -b:v 2M -g 600 -sc_threshold 1000000000 -bf 2 -c:a mp2".to_owned(),
        ),
    ] {
        let source = make(folder.path(), file, &format!("{inputs} {codecs}"));
        let config = packager::Config { run_segments: 1, ..quick() };
        let packaged = package(&source, config).await;
        let shown = Shown::of(&packaged);
        let all: Vec<u32> = (0..200).collect();
        assert_eq!(shown.numbers, all, "{file}");
        shown.together(file);
        assert_eq!(packaged.video.notes, Vec::<String>::new(), "{file}");
    }
}
