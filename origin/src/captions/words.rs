//! The words that come with captions: languages, labels, models, prompts. Checked at the border,
//! with an error that names what would be right.

use crate::error::{Result, bad_request};

const MOST_LABEL: usize = 100;
const MOST_MODEL: usize = 200;
// Whisper takes 223 tokens of a prompt, which are some nine hundred characters of English.
const MOST_PROMPT: usize = 1000;

/// Reads a BCP 47 tag and returns it in its usual spelling (RFC 5646 §2.1.1): `de`, `pt-BR`, `zh-Hant`.
pub(super) fn language(written: &str) -> Result<String> {
    let mut subtags = written.trim().split('-');
    let primary = subtags.next().unwrap_or_default();
    let is_sound =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric());
    let fits = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    // RFC 5646 §4.4.1: tags of up to 35 characters should be taken, and longer ones are hardly in use.
    if !fits || written.len() > 35 || !subtags.clone().all(is_sound) {
        let detail = format!(
            "`{}` is not a language tag; it would be one such as `de`, `pt-BR` or `zh-Hant` (BCP 47).",
            shortened(written)
        );
        return Err(bad_request("invalid_language", detail));
    }
    let mut tag = primary.to_ascii_lowercase();
    for subtag in subtags {
        tag.push('-');
        match subtag.len() {
            2 => tag += &subtag.to_ascii_uppercase(),
            4 if subtag.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                tag += &subtag[..1].to_ascii_uppercase();
                tag += &subtag[1..].to_ascii_lowercase();
            }
            _ => tag += &subtag.to_ascii_lowercase(),
        }
    }
    Ok(tag)
}

/// Checks that a tag's language is one of those that a model knows; none are known of a model that nobody has read.
pub(super) fn known_language(tag: &str, known: &[String]) -> Result<()> {
    let primary = tag.split('-').next().unwrap_or_default();
    if known.is_empty() || known.iter().any(|code| code.eq_ignore_ascii_case(primary)) {
        return Ok(());
    }
    let detail = format!("The model does not know the language `{tag}`; it knows {}.", known.join(", "));
    Err(bad_request("unknown_language", detail))
}

/// Reads what a menu is to show; empty means the language's own name.
pub(super) fn label(written: &str) -> Result<String> {
    within(written, "label", MOST_LABEL)
}

/// Reads a model's name.
pub(super) fn model(written: &str) -> Result<String> {
    if written == captions::DEMO_MODEL {
        let detail = format!("{written} knows three hundred words; it is for the demo video alone.");
        return Err(bad_request("demo_model", detail));
    }
    within(written, "model", MOST_MODEL)
}

/// Reads names and terms for the machine.
pub(super) fn prompt(written: &str) -> Result<String> {
    within(written, "prompt", MOST_PROMPT)
}

fn within(written: &str, what: &str, most: usize) -> Result<String> {
    let plain = captions::Text::new(written).in_one_line();
    let count = plain.chars().count();
    if count > most {
        let detail = format!("The {what} has {count} characters; it may have {most}.");
        return Err(bad_request("too_long", detail));
    }
    Ok(plain)
}

fn shortened(written: &str) -> String {
    written.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_tags_in_their_usual_spelling() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(language(written).ok().as_deref(), expected, "{written}");
        };
        check("de", Some("de"));
        check("EN", Some("en"));
        check("pt-br", Some("pt-BR"));
        check("zh-hANT-tw", Some("zh-Hant-TW"));
        check("und", Some("und"));
        check("de-1996", Some("de-1996"));
        check("", None);
        check("d", None);
        check("german", None);
        check("de-", None);
        check("../x", None);
        check("de_DE", None);
    }
}
