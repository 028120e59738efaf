//! SubRip (`.srt`), which has no standard: read as generously as players do, written as all of them expect.

use crate::{
    Cue, Reading, clock,
    lines::{Lines, Times, has_times, shortened, times},
    markup,
};

// Enough for the blank lines that editors leave; a file of nothing else must not be walked again at every line.
const MOST_BLANK: usize = 8;

/// Returns whether the first lines look like SubRip: an arrow between two times, mostly behind a number.
pub fn is_subrip(written: &str) -> bool {
    let mut lines = Lines::new(written);
    // Some files begin with blank lines or a line of credits; sixteen lines find the first cue behind them.
    for _ in 0..16 {
        let Some((_, line)) = lines.next() else { return false };
        if line.contains("-->") {
            return true;
        }
    }
    false
}

/// Reads a file. Blocks are separated by blank lines, but a text may hold some: only a line of times, alone or behind a
/// number, begins the next cue.
pub fn parse(written: &str) -> Reading {
    let mut reading = Reading::default();
    let mut lines = Lines::new(written);
    let mut number_before: Option<&str> = None;
    while let Some((number, line)) = lines.next() {
        if !line.contains("-->") {
            // Only before the first cue: later lines are the text of the cue before.
            if is_number(line) {
                number_before = Some(line);
            } else if !line.trim().is_empty() {
                reading.wrong(number, format!("`{}` stands before any times", shortened(line)));
            }
            continue;
        }
        let id = number_before.take().map(|id| id.trim().to_owned()).unwrap_or_default();
        let text = lines.take_while(|lines, line| !begins_cue(lines, line)).join("\n");
        if lines.peek(0).is_some_and(is_number) {
            number_before = lines.next().map(|(_, number)| number);
        }
        let times = times(line);
        // No player shows it, and some editors leave one behind for each cue that was emptied.
        if times.as_ref().is_ok_and(|times| times.start == times.end) {
            continue;
        }
        match times.and_then(Times::in_order) {
            // Coordinates (`X1:…`) stand where WebVTT has settings; no player of today places a cue by them.
            Ok(times) => {
                let parsed = markup::parse(&text);
                let mut cue = Cue::new(id, times.start, times.end, "");
                cue.text = parsed.text;
                parsed.settings.clone_into(&mut cue.settings);
                reading.cues.push(cue);
            }
            Err(problem) => reading.wrong(number, problem),
        }
    }
    if let Some(left) = number_before {
        reading.wrong(
            Lines::new(written).count_to(left),
            format!("`{}` is followed by no times", shortened(left)),
        );
    }
    reading
}

/// Returns whether a line, the next one of `lines`, begins a cue: by its times or by its number.
fn begins_cue(lines: &Lines<'_>, line: &str) -> bool {
    if !is_number(line) {
        return has_times(line);
    }
    let blank = |ahead: &usize| lines.peek(*ahead).is_some_and(|line| line.trim().is_empty());
    let gap = (1..=MOST_BLANK).take_while(blank).count();
    // A number right below words, with a gap before the times, is the last line of those words.
    let stands_alone = gap == 0 || lines.previous().is_some_and(|line| line.trim().is_empty());
    stands_alone && lines.peek(gap + 1).is_some_and(has_times)
}

/// Renders a file; cues are numbered from one.
pub fn render(cues: &[Cue]) -> String {
    let mut out = String::new();
    for (n, cue) in cues.iter().enumerate() {
        let (start, end) = (clock::render(cue.start, ','), clock::render(cue.end, ','));
        // An arrow within a text would begin another cue in some players.
        let text = cue.text.marked_up(|c, out| out.push(c)).join("\n").replace("-->", "->");
        out += &format!("{}\n{start} --> {end}\n{text}\n\n", n + 1);
    }
    out
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_of_all_programs_are_read() {
        let file = "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}<i>Hello</i>\r\nthere\r\n\r\n\r\n2\r\n0:00:03.5 --> 0:00:04 X1:1 X2:2\r\n\r\nafter a blank line\r\n\r\n00:00:05,000 --> 00:00:06,000\r\n42";
        let cues = parse(file).without_mistakes().unwrap();
        assert_eq!(cues[0].settings, "line:0");
        let read: Vec<_> =
            cues.iter().map(|c| (c.id.as_str(), c.start.as_millis(), c.text.as_str())).collect();
        assert_eq!(read, [("1", 1000, "Hello\nthere"), ("2", 3500, "after a blank line"), ("", 5000, "42")]);
        insta::assert_snapshot!(render(&cues), @r"
        1
        00:00:01,000 --> 00:00:02,500
        <i>Hello</i>
        there

        2
        00:00:03,500 --> 00:00:04,000
        after a blank line

        3
        00:00:05,000 --> 00:00:06,000
        42
        ");
    }

    #[test]
    fn blank_lines_between_number_and_times_are_no_words() {
        let read = |file: &str| {
            let cues = parse(file).without_mistakes().unwrap();
            cues.iter().map(|cue| (cue.id.clone(), cue.text.as_str().to_owned())).collect::<Vec<_>>()
        };
        let cues = [("1".to_owned(), "one".to_owned()), ("2".to_owned(), "two\n7".to_owned())];
        for file in [
            "1\n\n00:00:01,000 --> 00:00:02,000\none\n\n2\n\n00:00:03,000 --> 00:00:04,000\ntwo\n7\n",
            "1\r\r\n00:00:01,000 --> 00:00:02,000\r\r\none\r\r\n\r\r\n2\r\r\n00:00:03,000 --> 00:00:04,000\r\r\ntwo\r\r\n7\r\r\n",
            "1\n00:00:01,000 --> 00:00:02,000\n\none\n\n2\n \n\n00:00:03,000 --> 00:00:04,000\n\ntwo\n\n7\n\n",
            "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n7",
        ] {
            assert_eq!(read(file), cues, "{file:?}");
        }
    }

    #[test]
    fn a_cue_of_no_length_is_passed_over_and_thousandths_may_stand_behind_a_colon() {
        let file = "1\n00:00:01,000 --> 00:00:01,000\n\n2\n00:00:03:100 --> 00:00:04:050\nnext";
        let cues = parse(file).without_mistakes().unwrap();
        let read: Vec<_> =
            cues.iter().map(|c| (c.start.as_millis(), c.end.as_millis(), c.text.as_str())).collect();
        assert_eq!(read, [(3100, 4050, "next")]);
    }

    #[test]
    fn an_arrow_among_words_is_words() {
        let file = "1\n00:00:01,000 --> 00:00:02,000\n5 --> 6\nhome --> work\n\n2\n00:00:03,000 --> 00:00:04,000\nnext";
        let cues = parse(file).without_mistakes().unwrap();
        assert_eq!((cues.len(), cues[0].text.as_str()), (2, "5 --> 6\nhome --> work"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let check = |written: &str, line: usize, part: &str| {
            let mistake = &parse(written).mistakes[0];
            assert_eq!(mistake.line, line, "{mistake}");
            assert!(mistake.to_string().contains(part), "{mistake}");
        };
        check("1\n00:00:01,000 --> 00:00:0a,000\nhi", 2, "00:00:0a,000");
        check("hello\n1\n00:00:01,000 --> 00:00:02,000\nhi", 1, "hello");
        check("1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\n00:00:05,000 --> 00:00:02,000\nho", 6, "not after");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_what_is_written_reads_back(text in "[0-9:,> \\-\n\r&<;a-z\\PC]{0,200}") {
            let cues = parse(&text).cues;
            proptest::prop_assert_eq!(parse(&render(&cues)).cues.len(), cues.len());
        }

        #[test]
        fn words_read_back_as_they_were(start in 0u64..360_000_000, length in 1u64..100_000, text in "[a-zäß ?!\n]{1,80}") {
            let ms = Duration::from_millis;
            let cue = Cue::new("1", ms(start), ms(start + length), &text);
            proptest::prop_assert_eq!(parse(&render(std::slice::from_ref(&cue))).without_mistakes(), Ok(vec![cue]));
        }
    }
}
