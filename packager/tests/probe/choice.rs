//! Sources with more streams than a video shows: which are used, and what people read about the others.

use super::{look, refused::refused, sources::make, summary};

/// Takes a table of three lines a case: the command, the summary of its file, and the notes.
async fn check(table: &str) {
    let lines: Vec<&str> = table.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for case in lines.chunks(3) {
        let [commands, expected, notes] = case else { panic!("{case:?}") };
        let source = make(commands);
        let (facts, plan) = look(&source.path).await.unwrap_or_else(|e| panic!("{commands}: {e}"));
        assert_eq!(summary(&facts, &plan), *expected, "{commands}");
        let written = if plan.notes.is_empty() { "-".to_owned() } else { plan.notes.join(" ") };
        assert_eq!(written, *notes, "{commands}");
    }
}

#[tokio::test]
async fn a_film_is_shown_and_not_the_photo_beside_it() {
    check(
        "
        {picture} {photo} -map 0 -map 1 {film_and_photo} -disposition:v:0 default a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 1200 × 1200 pixels was left out: a video shows one.
        {photo} {picture} -map 1 -map 0 {film_and_photo} -disposition:v:0 0 -disposition:v:1 default a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 1200 × 1200 pixels was left out: a video shows one.
        {photo} {picture} -map 0 -map 1 -c:v:0 mjpeg -pix_fmt:v:0 yuvj420p -c:v:1 libx264 -pix_fmt:v:1 yuv420p a.mov
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 1200 × 1200 pixels was left out: a video shows one.
        {picture} {wide} -map 0 -map 1 {h264} -disposition:v:0 default -disposition:v:1 0 a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 640 × 360 pixels was left out: a video shows one.
        {picture} {wide} -map 0 -map 1 {h264} -disposition:v:0 0 -disposition:v:1 0 a.mkv
        h264 640x360 15 frames -> 15 at 30/1 640x360 426x240
        A second picture of 320 × 180 pixels was left out: a video shows one.
        {picture} {wide} -map 0 -map 1 {h264} -disposition:v:0 forced -disposition:v:1 0 a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 640 × 360 pixels was left out: a video shows one.
        {picture} {slides} -map 0 -map 1 {film_and_photo} a.mp4
        h264 320x180 15 frames -> 15 at 30/1 320x180
        A second picture of 1200 × 1200 pixels was left out: a video shows one.
        ",
    )
    .await;
    // The film is there, and nobody would take the photo for it.
    let film =
        "{wide} {picture} -map 0 -map 1 -c:v:0 magicyuv -pix_fmt:v:0 gbrp -c:v:1 mjpeg -frames:v:1 1 a.mkv";
    refused(&make(film).path, "unsupported_codec").await;
}

#[tokio::test]
async fn one_stream_that_we_do_not_read_refuses_no_file() {
    check(
        "
        {both} {tone} -map 0 -map 1 -map 2 {h264} -c:a:0 aac -c:a:1 tta -metadata:s:a:1 language=ger a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A sound track (German) was left out: its format, tta, is not one that we read.
        {both} {tone} -map 0 -map 2 -map 1 {h264} -c:a:0 tta -c:a:1 aac -disposition:a:0 default -disposition:a:1 0 a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A sound track was left out: its format, tta, is not one that we read.
        {both} {tone} -map 0 -map 1 -map 2 {h264} -c:a:0 aac -c:a:1 wavpack -metadata:s:a:1 title=Extra a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A sound track (Extra) was left out: its format, wavpack, is not one that we read.
        {tiff} then {tone} b.flac then -i b.flac -i c.tiff -map 0 -map 1 -c copy -disposition:v attached_pic a.flac
        flac 1ch 48000 -> audio
        A cover was left out: its format, tiff, is not one that we read.
        {tiff} then {both} {h264} -c:a aac -attach c.tiff -metadata:s:t mimetype=image/tiff a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A cover was left out: its format, tiff, is not one that we read.
        {both} {wide} -map 0 -map 1 -map 2 {h264} -c:a aac -c:v:1 magicyuv -pix_fmt:v:1 gbrp a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A second picture of 640 × 360 pixels was left out: its format, magicyuv, is not one that we read.
        {both} {tone} -map 0 -map 1 -map 2 {h264} -bf 0 -c:a:0 aac -c:a:1 adpcm_g726 -ar:a:1 8000 a.avi
        h264 320x180 variable 15 frames -> 16 at 30/1 320x180; aac 1ch 48000 -> audio
        A sound track was left out: its format, adpcm_g726, is not one that we read.
        {tiff} then {tone} -c:a aac b.m4a then -i b.m4a {picture} {cover} -c:v png a.m4a
        aac 1ch 48000 -> audio
        -
        ",
    )
    .await;
}

#[tokio::test]
async fn what_is_known_of_a_film_does_not_hang_on_its_other_streams() {
    // Colours, shape, turn, fields, languages and words are read where ffprobe gives up, too.
    let extra = "{tone} -map 0 -map 1 -map 2 {h264} -c:a:0 aac -c:a:1 tta";
    check(&format!(
        "
        {{both}} {extra} -vf setsar=4/3 -metadata:s:a:0 language=eng a.mkv
        h264 320x180 samples 4:3 15 frames -> 15 at 30/1 426x180; aac 1ch 48000 -> audio
        A sound track was left out: its format, tta, is not one that we read.
        {{both}} {extra} -x264-params colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc -pix_fmt yuv420p10le a.mkv
        h264 320x180 10 bit tone-mapped from smpte2084 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio
        A sound track was left out: its format, tta, is not one that we read.
        -f lavfi -i testsrc2=s=320x180:r=50:d=0.5 {{tone}} {extra} -vf interlace -flags +ildct+ilme -x264-params tff=1 a.mkv
        h264 320x180 interlaced deinterlaced 12 frames -> 12 at 25/1 320x180; aac 1ch 48000 -> audio
        A sound track was left out: its format, tta, is not one that we read.
        {{picture}} {{tone}} {{h264}} -bf 0 -c:a aac b.mov then -i b.mov -c copy -metadata:s:v rotate=90 c.mov \
         then -i c.mov {{picture}} -map 0 -map 1 -c copy -c:v:1 qtrle a.mov
        h264 320x180 turned 270 15 frames -> 15 at 30/1 180x320; aac 1ch 48000 -> audio
        A second picture of 320 × 180 pixels was left out: its format, qtrle, is not one that we read.
        {{picture}} -i words.srt {{tone}} -map 0 -map 1 -map 2 {{h264}} -c:s srt -c:a tta a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; subrip -> captions/und
        A sound track was left out: its format, tta, is not one that we read.
        "
    ))
    .await;
}

#[tokio::test]
async fn picture_and_sound_are_of_one_programme() {
    let two = "{picture} -f lavfi -i sine=r=48000:d=0.5 {wide} -f lavfi -i sine=r=44100:d=0.5 -map 0 -map 1 -map 2 -map 3 {h264} -c:a aac";
    check(&format!(
        "
        {two} -program title=One:st=0:st=1 -program title=Two:st=2:st=3 a.ts
        h264 640x360 15 frames -> 15 at 30/1 640x360 426x240; aac 1ch 44100 -> audio
        The file has 2 programmes; the video is of Two, the others were left out.
        {two} -program title=One:st=2:st=1 -program title=Two:st=0:st=3 a.ts
        h264 640x360 15 frames -> 15 at 30/1 640x360 426x240; aac 1ch 48000 -> audio
        The file has 2 programmes; the video is of One, the others were left out.
        {two} -program title=Film:st=0:st=1:st=3 -program title=Loop:st=2 a.ts
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio; aac 1ch 44100 -> audio-2
        The file has 2 programmes; the video is of Film, the others were left out.
        {two} -program title=One:st=0:st=1:st=2:st=3 a.ts
        h264 640x360 15 frames -> 15 at 30/1 640x360 426x240; aac 1ch 48000 -> audio; aac 1ch 44100 -> audio-2
        A second picture of 320 × 180 pixels was left out: a video shows one.
        "
    ))
    .await;
}

#[tokio::test]
async fn the_films_own_sound_comes_first() {
    let sounds = "{picture} {tone} {tone} {tone} -map 0 -map 1 -map 2 -map 3 {h264} -c:a aac -ar:a:0 32000 -ar:a:1 44100 -ar:a:2 48000";
    check(&format!(
        "
        {sounds} -disposition:a 0 -metadata:s:a:0 title=Commentary a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 44100 -> audio; aac 1ch 48000 -> audio-2; aac 1ch 32000 -> audio-3
        -
        {sounds} -disposition:a 0 -disposition:a:0 default+visual_impaired -disposition:a:1 comment a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 48000 -> audio; aac 1ch 32000 -> audio-2; aac 1ch 44100 -> audio-3
        -
        {sounds} -disposition:a 0 -metadata:s:v language=fre -metadata:s:a:0 language=eng -metadata:s:a:1 language=fre a.mkv
        h264 320x180 15 frames -> 15 at 30/1 320x180; aac 1ch 44100 -> audio-fr; aac 1ch 32000 -> audio-en; aac 1ch 48000 -> audio
        -
        "
    ))
    .await;
}
