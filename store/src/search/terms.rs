//! The terms of a text: its words without case and accents, as both databases keep and look for them. Scripts that are
//! written without blanks become pairs of characters, so that any part of them is found.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

// PostgreSQL refuses a lexeme of more than 2,046 bytes and a passage of more than a megabyte.
const MOST_CHARACTERS: usize = 64;
const MOST_TERMS: usize = 2000;

/// A part of a text that is looked for as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// A word of a script with blanks between words.
    Word(String),
    /// Characters of a script without.
    Unspaced(Vec<char>),
}

/// Returns the terms of `text`, each between blanks, as a passage keeps them; empty for a text without words.
pub(super) fn of(text: &str) -> String {
    let mut terms = String::new();
    for term in runs(text).iter().flat_map(Run::indexed).take(MOST_TERMS) {
        terms.push(' ');
        terms.push_str(&term);
    }
    if !terms.is_empty() {
        terms.push(' ');
    }
    terms
}

/// Returns the runs of `text`, in order.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut ended = true;
    for character in fold(text).chars() {
        if !character.is_alphanumeric() && !is_combining_mark(character) {
            ended = true;
            continue;
        }
        match (runs.last_mut(), is_unspaced(character)) {
            (Some(Run::Unspaced(run)), true) if !ended => run.push(character),
            (Some(Run::Word(word)), false) if !ended => {
                if word.chars().count() < MOST_CHARACTERS {
                    word.push(character);
                }
            }
            (_, true) => runs.push(Run::Unspaced(vec![character])),
            (_, false) => runs.push(Run::Word(character.to_string())),
        }
        ended = false;
    }
    runs
}

impl Run {
    /// Returns the terms that a passage keeps. The last character stands alone too: it begins no pair.
    fn indexed(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            Self::Unspaced(run) => {
                let last = run.last().map(char::to_string);
                pairs(run).chain(last).collect()
            }
        }
    }

    /// Returns the terms that a search looks for, one behind the other.
    pub(super) fn wanted(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            Self::Unspaced(run) if run.len() == 1 => run.iter().map(char::to_string).collect(),
            Self::Unspaced(run) => pairs(run).collect(),
        }
    }
}

fn pairs(run: &[char]) -> impl Iterator<Item = String> {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// Takes away what people leave out when they type: case, accents, and the letters that keyboards lack.
pub(crate) fn fold(text: &str) -> String {
    // Compatibility forms first: full-width letters and ligatures are typed as plain ones.
    let bare = text.nfkd().filter(|c| !is_accent(*c)).collect::<String>().to_lowercase();
    // Hangul falls apart into letters in NFKD, and a small dotted i has kept its dot.
    let folded: String = bare.nfc().filter(|c| !is_accent(*c)).collect();
    let mut text = String::with_capacity(folded.len());
    for character in folded.chars() {
        match character {
            'ß' => text.push_str("ss"),
            'æ' => text.push_str("ae"),
            'œ' => text.push_str("oe"),
            'þ' => text.push_str("th"),
            'ø' => text.push('o'),
            'đ' | 'ð' => text.push('d'),
            'ł' => text.push('l'),
            'ı' => text.push('i'),
            'ς' => text.push('σ'),
            // Joiners are within words of Persian and Indic scripts, and not typed by everybody.
            '\u{200c}' | '\u{200d}' | '\u{ad}' => {}
            other => text.push(other),
        }
    }
    text
}

/// Returns whether a character is an accent of Latin, Greek or Cyrillic, or a vowel point of Hebrew or Arabic. Marks of
/// other scripts are letters: without its signs a word of Hindi or Thai is another one.
fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Returns whether a character is of a script without blanks between words, or, as Hangul, with endings grown onto them.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_and_accents() {
        for (text, expected) in [
            ("", ""),
            (" -- ?! ", ""),
            ("The Dunes", " the dunes "),
            ("Crème brûlée, l’été", " creme brulee l ete "),
            ("Straße in Łódź", " strasse in lodz "),
            ("İstanbul ISPARTA ırmak", " istanbul isparta irmak "),
            ("ΟΔΥΣΣΕΥΣ", " οδυσσευσ "),
            ("ＦＵＬＬ ﬁne", " full fine "),
            ("schönen", " schonen "),
            ("scho\u{308}nen", " schonen "),
            ("مُحَمَّد", " محمد "),
            ("हिन्दी में", " हिन्दी में "),
            ("a\"b'c*d(e)", " a b c d e "),
            ("\u{e000}x", " x "),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn scripts_without_blanks_become_pairs() {
        for (text, expected) in [
            ("東京都", " 東京 京都 都 "),
            ("猫", " 猫 "),
            ("iPhone15発売、今日", " iphone15 発売 売 今日 日 "),
            ("한국어", " 한국 국어 어 "),
            ("ガンダム", " ガン ンダ ダム ム "),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_passage_is_bounded() {
        let long = of(&"x".repeat(10_000));
        assert_eq!(long.trim().len(), MOST_CHARACTERS);
        assert_eq!(of(&"x ".repeat(10_000)).split_whitespace().count(), MOST_TERMS);
    }
}
