//! Picture and sound stay together: flashes and beeps go in at the same times, and come out so.

use super::{
    FAST,
    harness::{Packaged, ask, make, package, quick},
    path,
};

/// A white flash and a beep at each second, 25 frames a second.
const FLASH: &str = "-f lavfi -i color=black:s=320x180:r=25:d=20,drawbox=c=white:t=fill:enable=lt(mod(t\\,1)\\,0.03) \
    -f lavfi -i aevalsrc=exprs=if(lt(mod(t\\,1)\\,0.03)\\,0.8*sin(2*PI*1000*t)\\,0):s=48000:d=20";

#[tokio::test]
async fn picture_and_sound_stay_together_to_the_last_second() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["sync.mp4", "sync.ts", "sync.mkv"] {
        let source = make(folder.path(), file, &format!("{FLASH} {FAST}"));
        let packaged = package(&source, quick()).await;
        let flashes = flashes(&packaged);
        let beeps = beeps(&packaged);
        assert_eq!((flashes.len(), beeps.len()), (20, 20), "{file}: {flashes:?} {beeps:?}");
        for (flash, beep) in flashes.iter().zip(&beeps) {
            assert!((flash - beep).abs() < 0.04, "{file}: flash at {flash}, beep at {beep}");
        }
    }
}

fn flashes(packaged: &Packaged) -> Vec<f64> {
    let master = packaged.folder.join("master.m3u8");
    let filter = "scale=2:2,format=gray,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let output = ask(
        "ffmpeg",
        &["-v", "error", "-copyts", "-i", path(&master), "-map", "0:v:0", "-vf", filter, "-f", "null", "-"],
    );
    let mut flashes = Vec::new();
    let mut time = 0.0;
    for line in output.lines() {
        if let Some((_, t)) = line.split_once("pts_time:") {
            time = t.trim().parse().unwrap();
        } else if let Some((_, level)) = line.split_once("YAVG=")
            && level.parse::<f64>().unwrap() > 128.0
        {
            flashes.push(time);
        }
    }
    flashes
}

fn beeps(packaged: &Packaged) -> Vec<f64> {
    let master = packaged.folder.join("master.m3u8");
    let run = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            path(&master),
            "-map",
            "0:a:0",
            "-ac",
            "1",
            "-ar",
            "48000",
            "-f",
            "s16le",
            "-",
        ])
        .output()
        .unwrap();
    let samples: Vec<i16> = run.stdout.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let mut beeps = Vec::new();
    let mut quiet = 48_000;
    for (n, sample) in samples.iter().enumerate() {
        if sample.abs() > 4000 {
            if quiet > 24_000 {
                beeps.push(n as f64 / 48_000.0);
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    beeps
}
