//! ffprobe's JSON: its shape, and the facts that stand in it once the packet scan has given the times. Pure; leaves
//! running ffprobe to `probe`, which streams are used to `choice`, their facts to `picture` and `tracks`.

mod choice;
mod dump;
mod picture;
mod tracks;

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{
    facts::{AudioFacts, Facts},
    ffmpeg, notes,
    packets::Scan,
    refusal::Refusal,
    samples::Streams,
    timeline::Kind,
};

pub(crate) use picture::Fields;

/// The part of ffprobe's `-show_format -show_programs -show_streams` that we use.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    programs: Vec<Program>,
    #[serde(default)]
    format: Format,
}

/// A programme of a transport stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Program {
    tags: BTreeMap<String, String>,
    streams: Vec<Member>,
}

#[derive(Debug, Default, Deserialize)]
struct Member {
    index: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    start_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    id: Option<String>,
    codec_name: String,
    codec_type: String,
    width: u32,
    height: u32,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    pix_fmt: Option<String>,
    has_b_frames: u32,
    field_order: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    color_space: Option<String>,
    color_range: Option<String>,
    channels: u32,
    sample_rate: Option<String>,
    disposition: BTreeMap<String, u8>,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

/// The facts, and the one thing that may need a look at frames.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) facts: Facts,
    pub(crate) fields: Fields,
}

impl Answer {
    /// Returns whether a packet's length stands in its bytes alone, whatever length the container's index gives.
    fn parsed(&self) -> bool {
        self.streams.iter().any(|stream| matches!(stream.codec_name.as_str(), "ac3" | "eac3"))
    }

    /// Returns the streams of sound and picture of an MP4 or MOV by their tracks' ids; `None` where packets are not the
    /// samples of the index.
    pub(crate) fn tracks(&self) -> Option<Streams> {
        if !self.container().starts_with("mov,") || self.parsed() {
            return None;
        }
        let kinds = self.kinds();
        let track = |(stream, kind): (&u32, &Kind)| {
            let named = self.streams.iter().find(|it| it.index == *stream)?.id.as_deref()?;
            // ffprobe writes a track's id in hexadecimal digits.
            let id = u32::from_str_radix(named.strip_prefix("0x")?, 16).ok()?;
            Some((id, (*stream, *kind)))
        };
        let tracks = kinds.iter().map(track).collect::<Option<Streams>>()?;
        (tracks.len() == kinds.len()).then_some(tracks)
    }

    /// Returns ffprobe's name of the demuxer.
    pub(crate) fn container(&self) -> &str {
        &self.format.format_name
    }

    /// Returns the codecs of picture and sound, in the file's order.
    pub(crate) fn codecs(&self) -> Vec<String> {
        let media = self
            .streams
            .iter()
            .filter(|stream| matches!(stream.codec_type.as_str(), "video" | "audio") && !stream.is_still());
        media.map(|stream| stream.codec_name.clone()).collect()
    }

    /// Returns the streams of sound and picture, which have a place on the timeline.
    pub(crate) fn kinds(&self) -> BTreeMap<u32, Kind> {
        let kind = |stream: &Stream| match stream.codec_type.as_str() {
            "video" if !stream.is_still() => Some((stream.index, Kind::Picture)),
            // Sound that nobody will decode has no say in the timeline.
            "audio" if ffmpeg::reads(&stream.codec_name) => Some((stream.index, Kind::Sound)),
            _ => None,
        };
        self.streams.iter().filter(|stream| self.belongs(stream)).filter_map(kind).collect()
    }

    /// Returns the scan of all packets that this file needs.
    pub(crate) fn scan(&self) -> Scan {
        Scan::of(self.kinds()).counted_from(self.start())
    }

    /// Returns the container's start, in microseconds on its own clock.
    fn start(&self) -> i64 {
        let start = self.format.start_time.as_deref().and_then(|text| text.parse().ok());
        start.map_or(0, |seconds: f64| (seconds * 1e6).round() as i64)
    }

    /// Joins the JSON with the packet scan.
    pub(crate) fn read(&self, scan: &Scan) -> Result<Reading, Refusal> {
        let clock = Clock { start: self.timeline_start(scan) };
        let choice = self.choose(scan)?;
        let audio: Vec<AudioFacts> =
            choice.sounds.iter().filter_map(|stream| stream.audio(scan, clock)).collect();
        let fields = choice.picture.map_or(Fields::Progressive, |(stream, _)| stream.fields());
        let video = choice.picture.map(|(stream, track)| stream.video(track, clock, fields));
        let ends = video.iter().map(|video| video.end);
        let duration = ends.chain(audio.iter().map(|audio| audio.end)).max();
        let mut notes = notes::of(scan.timeline());
        notes.extend(choice.notes);
        let facts = Facts {
            container: self.format.format_name.clone(),
            start_seconds: clock.start as f64 / 1e6,
            notes,
            parts: Vec::new(),
            duration: duration.unwrap_or_default(),
            video,
            audio,
            text: choice.texts.into_iter().filter_map(Stream::text).collect(),
        };
        Ok(Reading { facts, fields })
    }

    /// Returns where the timeline starts. A container's start is that of all programmes, whose clocks differ.
    fn timeline_start(&self, scan: &Scan) -> i64 {
        match scan.first() {
            Some(first) if self.programme().is_some() => first,
            _ => scan.start(self.start()),
        }
    }

    fn kind(&self, kind: &'static str) -> impl Iterator<Item = &Stream> + Clone {
        self.streams.iter().filter(move |stream| stream.codec_type == kind)
    }
}

impl Stream {
    fn is(&self, disposition: &str) -> bool {
        self.disposition.get(disposition).is_some_and(|set| *set != 0)
    }

    fn is_still(&self) -> bool {
        self.is("attached_pic") || self.is("timed_thumbnails")
    }
}

/// The container's clock: what ffmpeg's `-start_at_zero` takes away.
#[derive(Clone, Copy)]
struct Clock {
    start: i64,
}

impl Clock {
    /// Returns a time after the start; nothing is shown before it.
    fn time(self, microseconds: i64) -> Duration {
        Duration::from_micros(u64::try_from(microseconds - self.start).unwrap_or(0))
    }
}
