//! The narrow probe, by ffmpeg. ffprobe opens a decoder for every stream and gives up at the first that the guard forbids or
//! that does not open: a cover in TIFF, a second sound in TTA. ffmpeg opens those of the streams that it decodes, so it
//! describes such a file, and lists its packets without any decoder.

use std::collections::BTreeMap;

use tokio::process::Command;

use super::{
    Call, FRAMES_LOOKED_AT, Flags,
    child::{Child, Ended, Lines},
};
use crate::{error::Result, ffmpeg, packets::Scan, refusal::Refusal, streams::Answer};

/// A description for people is shorter than one in JSON.
const DESCRIPTION_BYTES: usize = 1 << 20;

/// Flags of libavcodec's packets: a place where decoding may start, and one that is never shown.
const KEY: u32 = 1;
const DISCARD: u32 = 4;

/// The arguments of one call of ffmpeg.
struct Arguments<'a> {
    log: &'a str,
    before_input: &'a [&'a str],
    after_input: &'a [&'a str],
    lines: Lines,
}

impl Call<'_> {
    /// Returns the description that ffmpeg writes for people; `None` for a file that it cannot read either.
    pub(super) async fn describe_narrowly(&self) -> Result<Option<Answer>> {
        let mut text = String::new();
        // Without an output, ffmpeg describes its input and ends with an error.
        let arguments = Arguments { log: "info", before_input: &[], after_input: &[], lines: Lines::Stderr };
        self.ffmpeg(arguments, |line| {
            text.push_str(line);
            text.len() <= DESCRIPTION_BYTES
        })
        .await?;
        Ok(Answer::of_dump(&text))
    }

    /// Returns the times of every packet of these streams.
    pub(super) async fn packets_narrowly(&self, answer: &Answer) -> Result<Scan> {
        let streams: Vec<u32> = answer.kinds().keys().copied().collect();
        if streams.is_empty() {
            return Err(Refusal::NothingToPlay.into());
        }
        let maps: Vec<String> = streams.iter().map(|stream| format!("0:{stream}")).collect();
        let maps = maps.iter().flat_map(|map| ["-map", map]);
        // Packets as they are: none is left out for its time, or for coming before a key frame.
        let copy = ["-c", "copy", "-copyinkf", "-copypriorss", "1", "-f", "framecrc", "-"];
        let after_input: Vec<&str> = maps.chain(copy).collect();
        let arguments = Arguments {
            log: "error",
            before_input: &["-copyts"],
            after_input: &after_input,
            lines: Lines::Stdout,
        };
        let mut scan = answer.scan();
        let mut reader = Reader { streams, time_bases: BTreeMap::new() };
        let ended = self
            .ffmpeg(arguments, |line| {
                if let Some(packet) = reader.packet(line) {
                    scan.line(&packet);
                }
                true
            })
            .await?;
        if !ended.success {
            return Err(self.refusal(&ended).into());
        }
        scan.finish();
        let timeline = scan.timeline();
        // The timeline goes by positions in the file, which this list has not.
        if timeline.seams() > 0 || timeline.outliers() > 0 {
            return Err(Refusal::TooMuchWork.into());
        }
        Ok(scan)
    }

    /// Returns whether a good part of the first frames are flagged as interlaced.
    pub(super) async fn shows_fields_narrowly(&self, stream: u32) -> Result<bool> {
        let (map, frames) = (format!("0:{stream}"), FRAMES_LOOKED_AT.to_string());
        let after_input = ["-map", &map, "-frames:v", &frames, "-vf", "showinfo", "-f", "null", "-"];
        let arguments = Arguments {
            log: "info",
            before_input: &["-copyts"],
            after_input: &after_input,
            lines: Lines::Stderr,
        };
        let mut flags = Flags::default();
        self.ffmpeg(arguments, |line| {
            // `i:P`, `i:T` or `i:B`: progressive, top or bottom field first.
            if line.contains("showinfo")
                && let Some((_, order)) = line.split_once(" i:")
            {
                flags.count(!order.starts_with('P'));
            }
            true
        })
        .await?;
        Ok(flags.interlaced())
    }

    async fn ffmpeg(&self, arguments: Arguments<'_>, take: impl FnMut(&str) -> bool + Send) -> Result<Ended> {
        let Arguments { log, before_input, after_input, lines } = arguments;
        let child = Child { program: self.programs.ffmpeg, patience: self.patience, lines };
        let with = |command: &mut Command| {
            command.args(["-hide_banner", "-nostdin", "-nostats", "-v", log]).args(before_input);
            command.args(ffmpeg::input_args(self.source)).args(after_input);
        };
        child.run(with, take).await
    }
}

/// A reader of ffmpeg's `framecrc` format.
struct Reader {
    /// The source's streams, by their place in the output.
    streams: Vec<u32>,
    /// Seconds of a tick, by place.
    time_bases: BTreeMap<usize, f64>,
}

impl Reader {
    /// Returns a packet in the words of the scan; `None` for lines that are none.
    fn packet(&mut self, line: &str) -> Option<String> {
        if let Some(header) = line.strip_prefix("#tb ") {
            let (place, base) = header.trim_end().split_once(": ")?;
            let (num, den) = base.split_once('/')?;
            let seconds = num.parse::<f64>().ok()? / den.parse::<f64>().ok()?;
            self.time_bases.insert(place.parse().ok()?, seconds);
            return None;
        }
        let mut fields = line.trim_end().split(',').map(str::trim);
        let place: usize = fields.next()?.parse().ok()?;
        let base = *self.time_bases.get(&place)?;
        let mut time = || {
            let ticks: i64 = fields.next()?.parse().ok()?;
            // libavutil's `AV_NOPTS_VALUE`, which this format prints as a number.
            Some(if ticks == i64::MIN { "N/A".to_owned() } else { format!("{:.6}", ticks as f64 * base) })
        };
        let (decode, shown, duration) = (time()?, time()?, time()?);
        // The flags stand behind size and checksum, unless they say no more than "key".
        let flags = fields.find_map(|field| field.strip_prefix("F=0x"));
        let flags = flags.map_or(Some(KEY), |flags| u32::from_str_radix(flags, 16).ok())?;
        let key = if flags & KEY == 0 { '_' } else { 'K' };
        let discard = if flags & DISCARD == 0 { '_' } else { 'D' };
        Some(format!("{},{shown},{decode},{duration},N/A,N/A,{key}{discard}", self.streams.get(place)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_from_framecrc() {
        let mut reader = Reader { streams: vec![0, 2], time_bases: BTreeMap::new() };
        let mut check = |line: &str, expected: Option<&str>| {
            assert_eq!(reader.packet(line).as_deref(), expected, "{line}");
        };
        check("#software: Lavf59.27.100\n", None);
        check("#tb 0: 1/1000\n", None);
        check("#tb 1: 1/90000\n", None);
        check(
            "0,         21,         61,       40,     7534, 0x8415c062\n",
            Some("0,0.061000,0.021000,0.040000,N/A,N/A,K_"),
        );
        check("0, 61, 61, 40, 2618, 0x507ded2a, F=0x0\n", Some("0,0.061000,0.061000,0.040000,N/A,N/A,__"));
        check("1, -900, -900, 90, 9, 0x1, F=0x5, S=1\n", Some("2,-0.010000,-0.010000,0.001000,N/A,N/A,KD"));
        check("1, -9223372036854775808, 0, 90, 9, 0x1\n", Some("2,0.000000,N/A,0.001000,N/A,N/A,K_"));
    }
}
