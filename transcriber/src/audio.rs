//! The sound of any file, by ffmpeg, as 16 kHz mono through a pipe. Streams: samples behind the window in work are
//! dropped, so a ten-hour file needs no more memory than a minute.

use std::{
    io::{self, Read},
    path::PathBuf,
    process::{Child, ChildStdout, Stdio},
    sync::Arc,
    time::Duration,
};

use ffmpeg::{Bounds, Input};

use crate::{
    Error, Result,
    mel::{HOP, SAMPLE_RATE, WINDOW},
};

// A quarter of a second at a time.
const READ_BYTES: usize = SAMPLE_RATE;
// As much of stderr as a person reads.
const STDERR_TAIL_BYTES: usize = 2000;

/// Where sound comes from; may be opened more than once.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that ffmpeg reads.
    File(File),
    /// Sound in memory: 16 kHz, mono.
    Samples(Arc<[f32]>),
}

/// A file that ffmpeg reads.
#[derive(Clone, Debug)]
pub struct File {
    /// Path or name of ffmpeg.
    pub ffmpeg: PathBuf,
    /// The file; never a name that a person made.
    pub input: Input,
    /// The stream's index in the file; else its first sound.
    pub stream: Option<u32>,
    /// The time of the file's own clock at zero, in seconds; else zero is where the file starts.
    pub clock_at_zero: Option<f64>,
}

impl Source {
    /// Opens the sound at its beginning.
    pub fn open(&self) -> Result<Sound> {
        let feed = match self {
            Self::File(file) => Feed::Ffmpeg(Ffmpeg::start(file)?),
            Self::Samples(samples) => Feed::Samples(samples.clone(), 0),
        };
        Ok(Sound { feed, kept: Vec::new(), kept_from: 0, ended: false, broke_off: None })
    }
}

/// Sound in reading.
#[derive(Debug)]
pub struct Sound {
    feed: Feed,
    kept: Vec<f32>,
    /// The number of the first kept sample.
    kept_from: u64,
    ended: bool,
    broke_off: Option<String>,
}

impl Sound {
    /// Returns `count` samples from number `from` on, fewer at the end of the sound. Samples before `from` are
    /// dropped.
    ///
    /// # Panics
    /// Panics if `from` lies before that of an earlier call.
    pub fn samples(&mut self, from: u64, count: usize) -> Result<&[f32]> {
        assert!(from >= self.kept_from, "sound is read forwards only");
        loop {
            let gone = (from - self.kept_from).min(self.kept.len() as u64) as usize;
            // Moving the rest costs little when at least half of the buffer is dropped.
            if gone * 2 >= self.kept.len() || self.ended {
                self.kept.drain(..gone);
                self.kept_from += gone as u64;
            }
            let start = (from - self.kept_from).min(self.kept.len() as u64) as usize;
            if self.ended || self.kept.len() - start >= count {
                let end = self.kept.len().min(start + count);
                return Ok(&self.kept[start..end]);
            }
            self.read_on()?;
        }
    }

    /// Returns the end of ffmpeg's stderr if the sound broke off before its end.
    pub fn broke_off(&self) -> Option<&str> {
        self.broke_off.as_deref()
    }

    fn read_on(&mut self) -> Result<()> {
        match &mut self.feed {
            Feed::Samples(samples, at) => {
                let end = samples.len().min(*at + READ_BYTES);
                self.kept.extend(samples[*at..end].iter().map(|sample| clean(*sample)));
                self.ended = end == samples.len();
                *at = end;
            }
            Feed::Ffmpeg(child) => {
                let mut bytes = [0; READ_BYTES];
                let length = fill(&mut child.pipe, &mut bytes)?;
                let samples = bytes[..length].chunks_exact(4);
                self.kept.extend(samples.map(|b| clean(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))));
                // `fill` returns less than it was asked for at the end of the pipe alone.
                if length < bytes.len() {
                    self.ended = true;
                    self.broke_off = child.end()?;
                    if self.kept.is_empty() && self.kept_from == 0 {
                        return Err(no_samples(self.broke_off.take()));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns the error of a sound without a sample.
fn no_samples(stderr: Option<String>) -> Error {
    match stderr {
        Some(stderr)
            // ffmpeg's exit status does not show that a file has no sound; these sentences alone do.
            if stderr.contains("matches no streams") || stderr.contains("does not contain any stream") =>
        {
            Error::NoSound
        }
        Some(stderr) => Error::Unreadable(stderr),
        None => Error::NoSound,
    }
}

/// Float PCM may hold anything; the model expects −1 to 1.
fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Reads until `bytes` is full or the pipe ends.
fn fill(pipe: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    // A pipe gives what it has: a short read is no end, and may cut a sample in two.
    while length < bytes.len() {
        match pipe.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

/// Returns the samples under frame `frame`'s window, whose middle is at `frame × HOP`. The sound is mirrored at its
/// start and silent behind its end, as the reference has it. `sound[0]` is sample number `from`.
pub(crate) fn window(sound: &[f32], from: u64, frame: u64, out: &mut [f32; WINDOW]) {
    let first = (frame * HOP as u64) as i64 - (WINDOW / 2) as i64 - from as i64;
    if first >= 0
        && let Some(whole) = sound.get(first as usize..first as usize + WINDOW)
    {
        out.copy_from_slice(whole);
        return;
    }
    for (n, out) in out.iter_mut().enumerate() {
        let at = first + n as i64;
        let at =
            if from == 0 { at.unsigned_abs() as usize } else { usize::try_from(at).unwrap_or(usize::MAX) };
        *out = sound.get(at).copied().unwrap_or(0.0);
    }
}

#[derive(Debug)]
enum Feed {
    Ffmpeg(Ffmpeg),
    Samples(Arc<[f32]>, usize),
}

/// A running ffmpeg; killed when dropped.
#[derive(Debug)]
struct Ffmpeg {
    child: Child,
    pipe: ChildStdout,
    stderr: Option<std::thread::JoinHandle<String>>,
}

impl Ffmpeg {
    fn start(file: &File) -> Result<Self> {
        let failed = |cause| Error::Start { program: file.ffmpeg.display().to_string(), cause };
        let mut command = ffmpeg::command(&file.ffmpeg).into_std();
        command.args(["-hide_banner", "-nostdin", "-loglevel", "error"]);
        let stream = file.stream.map_or("0:a:0".to_owned(), |n| format!("0:{n}"));
        let mut filter = String::new();
        if let Some(zero) = file.clock_at_zero {
            // `-copyts` keeps the file's own clock, of which `clock_at_zero` is a reading; ffmpeg would begin at zero.
            command.arg("-copyts");
            filter = format!("asetpts=PTS-{zero:.6}/TB,");
        }
        // Gaps become silence, so that times stay those of the video's clock.
        filter += &format!("aresample={SAMPLE_RATE}:async=1:first_pts=0");
        command.args(ffmpeg::input_args(&file.input));
        command.args([
            "-map", &stream, "-vn", "-sn", "-dn", "-af", &filter, "-ac", "1", "-f", "f32le", "pipe:1",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        // An hour of the processor decodes days of sound; a file that takes more was made to hang its decoder.
        let bounds = Bounds { cpu: Duration::from_hours(1), ..Bounds::default() };
        let taken = (child.stdout.take(), child.stderr.take());
        let (Some(pipe), Some(mut errors)) = taken else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        let confined = ffmpeg::confine(child.id(), &bounds);
        let stderr = std::thread::spawn(move || {
            let (mut tail, mut bytes) = (Vec::new(), [0; 1024]);
            // To the end, so that a talkative ffmpeg never waits for us.
            while let Ok(length @ 1..) = errors.read(&mut bytes) {
                tail.extend_from_slice(&bytes[..length]);
                let over = tail.len().saturating_sub(STDERR_TAIL_BYTES);
                tail.drain(..over);
            }
            String::from_utf8_lossy(&tail).trim().replace('\n', "; ")
        });
        // The handle is made before the error is returned: its drop kills a child that could not be confined.
        let started = Self { child, pipe, stderr: Some(stderr) };
        confined.map_err(failed)?;
        Ok(started)
    }

    /// Waits for the process. Returns the end of its stderr if it broke off.
    fn end(&mut self) -> Result<Option<String>> {
        let status = self.child.wait()?;
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        // ffmpeg exits with 0 behind damaged packets, too; only its stderr shows that sound is missing.
        let well = status.success() && stderr.is_empty();
        Ok((!well).then(|| if stderr.is_empty() { status.to_string() } else { stderr }))
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // Fails only when it has ended by itself.
        let _ = self.child.kill();
        // The child would stay a zombie without a wait, as long as the server lives.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_read_forwards_and_dropped_behind() {
        let all: Vec<f32> = (0..100_000).map(|n| n as f32 / 100_000.0).collect();
        let mut sound = Source::Samples(all.clone().into()).open().unwrap();
        assert_eq!(sound.samples(0, 10).unwrap(), &all[..10]);
        assert_eq!(sound.samples(50_000, 1000).unwrap(), &all[50_000..51_000]);
        assert_eq!(sound.samples(50_500, 100_000).unwrap(), &all[50_500..]);
        assert!(sound.samples(100_000, 1).unwrap().is_empty());
        assert!(sound.samples(200_000, 1).unwrap().is_empty());
    }

    #[test]
    fn samples_that_are_no_numbers_are_silence() {
        let odd: Arc<[f32]> = [f32::NAN, f32::INFINITY, -7.0, 0.5].into();
        assert_eq!(Source::Samples(odd).open().unwrap().samples(0, 4).unwrap(), [0.0, 0.0, -1.0, 0.5]);
    }

    #[test]
    fn a_frame_is_mirrored_at_the_start_and_silent_behind_the_end() {
        let sound: Vec<f32> = (0..500).map(|n| n as f32).collect();
        let mut out = [0.0; WINDOW];
        window(&sound, 0, 0, &mut out);
        assert_eq!((out[0], out[199], out[200], out[399]), (200.0, 1.0, 0.0, 199.0));
        window(&sound, 0, 3, &mut out);
        assert_eq!((out[0], out[219], out[220]), (280.0, 499.0, 0.0));
        window(&sound, 1000, 8, &mut out);
        assert_eq!((out[0], out[399]), (80.0, 479.0));
    }
}
