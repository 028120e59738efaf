//! The lines of a caption file, with their numbers, and the lines among them that have times.

use std::time::Duration;

use crate::clock;

/// The lines of a file, numbered from one.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

/// A cue's times, and what stands behind them on the line.
pub(crate) struct Times<'a> {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    pub(crate) rest: &'a str,
}

impl Times<'_> {
    /// Returns them, if the end lies behind the start (W3C WebVTT, cue timings).
    pub(crate) fn in_order(self) -> Result<Self, String> {
        if self.end > self.start {
            return Ok(self);
        }
        Err(format!("the cue ends at {}, not after it begins", clock::render(self.end, '.')))
    }
}

impl<'a> Lines<'a> {
    pub(crate) fn new(written: &'a str) -> Self {
        let mut lines = Vec::new();
        let mut rest = written.trim_start_matches('\u{feff}');
        // The three line ends of the standard (`str::lines` knows two), and CR CR LF, which a text-mode copy makes of
        // CR LF: read as two ends it would put a blank line behind every line.
        while let Some(end) = rest.find(['\n', '\r']) {
            lines.push(&rest[..end]);
            let length =
                ["\r\r\n", "\r\n"].into_iter().find(|long| rest[end..].starts_with(long)).map_or(1, str::len);
            rest = &rest[end + length..];
        }
        lines.push(rest);
        Self { lines, at: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<(usize, &'a str)> {
        let line = *self.lines.get(self.at)?;
        self.at += 1;
        Some((self.at, line))
    }

    /// Returns the line `ahead` of the next one.
    pub(crate) fn peek(&self, ahead: usize) -> Option<&'a str> {
        self.lines.get(self.at + ahead).copied()
    }

    /// Returns the line in front of the next one.
    pub(crate) fn previous(&self) -> Option<&'a str> {
        self.at.checked_sub(1).and_then(|at| self.lines.get(at)).copied()
    }

    /// Returns the number of the last line that reads `wanted`.
    pub(crate) fn count_to(&self, wanted: &str) -> usize {
        self.lines.iter().rposition(|line| *line == wanted).map_or(1, |at| at + 1)
    }

    /// Takes lines as long as `belongs` holds for the next.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(&Self, &str) -> bool) -> Vec<&'a str> {
        let first = self.at;
        while self.peek(0).is_some_and(|line| belongs(self, line)) {
            self.at += 1;
        }
        self.lines[first..self.at].to_vec()
    }
}

/// Reads a line of times: start, arrow, end, the rest.
pub(crate) fn times(line: &str) -> Result<Times<'_>, String> {
    let right = "write `00:00:01.000 --> 00:00:02.000`";
    let Some((start, rest)) = line.split_once("-->") else { return Err(format!("no times; {right}")) };
    let rest = rest.trim_start();
    let (end, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let read = |written: &str| {
        let written = written.trim();
        clock::parse(written).ok_or_else(|| format!("`{}` is not a time; {right}", shortened(written)))
    };
    Ok(Times { start: read(start)?, end: read(end)?, rest })
}

/// Returns whether a line is meant to have times, right or wrong: words with an arrow in them, such as `5 --> 6` or
/// `home --> work`, are not.
pub(crate) fn has_times(line: &str) -> bool {
    let is_clock = |word: Option<&str>| {
        word.is_some_and(|word| word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()))
    };
    line.split_once("-->").is_some_and(|(start, rest)| {
        let mut words = start.split_whitespace();
        is_clock(words.next()) && words.next().is_none() && is_clock(rest.split_whitespace().next())
    })
}

pub(crate) fn shortened(text: &str) -> String {
    let start: String = text.trim().chars().filter(|c| !c.is_control()).take(40).collect();
    if start.len() < text.trim().len() { format!("{start}…") } else { start }
}
