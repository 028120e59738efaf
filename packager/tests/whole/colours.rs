//! Colours whose tags are missing, contradict each other, or name what nobody can convert.

use std::path::{Path, PathBuf};

use packager::plan::Plan;

use super::harness::{Packaged, make, package, quick};

/// Numbers of ITU-T H.273: unspecified, and the curves of HDR.
const UNSPECIFIED: u32 = 2;
const PQ: u32 = 16;
const HLG: u32 = 18;

/// Tags of ITU-T H.273.
#[derive(Clone, Copy, Debug)]
struct Tags {
    primaries: u32,
    transfer: u32,
    matrix: u32,
}

fn source(folder: &Path, pixels: &str) -> PathBuf {
    let depth = if pixels == "yuv420p" { "" } else { "-profile:v high10" };
    let made_by = format!(
        "-f lavfi -i color=0xB06040:s=320x180:r=25:d=0.2,format=rgb24,scale=out_color_matrix=bt601:out_range=tv,format={pixels} -c:v libx264 -preset ultrafast {depth}"
    );
    make(folder, &format!("{pixels}.mp4"), &made_by)
}

/// Packages `source` with other tags, and returns the colour that a player shows.
async fn shown(source: &Path, tags: Tags) -> (Plan, [u8; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let Tags { primaries, transfer, matrix } = tags;
    let made_by = format!(
        "-i {} -c copy -bsf:v h264_metadata=colour_primaries={primaries}:transfer_characteristics={transfer}:matrix_coefficients={matrix}",
        source.display()
    );
    let packaged = package(&make(folder.path(), "tagged.mp4", &made_by), quick()).await;
    let colour = colour(&packaged);
    (packaged.plan, colour)
}

/// Returns the colour of the first frame.
fn colour(packaged: &Packaged) -> [u8; 3] {
    let playlist =
        packaged.folder.join(&packaged.plan.video.as_ref().unwrap().rungs[0].name).join("media.m3u8");
    let run = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(playlist)
        .args([
            "-frames:v",
            "1",
            "-vf",
            "crop=2:2:iw/2:ih/2,scale=1:1:in_color_matrix=bt709,format=rgb24",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    [run.stdout[0], run.stdout[1], run.stdout[2]]
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 4)
}

#[tokio::test]
async fn half_tagged_hdr_looks_like_bt2020() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), "yuv420p10le");
    for transfer in [PQ, HLG] {
        let (_, whole) = shown(&source, Tags { primaries: 9, transfer, matrix: 9 }).await;
        // Missing, reserved, of RGB, and those that no filter converts from.
        for (primaries, matrix) in
            [(UNSPECIFIED, UNSPECIFIED), (9, UNSPECIFIED), (UNSPECIFIED, 9), (3, 3), (9, 0), (9, 11), (9, 14)]
        {
            let tags = Tags { primaries, transfer, matrix };
            let (plan, colour) = shown(&source, tags).await;
            assert!(plan.video.unwrap().conversion.tone_map, "{tags:?}");
            assert!(near(colour, whole), "{tags:?}: {colour:?} and not {whole:?}");
        }
        // Tags that are there count.
        let (_, narrow) = shown(&source, Tags { primaries: 1, transfer, matrix: 1 }).await;
        assert!(!near(narrow, whole), "{narrow:?}");
    }
}

#[tokio::test]
async fn contradictory_tags_cost_no_colour() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), "yuv420p");
    // The source is made in BT.601, as small pictures without a tag are.
    for (primaries, transfer, matrix) in [
        (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED),
        (6, 6, 0),
        (6, 1, UNSPECIFIED),
        (3, 3, 3),
        (1, 13, 6),
        (9, 1, 5),
        (UNSPECIFIED, 8, 14),
        (22, 17, 13),
        (12, 12, 11),
        (10, 9, UNSPECIFIED),
        (7, 7, 6),
    ] {
        let tags = Tags { primaries, transfer, matrix };
        let (_, colour) = shown(&source, tags).await;
        assert!(near(colour, [0xB0, 0x60, 0x40]), "{tags:?}: {colour:?}");
    }
}
