//! Runs: wherever a video is cut between encoders, its segments fit together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::{path::Path, process::Command};

use harness::{Packaged, ask, make, package, quick};
use packager::Config;

// All colours and ends are set: what `gradients` draws by chance, ffmpeg 5.1 draws anew at each call, seed or not.
const SOURCE: &str = "-f lavfi -i gradients=s=320x180:r=30000/1001:d=20:speed=0.03:nb_colors=2:c0=0x204080:c1=0xe0a040:x0=0:y0=0:x1=319:y1=179 \
    -f lavfi -i sine=f=440:r=44100:d=20 \
    -c:v libx264 -preset ultrafast -g 100 -bf 2 -pix_fmt yuv420p -c:a aac";

#[tokio::test]
async fn runs_of_one_segment_give_what_one_run_gives() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["source.mp4", "source.mkv", "source.ts"] {
        let source = make(folder.path(), file, SOURCE);
        let whole = package(&source, Config { run_segments: 100, ..quick() }).await;
        let pieces = package(&source, Config { run_segments: 1, ..quick() }).await;
        assert_eq!(whole.plan, pieces.plan);
        for rendition in ["180p", "audio"] {
            let read = |of: &Packaged| std::fs::read(of.folder.join(rendition).join("init.mp4")).unwrap();
            assert_eq!(read(&whole), read(&pieces), "{file}: {rendition}/init.mp4");
            assert_eq!(packets(&whole, rendition), packets(&pieces, rendition), "{file}: {rendition}");
        }
        let worst = worst_psnr(&pieces, &source);
        assert!(worst > 30.0, "{file}: {worst} dB");
        let seams = worst_psnr(&whole, &source) - worst;
        assert!(seams < 3.0, "{file}: the seams cost {seams} dB");
    }
}

/// Returns each packet's times, duration and key flag.
fn packets(of: &Packaged, rendition: &str) -> Vec<String> {
    let playlist = of.folder.join(rendition).join("media.m3u8");
    let output = ask(
        "ffprobe",
        &[
            "-v",
            "warning",
            "-show_entries",
            "packet=pts,dts,duration,flags",
            "-of",
            "csv=p=0",
            text(&playlist),
        ],
    );
    output.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Returns the lowest PSNR of any frame against the source's frame of the same number.
fn worst_psnr(of: &Packaged, source: &Path) -> f64 {
    let playlist = of.folder.join("180p/media.m3u8");
    let graph = "[0:v]setpts=N*1001/30000/TB[a];[1:v]setpts=N*1001/30000/TB[b];[a][b]psnr=stats_file=-";
    let output = ask(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            text(&playlist),
            "-i",
            text(source),
            "-filter_complex",
            graph,
            "-f",
            "null",
            "-",
        ],
    );
    let of_frames = output
        .lines()
        .filter_map(|line| line.split("psnr_avg:").nth(1)?.split_whitespace().next()?.parse::<f64>().ok());
    let of_frames: Vec<f64> = of_frames.collect();
    assert_eq!(of_frames.len() as u64, of.plan.video.as_ref().unwrap().frames);
    of_frames.into_iter().fold(f64::INFINITY, f64::min)
}

#[tokio::test]
async fn every_segment_starts_with_a_key_frame_and_sound_is_cut_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", SOURCE);
    let packaged = package(&source, quick()).await;
    for number in 0..packaged.plan.grid.segments() {
        let (video, key) = first_packet(&packaged, "180p", number);
        let (audio, _) = first_packet(&packaged, "audio", number);
        assert!(key, "segment {number}");
        assert!((video - audio).abs() < 1024.0 / 48_000.0, "segment {number}: {video} and {audio}");
    }
}

fn first_packet(of: &Packaged, rendition: &str, number: u32) -> (f64, bool) {
    let folder = of.folder.join(rendition);
    let joined = tempfile::NamedTempFile::new().unwrap();
    let parts = ["init.mp4".to_owned(), format!("{number}.m4s")]
        .map(|name| std::fs::read(folder.join(name)).unwrap());
    std::fs::write(joined.path(), parts.concat()).unwrap();
    let output = ask(
        "ffprobe",
        &["-v", "warning", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", text(joined.path())],
    );
    let (time, flags) = output.lines().next().unwrap().split_once(',').unwrap();
    (time.parse().unwrap(), flags.starts_with('K'))
}

#[tokio::test]
async fn an_iframe_playlist_leads_to_key_frames_alone() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", SOURCE);
    let packaged = package(&source, quick()).await;
    let folder = packaged.folder.join("180p");
    let playlist = std::fs::read_to_string(folder.join("iframes.m3u8")).unwrap();
    let init = std::fs::read(folder.join("init.mp4")).unwrap();
    let mut ranges = Vec::new();
    let mut range = None;
    for line in playlist.lines() {
        if let Some(written) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            let (length, offset) = written.split_once('@').unwrap();
            range = Some((offset.parse::<usize>().unwrap(), length.parse::<usize>().unwrap()));
        } else if !line.starts_with('#') {
            ranges.push((line, range.take().unwrap()));
        }
    }
    // One for each two seconds of twenty.
    assert_eq!(ranges.len(), 10, "{playlist}");
    for (name, (offset, length)) in ranges {
        let segment = std::fs::read(folder.join(name)).unwrap();
        let picture = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(picture.path(), [&init, &segment[offset..offset + length]].concat()).unwrap();
        let entries = "packet=flags,size";
        let output = Command::new("ffprobe")
            .args(["-v", "quiet", "-read_intervals", "%+#1", "-show_entries", entries, "-of", "csv=p=0"])
            .arg(picture.path())
            .output()
            .unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (size, flags) = output.trim().split_once(',').unwrap();
        assert!(flags.starts_with('K'), "{name}: {output}");
        // The range ends with the key frame's last byte.
        let size: usize = size.parse().unwrap();
        assert_eq!(&segment[offset + 4..offset + 8], b"moof");
        let moof = u32::from_be_bytes(segment[offset..offset + 4].try_into().unwrap()) as usize;
        assert_eq!(length, moof + 8 + size, "{name}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Sound that is never the same twice: a rising tone beside one that stays.
const RISING: &str = "-f lavfi -i aevalsrc=0.3*sin(2*PI*(200*t+20*t*t))+0.2*sin(2*PI*330*t):s=44100:d=20";

#[tokio::test]
async fn sound_cut_in_runs_has_the_samples_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codec) in [
        ("pcm.mov", "pcm_s16le"),
        ("aac.mp4", "aac"),
        ("aac.mkv", "aac"),
        ("opus.mkv", "libopus -ar 48000"),
        ("ac3.ts", "ac3"),
    ] {
        let source = make(folder.path(), file, &format!("{RISING} -c:a {codec}"));
        let whole = sound(&package(&source, Config { run_segments: 100, ..quick() }).await);
        let pieces = sound(&package(&source, Config { run_segments: 1, ..quick() }).await);
        assert_eq!(whole.len(), pieces.len(), "{file}");
        let differences = whole.iter().zip(&pieces).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        // A shift by one sample would show as 0.03, and a seam whose windows do not overlap as 0.2.
        assert!(worst < 0.025, "{file}: {worst}");
    }
}

/// Returns the decoded samples of the default sound.
fn sound(of: &Packaged) -> Vec<f32> {
    let playlist = of.folder.join("audio/media.m3u8");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", text(&playlist), "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    output.stdout.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
