//! The search for the first bytes of files anywhere in a source.

use super::{CHUNK, MOST_PARTS, Start, signatures};
use crate::{Result, source::Bytes};

/// The headers of an Ogg file's streams, each in a page of its own, lie within this.
const OGG_HEADERS: u64 = 4096;

/// Returns where files of any container begin, from a place on; those behind more than there may be parts are left out.
pub(super) async fn starts(source: Bytes<'_>, from: u64) -> Result<Vec<Start>> {
    let (len, around) = (source.len().await?, signatures::AROUND as u64);
    let mut starts = Starts::default();
    let mut at = from;
    while at < len && starts.found.len() <= MOST_PARTS {
        // The bytes on either side decide whether a signature lies in a packet.
        let before = at.saturating_sub(around);
        let end = (at + CHUNK).min(len);
        let bytes = source.read_at(before..(end + around).min(len)).await?;
        for place in (at - before) as usize..(end - before) as usize {
            if let Some(container) = signatures::at(&bytes, place) {
                starts.push(before + place as u64, container);
            }
        }
        at = end;
    }
    Ok(starts.found)
}

/// The starts found so far.
#[derive(Default)]
struct Starts {
    found: Vec<Start>,
    /// The last first page of an Ogg stream.
    page: Option<u64>,
}

impl Starts {
    fn push(&mut self, at: u64, container: &'static str) {
        let again = self.found.last().is_some_and(|last| last.container == container);
        let within = match container {
            // The first pages of other streams follow the first one's at once.
            "ogg" => self.page.replace(at).is_some_and(|page| again && at - page <= OGG_HEADERS),
            // Packs are repeated all the way.
            "mpeg" => again,
            _ => false,
        };
        if !within {
            self.found.push(Start::of(at, container));
        }
    }
}
