//! Files by the sizes that their boxes and chunks state: MP4, MOV and AVI.

use std::{collections::BTreeMap, ops::Range};

use super::{Start, search, signatures};
use crate::{Result, index, source::Bytes};

/// A fragmented film of twelve hours has two boxes a second.
const MOST_BOXES: usize = 200_000;

/// Returns where MP4's and MOV's first box stands, which is the file's own type (ISO/IEC 14496-12 §4.3.1), where fragments
/// begin again, and where files begin behind the last box.
pub(super) async fn starts(source: Bytes<'_>) -> Result<Vec<Start>> {
    let len = source.len().await?;
    let (mut at, mut starts) = (0, Vec::new());
    let mut fragments = Fragments::default();
    for _ in 0..MOST_BOXES {
        if at >= len {
            return Ok(starts);
        }
        let head = source.read_at(at..at + signatures::HEAD).await?;
        match signatures::begins_file(&head) {
            Some("mov") => {
                starts.push(Start::of(at, "mov"));
                fragments = Fragments { begins: at, ..Fragments::default() };
            }
            Some(_) => return behind(source, at, starts).await,
            None => {}
        }
        // Behind the last whole box is an end that was cut off, or no box.
        let Some((kind, body)) = index::body(&head, at, len) else {
            return behind(source, at, starts).await;
        };
        if let Some(initialization) = fragments.again(kind, at, &head) {
            starts.push(Start { at, container: "mov", head: Some(initialization) });
        }
        at = body.end;
    }
    Ok(starts)
}

/// Returns where AVI's first chunk stands, and where files begin behind the last; a long file goes on in chunks of another
/// type (`OpenDML` §2).
pub(super) async fn riffs(source: Bytes<'_>) -> Result<Vec<Start>> {
    let len = source.len().await?;
    let (mut at, mut starts) = (0, Vec::new());
    for _ in 0..MOST_BOXES {
        if at >= len {
            return Ok(starts);
        }
        let head = source.read_at(at..at + signatures::HEAD).await?;
        if signatures::begins_file(&head) == Some("avi") {
            starts.push(Start::of(at, "avi"));
        }
        let Some((size, b"AVI " | b"AVIX")) = riff(&head) else {
            return behind(source, at, starts).await;
        };
        // Chunks begin at even places.
        at += 8 + u64::from(size).next_multiple_of(2);
    }
    Ok(starts)
}

/// Returns whether boxes or chunks fill a file of the container to its end: then all of it is of the one file.
pub(super) async fn fill(source: Bytes<'_>, container: &str) -> Result<bool> {
    let (len, mut at) = (source.len().await?, 0);
    for _ in 0..MOST_BOXES {
        if at == len {
            return Ok(true);
        }
        let head = source.read_at(at..at + index::LONG_HEADER).await?;
        let next = if container == "avi" {
            riff(&head).map(|(size, _)| at + 8 + u64::from(size).next_multiple_of(2))
        } else {
            index::body(&head, at, len).map(|(_, body)| body.end)
        };
        let Some(next) = next.filter(|next| *next <= len) else { return Ok(false) };
        at = next;
    }
    Ok(false)
}

/// Reads the size and the type of a RIFF chunk.
fn riff(head: &[u8]) -> Option<(u32, &[u8; 4])> {
    let (b"RIFF", rest) = head.split_first_chunk()? else { return None };
    let (size, rest) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*size), rest.first_chunk()?))
}

/// Adds the files that begin at a place, which is no box, or behind it.
async fn behind(source: Bytes<'_>, at: u64, mut starts: Vec<Start>) -> Result<Vec<Start>> {
    starts.extend(search::starts(source, at).await?);
    Ok(starts)
}

/// The fragments of one file, so far.
#[derive(Default)]
struct Fragments {
    /// Where the file begins, and where its first fragment does.
    begins: u64,
    first: Option<u64>,
    /// Samples stand before the first fragment too, and would be repeated with the initialization.
    has_samples: bool,
    /// The latest decode time of each track.
    times: BTreeMap<u32, u64>,
}

impl Fragments {
    /// Returns the initialization, where a box is a fragment whose time lies before those of the ones before it.
    fn again(&mut self, kind: [u8; 4], at: u64, bytes: &[u8]) -> Option<Range<u64>> {
        match &kind {
            b"mdat" if self.first.is_none() => self.has_samples = true,
            b"moof" => {
                let first = *self.first.get_or_insert(at);
                let (track, time) = decode_time(bytes)?;
                let again = self.times.get(&track).is_some_and(|latest| time < *latest);
                if again {
                    self.times.clear();
                }
                self.times.insert(track, time);
                return (again && !self.has_samples).then_some(self.begins..first);
            }
            _ => {}
        }
        None
    }
}

/// Reads the first track's id and the decode time that a movie fragment begins at (ISO/IEC 14496-12 §8.8.12), where they
/// stand in its first bytes, as they do in files of every common muxer.
fn decode_time(fragment: &[u8]) -> Option<(u32, u64)> {
    let run = child(fragment.get(8..)?, *b"traf")?;
    let track = child(run, *b"tfhd")?.get(4..)?.first_chunk()?;
    let time = child(run, *b"tfdt")?;
    let time = match (time.first()?, time.get(4..)?) {
        (0, rest) => u64::from(u32::from_be_bytes(*rest.first_chunk()?)),
        (_, rest) => u64::from_be_bytes(*rest.first_chunk()?),
    };
    Some((u32::from_be_bytes(*track), time))
}

/// Returns the body of the first box of a kind, which may go on behind the bytes.
fn child(mut bytes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    loop {
        let (kind, body) = index::body(bytes, 0, u64::MAX)?;
        let body = usize::try_from(body.start).ok()?..usize::try_from(body.end).ok()?;
        if kind == wanted {
            return bytes.get(body.start..body.end.min(bytes.len()));
        }
        bytes = bytes.get(body.end..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32 + 8).to_be_bytes();
        [size.as_slice(), &kind, body].concat()
    }

    fn fragment(track: u8, time: u8, version: u8) -> Vec<u8> {
        let header = boxed(*b"tfhd", &[0, 2, 0, 0, 0, 0, 0, track]);
        let zeros = if version == 0 { [0; 3].as_slice() } else { &[0; 7] };
        let time = boxed(*b"tfdt", &[&[version, 0, 0, 0], zeros, &[time]].concat());
        let run = boxed(*b"traf", &[header, time, boxed(*b"trun", &[0; 400])].concat());
        [boxed(*b"moof", &[boxed(*b"mfhd", &[0; 8]), run].concat()), boxed(*b"mdat", b"frame")].concat()
    }

    async fn check(parts: &[Vec<u8>], expected: &[(u64, Option<Range<u64>>)]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        std::fs::write(&file, parts.concat()).unwrap();
        let starts = starts(Bytes::File(&file)).await.unwrap();
        let found: Vec<_> = starts.into_iter().map(|start| (start.at, start.head)).collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn fragments_that_begin_again_have_the_initialization_before_them() {
        let init = [boxed(*b"ftyp", b"isom\0\0\0\0"), boxed(*b"moov", b"")].concat();
        let (head, length) = (init.len() as u64, fragment(1, 0, 1).len() as u64);
        let once: Vec<Vec<u8>> = [0, 5, 9].map(|time| fragment(1, time, 1)).into();
        check(&[vec![init.clone()], once.clone()].concat(), &[(0, None)]).await;
        let twice = [vec![init.clone()], once.clone(), once.clone()].concat();
        check(&twice, &[(0, None), (head + 3 * length, Some(0..head))]).await;
        // Tracks in turn, and a second initialization.
        let tracks = [fragment(1, 0, 0), fragment(2, 0, 0), fragment(1, 4, 0), fragment(2, 4, 0)];
        let turns = [vec![init.clone()], tracks.to_vec()].concat();
        check(&turns, &[(0, None)]).await;
        let length = turns.concat().len() as u64;
        check(&[turns.clone(), turns].concat(), &[(0, None), (length, None)]).await;
        // The same time in all, as some muxers have it; and samples before the first fragment.
        let still: Vec<Vec<u8>> = [0, 0, 0].map(|time| fragment(1, time, 1)).into();
        check(&[vec![init.clone()], still].concat(), &[(0, None)]).await;
        let mixed = [vec![init, boxed(*b"mdat", b"frame")], once.clone(), once].concat();
        check(&mixed, &[(0, None)]).await;
    }
}
