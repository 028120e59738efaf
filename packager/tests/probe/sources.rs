//! Sources of the kinds that people upload, as commands of ffmpeg, and the facts and plans expected of them.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

/// Pieces of ffmpeg's arguments; later ones may name earlier ones.
const NAMED: [(&str, &str); 21] = [
    ("{picture}", "-f lavfi -i testsrc2=s=320x180:r=30:d=0.5"),
    ("{long}", "-f lavfi -i testsrc2=s=320x180:r=30:d=2"),
    ("{wide}", "-f lavfi -i testsrc2=s=640x360:r=30:d=0.5"),
    ("{photo}", "-f lavfi -i color=gray:s=1200x1200:r=25:d=0.04"),
    ("{slides}", "-f lavfi -i color=gray:s=1200x1200:r=4:d=0.5"),
    ("{film_and_photo}", "{h264} -c:v:1 mjpeg -pix_fmt:v:1 yuvj420p"),
    ("{tiff}", "{picture} -frames:v 1 c.tiff"),
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

/// Uploads: a command, and below it the expected facts and plan.
pub(crate) const CODEC: &str = "
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
pub(crate) const SHAPE: &str = "
{picture} {h264} a.mp4 then -i a.mp4 -c copy -metadata:s:v rotate=90 b.mp4
    h264 320x180 turned 270 15 frames -> 15 at 30/1 180x320
{picture} -vf setsar=4/3 {h264} a.mp4
    h264 320x180 samples 4:3 15 frames -> 15 at 30/1 426x180
{picture} -vf scale=180:320,setsar=1 {h264} a.mp4
    h264 180x320 15 frames -> 15 at 30/1 180x320
{picture} -vf scale=480:270 {h264} a.mp4
    h264 480x270 15 frames -> 15 at 30/1 480x270 320x180
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
pub(crate) const TIME: &str = "
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
pub(crate) const SOUND: &str = "
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
pub(crate) struct Source {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

/// Makes the file that is named last with ffmpeg, which finds subtitles in `words.srt`; names in braces stand
/// for their values in [`NAMED`], arguments are split at spaces. Several commands, parted by ` then `, build
/// on the files of those before them.
pub(crate) fn make(commands: &str) -> Source {
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
