//! Files of recorders: containers of sound alone, streams of sound without one, and the tapes of camcorders.

use super::{
    harness::{make, package, quick},
    numbered::{Shown, beeps_of, inputs, sound_of},
};

#[tokio::test]
async fn sound_of_every_recorder_keeps_its_time() {
    for (name, codec) in [
        ("a.aiff", "-c:a pcm_s16be"),
        ("a.caf", "-c:a pcm_s24le"),
        ("alac.caf", "-c:a alac"),
        ("a.w64", "-c:a pcm_s16le"),
        ("a.au", "-c:a pcm_s16be"),
        ("a.ac3", "-c:a ac3"),
        ("a.eac3", "-c:a eac3"),
        ("a.dts", "-strict -2 -c:a dca"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = make(folder.path(), name, &format!("{} {codec}", sound_of(13)));
        let packaged = package(&source, packager::Config { run_segments: 1, ..quick() }).await;
        let beeps = beeps_of(&packaged);
        let seconds: Vec<u32> = beeps.iter().map(|(_, second)| *second).collect();
        assert_eq!(seconds, (0..13).collect::<Vec<u32>>(), "{name}: {beeps:?}");
        for (at, second) in beeps {
            assert!((at - f64::from(second)).abs() < 0.04, "{name}: second {second} beeps at {at}");
        }
        assert!(packaged.video.notes.is_empty(), "{name}: {:?}", packaged.video.notes);
    }
}

#[tokio::test]
async fn a_tape_of_a_camcorder_plays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let tape = "-vf scale=720:576:flags=neighbor -c:v dvvideo -pix_fmt yuv420p -ar 48000 -ac 2";
    let source = make(folder.path(), "a.dv", &format!("{} {tape}", inputs(8)));
    let packaged = package(&source, packager::Config { run_segments: 1, ..quick() }).await;
    let shown = Shown::of(&packaged);
    shown.frames(&[8], 0, "a.dv");
    shown.together("a.dv");
}
