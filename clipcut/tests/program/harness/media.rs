//! Media: sources made by ffmpeg, and results checked by ffprobe and by their MP4 boxes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sha2::{Digest, Sha256};

/// Sources that many tests share, each made once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clip {
    /// Two seconds with sound, its index at the front.
    Short,
    /// A minute of pictures that take work, with sound: eleven segments of each rendition.
    Long,
    /// Four seconds, many bytes, little work.
    Heavy,
    /// Twenty seconds in which two people speak.
    Spoken,
    /// Eight minutes of speech under a picture that takes no work.
    Lecture,
}

impl Clip {
    /// Returns the clip's file. Each test is a process of its own, so the clip is kept on disk, under the hash of the
    /// arguments that make it, and takes its place by a rename: two tests that make it at once both end with a whole file.
    pub(crate) fn file(self) -> &'static Path {
        let (name, args) = self.recipe();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clips").join(sha256(args.as_bytes()));
        let file = folder.join(name);
        if !file.is_file() {
            fs::create_dir_all(&folder).unwrap();
            let unfinished = tempfile::tempdir_in(&folder).unwrap();
            fs::rename(make(unfinished.path(), name, args), &file).unwrap();
        }
        file.leak()
    }

    /// Returns the file's name and ffmpeg's arguments without it.
    fn recipe(self) -> (&'static str, &'static str) {
        match self {
            Self::Short => (
                "short.mp4",
                "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -f lavfi -i sine=440:d=2 -c:v libx264 -preset ultrafast \
                 -pix_fmt yuv420p -c:a aac -movflags +faststart",
            ),
            Self::Long => (
                "long.mp4",
                "-f lavfi -i testsrc2=s=640x360:r=25:d=62 -f lavfi -i sine=440:d=62 -c:v libx264 -preset ultrafast \
                 -pix_fmt yuv420p -c:a aac",
            ),
            Self::Heavy => {
                ("heavy.mkv", "-f lavfi -i testsrc2=s=320x240:r=25:d=4 -c:v rawvideo -pix_fmt yuv420p")
            }
            Self::Spoken => (
                "spoken.mp4",
                concat!(
                    "-f lavfi -i testsrc2=s=640x360:r=25:d=20 -i ",
                    env!("CARGO_MANIFEST_DIR"),
                    "/../transcriber/tests/golden/two-speakers.flac -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
                     -c:a aac",
                ),
            ),
            Self::Lecture => (
                "lecture.mp4",
                concat!(
                    "-f lavfi -i color=s=160x90:r=5:d=480 -stream_loop 3 -i ",
                    env!("CARGO_MANIFEST_DIR"),
                    "/../transcriber/tests/golden/two-minutes.flac -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
                     -c:a aac -t 480",
                ),
            ),
        }
    }

    /// The number of frames of its packaged form.
    pub(crate) fn frames(self) -> u64 {
        match self {
            Self::Short => 50,
            Self::Long => 1550,
            Self::Heavy => 100,
            Self::Spoken => 500,
            Self::Lecture => 2400,
        }
    }

    /// The number of segments of each rendition.
    pub(crate) fn segments(self) -> u64 {
        // Six seconds each, but the first three two, of 25 pictures a second or, in the lecture, of 5.
        let gop = if let Self::Lecture = self { 10 } else { 50 };
        let groups = self.frames().div_ceil(gop);
        if groups <= 3 { groups } else { self.frames().div_ceil(3 * gop) + 2 }
    }
}

/// Makes a file with ffmpeg; `args` end without the file's name.
pub(crate) fn make(folder: &Path, name: &str, args: &str) -> PathBuf {
    let file = folder.join(name);
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y"])
        .args(args.split_whitespace())
        .arg(&file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{args}: {}", String::from_utf8_lossy(&run.stderr));
    file
}

/// Runs a program on `input`. Returns its standard output, or an error when it fails or warns.
pub(crate) fn try_ask(program: &str, args: &[&str], input: &[&[u8]]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for part in input {
        // A program may close its input early (EPIPE); its exit code shows whether that was right.
        let _ = stdin.write_all(part);
    }
    drop(stdin);
    let run = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&run.stderr).into_owned();
    if run.status.success() && complaints.is_empty() {
        return Ok(String::from_utf8(run.stdout).unwrap());
    }
    Err(format!("{program} {args:?}: {}: {complaints}", run.status))
}

/// Runs a program and returns its standard output; it must succeed without a warning.
pub(crate) fn ask(program: &str, args: &[&str]) -> String {
    try_ask(program, args, &[]).unwrap()
}

/// Decodes all of `source`, a URL or a path, and returns the frames of each of its streams of pictures.
pub(crate) fn count_frames(source: &str) -> Vec<u64> {
    let entries = ["-show_entries", "stream=index,nb_read_frames", "-of", "csv=p=0"];
    let printed = ask(
        "ffprobe",
        &[&["-v", "warning", "-count_frames", "-select_streams", "v"], &entries[..], &[source]].concat(),
    );
    // A stream stands once below its programme and once alone, in one line each.
    let mut streams: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    streams.sort_unstable();
    streams.dedup();
    streams.iter().map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// Returns the names of the boxes that `bytes` are made of; each must be complete (ISO/IEC 14496-12 §4.2).
pub(crate) fn boxes(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (Some(size), Some(name)) = (rest.get(..4), rest.get(4..8)) else {
            panic!("{} bytes after {names:?}", rest.len());
        };
        let size = u32::from_be_bytes(size.try_into().unwrap()) as usize;
        names.push(String::from_utf8_lossy(name).into_owned());
        assert!(
            (8..=rest.len()).contains(&size),
            "{names:?} declares {size} bytes, there are {}",
            rest.len()
        );
        rest = &rest[size..];
    }
    names
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies a file to a path of the test's own.
pub(crate) fn own(file: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join(file.file_name().unwrap());
    fs::copy(file, &copy).unwrap();
    copy
}
