//! Our own caps on a source, checked once its facts are known and before it is planned.

use std::time::Duration;

use crate::{facts::Facts, ffmpeg::MAX_PIXELS, refusal::Refusal};

/// The largest source that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the container's start to the end of the last picture or sound.
    pub duration: Duration,
    /// Average frames a second.
    pub frame_rate: u32,
    /// Pixels of the longer side.
    pub side: u32,
    /// Pixels in all.
    pub pixels: u64,
    /// Audio tracks that we read.
    pub audio_tracks: usize,
    /// Text tracks that we read.
    pub text_tracks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration: Duration::from_hours(12),
            // The fastest slow motion of phones is 960.
            frame_rate: 1000,
            side: 8192,
            pixels: MAX_PIXELS,
            audio_tracks: 16,
            text_tracks: 32,
        }
    }
}

impl Limits {
    /// Returns the first cap that the source is over.
    pub fn check(&self, facts: &Facts) -> Result<(), Refusal> {
        if facts.duration > self.duration {
            return Err(Refusal::TooLong { duration: facts.duration, limit: self.duration });
        }
        for (kind, count, limit) in
            [("audio", facts.audio.len(), self.audio_tracks), ("text", facts.text.len(), self.text_tracks)]
        {
            if count > limit {
                return Err(Refusal::TooManyTracks { kind, count, limit });
            }
        }
        let Some(video) = &facts.video else {
            return Ok(());
        };
        let pixels = u64::from(video.width) * u64::from(video.height);
        if video.width.max(video.height) > self.side || pixels > self.pixels {
            return Err(Refusal::PictureTooLarge {
                width: video.width,
                height: video.height,
                max_side: self.side,
                max_pixels: self.pixels,
            });
        }
        // Rounded timestamps make 1000 look like 1001; a single pair of frames may look like anything.
        let ceiling = f64::from(self.frame_rate) * 1.005;
        match video.frame_rate {
            Some(rate) if rate > ceiling && video.frames > 2 => {
                Err(Refusal::FrameRateTooHigh { rate, limit: self.frame_rate })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::facts;

    #[test]
    fn each_cap_refuses_with_its_own_code() {
        let check = |change: fn(&mut Facts), code: Option<&str>| {
            let mut facts = facts();
            change(&mut facts);
            let refused = Limits::default().check(&facts).err();
            assert_eq!(refused.map(|refusal| refusal.code()), code);
        };
        check(|_| {}, None);
        check(|facts| facts.duration = Duration::from_hours(12), None);
        check(|facts| facts.duration = Duration::from_secs(12 * 3600 + 1), Some("too_long"));
        check(|facts| facts.audio = vec![facts.audio[0].clone(); 17], Some("too_many_tracks"));
        check(|facts| facts.video.as_mut().unwrap().width = 8194, Some("picture_too_large"));
        check(
            |facts| {
                let video = facts.video.as_mut().unwrap();
                (video.width, video.height) = (8192, 4322);
            },
            Some("picture_too_large"),
        );
        check(|facts| facts.video.as_mut().unwrap().frame_rate = Some(1000.2), None);
        check(|facts| facts.video.as_mut().unwrap().frame_rate = Some(1200.0), Some("frame_rate_too_high"));
    }
}
