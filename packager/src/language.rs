//! Names of languages: from what containers write to BCP 47 and to a menu's words.

use isolang::Language;

/// The twenty codes of ISO 639-2/B that differ from ISO 639-3, which is what Matroska and DVDs write.
const BIBLIOGRAPHIC: [(&str, &str); 20] = [
    ("alb", "sqi"),
    ("arm", "hye"),
    ("baq", "eus"),
    ("bur", "mya"),
    ("chi", "zho"),
    ("cze", "ces"),
    ("dut", "nld"),
    ("fre", "fra"),
    ("geo", "kat"),
    ("ger", "deu"),
    ("gre", "ell"),
    ("ice", "isl"),
    ("mac", "mkd"),
    ("mao", "mri"),
    ("may", "msa"),
    ("per", "fas"),
    ("rum", "ron"),
    ("slo", "slk"),
    ("tib", "bod"),
    ("wel", "cym"),
];

/// Returns the shortest BCP 47 tag (RFC 5646 §2.2.1) for a container's language, or `None` when it
/// gives none: `ger` and `deu` are `de`, `pt-BR` stays, `und` is nothing.
///
/// The tag is safe in paths and in attribute lists: letters, digits and hyphens.
pub(crate) fn tag(written: &str) -> Option<String> {
    let mut subtags = written.trim().split(['-', '_']);
    let language = find(subtags.next()?)?;
    let mut tag = language.to_639_1().unwrap_or(language.to_639_3()).to_owned();
    for subtag in subtags {
        let sound = (1..=8).contains(&subtag.len()) && subtag.chars().all(|c| c.is_ascii_alphanumeric());
        // Tags become folders, and a file could give one of any length.
        if !sound || tag.len() > 32 {
            break;
        }
        tag.push('-');
        tag.push_str(subtag);
    }
    Some(tag)
}

/// Returns a language's English name for a BCP 47 tag, such as `German`.
pub(crate) fn name(tag: &str) -> Option<&'static str> {
    let name = find(tag.split('-').next()?)?.to_name();
    // The register adds years and kinds: `Modern Greek (1453-)`, `Swahili (macrolanguage)`.
    Some(name.split(" (").next().unwrap_or(name))
}

/// Finds a primary subtag; the codes for "undetermined", "none" and "several" are no language.
fn find(code: &str) -> Option<Language> {
    let code = code.to_ascii_lowercase();
    let terminology = BIBLIOGRAPHIC
        .iter()
        .find(|(bibliographic, _)| *bibliographic == code)
        .map_or(code.as_str(), |(_, terminology)| *terminology);
    let language = match terminology {
        "und" | "zxx" | "mul" | "mis" => None,
        two if two.len() == 2 => Language::from_639_1(two),
        three => Language::from_639_3(three),
    }?;
    Some(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_languages_become_the_shortest_tags() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(tag(written).as_deref(), expected, "{written}");
        };
        check("eng", Some("en"));
        check("ger", Some("de"));
        check("deu", Some("de"));
        check("de", Some("de"));
        check("FRE", Some("fr"));
        check("pt-BR", Some("pt-BR"));
        check("zh_Hant", Some("zh-Hant"));
        check("gsw", Some("gsw"));
        check("en-\"\n", Some("en"));
        check("../../etc", None);
        check("und", None);
        check("mul", None);
        check("", None);
        check("xx", None);
        check("none", None);
    }

    #[test]
    fn every_bibliographic_code_has_a_name() {
        for (bibliographic, _) in BIBLIOGRAPHIC {
            let tag = tag(bibliographic).unwrap();
            assert_eq!(tag.len(), 2, "{bibliographic}");
            assert!(name(&tag).is_some(), "{bibliographic}");
        }
    }

    #[test]
    fn names_are_plain() {
        let check = |tag: &str, expected: Option<&str>| assert_eq!(name(tag), expected, "{tag}");
        check("de", Some("German"));
        check("pt-BR", Some("Portuguese"));
        check("el", Some("Modern Greek"));
        check("sw", Some("Swahili"));
        check("und", None);
    }
}
