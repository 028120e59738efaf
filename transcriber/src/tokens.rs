//! The model's vocabulary: the numbers of words, languages, times and special tokens, all from the model's files.

use tokenizers::Tokenizer;

use crate::{
    Error, Result,
    model::{folder::Folder, generation::Generation},
};

/// Frames of the spectrogram from one time token to the next: 20 ms.
pub const TIME_FRAMES: u64 = 2;

/// The model's tokens.
#[derive(Debug)]
pub struct Vocabulary {
    tokenizer: Tokenizer,
    /// `<|endoftext|>`; all words lie below it.
    pub end: u32,
    /// `<|startoftranscript|>`.
    pub start: u32,
    /// Codes and their tokens, by code; empty for a model of English alone.
    pub languages: Vec<(String, u32)>,
    /// `<|transcribe|>` and `<|translate|>`, which a model of English alone does without.
    pub tasks: Option<Tasks>,
    /// `<|startofprev|>`, behind which a prompt stands.
    pub previous: Option<u32>,
    /// `<|nospeech|>`.
    pub no_speech: Option<u32>,
    /// `<|notimestamps|>`.
    pub no_times: u32,
    /// `<|0.00|>`; the later times follow.
    pub first_time: u32,
    /// Never written.
    pub suppressed: Vec<u32>,
    /// Never written first.
    pub suppressed_first: Vec<u32>,
    /// The latest time, in tokens, that a window may begin with.
    pub last_first_time: u32,
}

/// The tokens of the tasks.
#[derive(Clone, Copy, Debug)]
pub struct Tasks {
    /// The words in their own language.
    pub transcribe: u32,
    /// The words in English.
    pub translate: u32,
}

impl Vocabulary {
    pub(crate) fn read(folder: &Folder, generation: Generation) -> Result<Self> {
        let file = folder.file("tokenizer.json");
        let wrong = |problem: String| Error::Model { file: file.clone(), problem };
        let tokenizer =
            Tokenizer::from_bytes(folder.read("tokenizer.json")?).map_err(|e| wrong(e.to_string()))?;
        let find = |names: &[&str]| names.iter().find_map(|name| tokenizer.token_to_id(name));
        let need =
            |names: &[&str]| find(names).ok_or_else(|| wrong(format!("the token {} is missing", names[0])));

        let start = need(&["<|startoftranscript|>"])?;
        let end = need(&["<|endoftext|>"])?;
        let no_times = match generation.no_timestamps_token_id {
            Some(id) => id,
            None => need(&["<|notimestamps|>"])?,
        };
        let mut languages: Vec<(String, u32)> = generation.languages().collect();
        languages.sort();
        let task = |name| generation.task_to_id.get(name).copied();
        let tasks = task("transcribe").zip(task("translate"));
        Ok(Self {
            start: generation.decoder_start_token_id.unwrap_or(start),
            end: generation.eos_token_id.unwrap_or(end),
            languages,
            tasks: tasks.map(|(transcribe, translate)| Tasks { transcribe, translate }),
            previous: generation.prev_sot_token_id.or_else(|| find(&["<|startofprev|>"])),
            // OpenAI renamed the token; tokenizers of the first release have the older name.
            no_speech: find(&["<|nospeech|>", "<|nocaptions|>"]),
            no_times,
            // Older exports do not list the times in `tokenizer.json`; by number they follow all the same.
            first_time: no_times + 1,
            suppressed: generation.suppress_tokens.unwrap_or_default(),
            suppressed_first: generation.begin_suppress_tokens.unwrap_or_default(),
            // One second, where the files have none.
            last_first_time: generation.max_initial_timestamp_index.unwrap_or(50),
            tokenizer,
        })
    }

    /// Returns the words of `tokens`; times and special tokens have none.
    pub fn text(&self, tokens: &[u32]) -> Result<String> {
        let words: Vec<u32> = tokens.iter().copied().filter(|token| *token < self.end).collect();
        self.tokenizer.decode(&words, true).map_err(|e| Error::Inference(e.to_string()))
    }

    /// Returns the tokens of a prompt, as a text that came before.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        // Whisper's tokens have the space in front of their word, so OpenAI encodes a prompt with one, too.
        let spaced = format!(" {}", text.trim());
        let encoded =
            self.tokenizer.encode_fast(spaced, false).map_err(|e| Error::Inference(e.to_string()))?;
        Ok(encoded.get_ids().iter().copied().filter(|token| *token < self.end).collect())
    }

    /// Returns the model's code of a language tag, such as `en` of `en-GB`.
    pub fn resolve(&self, tag: &str) -> Result<String> {
        let primary = crate::options::primary(tag);
        // Models of English alone have no language tokens.
        if self.languages.is_empty() && primary == "en" {
            return Ok(primary);
        }
        self.language(&primary).map(|_| primary).map_err(|error| match error {
            Error::Language { known, .. } => Error::Language { given: tag.to_owned(), known },
            other => other,
        })
    }

    /// Returns the token of a language.
    pub fn language(&self, code: &str) -> Result<u32> {
        let code = code.to_owned();
        let primary = code.as_str();
        self.languages.iter().find(|(known, _)| known == primary).map(|(_, token)| *token).ok_or_else(|| {
            let known: Vec<&str> = self.languages.iter().map(|(known, _)| known.as_str()).collect();
            let known = if known.is_empty() { "en".to_owned() } else { known.join(", ") };
            Error::Language { given: code.clone(), known }
        })
    }

    /// Returns the time of a time token, in frames from the window's start.
    pub fn frames(&self, token: u32) -> Option<u64> {
        token.checked_sub(self.first_time).map(|n| u64::from(n) * TIME_FRAMES)
    }
}
