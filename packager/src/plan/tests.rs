//! A film's plan for tests, and grids and runs of whole segments.

use super::*;
use crate::{
    facts::{Facts, TextFacts, tests::facts},
    measure::{FragmentFacts, Measured, SegmentFacts},
};

/// 420 frames of NTSC film in two sizes with sound in two languages and one text track: two whole
/// segments and a short one.
pub(crate) fn film() -> Plan {
    let mut facts = source();
    let video = facts.video.as_mut().unwrap();
    (video.width, video.height) = (854, 480);
    video.frame_rate = Some(30_000.0 / 1001.0);
    video.last = Duration::from_micros(13_980_633);
    video.end = Duration::from_millis(14_014);
    let mut film = plan(&facts, &config()).unwrap();
    film.grid.start_up_segments = 1;
    film
}

/// The same with short segments at the start.
pub(crate) fn film_that_starts_short() -> Plan {
    let mut film = film();
    film.grid.start_up_segments = 3;
    film
}

/// The same without the picture.
pub(crate) fn sound_alone() -> Plan {
    let mut facts = source();
    facts.video = None;
    facts.text.clear();
    plan(&facts, &config()).unwrap()
}

fn source() -> Facts {
    let mut facts = facts();
    facts.audio[0].end = Duration::from_secs(14);
    facts.audio.push(facts.audio[0].clone());
    facts.audio[0].language = Some("de".to_owned());
    facts.audio[1].language = Some("en".to_owned());
    facts.audio[1].title = Some("Director's \"cut\" & more".to_owned());
    facts.text = vec![TextFacts {
        stream: 3,
        codec: "subrip".to_owned(),
        language: Some("en".to_owned()),
        title: None,
        describes_sounds: false,
        forced: false,
        inside: false,
    }];
    facts
}

fn config() -> Config {
    let mut config = Config::default();
    config.ladder.rungs = vec![480, 240];
    config
}

/// Sizes that are easy to reckon with: the first segment is the heaviest.
pub(crate) fn measured(plan: &Plan) -> Vec<Measured> {
    let rendition = |name: &str, codecs: &str, bytes: u64| Measured {
        name: name.to_owned(),
        codecs: codecs.to_owned(),
        segments: (0..plan.grid.segments())
            .map(|n| {
                let bytes = if n == 0 { bytes } else { bytes / 2 };
                let fragment = |k| FragmentFacts { offset: k * bytes / 3, first_sample_bytes: bytes / 6 };
                let count = if n == 2 { 1 } else { 3 };
                SegmentFacts { bytes, fragments: (0..count).map(fragment).collect() }
            })
            .collect(),
    };
    let video = plan.video.iter().flat_map(|video| &video.rungs);
    let sizes = [1_000_000, 300_000].into_iter();
    let mut all: Vec<Measured> =
        video.zip(sizes).map(|(rung, bytes)| rendition(&rung.name, "avc1.64001f", bytes)).collect();
    all.extend(plan.audio.iter().map(|audio| rendition(&audio.name, "mp4a.40.2", 96_000)));
    all
}

/// Returns the runs of an hour with key frames this far apart, and the seconds that are decoded in all.
fn runs(apart: u64) -> (usize, f64) {
    let mut facts = facts();
    let video = facts.video.as_mut().unwrap();
    (video.frames, video.last, video.end) = (108_000, Duration::from_secs(3599), Duration::from_hours(1));
    video.key_frames = (0..3600).step_by(apart as usize).map(Duration::from_secs).collect();
    facts.audio.clear();
    let plan = plan(&facts, &Config::default()).unwrap();
    let video = plan.video.unwrap();
    let runs = video.runs(&plan.grid, 20);
    let time = |n| plan.grid.seconds(plan.grid.start(n));
    assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start), "{runs:?}");
    assert_eq!((runs[0].start, runs.last().unwrap().end), (0, plan.grid.segments()));
    let entry = |n| video.entries(Duration::from_secs_f64(time(n)))[0].unwrap_or_default();
    let decoded = runs.iter().map(|run| time(run.end) - entry(run.start).as_secs_f64());
    (runs.len(), decoded.sum())
}

#[test]
fn a_source_with_few_key_frames_costs_what_its_length_does() {
    let check = |apart: u64, expected: usize| {
        let (count, decoded) = runs(apart);
        assert_eq!(count, expected, "{apart} s apart");
        assert!(decoded <= 1.5 * 3600.0, "{apart} s apart: {decoded} s are decoded");
    };
    check(2, 30);
    check(25, 30);
    check(3600, 1);
    check(700, 4);
}
