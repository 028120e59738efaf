//! The facts of sound and text, out of their streams' JSON and the packet scan.

use super::{Clock, Stream};
use crate::{
    facts::{AudioFacts, Purpose, TextFacts},
    ffmpeg, language,
    packets::Scan,
};

const DESCRIPTION_TITLES: [&str; 3] = ["audio description", "descriptive", "described video"];
const COMMENTARY_TITLES: [&str; 2] = ["commentary", "commentaries"];

impl Stream {
    pub(super) fn audio(&self, scan: &Scan, clock: Clock) -> Option<AudioFacts> {
        let track = scan.track(self.index)?;
        let sample_rate = self.sample_rate.as_deref()?.parse().ok()?;
        if self.channels == 0 || sample_rate == 0 || !ffmpeg::reads(&self.codec_name) {
            return None;
        }
        Some(AudioFacts {
            stream: self.index,
            codec: self.codec_name.clone(),
            channels: self.channels,
            sample_rate,
            language: self.language(),
            title: self.title(),
            default: self.is("default"),
            original: self.is("original"),
            purpose: self.purpose(),
            first: clock.time(track.first),
            end: clock.time(track.end),
            stretches: track.stretches.clone(),
            packets: track.counts.clone(),
        })
    }

    /// Returns the purpose that a sound's flags or, where it has none, its title gives.
    fn purpose(&self) -> Purpose {
        let title = self.title().unwrap_or_default().to_lowercase();
        let titled = |words: &[&str]| words.iter().any(|word| title.contains(word));
        if self.is("visual_impaired") || self.is("descriptions") || titled(&DESCRIPTION_TITLES) {
            Purpose::Description
        } else if self.is("comment") || titled(&COMMENTARY_TITLES) {
            Purpose::Commentary
        } else {
            Purpose::Main
        }
    }

    pub(super) fn text(&self) -> Option<TextFacts> {
        // Only text can become WebVTT; pictures of text (DVD, Blu-ray) aren't in the codec list.
        ffmpeg::reads(&self.codec_name).then(|| TextFacts {
            stream: self.index,
            codec: self.codec_name.clone(),
            language: self.language(),
            title: self.title(),
            describes_sounds: self.is("hearing_impaired"),
            forced: self.is("forced"),
            inside: false,
        })
    }

    pub(super) fn language(&self) -> Option<String> {
        self.tags.get("language").and_then(|written| language::tag(written))
    }

    /// Returns the title, if there is one.
    pub(super) fn title(&self) -> Option<String> {
        let plain = plain(self.tags.get("title")?);
        (!plain.is_empty()).then_some(plain)
    }
}

/// Returns a name of a file's without what playlists can't carry; quotes and lines end attributes. Marks of direction go
/// too: they would turn the words of the menu around.
pub(super) fn plain(name: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let safe = |c: char| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    name.chars().filter(|c| !turns(c)).map(safe).take(80).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn titles_cannot_leave_their_attribute() {
        let tags = BTreeMap::from([("title".to_owned(), "A\",URI=\"x\"\n#EXT".to_owned())]);
        let stream = Stream { tags, ..Stream::default() };
        assert_eq!(stream.title().unwrap(), "A',URI='x' #EXT");
        assert_eq!(plain("exe\u{202e}gpj\u{2069}"), "exegpj");
    }
}
