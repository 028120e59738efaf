//! The probe: two bounded calls of ffprobe, a third where only frames can decide. Leaves the meaning of the answers to
//! `streams` and `packets`, the caps to `limits`, files with a stream that ffprobe cannot open to `probe::narrow`.

mod child;
mod narrow;
#[cfg(test)]
mod tests;

use std::{path::Path, time::Duration};

use store::LoopbackSource;

use crate::{
    broadcast,
    error::{Error, Result},
    facts::{Facts, TextFacts},
    ffmpeg::{self, Input},
    index,
    joined::{self, Place},
    notes,
    packets::Scan,
    refusal::Refusal,
    samples,
    source::Bytes,
    streams::{Answer, Fields, Reading},
    whole::whole,
};
use child::{Child, Ended, Lines};

/// ffprobe's whole description of the streams; a file of 64 streams with long tags needs less.
const ANSWER_BYTES: usize = 4 << 20;
/// Frames whose flags decide on interlacing where the container is silent.
const FRAMES_LOOKED_AT: u32 = 60;
/// Captions are in every frame, though empty; some encoders leave the first ones without.
const FRAMES_WITH_CAPTIONS: u32 = 12;

/// The programs that look at a source.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'a> {
    /// Path or name of ffprobe.
    pub ffprobe: &'a Path,
    /// Path or name of ffmpeg.
    pub ffmpeg: &'a Path,
}

/// Measures a source. The container's own claims about its length and frame count aren't believed:
/// every packet is counted, by the index where that has all of them, else by reading the file once.
///
/// Refuses what can't be read, but leaves the caps to `Limits::check`.
pub async fn probe(programs: Programs<'_>, source: &Input) -> Result<Facts> {
    let bytes = match source {
        Input::File(path) => Some(Bytes::File(path)),
        _ => None,
    };
    Call::on(programs, source).await?.measure(bytes).await
}

/// Measures a source as [`probe`] does.
pub async fn probe_loopback(programs: Programs<'_>, source: &LoopbackSource) -> Result<Facts> {
    let input = Input::Loopback { url: source.url().to_owned(), len: source.len() };
    Call::on(programs, &input).await?.measure(Some(Bytes::Loopback(source))).await
}

/// The container and its streams.
struct Described {
    answer: Answer,
    complaint: String,
    by: By,
}

/// The program that described a source, and reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Ffprobe,
    /// Where ffprobe gives up.
    Ffmpeg,
}

/// The context that all calls on one source share.
#[derive(Clone, Copy)]
struct Call<'a> {
    programs: Programs<'a>,
    source: &'a Input,
    patience: Duration,
}

impl<'a> Call<'a> {
    async fn on(programs: Programs<'a>, source: &'a Input) -> Result<Self> {
        let size = source.len().await?;
        // A disk that gives 20 MB/s is slow, and reading is all that the scan does.
        let patience = Duration::from_secs(60 + size / 20_000_000);
        Ok(Self { programs, source, patience })
    }

    /// Measures a source whose bytes can be read at any place, if they can.
    async fn measure(&self, bytes: Option<Bytes<'_>>) -> Result<Facts> {
        let described = match (self.describe().await, bytes) {
            // Joined files may contradict each other, such as by where MXF's footer lies.
            (Err(refused @ Error::Refused(Refusal::NotMedia)), Some(bytes)) => {
                let places = joined::parts_of_unread(bytes).await?;
                return match self.joined(places).await? {
                    Some(whole) => Ok(whole),
                    None if bytes.len().await? == 0 => Err(Refusal::Empty.into()),
                    None if index::is_cut_off(bytes).await? => Err(Refusal::CutOff.into()),
                    None => Err(refused),
                };
            }
            (described, _) => described?,
        };
        if let Some(bytes) = bytes
            && described.answer.container().starts_with("mov,")
            && index::is_encrypted(bytes).await?
        {
            return Err(Refusal::Encrypted.into());
        }
        // ffmpeg lists no positions, so parts are sought in the bytes before its packets are read.
        if let (Some(bytes), By::Ffmpeg) = (bytes, described.by)
            && let Some(whole) = self.parts(bytes, &described, &Scan::default()).await?
        {
            return Ok(whole);
        }
        let indexed = match bytes {
            Some(bytes) => self.indexed(bytes, &described.answer).await?,
            None => None,
        };
        let scan = match indexed {
            Some(scan) => scan,
            None => self.packets(&described).await?,
        };
        if let Some(bytes) = bytes
            && let Some(whole) = self.parts(bytes, &described, &scan).await?
        {
            return Ok(whole);
        }
        let mut facts = self.facts(&described, &scan).await?;
        let read = notes::Packets { end: scan.end_position(), count: scan.packets() };
        let unread = notes::unread(&facts.container, self.source.len().await?, read);
        let filled = match (bytes, &unread) {
            (Some(bytes), Some(_)) => joined::is_filled(bytes, &facts.container).await?,
            _ => false,
        };
        facts.notes.extend(unread.filter(|_| !filled));
        Ok(facts)
    }

    /// Returns the packets that the container's index has, where that is all of them.
    async fn indexed(&self, bytes: Bytes<'_>, answer: &Answer) -> Result<Option<Scan>> {
        match answer.tracks() {
            Some(tracks) => samples::scan(bytes, &tracks, answer.scan()).await,
            None => Ok(None),
        }
    }

    /// Measures each of the files that a source was joined from; `None` where it is a single one, or its container's
    /// demuxer reads all of them as one.
    async fn parts(&self, bytes: Bytes<'_>, described: &Described, scan: &Scan) -> Result<Option<Facts>> {
        let places = self.places(bytes, described, scan).await?;
        self.joined(places).await
    }

    /// Measures the files at some places; `None` where none of them can be read.
    async fn joined(&self, places: Vec<Place>) -> Result<Option<Facts>> {
        let mut parts = Vec::new();
        let mut unread = Vec::new();
        for (number, place) in (1..).zip(places) {
            match self.part(&self.input(&place)).await {
                Ok(facts) => parts.push((place, facts)),
                Err(Error::Refused(refusal)) => {
                    tracing::info!(%refusal, number, "a joined file is left out");
                    unread.push(number);
                }
                Err(error) => return Err(error),
            }
        }
        let whole = whole(parts).map(|mut facts| {
            facts.notes.extend(unread.into_iter().map(notes::unread_part));
            facts
        });
        Ok(whole)
    }

    /// Returns where the files lie that are to be read each for itself.
    async fn places(&self, bytes: Bytes<'_>, described: &Described, scan: &Scan) -> Result<Vec<Place>> {
        let (len, end) = (self.source.len().await?, scan.end_position());
        let (container, timeline) = (described.answer.container(), scan.timeline());
        // ffmpeg lists packets without their positions, and makes one clock of several.
        if described.by == By::Ffmpeg {
            return joined::parts(bytes, container, 0).await;
        }
        let seams = timeline.seams() > 0;
        // The times of ADTS are wrong behind a change, and those of AVI are none: each stream goes on where its own part
        // before ended. Those of MXF are counted by one index for all packets. None of it shows in them.
        let within = matches!(container, "aac" | "avi" | "mxf");
        let reads_on = matches!(container, "mpegts" | "mpeg");
        if end == 0 || (end >= len && !seams && !within) {
            return Ok(Vec::new());
        }
        // All before the last packet was read well.
        let mut places = joined::parts(bytes, container, if seams || within { 0 } else { end }).await?;
        if reads_on && places.is_empty() {
            places = joined::parts_at(bytes, container, &timeline.seam_positions()).await?;
        }
        let Some(last) = places.last() else { return Ok(places) };
        // Demuxers go on behind a file of another kind, or take its bytes for packets.
        if places.iter().any(|place| place.other) && (seams || reads_on) {
            return Ok(places);
        }
        let all_read = end > last.bytes.start;
        // A header that is repeated among the packets begins no file that they do not show.
        if all_read && !seams && !within {
            return Ok(Vec::new());
        }
        // Where the demuxer reads on, its one clock serves, unless what the other files hold has other decoders.
        if all_read && (reads_on || container.starts_with("matroska")) && !self.differ(&places).await? {
            return Ok(Vec::new());
        }
        Ok(places)
    }

    /// Returns whether one of the files has other codecs than the first.
    async fn differ(&self, places: &[Place]) -> Result<bool> {
        let mut first = None;
        for place in places {
            let part = self.input(place);
            let described = match Call::on(self.programs, &part).await?.describe().await {
                Ok(described) => described,
                Err(Error::Refused(_)) => continue,
                Err(error) => return Err(error),
            };
            let codecs = described.answer.codecs();
            if *first.get_or_insert_with(|| codecs.clone()) != codecs {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn input(&self, place: &Place) -> Input {
        self.source.part(place.head.clone(), place.bytes.clone())
    }

    async fn part(&self, source: &Input) -> Result<Facts> {
        let call = Call::on(self.programs, source).await?;
        let described = call.describe().await?;
        let scan = call.packets(&described).await?;
        call.facts(&described, &scan).await
    }

    /// Joins what was described with the packets, and looks at frames where only they can decide.
    async fn facts(&self, described: &Described, scan: &Scan) -> Result<Facts> {
        let read = described.answer.read(scan);
        // A picture over the guard's limit has no size, and so seems not to be there.
        let Reading { mut facts, fields } =
            read.map_err(|refusal| too_large(&described.complaint).unwrap_or(refusal))?;
        if let (Some(video), Fields::Unknown) = (&mut facts.video, fields) {
            video.interlaced = match described.by {
                By::Ffprobe => self.shows_fields(video.stream).await?,
                By::Ffmpeg => self.shows_fields_narrowly(video.stream).await?,
            };
        }
        if let Some(video) = &facts.video
            // Captions are copied out with the file's own times, which stretches would have to shift.
            && video.stretches.is_empty()
            && broadcast::carries(&video.codec)
            && described.by == By::Ffprobe
            && self.shows_captions(video.stream).await?
        {
            facts.text.push(TextFacts {
                stream: video.stream,
                codec: video.codec.clone(),
                language: None,
                title: Some("Closed captions".to_owned()),
                // Broadcast captions are written for viewers who do not hear.
                describes_sounds: true,
                forced: false,
                inside: true,
            });
        }
        Ok(facts)
    }

    /// Returns the JSON of the container and its streams; in other words, where ffprobe cannot open one of them.
    async fn describe(&self) -> Result<Described> {
        let mut json = String::new();
        let args = ["-show_format", "-show_programs", "-show_streams", "-of", "json"];
        let ended = self
            .ffprobe(&args, |line| {
                json.push_str(line);
                json.len() <= ANSWER_BYTES
            })
            .await?;
        if ended.success {
            let answer = serde_json::from_str(&json)?;
            return Ok(Described { answer, complaint: ended.complaint, by: By::Ffprobe });
        }
        let refusal = self.refusal(&ended);
        if !matches!(refusal, Refusal::PictureTooLarge { .. })
            && let Some(answer) = self.describe_narrowly().await?
        {
            return Ok(Described { answer, complaint: ended.complaint, by: By::Ffmpeg });
        }
        Err(refusal.into())
    }

    /// Returns the times of every packet.
    async fn packets(&self, described: &Described) -> Result<Scan> {
        const ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,size,pos,flags";
        if described.by == By::Ffmpeg {
            return self.packets_narrowly(&described.answer).await;
        }
        let mut scan = described.answer.scan();
        self.ffprobe_to_its_end(&["-show_entries", ENTRIES, "-of", "csv=p=0"], |line| {
            scan.line(line);
            true
        })
        .await?;
        scan.finish();
        Ok(scan)
    }

    /// Returns whether a good part of the first frames are flagged as interlaced.
    async fn shows_fields(&self, stream: u32) -> Result<bool> {
        // `%+#N` reads the first N packets alone: a long file costs no more than a short one.
        let (stream, frames) = (stream.to_string(), format!("%+#{FRAMES_LOOKED_AT}"));
        let which = ["-select_streams", &stream, "-read_intervals", &frames];
        let what = ["-show_entries", "frame=interlaced_frame", "-of", "csv=p=0"];
        let mut flags = Flags::default();
        self.ffprobe_to_its_end(&[which, what].concat(), |line| {
            match line.trim_end().trim_end_matches(',') {
                "" => {}
                flag => flags.count(flag == "1"),
            }
            true
        })
        .await?;
        Ok(flags.interlaced())
    }

    /// Returns whether the first frames carry broadcast captions.
    async fn shows_captions(&self, stream: u32) -> Result<bool> {
        let (stream, frames) = (stream.to_string(), format!("%+#{FRAMES_WITH_CAPTIONS}"));
        let which = ["-select_streams", &stream, "-read_intervals", &frames];
        let what = ["-show_entries", "frame=key_frame:frame_side_data=side_data_type", "-of", "csv=p=0"];
        let mut captions = false;
        self.ffprobe_to_its_end(&[which, what].concat(), |line| {
            captions |= line.contains("A53");
            true
        })
        .await?;
        Ok(captions)
    }

    async fn ffprobe_to_its_end(&self, args: &[&str], take: impl FnMut(&str) -> bool + Send) -> Result<()> {
        let ended = self.ffprobe(args, take).await?;
        if ended.success { Ok(()) } else { Err(self.refusal(&ended).into()) }
    }

    async fn ffprobe(&self, args: &[&str], take: impl FnMut(&str) -> bool + Send) -> Result<Ended> {
        let child = Child { program: self.programs.ffprobe, patience: self.patience, lines: Lines::Stdout };
        let with = |command: &mut tokio::process::Command| {
            command.args(["-hide_banner", "-v", "error"]).args(args).args(ffmpeg::input_args(self.source));
        };
        child.run(with, take).await
    }

    /// Returns the reason for which a program gave the source up.
    fn refusal(&self, ended: &Ended) -> Refusal {
        let complaint = &ended.complaint;
        tracing::warn!(source = ?self.source, complaint, "source refused");
        if let Some(codec) = ffmpeg::forbidden_decoder(complaint) {
            return Refusal::UnsupportedCodec { codec: codec.to_owned() };
        }
        too_large(complaint).unwrap_or(Refusal::NotMedia)
    }
}

/// The flags of a picture's first frames.
#[derive(Default)]
struct Flags {
    seen: u32,
    interlaced: u32,
}

impl Flags {
    fn count(&mut self, interlaced: bool) {
        self.seen += 1;
        self.interlaced += u32::from(interlaced);
    }

    fn interlaced(&self) -> bool {
        // Telecined film flags two frames of five.
        self.seen > 0 && self.interlaced * 4 >= self.seen
    }
}

fn too_large(complaint: &str) -> Option<Refusal> {
    let (width, height) = ffmpeg::oversized_picture(complaint)?;
    let limits = crate::limits::Limits::default();
    Some(Refusal::PictureTooLarge { width, height, max_side: limits.side, max_pixels: limits.pixels })
}
