//! libavformat's description of a file for people, read back: what there is where ffprobe gives no JSON. Its form is that
//! of `av_dump_format`; words of the file's own stand indented below a heading, and never at a stream's place.

use std::collections::BTreeMap;

use super::{Answer, Format, Member, Program, SideData, Stream};

const FLAGS: [&str; 18] = [
    "default",
    "dub",
    "original",
    "comment",
    "lyrics",
    "karaoke",
    "forced",
    "hearing impaired",
    "visual impaired",
    "clean effects",
    "attached pic",
    "timed thumbnails",
    "captions",
    "descriptions",
    "metadata",
    "dependent",
    "still image",
    "non-diegetic",
];

impl Answer {
    /// Returns the description of the first input; `None` where no stream is described.
    pub(crate) fn of_dump(text: &str) -> Option<Self> {
        let mut answer = Self::default();
        let mut in_program = false;
        for line in text.lines() {
            if let Some(input) = line.strip_prefix("Input #0, ") {
                input.split_once(", from '")?.0.clone_into(&mut answer.format.format_name);
            } else if let Some(duration) = line.strip_prefix("  Duration: ") {
                answer.format = Format { start_time: start(duration), ..answer.format };
            } else if line.starts_with("  Program ") {
                answer.programs.push(Program::default());
                in_program = true;
            } else if line.starts_with("  No Program") {
                in_program = false;
            } else if let Some(described) = line.strip_prefix("  Stream #0:") {
                let Some(stream) = Stream::of_dump(described) else { continue };
                if let Some(program) = answer.programs.last_mut().filter(|_| in_program) {
                    program.streams.push(Member { index: stream.index });
                }
                // A stream of several programmes is described in each.
                if answer.streams.iter().all(|other| other.index != stream.index) {
                    answer.streams.push(stream);
                }
            } else if let Some((key, value)) = line.trim_start().split_once(": ") {
                answer.detail(Detail { depth: line.len() - line.trim_start().len(), key: key.trim(), value });
            }
        }
        // Dumps go by programme, ffprobe's JSON by index.
        answer.streams.sort_by_key(|stream| stream.index);
        (!answer.streams.is_empty()).then_some(answer)
    }

    /// Takes a line of metadata or side data.
    fn detail(&mut self, detail: Detail<'_>) {
        let value = detail.value.to_owned();
        match (detail.depth, detail.key) {
            (6, "title") => {
                if let Some(stream) = self.streams.last_mut() {
                    stream.tags.insert("title".to_owned(), value);
                } else if let Some(program) = self.programs.last_mut() {
                    program.tags.insert("title".to_owned(), value);
                }
            }
            (6, "service_name") => {
                if let Some(program) = self.programs.last_mut() {
                    program.tags.insert("service_name".to_owned(), value);
                }
            }
            (6, "displaymatrix") => {
                let turn =
                    value.strip_prefix("rotation of ").and_then(|turn| turn.split(' ').next()?.parse().ok());
                if let Some(stream) = self.streams.last_mut() {
                    stream.side_data_list.push(SideData { rotation: turn });
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy)]
struct Detail<'a> {
    depth: usize,
    key: &'a str,
    value: &'a str,
}

fn start(duration: &str) -> Option<String> {
    let (_, start) = duration.split_once("start: ")?;
    start.split(',').next().map(|start| start.trim().to_owned())
}

impl Stream {
    /// Reads `0[0x100](eng): Video: h264 (High), yuv420p(tv, bt709), 320x180 [SAR 1:1 DAR 16:9], 25 fps (default)`.
    fn of_dump(described: &str) -> Option<Self> {
        let (place, described) = described.split_once(": ")?;
        let (kind, described) = described.split_once(": ")?;
        let digits = place.find(|c: char| !c.is_ascii_digit()).unwrap_or(place.len());
        let mut stream =
            Self { index: place[..digits].parse().ok()?, codec_type: kind.to_lowercase(), ..Self::default() };
        if let Some((_, language)) = place.split_once('(') {
            stream.tags.insert("language".to_owned(), language.trim_end_matches(')').to_owned());
        }
        let (described, flags) = flags(described);
        stream.disposition = flags;
        let parts = parts(described);
        let mut parts = parts.into_iter();
        let codec = parts.next()?.split(' ').next()?;
        if codec != "none" {
            codec.clone_into(&mut stream.codec_name);
        }
        match kind {
            "Video" => {
                stream.pixels_of_dump(parts.next().unwrap_or_default());
                for part in parts {
                    stream.picture_of_dump(part);
                }
            }
            "Audio" => {
                stream.sample_rate = parts.next()?.strip_suffix(" Hz").map(str::to_owned);
                stream.channels = channels(parts.next().unwrap_or_default());
            }
            _ => {}
        }
        Some(stream)
    }

    /// Reads `yuv420p10le(tv, bt2020nc/bt2020/smpte2084, top first)`.
    fn pixels_of_dump(&mut self, part: &str) {
        let (format, properties) = part.split_once('(').unwrap_or((part, ""));
        self.pix_fmt = Some(format.to_owned()).filter(|format| format != "none");
        for property in properties.trim_end_matches(')').split(", ") {
            let mut colours = property.split('/');
            match (property, colours.next(), colours.next(), colours.next()) {
                ("tv" | "pc", ..) => self.color_range = Some(property.to_owned()),
                ("progressive", ..) => self.field_order = Some("progressive".to_owned()),
                // The bracket behind `swapped` went with that of the list.
                ("top first" | "top coded first (swapped", ..) => self.field_order = Some("tt".to_owned()),
                ("bottom first" | "bottom coded first (swapped", ..) => {
                    self.field_order = Some("bb".to_owned());
                }
                (_, Some(matrix), Some(primaries), Some(transfer)) => {
                    self.color_space = Some(matrix.to_owned());
                    self.color_primaries = Some(primaries.to_owned());
                    self.color_transfer = Some(transfer.to_owned());
                }
                _ if property.is_empty() || property.ends_with(" bpc") => {}
                // All three are the same: a single word stands for them.
                _ => {
                    let colour = Some(property.to_owned());
                    (self.color_space, self.color_primaries, self.color_transfer) =
                        (colour.clone(), colour.clone(), colour);
                }
            }
        }
    }

    /// Reads one of `320x180 [SAR 4:3 DAR 64:27]`, `SAR 4:3 DAR 64:27`, `29.97 fps`.
    fn picture_of_dump(&mut self, part: &str) {
        if let Some((_, aspect)) = part.split_once("SAR ") {
            // The container's stands behind the codec's, and counts.
            self.sample_aspect_ratio = aspect.split(' ').next().map(str::to_owned);
        }
        if let Some(rate) = part.strip_suffix(" fps") {
            // libavformat's `print_fps` writes whole thousands with a `k`.
            let (rate, thousand) = rate.strip_suffix('k').map_or((rate, 1.0), |rate| (rate, 1000.0));
            let hundredths = rate.parse::<f64>().map(|rate| (rate * thousand * 100.0).round() as u32);
            self.avg_frame_rate = hundredths.ok().map(|hundredths| format!("{hundredths}/100"));
        }
        let size = part.split(' ').next().and_then(|size| size.split_once('x'));
        if let Some((width, height)) = size
            && let (Ok(width), Ok(height)) = (width.parse(), height.parse())
        {
            (self.width, self.height) = (width, height);
        }
    }
}

/// Parts the flags from the end: `… (default) (hearing impaired)`.
fn flags(mut described: &str) -> (&str, BTreeMap<String, u8>) {
    let mut flags = BTreeMap::new();
    while let Some((before, flag)) =
        described.trim_end().strip_suffix(')').and_then(|it| it.rsplit_once(" ("))
        && FLAGS.contains(&flag)
    {
        flags.insert(flag.replace(' ', "_"), 1);
        described = before;
    }
    (described, flags)
}

/// Parts at the commas outside of brackets.
fn parts(described: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, c) in described.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(described[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(described[from..].trim());
    parts
}

/// Returns the channels of a layout's name: `mono`, `5.1(side)`, `3 channels`; of others two.
fn channels(layout: &str) -> u32 {
    let name = layout.split(['(', ' ']).next().unwrap_or_default();
    match name {
        "" => 0,
        "mono" => 1,
        _ => {
            let counts = name.split('.').map(|count| count.parse::<u32>().ok());
            counts.sum::<Option<u32>>().filter(|count| *count > 0).unwrap_or(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_read_back() {
        let answer = Answer::of_dump(
            "[tta @ 0x1] Codec (tta) not on whitelist\n\
             Input #0, matroska,webm, from 'file:a: b.mkv':\n  Metadata:\n    title           : Stream #0:7: Video: x\n  \
             Duration: 00:00:02.02, start: 1.500000, bitrate: 795 kb/s\n  \
             Stream #0:0: Video: h264 (High) (avc1 / 0x31637661), yuv420p10le(tv, bt2020nc/bt2020/smpte2084, top first), \
             320x180 [SAR 1:1 DAR 16:9], SAR 4:3 DAR 64:27, 29.97 fps, 25 tbr, 1k tbn (default) (forced)\n    Metadata:\n      \
             title           : A: film\n    Side data:\n      displaymatrix: rotation of -90.00 degrees\n  \
             Stream #0:1[0x101](ger): Audio: aac (LC), 48000 Hz, 5.1(side), fltp (visual impaired)\n  \
             Stream #0:2: Video: tiff, none, 90k tbr, 90k tbn (attached pic)\n  \
             Stream #0:3: Audio: tta, 48000 Hz, 1 channels, s16\nAt least one output file must be specified\n",
        )
        .unwrap();
        assert_eq!(
            (&*answer.format.format_name, answer.format.start_time.as_deref()),
            ("matroska,webm", Some("1.500000"))
        );
        let [picture, sound, cover, second] = &answer.streams[..] else { panic!("{:?}", answer.streams) };
        assert_eq!((&*picture.codec_name, picture.width, picture.height), ("h264", 320, 180));
        assert_eq!(picture.pix_fmt.as_deref(), Some("yuv420p10le"));
        assert_eq!(
            (picture.color_space.as_deref(), picture.color_transfer.as_deref()),
            (Some("bt2020nc"), Some("smpte2084"))
        );
        assert_eq!(
            (picture.field_order.as_deref(), picture.color_range.as_deref()),
            (Some("tt"), Some("tv"))
        );
        assert_eq!(
            (picture.sample_aspect_ratio.as_deref(), picture.avg_frame_rate.as_deref()),
            (Some("4:3"), Some("2997/100"))
        );
        assert!(picture.is("default") && picture.is("forced"));
        assert_eq!(
            (picture.tags["title"].as_str(), picture.side_data_list[0].rotation),
            ("A: film", Some(-90.0))
        );
        assert_eq!(
            (sound.channels, sound.sample_rate.as_deref(), &*sound.tags["language"]),
            (6, Some("48000"), "ger")
        );
        assert!(sound.is("visual_impaired") && cover.is_still());
        assert_eq!((&*cover.codec_name, &*second.codec_name, second.channels), ("tiff", "tta", 1));
    }

    #[test]
    fn programmes_are_read_back() {
        let answer = Answer::of_dump(
            "Input #0, mpegts, from 'file:a.ts':\n  Duration: 00:00:05.02, start: 1.400000, bitrate: 1 kb/s\n  \
             Program 1 \n    Metadata:\n      service_name    : One\n  \
             Stream #0:0[0x100]: Video: h264, yuv420p, 320x180, 25 fps\n  Program 2 \n  \
             Stream #0:1[0x101]: Audio: aac, 48000 Hz, stereo, fltp\n  No Program\n  \
             Stream #0:2[0x102]: Data: bin_data\n",
        )
        .unwrap();
        let members: Vec<Vec<u32>> =
            answer.programs.iter().map(|it| it.streams.iter().map(|member| member.index).collect()).collect();
        assert_eq!(
            (members, answer.programs[0].tags["service_name"].as_str()),
            (vec![vec![0], vec![1]], "One")
        );
        assert_eq!(answer.streams.len(), 3);
    }

    #[test]
    fn words_without_a_stream_are_no_description() {
        assert!(Answer::of_dump("file:a.mp4: Invalid data found when processing input\n").is_none());
    }
}
