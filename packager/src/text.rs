//! Text tracks inside a source: read by ffmpeg, kept as captions; and of a video's captions as
//! files, for servers that know nothing of them.

use std::{ops::Range, time::Duration};

use captions::{Text, segment, subrip, substation, webvtt};
use store::{Cue, Store, VideoId};
use tokio::{io::AsyncReadExt, sync::Mutex};

use crate::{
    Error, Result,
    broadcast::{self, Carrier, Channel},
    child::Task,
    encode::{EncodeContext, clock_args, strings},
    ffmpeg::{Bounds, input_args},
    plan::{Plan, TextPlan},
    process,
    publish::Publisher,
    takes::{self, Take, TextTake},
};

// A ten-hour film's subtitles take a tenth of it.
const MAX_BYTES: u64 = 16 << 20;

/// Returns the cues of a text track, on the video's clock.
pub(crate) async fn read(context: &EncodeContext<'_>, text: &TextPlan) -> Result<Vec<Cue>> {
    let channel = text.channel.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Channel::Line21(1));
    let mut cues = Vec::new();
    for TextTake { take, codec, inside } in takes::texts(context.plan, text, context.source) {
        let mut own = if let Some(codec) = inside {
            let carrier = Carrier { take: &take, codec };
            from_zero(webvtt::parse(&broadcast::read(context, carrier, channel).await?).cues, 0.0)
        } else {
            let format = Format::of(codec);
            let written = extract(context, text, (&take, format)).await?;
            from_zero(format.parse(&written), take.clock_at_zero)
        };
        if let Some(place) = &take.place {
            clip(&mut own, place);
        }
        cues.extend(own);
    }
    Ok(cues)
}

/// Cuts cues to the place of a file among those that it was joined to.
fn clip(cues: &mut Vec<Cue>, place: &Range<Duration>) {
    let (from, until) = (place.start.as_millis() as u64, place.end.as_millis() as u64);
    for cue in &mut *cues {
        cue.start_ms = cue.start_ms.max(from);
        cue.end_ms = cue.end_ms.min(until);
    }
    cues.retain(|cue| cue.start_ms < cue.end_ms);
}

/// Writes all listed captions of a planned video as blobs: whole and in segments.
pub async fn export(store: &Store, video: &VideoId) -> Result<()> {
    let publisher = Publisher { store: store.clone(), video: video.clone(), run: None };
    let known = store.videos.get(video).await?.and_then(|known| known.plan);
    let plan: Plan = serde_json::from_str(&known.ok_or_else(|| store::Error::Gone(video.clone()))?)?;
    for track in store.captions.of(video).await? {
        let Some(name) = track.name.as_ref().filter(|_| track.is_listed()) else { continue };
        let stored = store.captions.cues(&track.id).await?;
        let cues: Vec<captions::Cue> = stored.into_iter().map(shown).collect();
        publisher.text(&format!("captions/{name}.vtt"), &webvtt::render(&cues)).await?;
        for number in 0..plan.grid.segments() {
            let (start, end) = plan.grid.span(number);
            let text = segment::render(&cues, start, end);
            publisher.text(&format!("captions/{name}/{number}.vtt"), &text).await?;
        }
    }
    Ok(())
}

/// The form in which ffmpeg gives a text out: its own wherever we read that, for on the way to another ffmpeg drops places
/// on the picture, and writes drawings as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Substation,
    Subrip,
    WebVtt,
    /// Converted; its styles come through.
    Converted(&'static str),
}

impl Format {
    /// Returns the form for a codec, by ffprobe's name.
    fn of(codec: &str) -> Self {
        match codec {
            "ass" | "ssa" => Self::Substation,
            "subrip" | "text" => Self::Subrip,
            "webvtt" => Self::WebVtt,
            // SubRip has overrides for the alignment that a MP4's text description states; WebVTT's writer has none.
            "mov_text" => Self::Converted("srt"),
            _ => Self::Converted("webvtt"),
        }
    }

    /// Returns ffmpeg's names of the codec and of the container.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Substation => ("copy", "ass"),
            Self::Subrip => ("copy", "srt"),
            Self::WebVtt => ("copy", "webvtt"),
            Self::Converted(name) => (name, name),
        }
    }

    fn parse(self, written: &str) -> Vec<captions::Cue> {
        let reading = match self {
            Self::Substation => substation::parse(written),
            Self::Subrip | Self::Converted("srt") => subrip::parse(written),
            Self::WebVtt | Self::Converted(_) => webvtt::parse(written),
        };
        reading.cues
    }
}

async fn extract(
    context: &EncodeContext<'_>,
    text: &TextPlan,
    (take, format): (&Take<'_>, Format),
) -> Result<String> {
    let (codec, container) = format.names();
    let mut input = clock_args(Duration::ZERO);
    input.extend(input_args(&take.input));
    let task = Task {
        program: &context.config.ffmpeg,
        doing: format!("reading {}", text.name),
        input,
        stdin: None,
        printed: None,
        outputs: vec![strings([
            "-map",
            &format!("0:{}", take.stream),
            "-c:s",
            codec,
            // Times as they are, were the first below zero.
            "-avoid_negative_ts",
            "disabled",
            "-f",
            container,
        ])],
        // Text lies all through a file, which is read to its end for it.
        bounds: Bounds { cpu: Duration::from_hours(1), ..Bounds::default() },
        wall_time: Duration::from_hours(1),
    };
    let written = Mutex::new(Vec::new());
    process::run(task, context.control, |_, output| {
        let written = &written;
        async move {
            let read = output.stream.take(MAX_BYTES).read_to_end(&mut *written.lock().await).await?;
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

/// Counts the cues that ffmpeg wrote from `zero` on its clock, in seconds. Cues without text are left out, and so are
/// cues that end before zero.
fn from_zero(cues: Vec<captions::Cue>, zero: f64) -> Vec<Cue> {
    let zero_ms = (zero * 1000.0).round() as i64;
    let counted = |time: Duration| (time.as_millis() as i64 - zero_ms).max(0) as u64;
    let cues = cues.into_iter().filter(|cue| !cue.text.is_empty()).map(|cue| Cue {
        start_ms: counted(cue.start),
        end_ms: counted(cue.end),
        settings: cue.settings,
        styles: cue.text.styles(),
        text: cue.text.into(),
    });
    cues.filter(|cue| cue.start_ms < cue.end_ms).collect()
}

fn shown(stored: store::StoredCue) -> captions::Cue {
    let store::StoredCue { number, cue } = stored;
    captions::Cue {
        id: number.to_string(),
        start: Duration::from_millis(cue.start_ms),
        end: Duration::from_millis(cue.end_ms),
        settings: cue.settings,
        text: Text::from(cue.text).with_styles(&cue.styles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n\nsecond\n00:05.000 --> 00:07.000 align:start\nacross\nthe border\n\n01:00:00.000 --> 01:00:01.000\nlate\n\n01:00:02.000 --> 01:00:03.000\n<i></i>\n";

    #[test]
    fn cues_keep_their_text_times_and_settings() {
        let cues = from_zero(webvtt::parse(WRITTEN).cues, 0.0);
        assert_eq!(cues.len(), 3, "a cue without text is none");
        assert_eq!(cues[1].settings, "align:start");
        assert_eq!(cues[1].text, "across\nthe border");
        assert_eq!(cues[2].start_ms, 3_600_000);
    }

    #[test]
    fn cues_before_zero_are_left_out_and_those_across_it_start_there() {
        let cues = from_zero(webvtt::parse(WRITTEN).cues, 2.0);
        assert_eq!((cues[0].start_ms, cues[0].end_ms), (0, 500));
        assert_eq!(from_zero(webvtt::parse(WRITTEN).cues, 3.0).len(), 2);
    }
}
