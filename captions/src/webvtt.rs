//! WebVTT (<https://www.w3.org/TR/webvtt1/>): read as players read it, written plainly. Leaves a cue's markup to
//! `markup`, and the segments of a playlist to `segment`.

use crate::{
    Cue, Reading, Text, clock,
    lines::{Lines, Times, has_times, shortened, times},
    markup,
};

// Those that place a cue; `region` names a block that we do not keep.
const SETTINGS: [&str; 5] = ["vertical", "line", "position", "size", "align"];

/// Returns whether a file with this content calls itself WebVTT.
pub fn is_webvtt(written: &str) -> bool {
    let rest = written.trim_start_matches('\u{feff}').strip_prefix("WEBVTT");
    // W3C WebVTT: behind the signature stands a space, a tab or a line end; `WEBVTTX` is none.
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// Reads a file by the W3C's parser (§6.1): notes, styles and regions are passed over, a line of times always begins a
/// cue. Words with an arrow among a cue's lines stay its words: a player drops the rest of the cue there.
pub fn parse(written: &str) -> Reading {
    let mut reading = Reading::default();
    let mut lines = Lines::new(written);
    if !is_webvtt(written) {
        reading.wrong(1, "the first line is `WEBVTT` in every WebVTT file");
        return reading;
    }
    lines.next();
    // The rest of the header, such as X-TIMESTAMP-MAP.
    lines.take_while(|_, line| !line.trim().is_empty() && !line.contains("-->"));
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let mut id = String::new();
        let (mut number, mut timing) = (number, line);
        if !timing.contains("-->") {
            if is_block(timing) || !lines.peek(0).is_some_and(|next| next.contains("-->")) {
                if !is_block(timing) {
                    reading.wrong(number, format!("`{}` is neither a cue nor a note", shortened(timing)));
                }
                lines.take_while(|_, line| !line.trim().is_empty() && !line.contains("-->"));
                continue;
            }
            timing.trim().clone_into(&mut id);
            if let Some(next) = lines.next() {
                (number, timing) = next;
            }
        }
        let text = lines.take_while(|_, line| !line.is_empty() && !has_times(line)).join("\n");
        let times = times(timing);
        // No player shows it, and the rest of the file is as good.
        if times.as_ref().is_ok_and(|times| times.start == times.end) {
            continue;
        }
        match times.and_then(Times::in_order) {
            Ok(times) => {
                let parsed = markup::parse(&text);
                let mut cue = Cue::new(id, times.start, times.end, "");
                cue.text = parsed.text;
                cue.settings = placing(times.rest).collect::<Vec<_>>().join(" ");
                // The file's own settings are WebVTT; an override is left over from another format.
                if cue.settings.is_empty() {
                    parsed.settings.clone_into(&mut cue.settings);
                }
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
        // W3C WebVTT: an id is one line and has no arrow, or it would be read as times.
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
        for line in cue.text.marked_up(escape) {
            out += &line;
            out.push('\n');
        }
    }
    out
}

/// Escapes a character, so that no part of a line is read as markup or as an arrow.
fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        // Written as a reference in order not to begin an override when the file is read again.
        '{' => out.push_str("&#123;"),
        c => out.push(c),
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FILE: &str = "\u{feff}WEBVTT - a title\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: red }\n\nNOTE a note\nof two lines\n\n00:01.000 --> 00:02.500\nHello &amp; <i>welcome</i>\n\nsecond\r\n00:05.000 --> 00:07.000 align:start region:x\r\n<v Ann>across\r\nthe border\r\n\r\n01:00:00.000-->01:00:01.000\nlate";

    #[test]
    fn a_file_is_read_as_players_read_it() {
        let cues = parse(FILE).without_mistakes().unwrap();
        let read: Vec<_> =
            cues.iter().map(|c| (c.id.as_str(), c.start.as_millis(), c.text.as_str())).collect();
        assert_eq!(
            read,
            [("", 1000, "Hello & welcome"), ("second", 5000, "across\nthe border"), ("", 3_600_000, "late")]
        );
        assert_eq!(cues[0].text.styles(), "i8-15");
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
    fn a_cue_of_no_length_is_passed_over() {
        let file = "WEBVTT\n\n00:01.000 --> 00:01.000\nno\n\n00:02.000 --> 00:03.000\nnext";
        let cues = parse(file).without_mistakes().unwrap();
        assert_eq!(cues.iter().map(|cue| cue.text.as_str()).collect::<Vec<_>>(), ["next"]);
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

    #[test]
    fn an_arrow_among_a_cues_words_is_words() {
        let file = "WEBVTT\n\n00:01.000 --> 00:02.000\ncount on\n5 --> 6\nhome --> work\n00:03.000 --> 00:04.000\nnext";
        let cues = parse(file).without_mistakes().unwrap();
        assert_eq!(cues[0].text.as_str(), "count on\n5 --> 6\nhome --> work");
        assert_eq!(cues[1].text.as_str(), "next");
    }

    #[test]
    fn styles_and_places_are_written_and_read_back() {
        let file =
            "WEBVTT\n\n00:01.000 --> 00:02.000\n{\\an8}<i>Hello</i>\n<em>there</em>, <b>you &lt;3</b>\n";
        let cues = parse(file).without_mistakes().unwrap();
        insta::assert_snapshot!(render(&cues), @r"
        WEBVTT

        00:00:01.000 --> 00:00:02.000 line:0
        <i>Hello</i>
        <i>there</i>, <b>you &lt;3</b>
        ");
        assert_eq!(parse(&render(&cues)).cues[0].text.styles(), cues[0].text.styles());
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
