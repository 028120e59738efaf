//! The ladder: which sizes a picture is encoded to, and at which rates. Pure; leaves
//! time to `cadence`, levels to `level`.

use crate::{
    facts::VideoFacts,
    level::{self, Stream},
    plan::{FrameRate, Rung},
};

/// The operator's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Shorter sides of the renditions. Those above the source are left out.
    pub rungs: Vec<u32>,
    /// x264's constant rate factor: the quality where the rate's cap leaves it free.
    pub crf: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { rungs: vec![1080, 720, 480, 360, 240], crf: 23.0 }
    }
}

/// The caps at up to 30 frames a second, by the pixels of a 16:9 picture. 480p and its sound stay
/// under 2 Mbit/s, so that there is a rung to start on.
const MAXRATES: [(f64, f64); 8] = [
    (0.0, 60_000.0),
    (426.0 * 240.0, 400_000.0),
    (640.0 * 360.0, 800_000.0),
    (854.0 * 480.0, 1_800_000.0),
    (1280.0 * 720.0, 2_800_000.0),
    (1920.0 * 1080.0, 5_000_000.0),
    (2560.0 * 1440.0, 9_000_000.0),
    (3840.0 * 2160.0, 16_000_000.0),
];

/// Seconds of the cap that the buffer holds. A segment may spend one full buffer on top of its own
/// six seconds, so this keeps its rate within 10 % of the cap.
const BUFFER_SECONDS: f64 = 0.6;

/// A source this much larger than a listed rung would lose visibly by going down to it.
const WORTH_OWN_SIZE: f64 = 1.1;
/// A rung with more than this part of the top's shorter side is too near to be worth its encoding.
const TOO_NEAR: f64 = 0.8;
/// The rung below a source that lies too near to every listed one: a line that cannot carry the source has half its rate.
const BELOW: f64 = 2.0 / 3.0;
/// A smaller picture is no help to any line.
const LEAST_BELOW: f64 = 144.0;

/// Returns the renditions of a picture, highest first; at least one.
pub fn rungs(video: &VideoFacts, frame_rate: FrameRate, config: &Config) -> Vec<Rung> {
    let (width, height) = video.displayed();
    let shorter = width.min(height);
    let mut sides: Vec<f64> = config.rungs.iter().map(|side| f64::from(*side)).collect();
    sides.sort_by(|a, b| b.total_cmp(a));
    sides.dedup();

    let highest = sides.first().copied();
    sides.retain(|side| *side >= 2.0 && *side <= shorter);
    // Never above the source, and no rung throws away much of it: a source that lies between rungs
    // (1920×800 film, 270 lines), or below all of them, is itself the top. The listed rung just
    // under it then adds little.
    let loses = sides.first().is_none_or(|top| shorter > top * WORTH_OWN_SIZE);
    let allowed = highest.is_none_or(|highest| shorter < highest);
    if loses && allowed {
        sides.retain(|side| *side <= shorter * TOO_NEAR);
        sides.insert(0, shorter);
    } else if sides.is_empty() {
        sides.push(shorter);
    }
    // An operator who lists a single size wants no other.
    if let [only] = sides[..]
        && config.rungs.len() > 1
        && only * BELOW >= LEAST_BELOW
    {
        sides.push(only * BELOW);
    }

    let mut rungs: Vec<Rung> = Vec::new();
    for side in sides {
        let scale = side / shorter;
        let rung = rung((width * scale, height * scale), frame_rate, config);
        // A name is a folder and a key: sides that round to the same even one are one rung.
        if rungs.iter().all(|other| other.name != rung.name) {
            rungs.push(rung);
        }
    }
    rungs
}

fn rung(size: (f64, f64), frame_rate: FrameRate, config: &Config) -> Rung {
    let (width, height) = (even(size.0), even(size.1));
    let maxrate_bps = maxrate(width, height, frame_rate.fps());
    let bufsize_bits = (maxrate_bps as f64 * BUFFER_SECONDS) as u64;
    let fps = frame_rate.fps();
    Rung {
        name: format!("{}p", width.min(height)),
        width,
        height,
        level_idc: level::idc(Stream { width, height, fps, maxrate_bps, bufsize_bits }),
        crf: config.crf,
        maxrate_bps,
        bufsize_bits,
    }
}

/// Returns the nearest even number, which 4:2:0 needs; but an odd side of the source loses its last
/// line instead of growing one.
fn even(side: f64) -> u32 {
    let odd = (side % 2.0 - 1.0).abs() < 1e-6;
    let nearest = if odd { side.round() - 1.0 } else { (side / 2.0).round() * 2.0 };
    (nearest as u32).max(2)
}

/// Returns the cap for a size, between those of the table by its pixels.
fn maxrate(width: u32, height: u32, fps: f64) -> u64 {
    let pixels = f64::from(width) * f64::from(height);
    let above = MAXRATES.iter().position(|(size, _)| pixels <= *size);
    // Past the table the last slope goes on.
    let above = above.unwrap_or(MAXRATES.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (MAXRATES[above - 1], MAXRATES[above]);
    let base = y0 + (pixels - x0) * (y1 - y0) / (x1 - x0);
    // Of twice the frames each differs less from the one before: half as much again carries them.
    let doubled = if fps > 30.0 + 0.01 { 1.5 } else { 1.0 };
    // To whole thousands, as people write rates.
    (base * doubled / 1000.0).round() as u64 * 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Ratio, tests::facts};

    const THIRTY: FrameRate = FrameRate { num: 30, den: 1 };

    fn source(width: u32, height: u32) -> VideoFacts {
        VideoFacts { width, height, ..facts().video.unwrap() }
    }

    fn sizes(video: &VideoFacts, config: &Config) -> String {
        let rungs = rungs(video, THIRTY, config);
        let sizes_text: Vec<String> =
            rungs.iter().map(|rung| format!("{} {}x{}", rung.name, rung.width, rung.height)).collect();
        sizes_text.join(", ")
    }

    #[test]
    fn a_ladder_never_goes_above_its_source_and_keeps_its_shape() {
        let check = |width: u32, height: u32, expected: &str| {
            let sizes_text = sizes(&source(width, height), &Config::default());
            assert_eq!(sizes_text, expected, "{width}x{height}");
        };
        let full = "1080p 1920x1080, 720p 1280x720, 480p 854x480, 360p 640x360, 240p 426x240";
        check(3840, 2160, full);
        check(1920, 1080, full);
        check(1080, 1920, "1080p 1080x1920, 720p 720x1280, 480p 480x854, 360p 360x640, 240p 240x426");
        check(1920, 800, "800p 1920x800, 480p 1152x480, 360p 864x360, 240p 576x240");
        check(1440, 1080, "1080p 1440x1080, 720p 960x720, 480p 640x480, 360p 480x360, 240p 320x240");
        check(1366, 768, "720p 1280x720, 480p 854x480, 360p 640x360, 240p 426x240");
        check(640, 360, "360p 640x360, 240p 426x240");
        check(480, 270, "270p 480x270, 180p 320x180");
        check(270, 480, "270p 270x480, 180p 180x320");
        check(512, 288, "288p 512x288, 192p 342x192");
        check(384, 216, "216p 384x216, 144p 256x144");
        check(320, 180, "180p 320x180");
        check(321, 181, "180p 320x180");
        check(427, 240, "240p 426x240, 160p 284x160");
        check(1, 1, "2p 2x2");
        check(8192, 2, "2p 8192x2");
        check(2, 8192, "2p 2x8192");
        check(4096, 500, "480p 3932x480, 360p 2950x360, 240p 1966x240");
    }

    #[test]
    fn the_operators_rungs_are_sorted_and_bound_the_top() {
        let check = |rungs: &[u32], expected: &str| {
            let config = Config { rungs: rungs.to_vec(), ..Config::default() };
            assert_eq!(sizes(&source(1920, 1080), &config), expected, "{rungs:?}");
        };
        check(&[240, 480, 480], "480p 854x480, 240p 426x240");
        check(&[2160, 1440, 360], "1080p 1920x1080, 360p 640x360");
        check(&[], "1080p 1920x1080");
        check(&[0], "1080p 1920x1080");
    }

    #[test]
    fn rotation_and_sample_shape_come_before_the_ladder() {
        let mut video = source(720, 576);
        video.sample_aspect = Ratio { num: 64, den: 45 };
        assert_eq!(sizes(&video, &Config::default()), "576p 1024x576, 360p 640x360, 240p 426x240");
        let mut video = source(1920, 1080);
        video.rotation = 90;
        assert!(sizes(&video, &Config::default()).starts_with("1080p 1080x1920, 720p 720x1280"));
    }

    #[test]
    fn rates_follow_the_pixels_and_the_frame_rate() {
        let check = |width: u32, height: u32, fps: f64, expected: u64| {
            assert_eq!(maxrate(width, height, fps), expected, "{width}x{height} at {fps}");
        };
        check(3840, 2160, 30.0, 16_000_000);
        check(1920, 1080, 25.0, 5_000_000);
        check(1920, 1080, 29.97, 5_000_000);
        check(1920, 1080, 60.0, 7_500_000);
        check(1080, 1920, 30.0, 5_000_000);
        check(854, 480, 30.0, 1_800_000);
        check(640, 480, 30.0, 1_228_000);
        check(426, 240, 30.0, 400_000);
        check(2, 2, 30.0, 60_000);
    }

    #[test]
    fn a_segment_stays_within_a_tenth_of_the_cap() {
        for rung in rungs(&source(3840, 2160), THIRTY, &Config::default()) {
            let worst = rung.maxrate_bps * 6 + rung.bufsize_bits;
            assert!(worst * 10 <= rung.maxrate_bps * 6 * 11, "{rung:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_source_gives_an_even_ladder_that_descends(
            width in 1_u32..8192, height in 1_u32..8192, num in 1_u32..100, den in 1_u32..100,
        ) {
            let mut video = source(width, height);
            video.sample_aspect = Ratio { num, den };
            let rungs = rungs(&video, THIRTY, &Config::default());
            proptest::prop_assert!(!rungs.is_empty());
            let (shown_width, shown_height) = video.displayed();
            let shape = shown_width / shown_height;
            for rung in &rungs {
                proptest::prop_assert!(rung.width % 2 == 0 && rung.height % 2 == 0);
                proptest::prop_assert!(f64::from(rung.width) <= shown_width.max(2.0) + 1.0);
                proptest::prop_assert!(f64::from(rung.height) <= shown_height.max(2.0) + 1.0);
                // One line more or less on either side is all that rounding may do to the shape.
                let wide = f64::from(rung.width + 1) / f64::from(rung.height - 1);
                let tall = f64::from(rung.width - 1) / f64::from(rung.height + 1);
                let tiny = rung.width.min(rung.height) == 2;
                proptest::prop_assert!(tiny || (tall <= shape && shape <= wide), "{:?}", rung);
            }
            for pair in rungs.windows(2) {
                proptest::prop_assert!(pair[0].width > pair[1].width || pair[0].height > pair[1].height);
            }
        }
    }
}
