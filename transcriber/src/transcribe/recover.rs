//! Speech that a window has no words for is decoded again: OpenAI's loop skips it behind a single time token, and where
//! the model drops or stretches a sentence.

use std::ops::Range;

use captions::Spoken;

use super::{Transcriber, Window};
use crate::{
    Result, coverage,
    mel::{frame, time},
};

// Frames in front of speech that is decoded again: a first word without its onset is misheard.
const LEAD: u64 = 20;
// Where the first result has no words, likelier ones than the likeliest may.
const WARMER: [f32; 2] = [0.4, 0.8];

impl Transcriber<'_> {
    /// Cuts `window` in front of the first speech that it has no words for, so that the next window begins there. Where
    /// it begins with such speech itself, that is decoded alone, with silence around it: another place in the window
    /// and no other voices often give the words. Speech that stays without words is noted.
    pub(super) fn recover(&mut self, window: &mut Window) -> Result<()> {
        self.cut_stretched(window)?;
        let sentences: Vec<Range<u64>> = window.spoken.iter().map(range).collect();
        for gap in coverage::gaps(&self.analysis.certain, &(self.at..window.next), &sentences) {
            let before = sentences.iter().filter(|sentence| sentence.start < gap.start).count();
            if before > 0 {
                window.spoken.truncate(before);
                let floor = sentences[before - 1].end.min(gap.start);
                // Two frames are one time token: a window that ends where it begins would be decoded without end.
                window.next = gap.start.saturating_sub(LEAD).max(floor).max(self.at + 2);
                return Ok(());
            }
            // A span goes on behind the window's end.
            let certain = coverage::frames(&self.analysis.certain, &(gap.start..self.end));
            let end = certain.iter().find(|span| span.end >= gap.end).map_or(gap.end, |span| span.end);
            let most = gap.start + self.model.shape.frames as u64 - 2 * LEAD;
            let alone = gap.start..end.min(most);
            let (found, used) = self.decode_alone(&alone)?;
            if found.is_empty() {
                window.wordless.push((gap.start, gap.end));
                continue;
            }
            let last = found.last().map_or(gap.start, |last| range(last).end);
            let ranges: Vec<Range<u64>> = found.iter().map(range).collect();
            let left = coverage::gaps(&self.analysis.certain, &alone, &ranges);
            // Words for a part of it: the next window begins with the rest.
            let rest =
                left.iter().find(|left| left.start > gap.start).map(|left| left.start - LEAD.min(left.start));
            window.spoken = found;
            window.next = (self.at + 2).max(last);
            match rest {
                Some(rest) if rest > last => window.next = window.next.max(rest),
                Some(_) => {}
                None => window.next = window.next.max(used.min(alone.end)),
            }
            return Ok(());
        }
        Ok(())
    }

    /// Ends a sentence that is stretched over the speech of others at its probable end, if there are other words behind.
    fn cut_stretched(&mut self, window: &mut Window) -> Result<()> {
        for n in 0..window.spoken.len() {
            let sentence = range(&window.spoken[n]);
            let text = &window.spoken[n].text;
            let Some(end) = coverage::probable_end(&self.analysis.certain, &sentence, text) else { continue };
            let words = letters(text);
            let rest = coverage::frames(&self.analysis.certain, &(end..sentence.end));
            let Some(first) = rest.first() else { continue };
            let (found, _) = self.decode_alone(&(first.start..sentence.end))?;
            let more: String = found.iter().map(|spoken| letters(&spoken.text)).collect();
            // A slow speaker: the words behind are its own last ones.
            if more.is_empty() || words.ends_with(&more) {
                continue;
            }
            window.spoken.truncate(n + 1);
            let spoken = &mut window.spoken[n];
            spoken.end = time(end);
            if self.model.alignment_heads.is_empty() {
                spoken.words.clear();
            }
            for word in &mut spoken.words {
                (word.start, word.end) = (word.start.min(time(end)), word.end.min(time(end)));
            }
            window.next = first.start.saturating_sub(LEAD).max(end);
            return Ok(());
        }
        Ok(())
    }

    /// Decodes a stretch of speech with silence around it. Returns its sentences, if the model is sure of them, and the
    /// frame up to which they go.
    fn decode_alone(&mut self, speech: &Range<u64>) -> Result<(Vec<Spoken>, u64)> {
        let from = speech.start.saturating_sub(LEAD).max(self.at);
        let filled = (speech.end + LEAD).min(self.end).saturating_sub(from);
        let temperatures = self.options.temperatures.clone();
        for temperatures in [temperatures.as_slice(), &WARMER] {
            let (found, used) = self.decode_at(from, filled, temperatures)?;
            let sure = found.iter().all(|spoken| {
                spoken.avg_logprob >= self.options.avg_logprob_least
                    && spoken.compression_ratio <= self.options.compression_ratio_most
            });
            if !found.is_empty() && sure {
                return Ok((found, from + used));
            }
        }
        Ok((vec![], speech.end))
    }
}

fn range(spoken: &Spoken) -> Range<u64> {
    frame(spoken.start)..frame(spoken.end)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
