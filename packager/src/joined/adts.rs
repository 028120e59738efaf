//! ADTS: AAC without a container, whose every frame states its sample rate. libavformat counts all times by the first
//! frame's, so a file whose rate changes is read as one file for each rate.

use super::{Bytes, CHUNK};
use crate::Result;

/// A frame's header (ISO/IEC 14496-3 §1.A.2.2), without its checksum.
const HEADER: usize = 7;

/// The part of a frame's header that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// An index into the standard's table of sample rates.
    rate: u8,
    /// With the header, in bytes.
    length: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let length =
            usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5] >> 5);
        // Twelve bits of sync and layer 0 (§1.A.2.2.1); MPEG's version and the checksum's absence may be either.
        let begins = header[0] == 0xff && header[1] & 0xf6 == 0xf0;
        (begins && length > HEADER).then_some(Self { rate: header[2] >> 2 & 0xf, length })
    }
}

/// Returns where frames of another rate begin; 0 is not among them.
pub(super) async fn rates(source: Bytes<'_>) -> Result<Vec<u64>> {
    let len = source.len().await?;
    let mut changes = Vec::new();
    // The rate that goes on, and a frame of another one until the next frame agrees with it: damage has no such frame.
    let (mut rate, mut other): (Option<u8>, Option<(u8, u64)>) = (None, None);
    let mut at = 0;
    while at < len {
        let bytes = source.read_at(at..(at + CHUNK).min(len)).await?;
        let mut place = 0;
        while let Some(rest) = bytes.get(place..).filter(|rest| rest.len() >= HEADER) {
            let Some(header) = Header::read(rest) else {
                place += 1;
                continue;
            };
            match (rate, other) {
                (Some(known), _) if known == header.rate => other = None,
                (Some(_), Some((new, start))) if new == header.rate => {
                    changes.push(start);
                    (rate, other) = (Some(new), None);
                }
                (Some(_), _) => other = Some((header.rate, at + place as u64)),
                (None, _) => rate = Some(header.rate),
            }
            place += header.length;
        }
        // A header may lie across two chunks, and less than one is the file's end.
        at += if place == 0 { CHUNK } else { place as u64 };
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rate: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![7; length];
        let size = [0x40 | (length >> 11) as u8, (length >> 3) as u8, (length << 5) as u8 | 0x1f];
        frame[..HEADER].copy_from_slice(&[0xff, 0xf1, 0x40 | rate << 2, size[0], size[1], size[2], 0xfc]);
        frame
    }

    #[tokio::test]
    async fn a_change_of_rate_begins_a_file_and_one_odd_frame_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source.aac");
        let check = async |frames: &[(u8, usize, usize)], expected: &[u64]| {
            let bytes: Vec<u8> =
                frames.iter().flat_map(|(rate, length, n)| frame(*rate, *length).repeat(*n)).collect();
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(rates(Bytes::File(&file)).await.unwrap(), expected, "{frames:?}");
        };
        check(&[(3, 300, 9)], &[]).await;
        check(&[(3, 300, 9), (4, 200, 5), (3, 100, 2)], &[2700, 3700]).await;
        check(&[(3, 300, 9), (4, 200, 1), (3, 100, 2)], &[]).await;
        // Headers across the borders of chunks.
        check(&[(3, 1021, 3000), (4, 1021, 3000)], &[3_063_000]).await;
    }
}
