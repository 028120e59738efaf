//! Parts of a source that do not decode, or that its container hides: noted on the video.

use std::{fs, path::Path};

use packager::Config;

use super::{
    X264,
    harness::{Packaged, make, package, quick},
    joined,
    numbered::{Shown, inputs},
};

/// Expects a note with all of these words.
fn notes(packaged: &Packaged, words: &[&str], source: &str) {
    let all = &packaged.video.notes;
    assert!(
        all.iter().any(|note| words.iter().all(|word| note.contains(word))),
        "{source}: {words:?} are not in {all:?}"
    );
}

/// Overwrites a part of a file, between these shares of its length.
fn damage(file: &Path, from: f64, to: f64) {
    let mut bytes = fs::read(file).unwrap();
    let place = |share: f64| (bytes.len() as f64 * share) as usize;
    let (from, to) = (place(from), place(to));
    for (n, byte) in bytes[from..to].iter_mut().enumerate() {
        *byte = (n as u8).wrapping_mul(151) ^ 0x5a;
    }
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn pictures_that_do_not_decode_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let noise = "-f lavfi -i testsrc2=s=320x180:r=25:d=20,noise=alls=20:allf=t";
    // Sound apart, so that the damage is in the pictures alone.
    let source = make(
        folder.path(),
        "damaged.mp4",
        &format!("{noise} -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p"),
    );
    damage(&source, 0.5, 0.8);
    let packaged = package(&source, quick()).await;
    notes(&packaged, &["of the picture could not be decoded", "0:06"], "damaged.mp4");
}

#[tokio::test]
async fn sound_that_does_not_decode_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(
        folder.path(),
        "damaged.flac.mkv",
        &format!("{} -c:v libx264 -preset ultrafast -c:a flac", inputs(20)),
    );
    // Every packet for three seconds.
    let broken =
        format!("-i {} -c copy -bsf:a noise=amount=if(between(pts*tb\\,8\\,11)\\,2\\,0)", source.display());
    let source = make(folder.path(), "broken.mkv", &broken);
    let packaged = package(&source, quick()).await;
    notes(&packaged, &["of the sound could not be decoded", "0:06", "silent"], "broken.mkv");
    Shown::of(&packaged).together("broken.mkv");
}

#[tokio::test]
async fn a_whole_source_has_no_note() {
    let folder = tempfile::tempdir().unwrap();
    for (file, codecs) in [
        ("whole.mp4", X264),
        ("whole.ts", X264),
        ("whole.mkv", X264),
        ("whole.flv", X264),
        ("whole.webm", "-c:v libvpx -deadline realtime -b:v 1M -c:a libopus"),
        ("whole.ogv", "-c:v libtheora -q:v 8 -c:a libvorbis"),
        ("whole.avi", "-c:v mpeg4 -b:v 2M -bf 2 -c:a libmp3lame"),
        ("whole.mpg", "-c:v mpeg2video -b:v 2M -c:a mp2"),
        ("whole.wmv", "-c:v wmv2 -b:v 2M -c:a wmav2"),
        ("half.mp4", "-c:v libx264 -preset ultrafast -r 12.5 -c:a aac -ar 22050 -ac 1"),
        ("fields.ts", "-vf interlace -c:v libx264 -preset ultrafast -flags +ildct+ilme -c:a ac3"),
        ("fields.mxf", "-c:v mpeg2video -b:v 5M -flags +ildct+ilme -c:a pcm_s16le"),
    ] {
        let source = make(folder.path(), file, &format!("{} {codecs}", inputs(8)));
        let packaged = package(&source, quick()).await;
        assert_eq!(packaged.video.notes, Vec::<String>::new(), "{file}");
    }
}

#[tokio::test]
async fn a_cover_in_the_index_is_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let noise = "-f lavfi -i testsrc2=s=600x600,noise=alls=60:allf=t -frames:v 1";
    let cover = make(folder.path(), "cover.png", noise);
    for (file, codecs) in [("song.m4a", "-map 1:a -c:a aac"), ("film.mp4", X264)] {
        let source = make(folder.path(), file, &format!("{} {codecs}", inputs(4)));
        let both = format!(
            "-i {} -i {} -map 0 -map 1 -c copy -disposition:v:0 default",
            source.display(),
            cover.display()
        );
        let covered = format!("{both} -disposition:v:{} attached_pic", usize::from(file == "film.mp4"));
        let source = make(folder.path(), &format!("covered-{file}"), &covered);
        assert!(fs::metadata(&source).unwrap().len() > 200_000, "the cover is most of it");
        let packaged = package(&source, quick()).await;
        assert_eq!(packaged.video.notes, Vec::<String>::new(), "{file}");
    }
}

#[tokio::test]
async fn sound_that_ends_its_decoder_leaves_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mp4", &format!("{} {X264} -movflags +faststart", inputs(8)));
    // Chance makes frames of forty channels, which no filter takes.
    damage(&source, 0.75, 1.0);
    let packaged = package(&source, quick()).await;
    let shown = Shown::of(&packaged);
    assert_eq!(shown.numbers[..100], (0..100).collect::<Vec<u32>>());
    assert!(shown.beeps.iter().filter(|(at, second)| (at - f64::from(*second)).abs() < 0.1).count() >= 4);
    notes(&packaged, &["of the sound could not be decoded"], "source.mp4");
}

#[tokio::test]
async fn sound_of_which_nothing_decodes_is_silent_beside_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(folder.path(), "source.mkv", &format!("{} {X264}", inputs(8)));
    let broken = format!("-i {} -c copy -bsf:a noise=amount=1", source.display());
    let source = make(folder.path(), "broken.mkv", &broken);
    let packaged = package(&source, Config { run_segments: 1, ..quick() }).await;
    let shown = Shown::of(&packaged);
    shown.frames(&[8], 0, "broken.mkv");
    assert_eq!(shown.beeps, []);
    notes(&packaged, &["8.0 seconds of the sound could not be decoded"], "broken.mkv");
}

#[tokio::test]
async fn a_file_that_hides_another_behind_it_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = "-f lavfi -i testsrc2=s=320x180:r=25:d=5 -f lavfi -i sine=r=48000:d=5";
    let film = make(folder.path(), "a.mp4", &format!("{inputs} {X264}"));
    // A bare stream has no first bytes by which it would be found.
    let bare = make(folder.path(), "a.h264", &format!("-i {} -map 0:v -c copy", film.display()));
    let flash = make(folder.path(), "a.flv", &format!("{inputs} {X264}"));
    let packaged = package(&joined(folder.path(), "flash.flv", &[&flash, &bare]), quick()).await;
    notes(&packaged, &["The last ", " % of the file"], "flash.flv");
}

#[tokio::test]
async fn chained_streams_play_on() {
    let folder = tempfile::tempdir().unwrap();
    let part = make(folder.path(), "a.ogv", &format!("{} -c:v libtheora -q:v 8 -c:a libvorbis", inputs(5)));
    let two = joined(folder.path(), "two.ogv", &[&part, &part]);
    let packaged = package(&two, quick()).await;
    Shown::of(&packaged).check(&[5, 5], 5, "two.ogv");
}
