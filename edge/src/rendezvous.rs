//! The owner of a key in a group, by rendezvous hashing: a member that comes or goes moves only its own keys. Pure, and the
//! same in every process, so that edges agree without talking.

use sha2::{Digest, Sha256};

/// Returns the index of the member that `key` belongs to.
pub(crate) fn owner<'a>(members: impl IntoIterator<Item = &'a str>, key: &str) -> Option<usize> {
    let scores = members.into_iter().enumerate().map(|(index, member)| (score(member, key), index));
    scores.max().map(|(_, index)| index)
}

fn score(member: &str, key: &str) -> [u8; 16] {
    // The zero parts address and key, so that no two pairs make one text.
    let hash = Sha256::new().chain_update(member).chain_update([0]).chain_update(key).finalize();
    let mut score = [0; 16];
    score.copy_from_slice(&hash[..16]);
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 4] = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];

    fn keys() -> impl Iterator<Item = String> {
        (0..1000).map(|n| format!("http://h/v/x/720p/{n}.m4s"))
    }

    #[test]
    fn keys_are_shared_out_evenly() {
        let mut counts = [0; 4];
        for key in keys() {
            counts[owner(ALL, &key).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (180..320).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_member_that_goes_moves_only_its_own_keys() {
        for key in keys() {
            let before = ALL[owner(ALL, &key).unwrap()];
            let left = &ALL[..3];
            let after = left[owner(left.iter().copied(), &key).unwrap()];
            assert!(before == after || before == ALL[3], "{key}");
        }
        assert_eq!(owner([], "key"), None);
    }
}
