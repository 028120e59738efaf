//! Broadcast captions (CEA-608 and CEA-708): they travel inside the picture's packets (ATSC A/53 Part 4), and become
//! texts of their own. Leaves line 21's channels to `line21`, whose characters ffmpeg's decoder reads from a Scenarist file,
//! and the services of digital television to `service`.

mod line21;
mod service;

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use captions::webvtt;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    sync::{Mutex, watch},
};

use crate::{
    Result,
    child::{Feed, Progress, Task},
    encode::{EncodeContext, clock_args, mp4_args, strings},
    ffmpeg::{Bounds, input_args},
    fragment::{Fragment, Part, Reader},
    process,
    takes::Take,
};

// SEI in H.264 and, as a prefix, in HEVC (Table 7-1 of each); user data in MPEG-2, whose start code is 0xB2 (ISO/IEC
// 13818-2 Table 6-1).
/// The codecs whose packets hold captions, and the bitstream filter's numbers of the units that they are in.
const UNITS: [(&str, &str); 3] = [("h264", "6"), ("hevc", "39"), ("mpeg2video", "178")];
const TICKS_A_SECOND: u32 = 90_000;
/// Triplets of twelve hours, of which line 21 has sixty a second and services a hundred or two.
const MOST_TRIPLETS: usize = 12_000_000;
/// An hour of captions has a tenth of it.
const MAX_BYTES: u64 = 16 << 20;

/// All captions of a picture, by when they are shown in microseconds.
type Captions = BTreeMap<i64, Vec<Triplet>>;

/// Two bytes of one kind: 0 and 1 are line 21's fields, 2 and 3 go on with and start a packet of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Triplet {
    kind: u8,
    bytes: [u8; 2],
}

/// One of the captions in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// CC1 to CC4.
    Line21(u8),
    /// A service of digital television.
    Service(u8),
}

/// The picture that captions are taken out of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'a> {
    pub(crate) take: &'a Take<'a>,
    /// ffprobe's name.
    pub(crate) codec: &'a str,
}

/// Returns whether captions can be taken out of packets of this codec.
pub(crate) fn carries(codec: &str) -> bool {
    UNITS.iter().any(|(name, _)| *name == codec)
}

/// Returns the channels of a picture that have words.
pub(crate) async fn channels(context: &EncodeContext<'_>, carrier: Carrier<'_>) -> Result<Vec<Channel>> {
    let captions = extract(context, carrier).await?;
    Ok([line21::channels(&captions), service::channels(&captions)].concat())
}

/// Returns a channel of a picture as WebVTT, on the video's clock; empty where there are none.
pub(crate) async fn read(
    context: &EncodeContext<'_>,
    carrier: Carrier<'_>,
    channel: Channel,
) -> Result<String> {
    let captions = extract(context, carrier).await?;
    let zero = (carrier.take.clock_at_zero * 1e6).round() as i64;
    match channel {
        Channel::Line21(_) => {
            decode(context, line21::scenarist(&line21::pairs(&captions, channel), zero)).await
        }
        Channel::Service(number) => Ok(webvtt::render(&service::cues(&captions, number, zero))),
    }
}

/// Copies the units that hold captions out of the source, in fragments that have their times.
async fn extract(context: &EncodeContext<'_>, carrier: Carrier<'_>) -> Result<Captions> {
    let units = UNITS.iter().find(|(name, _)| *name == carrier.codec).map_or("", |(_, units)| units);
    let mut input = clock_args(Duration::ZERO);
    input.extend(input_args(&carrier.take.input));
    let filter = format!("filter_units=pass_types={units}");
    let mut output =
        strings(["-map", &format!("0:{}", carrier.take.stream), "-c", "copy", "-bsf:v", &filter]);
    output.extend(strings(["-video_track_timescale", &TICKS_A_SECOND.to_string()]));
    output.extend(mp4_args("+frag_keyframe"));
    let task = Task {
        program: &context.config.ffmpeg,
        doing: "reading the captions in the picture".into(),
        input,
        stdin: None,
        printed: None,
        outputs: vec![output],
        // Captions lie in the picture's own packets, so all of a film is read for them.
        bounds: Bounds { cpu: Duration::from_hours(1), ..Bounds::default() },
        wall_time: Duration::from_hours(1),
    };
    let captions = Mutex::new(Captions::new());
    process::run(task, context.control, |_, output| {
        let captions = &captions;
        async move {
            let mut reader = Reader::new(BufReader::new(output.stream));
            let mut captions = captions.lock().await;
            let mut left = MOST_TRIPLETS;
            while let Some(part) = reader.next().await? {
                if let Part::Fragment(fragment) = part {
                    // Past the bound the stream is still read: a socket that closes early is an error of ffmpeg's,
                    // and loses all.
                    left -= take(&fragment, &mut captions, left);
                }
            }
            Ok(())
        }
    })
    .await?;
    Ok(captions.into_inner())
}

/// Takes at most `left` triplets out of a fragment. Returns how many.
fn take(fragment: &Fragment, captions: &mut Captions, left: usize) -> usize {
    let (mut at, mut offset, mut taken) = (fragment.decode_time, 0, 0);
    for sample in &fragment.samples {
        let end = offset + sample.size.unwrap_or_default() as usize;
        let shown = at.saturating_add(sample.cts.unwrap_or_default());
        let mut found = triplets_of(fragment.data.get(offset..end).unwrap_or_default());
        found.truncate(left - taken);
        taken += found.len();
        // Packets without a time get one that no clock reaches.
        if let (false, Some(micros)) = (found.is_empty(), shown.checked_mul(1_000_000)) {
            captions.entry(micros / i64::from(TICKS_A_SECOND)).or_default().extend(found);
        }
        offset = end;
        at = at.saturating_add(i64::from(sample.duration.unwrap_or_default()));
    }
    taken
}

/// Returns the triplets that carry something. ATSC A/53 Part 4 §6.2.3: an identifier, the type 3, a count, and three
/// bytes each.
fn triplets_of(unit: &[u8]) -> Vec<Triplet> {
    const IDENTIFIER: &[u8] = b"GA94\x03";
    let plain = without_emulation_prevention(unit);
    let mut rest = plain.as_slice();
    let mut triplets = Vec::new();
    while let Some(place) = rest.windows(IDENTIFIER.len()).position(|window| window == IDENTIFIER) {
        rest = &rest[place + IDENTIFIER.len()..];
        let count = rest.first().map_or(0, |flags| usize::from(flags & 0x1f));
        // Behind the count comes a byte that is reserved.
        let all = rest.get(2..).unwrap_or_default().chunks_exact(3).take(count);
        // Valid, and not the pair that fills a frame without captions.
        let valid = all.filter(|triplet| triplet[0] & 4 != 0);
        let valid = valid.map(|triplet| Triplet { kind: triplet[0] & 3, bytes: [triplet[1], triplet[2]] });
        triplets.extend(valid.filter(|it| it.kind > 1 || it.bytes.map(|byte| byte & 0x7f) != [0, 0]));
    }
    triplets
}

/// Takes the bytes away that keep start codes out of units (ITU-T H.264 §7.4.1). MPEG-2 has none, and no captions in
/// which one could be seen: behind two zeros comes a byte above 0xF7.
fn without_emulation_prevention(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for byte in unit {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line21(number) => write!(f, "CC{number}"),
            Self::Service(number) => write!(f, "Service {number}"),
        }
    }
}

impl FromStr for Channel {
    type Err = std::num::ParseIntError;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        match name.strip_prefix("Service ") {
            Some(number) => number.parse().map(Self::Service),
            None => name.trim_start_matches("CC").parse().map(Self::Line21),
        }
    }
}

/// Has ffmpeg decode a Scenarist file of ours.
async fn decode(context: &EncodeContext<'_>, scenarist: String) -> Result<String> {
    let (ours, theirs) = UnixStream::pair()?;
    let (_whole, progress) = watch::channel(Progress::Well);
    let task = Task {
        program: &context.config.ffmpeg,
        doing: "reading the captions in the picture".into(),
        input: strings(["-f", "scc", "-protocol_whitelist", "pipe", "-i", "pipe:0"]),
        stdin: Some(Feed { stream: theirs, progress }),
        printed: None,
        outputs: vec![strings(["-c:s", "webvtt", "-f", "webvtt"])],
        bounds: Bounds::default(),
        wall_time: Duration::from_mins(10),
    };
    let written = Mutex::new(Vec::new());
    let decoded = process::run(task, context.control, |_, output| {
        let written = &written;
        async move {
            output.stream.take(MAX_BYTES).read_to_end(&mut *written.lock().await).await?;
            Ok(())
        }
    });
    let fed = async move {
        let mut ours = ours;
        // Fails when the decoder has ended, whose exit has the cause.
        let _ = ours.write_all(scenarist.as_bytes()).await;
    };
    tokio::join!(decoded, fed).0?;
    Ok(String::from_utf8_lossy(&written.into_inner()).into_owned())
}

#[cfg(test)]
mod tests {
    use mp4_atom::TrunEntry;

    use super::*;

    #[test]
    fn triplets_are_found_in_a_unit() {
        let mut unit = b"\x06\x04\x15\xb5\x00\x31GA94\x03\x44\xff".to_vec();
        // Field 1, field 2, an invalid one, and an empty one.
        unit.extend([0xfc, 0x94, 0x20, 0xfd, 0x15, 0x2c, 0xf8, 0x11, 0x11, 0xfc, 0x80, 0x80, 0xff]);
        let triplet = |kind, bytes| Triplet { kind, bytes };
        assert_eq!(triplets_of(&unit), [triplet(0, [0x94, 0x20]), triplet(1, [0x15, 0x2c])]);
        assert_eq!(triplets_of(b"GA94"), []);
        assert_eq!(triplets_of(b"GA94\x03\x5f\xff\xfc\x94"), []);
        assert_eq!(without_emulation_prevention(b"\0\0\x03\x01\0\0\x03"), b"\0\0\x01\0\0");
    }

    #[test]
    fn captions_without_a_time_are_left_out() {
        let unit = b"\x06\x04\x15\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x20\xff";
        let sample =
            || TrunEntry { size: Some(unit.len() as u32), duration: Some(3600), ..TrunEntry::default() };
        let check = |decode_time: i64, expected: &[i64]| {
            let data = unit.repeat(2).into();
            let fragment = Fragment { decode_time, samples: vec![sample(), sample()], data };
            let mut captions = Captions::new();
            assert_eq!(take(&fragment, &mut captions, 100), 2);
            assert_eq!(captions.into_keys().collect::<Vec<_>>(), expected, "{decode_time}");
        };
        check(90_000, &[1_000_000, 1_040_000]);
        // A container without times, as ffmpeg's muxer has them then.
        check(i64::MIN, &[]);
        check(i64::MAX, &[]);
    }

    #[test]
    fn channels_have_names() {
        for (channel, name) in [(Channel::Line21(3), "CC3"), (Channel::Service(2), "Service 2")] {
            assert_eq!(channel.to_string(), name);
            assert_eq!(name.parse(), Ok(channel));
        }
    }
}
