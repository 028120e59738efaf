//! The progress of long work: a bar on a terminal, plain lines otherwise.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

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

/// The progress of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    unit: Unit,
    bar: ProgressBar,
    plain: bool,
    printed: Instant,
    total: u64,
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
            Unit::Segments => "{msg:12} {wide_bar} {pos}/{len} segments {eta}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        if plain {
            eprintln!("{what}");
        }
        Self { what: what.to_owned(), unit, bar, plain, printed: Instant::now(), total }
    }

    pub(crate) fn set(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.plain && self.printed.elapsed() >= LINE_EVERY {
            self.printed = Instant::now();
            eprintln!("{}: {}", self.what, self.amount(done));
        }
    }

    pub(crate) fn set_total(&mut self, total: u64) {
        self.total = total;
        self.bar.set_length(total);
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
