//! Sources whose frames carry their number in pixels, with a flash and a beep of its own pitch each second, and what of
//! them a packaged video shows: a frame or a sound that is lost, shifted or repeated is seen at once.

use std::process::Command;

use super::harness::Packaged;

/// Frames a second of the sources.
pub(crate) const RATE: u32 = 25;
const SAMPLES: f64 = 48_000.0;
const BITS: usize = 16;
/// A beep's pitch is this and a hundred for each second of its source.
const PITCH: f64 = 500.0;

/// A source's inputs: picture and sound of this many seconds.
pub(crate) fn inputs(seconds: u32) -> String {
    format!("{} {}", picture(&RATE.to_string(), seconds * RATE), sound_of(seconds))
}

/// A source's sound.
pub(crate) fn sound_of(seconds: u32) -> String {
    format!(
        "-f lavfi -i aevalsrc=exprs=if(lt(mod(t\\,1)\\,0.04)\\,0.8*sin(2*PI*({PITCH}+100*floor(t))*t)\\,0):s=48000:d={seconds}"
    )
}

/// A source's picture: so many frames at this rate. The upper half is the frame's number in sixteen bars, the lowest bit at
/// the left; the lower half flashes.
pub(crate) fn picture(rate: &str, frames: u32) -> String {
    format!(
        "-f lavfi -i color=black:s=320x180:r={rate},trim=end_frame={frames},format=yuv420p,\
         geq=lum=if(lt(Y\\,90)\\,16+219*mod(floor(N/pow(2\\,floor(X/20)))\\,2)\\,16+219*not(mod(N\\,{RATE}))):cb=128:cr=128"
    )
}

/// Returns the sound of several sources of two seconds, one after the other.
pub(crate) fn beeps_of_two(sources: usize) -> String {
    format!(
        "-f lavfi -i aevalsrc=exprs=if(lt(mod(t\\,1)\\,0.04)\\,0.8*sin(2*PI*({PITCH}+100*floor(mod(t\\,2)))*t)\\,0):s=48000:d={}",
        2 * sources
    )
}

/// The frames, flashes and beeps that a player presents.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Each frame's number in its source.
    pub(crate) numbers: Vec<u32>,
    /// When flashes are shown, in seconds.
    pub(crate) flashes: Vec<f64>,
    /// When beeps sound, and the second of the source that they are of.
    pub(crate) beeps: Vec<(f64, u32)>,
}

impl Shown {
    /// Plays the lowest picture and the first sound.
    pub(crate) fn of(packaged: &Packaged) -> Self {
        let video = packaged.plan.video.as_ref().unwrap();
        let rung = &video.rungs.last().unwrap().name;
        let filter = format!("scale={BITS}:2:flags=area,format=gray");
        let pixels = raw(packaged, rung, &["-vf", &filter, "-f", "rawvideo", "-fps_mode", "passthrough"]);
        let (mut numbers, mut flashes) = (Vec::new(), Vec::new());
        for (n, frame) in pixels.chunks_exact(BITS * 2).enumerate() {
            let bits = frame[..BITS].iter().enumerate();
            numbers.push(bits.map(|(bit, light)| u32::from(*light > 125) << bit).sum());
            if frame[BITS..].iter().map(|light| u32::from(*light)).sum::<u32>() > 125 * BITS as u32 {
                flashes.push(n as f64 / video.frame_rate.fps());
            }
        }
        let beeps = beeps_of(packaged);
        Self { numbers, flashes, beeps }
    }

    /// Expects all frames of sources of these lengths, one after the other, but for `lost` frames, and every beep with
    /// its flash.
    pub(crate) fn check(&self, seconds: &[u32], lost: usize, source: &str) {
        self.frames(seconds, lost, source);
        let whole: u32 = seconds.iter().sum();
        assert!(self.beeps.len() + 1 >= whole as usize, "{source}: {:?}", self.beeps);
        self.together(source);
    }

    /// Expects all frames of sources of these lengths.
    pub(crate) fn frames(&self, seconds: &[u32], lost: usize, source: &str) {
        let expected: Vec<u32> = seconds.iter().flat_map(|seconds| 0..seconds * RATE).collect();
        let (mut shown, mut missing) = (self.numbers.as_slice(), Vec::new());
        for number in expected.iter().copied() {
            // Within a second, so that a lost frame is not found in the next source.
            match shown.iter().take(RATE as usize).position(|it| *it == number) {
                Some(place) => shown = &shown[place + 1..],
                None => missing.push(number),
            }
        }
        assert!(missing.len() <= lost, "{source}: {missing:?} are lost of {:?}", self.numbers);
        let length = self.numbers.len().abs_diff(expected.len());
        assert!(
            length <= lost + seconds.len(),
            "{source}: {} frames: {:?}",
            self.numbers.len(),
            self.numbers
        );
    }

    /// Expects every beep within 40 ms of a flash.
    pub(crate) fn together(&self, source: &str) {
        for (at, second) in &self.beeps {
            let nearest = self.flashes.iter().map(|flash| (flash - at).abs()).fold(f64::INFINITY, f64::min);
            assert!(
                nearest < 0.04,
                "{source}: second {second} beeps at {at}, flashes are at {:?}",
                self.flashes
            );
        }
    }
}

/// Plays the first sound. Returns when beeps sound, and the second of the source that they are of.
pub(crate) fn beeps_of(packaged: &Packaged) -> Vec<(f64, u32)> {
    packaged.plan.audio.first().map_or_else(Vec::new, |audio| {
        beeps(&raw(packaged, &audio.name, &["-ac", "1", "-ar", "48000", "-f", "s16le"]))
    })
}

fn raw(packaged: &Packaged, rendition: &str, how: &[&str]) -> Vec<u8> {
    let playlist = packaged.folder.join(rendition).join("media.m3u8");
    let run =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(playlist).args(how).arg("-").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

/// Returns the start of each sound behind silence, and its pitch by crossings of zero.
fn beeps(bytes: &[u8]) -> Vec<(f64, u32)> {
    let samples: Vec<i16> = bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let (mut beeps, mut quiet) = (Vec::new(), 24_000);
    for (n, sample) in samples.iter().enumerate() {
        if sample.abs() > 4000 {
            if quiet > 12_000 {
                let beep = &samples[n..samples.len().min(n + 1200)];
                let crossings = beep.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
                let pitch = crossings as f64 / 2.0 / (beep.len() as f64 / SAMPLES);
                beeps.push((n as f64 / SAMPLES, ((pitch - PITCH) / 100.0).round() as u32));
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    beeps
}
