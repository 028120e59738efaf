//! Titles, descriptions and file names of videos: cleaned, or refused with a reason.

use http::StatusCode;
use server::Problem;
use store::Tag;

use crate::error::{Error, Result};

const MOST_TITLE: usize = 200;
const MOST_DESCRIPTION: usize = 5000;
const MOST_TAGS: usize = 20;
const MOST_TAG: usize = 40;
const UNTITLED: &str = "Untitled";

/// Takes a title that a person typed, or refuses it with a reason.
pub(crate) fn title(text: &str) -> Result<String> {
    let text = visible(text);
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("The title must not be empty."));
    }
    if text.chars().count() > MOST_TITLE {
        return Err(refused(format!("The title may have at most {MOST_TITLE} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err(refused("The title must not have control characters."));
    }
    Ok(text.to_owned())
}

/// Takes a description that a person typed, or refuses it with a reason. Lines and tabs are fine.
pub(crate) fn description(text: &str) -> Result<String> {
    let text = visible(text);
    let text = text.trim();
    if text.chars().count() > MOST_DESCRIPTION {
        return Err(refused(format!("The description may have at most {MOST_DESCRIPTION} characters.")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(refused("The description must not have control characters."));
    }
    Ok(text.to_owned())
}

/// Takes the tags that a person typed, or refuses them with a reason. Of those that differ by case or form alone, the first
/// counts.
pub(crate) fn tags(texts: &[String]) -> Result<Vec<Tag>> {
    let tags = texts.iter().map(|text| tag(text)).collect::<Result<Vec<_>>>()?;
    let mut kept: Vec<Tag> = Vec::new();
    for tag in tags {
        if kept.iter().all(|other| other.key != tag.key) {
            kept.push(tag);
        }
    }
    if kept.len() > MOST_TAGS {
        return Err(refused(format!("A video has at most {MOST_TAGS} tags; these are {}.", kept.len())));
    }
    Ok(kept)
}

/// Takes one tag.
pub(crate) fn tag(text: &str) -> Result<Tag> {
    let shown = visible(text);
    // A comma ends a tag where people type several.
    if shown.chars().any(|c| c.is_control() || c == ',') {
        return Err(refused("A tag must have neither control characters nor commas."));
    }
    let tag = Tag::of(&shown);
    // A compatibility form may be many characters: U+FDFA is eighteen.
    let length = tag.shown.chars().count().max(tag.key.chars().count());
    if length > MOST_TAG {
        return Err(refused(format!("A tag may have at most {MOST_TAG} characters; one has {length}.")));
    }
    if tag.key.trim().is_empty() {
        return Err(refused("A tag must not be empty."));
    }
    Ok(tag)
}

/// Makes what a machine called a file fit to be shown: nobody typed it, so it is mended, not refused.
pub(crate) fn source_name(name: &str) -> String {
    // Some clients send a path, in either way of writing one.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = visible(name).chars().filter(|c| !c.is_control()).collect();
    clean.trim().chars().take(MOST_TITLE).collect()
}

/// Makes a title of a file's name.
pub(crate) fn from_source_name(name: &str) -> String {
    // A dot alone makes no extension: "Episode 1.5" keeps its number.
    let is_extension = |text: &str| {
        (2..=5).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
            && text.bytes().any(|b| b.is_ascii_alphabetic())
    };
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if is_extension(extension) => stem,
        _ => name,
    };
    match stem.trim() {
        "" => UNTITLED.to_owned(),
        stem => stem.to_owned(),
    }
}

/// Leaves out characters that show nothing and change how their neighbours are shown: U+202E makes `gpj.exe` of
/// `exe.jpg`. They come with pasted text, so nobody is troubled with them. Joiners stay, for Persian and emoji need them.
pub(crate) fn visible(text: &str) -> String {
    let hides = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}')
    };
    // Unicode's own line ends are blanks in one line of text.
    let text = text.replace(['\u{2028}', '\u{2029}'], " ");
    let mut flag = false;
    let shown = |c: &char| {
        // Tags spell the name of a flag behind a black one (Unicode TR 51 §C.1), and nothing anywhere else.
        let tag = matches!(*c, '\u{e0020}'..='\u{e007f}');
        flag = *c == '\u{1f3f4}' || (flag && tag);
        !hides(*c) && (!tag || flag)
    };
    text.chars().filter(shown).collect()
}

fn refused(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_text", detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_words_are_trimmed_or_refused() {
        assert_eq!(title("  The dunes \n").unwrap(), "The dunes");
        assert_eq!(title(&"ü".repeat(200)).unwrap().chars().count(), 200);
        for text in ["", "  ", "a\u{7}b", "a\nb", &"ü".repeat(201)] {
            assert!(title(text).is_err(), "{text:?}");
        }
        assert_eq!(title("a\u{202e}gpj.exe\u{202c} \u{2067}b\u{2069}\u{feff}").unwrap(), "agpj.exe b");
        assert_eq!(title("\u{645}\u{6cc}\u{200c}\u{62e}").unwrap(), "\u{645}\u{6cc}\u{200c}\u{62e}");
        assert!(title("\u{202e}\u{200b}").is_err());
        let wales = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}";
        assert_eq!(title(&format!("Cym{wales}ru\u{e0061}\u{e007f}")).unwrap(), format!("Cym{wales}ru"));
        assert_eq!(description("one\u{2028}two\u{202e}").unwrap(), "one two");
        assert_eq!(description("one\n\ttwo").unwrap(), "one\n\ttwo");
        assert_eq!(description("").unwrap(), "");
        for text in ["a\u{0}b", &"x".repeat(5001)] {
            assert!(description(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn tags_are_equal_whatever_their_case_and_form() {
        let read = |texts: &[&str]| tags(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let tags = read(&[" Caf\u{65}\u{301} ", "CAF\u{c9}", "\u{ff33}and dunes", "b\u{202e}ad"]).unwrap();
        let shown: Vec<&str> = tags.iter().map(|tag| tag.shown.as_str()).collect();
        assert_eq!(shown, ["Caf\u{e9}", "\u{ff33}and dunes", "bad"]);
        assert_eq!(tags[1].key, "sand dunes");
        assert_eq!(read(&[&"\u{fc}".repeat(40)]).unwrap().len(), 1);
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(read(&many[..20]).unwrap().len(), 20);
        for wrong in
            [vec![""], vec!["\u{200b}"], vec!["a,b"], vec!["a\nb"], vec!["\u{fdfa}\u{fdfa}\u{fdfa}"], many]
        {
            assert!(read(&wrong).is_err(), "{wrong:?}");
        }
        assert!(read(&[&"x".repeat(41)]).is_err());
    }

    #[test]
    fn a_files_name_becomes_a_title() {
        for (name, expected) in [
            ("Dunes at dawn.mp4", "Dunes at dawn"),
            ("C:\\videos\\dunes.mov", "dunes"),
            ("../../etc/passwd", "passwd"),
            ("a\u{0}b\r\n.webm", "ab"),
            ("v1.2 final version", "v1.2 final version"),
            ("Episode 1.5", "Episode 1.5"),
            ("tape.mp3.mp4", "tape.mp3"),
            ("exe\u{202e}gpj.mp4", "exegpj"),
            (".mp4", "Untitled"),
            ("", "Untitled"),
        ] {
            assert_eq!(from_source_name(&source_name(name)), expected, "{name:?}");
        }
    }
}
