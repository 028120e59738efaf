//! In charge of what the model may write next: suppressed tokens, and Whisper's rules of time tokens (pairs, never
//! backwards, a time at the start, a time wherever times together are likelier than any word).

use crate::{
    scores::{highest, log_sum_exp},
    tokens::Vocabulary,
};

/// What an answer must keep to.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    /// Whether times are written.
    pub(crate) times: bool,
}

impl Rules<'_> {
    /// Takes from `scores`, one for each token, what may not follow `written`.
    pub(crate) fn apply(&self, written: &[u32], scores: &mut [f32]) {
        let v = self.vocabulary;
        for token in &v.suppressed {
            forbid(scores, *token..token + 1);
        }
        if written.is_empty() {
            for token in &v.suppressed_first {
                forbid(scores, *token..token + 1);
            }
        }
        if self.times {
            self.keep_time(written, scores);
        } else {
            // Else some models write times though told not to.
            forbid(scores, v.first_time..u32::MAX);
            forbid(scores, v.no_times..v.first_time);
        }
    }

    fn keep_time(&self, written: &[u32], scores: &mut [f32]) {
        let v = self.vocabulary;
        let is_time = |token: &u32| *token >= v.first_time;
        forbid(scores, v.no_times..v.first_time);

        let after_time = written.last().is_some_and(is_time);
        let after_pair = after_time && (written.len() < 2 || is_time(&written[written.len() - 2]));
        if after_pair {
            forbid(scores, v.first_time..u32::MAX);
        } else if after_time {
            // A segment's end: the next one's start follows, or the answer's end.
            forbid(scores, 0..v.end);
        }
        if let Some(last) = written.iter().rev().find(|token| is_time(token)) {
            // A segment may begin where the one before ends, but is never empty, so that the answer ends some time.
            let least = if after_time && !after_pair { *last } else { last + 1 };
            forbid(scores, v.first_time..least);
        }
        if written.is_empty() {
            forbid(scores, 0..v.first_time);
            forbid(scores, v.first_time + v.last_first_time + 1..u32::MAX);
        }
        let (words, times) = scores.split_at(v.first_time as usize);
        if log_sum_exp(times) > highest(words) {
            forbid(scores, 0..v.first_time);
        }
    }
}

fn forbid(scores: &mut [f32], tokens: std::ops::Range<u32>) {
    let end = scores.len().min(tokens.end as usize);
    let start = end.min(tokens.start as usize);
    scores[start..end].fill(f32::NEG_INFINITY);
}
