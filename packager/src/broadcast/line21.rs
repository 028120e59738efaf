//! Line 21 (CEA-608): four channels of captions in two fields. Puts one channel's pairs where ffmpeg's decoder, which
//! reads the first channel alone, finds them. Pure.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Captions, Channel, Triplet};

/// Two characters of a line 21 field, by when they are shown in microseconds.
pub(super) type Pairs = BTreeMap<i64, Vec<[u8; 2]>>;

/// Returns the channels that have words.
pub(super) fn channels(captions: &Captions) -> Vec<Channel> {
    let all = (1..=4).map(Channel::Line21);
    all.filter(|channel| pairs(captions, *channel).values().flatten().any(|pair| pair[0] & 0x7f >= 0x20))
        .collect()
}

/// Returns a channel's pairs as if they were of the first.
pub(super) fn pairs(captions: &Captions, channel: Channel) -> Pairs {
    let Channel::Line21(number) = channel else { return Pairs::new() };
    // CC1 and CC2 share the first field, CC3 and CC4 the second; within a field a bit of each code parts the two.
    let field = u8::from(number > 2);
    let mut reader = Reader { second: number % 2 == 0, mode: Mode::Other };
    let mut pairs = Pairs::new();
    for (time, triplets) in captions {
        let own = triplets.iter().filter(|triplet| triplet.kind == field);
        let read: Vec<[u8; 2]> = own.filter_map(|triplet| reader.read(*triplet)).collect();
        if !read.is_empty() {
            pairs.insert(*time, read);
        }
    }
    pairs
}

/// The use of the characters that follow, by the codes before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The wanted channel's captions.
    Ours,
    /// The other channel's captions, a channel's text, or extended data services.
    Other,
}

struct Reader {
    /// The second channel of the field is wanted.
    second: bool,
    mode: Mode,
}

impl Reader {
    fn read(&mut self, Triplet { bytes, .. }: Triplet) -> Option<[u8; 2]> {
        let [first, second] = bytes.map(|byte| byte & 0x7f);
        match first {
            0 if second == 0 => return None,
            // Extended data services interrupt a channel's captions, until the channel's next code (CEA-608 §8.6).
            0x01..=0x0f => self.mode = Mode::Other,
            0x10..=0x1f => {
                let ours = (first & 8 != 0) == self.second;
                // Text, which is no caption, begins and goes on with these (§B.5).
                let command = first & 0x76 == 0x14;
                let text = command && matches!(second, 0x2a | 0x2b);
                let resumes = command && matches!(second, 0x20 | 0x25..=0x27 | 0x29);
                // A channel's own mode is chosen by its code; others, such as colours, go to the mode that stands.
                if !ours || text {
                    self.mode = Mode::Other;
                } else if resumes {
                    self.mode = Mode::Ours;
                }
            }
            _ => {}
        }
        if self.mode == Mode::Other {
            return None;
        }
        // As of the first channel, and of the first field, whose commands begin with another byte.
        let first = if (0x10..0x20).contains(&first) { first & !8 } else { first };
        let command = first == 0x15 && (0x20..0x30).contains(&second);
        let first = if command { 0x14 } else { first };
        Some([first, second].map(with_parity))
    }
}

// ffmpeg's decoder takes a byte of even parity for damaged, and leaves it out.
/// Seven bits and odd parity.
fn with_parity(byte: u8) -> u8 {
    if byte.count_ones().is_multiple_of(2) { byte | 0x80 } else { byte }
}

/// Writes the pairs as a Scenarist file: a line for each time, in thirtieths of a second.
pub(super) fn scenarist(pairs: &Pairs, zero: i64) -> String {
    let mut text = "Scenarist_SCC V1.0\n\n".to_owned();
    for (time, pairs) in pairs {
        let ms = (time - zero).max(0) / 1000;
        // ffmpeg's demuxer takes 33 ms for each frame; the last 10 ms of a second would be a frame that does not
        // exist.
        let (seconds, frame) = (ms / 1000, (ms % 1000 / 33).min(29));
        let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
        let _ = write!(text, "{hours:02}:{minutes:02}:{seconds:02}:{frame:02}\t");
        for [first, second] in pairs {
            let _ = write!(text, "{first:02x}{second:02x} ");
        }
        text += "\n\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captions(field: u8, pairs: &[[u8; 2]]) -> Captions {
        pairs.iter().zip(0..).map(|(bytes, n)| (n, vec![Triplet { kind: field, bytes: *bytes }])).collect()
    }

    fn words(captions: &Captions, channel: u8) -> String {
        let pairs = pairs(captions, Channel::Line21(channel));
        let bytes = pairs.values().flatten().flatten().map(|byte| byte & 0x7f);
        bytes.filter(|byte| *byte >= 0x20).map(char::from).collect()
    }

    #[test]
    fn each_channel_has_its_own_pairs() {
        let both = captions(0, &[[0x14, 0x20], *b"AB", [0x1c, 0x20], *b"CD", [0x14, 0x20], *b"EF"]);
        assert_eq!(words(&both, 1).matches(['A', 'B', 'E', 'F']).count(), 4);
        assert_eq!(words(&both, 2).matches(['C', 'D']).count(), 2);
        assert!(!words(&both, 1).contains('C') && !words(&both, 2).contains('A'));
        assert_eq!(words(&both, 3), "");
        let third =
            captions(1, &[[0x15, 0x20], *b"AB", [0x01, 0x03], *b"XY", [0x0f, 0x1d], [0x15, 0x20], *b"CD"]);
        assert_eq!(words(&third, 3).matches(['A', 'B', 'C', 'D']).count(), 4);
        assert!(!words(&third, 3).contains('X'));
        let pairs = pairs(&third, Channel::Line21(3));
        assert_eq!(pairs[&0], [[0x94, 0x20]]);
    }

    #[test]
    fn a_channels_text_is_no_caption() {
        let text = captions(0, &[[0x14, 0x2b], *b"AB", [0x1c, 0x2a], *b"CD"]);
        assert_eq!(channels(&text), []);
        let later = captions(0, &[[0x14, 0x2b], *b"AB", [0x1c, 0x25], [0x1c, 0x2d], *b"CD"]);
        assert_eq!(channels(&later), [Channel::Line21(2)]);
    }

    #[test]
    fn a_scenarist_file_has_a_line_for_each_time() {
        let pairs = Pairs::from([
            (3_601_500_000, vec![[0x94, 0x20], [0x94, 0x20]]),
            (3_665_000_000, vec![[0xc8, 0xe5]]),
        ]);
        let text = scenarist(&pairs, 1_500_000);
        assert_eq!(text, "Scenarist_SCC V1.0\n\n01:00:00:00\t9420 9420 \n\n01:01:03:15\tc8e5 \n\n");
    }
}
