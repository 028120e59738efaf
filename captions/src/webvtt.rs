//! In charge of WebVTT (<https://www.w3.org/TR/webvtt1/>): read as players read it, written plainly. Leaves
//! the segments of a playlist to `segment`.

use crate::{Cue, Reading, Text, clock};

mod text;

pub(crate) use text::plain;

// Those that place a cue; `region` names a block that we do not keep.
const SETTINGS: [&str; 5] = ["vertical", "line", "position", "size", "align"];

/// Returns whether a file with this content calls itself WebVTT.
pub fn is_webvtt(written: &str) -> bool {
    let rest = written.trim_start_matches('\u{feff}').strip_prefix("WEBVTT");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// Reads a file by the W3C's parser (§6.1): notes, styles and regions are passed over, a line with an arrow always
/// begins a cue. Of a cue's markup its words stay; what is no markup of WebVTT is words.
pub fn parse(written: &str) -> Reading {
    let mut reading = Reading::default();
    let mut lines = Lines::new(written);
    if !is_webvtt(written) {
        reading.wrong(1, "the first line is `WEBVTT` in every WebVTT file");
        return reading;
    }
    lines.next();
    // The rest of the header, such as X-TIMESTAMP-MAP.
    while lines.peek().is_some_and(|line| !line.trim().is_empty() && !line.contains("-->")) {
        lines.next();
    }
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let mut id = String::new();
        let (mut number, mut timing) = (number, line);
        if !timing.contains("-->") {
            if is_block(timing) || !lines.peek().is_some_and(|next| next.contains("-->")) {
                if !is_block(timing) {
                    reading.wrong(number, format!("`{}` is neither a cue nor a note", shortened(timing)));
                }
                lines.skip_block();
                continue;
            }
            timing.trim().clone_into(&mut id);
            if let Some(next) = lines.next() {
                (number, timing) = next;
            }
        }
        let said = lines.take_text();
        match times(timing) {
            Ok((start, end, settings)) => {
                let mut cue = Cue::new(id, start, end, plain(&said).as_str());
                cue.settings = settings;
                reading.cues.push(cue);
            }
            Err(problem) => reading.wrong(number, problem),
        }
    }
    reading
}

/// Renders a whole file.
pub fn render(cues: &[Cue]) -> String {
    render_with_header(None, cues.iter())
}

pub(crate) fn render_with_header<'a>(header: Option<&str>, cues: impl Iterator<Item = &'a Cue>) -> String {
    let mut out = String::from("WEBVTT\n");
    if let Some(header) = header {
        out += header;
        out.push('\n');
    }
    for cue in cues {
        out.push('\n');
        let id = Text::new(&cue.id).in_one_line().replace("-->", "");
        // A name that reads as the beginning of another block would take the cue with it.
        if !id.is_empty() && !is_block(&id) && !id.contains("-->") {
            out += &id;
            out.push('\n');
        }
        out += &format!("{} --> {}", clock::render(cue.start, '.'), clock::render(cue.end, '.'));
        for setting in placing(&cue.settings) {
            out.push(' ');
            out += setting;
        }
        out.push('\n');
        for line in cue.text.lines() {
            out += &text::escaped(line);
            out.push('\n');
        }
    }
    out
}

/// Reads a line of times: start, arrow, end, settings.
pub(crate) fn times(line: &str) -> Result<(std::time::Duration, std::time::Duration, String), String> {
    let right = "write `00:00:01.000 --> 00:00:02.000`";
    let Some((start, rest)) = line.split_once("-->") else { return Err(format!("no times; {right}")) };
    let rest = rest.trim_start();
    let (end, settings) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let read = |written: &str| {
        let written = written.trim();
        clock::parse(written).ok_or_else(|| format!("`{}` is not a time; {right}", shortened(written)))
    };
    let (start, end) = (read(start)?, read(end)?);
    if end <= start {
        return Err(format!("the cue ends at {}, not after it begins", clock::render(end, '.')));
    }
    Ok((start, end, placing(settings).collect::<Vec<_>>().join(" ")))
}

fn placing(settings: &str) -> impl Iterator<Item = &str> {
    settings.split_whitespace().filter(|setting| {
        let known = setting.split_once(':').is_some_and(|(name, _)| SETTINGS.contains(&name));
        known && !setting.contains("-->")
    })
}

fn is_block(line: &str) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|block| {
        line.strip_prefix(block).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    })
}

pub(crate) fn shortened(text: &str) -> String {
    let start: String = text.trim().chars().filter(|c| !c.is_control()).take(40).collect();
    if start.len() < text.trim().len() { format!("{start}…") } else { start }
}

/// The lines of a file, with their numbers from one.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(written: &'a str) -> Self {
        let mut lines = Vec::new();
        let mut rest = written.trim_start_matches('\u{feff}');
        // Three line ends, as the standard has them; `str::lines` knows only two.
        while let Some(end) = rest.find(['\n', '\r']) {
            lines.push(&rest[..end]);
            let long = rest[end..].starts_with("\r\n");
            rest = &rest[end + if long { 2 } else { 1 }..];
        }
        lines.push(rest);
        Self { lines, at: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<(usize, &'a str)> {
        let line = *self.lines.get(self.at)?;
        self.at += 1;
        Some((self.at, line))
    }

    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    pub(crate) fn peek_after(&self) -> Option<&'a str> {
        self.lines.get(self.at + 1).copied()
    }

    /// Returns the number of the last line that reads `wanted`.
    pub(crate) fn count_to(&self, wanted: &str) -> usize {
        self.lines.iter().rposition(|line| *line == wanted).map_or(1, |at| at + 1)
    }

    fn skip_block(&mut self) {
        while self.peek().is_some_and(|line| !line.trim().is_empty() && !line.contains("-->")) {
            self.at += 1;
        }
    }

    fn take_text(&mut self) -> String {
        let first = self.at;
        while self.peek().is_some_and(|line| !line.is_empty() && !line.contains("-->")) {
            self.at += 1;
        }
        self.lines[first..self.at].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FILE: &str = "\u{feff}WEBVTT - a title\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: red }\n\nNOTE a note\nof two lines\n\n00:01.000 --> 00:02.500\nHello &amp; <i>welcome</i>\n\nsecond\r\n00:05.000 --> 00:07.000 align:start region:x\r\n<v Ann>across\r\nthe border\r\n\r\n01:00:00.000-->01:00:01.000\nlate";

    #[test]
    fn a_file_is_read_as_players_read_it() {
        let cues = parse(FILE).without_mistakes().unwrap();
        let told: Vec<_> =
            cues.iter().map(|c| (c.id.as_str(), c.start.as_millis(), c.text.as_str())).collect();
        assert_eq!(
            told,
            [("", 1000, "Hello & welcome"), ("second", 5000, "across\nthe border"), ("", 3_600_000, "late")]
        );
        assert_eq!(cues[1].settings, "align:start");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_the_rest_is_read() {
        let check = |written: &str, line: usize, part: &str| {
            let reading = parse(written);
            assert_eq!(reading.mistakes[0].line, line, "{written}: {:?}", reading.mistakes);
            assert!(reading.mistakes[0].to_string().contains(part), "{}", reading.mistakes[0]);
            reading.cues.len()
        };
        assert_eq!(check("1\n00:01.000 --> 00:02.000\nhi", 1, "WEBVTT"), 0);
        assert_eq!(
            check("WEBVTT\n\n00:01.000 -> 00:02.000\nhi\n\n00:01.000 --> 00:02.000\nhi", 3, "00:01.000 -> "),
            1
        );
        assert_eq!(
            check("WEBVTT\n\n1\n00:01.000 --> 00:0x.000\nhi\n\n00:01.000 --> 00:02.000\nhi", 4, "00:0x.000"),
            1
        );
        assert_eq!(check("WEBVTT\n\n00:03.000 --> 00:02.000\nhi", 3, "not after it begins"), 0);
    }

    #[test]
    fn markup_that_is_not_webvtts_is_words() {
        let cues =
            parse("WEBVTT\n\n00:01.000 --> 00:02.000\n<script>alert(1)</script> 1 < 2 --&gt; <c.big>x</c>")
                .cues;
        assert_eq!(cues[0].text.as_str(), "<script>alert(1)</script> 1 < 2 --> x");
        insta::assert_snapshot!(render(&cues), @r"
        WEBVTT

        00:00:01.000 --> 00:00:02.000
        &lt;script&gt;alert(1)&lt;/script&gt; 1 &lt; 2 --&gt; x
        ");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(WEBVTT\n\n)?[0-9:.> \\-\n\r&<;a-z\\PC]{0,200}") {
            let cues = parse(&text).cues;
            proptest::prop_assert_eq!(parse(&render(&cues)).without_mistakes().map(|c| c.len()), Ok(cues.len()));
        }

        #[test]
        fn what_is_written_reads_back(
            id in "[a-z0-9]{0,8}",
            start in 0u64..360_000_000,
            length in 1u64..100_000,
            text in "[a-z&<>;\\-/ \n\\PC]{0,80}",
        ) {
            let ms = Duration::from_millis;
            let cue = Cue::new(id, ms(start), ms(start + length), &text);
            proptest::prop_assert_eq!(parse(&render(std::slice::from_ref(&cue))).without_mistakes(), Ok(vec![cue]));
        }
    }
}
