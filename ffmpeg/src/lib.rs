//! Guarded calls of ffmpeg and ffprobe on files that nobody vouches for: the arguments that every
//! call puts before its input, and what a child process may use. Leaves what to ask to the callers, what is read to `input`.

mod input;
mod still;

use std::{
    ffi::{OsStr, OsString},
    io,
    process::Stdio,
    time::Duration,
};

pub use input::Input;
pub use still::{Still, still_args};

/// The demuxers that read an upload. Not among them: everything that reads other files or hosts at
/// the word of a file (`hls`, `dash`, `concat`, `imf`, `sdp`, `image2`).
const DEMUXERS: &str =
    "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,mxf,dv,wav,w64,aiff,caf,au,mp3,flac,aac,ac3,eac3,dts";

/// Pictures up to 8192 × 4320.
pub const MAX_PIXELS: u64 = 35_389_440;
/// Streams in one file, of any kind.
pub const MAX_STREAMS: u32 = 64;

/// Every codec that we read, by ffprobe's name, with the decoders that may do it. Rare and
/// old codecs stay out: each decoder is a parser of hostile bytes, and `MagicYUV`'s had CVE-2026-8461.
const CODECS: &[(&str, &[&str])] = &[
    // Pictures.
    ("av1", &["libdav1d", "libaom-av1", "av1"]),
    ("dnxhd", &["dnxhd"]),
    ("dvvideo", &["dvvideo"]),
    ("ffv1", &["ffv1"]),
    ("flv1", &["flv"]),
    ("h263", &["h263"]),
    ("h263p", &["h263p"]),
    ("h264", &["h264"]),
    ("hevc", &["hevc"]),
    ("mjpeg", &["mjpeg"]),
    ("mpeg1video", &["mpeg1video"]),
    ("mpeg2video", &["mpeg2video"]),
    ("mpeg4", &["mpeg4"]),
    ("msmpeg4v1", &["msmpeg4v1"]),
    ("msmpeg4v2", &["msmpeg4v2"]),
    ("msmpeg4v3", &["msmpeg4"]),
    ("prores", &["prores"]),
    ("rawvideo", &["rawvideo"]),
    ("theora", &["theora"]),
    ("v210", &["v210"]),
    ("vc1", &["vc1"]),
    ("vp6", &["vp6"]),
    ("vp6f", &["vp6f"]),
    ("vp8", &["vp8", "libvpx"]),
    ("vp9", &["vp9", "libvpx-vp9"]),
    ("wmv1", &["wmv1"]),
    ("wmv2", &["wmv2"]),
    ("wmv3", &["wmv3"]),
    // Sound.
    ("aac", &["aac"]),
    ("aac_latm", &["aac_latm"]),
    ("ac3", &["ac3"]),
    ("adpcm_ima_qt", &["adpcm_ima_qt"]),
    ("adpcm_ima_wav", &["adpcm_ima_wav"]),
    ("adpcm_ms", &["adpcm_ms"]),
    ("adpcm_swf", &["adpcm_swf"]),
    ("alac", &["alac"]),
    ("amr_nb", &["amrnb"]),
    ("amr_wb", &["amrwb"]),
    ("dts", &["dca"]),
    ("eac3", &["eac3"]),
    ("flac", &["flac"]),
    ("mp1", &["mp1float"]),
    ("mp2", &["mp2float", "mp2"]),
    ("mp3", &["mp3float", "mp3"]),
    ("opus", &["opus", "libopus"]),
    ("pcm_alaw", &["pcm_alaw"]),
    ("pcm_bluray", &["pcm_bluray"]),
    ("pcm_dvd", &["pcm_dvd"]),
    ("pcm_f32be", &["pcm_f32be"]),
    ("pcm_f32le", &["pcm_f32le"]),
    ("pcm_f64be", &["pcm_f64be"]),
    ("pcm_f64le", &["pcm_f64le"]),
    ("pcm_mulaw", &["pcm_mulaw"]),
    ("pcm_s16be", &["pcm_s16be"]),
    ("pcm_s16le", &["pcm_s16le"]),
    ("pcm_s24be", &["pcm_s24be"]),
    ("pcm_s24le", &["pcm_s24le"]),
    ("pcm_s32be", &["pcm_s32be"]),
    ("pcm_s32le", &["pcm_s32le"]),
    ("pcm_s8", &["pcm_s8"]),
    ("pcm_u8", &["pcm_u8"]),
    ("s302m", &["s302m"]),
    ("speex", &["speex", "libspeex"]),
    ("truehd", &["truehd"]),
    ("vorbis", &["vorbis", "libvorbis"]),
    ("wmalossless", &["wmalossless"]),
    ("wmapro", &["wmapro"]),
    ("wmav1", &["wmav1"]),
    ("wmav2", &["wmav2"]),
    // Text.
    ("ass", &["ass", "ssa"]),
    ("eia_608", &["cc_dec"]),
    ("mov_text", &["mov_text"]),
    ("ssa", &["ssa", "ass"]),
    ("subrip", &["subrip", "srt"]),
    ("text", &["text"]),
    ("webvtt", &["webvtt"]),
];

/// Decoders that are opened but whose streams we leave alone: covers, subtitles that are pictures. ffprobe opens a decoder for every stream, and gives the whole file up when one is forbidden.
const LEFT_ALONE: &[&str] =
    &["bmp", "dvbsub", "dvdsub", "gif", "libzvbi_teletextdec", "pgssub", "png", "webp", "xsub"];

/// Resources that one child process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Processor time, all threads together.
    pub cpu: Duration,
    /// Address space. More than what is touched: each thread reserves its stack and its heap.
    pub memory_bytes: u64,
    /// Open files and sockets.
    pub open_files: u64,
    /// How much it leaves the processors to others, from 0 to 19.
    pub nice: u8,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { cpu: Duration::from_mins(5), memory_bytes: 4 << 30, open_files: 64, nice: 0 }
    }
}

/// Returns whether a codec, by ffprobe's name, is one that we read.
pub fn reads(codec: &str) -> bool {
    CODECS.iter().any(|(name, _)| *name == codec)
}

/// Returns whether a codec, by ffprobe's name, is one whose streams may be decoded but are left alone.
pub fn leaves_alone(codec: &str) -> bool {
    let names = [("dvb_subtitle", "dvbsub"), ("dvd_subtitle", "dvdsub"), ("hdmv_pgs_subtitle", "pgssub")];
    let decoder = names.into_iter().find(|(name, _)| *name == codec).map_or(codec, |(_, decoder)| decoder);
    LEFT_ALONE.contains(&decoder)
}

/// Returns the decoder that the guard kept from opening, out of what ffprobe or ffmpeg complained.
pub fn forbidden_decoder(complaint: &str) -> Option<&str> {
    let (before, _) = complaint.split_once(") not on whitelist")?;
    let (_, name) = before.rsplit_once("Codec (")?;
    Some(name)
}

/// Returns the size of a picture that the guard found too large, out of what ffprobe or ffmpeg complained.
pub fn oversized_picture(complaint: &str) -> Option<(u32, u32)> {
    let (before, _) = complaint.split_once(" exceeds specified max pixel count")?;
    let (width, height) = before.rsplit_once("Picture size ")?.1.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// Returns the input options that every call puts before its `-i`, for ffprobe and ffmpeg alike.
///
/// The protocol whitelist is the input's alone: outputs may be sockets all the same.
pub fn guard_args(input: &Input) -> Vec<String> {
    let mut decoders: Vec<&str> = CODECS.iter().flat_map(|(_, names)| *names).copied().collect();
    decoders.extend(LEFT_ALONE);
    decoders.sort_unstable();
    decoders.dedup();
    [
        ("-format_whitelist", DEMUXERS.to_owned()),
        ("-protocol_whitelist", input.protocols().to_owned()),
        ("-codec_whitelist", decoders.join(",")),
        // The size is checked before a picture is allocated: a header of a few bytes may claim one of gigabytes.
        ("-max_pixels", MAX_PIXELS.to_string()),
        ("-max_streams", MAX_STREAMS.to_string()),
    ]
    .into_iter()
    .flat_map(|(option, value)| [option.to_owned(), value])
    .collect()
}

/// Returns the guard and the input itself: `-i file:PATH`, `-i http://127.0.0.1:…`, or a part of either.
pub fn input_args(source: &Input) -> Vec<OsString> {
    let mut args: Vec<OsString> = guard_args(source).into_iter().map(OsString::from).collect();
    args.extend([OsString::from("-i"), source.address()]);
    args
}

/// Variables that ffmpeg must not find in its environment: FFREPORT would have it write log files to any path, and a
/// proxy would be another address than the one that we name.
pub const NOT_IN_THE_ENVIRONMENT: [&str; 2] = ["FFREPORT", "http_proxy"];

/// Returns a command without standard input, which inherits no reporting and dies with its handle.
pub fn command(program: impl AsRef<OsStr>) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    for name in NOT_IN_THE_ENVIRONMENT {
        command.env_remove(name);
    }
    // Escape codes would break the search in what ffmpeg complains about, and stand in errors that people read.
    command.env("AV_LOG_FORCE_NOCOLOR", "1").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Binds a child that was just spawned; it has run unbound for the moment in between.
///
/// It may write no file at all: our outputs are pipes and sockets. A child that has already ended is
/// no error. Does nothing but on Linux.
#[cfg(target_os = "linux")]
pub fn confine(pid: u32, bounds: &Bounds) -> io::Result<()> {
    use rustix::{
        io::Errno,
        process::{Pid, Resource, Rlimit, prlimit, setpriority_process},
    };

    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let limits = [
        (Resource::Cpu, bounds.cpu.as_secs().max(1)),
        (Resource::As, bounds.memory_bytes),
        (Resource::Nofile, bounds.open_files),
        // A write to a file ends the process (SIGXFSZ), whatever an upload talked ffmpeg into.
        (Resource::Fsize, 0),
        // A core would hold the pictures of a person's video.
        (Resource::Core, 0),
    ];
    for (resource, value) in limits {
        // The hard limit is set too: the child could raise a soft one by itself.
        let limit = Rlimit { current: Some(value), maximum: Some(value) };
        match prlimit(Some(pid), resource, limit) {
            Ok(_) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
    // Of its first thread, from which all others have it: they are not there yet.
    match setpriority_process(Some(pid), i32::from(bounds.nice)) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Does nothing: only Linux lets one process bind another.
#[cfg(not(target_os = "linux"))]
pub fn confine(_pid: u32, _bounds: &Bounds) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{ops::Range, path::Path};

    use super::*;

    #[test]
    fn an_input_is_always_a_plain_file_behind_the_guard() {
        let args = input_args(&Path::new("-evil.mp4").into());
        assert_eq!(args.last().unwrap(), "file:-evil.mp4");
        let whitelist = args.iter().position(|arg| arg == "-protocol_whitelist").unwrap();
        assert_eq!(args[whitelist + 1], "file");
        assert!(whitelist < args.iter().position(|arg| arg == "-i").unwrap());
    }

    #[test]
    fn an_address_opens_http_and_no_file() {
        let url = "http://127.0.0.1:1/secret/source".to_owned();
        let args = input_args(&Input::Loopback { url: url.clone(), len: 7 });
        let whitelist = args.iter().position(|arg| arg == "-protocol_whitelist").unwrap();
        assert_eq!(
            (args[whitelist + 1].to_str(), args.last().unwrap().to_str()),
            (Some("http,tcp"), Some(&*url))
        );
        assert!(!format!("{:?}", Input::Loopback { url, len: 7 }).contains("secret"));
    }

    #[test]
    fn a_part_opens_what_the_whole_does_and_no_more() {
        let check = |whole: Input, head: Option<Range<u64>>, protocols: &str, address: &str| {
            let part = whole.part(head, 10..30);
            let args = input_args(&part);
            let whitelist = args.iter().position(|arg| arg == "-protocol_whitelist").unwrap();
            assert_eq!(args[whitelist + 1], protocols);
            assert_eq!(args.last().unwrap(), address);
            assert!(!format!("{part:?}").contains("secret"), "{part:?}");
        };
        let file = || Path::new("-a,,:b").into();
        check(file(), None, "subfile,file", "subfile,,start,10,end,30,,:file:-a,,:b");
        check(
            file(),
            Some(0..4),
            "concat,subfile,file",
            "concat:subfile,,start,0,end,4,,:file:-a,,:b|subfile,,start,10,end,30,,:file:-a,,:b",
        );
        let url = "http://127.0.0.1:1/secret".to_owned();
        check(
            Input::Loopback { url, len: 40 },
            None,
            "subfile,http,tcp",
            "subfile,,start,10,end,30,,:http://127.0.0.1:1/secret",
        );
    }

    #[test]
    fn decoders_with_known_holes_stay_out() {
        assert!(!reads("magicyuv"));
        assert!(!guard_args(&Path::new("a").into()).iter().any(|arg| arg.contains("magicyuv")));
    }

    #[test]
    fn a_forbidden_decoder_is_named() {
        let complaint =
            "[avi @ 0x1] x\n[tta @ 0x55b5] Codec (tta) not on whitelist 'h264,aac'\n  Last message repeated";
        assert_eq!(forbidden_decoder(complaint), Some("tta"));
        assert_eq!(forbidden_decoder("moov atom not found"), None);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_confined_child_writes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("written");
        // It waits for its input to close, so that the limit is there before it writes.
        let mut child = command("sh")
            .args(["-c", "read line; echo something > \"$0\""])
            .arg(&file)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        confine(child.id().unwrap(), &Bounds::default()).unwrap();
        drop(child.stdin.take());
        assert!(!child.wait().await.unwrap().success());
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    }
}
