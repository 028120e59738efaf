//! Troubles: why a process of ffmpeg ended badly, and the sentence about it for people. Leaves ffmpeg's own lines, with
//! their addresses and sockets, to the log.

use std::{fmt, process::ExitStatus, time::Duration};

use crate::notes::clock;

/// Why a process of ffmpeg ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The source does not decode.
    Damaged,
    /// It got no more memory.
    OutOfMemory,
    /// A disk is full.
    DiskFull,
    /// Somebody killed it; mostly the system, for want of memory.
    Killed,
    /// It used up the time that it may take.
    OutOfTime,
    /// It crashed.
    Crashed,
    /// Its reader ended first, and has the cause.
    ReaderGone,
    /// Its exit status says no more.
    Unknown,
}

// Numbers that POSIX and Linux agree on.
const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;

// Causes stand before what they lead to: a failed allocation is followed by errors of decoding. `rror` has no first
// letter, which is a capital in some lines.
/// Complaints of ffmpeg by the trouble that they mean; the first that matches decides.
const COMPLAINTS: [(Trouble, &[&str]); 4] = [
    (
        Trouble::OutOfMemory,
        &[
            "Cannot allocate memory",
            "Failed to allocate",
            "rror allocating",
            "malloc",
            "Resource temporarily unavailable",
        ],
    ),
    (Trouble::DiskFull, &["No space left on device"]),
    (
        Trouble::Damaged,
        &[
            "Invalid data found",
            "rror while decoding",
            "rror submitting packet to decoder",
            "Cannot determine format of input stream",
            "moov atom not found",
            "could not find codec parameters",
        ],
    ),
    (Trouble::ReaderGone, &["Broken pipe", "Connection reset by peer"]),
];

impl Trouble {
    /// Reads the trouble from a bad exit and ffmpeg's last lines.
    pub(crate) fn of(status: ExitStatus, lines: &[String]) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return match signal {
                SIGXCPU => Self::OutOfTime,
                SIGILL | SIGABRT | SIGBUS | SIGFPE | SIGSEGV => Self::Crashed,
                _ => Self::Killed,
            };
        }
        let complains =
            |words: &[&str]| lines.iter().any(|line| words.iter().any(|word| line.contains(word)));
        let known = COMPLAINTS.iter().find(|(_, words)| complains(words));
        known.map_or(Self::Unknown, |(trouble, _)| *trouble)
    }

    /// Returns whether another attempt at the same bytes would end in the same way.
    pub(crate) fn is_of_the_source(self) -> bool {
        matches!(self, Self::Damaged | Self::Crashed | Self::Unknown)
    }

    /// Returns a sentence or two: the fault, where in the file, and the way out. `doing` is such as `encoding the
    /// picture between 0:00 and 2:00`, `at` where decoding stood.
    pub(crate) fn sentence(self, doing: &str, at: Option<Duration>) -> String {
        let near = at.map_or_else(String::new, |at| format!(", near {}", clock(at)));
        match self {
            Self::Damaged => format!(
                "The file could not be decoded while {doing}{near}; it seems to be damaged there. Convert or repair it with another \
                 program, then upload it again."
            ),
            Self::OutOfMemory => {
                format!(
                    "The server had too little memory while {doing}{near}. Try again when it has less to do."
                )
            }
            Self::DiskFull => "The server's disk is full. Make room there, then try again.".to_owned(),
            Self::Killed => format!(
                "The server's encoder was killed while {doing}{near}, mostly for want of memory. Try again when the server has less \
                 to do."
            ),
            Self::OutOfTime => format!(
                "The server was too slow while {doing}{near}, and gave up. Try again when it has less to do."
            ),
            Self::Crashed => format!(
                "The server's encoder crashed while {doing}{near}. Convert the file with another program, then upload it again."
            ),
            Self::ReaderGone | Self::Unknown => format!(
                "The server's encoder stopped while {doing}{near}; the server's log has its last lines. Try again, or convert the \
                 file with another program first."
            ),
        }
    }
}

/// For logs.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "the source does not decode",
            Self::OutOfMemory => "it got no more memory",
            Self::DiskFull => "a disk is full",
            Self::Killed => "it was killed",
            Self::OutOfTime => "it took too long",
            Self::Crashed => "it crashed",
            Self::ReaderGone => "its reader ended first",
            Self::Unknown => "it ended badly",
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn exits_and_complaints_are_troubles() {
        let check = |raw: i32, lines: &[&str], expected: Trouble| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            let found = Trouble::of(ExitStatus::from_raw(raw), &lines);
            assert_eq!(found, expected, "{raw}: {lines:?}");
        };
        check(9, &[], Trouble::Killed);
        check(SIGXCPU, &[], Trouble::OutOfTime);
        check(SIGSEGV, &["Invalid data found"], Trouble::Crashed);
        check(1 << 8, &[], Trouble::Unknown);
        check(
            1 << 8,
            &["[h264 @ 0x5581] x", "Error while filtering: Cannot allocate memory"],
            Trouble::OutOfMemory,
        );
        check(1 << 8, &["av_interleaved_write_frame(): No space left on device"], Trouble::DiskFull);
        check(1 << 8, &["Error while decoding stream #0:0: Invalid data found"], Trouble::Damaged);
        check(1 << 8, &["av_interleaved_write_frame(): Broken pipe"], Trouble::ReaderGone);
    }

    #[test]
    fn a_sentence_has_the_place_and_the_way_out() {
        let doing = "encoding the picture between 0:00 and 2:00";
        assert_eq!(
            Trouble::Damaged.sentence(doing, Some(Duration::from_millis(63_900))),
            "The file could not be decoded while encoding the picture between 0:00 and 2:00, near 1:03; it seems to be damaged \
             there. Convert or repair it with another program, then upload it again."
        );
    }
}
