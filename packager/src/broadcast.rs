//! Broadcast captions (CEA-608): they travel inside the picture's packets (ATSC A/53 Part 4), and become a text of
//! their own. Leaves their characters to ffmpeg's decoder, which takes them as a Scenarist file.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

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

/// The codecs whose packets hold captions, and the bitstream filter's numbers of the units that they are in.
const UNITS: [(&str, &str); 3] = [("h264", "6"), ("hevc", "39"), ("mpeg2video", "178")];
const TICKS_A_SECOND: u32 = 90_000;
/// Pairs of characters of a day.
const MOST_PAIRS: usize = 6_000_000;
/// An hour of captions has a tenth of it.
const MAX_BYTES: u64 = 16 << 20;

/// Two characters of a line 21 field, by when they are shown in microseconds.
type Pairs = BTreeMap<i64, Vec<[u8; 2]>>;

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

/// Returns the captions of a picture as WebVTT, on the video's clock; empty where there are none.
pub(crate) async fn read(context: &EncodeContext<'_>, carrier: Carrier<'_>) -> Result<String> {
    let pairs = extract(context, carrier).await?;
    let zero = (carrier.take.clock_at_zero * 1e6).round() as i64;
    decode(context, scenarist(&pairs, zero)).await
}

/// Copies the units that hold captions out of the source, in fragments that have their times.
async fn extract(context: &EncodeContext<'_>, carrier: Carrier<'_>) -> Result<Pairs> {
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
        bounds: Bounds { cpu: Duration::from_hours(1), ..Bounds::default() },
        wall_time: Duration::from_hours(1),
    };
    let pairs = Mutex::new(Pairs::new());
    process::run(task, context.control, |_, output| {
        let pairs = &pairs;
        async move {
            let mut reader = Reader::new(BufReader::new(output.stream));
            let mut pairs = pairs.lock().await;
            while let Some(part) = reader.next().await? {
                if let Part::Fragment(fragment) = part {
                    take(&fragment, &mut pairs);
                }
            }
            Ok(())
        }
    })
    .await?;
    Ok(pairs.into_inner())
}

fn take(fragment: &Fragment, pairs: &mut Pairs) {
    let (mut at, mut offset) = (fragment.decode_time, 0);
    for sample in &fragment.samples {
        let end = offset + sample.size.unwrap_or_default() as usize;
        let shown = at + sample.cts.unwrap_or_default();
        let found = pairs_of(fragment.data.get(offset..end).unwrap_or_default());
        if !found.is_empty() && pairs.len() < MOST_PAIRS {
            pairs.entry(shown * 1_000_000 / i64::from(TICKS_A_SECOND)).or_default().extend(found);
        }
        offset = end;
        at += i64::from(sample.duration.unwrap_or_default());
    }
}

/// Returns the pairs of the first field that carry something. ATSC A/53 Part 4 §6.2.3: an identifier, the type 3, a
/// count, and three bytes for each pair.
fn pairs_of(unit: &[u8]) -> Vec<[u8; 2]> {
    const IDENTIFIER: &[u8] = b"GA94\x03";
    let plain = without_emulation_prevention(unit);
    let mut rest = plain.as_slice();
    let mut pairs = Vec::new();
    while let Some(place) = rest.windows(IDENTIFIER.len()).position(|window| window == IDENTIFIER) {
        rest = &rest[place + IDENTIFIER.len()..];
        let count = rest.first().map_or(0, |flags| usize::from(flags & 0x1f));
        // Behind the count comes a byte that is reserved.
        let triplets = rest.get(2..).unwrap_or_default().chunks_exact(3).take(count);
        // Valid, of field 1, and not the pair that fills a frame without captions.
        let field_1 = triplets.filter(|triplet| triplet[0] & 7 == 4);
        let filled = field_1
            .map(|triplet| [triplet[1], triplet[2]])
            .filter(|pair| pair.map(|byte| byte & 0x7f) != [0, 0]);
        pairs.extend(filled);
    }
    pairs
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

/// Writes the pairs as a Scenarist file: a line for each time, in thirtieths of a second.
fn scenarist(pairs: &Pairs, zero: i64) -> String {
    let mut text = "Scenarist_SCC V1.0\n\n".to_owned();
    for (time, pairs) in pairs {
        let ms = (time - zero).max(0) / 1000;
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
    use super::*;

    #[test]
    fn pairs_of_the_first_field_are_found_in_a_unit() {
        let mut unit = b"\x06\x04\x15\xb5\x00\x31GA94\x03\x44\xff".to_vec();
        // Field 1, field 2, an invalid one, and an empty one.
        unit.extend([0xfc, 0x94, 0x20, 0xfd, 0x15, 0x2c, 0xf8, 0x11, 0x11, 0xfc, 0x80, 0x80, 0xff]);
        assert_eq!(pairs_of(&unit), [[0x94, 0x20]]);
        assert_eq!(pairs_of(b"GA94"), Vec::<[u8; 2]>::new());
        assert_eq!(pairs_of(b"GA94\x03\x5f\xff\xfc\x94"), Vec::<[u8; 2]>::new());
        assert_eq!(without_emulation_prevention(b"\0\0\x03\x01\0\0\x03"), b"\0\0\x01\0\0");
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
