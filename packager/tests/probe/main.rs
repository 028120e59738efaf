//! Sources of every kind, made by ffmpeg, looked at by `probe`, planned by `plan`.
#![expect(clippy::unwrap_used, reason = "tests, and the functions that they share")]

mod choice;
mod refused;
mod sources;

use std::{fmt::Write, path::Path};

use packager::{
    Error,
    facts::Facts,
    limits::Limits,
    plan::{self, Plan},
    probe::{Programs, probe},
};
use sources::{CODEC, SHAPE, SOUND, TIME, make};

fn programs(ffprobe: &str) -> Programs<'_> {
    Programs { ffprobe: Path::new(ffprobe), ffmpeg: Path::new("ffmpeg") }
}

async fn look(path: &Path) -> Result<(Facts, Plan), Error> {
    let facts = probe(programs("ffprobe"), &path.into()).await?;
    Limits::default().check(&facts)?;
    let plan = plan::plan(&facts, &plan::Config::default())?;
    Ok((facts, plan))
}

/// Returns facts and plan in one line, so that a case is two lines of text.
fn summary(facts: &Facts, plan: &Plan) -> String {
    let mut line = String::new();
    if let (Some(video), Some(planned)) = (&facts.video, &plan.video) {
        let _ = write!(line, "{} {}x{}", video.codec, video.width, video.height);
        let words = [
            (video.rotation != 0, format!(" turned {}", video.rotation)),
            (
                video.sample_aspect.num != video.sample_aspect.den,
                format!(" samples {}:{}", video.sample_aspect.num, video.sample_aspect.den),
            ),
            (video.interlaced, " interlaced".to_owned()),
            (video.variable, " variable".to_owned()),
            (video.bit_depth != 8, format!(" {} bit", video.bit_depth)),
            (planned.conversion.deinterlace, " deinterlaced".to_owned()),
            (
                planned.conversion.tone_map,
                format!(" tone-mapped from {}", video.colour.transfer.as_deref().unwrap_or("?")),
            ),
        ];
        line.extend(words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word));
        let rungs: Vec<String> = planned.rungs.iter().map(|r| format!("{}x{}", r.width, r.height)).collect();
        let rate = planned.frame_rate;
        let _ = write!(
            line,
            " {} frames -> {} at {}/{} {}",
            video.frames,
            planned.frames,
            rate.num,
            rate.den,
            rungs.join(" ")
        );
    }
    for planned in &plan.audio {
        let stream = facts.audio.iter().find(|audio| audio.stream == planned.stream).unwrap();
        let _ = write!(
            line,
            "; {} {}ch {} -> {}",
            stream.codec, stream.channels, stream.sample_rate, planned.name
        );
    }
    for (stream, planned) in facts.text.iter().zip(&plan.text) {
        let _ = write!(line, "; {} -> {}", stream.codec, planned.name);
    }
    line.trim_start_matches("; ").to_owned()
}

/// Takes a table of two lines a case: the command, and the summary of its file.
async fn check(table: &str) {
    let mut lines = table.lines().filter(|line| !line.is_empty());
    while let (Some(commands), Some(expected)) = (lines.next(), lines.next()) {
        let source = make(commands);
        let (facts, plan) = look(&source.path).await.unwrap_or_else(|e| panic!("{commands}: {e}"));
        assert_eq!(summary(&facts, &plan), expected.trim(), "{commands}");
    }
}

#[tokio::test]
async fn every_codec_in_every_container_is_read() {
    check(CODEC).await;
}

#[tokio::test]
async fn every_shape_of_picture_is_planned() {
    check(SHAPE).await;
}

#[tokio::test]
async fn every_way_of_time_is_planned() {
    check(TIME).await;
}

#[tokio::test]
async fn every_kind_of_sound_and_text_is_planned() {
    check(SOUND).await;
}

#[tokio::test]
async fn times_count_from_the_containers_start() {
    let source = make("{picture} {tone} {h264} -c:a aac -output_ts_offset 3600 a.ts");
    let (facts, plan) = look(&source.path).await.unwrap();
    assert!(facts.start_seconds > 3600.0, "{facts:?}");
    let video = facts.video.unwrap();
    assert!(video.first.as_millis() < 100, "{video:?}");
    assert_eq!(video.last.abs_diff(video.first).as_millis(), 466, "{video:?}");
    assert!(plan.grid.seconds(plan.grid.duration_ticks) < 0.6);
    assert_eq!(plan.video.unwrap().seek_margin.as_secs(), 10);
}
