//! Refusals: the answer to a person whose file can't be taken: a stable code for programs, a
//! sentence for people. Leaves the technical causes to the log.

use std::time::Duration;

/// Why a source is refused. Trying again gives the same answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No demuxer of ours reads it.
    #[error(
        "This is not a video or audio file that we can read. Files in MP4, MOV, MKV, WebM, MPEG, \
         AVI, FLV, DV, Ogg, WAV, AIFF, MP3 and FLAC work."
    )]
    NotMedia,
    /// No bytes.
    #[error("The file is empty. Send it again; if it is empty on your side too, look for another copy.")]
    Empty,
    /// An MP4 or MOV without its index, which stands at the end.
    #[error(
        "The file is cut off: the index at its end, without which nothing of an MP4 or MOV can be read, is missing. \
         Send the whole file; a recording that broke off can be mended by a program for that."
    )]
    CutOff,
    /// Protected against copies.
    #[error(
        "The file is encrypted, as films from shops are, and only its publisher's players can decode it. Send a copy \
         without protection."
    )]
    Encrypted,
    /// No stream carries pictures or sound.
    #[error("The file has neither picture nor sound that we can read.")]
    NothingToPlay,
    /// A stream is in a codec that we don't read.
    #[error(
        "A part of the file is in the format {codec}, which we don't read. Convert it to H.264 and AAC and send it again."
    )]
    UnsupportedCodec {
        /// ffprobe's name of it.
        codec: String,
    },
    /// Longer than the operator allows.
    #[error(
        "The video is {} long; the limit is {}. Cut it into shorter parts.",
        spoken(*.duration), spoken(*.limit)
    )]
    TooLong {
        /// As measured.
        duration: Duration,
        /// As configured.
        limit: Duration,
    },
    /// Its owner's videos may not have as many minutes together.
    #[error(
        "The video is {} long, and your other videos have {used:.1} of the {limit} minutes that they may have together. \
         Delete some, or ask an administrator for more; then try again.", spoken(*.duration)
    )]
    OverQuota {
        /// As measured.
        duration: Duration,
        /// The minutes of the owner's other videos.
        used: f64,
        /// As an administrator has set it, or as configured.
        limit: u64,
    },
    /// More frames a second than anyone plays.
    #[error(
        "The video has {rate:.0} frames per second; the limit is {limit}. Convert it to a lower \
         frame rate."
    )]
    FrameRateTooHigh {
        /// Measured average.
        rate: f64,
        /// As configured.
        limit: u32,
    },
    /// A picture whose longer side, or whose area, is over the limit.
    #[error(
        "The picture is {width} × {height} pixels; the limit is {max_side} pixels a side and \
         {max_pixels} in all. Scale it down."
    )]
    PictureTooLarge {
        /// As coded.
        width: u32,
        /// As coded.
        height: u32,
        /// As configured.
        max_side: u32,
        /// As configured.
        max_pixels: u64,
    },
    /// More tracks than a menu can show.
    #[error("The file has {count} {kind} tracks; the limit is {limit}. Remove some.")]
    TooManyTracks {
        /// `audio` or `text`.
        kind: &'static str,
        /// As found.
        count: usize,
        /// As configured.
        limit: usize,
    },
    /// Reading it took more time or memory than a file of its size may take.
    #[error(
        "The file took too much work to read; it may be damaged. Convert it with another program \
         and send it again."
    )]
    TooMuchWork,
}

impl Refusal {
    /// Returns the name that programs and tests hold on to.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotMedia => "not_media",
            Self::Empty => "empty",
            Self::CutOff => "cut_off",
            Self::Encrypted => "encrypted",
            Self::NothingToPlay => "nothing_to_play",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::TooLong { .. } => "too_long",
            Self::OverQuota { .. } => "quota_exceeded",
            Self::FrameRateTooHigh { .. } => "frame_rate_too_high",
            Self::PictureTooLarge { .. } => "picture_too_large",
            Self::TooManyTracks { .. } => "too_many_tracks",
            Self::TooMuchWork => "too_much_work",
        }
    }
}

/// Writes a length for people: `12 h`, `13 h 5 min`, `40 s`.
fn spoken(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "min"), (seconds % 60, "s")];
    let written: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if written.is_empty() { "0 s".to_owned() } else { written.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_value_the_limit_and_the_way_out() {
        let refusal =
            Refusal::TooLong { duration: Duration::from_mins(13 * 60 + 5), limit: Duration::from_hours(12) };
        assert_eq!(refusal.code(), "too_long");
        assert_eq!(
            refusal.to_string(),
            "The video is 13 h 5 min long; the limit is 12 h. Cut it into shorter parts."
        );
    }
}
