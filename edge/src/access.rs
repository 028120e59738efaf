//! The right to play: the ticket in the path is verified on every request, hits included, and goes no further: an origin's
//! log should not have it.

use std::{borrow::Cow, time::SystemTime};

use server::ticket::{self, Keys, Refusal, Ticket};

use crate::key;

/// The rule for playing.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// No ticket is needed. A path with a ticket is refused: there are no keys to verify it with.
    #[default]
    Open,
    /// No ticket is needed; one in the path must be valid.
    Verified(Keys),
    /// A valid ticket is needed below `/v/`.
    Required(Keys),
}

impl Access {
    /// Checks a request's path. Returns the path that its ticket opens, when there is one.
    pub(crate) fn check<'a>(
        &self,
        path: &'a str,
        now: impl FnOnce() -> SystemTime,
    ) -> Result<Option<Cow<'a, str>>, Refusal> {
        let Some((text, opened)) = ticket::split(path) else {
            return match self {
                // The path as it will be asked for, else a second spelling would go around the ticket.
                Self::Required(_) if key::normal_path(path).is_none_or(|path| path.starts_with("/v/")) => {
                    Err(Refusal::BadSignature)
                }
                _ => Ok(None),
            };
        };
        let opened = key::normal_path(opened).ok_or(Refusal::WrongVideo)?;
        match self {
            Self::Open => Err(Refusal::BadSignature),
            Self::Verified(keys) | Self::Required(keys) => {
                let ticket: Ticket = text.parse()?;
                keys.verify(&ticket, &opened, now())?;
                Ok(Some(opened))
            }
        }
    }
}
