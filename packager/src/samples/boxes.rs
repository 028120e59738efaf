//! The boxes in another one's body (ISO/IEC 14496-12 §4.2).

use mp4_atom::Atom;

use crate::index::body;

/// Boxes beside one another. Where a kind stands twice the first counts, as in ffmpeg.
#[derive(Debug)]
pub(super) struct Boxes<'a>(Vec<([u8; 4], &'a [u8])>);

impl<'a> Boxes<'a> {
    /// Returns the boxes of `bytes`; `None` where one is longer than these.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (mut boxes, mut at) = (Vec::new(), 0);
        // QuickTime ends some lists of boxes with four zeros.
        while bytes.len() - at >= 8 {
            let (kind, place) = body(&bytes[at..], at as u64, bytes.len() as u64)?;
            let place = place.start as usize..place.end as usize;
            at = place.end;
            boxes.push((kind, &bytes[place]));
        }
        Some(Self(boxes))
    }

    /// Returns the body of the first box of a kind.
    pub(super) fn body(&self, wanted: [u8; 4]) -> Option<&'a [u8]> {
        self.all(wanted).next()
    }

    /// Returns the bodies of all boxes of a kind.
    pub(super) fn all(&self, wanted: [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, body)| *body)
    }

    /// Reads the first box of a kind.
    pub(super) fn read<T: Atom>(&self) -> Option<T> {
        let kind: [u8; 4] = T::KIND.into();
        T::decode_body(&mut self.body(kind)?).ok()
    }
}
