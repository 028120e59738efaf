//! Sound and text renditions: their order, their names in URLs, their labels
//! in menus. Leaves times to `plan`.

use std::collections::HashSet;

use crate::{
    facts::{AudioFacts, Facts, TextFacts},
    language,
};

/// How a rendition is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    /// Its folder, unique among its kind.
    pub(crate) name: String,
    /// The label in a menu; unique too, as RFC 8216 §4.3.4.1 asks of a group's members.
    pub(crate) label: String,
}

/// Returns the audio streams, the one to play first, and how each is called.
pub(crate) fn audio(facts: &Facts) -> Vec<(&AudioFacts, Called)> {
    let mut streams: Vec<&AudioFacts> = facts.audio.iter().collect();
    // Commentaries come last even where the file marks one; without a mark, the picture's language decides.
    let spoken = facts.video.as_ref().and_then(|video| video.language.as_ref());
    let picture = |stream: &AudioFacts| spoken.is_some() && stream.language.as_ref() == spoken;
    streams.sort_by_key(|stream| (stream.purpose, !stream.default, !stream.original, !picture(stream)));
    let alone = streams.len() == 1;
    let (mut names, mut labels) = (Unique::default(), Unique::default());
    streams
        .into_iter()
        .map(|stream| {
            let name = match &stream.language {
                Some(language) if !alone => format!("audio-{language}"),
                _ => "audio".to_owned(),
            };
            let language = stream.language.as_deref();
            let label = label(stream.title.as_deref(), language, "Audio");
            let called = Called { name: names.claim(&name, '-'), label: labels.claim(&label, ' ') };
            (stream, called)
        })
        .collect()
}

/// Returns the text streams in the file's order and how each is called.
pub(crate) fn text(facts: &Facts) -> Vec<(&TextFacts, Called)> {
    let (mut names, mut labels) = (Unique::default(), Unique::default());
    let streams = facts.text.iter().map(|stream| {
        let language = stream.language.as_deref();
        let name = format!("captions/{}", language.unwrap_or("und"));
        let mut label = label(stream.title.as_deref(), language, "Subtitles");
        if stream.forced && stream.title.is_none() {
            label += " (forced)";
        }
        let called = Called { name: names.claim(&name, '-'), label: labels.claim(&label, ' ') };
        (stream, called)
    });
    streams.collect()
}

pub(crate) fn label(title: Option<&str>, language: Option<&str>, otherwise: &str) -> String {
    let language = language.and_then(language::name);
    title.or(language).unwrap_or(otherwise).to_owned()
}

/// Names that are given away; the second of a kind gets a 2.
#[derive(Default)]
pub(crate) struct Unique {
    /// In lower case: a file system may not distinguish `audio-zh-Hant` from `audio-zh-hant`.
    given: HashSet<String>,
}

impl Unique {
    pub(crate) fn claim(&mut self, wanted: &str, sign: char) -> String {
        let mut name = wanted.to_owned();
        let mut count = 2;
        while !self.given.insert(name.to_lowercase()) {
            name = format!("{wanted}{sign}{count}");
            count += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::facts;

    #[test]
    fn audio_tracks_have_names_of_their_own_and_the_default_is_first() {
        let check = |tracks: &[(Option<&str>, Option<&str>, bool)], expected: &str| {
            let mut facts = facts();
            let model = facts.audio[0].clone();
            facts.audio = tracks
                .iter()
                .map(|(language, title, default)| AudioFacts {
                    language: language.map(str::to_owned),
                    title: title.map(str::to_owned),
                    default: *default,
                    ..model.clone()
                })
                .collect();
            let names: Vec<String> = audio(&facts)
                .into_iter()
                .map(|(_, called)| format!("{}={}", called.name, called.label))
                .collect();
            assert_eq!(names.join(", "), expected);
        };
        check(&[(None, None, true)], "audio=Audio");
        check(&[(Some("de"), None, true)], "audio=German");
        check(&[(Some("en"), None, false), (Some("de"), None, true)], "audio-de=German, audio-en=English");
        check(
            &[(Some("en"), None, true), (Some("en"), Some("Director"), false), (Some("en"), None, false)],
            "audio-en=English, audio-en-2=Director, audio-en-3=English 2",
        );
        check(&[(None, None, false), (None, None, false)], "audio=Audio, audio-2=Audio 2");
    }

    #[test]
    fn text_tracks_live_in_folders_by_language() {
        let mut facts = facts();
        let track = |language: Option<&str>, title: Option<&str>| TextFacts {
            stream: 2,
            codec: "subrip".to_owned(),
            language: language.map(str::to_owned),
            title: title.map(str::to_owned),
            describes_sounds: false,
            forced: false,
            inside: false,
        };
        facts.text = vec![track(Some("en"), None), track(Some("en"), Some("SDH")), track(None, None)];
        let names: Vec<String> =
            text(&facts).into_iter().map(|(_, called)| format!("{}={}", called.name, called.label)).collect();
        assert_eq!(names, ["captions/en=English", "captions/en-2=SDH", "captions/und=Subtitles"]);
        facts.text = vec![track(Some("en"), None), TextFacts { forced: true, ..track(Some("en"), None) }];
        let labels: Vec<String> = text(&facts).into_iter().map(|(_, called)| called.label).collect();
        assert_eq!(labels, ["English", "English (forced)"]);
    }
}
