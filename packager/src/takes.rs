//! Takes: the inputs of a run. Most sources are one file and give one; of files that were joined, each gives its own,
//! with its own clock. Leaves their filters to `graph` and `sound`.

use std::{ops::Range, time::Duration};

use crate::{
    ffmpeg::Input,
    plan::{AudioPlan, Conversion, PartPlan, Plan, StreamPart, TextPlan, VideoPlan},
    timeline::Stretch,
};

/// One input, and how its times become the plan's.
#[derive(Clone, Debug)]
pub(crate) struct Take<'a> {
    pub(crate) input: Input,
    pub(crate) stream: u32,
    pub(crate) stretches: &'a [Stretch],
    /// As in [`AudioPlan`].
    pub(crate) unskipped: bool,
    /// The time of its own clock at the plan's zero, in seconds.
    pub(crate) clock_at_zero: f64,
    /// Where reading starts, from the container's start.
    pub(crate) seek: Duration,
    /// Its place, from the plan's zero; `None` where it is the whole source.
    pub(crate) place: Option<Range<Duration>>,
}

/// A picture's input.
#[derive(Clone, Debug)]
pub(crate) struct PictureTake<'a> {
    pub(crate) take: Take<'a>,
    pub(crate) conversion: &'a Conversion,
}

/// A text's input.
pub(crate) struct TextTake<'a> {
    pub(crate) take: Take<'a>,
    /// ffprobe's name of the text's codec; empty where nobody wrote it down.
    pub(crate) codec: &'a str,
    /// The codec of the picture that it is inside of.
    pub(crate) inside: Option<&'a str>,
}

/// The reach of a run's decoding, from the plan's zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// The key frame that it starts at; `None` for the beginning.
    pub(crate) entry: Option<Duration>,
    pub(crate) until: Duration,
}

/// Returns the inputs of a run of the picture.
pub(crate) fn pictures<'a>(
    plan: &'a Plan,
    video: &'a VideoPlan,
    source: &Input,
    reach: Reach,
) -> Vec<PictureTake<'a>> {
    let Reach { entry, until } = reach;
    if plan.parts.is_empty() {
        let seek = entry.map_or(Duration::ZERO, |key| seek(plan.zero + key, video.seek_margin));
        let take = Take { stretches: &video.stretches, seek, ..whole(plan, source, video.stream) };
        return vec![PictureTake { take, conversion: &video.conversion }];
    }
    let entry = entry.unwrap_or_default();
    // Files that the run does not touch stay closed, since each has a decoder of its own.
    let wanted = plan.parts.iter().filter(|part| part.until > entry && part.from <= until);
    let takes = wanted.filter_map(|part| {
        let picture = part.picture.as_ref()?;
        let mut take = part.take(source, &picture.source);
        if entry > part.from {
            take.seek = seek(part.since_start(entry), picture.seek_margin);
        }
        Some(PictureTake { take, conversion: &picture.conversion })
    });
    takes.collect()
}

/// Returns the input of what is shown at a time, which it starts at.
pub(crate) fn picture_at<'a>(
    plan: &'a Plan,
    video: &'a VideoPlan,
    source: &Input,
    time: Duration,
) -> PictureTake<'a> {
    let part = plan.parts.iter().filter(|part| part.picture.is_some()).rfind(|part| part.from <= time);
    let first = || plan.parts.iter().find(|part| part.picture.is_some());
    if let Some(part) = part.or_else(first)
        && let Some(picture) = &part.picture
    {
        let take = Take { seek: part.since_start(time), ..part.take(source, &picture.source) };
        return PictureTake { take, conversion: &picture.conversion };
    }
    let mut take = whole(plan, source, video.stream);
    take.seek = time;
    PictureTake { take, conversion: &video.conversion }
}

/// Returns the inputs of a sound, each from its beginning, or the only one from `seek`.
pub(crate) fn sounds<'a>(
    plan: &'a Plan,
    audio: &'a AudioPlan,
    source: &Input,
    seek: Duration,
) -> Vec<Take<'a>> {
    let place = plan.audio.iter().position(|other| other.name == audio.name).unwrap_or_default();
    if plan.parts.is_empty() {
        let whole = whole(plan, source, audio.stream);
        return vec![Take { stretches: &audio.stretches, unskipped: audio.unskipped, seek, ..whole }];
    }
    // From the beginning, so that gaps are filled alike in every run.
    let takes = plan.parts.iter().filter_map(|part| Some(part.take(source, part.sounds.get(place)?)));
    takes.collect()
}

/// Returns the inputs of a text.
pub(crate) fn texts<'a>(plan: &'a Plan, text: &'a TextPlan, source: &Input) -> Vec<TextTake<'a>> {
    if plan.parts.is_empty() {
        let take = whole(plan, source, text.stream);
        return vec![TextTake { take, codec: &text.codec, inside: text.inside.as_deref() }];
    }
    let place = plan.text.iter().position(|other| other.name == text.name).unwrap_or_default();
    let takes = plan.parts.iter().filter_map(|part| {
        if text.inside.is_some() {
            let picture = part.picture.as_ref()?;
            let take = part.take(source, &picture.source);
            return Some(TextTake { take, codec: "", inside: Some(&picture.codec) });
        }
        let stream = *part.texts.get(place)?;
        let take = Take {
            input: source.part(part.head.clone(), part.bytes.clone()),
            stream,
            stretches: &[],
            unskipped: false,
            clock_at_zero: part.clock_at_zero,
            seek: Duration::ZERO,
            place: Some(part.from..part.until),
        };
        let codec = part.text_codecs.get(place).map_or("", String::as_str);
        Some(TextTake { take, codec, inside: None })
    });
    takes.collect()
}

/// Returns the take of a source that is one file.
fn whole<'a>(plan: &Plan, source: &Input, stream: u32) -> Take<'a> {
    Take {
        input: source.clone(),
        stream,
        stretches: &[],
        unskipped: false,
        clock_at_zero: plan.clock_at_zero(),
        seek: Duration::ZERO,
        place: None,
    }
}

/// Half a millisecond more, because containers' and our own rounding may put a key frame behind itself.
fn seek(key: Duration, margin: Duration) -> Duration {
    (key + Duration::from_micros(500)).saturating_sub(margin)
}

impl PartPlan {
    fn take<'a>(&'a self, source: &Input, from: &'a StreamPart) -> Take<'a> {
        Take {
            input: source.part(self.head.clone(), self.bytes.clone()),
            stream: from.stream,
            stretches: &from.stretches,
            unskipped: from.unskipped,
            clock_at_zero: self.clock_at_zero,
            seek: Duration::ZERO,
            place: Some(self.from..self.until),
        }
    }

    /// Returns a time of the plan from the container's start.
    fn since_start(&self, time: Duration) -> Duration {
        let seconds = time.as_secs_f64() + self.clock_at_zero - self.start_seconds;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}
