//! Sources of every kind, made by ffmpeg, looked at by `probe`, planned by `plan`.
#![expect(clippy::unwrap_used, reason = "tests, and the functions that they share")]

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

use packager::{
    Error,
    facts::Facts,
    ffmpeg::Input,
    limits::Limits,
    plan::{self, Plan},
    probe::probe,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Pieces of ffmpeg's arguments; later ones may name earlier ones.
const NAMED: [(&str, &str); 16] = [
    ("{picture}", "-f lavfi -i testsrc2=s=320x180:r=30:d=0.5"),
    ("{long}", "-f lavfi -i testsrc2=s=320x180:r=30:d=2"),
    ("{tone}", "-f lavfi -i sine=r=48000:d=0.5"),
    ("{both}", "{picture} {tone}"),
    ("{words}", "-i words.srt -map 0 -map 1 -metadata:s:s language=eng"),
    ("{fields}", "-f lavfi -i testsrc2=s=320x180:r=50:d=0.5 -vf interlace -flags +ildct+ilme"),
    ("{x264}", "-c:v libx264 -preset ultrafast"),
    ("{h264}", "{x264} -pix_fmt yuv420p"),
    ("{hevc}", "-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1 -pix_fmt yuv420p"),
    ("{vp8}", "-c:v libvpx -deadline realtime -cpu-used 8"),
    ("{vp9}", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("{av1}", "-c:v libaom-av1 -usage realtime -cpu-used 8 -pix_fmt yuv420p"),
    ("{hdr}", "-pix_fmt yuv420p10le -color_primaries bt2020 -colorspace bt2020nc"),
    // Of the middle third of the frames, every third.
    ("{thinned}", "-vf select='lt(n,20)+gt(n,39)+not(mod(n,3))' -vsync vfr"),
    ("{cover}", "-map 0 -map 1 -c:a copy -disposition:v attached_pic -frames:v 1"),
    (
        "{languages}",
        "-map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=ger \
         -disposition:a:0 0 -disposition:a:1 default",
    ),
];

/// What people upload: a command, and below it what has to come of it.
const CODEC: &str = "
{both} {h264} -c:a aac a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a aac a.mov
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a aac a.mkv
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a aac a.ts
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a aac a.flv
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a libmp3lame a.avi
    h264 320x180 variable 15 frames -> 16 at 30/1 320x180; mp3 1ch 48000 -> audio
{both} {hevc} -tag:v hvc1 -c:a aac a.mp4
    hevc 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {hevc} -c:a ac3 a.ts
    hevc 320x180 15 frames -> 15 at 30/1 320x180; ac3 1ch 48000 -> audio
{both} {vp8} -c:a libvorbis a.webm
    vp8 320x180 15 frames -> 15 at 30/1 320x180; vorbis 1ch 48000 -> audio
{both} {vp9} -c:a libopus a.webm
    vp9 320x180 15 frames -> 15 at 30/1 320x180; opus 1ch 48000 -> audio
{both} {vp9} -c:a libopus -strict experimental a.mp4
    vp9 320x180 15 frames -> 15 at 30/1 320x180; opus 1ch 48000 -> audio
{both} {av1} -c:a aac a.mp4
    av1 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {av1} -c:a libopus a.webm
    av1 320x180 15 frames -> 15 at 30/1 320x180; opus 1ch 48000 -> audio
{both} -c:v mpeg2video -c:a mp2 a.ts
    mpeg2video 320x180 15 frames -> 15 at 30/1 320x180; mp2 1ch 48000 -> audio
{both} -c:v mpeg2video -c:a mp2 -f vob a.mpg
    mpeg2video 320x180 15 frames -> 15 at 30/1 320x180; mp2 1ch 48000 -> audio
{both} -c:v mpeg2video -c:a ac3 a.mkv
    mpeg2video 320x180 15 frames -> 15 at 30/1 320x180; ac3 1ch 48000 -> audio
{both} -c:v mpeg4 -c:a libmp3lame a.avi
    mpeg4 320x180 variable 15 frames -> 16 at 30/1 320x180; mp3 1ch 48000 -> audio
{both} -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le a.avi
    mjpeg 320x180 15 frames -> 15 at 30/1 320x180; pcm_s16le 1ch 48000 -> audio
{both} -c:v flv -c:a libmp3lame -ar 44100 a.flv
    flv1 320x180 15 frames -> 15 at 30/1 320x180; mp3 1ch 44100 -> audio
{both} -c:v libtheora -c:a libvorbis a.ogv
    theora 320x180 15 frames -> 15 at 30/1 320x180; vorbis 1ch 48000 -> audio
{both} -c:v wmv2 -c:a wmav2 a.wmv
    wmv2 320x180 15 frames -> 15 at 30/1 320x180; wmav2 1ch 48000 -> audio
{both} -c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s24le a.mov
    prores 320x180 10 bit 15 frames -> 15 at 30/1 320x180; pcm_s24le 1ch 48000 -> audio
";

/// Turned, stretched, odd, deep, in other colours, and in two fields a frame as tape and broadcasts have it.
const SHAPE: &str = "
{picture} {h264} a.mp4 then -i a.mp4 -c copy -metadata:s:v rotate=90 b.mp4
    h264 320x180 turned 270 15 frames -> 15 at 30/1 180x320
{picture} -vf setsar=4/3 {h264} a.mp4
    h264 320x180 samples 4:3 15 frames -> 15 at 30/1 426x180
{picture} -vf scale=180:320,setsar=1 {h264} a.mp4
    h264 180x320 15 frames -> 15 at 30/1 180x320
{picture} -vf scale=480:270 {h264} a.mp4
    h264 480x270 15 frames -> 15 at 30/1 480x270
{picture} -vf scale=319:179,setsar=1 {x264} -pix_fmt yuv444p a.mp4
    h264 319x179 15 frames -> 15 at 30/1 318x178
{picture} {x264} -pix_fmt yuv422p a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180
{picture} {x264} -pix_fmt yuv420p10le a.mp4
    h264 320x180 10 bit 15 frames -> 15 at 30/1 320x180
{picture} {hevc} {hdr} -color_trc smpte2084 a.mp4
    hevc 320x180 10 bit tone-mapped from smpte2084 15 frames -> 15 at 30/1 320x180
{picture} {hevc} {hdr} -color_trc arib-std-b67 a.mp4
    hevc 320x180 10 bit tone-mapped from arib-std-b67 15 frames -> 15 at 30/1 320x180
{fields} {h264} -x264-params tff=1 a.mp4
    h264 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180
{fields} {h264} -x264-params tff=1 a.ts
    h264 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180
{fields} -c:v mpeg2video a.ts
    mpeg2video 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180
{fields} -c:v mpeg2video a.mkv
    mpeg2video 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180
{fields} -c:v mpeg4 a.avi
    mpeg4 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180
";

/// Uneven, short, late, cut by an edit list between key frames, and with more or less sound than picture.
const TIME: &str = "
{long} {thinned} {h264} a.mp4
    h264 320x180 variable 47 frames -> 60 at 30/1 320x180
{long} {thinned} {h264} a.mkv
    h264 320x180 variable 47 frames -> 60 at 30/1 320x180
-f lavfi -i testsrc2=s=320x180:r=24000/1001:d=1 {h264} a.mp4
    h264 320x180 24 frames -> 24 at 24000/1001 320x180
-f lavfi -i testsrc2=s=320x180:r=24000/1001:d=1 {h264} a.mkv
    h264 320x180 24 frames -> 24 at 24000/1001 320x180
-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=1 {h264} a.mkv
    h264 320x180 30 frames -> 30 at 30000/1001 320x180
-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=1 {h264} a.flv
    h264 320x180 30 frames -> 30 at 30000/1001 320x180
-f lavfi -i testsrc2=s=320x180:r=120:d=1 {h264} a.mp4
    h264 320x180 120 frames -> 60 at 60/1 320x180
-f lavfi -i testsrc2=s=320x180:r=5:d=1 {vp8} a.webm
    vp8 320x180 5 frames -> 5 at 5/1 320x180
{picture} {h264} -frames:v 1 a.mp4
    h264 320x180 1 frames -> 1 at 30/1 320x180
{picture} {h264} -frames:v 1 a.mkv
    h264 320x180 1 frames -> 1 at 30/1 320x180
{both} {h264} -c:a aac -output_ts_offset 3600 a.ts
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{both} {h264} -c:a aac -output_ts_offset 10 a.mkv
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
{long} {h264} -g 30 a.mp4 then -ss 0.7 -i a.mp4 -c copy b.mp4
    h264 320x180 39 frames -> 39 at 30/1 320x180
{tone} -itsoffset 0.3 {picture} {h264} -c:a aac a.mkv
    h264 320x180 15 frames -> 25 at 30/1 320x180; aac 1ch 48000 -> audio
{picture} -f lavfi -i sine=r=48000:d=1.5 {h264} -c:a aac a.mp4
    h264 320x180 15 frames -> 45 at 30/1 320x180; aac 1ch 48000 -> audio
{picture} -f lavfi -i sine=r=48000:d=0.2 {h264} -c:a aac a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
";

/// Sound with and without a picture (a cover is none), in two languages, and text.
const SOUND: &str = "
{both} {h264} -c:a aac -ac 6 a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 6ch 48000 -> audio
{picture} -f lavfi -i sine=r=44100:d=0.5 {h264} -c:a aac a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 44100 -> audio
{tone} -c:a aac a.m4a
    aac 1ch 48000 -> audio
{tone} -c:a libmp3lame a.mp3
    mp3 1ch 48000 -> audio
{tone} a.flac
    flac 1ch 48000 -> audio
{tone} a.wav
    pcm_s16le 1ch 48000 -> audio
{tone} -c:a libopus a.ogg
    opus 1ch 48000 -> audio
{tone} -c:a aac a.aac
    aac 1ch 48000 -> audio
{tone} -c:a aac b.m4a then -i b.m4a {picture} {cover} -c:v mjpeg a.m4a
    aac 1ch 48000 -> audio
{tone} -c:a aac b.m4a then -i b.m4a {picture} {cover} -c:v png a.m4a
    aac 1ch 48000 -> audio
{picture} {words} {h264} -c:s srt a.mkv
    h264 320x180 15 frames -> 15 at 30/1 320x180; subrip -> captions/en
{picture} {words} {h264} -c:s ass a.mkv
    h264 320x180 15 frames -> 15 at 30/1 320x180; ass -> captions/en
{picture} {words} {h264} -c:s mov_text a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; mov_text -> captions/en
{picture} {words} {vp8} -c:s webvtt a.webm
    vp8 320x180 15 frames -> 15 at 30/1 320x180; webvtt -> captions/en
{both} {tone} {languages} {h264} -c:a aac a.mp4
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio-de; aac 1ch 48000 -> audio-en
{both} {tone} {languages} {h264} -c:a aac a.mkv
    h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio-de; aac 1ch 48000 -> audio-en
";

/// A folder with one source in it.
struct Source {
    _folder: TempDir,
    path: PathBuf,
}

/// Makes the file that is named last with ffmpeg, which finds subtitles in `words.srt`; names in braces stand
/// for what [`NAMED`] says, arguments are split at spaces. Several commands, parted by ` then `, build
/// on the files of those before them.
fn make(commands: &str) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let words = "1\n00:00:00,000 --> 00:00:00,400\nWords.\n";
    std::fs::write(folder.path().join("words.srt"), words).unwrap();
    let mut commands = commands.to_owned();
    while let Some((name, arguments)) = NAMED.iter().find(|(name, _)| commands.contains(name)) {
        commands = commands.replace(name, arguments);
    }
    for command in commands.split(" then ") {
        let made = Command::new("ffmpeg")
            .current_dir(folder.path())
            .args(["-v", "error", "-nostdin", "-y", "-threads", "1"])
            .args(command.split_whitespace())
            .output()
            .unwrap();
        assert!(made.status.success(), "{command}: {}", String::from_utf8_lossy(&made.stderr));
    }
    let path = folder.path().join(commands.rsplit(' ').next().unwrap());
    Source { _folder: folder, path }
}

async fn look(path: &Path) -> Result<(Facts, Plan), Error> {
    let facts = probe(Path::new("ffprobe"), &path.into()).await?;
    Limits::default().check(&facts)?;
    let plan = plan::plan(&facts, &plan::Config::default())?;
    Ok((facts, plan))
}

/// Says facts and plan in one line, so that a case is two lines of text.
fn said(facts: &Facts, plan: &Plan) -> String {
    let mut line = String::new();
    if let (Some(video), Some(planned)) = (&facts.video, &plan.video) {
        let _ = write!(line, "{} {}x{}", video.codec, video.width, video.height);
        let told = [
            (video.rotation != 0, format!(" turned {}", video.rotation)),
            (
                video.sample_aspect.num != video.sample_aspect.den,
                format!(" samples {}:{}", video.sample_aspect.num, video.sample_aspect.den),
            ),
            (video.interlaced, " interlaced".to_owned()),
            (video.variable, " variable".to_owned()),
            (video.bit_depth != 8, format!(" {} bit", video.bit_depth)),
            (planned.conversion.deinterlace, " deinterlaced".to_owned()),
            (
                planned.conversion.tone_map,
                format!(" tone-mapped from {}", video.colour.transfer.as_deref().unwrap_or("?")),
            ),
        ];
        line.extend(told.into_iter().filter(|(is, _)| *is).map(|(_, word)| word));
        let rungs: Vec<String> = planned.rungs.iter().map(|r| format!("{}x{}", r.width, r.height)).collect();
        let rate = planned.frame_rate;
        let _ = write!(
            line,
            " {} frames -> {} at {}/{} {}",
            video.frames,
            planned.frames,
            rate.num,
            rate.den,
            rungs.join(" ")
        );
    }
    for planned in &plan.audio {
        let stream = facts.audio.iter().find(|audio| audio.stream == planned.stream).unwrap();
        let _ = write!(
            line,
            "; {} {}ch {} -> {}",
            stream.codec, stream.channels, stream.sample_rate, planned.name
        );
    }
    for (stream, planned) in facts.text.iter().zip(&plan.text) {
        let _ = write!(line, "; {} -> {}", stream.codec, planned.name);
    }
    line.trim_start_matches("; ").to_owned()
}

/// Takes a table of two lines a case: the command, and what is said of its file.
async fn check(table: &str) {
    let mut lines = table.lines().filter(|line| !line.is_empty());
    while let (Some(commands), Some(expected)) = (lines.next(), lines.next()) {
        let source = make(commands);
        let (facts, plan) = look(&source.path).await.unwrap_or_else(|e| panic!("{commands}: {e}"));
        assert_eq!(said(&facts, &plan), expected.trim(), "{commands}");
    }
}

async fn refused(path: &Path, code: &str) {
    match look(path).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code(), code, "{refusal}"),
        Err(e) => panic!("{}: {e}", path.display()),
        Ok((facts, _)) => panic!("{}: read as {facts:?}", path.display()),
    }
}

#[tokio::test]
async fn every_codec_in_every_container_is_read() {
    check(CODEC).await;
}

#[tokio::test]
async fn every_shape_of_picture_is_planned() {
    check(SHAPE).await;
}

#[tokio::test]
async fn every_way_of_time_is_planned() {
    check(TIME).await;
}

#[tokio::test]
async fn every_kind_of_sound_and_text_is_planned() {
    check(SOUND).await;
}

#[tokio::test]
async fn times_count_from_the_containers_start() {
    let source = make("{picture} {tone} {h264} -c:a aac -output_ts_offset 3600 a.ts");
    let (facts, plan) = look(&source.path).await.unwrap();
    assert!(facts.start_seconds > 3600.0, "{facts:?}");
    let video = facts.video.unwrap();
    assert!(video.first.as_millis() < 100, "{video:?}");
    assert_eq!(video.last.abs_diff(video.first).as_millis(), 466, "{video:?}");
    assert!(plan.grid.seconds(plan.grid.duration_ticks) < 0.6);
    assert_eq!(plan.video.unwrap().seek_margin.as_secs(), 10);
}

#[tokio::test]
async fn a_playlist_named_mp4_reads_nothing() {
    let source = make("{picture} {h264} secret.ts");
    let named = |name: &str, text: &str| {
        let path = source.path.with_file_name(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let segment = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n";
    refused(&named("list.mp4", segment), "not_media").await;
    let variant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n";
    refused(&named("master.mp4", variant), "not_media").await;
    refused(&named("script.mp4", "ffconcat version 1.0\nfile secret.ts\n"), "not_media").await;
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n";
    refused(&named("call.mp4", sdp), "not_media").await;
    let mpd = "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"></MPD>";
    refused(&named("manifest.mp4", mpd), "not_media").await;
}

#[tokio::test]
async fn a_playlist_behind_an_address_reaches_no_other() {
    // A listener that tells what it was asked for, and answers everything with a playlist of itself.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{address}/other.ts\n#EXTINF:1,\nfile:/etc/passwd\n#EXT-X-ENDLIST\n"
    );
    let len = text.len() as u64;
    let (heard, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let answers = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
            heard.send(line).unwrap();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{text}");
            // A reader that has seen enough goes away.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let input = Input::Loopback { url: format!("http://{address}/secret/source"), len };
    let answer = probe(Path::new("ffprobe"), &input).await;
    answers.abort();
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    let mut times = 0;
    while let Ok(line) = asked.try_recv() {
        assert!(line.starts_with("GET /secret/source "), "{line}");
        times += 1;
    }
    assert!(times > 0);
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    refused(&named("empty.mp4", b""), "not_media").await;
    refused(&named("letter.mp4", b"Dear reader, this is a letter and no film.\n"), "not_media").await;
    refused(
        &named("picture.mp4", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0"),
        "not_media",
    )
    .await;
    let magic = make("{picture} -c:v magicyuv -pix_fmt gbrp a.avi");
    refused(&magic.path, "unsupported_codec").await;
    let words = make("-i words.srt -c:s srt a.mkv");
    refused(&words.path, "nothing_to_play").await;
    let wide = make("-f lavfi -i color=s=8320x16:d=0.1 -c:v mjpeg -pix_fmt yuvj420p a.mkv");
    refused(&wide.path, "picture_too_large").await;
    let fast = make("-f lavfi -i testsrc2=s=32x32:r=144:d=0.5 -c:v libx264 -preset ultrafast a.mp4");
    refused(&fast.path, "frame_rate_too_high").await;
    let many = format!("{{tone}} {} -c:a aac a.mp4", "-map 0 ".repeat(17));
    refused(&make(&many).path, "too_many_tracks").await;
}

#[tokio::test]
async fn a_missing_source_is_our_fault_and_not_the_persons() {
    let answer = look(Path::new("nowhere/source.mp4")).await;
    assert!(matches!(answer, Err(Error::Io(_))), "{answer:?}");
}

#[tokio::test]
async fn a_missing_ffprobe_is_named() {
    let source = make("{picture} {h264} a.mp4");
    let answer = probe(Path::new("no-such-ffprobe"), &source.path.as_path().into()).await;
    assert!(answer.unwrap_err().to_string().contains("no-such-ffprobe"));
}
