//! The probe: two bounded calls of ffprobe, a third where only frames can
//! decide. Leaves the meaning of the answers to `streams` and `packets`, the caps to `limits`.

use std::{collections::BTreeMap, io, path::Path, process::Stdio, time::Duration};

use store::LoopbackSource;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::Child,
    time::timeout,
};

use crate::{
    error::{Error, Result},
    facts::Facts,
    ffmpeg::{self, Bounds, Input},
    index,
    packets::Scan,
    refusal::Refusal,
    streams::{Answer, Fields, Reading},
    timeline::Kind,
};

/// ffprobe's whole description of the streams; a file of 64 streams with long tags needs less.
const ANSWER_BYTES: usize = 4 << 20;
/// A packet's line has about 50 bytes; a tag may hold somebody's essay.
const LINE_BYTES: u64 = 1 << 20;
/// The part of ffprobe's complaints that is kept for the log.
const COMPLAINT_BYTES: usize = 2048;
/// Frames whose flags decide on interlacing where the container is silent.
const FRAMES_LOOKED_AT: u32 = 60;

/// Measures a source. The container's own claims about its length and frame count aren't believed:
/// every packet is counted.
///
/// Reads the whole file once; refuses what can't be read, but leaves the caps to `Limits::check`.
pub async fn probe(ffprobe: &Path, source: &Input) -> Result<Facts> {
    let call = Call::on(ffprobe, source).await?;
    let described = call.describe().await?;
    let kinds = described.0.kinds();
    let scan = call.packets(kinds, &[]).await?;
    call.facts(described, &scan).await
}

/// Measures a source as [`probe`] does, and leaves its media data unread if its index has all
/// packets: a film of hours is then planned before its bytes could have been fetched.
pub async fn probe_loopback(ffprobe: &Path, source: &LoopbackSource) -> Result<Facts> {
    let input = Input::Loopback { url: source.url().to_owned(), len: source.len() };
    let call = Call::on(ffprobe, &input).await?;
    let described = call.describe().await?;
    let kinds = described.0.kinds();
    let holes = if described.0.parsed() { None } else { index::media_data(source).await? };
    let scan = match holes {
        Some(holes) => {
            let hollow = Input::Loopback { url: source.sparse_url(holes), len: source.len() };
            Call { source: &hollow, ..call }.packets(kinds, &["-fflags", "+noparse"]).await?
        }
        None => call.packets(kinds, &[]).await?,
    };
    call.facts(described, &scan).await
}

/// The context that all calls on one source share.
#[derive(Clone, Copy)]
struct Call<'a> {
    ffprobe: &'a Path,
    source: &'a Input,
    patience: Duration,
}

impl<'a> Call<'a> {
    async fn on(ffprobe: &'a Path, source: &'a Input) -> Result<Self> {
        let size = source.len().await?;
        // A disk that gives 20 MB/s is slow, and reading is all that the scan does.
        let patience = Duration::from_secs(60 + size / 20_000_000);
        Ok(Self { ffprobe, source, patience })
    }

    /// Joins what was described with the packets, and looks at frames where only they can decide.
    async fn facts(&self, (answer, complaint): (Answer, String), scan: &Scan) -> Result<Facts> {
        let read = answer.read(scan);
        // A picture over the guard's limit has no size, and so seems not to be there.
        let Reading { mut facts, fields } =
            read.map_err(|refusal| too_large(&complaint).unwrap_or(refusal))?;
        if let (Some(video), Fields::Unknown) = (&mut facts.video, fields) {
            video.interlaced = self.shows_fields(video.stream).await?;
        }
        Ok(facts)
    }

    /// Returns the JSON of the container and its streams.
    async fn describe(&self) -> Result<(Answer, String)> {
        let mut json = String::new();
        let args = ["-show_format", "-show_streams", "-of", "json"];
        let complaint = self
            .run(&args, |line| {
                json.push_str(line);
                json.len() <= ANSWER_BYTES
            })
            .await?;
        Ok((serde_json::from_str(&json)?, complaint))
    }

    /// Returns the times of every packet.
    async fn packets(&self, kinds: BTreeMap<u32, Kind>, how: &[&str]) -> Result<Scan> {
        const ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,pos,flags";
        let mut scan = Scan::of(kinds);
        self.run(&[how, &["-show_entries", ENTRIES, "-of", "csv=p=0"]].concat(), |line| {
            scan.line(line);
            true
        })
        .await?;
        scan.finish();
        Ok(scan)
    }

    /// Returns whether a good part of the first frames are flagged as interlaced.
    async fn shows_fields(&self, stream: u32) -> Result<bool> {
        let (stream, frames) = (stream.to_string(), format!("%+#{FRAMES_LOOKED_AT}"));
        let which = ["-select_streams", &stream, "-read_intervals", &frames];
        let what = ["-show_entries", "frame=interlaced_frame", "-of", "csv=p=0"];
        let (mut flagged, mut seen) = (0_u32, 0_u32);
        self.run(&[which, what].concat(), |line| {
            let flag = line.trim_end().trim_end_matches(',');
            seen += u32::from(!flag.is_empty());
            flagged += u32::from(flag == "1");
            true
        })
        .await?;
        // Telecined film flags two frames of five.
        Ok(seen > 0 && flagged * 4 >= seen)
    }

    /// Runs ffprobe and gives each line to `take`, which returns false when there is too much of them.
    async fn run(&self, args: &[&str], take: impl FnMut(&str) -> bool + Send) -> Result<String> {
        let start = |cause| Error::Start { program: self.ffprobe.display().to_string(), cause };
        let mut child = self.spawn(args).map_err(start)?;
        let piped = || start(io::Error::other("it has no pipe"));
        let stdout = child.stdout.take().ok_or_else(piped)?;
        let stderr = child.stderr.take().ok_or_else(piped)?;
        let work = async {
            let output = async {
                let within = each_line(stdout, take).await?;
                if !within {
                    // Nobody reads on, so it would never end by itself.
                    child.start_kill()?;
                }
                io::Result::Ok(within)
            };
            let (within, complaint) = tokio::try_join!(output, tail(stderr))?;
            io::Result::Ok((within, complaint, child.wait().await?))
        };
        let Ok(done) = timeout(self.patience, work).await else {
            return Err(Refusal::TooMuchWork.into());
        };
        let (within, complaint, status) = done?;
        if within && status.success() {
            return Ok(complaint);
        }
        tracing::warn!(source = ?self.source, %status, within, complaint, "source refused");
        // No code: a signal ended it, ours or the kernel's at one of the limits.
        if !within || status.code().is_none() {
            return Err(Refusal::TooMuchWork.into());
        }
        // ffprobe gives up at the first decoder that it may not open.
        if let Some(codec) = ffmpeg::forbidden_decoder(&complaint) {
            return Err(Refusal::UnsupportedCodec { codec: codec.to_owned() }.into());
        }
        Err(too_large(&complaint).unwrap_or(Refusal::NotMedia).into())
    }

    fn spawn(&self, args: &[&str]) -> io::Result<Child> {
        let child = ffmpeg::command(self.ffprobe)
            .args(["-hide_banner", "-v", "error"])
            .args(args)
            .args(ffmpeg::input_args(self.source))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(pid) = child.id() {
            let bounds = Bounds { cpu: self.patience, ..Bounds::default() };
            ffmpeg::confine(pid, &bounds)?;
        }
        Ok(child)
    }
}

fn too_large(complaint: &str) -> Option<Refusal> {
    let (width, height) = ffmpeg::oversized_picture(complaint)?;
    let limits = crate::limits::Limits::default();
    Some(Refusal::PictureTooLarge { width, height, max_side: limits.side, max_pixels: limits.pixels })
}

/// Gives each line to `take`; returns false when that does, or at a line longer than any reason.
async fn each_line(output: impl AsyncRead + Unpin, mut take: impl FnMut(&str) -> bool) -> io::Result<bool> {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut output).take(LINE_BYTES).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(true);
        }
        if read as u64 == LINE_BYTES || !take(&String::from_utf8_lossy(&line)) {
            return Ok(false);
        }
    }
}

/// Reads to the end and keeps the last of it, so that the child never waits for a reader.
async fn tail(mut stderr: impl AsyncRead + Unpin) -> io::Result<String> {
    let (mut kept, mut chunk) = (Vec::new(), [0; COMPLAINT_BYTES]);
    loop {
        let read = stderr.read(&mut chunk).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&kept).trim().to_owned());
        }
        kept.extend_from_slice(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(COMPLAINT_BYTES));
    }
}
