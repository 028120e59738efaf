//! The progress of long work: a bar on a terminal, plain lines otherwise.

use std::{
    fmt,
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

// Often enough to see progress, seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The unit that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Bytes,
    Segments,
    /// Of sound.
    Seconds,
}

/// How far a rendition is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rendition {
    pub(crate) published: u64,
    pub(crate) total: u64,
    /// Seconds of it that its workers make in a second, once that is known.
    pub(crate) speed: Option<f64>,
}

/// How fast a video is encoded, all its renditions together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Seconds of the video, in all renditions, for each second.
    speed: f64,
    left: Duration,
}

impl Pace {
    /// Returns the pace of a video so long; `None` while no worker knows its own.
    pub(crate) fn of(duration_seconds: f64, renditions: &[Rendition]) -> Option<Self> {
        let rate: f64 = renditions.iter().filter_map(|it| it.speed).sum();
        let missing = |it: &Rendition| it.total.saturating_sub(it.published) as f64 / it.total.max(1) as f64;
        let left = duration_seconds * renditions.iter().map(missing).sum::<f64>() / rate;
        let left = Duration::try_from_secs_f64(left.ceil()).ok().filter(|_| rate > 0.0)?;
        Some(Self { speed: rate / renditions.len() as f64, left })
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}× real time, {} left", self.speed, HumanDuration(self.left))
    }
}

/// The progress of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    unit: Unit,
    bar: ProgressBar,
    plain: bool,
    printed: Instant,
    total: u64,
    pace: Option<Pace>,
}

impl Progress {
    pub(crate) fn new(what: &str, unit: Unit, total: u64) -> Self {
        // A bar redraws by escape codes, which fill a log with unreadable lines.
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(total) };
        let template = match unit {
            Unit::Bytes => {
                "{msg:12} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
            }
            Unit::Seconds => "{msg:12} {wide_bar} {pos}/{len} s {per_sec} {eta}",
            Unit::Segments => "{msg:12} {wide_bar} {pos}/{len} segments{prefix}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        if plain {
            eprintln!("{what}");
        }
        Self { what: what.to_owned(), unit, bar, plain, printed: Instant::now(), total, pace: None }
    }

    pub(crate) fn set(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.plain && self.printed.elapsed() >= LINE_EVERY {
            self.printed = Instant::now();
            let pace = self.pace.map(|pace| format!(", {pace}")).unwrap_or_default();
            eprintln!("{}: {}{pace}", self.what, self.amount(done));
        }
    }

    pub(crate) fn set_total(&mut self, total: u64) {
        self.total = total;
        self.bar.set_length(total);
    }

    /// Sets how far each rendition of a video is.
    pub(crate) fn set_renditions(&mut self, duration_seconds: Option<f64>, renditions: &[Rendition]) {
        self.pace = duration_seconds.and_then(|seconds| Pace::of(seconds, renditions));
        self.bar.set_prefix(self.pace.map(|pace| format!(", {pace}")).unwrap_or_default());
        self.set_total(renditions.iter().map(|it| it.total).sum());
        self.set(renditions.iter().map(|it| it.published).sum());
    }

    /// Prints a line above the bar.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
        eprintln!("{}: {}", self.what, self.amount(self.total));
    }

    fn amount(&self, done: u64) -> String {
        match self.unit {
            Unit::Bytes => format!("{} of {}", HumanBytes(done), HumanBytes(self.total)),
            Unit::Seconds => format!("{done} s of {} s", self.total),
            Unit::Segments => format!("{done} of {} segments", self.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendition(published: u64, speed: Option<f64>) -> Rendition {
        Rendition { published, total: 10, speed }
    }

    #[test]
    fn a_videos_pace_is_that_of_all_its_renditions() {
        let renditions =
            [rendition(10, None), rendition(5, Some(2.0)), rendition(5, Some(2.0)), rendition(0, None)];
        let pace = Pace::of(60.0, &renditions).unwrap();
        assert_eq!(pace, Pace { speed: 1.0, left: Duration::from_secs(30) });
        assert_eq!(pace.to_string(), "1.0× real time, 30 seconds left");
    }

    #[test]
    fn without_a_worker_that_knows_its_speed_there_is_none() {
        assert_eq!(Pace::of(60.0, &[rendition(0, None)]), None);
        assert_eq!(Pace::of(60.0, &[]), None);
    }
}
