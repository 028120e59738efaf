//! A guarded child process whose output is read line by line, within bounds of time and size.

use std::{io, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    error::{Error, Result},
    ffmpeg::{self, Bounds},
    refusal::Refusal,
};

/// A packet's line has about 50 bytes; a tag may hold somebody's essay.
const LINE_BYTES: u64 = 1 << 20;
/// The part of the other output that is kept: complaints, for the log.
const COMPLAINT_BYTES: usize = 2048;

/// The output whose lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// The answer, as programs write it.
    Stdout,
    /// Descriptions that ffmpeg writes for people.
    Stderr,
}

/// How a child ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) success: bool,
    /// The last of the other output.
    pub(super) complaint: String,
}

/// A program, and how long it may take.
pub(super) struct Child<'a> {
    pub(super) program: &'a Path,
    pub(super) patience: Duration,
    pub(super) lines: Lines,
}

impl Child<'_> {
    /// Runs the program with the arguments that `with` adds and gives each line to `take`, which returns false when there
    /// is too much of them.
    pub(super) async fn run(
        &self,
        with: impl FnOnce(&mut Command) + Send,
        take: impl FnMut(&str) -> bool + Send,
    ) -> Result<Ended> {
        let start = |cause| Error::Start { program: self.program.display().to_string(), cause };
        let mut child = self.spawn(with).map_err(start)?;
        let piped = || start(io::Error::other("it has no pipe"));
        let stdout = child.stdout.take().ok_or_else(piped)?;
        let stderr = child.stderr.take().ok_or_else(piped)?;
        let (lines, rest): (Output, Output) = match self.lines {
            Lines::Stdout => (Box::new(stdout), Box::new(stderr)),
            Lines::Stderr => (Box::new(stderr), Box::new(stdout)),
        };
        let work = async {
            let output = async {
                let within = each_line(lines, take).await?;
                if !within {
                    // Nobody reads on, so it would never end by itself.
                    child.start_kill()?;
                }
                io::Result::Ok(within)
            };
            let (within, complaint) = tokio::try_join!(output, tail(rest))?;
            io::Result::Ok((within, complaint, child.wait().await?))
        };
        let Ok(done) = timeout(self.patience, work).await else {
            return Err(Refusal::TooMuchWork.into());
        };
        let (within, complaint, status) = done?;
        // No code: a signal ended it, ours or the kernel's at one of the limits.
        if !within || status.code().is_none() {
            tracing::warn!(%status, within, complaint, "source refused");
            return Err(Refusal::TooMuchWork.into());
        }
        Ok(Ended { success: status.success(), complaint })
    }

    fn spawn(&self, with: impl FnOnce(&mut Command)) -> io::Result<tokio::process::Child> {
        let mut command = ffmpeg::command(self.program);
        with(&mut command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(pid) = child.id() {
            ffmpeg::confine(pid, &Bounds { cpu: self.patience, ..Bounds::default() })?;
        }
        Ok(child)
    }
}

type Output = Box<dyn AsyncRead + Unpin + Send>;

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
