//! Sources of every kind, made by ffmpeg, looked at by `probe`, planned by `plan`.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use packager::{
    Error,
    facts::Facts,
    limits::Limits,
    plan::{self, Plan},
    probe::probe,
};
use tempfile::TempDir;

/// Half a second of moving picture and of a tone, as ffmpeg's arguments know them.
const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=30:d=0.5";
const TONE: &str = "-f lavfi -i sine=r=48000:d=0.5";
const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// A folder with one source in it.
struct Source {
    _folder: TempDir,
    path: PathBuf,
}

/// Makes `file` with ffmpeg; arguments are split at spaces. Several commands, parted by ` then `, build
/// on the files of those before them.
fn make(file: &str, commands: &str) -> Source {
    let folder = tempfile::tempdir().unwrap();
    for command in commands.split(" then ") {
        let made = Command::new("ffmpeg")
            .current_dir(folder.path())
            .args(["-v", "error", "-nostdin", "-y", "-threads", "1"])
            .args(command.split_whitespace())
            .output()
            .unwrap();
        assert!(made.status.success(), "{command}: {}", String::from_utf8_lossy(&made.stderr));
    }
    let path = folder.path().join(file);
    Source { _folder: folder, path }
}

async fn look(path: &Path) -> Result<(Facts, Plan), Error> {
    let facts = probe(Path::new("ffprobe"), path).await?;
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
    for (stream, planned) in facts.audio.iter().zip(&plan.audio) {
        let _ = write!(
            line,
            "; {} {}ch {} -> {}",
            stream.codec, stream.channels, stream.sample_rate, planned.name
        );
    }
    for (stream, planned) in facts.text.iter().zip(&plan.text) {
        let _ = write!(line, "; {} -> {}", stream.codec, planned.name);
    }
    line
}

async fn check(file: &str, commands: &str, expected: &str) {
    let source = make(file, commands);
    let (facts, plan) = look(&source.path).await.unwrap_or_else(|e| panic!("{file}: {commands}: {e}"));
    let _ = expected;
    eprintln!("GOT {file}: {}", said(&facts, &plan));
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
    let both = format!("{PICTURE} {TONE}");
    check("a.mp4", &format!("{both} {H264} -c:a aac a.mp4"), "?").await;
    check("a.mov", &format!("{both} {H264} -c:a aac a.mov"), "?").await;
    check("a.mkv", &format!("{both} {H264} -c:a aac a.mkv"), "?").await;
    check("a.ts", &format!("{both} {H264} -c:a aac a.ts"), "?").await;
    check("a.flv", &format!("{both} {H264} -c:a aac a.flv"), "?").await;
    check("a.avi", &format!("{both} {H264} -c:a libmp3lame a.avi"), "?").await;
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1 -pix_fmt yuv420p";
    check("a.mp4", &format!("{both} {hevc} -tag:v hvc1 -c:a aac a.mp4"), "?").await;
    check("a.ts", &format!("{both} {hevc} -c:a ac3 a.ts"), "?").await;
    check("a.webm", &format!("{both} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis a.webm"), "?")
        .await;
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8";
    check("a.webm", &format!("{both} {vp9} -c:a libopus a.webm"), "?").await;
    check("a.mp4", &format!("{both} {vp9} -c:a libopus -strict experimental a.mp4"), "?").await;
    let av1 = "-c:v libaom-av1 -usage realtime -cpu-used 8 -pix_fmt yuv420p";
    check("a.mp4", &format!("{both} {av1} -c:a aac a.mp4"), "?").await;
    check("a.webm", &format!("{both} {av1} -c:a libopus a.webm"), "?").await;
    check("a.ts", &format!("{both} -c:v mpeg2video -c:a mp2 a.ts"), "?").await;
    check("a.mpg", &format!("{both} -c:v mpeg2video -c:a mp2 -f vob a.mpg"), "?").await;
    check("a.mkv", &format!("{both} -c:v mpeg2video -c:a ac3 a.mkv"), "?").await;
    check("a.avi", &format!("{both} -c:v mpeg4 -c:a libmp3lame a.avi"), "?").await;
    check("a.avi", &format!("{both} -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le a.avi"), "?").await;
    check("a.flv", &format!("{both} -c:v flv -c:a libmp3lame -ar 44100 a.flv"), "?").await;
    check("a.ogv", &format!("{both} -c:v libtheora -c:a libvorbis a.ogv"), "?").await;
    check("a.wmv", &format!("{both} -c:v wmv2 -c:a wmav2 a.wmv"), "?").await;
    check("a.mov", &format!("{both} -c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s24le a.mov"), "?").await;
}

#[tokio::test]
async fn every_shape_of_picture_is_planned() {
    let turned = "-i a.mp4 -c copy -metadata:s:v rotate=90 b.mp4";
    check("b.mp4", &format!("{PICTURE} {H264} a.mp4 then {turned}"), "?").await;
    check("a.mp4", &format!("{PICTURE} -vf setsar=4/3 {H264} a.mp4"), "?").await;
    check("a.mp4", &format!("{PICTURE} -vf scale=180:320 {H264} a.mp4"), "?").await;
    check("a.mp4", &format!("{PICTURE} -vf scale=480:270 {H264} a.mp4"), "?").await;
    check(
        "a.mp4",
        &format!("{PICTURE} -vf crop=319:179 -c:v libx264 -preset ultrafast -pix_fmt yuv444p a.mp4"),
        "?",
    )
    .await;
    check("a.mp4", &format!("{PICTURE} -c:v libx264 -preset ultrafast -pix_fmt yuv422p a.mp4"), "?").await;
    check("a.mp4", &format!("{PICTURE} -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le a.mp4"), "?")
        .await;
    let hdr =
        "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -colorspace bt2020nc";
    let hdr = |transfer: &str| {
        format!("{PICTURE} {hdr} -color_trc {transfer} -x265-params log-level=error:pools=1 a.mp4")
    };
    check("a.mp4", &hdr("smpte2084"), "?").await;
    check("a.mp4", &hdr("arib-std-b67"), "?").await;
    // Two fields in a frame, as tape and broadcasts have them.
    let fields = "-f lavfi -i testsrc2=s=320x180:r=50:d=0.5 -vf interlace";
    let flagged = "-flags +ildct+ilme";
    check(
        "a.mp4",
        &format!(
            "{fields} {flagged} -c:v libx264 -preset ultrafast -x264-params tff=1 -pix_fmt yuv420p a.mp4"
        ),
        "?",
    )
    .await;
    check(
        "a.ts",
        &format!(
            "{fields} {flagged} -c:v libx264 -preset ultrafast -x264-params tff=1 -pix_fmt yuv420p a.ts"
        ),
        "?",
    )
    .await;
    check("a.ts", &format!("{fields} {flagged} -c:v mpeg2video a.ts"), "?").await;
    check("a.mkv", &format!("{fields} {flagged} -c:v mpeg2video a.mkv"), "?").await;
    check("a.avi", &format!("{fields} {flagged} -c:v mpeg4 a.avi"), "?").await;
}

#[tokio::test]
async fn every_way_of_time_is_planned() {
    // The middle third of the frames is thinned to every third.
    let thinned = "-vf select='lt(n,20)+gt(n,39)+not(mod(n,3))' -vsync vfr";
    let long = "-f lavfi -i testsrc2=s=320x180:r=30:d=2";
    check("a.mp4", &format!("{long} {thinned} {H264} a.mp4"), "?").await;
    check("a.mkv", &format!("{long} {thinned} {H264} a.mkv"), "?").await;
    let at = |rate: &str| format!("-f lavfi -i testsrc2=s=320x180:r={rate}:d=1 {H264}");
    check("a.mp4", &format!("{} a.mp4", at("24000/1001")), "?").await;
    check("a.mkv", &format!("{} a.mkv", at("24000/1001")), "?").await;
    check("a.mkv", &format!("{} a.mkv", at("30000/1001")), "?").await;
    check("a.flv", &format!("{} a.flv", at("30000/1001")), "?").await;
    check("a.mp4", &format!("{} a.mp4", at("120")), "?").await;
    check(
        "a.webm",
        &format!("-f lavfi -i testsrc2=s=320x180:r=5:d=1 -c:v libvpx -deadline realtime a.webm"),
        "?",
    )
    .await;
    check("a.mp4", &format!("{PICTURE} {H264} -frames:v 1 a.mp4"), "?").await;
    check("a.mkv", &format!("{PICTURE} {H264} -frames:v 1 a.mkv"), "?").await;
    check("a.ts", &format!("{PICTURE} {TONE} {H264} -c:a aac -output_ts_offset 3600 a.ts"), "?").await;
    check("a.mkv", &format!("{PICTURE} {TONE} {H264} -c:a aac -output_ts_offset 10 a.mkv"), "?").await;
    // A copy that starts between key frames keeps them and hides them by an edit list.
    let cut = "-ss 0.7 -i a.mp4 -c copy b.mp4";
    check("b.mp4", &format!("{long} {H264} -g 30 a.mp4 then {cut}"), "?").await;
    let sound = |length: &str| format!("{PICTURE} -f lavfi -i sine=r=48000:d={length} {H264} -c:a aac a.mp4");
    check("a.mp4", &sound("1.5"), "?").await;
    check("a.mp4", &sound("0.2"), "?").await;
}

#[tokio::test]
async fn every_kind_of_sound_and_text_is_planned() {
    check("a.mp4", &format!("{PICTURE} {TONE} {H264} -c:a aac -ac 6 a.mp4"), "?").await;
    check("a.mp4", &format!("{PICTURE} -f lavfi -i sine=r=44100:d=0.5 {H264} -c:a aac a.mp4"), "?").await;
    check("a.m4a", &format!("{TONE} -c:a aac a.m4a"), "?").await;
    check("a.mp3", &format!("{TONE} -c:a libmp3lame a.mp3"), "?").await;
    check("a.flac", &format!("{TONE} a.flac"), "?").await;
    check("a.wav", &format!("{TONE} a.wav"), "?").await;
    check("a.ogg", &format!("{TONE} -c:a libopus a.ogg"), "?").await;
    check("a.aac", &format!("{TONE} -c:a aac a.aac"), "?").await;
    // A cover is no picture.
    let cover = "-map 0 -map 1 -c:a copy -c:v mjpeg -disposition:v attached_pic -frames:v 1";
    check("a.m4a", &format!("{TONE} -c:a aac b.m4a then -i b.m4a {PICTURE} {cover} a.m4a"), "?").await;
    let languages = "-map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=ger -disposition:a:0 0 -disposition:a:1 default";
    check("a.mp4", &format!("{PICTURE} {TONE} {TONE} {languages} {H264} -c:a aac a.mp4"), "?").await;
    check("a.mkv", &format!("{PICTURE} {TONE} {TONE} {languages} {H264} -c:a aac a.mkv"), "?").await;
}
