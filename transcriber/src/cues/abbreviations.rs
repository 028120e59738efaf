//! Full stops that end no sentence: abbreviations, initials and letters with stops between.

// Each list is short: words that are no words without their stop, so that they may be looked up whatever the language
// is. English's "no." and "fig." are left out, for sentences end with those words too.
const ABBREVIATIONS: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "mr", "mrs", "ms", "messrs", "dr", "prof", "st", "jr", "sr", "vs", "gen", "col", "capt", "lt",
            "sgt", "rev", "hon", "gov", "sen", "rep", "mt", "approx", "dept", "ave", "blvd",
        ],
    ),
    ("de", &["hr", "fr", "frl", "bzw", "ca", "nr", "str", "dipl", "ing", "evtl", "ggf", "usw", "vgl"]),
    ("fr", &["mm", "mme", "mlle", "mgr", "env"]),
    ("es", &["sra", "srta", "dra", "ud", "uds", "avda"]),
    ("it", &["sig", "dott", "avv", "ecc"]),
    ("nl", &["dhr", "mevr", "bijv", "enz"]),
    ("pl", &["ul", "np", "tzn"]),
];

/// Returns whether a sentence ends with the word `before`. `after` is the word behind it, if that is known.
pub(super) fn ends_sentence(before: &str, after: Option<&str>) -> bool {
    let closed = before.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']', '」', '』']);
    match closed.chars().last() {
        Some('!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।') => true,
        Some('.') => !is_abbreviation(closed, after),
        _ => false,
    }
}

/// Returns whether the stop of a word belongs to the word.
fn is_abbreviation(word: &str, after: Option<&str>) -> bool {
    let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches('.');
    let lower = bare.to_lowercase();
    if ABBREVIATIONS.iter().any(|(_, words)| words.contains(&lower.as_str())) {
        return true;
    }
    let first = after.and_then(|after| after.chars().find(|c| c.is_alphanumeric()));
    let letters: Vec<&str> = bare.split('.').collect();
    let short = |part: &&str| part.chars().all(char::is_alphabetic) && part.chars().count() == 1;
    match letters.as_slice() {
        // "J. Smith", but "It was I." at the end.
        [initial] if short(initial) => {
            initial.chars().all(char::is_uppercase) && first.is_some_and(char::is_uppercase)
        }
        // "e.g. this" and "U.S. dollars", but "in the U.S. He".
        [_, _, ..] if letters.iter().all(short) => first.is_some_and(|c| !c.is_uppercase()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_may_belong_to_its_word() {
        let check = |before: &str, after: Option<&str>, expected: bool| {
            assert_eq!(ends_sentence(before, after), expected, "{before} {after:?}");
        };
        for title in ["Mr.", "Mrs.", "“Dr.", "St.", "Prof.", "Frl.", "bzw.", "Mme.", "Srta.", "Sig."] {
            check(title, Some("John"), false);
            check(title, None, false);
        }
        check("J.", Some("R."), false);
        check("R.", Some("Tolkien"), false);
        check("I.", None, true);
        check("e.g.", Some("this"), false);
        check("U.S.", Some("dollars"), false);
        check("U.S.", Some("He"), true);
        check("3.", Some("The"), true);
        check("rose.", Some("Then"), true);
        check("rose.”", Some("Then"), true);
        check("really?", None, true);
        check("静かな夜です。", None, true);
        check("rose,", Some("then"), false);
        check("rose", None, false);
    }
}
