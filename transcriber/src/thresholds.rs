//! OpenAI's thresholds on a decoding, as its `transcribe` applies them: a result that looks wrong is decoded again at
//! the next temperature, and one that is silence has no words.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use crate::{decode::DecodingResult, options::Options};

/// The verdict on a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It loops, or the model is unsure of its words.
    Retry,
    /// It is taken.
    Accept,
}

/// Judges a result whose text compresses by `ratio`.
pub(crate) fn judge(result: &DecodingResult, ratio: f32, options: &Options) -> Verdict {
    let loops = ratio > options.compression_ratio_most;
    let unsure = result.avg_logprob < options.avg_logprob_least;
    // Unsure because nobody speaks: another temperature would not find words either.
    let silent = unsure && result.no_speech > options.no_speech_most;
    if (loops || unsure) && !silent { Verdict::Retry } else { Verdict::Accept }
}

/// Returns whether nobody speaks. A model that is sure of its words outweighs its own probability of silence.
pub(crate) fn is_silence(result: &DecodingResult, options: &Options) -> bool {
    result.no_speech > options.no_speech_most && result.avg_logprob <= options.avg_logprob_least
}

/// Returns how much shorter zlib makes a text.
pub(crate) fn compression_ratio(text: &str) -> f32 {
    // OpenAI's `utils.py` takes zlib at its default level and bytes of UTF-8;
    // another codec would shift the threshold of 2.4.
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    packed.map_or(1.0, |packed| text.len() as f32 / packed.len().max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::Attention;

    fn result(avg_logprob: f32, no_speech: f32) -> DecodingResult {
        DecodingResult {
            tokens: vec![],
            probabilities: vec![],
            avg_logprob,
            no_speech,
            attention: Attention::default(),
        }
    }

    #[test]
    fn a_result_that_loops_or_is_unsure_is_decoded_again_unless_nobody_speaks() {
        let check = |(avg_logprob, no_speech, ratio), expected| {
            let verdict = judge(&result(avg_logprob, no_speech), ratio, &Options::default());
            assert_eq!(verdict, expected, "{avg_logprob} {no_speech} {ratio}");
        };
        check((-0.3, 0.1, 1.5), Verdict::Accept);
        check((-1.0, 0.1, 2.4), Verdict::Accept);
        check((-1.1, 0.1, 1.5), Verdict::Retry);
        check((-0.3, 0.1, 2.5), Verdict::Retry);
        // Sure of a loop in silence: still a loop.
        check((-0.3, 0.9, 2.5), Verdict::Retry);
        check((-1.1, 0.6, 1.5), Verdict::Retry);
        check((-1.1, 0.7, 1.5), Verdict::Accept);
        check((-1.1, 0.7, 2.5), Verdict::Accept);
    }

    #[test]
    fn silence_is_where_nobody_speaks_and_no_word_is_sure() {
        let check = |(avg_logprob, no_speech), expected| {
            let silent = is_silence(&result(avg_logprob, no_speech), &Options::default());
            assert_eq!(silent, expected, "{avg_logprob} {no_speech}");
        };
        check((-0.9, 0.9), false);
        check((-1.0, 0.9), true);
        check((-2.0, 0.6), false);
        check((-2.0, 0.7), true);
    }

    #[test]
    fn a_loop_compresses_too_well() {
        assert!(compression_ratio(&"thank you ".repeat(30)) > 2.4);
        assert!(compression_ratio("The small yellow bird finds my paper near the river today.") < 2.4);
    }
}
