//! Subtitles: the caption tracks that playlists list, their order and their names. Pure; leaves the
//! tracks to the store and their cues to the origin.

use store::{CaptionOrigin, CaptionState, CaptionTrack};

use crate::tracks::{Unique, label};

/// A caption track as playlists list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtitle {
    /// The folder below the video, such as `captions/en`.
    pub name: String,
    /// BCP 47; `und` when nobody knows.
    pub language: String,
    /// The label in a menu, unique among the video's.
    pub label: String,
    /// The author.
    pub author: Author,
    /// It transcribes sounds besides words.
    pub describes_sounds: bool,
    /// Shown even when subtitles are off, such as translated signs.
    pub forced: bool,
    /// No cue is still to come.
    pub whole: bool,
}

/// The author of a caption track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A person, directly or into the file.
    Person,
    /// A machine, in the language that is spoken.
    Machine,
    /// A machine, in another language.
    Translator,
}

/// Returns the tracks of a video that playlists list. Those of a person or of the file come first, since a player
/// selects the first of a language by itself, and a machine's is the worse one; forced ones, which have few words, last.
pub fn listed(tracks: &[CaptionTrack]) -> Vec<Subtitle> {
    let mut shown: Vec<&CaptionTrack> = tracks.iter().filter(|track| track.is_listed()).collect();
    shown.sort_by_key(|track| (track.forced, track.origin == CaptionOrigin::Machine));
    let mut labels = Unique::default();
    shown
        .into_iter()
        .map(|track| {
            let author = match track.origin {
                CaptionOrigin::File | CaptionOrigin::Person => Author::Person,
                CaptionOrigin::Machine if track.options.translated => Author::Translator,
                CaptionOrigin::Machine => Author::Machine,
            };
            let language = track.language.as_deref();
            let mut wanted = label(track.label.as_deref(), language, "Subtitles");
            if author != Author::Person && track.label.is_none() {
                wanted += " (automatic)";
            }
            Subtitle {
                name: format!("captions/{}", track.name.as_deref().unwrap_or_default()),
                language: language.unwrap_or("und").to_owned(),
                label: labels.claim(&wanted, ' '),
                author,
                describes_sounds: track.describes_sounds,
                forced: track.forced,
                whole: matches!(track.state, CaptionState::Done | CaptionState::Failed),
            }
        })
        .collect()
}

impl Subtitle {
    /// Returns `CHARACTERISTICS`, the Uniform Type Identifiers of RFC 8216bis §4.4.6.1 and Apple's authoring
    /// specification; `None` when there are none.
    pub(crate) fn characteristics(&self) -> Option<String> {
        let all = [
            (self.describes_sounds, "public.accessibility.transcribes-spoken-dialog"),
            (self.describes_sounds, "public.accessibility.describes-music-and-sound"),
            (self.author != Author::Person, "public.machine-generated"),
            (self.author == Author::Translator, "public.translation"),
        ];
        let true_ones: Vec<&str> = all.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
        (!true_ones.is_empty()).then(|| true_ones.join(","))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use store::{CaptionId, Timestamp, TranscriptionOptions, VideoId};

    use super::*;

    pub(crate) fn track(name: &str, origin: CaptionOrigin) -> CaptionTrack {
        CaptionTrack {
            id: CaptionId::random(),
            video: VideoId::random(),
            name: Some(name.to_owned()),
            origin,
            state: CaptionState::Done,
            message: None,
            language: Some(name.split('-').next().unwrap().to_owned()),
            label: None,
            describes_sounds: false,
            forced: false,
            options: TranscriptionOptions::default(),
            seconds_done: 0.0,
            ends_at_seconds: None,
            checkpoint: None,
            provenance: None,
            edited: false,
            revision: 1,
            created_at: Timestamp(0),
            has_cues: true,
        }
    }

    /// A machine's track that is being written, a person's for deaf viewers, and one that waits.
    pub(crate) fn three() -> Vec<Subtitle> {
        let machine = CaptionTrack { state: CaptionState::Running, ..track("en-2", CaptionOrigin::Machine) };
        let person = CaptionTrack { describes_sounds: true, ..track("en", CaptionOrigin::Person) };
        let waiting = CaptionTrack { has_cues: false, ..track("fr", CaptionOrigin::Machine) };
        listed(&[machine, person, waiting])
    }

    #[test]
    fn peoples_tracks_come_first_and_those_without_cues_not_at_all() {
        let names: Vec<String> = three().iter().map(|it| format!("{}={}", it.name, it.label)).collect();
        assert_eq!(names, ["captions/en=English", "captions/en-2=English (automatic)"]);
    }

    #[test]
    fn forced_tracks_come_last() {
        let forced = CaptionTrack { forced: true, ..track("en", CaptionOrigin::File) };
        let listed = listed(&[forced, track("en-2", CaptionOrigin::File)]);
        let names: Vec<(&str, bool)> = listed.iter().map(|it| (it.name.as_str(), it.forced)).collect();
        assert_eq!(names, [("captions/en-2", false), ("captions/en", true)]);
    }

    #[test]
    fn labels_are_unique_and_a_persons_stays() {
        let named = CaptionTrack { label: Some("English".into()), ..track("en-3", CaptionOrigin::Machine) };
        let tracks = [track("en", CaptionOrigin::File), track("en-2", CaptionOrigin::Person), named];
        let labels: Vec<String> = listed(&tracks).into_iter().map(|it| it.label).collect();
        assert_eq!(labels, ["English", "English 2", "English 3"]);
    }

    #[test]
    fn characteristics_are_apples_words() {
        let [person, machine] = three().try_into().unwrap();
        assert_eq!(machine.characteristics().as_deref(), Some("public.machine-generated"));
        let translation = Subtitle { author: Author::Translator, ..machine };
        assert_eq!(
            translation.characteristics().as_deref(),
            Some("public.machine-generated,public.translation")
        );
        let described =
            "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
        assert_eq!(person.characteristics().as_deref(), Some(described));
        assert_eq!(Subtitle { describes_sounds: false, ..person }.characteristics(), None);
    }
}
