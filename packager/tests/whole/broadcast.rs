//! An encoder of broadcast captions: pop-on captions (CEA-608) in the units of an H.264 stream (ATSC A/53 Part 4).

/// The words, and when they are shown in seconds.
pub(crate) const WORDS: [(&str, f64); 2] = [("HELLO WORLD", 1.5), ("SECOND ONE", 4.5)];

/// The same as a Scenarist file, of one caption.
pub(crate) const SCENARIST: &str = "Scenarist_SCC V1.0\n\n\
    00:00:01:00\t9420 9420 94ae 94ae 9470 9470 c845 4c4c 4f80 942f 942f\n\n\
    00:00:04:00\t942c 942c\n\n";

const RATE: f64 = 25.0;
const LOAD: [u8; 2] = [0x14, 0x20];
const ERASE_LOADED: [u8; 2] = [0x14, 0x2e];
/// The lowest row, white.
const ROW: [u8; 2] = [0x14, 0x70];
const SHOW: [u8; 2] = [0x14, 0x2f];
const ERASE_SHOWN: [u8; 2] = [0x14, 0x2c];
const NOTHING: [u8; 2] = [0, 0];

/// Returns an H.264 stream, of one slice a picture and no B-frames, with captions.
pub(crate) fn captioned(stream: &[u8]) -> Vec<u8> {
    let units = units(stream);
    let mut sent = schedule(units.iter().filter(|unit| is_slice(unit)).count()).into_iter();
    let mut out = Vec::new();
    for unit in units {
        if is_slice(unit) {
            let pair = sent.next().unwrap();
            out.extend([0, 0, 0, 1]);
            out.extend(message(pair.map(with_parity)));
        }
        out.extend([0, 0, 0, 1]);
        out.extend(unit);
    }
    out
}

/// Returns each frame's pair.
fn schedule(frames: usize) -> Vec<[u8; 2]> {
    let mut sent = vec![NOTHING; frames];
    for (words, at) in WORDS {
        let mut pairs = vec![LOAD, LOAD, ERASE_LOADED, ERASE_LOADED, ROW, ROW];
        pairs.extend(words.as_bytes().chunks(2).map(|pair| [pair[0], pair.get(1).copied().unwrap_or(0)]));
        let show = (at * RATE) as usize;
        let from = show - pairs.len();
        sent[from..show].copy_from_slice(&pairs);
        sent[show..show + 2].fill(SHOW);
        sent[show + 40..show + 42].fill(ERASE_SHOWN);
    }
    sent
}

/// A user data message (ITU-T H.264 §D.1.6, T.35) with one pair of field 1.
fn message(pair: [u8; 2]) -> Vec<u8> {
    let mut payload = vec![0xb5, 0x00, 0x31];
    payload.extend(b"GA94\x03");
    payload.extend([0x41, 0xff, 0xfc, pair[0], pair[1], 0xff]);
    let mut unit = vec![4, payload.len() as u8];
    unit.extend(payload);
    unit.push(0x80);
    [vec![6], escaped(&unit)].concat()
}

fn escaped(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut zeros) = (Vec::new(), 0);
    for byte in bytes {
        if zeros >= 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

/// Seven bits and odd parity.
fn with_parity(byte: u8) -> u8 {
    if byte.count_ones().is_multiple_of(2) { byte | 0x80 } else { byte }
}

fn units(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(3)).filter(|at| stream[*at..].starts_with(&[0, 0, 1])).collect();
    let ends =
        starts.iter().skip(1).map(|at| if stream[at - 1] == 0 { at - 1 } else { *at }).chain([stream.len()]);
    starts.iter().zip(ends).map(|(start, end)| &stream[start + 3..end]).collect()
}

fn is_slice(unit: &[u8]) -> bool {
    matches!(unit[0] & 0x1f, 1 | 5)
}
