//! The packager: from an uploaded file to adaptive HLS and DASH: probe → plan → encode → publish →
//! manifests. Leaves storage to the store and serving to the origin.

mod error;
pub mod refusal;

pub mod facts;
mod index;
mod joined;
mod language;
pub mod limits;
mod notes;
mod packets;
pub mod probe;
mod source;
mod spread;
mod streams;
pub mod timeline;
mod whole;

mod cadence;
mod colours;
pub mod ladder;
mod level;
pub mod plan;
mod planning;
mod takes;
mod tracks;

mod cuts;
pub mod dash;
pub mod hls;
pub mod measure;
mod rates;
pub mod subtitles;

pub use error::{Error, Result};
pub use ffmpeg;
pub use refusal::Refusal;

mod broadcast;
mod channels;
mod child;
mod control;
mod decoded;
mod encode;
mod fragment;
mod graph;
mod in_hand;
mod job;
mod pace;
mod playlists;
mod poster;
mod process;
mod publish;
mod runs;
mod samples;
mod segment;
mod setpts;
mod sound;
mod text;
mod trouble;
mod worker;

use std::{path::PathBuf, time::Duration};

pub use text::export as export_captions;
pub use trouble::Trouble;
pub use worker::run;

/// The packager's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path or name of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Path or name of ffprobe.
    pub ffprobe: PathBuf,
    /// Limits of sources.
    pub limits: limits::Limits,
    /// The ladder and what else a plan is made by.
    pub plan: planning::Config,
    /// x264's preset.
    pub preset: String,
    /// Video runs encoded at once; at least one.
    pub encode_slots: usize,
    /// Segments in a run; at least one.
    pub run_segments: u32,
    /// How long a job is left alone whose worker may have died.
    pub lease: Duration,
    /// Whether a machine is to write captions of what has sound.
    pub listen: bool,
    /// The limit of one person's videos, where an administrator has set no other.
    pub quota: store::Quota,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            limits: limits::Limits::default(),
            plan: planning::Config::default(),
            preset: "veryfast".into(),
            encode_slots: 1,
            // Two minutes: long enough that starting an encoder costs nothing, short enough to share a
            // video among many workers.
            run_segments: 20,
            lease: store::LEASE,
            listen: false,
            quota: store::Quota::default(),
        }
    }
}
