//! The whole of files that were joined: each follows the one before where its picture ends, and together they have the
//! facts of one source. Pure; leaves finding them to `joined`, what a run reads of each to `takes`.

use std::time::Duration;

use crate::{
    facts::{AudioFacts, Facts, PartFacts, TextFacts, VideoFacts},
    joined::Place,
    tracks,
};

/// Sound that goes on for less behind a picture is its encoder's padding, and ends with it.
const PADDING: Duration = Duration::from_millis(500);
/// Muxers put the first picture so far behind a container's start, for the priming of the sound.
const PRIMING: Duration = Duration::from_millis(100);

/// Returns the facts of files one behind the other; `None` of none.
pub(crate) fn whole(parts: Vec<(Place, Facts)>) -> Option<Facts> {
    let parts = placed(parts);
    let first = parts.first()?;
    let mut facts = Facts {
        container: first.facts.container.clone(),
        start_seconds: first.facts.start_seconds,
        duration: parts.iter().map(|part| part.until).max().unwrap_or_default(),
        video: picture(&parts),
        audio: sounds(&parts),
        text: texts(&parts),
        notes: vec![format!(
            "The file was joined from {} files, which follow each other here too.",
            parts.len()
        )],
        parts: Vec::new(),
    };
    for note in parts.iter().flat_map(|part| &part.facts.notes) {
        if !facts.notes.contains(note) {
            facts.notes.push(note.clone());
        }
    }
    facts.parts = parts;
    Some(facts)
}

/// Gives each file its place.
fn placed(parts: Vec<(Place, Facts)>) -> Vec<PartFacts> {
    let mut end = Duration::ZERO;
    let last = parts.len().saturating_sub(1);
    let place = |(n, (place, facts)): (usize, (Place, Facts))| {
        let at = if n == 0 { Duration::ZERO } else { end.saturating_sub(first_shown(&facts)) };
        let from = if n == 0 { Duration::ZERO } else { end };
        let until = at + if n == last { facts.duration } else { length(&facts) };
        end = until.max(from);
        PartFacts { head: place.head, bytes: place.bytes, at, from, until: end, facts }
    };
    parts.into_iter().enumerate().map(place).collect()
}

/// Returns what of a file comes at its place: the first picture or sound, unless it is far behind the container's start.
fn first_shown(facts: &Facts) -> Duration {
    let sound = facts.audio.iter().map(|audio| audio.first).min();
    let first = facts.video.as_ref().map(|video| video.first).or(sound);
    first.filter(|first| *first <= PRIMING).unwrap_or_default()
}

fn length(facts: &Facts) -> Duration {
    let picture = facts.video.as_ref().map(|video| video.end);
    picture.filter(|end| facts.duration <= *end + PADDING).unwrap_or(facts.duration)
}

/// Returns the picture: the largest one's size and colours, the fastest one's rate, and the times of all.
fn picture(parts: &[PartFacts]) -> Option<VideoFacts> {
    let all = || parts.iter().filter_map(|part| part.facts.video.as_ref().map(|video| (part, video)));
    let area = |video: &VideoFacts| u64::from(video.width) * u64::from(video.height);
    let mut largest: Option<&VideoFacts> = None;
    let mut fastest: Option<&VideoFacts> = None;
    for (_, video) in all() {
        // The first of several.
        largest = largest.filter(|other| area(other) >= area(video)).or(Some(video));
        fastest = fastest.filter(|other| other.frame_rate >= video.frame_rate).or(Some(video));
    }
    let fastest = fastest?;
    let mut whole = VideoFacts {
        frames: all().map(|(_, video)| video.frames).sum(),
        frame_rate: fastest.frame_rate,
        cadence: fastest.cadence,
        steady: fastest.steady,
        variable: fastest.variable,
        first: all().map(|(part, video)| part.at + video.first).min()?,
        last: all().map(|(part, video)| part.at + video.last).max()?,
        end: all().map(|(part, video)| part.at + video.end).max()?,
        // Several clocks have no phase in common.
        mean: None,
        key_frames: Vec::new(),
        stretches: Vec::new(),
        packets: Vec::new(),
        ..largest?.clone()
    };
    for (part, video) in all() {
        // A file's beginning is a key frame, whatever the scan knows of others.
        let first = std::iter::once(part.at + video.first);
        let keys = video.key_frames.iter().map(|key| part.at + *key);
        whole.key_frames.extend(first.chain(keys));
        add(&mut whole.packets, &video.packets, part.at);
    }
    whole.key_frames.sort_unstable();
    whole.key_frames.dedup();
    Some(whole)
}

/// Returns the sounds of the file that has most of them, and the times of those in their place in the others.
fn sounds(parts: &[PartFacts]) -> Vec<AudioFacts> {
    let mut most: &[AudioFacts] = &[];
    let mut order = Vec::new();
    for part in parts {
        if part.facts.audio.len() > most.len() {
            most = &part.facts.audio;
            order = tracks::audio(&part.facts).into_iter().map(|(sound, _)| sound.stream).collect();
        }
    }
    let of = |sound: &AudioFacts| {
        let place = order.iter().position(|stream| *stream == sound.stream).unwrap_or_default();
        let mut whole = AudioFacts { stretches: Vec::new(), packets: Vec::new(), ..sound.clone() };
        let mut span: Option<(Duration, Duration)> = None;
        for part in parts {
            let Some((sound, _)) = tracks::audio(&part.facts).into_iter().nth(place) else { continue };
            let (first, end) = (part.at + sound.first, (part.at + sound.end).min(part.until));
            span = Some(span.map_or((first, end), |(before, after)| (before.min(first), after.max(end))));
            add(&mut whole.packets, &sound.packets, part.at);
        }
        (whole.first, whole.end) = span.unwrap_or_default();
        whole
    };
    most.iter().map(of).collect()
}

/// Returns the texts of the file that has most of them.
fn texts(parts: &[PartFacts]) -> Vec<TextFacts> {
    let mut most: &[TextFacts] = &[];
    for part in parts {
        if part.facts.text.len() > most.len() {
            most = &part.facts.text;
        }
    }
    most.to_vec()
}

/// Adds the counts of a file's seconds to those of the whole.
fn add(whole: &mut Vec<u32>, counts: &[u32], at: Duration) {
    let from = at.as_secs_f64().round() as usize;
    whole.resize(whole.len().max(from + counts.len()), 0);
    for (sum, count) in whole[from..].iter_mut().zip(counts) {
        *sum += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::facts;

    fn of(parts: Vec<Facts>) -> Facts {
        let place = |n: u64| Place { bytes: n * 100..n * 100 + 100, head: None, other: false };
        whole(parts.into_iter().zip(0..).map(|(facts, n)| (place(n), facts)).collect()).unwrap()
    }

    #[test]
    fn a_file_follows_where_the_picture_before_it_ends() {
        let padded = |ms| {
            let mut facts = facts();
            facts.audio[0].end = Duration::from_millis(ms);
            facts.duration = facts.audio[0].end;
            facts
        };
        let joined = of(vec![padded(10_040), padded(10_040), padded(12_000), padded(10_040)]);
        let froms: Vec<u128> = joined.parts.iter().map(|part| part.from.as_millis()).collect();
        assert_eq!(froms, [0, 10_000, 20_000, 32_000]);
        assert_eq!(joined.duration.as_millis(), 42_040);
        let video = joined.video.unwrap();
        assert_eq!((video.frames, video.end.as_millis()), (1200, 42_000));
        assert_eq!(video.key_frames.len(), 20);
        assert_eq!(joined.audio[0].end.as_millis(), 42_040);
    }

    #[test]
    fn a_picture_behind_the_priming_comes_at_its_place() {
        let mut late = facts();
        late.video.as_mut().unwrap().first = Duration::from_millis(21);
        late.video.as_mut().unwrap().end = Duration::from_millis(10_021);
        late.duration = Duration::from_millis(10_021);
        let joined = of(vec![late.clone(), late]);
        let second = &joined.parts[1];
        assert_eq!((second.from.as_millis(), second.at.as_millis()), (10_021, 10_000));
    }

    #[test]
    fn the_largest_picture_and_the_fastest_rate_are_the_wholes() {
        let mut small = facts();
        let video = small.video.as_mut().unwrap();
        (video.width, video.height, video.frame_rate) = (640, 360, Some(50.0));
        let whole = of(vec![small, facts()]).video.unwrap();
        assert_eq!((whole.width, whole.frame_rate), (1920, Some(50.0)));
    }
}
