//! Sound that lacks packets or has broken ones: what is behind a gap stays where it was.

use packager::plan::Plan;

use super::{
    X264,
    harness::{make, package, quick},
    numbered::{Shown, inputs},
};

const SECONDS: u32 = 10;
const PICTURE: &str = "-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p";

/// Gaps of 60 to 100 ms, none of them in a beep.
const GAPS: [(f64, f64); 5] = [(1.3, 1.38), (3.3, 3.36), (3.6, 3.7), (6.5, 6.56), (8.2, 8.28)];

fn in_gaps(time: &str) -> String {
    let each = GAPS.map(|(from, to)| format!("between({time}\\,{from}\\,{to})"));
    each.join("+")
}

/// Expects every frame, and every beep within 40 ms of its flash.
async fn check(file: &str, made_by: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let packaged = package(&make(folder.path(), file, made_by), quick()).await;
    let mut shown = Shown::of(&packaged);
    // Some decoders make noise of a broken packet, which is no beep.
    shown.beeps.retain(|(at, _)| (at - at.round()).abs() < 0.2);
    shown.check(&[SECONDS], 2, &format!("{file} by {made_by}"));
    packaged.plan
}

#[tokio::test]
async fn sound_behind_a_gap_is_not_early() {
    let gaps = format!("-af asetnsamples=960,aselect=not({})", in_gaps("t"));
    for (file, codec) in [
        ("pcm.mkv", "-c:a pcm_s16le"),
        ("aac.mkv", "-c:a aac"),
        ("flac.mkv", "-c:a flac"),
        ("opus.mkv", "-c:a libopus"),
        ("vorbis.mkv", "-c:a libvorbis"),
        ("aac.ts", "-c:a aac"),
        ("ac3.ts", "-c:a ac3"),
        ("mp2.ts", "-c:a mp2"),
        ("mp3.flv", "-c:a libmp3lame -ar 44100"),
    ] {
        check(file, &format!("{} {gaps} {PICTURE} {codec}", inputs(SECONDS))).await;
    }
}

#[tokio::test]
async fn sound_behind_lost_packets_is_not_early() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codec) in [
        ("pcm.mkv", "-c:a pcm_s16le"),
        ("aac.mkv", "-c:a aac"),
        ("opus.mkv", "-c:a libopus"),
        ("aac.ts", "-c:a aac"),
        ("aac.mp4", "-c:a aac"),
    ] {
        let whole = make(folder.path(), file, &format!("{} {PICTURE} {codec}", inputs(SECONDS)));
        let dropped = format!("-bsf:a noise=drop={}", in_gaps("pts*tb"));
        check(file, &format!("-i {} -c copy {dropped}", whole.display())).await;
    }
}

#[tokio::test]
async fn sound_behind_broken_packets_is_not_early() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codec) in [
        ("aac.mkv", "-c:a aac"),
        ("ac3.mkv", "-c:a ac3"),
        ("mp3.mkv", "-c:a libmp3lame"),
        ("flac.mkv", "-c:a flac"),
        ("aac.mp4", "-c:a aac"),
    ] {
        let whole = make(folder.path(), file, &format!("{} {PICTURE} {codec}", inputs(SECONDS)));
        // A bit here and there in the packets of these times.
        let broken = format!("-bsf:a noise=amount=if({}\\,7\\,0)", in_gaps("pts*tb"));
        check(file, &format!("-i {} -c copy {broken}", whole.display())).await;
    }
}

#[tokio::test]
async fn hundreds_of_gaps_do_not_add_up() {
    // A packet in thirty: 0.3 s in ten, but for the beeps' own.
    let lossy = "aselect=not(eq(mod(n\\,30)\\,14))";
    for (file, codec) in [("pcm.mkv", "-c:a pcm_s16le"), ("opus.webm", "-c:a libopus")] {
        let codecs = if file == "opus.webm" { "-c:v libvpx -deadline realtime" } else { PICTURE };
        let made_by = format!("{} -af asetnsamples=960,{lossy} {codecs} {codec}", inputs(SECONDS));
        check(file, &made_by).await;
    }
}

#[tokio::test]
async fn a_source_without_gaps_has_none_filled() {
    let plan = check("whole.mp4", &format!("{} {X264}", inputs(SECONDS))).await;
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}
