//! The part of `generation_config.json` that is about tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The part of `generation_config.json` that is about tokens.
#[derive(Debug, Default, Deserialize)]
// Models of English alone have no languages and tasks, and older exports no alignment heads.
#[serde(default)]
pub(crate) struct Generation {
    pub(crate) decoder_start_token_id: Option<u32>,
    pub(crate) eos_token_id: Option<u32>,
    pub(crate) no_timestamps_token_id: Option<u32>,
    pub(crate) prev_sot_token_id: Option<u32>,
    pub(crate) lang_to_id: BTreeMap<String, u32>,
    pub(crate) task_to_id: BTreeMap<String, u32>,
    pub(crate) suppress_tokens: Option<Vec<u32>>,
    pub(crate) begin_suppress_tokens: Option<Vec<u32>>,
    pub(crate) max_initial_timestamp_index: Option<u32>,
    /// Layers and their heads.
    pub(crate) alignment_heads: Option<Vec<(usize, usize)>>,
}

impl Generation {
    /// Returns the codes of the languages, and their tokens.
    pub(crate) fn languages(&self) -> impl Iterator<Item = (String, u32)> {
        self.lang_to_id.iter().map(|(sign, token)| (sign.trim_matches(['<', '|', '>']).to_owned(), *token))
    }
}
