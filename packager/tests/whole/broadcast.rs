//! An encoder of broadcast captions: pop-on captions (CEA-608) and a service's windows (CEA-708) in the units of an H.264
//! stream (ATSC A/53 Part 4).

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

/// One of line 21's channels: the second of a field has another bit, and the second field another byte.
#[derive(Clone, Copy)]
struct Line21 {
    field: u8,
    second: bool,
}

/// Two bytes and their kind.
type Triplet = [u8; 3];

/// Returns an H.264 stream, of one slice a picture and no B-frames, with captions.
pub(crate) fn captioned(stream: &[u8]) -> Vec<u8> {
    with(stream, |frames| {
        let mut sent = vec![Vec::new(); frames];
        for (words, at) in WORDS {
            pop_on(&mut sent, Line21 { field: 0, second: false }, (words, at));
        }
        sent
    })
}

/// The words of several channels, by the names of these, and when they are shown in seconds.
pub(crate) const SEVERAL: [(&str, &str, f64); 5] = [
    ("CC1", "HELLO WORLD", 1.5),
    ("CC2", "HOLA MUNDO", 5.5),
    ("CC3", "BONJOUR", 3.0),
    ("CC4", "GUTEN TAG", 5.5),
    ("Service 2", "SERVICE TWO", 2.0),
];

/// Returns the same stream with captions in all channels of line 21, and in a service.
pub(crate) fn captioned_in_several(stream: &[u8]) -> Vec<u8> {
    with(stream, |frames| {
        let mut sent = vec![Vec::new(); frames];
        for ((_, words, at), number) in SEVERAL.into_iter().zip(0..4) {
            pop_on(&mut sent, Line21 { field: number / 2, second: number % 2 == 1 }, (words, at));
        }
        let (_, words, at) = SEVERAL[4];
        // A window that is visible, of twelve rows and sixteen columns; and its end.
        window(&mut sent, at, &[&[0x98, 0x38, 0x4a, 0xd1, 0x8b, 0x0f, 0x11], words.as_bytes()].concat());
        window(&mut sent, at + 1.0, &[0x8c, 0xff]);
        sent
    })
}

fn with(stream: &[u8], schedule: impl Fn(usize) -> Vec<Vec<Triplet>>) -> Vec<u8> {
    let units = units(stream);
    let mut sent = schedule(units.iter().filter(|unit| is_slice(unit)).count()).into_iter();
    let mut out = Vec::new();
    for unit in units {
        if is_slice(unit) {
            out.extend([0, 0, 0, 1]);
            out.extend(message(&sent.next().unwrap()));
        }
        out.extend([0, 0, 0, 1]);
        out.extend(unit);
    }
    out
}

/// Sends a caption before it is shown, and takes it away again.
fn pop_on(sent: &mut [Vec<Triplet>], channel: Line21, (words, at): (&str, f64)) {
    let code = |[first, second]: [u8; 2]| {
        let command = (0x20..0x30).contains(&second);
        [first + u8::from(command && channel.field == 1) + if channel.second { 8 } else { 0 }, second]
    };
    let mut pairs: Vec<[u8; 2]> =
        [LOAD, LOAD, ERASE_LOADED, ERASE_LOADED, ROW, ROW].into_iter().map(code).collect();
    pairs.extend(words.as_bytes().chunks(2).map(|pair| [pair[0], pair.get(1).copied().unwrap_or(0)]));
    let show = (at * RATE) as usize;
    let from = show - pairs.len();
    let shown = [SHOW, SHOW].into_iter().map(code).zip(show..);
    let erased = [ERASE_SHOWN, ERASE_SHOWN].into_iter().map(code).zip(show + 40..);
    for (pair, frame) in pairs.into_iter().zip(from..).chain(shown).chain(erased) {
        let [first, second] = pair.map(with_parity);
        sent[frame].push([0xfc | channel.field, first, second]);
    }
}

/// Sends a packet of one block of the second service: each is numbered, and the decoder forgets all where one is missing.
fn window(sent: &mut [Vec<Triplet>], at: f64, block: &[u8]) {
    let number = sent.iter().flatten().filter(|triplet| triplet[0] == 0xff).count() as u8;
    let mut packet = vec![0, 2 << 5 | block.len() as u8];
    packet.extend(block);
    packet.resize(packet.len().next_multiple_of(2), 0);
    packet[0] = number << 6 | (packet.len() / 2) as u8;
    let pairs = packet.chunks(2).enumerate();
    sent[(at * RATE) as usize]
        .extend(pairs.map(|(n, pair)| [if n == 0 { 0xff } else { 0xfe }, pair[0], pair[1]]));
}

/// A user data message (ITU-T H.264 §D.1.6, T.35) with a frame's triplets.
fn message(triplets: &[Triplet]) -> Vec<u8> {
    // A frame without captions has an empty pair.
    let triplets = if triplets.is_empty() { &[[0xfc, 0x80, 0x80]] } else { triplets };
    let mut payload = vec![0xb5, 0x00, 0x31];
    payload.extend(b"GA94\x03");
    payload.extend([0x40 | triplets.len() as u8, 0xff]);
    payload.extend(triplets.concat());
    payload.push(0xff);
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
