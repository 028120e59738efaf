//! `SubStation` Alpha (`.ass`, `.ssa`), as films carry it: the words of its dialogue, their styles, and whether they stand
//! at the top or the bottom. Leaves overrides in braces to `markup`; colours, fonts and animations go.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    Cue, Reading,
    markup::{self, Base},
    text::{Style, Styles},
};

/// The height that positions are counted in where a file does not state it (libass' and `VSFilter`'s).
const HEIGHT: f64 = 288.0;

/// Reads a file's dialogue, by its start. Lines that layer the same words for a shadow become one cue, and drawings none.
pub fn parse(written: &str) -> Reading {
    let mut file = File { height: HEIGHT, ..File::default() };
    let mut reading = Reading::default();
    for (number, line) in (1..).zip(written.trim_start_matches('\u{feff}').lines()) {
        if let Some(section) = line.trim().strip_prefix('[') {
            file.enter(section);
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim().to_ascii_lowercase().as_str() {
            "playresy" => file.height = value.trim().parse().ok().filter(|y| *y > 0.0).unwrap_or(HEIGHT),
            "format" => file.fields = value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
            "style" => file.style(value),
            "dialogue" => match file.dialogue(value) {
                Some(cue) => reading.cues.push(cue),
                None => reading.wrong(number, "the dialogue has no times, or ends before it begins"),
            },
            _ => {}
        }
    }
    reading.cues.retain(|cue| !cue.text.is_empty());
    reading.cues.sort_by_key(|cue| (cue.start, cue.end));
    reading.cues.dedup();
    reading
}

/// The statements of a file above the line that is read.
#[derive(Default)]
struct File {
    /// Version 4 without a plus numbers alignments in another way.
    legacy: bool,
    fields: Vec<String>,
    styles: BTreeMap<String, Base>,
    height: f64,
}

impl File {
    fn enter(&mut self, section: &str) {
        let name = section.trim_end_matches(']').to_ascii_lowercase();
        // Each section states an order of fields of its own.
        self.fields.clear();
        if name.contains("styles") {
            self.legacy = !name.contains('+');
        }
    }

    /// Returns a line's values by the names of the section's fields; the last one holds the rest of the line.
    fn values<'a>(&self, line: &'a str, otherwise: &[&str]) -> BTreeMap<String, &'a str> {
        let fallback = || otherwise.iter().map(|name| (*name).to_owned()).collect();
        let names: Vec<String> = if self.fields.is_empty() { fallback() } else { self.fields.clone() };
        names.iter().cloned().zip(line.splitn(names.len(), ',')).collect()
    }

    fn style(&mut self, line: &str) {
        let values = self.values(line, &["name"]);
        // True is -1 here.
        let on = |name: &str| values.get(name).is_some_and(|value| !matches!(value.trim(), "" | "0"));
        let mut styles = Styles::default();
        for (name, style) in
            [("bold", Style::Bold), ("italic", Style::Italic), ("underline", Style::Underline)]
        {
            if on(name) {
                styles = styles.with(style);
            }
        }
        let alignment = values.get("alignment").map_or("", |value| value.trim());
        let place = if self.legacy { markup::keypad(alignment) } else { alignment };
        let base = Base { styles, settings: markup::placed(place), height: self.height };
        let name = values.get("name").map_or("", |name| name.trim());
        // Old editors mark a default style with `*`, and not in every line that names it; libass passes over the mark
        // too.
        self.styles.insert(name.trim_start_matches('*').to_owned(), base);
    }

    fn dialogue(&self, line: &str) -> Option<Cue> {
        // The order where no `Format` line states one, as in libass.
        let named =
            ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"];
        let values = self.values(line, &named);
        let (start, end) = (time(values.get("start")?)?, time(values.get("end")?)?);
        let style = values.get("style").map_or("", |name| name.trim()).trim_start_matches('*');
        let plain = Base { height: self.height, ..Base::default() };
        let base = self.styles.get(style).map_or(plain, |base| Base { height: self.height, ..*base });
        let parsed = markup::parse_substation(values.get("text")?, base);
        if end < start {
            return None;
        }
        let mut cue = Cue::new("", start, end, "");
        // A line that is shown for no time has no words for anybody.
        if start < end {
            cue.text = parsed.text;
        }
        parsed.settings.clone_into(&mut cue.settings);
        Some(cue)
    }
}

/// Reads `H:MM:SS.cc`.
fn time(written: &str) -> Option<Duration> {
    crate::clock::parse(written.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[Script Info]\r\nScriptType: v4.00+\r\nPlayResY: 180\r\n\r\n[V4+ Styles]\r\n\
        Format: Name, Fontname, Bold, Italic, Underline, Alignment\r\n\
        Style: Default,Arial,0,0,0,2\r\nStyle: Sign,Arial,-1,0,0,8\r\n\r\n\
        [Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n";

    fn read(text: &str) -> Vec<(String, String, String)> {
        let file = format!("{HEAD}Dialogue: 0,0:00:01.50,0:00:02.00,{text}\r\n");
        let reading = parse(&file);
        assert_eq!(reading.mistakes, [], "{text}");
        let seen = |cue: &Cue| (cue.text.as_str().to_owned(), cue.text.styles(), cue.settings.clone());
        reading.cues.iter().map(seen).collect()
    }

    #[test]
    fn dialogue_keeps_its_words_styles_and_place() {
        for (line, text, styles, settings) in [
            ("Default,,0,0,0,,Hello, you", "Hello, you", "", ""),
            ("Sign,,0,0,0,,Station", "Station", "b0-7", "line:0"),
            ("*Sign,,0,0,0,,{\\b0}Sta{\\r}tion", "Station", "b3-7", "line:0"),
            ("Default,,0,0,0,,{\\an8}Up {\\i1}there{\\i}!", "Up there!", "i3-8", "line:0"),
            ("Default,,0,0,0,,{\\a6}Up", "Up", "", "line:0"),
            ("Default,,0,0,0,,{\\a10}mid", "mid", "", "line:50%"),
            ("Default,,0,0,0,,{\\an7\\pos(10,20)}Up", "Up", "", "line:0"),
            ("Default,,0,0,0,,{\\an7\\pos(10,170)}Down", "Down", "", ""),
            ("Default,,0,0,0,,{\\move(10,90,200,20,0,500)}Mid", "Mid", "", "line:50%"),
            ("Default,,0,0,0,,one\\Ntwo\\nthree\\hfour", "one\ntwo three\u{a0}four", "", ""),
            ("Default,,0,0,0,,{\\k20}ka{\\kf30}ra{a note}oke {\\t(\\fs40\\b1)}!", "karaoke !", "", ""),
            ("Default,,0,0,0,,5 --> 6 <i>&amp; {\\open", "5 --> 6 <i>&amp; {\\open", "", ""),
            ("Unknown,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}words", "words", "", ""),
        ] {
            let seen = read(line);
            assert_eq!(seen, [(text.to_owned(), styles.to_owned(), settings.to_owned())], "{line}");
        }
    }

    #[test]
    fn drawings_and_shadows_are_no_cues() {
        assert_eq!(read("Default,,0,0,0,,{\\an7\\p4\\bord0}m 0 0 l 100 0 100 100"), []);
        assert_eq!(read("Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}"), []);
        let twice = "Default,,0,0,0,,{\\blur3}Sign\r\nDialogue: 1,0:00:01.50,0:00:02.00,Default,,0,0,0,,Sign";
        assert_eq!(read(twice).len(), 1);
        assert_eq!(read("Default,,0,0,0,,a\r\nComment: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,b").len(), 1);
    }

    #[test]
    fn the_version_without_a_plus_is_read() {
        let file = "[Script Info]\n[V4 Styles]\nFormat: Name, Bold, Italic, Alignment\nStyle: *Default,0,-1,6\n\
            [Events]\nFormat: Marked, Start, End, Style, Text\nDialogue: Marked=0,0:00:02.00,0:00:03.00,*Default,late\n\
            Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,early\n";
        let cues = parse(file).without_mistakes().unwrap();
        let seen: Vec<_> = cues.iter().map(|cue| (cue.text.as_str(), cue.settings.as_str())).collect();
        assert_eq!(seen, [("early", "line:0"), ("late", "line:0")]);
        assert_eq!(cues[0].text.styles(), "i0-5");
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "(\\[Events\\]\n)?(Dialogue: |Style: |Format: )?[0-9:.,a-z{}\\\\()\n\\PC]{0,200}") {
            parse(&text);
        }
    }
}
