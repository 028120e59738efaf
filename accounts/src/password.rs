//! Passwords: the rules for new ones, and their Argon2id hashes, of which few are made at once.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use http::StatusCode;
use server::Problem;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::{
    Error, Result,
    error::{forbidden, unprocessable},
};

// NIST SP 800-63B §5.1.1.2 asks for eight characters at least, room for sixty-four, and no rules on their kinds.
const LEAST: usize = 8;
const MOST: usize = 128;
// Requests that wait for a hash; further ones are 503 at once.
const WAITING: usize = 64;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").split_whitespace().collect());

/// The cost of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Hashing {
    // OWASP's least for Argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// The maker of hashes: a handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    hashing: Hashing,
    admitted: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

/// The outcome of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The password is right.
    Right,
    /// It is right, and its hash is weaker than those that are made now: this one is not.
    RightWith(String),
    /// It is wrong, or there is no account.
    Wrong,
}

/// Reads a new password. Any character may be in it, and no kind of them must.
pub(crate) fn accept(text: &str) -> Result<String> {
    let password = normal(text);
    let length = password.chars().count();
    if length < LEAST {
        return Err(unprocessable(
            "password_too_short",
            format!("A password has at least {LEAST} characters."),
        ));
    }
    if length > MOST {
        return Err(unprocessable("password_too_long", format!("A password has at most {MOST} characters.")));
    }
    if COMMON.contains(password.to_lowercase().as_str()) {
        let detail = "This password is among those that are tried first; choose another.";
        return Err(unprocessable("password_too_common", detail));
    }
    Ok(password)
}

/// Returns the form of a password that is hashed: keyboards write one letter in several ways.
fn normal(text: &str) -> String {
    text.nfc().collect()
}

impl Passwords {
    /// Makes hashes of this cost.
    pub fn new(hashing: Hashing) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            hashing,
            admitted: Arc::new(Semaphore::new(cores + WAITING)),
            at_work: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: String) -> Result<String> {
        let hashing = self.hashing;
        self.work(move || hashing.hash(&password)).await
    }

    /// Compares a password with a stored hash; without one it takes as long.
    pub(crate) async fn compare(&self, password: &str, stored: Option<&str>) -> Result<Verdict> {
        let password = normal(password);
        if password.chars().count() > MOST {
            // No account has such a password, so the haste tells nothing.
            return Ok(Verdict::Wrong);
        }
        let (hashing, stored) = (self.hashing, stored.map(str::to_owned));
        self.work(move || {
            let Some(stored) = stored else {
                // Made anew instead of verified: the same work, with nothing to compare.
                hashing.hash(&password)?;
                return Ok(Verdict::Wrong);
            };
            let parsed = PasswordHash::new(&stored).map_err(|e| Error::Hash(e.to_string()))?;
            if Argon2::default().verify_password(password.as_bytes(), &parsed).is_err() {
                return Ok(Verdict::Wrong);
            }
            if hashing.is_met_by(&parsed) {
                return Ok(Verdict::Right);
            }
            Ok(Verdict::RightWith(hashing.hash(&password)?))
        })
        .await
    }

    /// Compares the password of a person who is signed in already.
    pub(crate) async fn confirm(&self, password: &str, stored: &str) -> Result<()> {
        match self.compare(password, Some(stored)).await? {
            Verdict::Right | Verdict::RightWith(_) => Ok(()),
            Verdict::Wrong => Err(forbidden("wrong_password", "The current password is another one.")),
        }
    }

    /// Does the work of a hash on a thread of its own: at most one a core, since each takes a core and its memory for tens of
    /// milliseconds.
    async fn work<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let Ok(_admitted) = self.admitted.clone().try_acquire_owned() else { return Err(busy()) };
        let Ok(Ok(at_work)) = tokio::time::timeout(LONGEST_WAIT, self.at_work.clone().acquire_owned()).await
        else {
            return Err(busy());
        };
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work and not by the request, whose client may go away.
            let _at_work = at_work;
            work()
        });
        done.await.map_err(|e| Error::Hash(e.to_string()))?
    }
}

impl Hashing {
    fn hash(self, password: &str) -> Result<String> {
        let params = Params::new(self.memory_kib, self.passes, 1, None);
        let params = params.map_err(|e| Error::Hash(e.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash =
            argon2.hash_password(password.as_bytes()).map_err(|e| Error::Hash(e.to_string()))?;
        Ok(hash.to_string())
    }

    fn is_met_by(self, stored: &PasswordHash) -> bool {
        Params::try_from(stored).is_ok_and(|params| {
            params.m_cost() >= self.memory_kib && params.t_cost() >= self.passes && params.p_cost() == 1
        })
    }
}

fn busy() -> Error {
    let detail = "Too many people sign in at this moment; try again in a few seconds.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(3).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Hashing = Hashing { memory_kib: 64, passes: 1 };

    fn code(text: &str) -> String {
        match accept(text) {
            Err(Error::Refused(problem)) => problem.code().to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_new_password_is_long_enough_and_not_among_the_common_ones() {
        for text in [
            "correct horse",
            "        ",
            "\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}",
        ] {
            assert!(accept(text).is_ok(), "{text}");
        }
        assert!(accept(&"x".repeat(128)).is_ok());
        assert_eq!(code("seven 7"), "password_too_short");
        assert_eq!(code(&"x".repeat(129)), "password_too_long");
        for common in ["password1", "PASSWORD1", "12345678", "qwertyuiop", "iloveyou"] {
            assert_eq!(code(common), "password_too_common", "{common}");
        }
        assert!(COMMON.len() > 300 && COMMON.iter().all(|one| (LEAST..=MOST).contains(&one.len())));
    }

    #[tokio::test]
    async fn a_password_is_right_in_either_form_of_its_letters_and_hashes_differ() {
        let passwords = Passwords::new(LIGHT);
        let hash = passwords.hash(accept("Zo\u{eb} likes films").unwrap()).await.unwrap();
        assert_ne!(hash, passwords.hash(accept("Zo\u{eb} likes films").unwrap()).await.unwrap());
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_eq!(passwords.compare("Zoe\u{308} likes films", Some(&hash)).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.compare("zoe likes films", Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.compare("Zo\u{eb} likes films", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_less_cost_is_made_again_and_one_of_more_stays() {
        let (light, strong) = (Passwords::new(LIGHT), Passwords::new(Hashing { memory_kib: 64, passes: 2 }));
        let hash = light.hash("correct horse".to_owned()).await.unwrap();
        let Verdict::RightWith(stronger) = strong.compare("correct horse", Some(&hash)).await.unwrap() else {
            panic!("a weak hash stays");
        };
        assert!(stronger.contains("t=2"), "{stronger}");
        assert_eq!(light.compare("correct horse", Some(&stronger)).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn hashes_beyond_those_that_may_wait_are_refused_at_once() {
        let passwords = Passwords::new(LIGHT);
        let all = passwords.admitted.available_permits() as u32;
        let _held = passwords.admitted.clone().acquire_many_owned(all).await.unwrap();
        assert!(matches!(passwords.hash("correct horse".to_owned()).await, Err(Error::Refused(_))));
    }
}
