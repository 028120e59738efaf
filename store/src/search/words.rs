//! The words of a search, read from whatever a person types: no text is an error. A text in quotes is looked for as it
//! stands; the last word may be unfinished.

use super::terms::{self, Run};
use crate::sql::Sql;

// Words beyond are not looked for; people who paste a page find what has its beginning.
const MOST_UNITS: usize = 12;
// A single letter begins too many words.
const LEAST_PREFIX: usize = 2;

/// The units of a search: a text has every one, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    units: Vec<Unit>,
}

/// Terms that stand one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unit {
    terms: Vec<String>,
    last_is_prefix: bool,
}

impl Words {
    /// Reads what a person typed.
    pub fn parse(text: &str) -> Self {
        let mut units = Vec::new();
        for (at, part) in text.split(['"', '“', '”', '„', '«', '»']).enumerate() {
            // Every second part is within quotes; a quote that is never closed reaches to the end.
            if at % 2 == 1 {
                let terms: Vec<String> = terms::runs(part).iter().flat_map(Run::wanted).collect();
                units.extend((!terms.is_empty()).then_some(Unit { terms, last_is_prefix: false }));
                continue;
            }
            units.extend(part.split_whitespace().flat_map(loose));
        }
        units.truncate(MOST_UNITS);
        let unfinished = text.chars().next_back().is_some_and(char::is_alphanumeric);
        if let Some(last) = units.last_mut().filter(|_| unfinished && !text.contains('"')) {
            let letters = last.terms.last().map_or(0, |term| term.chars().count());
            last.last_is_prefix |= letters >= LEAST_PREFIX;
        }
        Self { units }
    }

    /// Returns whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns the text by which the index of `sql` finds passages that have `mark`, if any, and all terms, in any order.
    pub(super) fn index_text(&self, sql: &Sql, mark: Option<char>) -> String {
        let shared = sql.is_shared();
        let quote = |term: &str, is_prefix: bool| match (shared, is_prefix) {
            // Terms have no quotes and no backslashes: letters, digits and marks are all there is.
            (true, false) => format!("'{term}'"),
            (true, true) => format!("'{term}':*"),
            (false, false) => format!("\"{term}\""),
            (false, true) => format!("\"{term}\"*"),
        };
        let terms = self.units.iter().flat_map(|unit| {
            let last = unit.terms.len() - 1;
            unit.terms.iter().enumerate().map(move |(at, term)| (term, at == last && unit.last_is_prefix))
        });
        let mark = mark.map(|mark| quote(&mark.to_string(), false));
        let all: Vec<String> =
            mark.into_iter().chain(terms.map(|(term, prefix)| quote(term, prefix))).collect();
        all.join(if shared { " & " } else { " AND " })
    }

    /// Returns a pattern for each unit, of which `like` sees that its terms stand one behind the other; places that are
    /// left take any passage.
    pub(super) fn patterns(&self) -> [String; MOST_UNITS] {
        std::array::from_fn(|at| match self.units.get(at) {
            Some(Unit { terms, last_is_prefix: true }) => format!("% {}%", terms.join(" ")),
            Some(Unit { terms, last_is_prefix: false }) => format!("% {} %", terms.join(" ")),
            None => "%".to_owned(),
        })
    }
}

/// Reads a part between blanks. Its words stand together, as in `l'été`; at a change of script they need not.
fn loose(part: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut in_word = false;
    for run in terms::runs(part) {
        match (&run, units.last_mut().filter(|_| in_word)) {
            (Run::Word(word), Some(unit)) => unit.terms.push(word.clone()),
            _ => units.push(Unit {
                terms: run.wanted(),
                // A character alone begins pairs.
                last_is_prefix: matches!(&run, Run::Unspaced(run) if run.len() == 1),
            }),
        }
        in_word = matches!(run, Run::Word(_));
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Vec<String> {
        Words::parse(text).patterns().into_iter().filter(|it| it != "%").collect()
    }

    #[test]
    fn what_people_type_is_read_without_errors() {
        for (text, expected) in [
            ("", &[][..]),
            ("?! -", &[]),
            ("dunes", &["% dunes%"]),
            ("dunes ", &["% dunes %"]),
            ("the Dünes x", &["% the %", "% dunes %", "% x %"]),
            ("l'été ", &["% l ete %"]),
            ("\"at dawn\" dunes ", &["% at dawn %", "% dunes %"]),
            ("\"at dawn", &["% at dawn %"]),
            ("東京", &["% 東京%"]),
            ("京", &["% 京%"]),
            ("iphone15発売 ", &["% iphone15 %", "% 発売 %"]),
            ("' or 1=1 -- ", &["% or %", "% 1 1 %"]),
            ("NEAR(a b) NOT * ", &["% near a %", "% b %", "% not %"]),
        ] {
            assert_eq!(patterns(text), expected, "{text:?}");
        }
        assert_eq!(patterns(&"x ".repeat(1000)).len(), MOST_UNITS);
        assert!(Words::parse("%_\\").is_empty());
    }
}
