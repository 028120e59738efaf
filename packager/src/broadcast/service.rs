//! Services of digital television (CEA-708): windows with words, decoded by `cc-data`. Pure.

use std::time::Duration;

use captions::Cue;
use cc_data::{CcTriplet, CcType, decode::Cea708Decoder};

use super::{Captions, Channel, Triplet};

/// The standard services, which decoders must read (CEA-708 §4.5).
const SERVICES: u8 = 6;
/// Words that nothing takes away are shown so long at the end.
const LAST: Duration = Duration::from_secs(5);

/// Returns the services that have words.
pub(super) fn channels(captions: &Captions) -> Vec<Channel> {
    (1..=SERVICES).filter(|number| !cues(captions, *number, 0).is_empty()).map(Channel::Service).collect()
}

/// Returns the cues of a service, on the clock that `zero` in microseconds is zero of.
pub(super) fn cues(captions: &Captions, number: u8, zero: i64) -> Vec<Cue> {
    let mut decoder = Cea708Decoder::new();
    let mut cues = Vec::new();
    let mut shown: Option<(Duration, String)> = None;
    let mut latest = Duration::ZERO;
    for (time, triplets) in captions {
        latest = Duration::from_micros(u64::try_from(time - zero).unwrap_or_default());
        for triplet in triplets {
            decoder.push_triplets(&[dtvcc(*triplet)]);
        }
        let text = decoder.service_text(usize::from(number));
        if shown.as_ref().map_or("", |(_, text)| text) == text {
            continue;
        }
        if let Some((from, text)) = shown.take() {
            push(&mut cues, from..latest, &text);
        }
        shown = Some((latest, text)).filter(|(_, text)| !text.is_empty());
    }
    if let Some((from, text)) = shown {
        push(&mut cues, from..latest + LAST, &text);
    }
    cues
}

fn push(cues: &mut Vec<Cue>, times: std::ops::Range<Duration>, text: &str) {
    let cue = Cue::new("", times.start, times.end, text);
    if cue.start < cue.end && !cue.text.is_empty() {
        cues.push(cue);
    }
}

fn dtvcc(Triplet { kind, bytes: [first, second] }: Triplet) -> CcTriplet {
    let cc_type = CcType::from_bits(kind);
    CcTriplet { cc_valid: true, cc_type, cc_data_1: first, cc_data_2: second }
}
