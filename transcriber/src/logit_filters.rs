//! The filters of logits before a token is chosen: suppressed tokens, and Whisper's rules of time tokens (pairs, never
//! backwards, a time at the start, a time wherever times together are likelier than any word).

use crate::{
    logits::{highest, log_sum_exp},
    tokens::Vocabulary,
};

/// The filters of one decoding.
#[derive(Debug)]
pub(crate) struct LogitFilters<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    /// Whether times are written.
    pub(crate) times: bool,
}

impl LogitFilters<'_> {
    /// Sets the logits of tokens that may not follow `written` to −∞.
    pub(crate) fn apply(&self, written: &[u32], logits: &mut [f32]) {
        let v = self.vocabulary;
        for token in &v.suppressed {
            forbid(logits, *token..token + 1);
        }
        // OpenAI's `SuppressBlank`: neither a space nor the end may come first.
        if written.is_empty() {
            for token in &v.suppressed_first {
                forbid(logits, *token..token + 1);
            }
        }
        if self.times {
            self.keep_time(written, logits);
        } else {
            // Some models write times behind `<\|notimestamps\|>` too.
            forbid(logits, v.first_time..u32::MAX);
            forbid(logits, v.no_times..v.first_time);
        }
    }

    fn keep_time(&self, written: &[u32], logits: &mut [f32]) {
        let v = self.vocabulary;
        let is_time = |token: &u32| *token >= v.first_time;
        // `<|notimestamps|>` is the prompt's choice and never the model's.
        forbid(logits, v.no_times..v.first_time);

        // OpenAI's `ApplyTimestampRules`: times come in pairs, except right before the end.
        let after_time = written.last().is_some_and(is_time);
        let after_pair = after_time && (written.len() < 2 || is_time(&written[written.len() - 2]));
        if after_pair {
            forbid(logits, v.first_time..u32::MAX);
        } else if after_time {
            // A segment's end: the next one's start follows, or the answer's end.
            forbid(logits, 0..v.end);
        }
        if let Some(last) = written.iter().rev().find(|token| is_time(token)) {
            // A segment may begin where the one before ends, but is never empty, so that the answer ends some time.
            let least = if after_time && !after_pair { *last } else { last + 1 };
            forbid(logits, v.first_time..least);
        }
        if written.is_empty() {
            forbid(logits, 0..v.first_time);
            forbid(logits, v.first_time + v.last_first_time + 1..u32::MAX);
        }
        let (words, times) = logits.split_at(v.first_time as usize);
        if log_sum_exp(times) > highest(words) {
            forbid(logits, 0..v.first_time);
        }
    }
}

fn forbid(logits: &mut [f32], tokens: std::ops::Range<u32>) {
    let end = logits.len().min(tokens.end as usize);
    let start = end.min(tokens.start as usize);
    logits[start..end].fill(f32::NEG_INFINITY);
}
