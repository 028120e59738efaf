//! The choice of a source's streams: the picture to show, the sounds beside it, and notes on those that are left out.

use std::cmp::Reverse;

use super::{Answer, Program, Stream};
use crate::{
    ffmpeg,
    packets::{Scan, Track},
    refusal::Refusal,
};

/// A picture beside one of this many times its frames stands still.
const STILLS: u64 = 7;

/// The streams that a video is made of.
pub(super) struct Choice<'a> {
    pub(super) picture: Option<(&'a Stream, &'a Track)>,
    pub(super) sounds: Vec<&'a Stream>,
    pub(super) texts: Vec<&'a Stream>,
    /// Sentences for people about the others.
    pub(super) notes: Vec<String>,
}

impl Answer {
    /// Returns the streams to use. Refuses a source whose only picture or sound is in a format that we don't read.
    pub(super) fn choose<'a>(&'a self, scan: &'a Scan) -> Result<Choice<'a>, Refusal> {
        let mine = |kind| self.kind(kind).filter(|stream| self.belongs(stream));
        let sounds: Vec<&Stream> =
            mine("audio").filter(|stream| stream.sounds() && scan.track(stream.index).is_some()).collect();
        let mut picture = self.picture(scan);
        if let Some((stream, track)) = picture
            && !ffmpeg::reads(&stream.codec_name)
        {
            // A photo beside sound may go; a film may not.
            if sounds.is_empty() || track.packets > 1 {
                return Err(stream.unsupported());
            }
            picture = None;
        }
        if picture.is_none() && sounds.is_empty() {
            let unread = mine("audio").chain(mine("video")).find(|stream| !ffmpeg::reads(&stream.codec_name));
            return Err(unread.map_or(Refusal::NothingToPlay, Stream::unsupported));
        }
        let texts: Vec<&Stream> =
            mine("subtitle").filter(|stream| ffmpeg::reads(&stream.codec_name)).collect();
        let shown = picture.map(|(stream, _)| stream.index);
        let used = |stream: &Stream| {
            let others = sounds.iter().chain(&texts).map(|stream| stream.index);
            shown.into_iter().chain(others).any(|index| index == stream.index)
        };
        let others = self.streams.iter().filter(|stream| self.belongs(stream) && !used(stream));
        let notes: Vec<String> =
            self.note_on_programmes().into_iter().chain(others.filter_map(Stream::note)).collect();
        Ok(Choice { picture, sounds, texts, notes })
    }

    /// Returns the stream to show: a moving one, in a format that we read, the file's default, forced, the largest, the
    /// longest, the first. Covers are never shown.
    fn picture<'a>(&'a self, scan: &'a Scan) -> Option<(&'a Stream, &'a Track)> {
        let shown = || {
            self.kind("video")
                .filter(|stream| self.belongs(stream) && !stream.is_still())
                // A codec that nobody reads may have no size, and the refusal is to name it.
                .filter(|stream| stream.pixels() > 0 || !ffmpeg::reads(&stream.codec_name))
                .filter_map(|stream| Some((stream, scan.track(stream.index)?)))
        };
        let most = shown().map(|(_, track)| track.packets).max().unwrap_or_default();
        shown().max_by_key(|(stream, track)| {
            let reads = ffmpeg::reads(&stream.codec_name);
            // A cover that is stored twice, or slides beside the film of the talk, are no moving picture.
            let moves = track.packets > 1 && track.packets.saturating_mul(STILLS) >= most;
            (moves, reads, stream.wanted(), track.packets, Reverse(stream.index))
        })
    }

    /// Returns the programme that is shown, where a source has several.
    pub(super) fn programme(&self) -> Option<&Program> {
        let media = self.programs.iter().filter(|program| self.members(program).any(Stream::is_media));
        if media.clone().count() < 2 {
            return None;
        }
        media
            .enumerate()
            .max_by_key(|(place, program)| (self.rank(program), Reverse(*place)))
            .map(|(_, it)| it)
    }

    /// Returns what speaks for a programme: picture and sound that we read, then the picture that is chosen within it.
    fn rank(&self, program: &Program) -> impl Ord {
        let pictures = || {
            let shown = |stream: &&Stream| stream.codec_type == "video" && !stream.is_still();
            self.members(program).filter(shown).filter(|stream| ffmpeg::reads(&stream.codec_name))
        };
        let sounds = self.members(program).any(Stream::sounds);
        (pictures().next().is_some(), sounds, pictures().map(Stream::wanted).max())
    }

    fn members<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = &'a Stream> + Clone {
        let among = |stream: &&Stream| program.streams.iter().any(|member| member.index == stream.index);
        self.streams.iter().filter(among)
    }

    /// Returns whether a stream is of the programme that is shown, or of none.
    pub(super) fn belongs(&self, stream: &Stream) -> bool {
        let is_of = |program: &Program| program.streams.iter().any(|member| member.index == stream.index);
        // A stream of no programme is not one of the others.
        self.programme().is_none_or(|shown| is_of(shown) || !self.programs.iter().any(is_of))
    }

    fn note_on_programmes(&self) -> Option<String> {
        let shown = self.programme()?;
        let name = shown.tags.get("service_name").map(|name| super::tracks::plain(name));
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "the best of them".to_owned());
        Some(format!(
            "The file has {} programmes; the video is of {name}, the others were left out.",
            self.programs.len()
        ))
    }
}

impl Stream {
    fn is_media(&self) -> bool {
        matches!(self.codec_type.as_str(), "video" | "audio")
    }

    /// Returns whether it is sound in a format that we read.
    fn sounds(&self) -> bool {
        let rate = self.sample_rate.as_deref().and_then(|rate| rate.parse::<u32>().ok()).unwrap_or(0);
        self.codec_type == "audio" && self.channels > 0 && rate > 0 && ffmpeg::reads(&self.codec_name)
    }

    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Returns what the file and its size say for showing a picture.
    fn wanted(&self) -> (bool, bool, u64) {
        (self.is("default"), self.is("forced"), self.pixels())
    }

    /// Returns the sentence on a stream that is left out; covers that we read are no loss, and data is none of ours.
    fn note(&self) -> Option<String> {
        let reads = ffmpeg::reads(&self.codec_name);
        let kind = match self.codec_type.as_str() {
            "video" if self.is_still() && (reads || ffmpeg::leaves_alone(&self.codec_name)) => return None,
            "video" if self.is_still() => "A cover".to_owned(),
            "video" => format!("A second picture of {} × {} pixels", self.width, self.height),
            "audio" => format!("A sound track{}", self.called()),
            "subtitle" => format!("A subtitle track{}", self.called()),
            _ => return None,
        };
        let why = match self.codec_type.as_str() {
            "video" if reads => "a video shows one".to_owned(),
            "subtitle" if ffmpeg::leaves_alone(&self.codec_name) => "its words are pictures".to_owned(),
            _ if reads => "nothing in it can be played".to_owned(),
            _ => format!("its format, {}, is not one that we read", self.format_name()),
        };
        Some(format!("{kind} was left out: {why}."))
    }

    /// Returns title or language in brackets.
    fn called(&self) -> String {
        let language = self.language();
        let name =
            self.title().or_else(|| language.as_deref().and_then(crate::language::name).map(str::to_owned));
        name.map_or_else(String::new, |name| format!(" ({name})"))
    }

    fn format_name(&self) -> &str {
        if self.codec_name.is_empty() { "unknown" } else { &self.codec_name }
    }

    pub(super) fn unsupported(&self) -> Refusal {
        Refusal::UnsupportedCodec { codec: self.format_name().to_owned() }
    }
}
