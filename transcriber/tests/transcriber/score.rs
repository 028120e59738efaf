//! A track's score against the truth of its sound: wrong words, sentences without one, words outside of speech, and how
//! far cues begin and end from their sentences. Times in seconds.

use std::path::Path;

use captions::Track;

use crate::harness::words;

/// A sentence of the truth.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Spoken(
    pub(crate) f64,
    pub(crate) f64,
    pub(crate) String,
    #[expect(dead_code, reason = "its voice")] String,
);

/// Returns the sentences that are spoken in a sound.
pub(crate) fn truth(folder: &Path, name: &str) -> Vec<Spoken> {
    serde_json::from_slice(&std::fs::read(folder.join(format!("sounds/{name}.json"))).unwrap()).unwrap()
}

/// The score.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) wrong_percent: f64,
    /// Sentences of which no word was written.
    pub(crate) unwritten: Vec<String>,
    /// Cues over no sentence.
    pub(crate) outside: Vec<String>,
    /// Errors of the cues that begin with a sentence's first word, and of those that end with its last one, from the
    /// least to the most.
    pub(crate) starts: Vec<f64>,
    pub(crate) ends: Vec<f64>,
}

impl Score {
    pub(crate) fn of(truth: &[Spoken], track: &Track) -> Self {
        let spoken = numbered(truth.iter().map(|sentence| sentence.2.as_str()));
        let written = numbered(track.cues.iter().map(|cue| cue.text.as_str()));
        let (wrong, pairs) = align(&spoken, &written);
        let begins = |all: &[(usize, String)], n: usize| n == 0 || all[n - 1].0 != all[n].0;
        let ends_there = |all: &[(usize, String)], n: usize| n + 1 == all.len() || all[n + 1].0 != all[n].0;
        let mut found = vec![false; truth.len()];
        let (mut starts, mut ends) = (vec![], vec![]);
        for (s, w) in pairs {
            let (sentence, cue) = (&truth[spoken[s].0], &track.cues[written[w].0]);
            found[spoken[s].0] = true;
            if begins(&spoken, s) && begins(&written, w) {
                starts.push((cue.start.as_secs_f64() - sentence.0).abs());
            }
            if ends_there(&spoken, s) && ends_there(&written, w) {
                ends.push((cue.end.as_secs_f64() - sentence.1).abs());
            }
        }
        starts.sort_by(f64::total_cmp);
        ends.sort_by(f64::total_cmp);
        let outside = track.cues.iter().filter(|cue| {
            let (start, end) = (cue.start.as_secs_f64(), cue.end.as_secs_f64());
            !truth.iter().any(|sentence| sentence.0 < end && start < sentence.1)
        });
        Self {
            wrong_percent: wrong as f64 / spoken.len() as f64 * 100.0,
            unwritten: truth
                .iter()
                .zip(found)
                .filter(|(_, found)| !found)
                .map(|(s, _)| s.2.clone())
                .collect(),
            outside: outside.map(|cue| format!("{:?} {}", cue.start, cue.text.as_str())).collect(),
            starts,
            ends,
        }
    }

    /// Returns the figures in a line.
    pub(crate) fn line(&self) -> String {
        let Self { wrong_percent, unwritten, outside, starts, ends } = self;
        let of = |errors: &[f64]| {
            format!(
                "median {:.2} s, 95 % {:.2} s, of {}",
                share(errors, 0.5),
                share(errors, 0.95),
                errors.len()
            )
        };
        format!(
            "{wrong_percent:.2} % wrong; {} sentences without a word, {} cues outside of speech; starts {}; ends {}",
            unwritten.len(),
            outside.len(),
            of(starts),
            of(ends)
        )
    }
}

/// Returns the error that a `share` of all keeps to.
pub(crate) fn share(errors: &[f64], share: f64) -> f64 {
    errors
        .get(((errors.len() as f64 * share) as usize).min(errors.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// Returns the words of texts, each with its text's number.
fn numbered<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(usize, String)> {
    texts.enumerate().flat_map(|(n, text)| spelled(text).into_iter().map(move |word| (n, word))).collect()
}

/// Returns a text's words in one spelling: hyphens, titles and small numbers are a matter of taste.
fn spelled(text: &str) -> Vec<String> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    let spell = |word: String| -> Vec<String> {
        match (word.as_str(), word.parse::<usize>()) {
            ("mr", _) => vec!["mister".into()],
            ("dr", _) => vec!["doctor".into()],
            (_, Ok(n)) if n < SMALL.len() => vec![SMALL[n].into()],
            (_, Ok(n)) if n % 100 == 0 && n / 100 < SMALL.len() => {
                vec![SMALL[n / 100].into(), "hundred".into()]
            }
            _ => vec![word],
        }
    };
    words(&text.replace('-', " ")).into_iter().flat_map(spell).collect()
}

/// Returns how many words are wrong, and the places of those that are equal in both.
fn align(spoken: &[(usize, String)], written: &[(usize, String)]) -> (usize, Vec<(usize, usize)>) {
    let mut costs = vec![vec![0; written.len() + 1]; spoken.len() + 1];
    costs[0] = (0..=written.len()).collect();
    for s in 1..=spoken.len() {
        costs[s][0] = s;
        for w in 1..=written.len() {
            let changed = costs[s - 1][w - 1] + usize::from(spoken[s - 1].1 != written[w - 1].1);
            costs[s][w] = changed.min(costs[s - 1][w] + 1).min(costs[s][w - 1] + 1);
        }
    }
    let (mut s, mut w, mut pairs) = (spoken.len(), written.len(), vec![]);
    while s > 0 && w > 0 {
        let equal = spoken[s - 1].1 == written[w - 1].1;
        if costs[s][w] == costs[s - 1][w - 1] + usize::from(!equal) {
            (s, w) = (s - 1, w - 1);
            if equal {
                pairs.push((s, w));
            }
        } else if costs[s][w] == costs[s - 1][w] + 1 {
            s -= 1;
        } else {
            w -= 1;
        }
    }
    pairs.reverse();
    (costs[spoken.len()][written.len()], pairs)
}
