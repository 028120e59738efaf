//! The names of videos, of their caption tracks and of people.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::sql::{FromRow, Row};

// Crockford's base 32 in lower case: no i, l, o, u, so that ids can be read aloud and spell nothing.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 16;

/// The name of a video: 16 characters, 80 random bits, so that it cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VideoId(String);

/// The name of a caption track, unique among those of all videos.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaptionId(String);

/// A text that is not the name of a video.
#[derive(Debug, thiserror::Error)]
#[error("not a video id: 16 characters of 0-9 and a-z without i, l, o, u are expected")]
pub struct NotAnId;

/// A text that is not the name of a caption track.
#[derive(Debug, thiserror::Error)]
#[error("not a caption track's id: up to 64 characters of 0-9, a-z and - are expected")]
pub struct NotACaptionId;

/// The name of a person's account: 16 characters, 80 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Makes a new random id.
    pub fn random() -> Self {
        Self(random())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for UserId {
    // Any text: an id that no account has finds none.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CaptionId {
    /// Makes a new random id.
    pub fn random() -> Self {
        Self(random())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of_row(row: &Row, column: &str) -> sqlx::Result<Self> {
        let text: String = row.try_get(column)?;
        text.parse().map_err(|e| sqlx::Error::Decode(Box::new(e)))
    }
}

impl FromStr for CaptionId {
    type Err = NotACaptionId;

    fn from_str(text: &str) -> Result<Self, NotACaptionId> {
        // Longer than those made here: tracks of libraries from before have the video's id in theirs.
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NotACaptionId) }
    }
}

impl TryFrom<String> for CaptionId {
    type Error = NotACaptionId;

    fn try_from(text: String) -> Result<Self, NotACaptionId> {
        text.parse()
    }
}

impl From<CaptionId> for String {
    fn from(id: CaptionId) -> Self {
        id.0
    }
}

impl fmt::Display for CaptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a name that cannot be guessed.
pub(crate) fn random() -> String {
    // rand's thread generator is made for secrets (ChaCha, seeded by the system), so no id can be guessed from earlier ones.
    (0..LENGTH).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}

impl VideoId {
    /// Makes a new random id.
    pub fn random() -> Self {
        Self(random())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the id in a column of a row.
    pub(crate) fn of_row(row: &Row, column: &str) -> sqlx::Result<Self> {
        let text: String = row.try_get(column)?;
        text.parse().map_err(|e| sqlx::Error::Decode(Box::new(e)))
    }

    /// Writes `ids` as a JSON list, which a statement reads by `json_each`.
    pub(crate) fn list<'a>(ids: impl IntoIterator<Item = &'a Self>) -> String {
        // An id is letters and digits: there is nothing in it to escape.
        let ids: Vec<String> = ids.into_iter().map(|id| format!("\"{id}\"")).collect();
        format!("[{}]", ids.join(","))
    }

    /// Returns the key below which the video's playlists and segments lie.
    pub fn folder(&self) -> String {
        format!("videos/{self}")
    }

    /// Returns the key of the uploaded file.
    pub fn source(&self) -> String {
        format!("sources/{self}")
    }
}

impl FromRow for VideoId {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Self::of_row(row, "video_id")
    }
}

impl FromStr for VideoId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() == LENGTH && text.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId)
        }
    }
}

impl TryFrom<String> for VideoId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<VideoId> for String {
    fn from(id: VideoId) -> Self {
        id.0
    }
}

impl fmt::Display for VideoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_read_back_and_differ() {
        let (a, b) = (VideoId::random(), VideoId::random());
        assert_ne!(a, b);
        assert_eq!(a.as_str().parse::<VideoId>().unwrap(), a);
    }

    #[test]
    fn paths_and_lookalikes_are_no_ids() {
        for text in ["", "../../etc/passwd", "0123456789abcdei", "0123456789ABCDEF", "0123456789abcdef0"] {
            assert!(text.parse::<VideoId>().is_err(), "{text}");
        }
    }
}
