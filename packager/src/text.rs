//! In charge of the text tracks inside a source: as one WebVTT file and as segments on the media's grid.

use std::{fmt::Write, time::Duration};

use tokio::{io::AsyncReadExt, sync::Mutex};

use crate::{
    Error, Result,
    encode::{Work, clock_args, strings},
    ffmpeg::{Bounds, input_args},
    plan::{Grid, TextPlan},
    process::{self, Task},
};

// A ten-hour film's subtitles take a tenth of it.
const MAX_BYTES: u64 = 16 << 20;

/// A cue as it stands in a WebVTT file: times in milliseconds, settings and text untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cue {
    start_ms: u64,
    end_ms: u64,
    settings: String,
    text: String,
}

/// Turns a text track into WebVTT and publishes it.
pub(crate) async fn make(work: &Work<'_>, text: &TextPlan) -> Result<()> {
    let written = extract(work, text).await?;
    let cues = parse(&written, work.plan.clock_at_zero());
    work.publisher.text(&format!("{}.vtt", text.name), &render(None, &cues)).await?;
    let grid = &work.plan.grid;
    for number in 0..grid.segments() {
        work.publisher.text_segment(&text.name, number, &segment(&cues, grid, number)).await?;
    }
    Ok(())
}

async fn extract(work: &Work<'_>, text: &TextPlan) -> Result<String> {
    let mut input = clock_args(Duration::ZERO);
    input.extend(input_args(work.source));
    let task = Task {
        program: &work.config.ffmpeg,
        doing: format!("reading {}", text.name),
        input,
        outputs: vec![strings(["-map", &format!("0:{}", text.stream), "-c:s", "webvtt", "-f", "webvtt"])],
        bounds: Bounds { cpu: Duration::from_hours(1), ..Bounds::default() },
        wall_time: Duration::from_hours(1),
    };
    let written = Mutex::new(Vec::new());
    process::run(task, work.stop, |_, stream| {
        let written = &written;
        async move {
            let read = stream.take(MAX_BYTES).read_to_end(&mut *written.lock().await).await?;
            if read as u64 == MAX_BYTES {
                return Err(Error::OffPlan {
                    rendition: text.name.clone(),
                    given: format!("more than {MAX_BYTES} bytes"),
                    planned: "subtitles".into(),
                });
            }
            Ok(())
        }
    })
    .await?;
    Ok(String::from_utf8_lossy(&written.into_inner()).into_owned())
}

/// Reads the cues of what ffmpeg wrote, counted from `zero` on its clock, in seconds. Blocks without times are
/// left out, and so is what ends before zero.
fn parse(webvtt: &str, zero: f64) -> Vec<Cue> {
    let webvtt = webvtt.replace("\r\n", "\n");
    let zero_ms = (zero * 1000.0).round() as i64;
    let from_zero = |ms: u64| (ms as i64 - zero_ms).max(0) as u64;
    let cues = webvtt.split("\n\n").filter_map(parse_cue);
    let cues =
        cues.map(|cue| Cue { start_ms: from_zero(cue.start_ms), end_ms: from_zero(cue.end_ms), ..cue });
    cues.filter(|cue| cue.start_ms < cue.end_ms).collect()
}

fn parse_cue(block: &str) -> Option<Cue> {
    let (times, text) = block.trim_matches('\n').split_once('\n')?;
    // A line before the times is the cue's name.
    let (times, text) = if times.contains("-->") { (times, text) } else { text.split_once('\n')? };
    let (start, rest) = times.split_once(" --> ")?;
    let (end, settings) = rest.split_once(' ').unwrap_or((rest, ""));
    let (start_ms, end_ms) = (parse_time(start)?, parse_time(end)?);
    Some(Cue { start_ms, end_ms, settings: settings.into(), text: text.into() })
}

fn parse_time(text: &str) -> Option<u64> {
    let (clock, millis) = text.trim().split_once('.')?;
    let mut seconds = 0;
    for part in clock.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    Some(seconds * 1000 + millis.parse::<u64>().ok()?)
}

/// Returns segment `number`: a cue that crosses a border stands in both (RFC 8216 §3.5).
fn segment(cues: &[Cue], grid: &Grid, number: u32) -> String {
    let ms = |ticks| (grid.seconds(ticks) * 1000.0).round() as u64;
    let (start, end) = (ms(grid.start(number)), ms(grid.start(number + 1)));
    let within: Vec<Cue> = cues.iter().filter(|c| c.start_ms < end && c.end_ms > start).cloned().collect();
    render(Some("X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"), &within)
}

fn render(header: Option<&str>, cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    if let Some(header) = header {
        out += header;
        out.push('\n');
    }
    for cue in cues {
        let settings = if cue.settings.is_empty() { String::new() } else { format!(" {}", cue.settings) };
        // Writing to a string cannot fail.
        let _ = write!(out, "\n{} --> {}{settings}\n{}\n", clock(cue.start_ms), clock(cue.end_ms), cue.text);
    }
    out
}

fn clock(ms: u64) -> String {
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n\nsecond\n00:05.000 --> 00:07.000 align:start\nacross\nthe border\n\n01:00:00.000 --> 01:00:01.000\nlate\n";

    #[test]
    fn cues_keep_their_text_times_and_settings() {
        let cues = parse(WRITTEN, 0.0);
        assert_eq!(cues.len(), 3);
        assert_eq!(cues[1].settings, "align:start");
        assert_eq!(cues[1].text, "across\nthe border");
        assert_eq!(cues[2].start_ms, 3_600_000);
        assert_eq!(parse(&render(None, &cues), 0.0), cues);
    }

    #[test]
    fn a_cue_across_a_border_stands_in_both_segments() {
        let grid = Grid { timescale: 1000, segment_ticks: 6000, duration_ticks: 20_000 };
        let cues = parse(WRITTEN, 0.0);
        let texts = |n| segment(&cues, &grid, n).matches("across").count();
        assert_eq!((texts(0), texts(1), texts(2)), (1, 1, 0));
        assert!(segment(&cues, &grid, 2).starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_what_is_written_reads_back(text in "[0-9:.> \\-\n\\PC]{0,200}") {
            let cues = parse(&text, 0.0);
            proptest::prop_assert_eq!(parse(&render(None, &cues), 0.0).len(), cues.len());
        }
    }

    #[test]
    fn cues_before_zero_are_left_out_and_those_across_it_start_there() {
        let cues = parse(WRITTEN, 2.0);
        assert_eq!((cues[0].start_ms, cues[0].end_ms), (0, 500));
        assert_eq!(parse(WRITTEN, 3.0).len(), 2);
    }
}
