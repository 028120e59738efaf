//! Clocks that start again, gaps, and single wild times.

use packager::Config;

use super::{
    X264,
    harness::{make, package, quick},
    joined,
    numbered::{Shown, inputs},
};

#[tokio::test]
async fn a_recording_that_starts_again_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codecs) in [
        ("a.ts", X264),
        ("a.mkv", X264),
        ("a.mpg", "-c:v mpeg2video -b:v 2M -c:a mp2 -f vob"),
        ("a.webm", "-c:v libvpx -deadline realtime -b:v 1M -c:a libopus"),
    ] {
        let part = make(folder.path(), file, &format!("{} {codecs}", inputs(5)));
        let two = joined(folder.path(), &format!("two-{file}"), &[&part, &part]);
        let packaged = package(&two, quick()).await;
        assert_eq!(packaged.plan.video.as_ref().unwrap().frame_rate.num, 25, "{file}");
        assert_eq!(packaged.plan.notes.len(), 1, "{file}: {:?}", packaged.plan.notes);
        Shown::of(&packaged).check(&[5, 5], 3, file);
    }
}

#[tokio::test]
async fn sound_from_before_the_first_picture_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codecs) in [
        ("a.mp4", X264.to_owned()),
        ("a.mkv", X264.to_owned()),
        ("a.ts", X264.to_owned()),
        ("a.flv", X264.to_owned()),
        ("opus.webm", "-c:v libvpx -deadline realtime -b:v 1M -c:a libopus".to_owned()),
        ("a.wmv", "-c:v wmv2 -b:v 2M -c:a wmav2".to_owned()),
        // Nothing says that pictures are shown two frames behind their decoding.
        ("fragments.mp4", format!("{X264} -movflags +frag_keyframe+empty_moov+default_base_moof")),
    ] {
        let source = make(folder.path(), file, &format!("{} {codecs}", inputs(8)));
        let shown = Shown::of(&package(&source, Config { run_segments: 1, ..quick() }).await);
        shown.check(&[8], 0, file);
        assert_eq!(shown.beeps.len(), 8, "{file}: {:?}", shown.beeps);
        for (at, second) in &shown.beeps {
            let off = (at - f64::from(*second)).abs();
            assert!(off < 0.015, "{file}: second {second} beeps at {at}");
        }
    }
}

#[tokio::test]
async fn an_interruption_is_no_hour_of_stillness() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(folder.path(), "first.ts", &format!("{} {X264}", inputs(3)));
    for offset in [3600, 40] {
        let second =
            make(folder.path(), "second.ts", &format!("{} {X264} -output_ts_offset {offset}", inputs(4)));
        let both = joined(folder.path(), "both.ts", &[&first, &second]);
        Shown::of(&package(&both, quick()).await).check(&[3, 4], 3, &format!("{offset} s later"));
        let both = joined(folder.path(), "both.ts", &[&second, &first]);
        Shown::of(&package(&both, quick()).await).check(&[4, 3], 3, &format!("{offset} s before"));
    }
}

#[tokio::test]
async fn a_single_wild_time_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (frame, reordered) in [(100, "-bf 0"), (101, "-bf 2"), (0, "-bf 0"), (249, "-bf 0")] {
        let clean = make(folder.path(), "clean.ts", &format!("{} {X264} {reordered}", inputs(10)));
        for wild in ["3600", "1"] {
            // Its time of decoding stays, as in a stream with a damaged header.
            let wild = format!("setts=pts=PTS+if(eq(N\\,{frame})\\,{wild}/TB\\,0)");
            let made_by = format!("-i {} -c copy -bsf:v {wild}", clean.display());
            let packaged = package(&make(folder.path(), "wild.ts", &made_by), quick()).await;
            Shown::of(&packaged).check(&[10], 3, &format!("{wild} at frame {frame}, {reordered}"));
        }
    }
}

#[tokio::test]
async fn pictures_without_times_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    // Of small pictures several begin in one packet, of which the first has a time.
    for (file, codecs) in [
        ("plain.mpg", "-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a mp2 -f vob"),
        ("ordered.mpg", "-c:v libx264 -g 50 -bf 3 -pix_fmt yuv420p -c:a mp2 -f vob"),
        (
            "hevc.mpg",
            "-c:v libx265 -x265-params log-level=error -preset ultrafast -g 50 -pix_fmt yuv420p -c:a mp2 -f vob",
        ),
    ] {
        let source = make(folder.path(), file, &format!("{} {codecs}", inputs(8)));
        let packaged = package(&source, Config { run_segments: 1, ..quick() }).await;
        let rate = packaged.plan.video.as_ref().unwrap().frame_rate;
        assert_eq!((rate.num, rate.den), (25, 1), "{file}");
        Shown::of(&packaged).check(&[8], 1, file);
    }
}
