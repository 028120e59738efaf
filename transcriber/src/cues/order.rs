//! Times in order: whatever the model wrote, segments follow one another, and words within them.

use std::{ops::Range, time::Duration};

use captions::Spoken;

use super::units::{Unit, units};

// Apart by this, no two words begin together, so no two cues do.
const APART: Duration = Duration::from_millis(1);

/// Returns the segments that have words, none before `floor` or before the end of the one in front of it, and each long
/// enough for its words.
pub(super) fn put(spoken: &[Spoken], mut floor: Duration) -> Vec<Spoken> {
    let mut ordered = Vec::new();
    for segment in spoken {
        let count = units(&segment.text).len() as u32;
        if count == 0 {
            continue;
        }
        let mut segment = segment.clone();
        segment.start = segment.start.max(floor);
        segment.end = segment.end.max(segment.start + APART * count);
        floor = segment.end;
        ordered.push(segment);
    }
    ordered
}

/// Puts the units of a segment into its `span`, one behind the other.
pub(super) fn apart(units: &mut [Unit], span: Range<Duration>) {
    let mut left = units.len() as u32;
    let mut least = span.start;
    for unit in units {
        // The later units need their room too.
        let most = span.end.saturating_sub(APART * left).max(least);
        unit.start = unit.start.clamp(least, most);
        left -= 1;
        let most = span.end.saturating_sub(APART * left).max(unit.start + APART);
        unit.end = unit.end.clamp(unit.start + APART, most);
        least = unit.end;
    }
}
