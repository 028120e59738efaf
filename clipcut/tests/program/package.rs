//! `clipcut package`: a folder that plays, also when the first try was killed, and errors that a person can act
//! on.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use rand::RngExt;

use crate::harness::{Clip, Finished, Program, Shelf, clipcut, count_frames, finish, seeded, until};

fn package(home: &Path, file: &Path, out: &Path) -> Command {
    let mut command = clipcut(home);
    command.arg("package").arg(file).arg("-o").arg(out);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

fn check_failed(done: &Finished, parts: &[&str]) {
    assert_eq!(done.code, Some(1), "{done:?}");
    for part in parts {
        assert!(done.stderr.contains(part), "{part:?} in {done:?}");
    }
    assert!(!done.stderr.contains("panicked"), "{done:?}");
}

#[test]
fn a_clip_becomes_a_folder_that_plays() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("site/clip");
    let done = finish(&mut package(home.path(), Clip::Short.file(), &out));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout, format!("{}\n", out.join("master.m3u8").display()));
    assert!(done.stderr.contains("packaging: 3 of 3 segments"), "{done:?}");
    assert_eq!(names(&out), ["160p", "240p", "audio", "manifest.mpd", "master.m3u8", "poster.jpg"]);
    for entry in ["master.m3u8", "manifest.mpd"] {
        assert_eq!(
            count_frames(&out.join(entry).display().to_string()),
            [Clip::Short.frames(); 2],
            "{entry}"
        );
    }
}

#[tokio::test]
async fn a_killed_run_goes_on_in_the_next() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let mut random = seeded();
    let videos = out.join(".clipcut-package/blobs/videos");
    let folder = || fs::read_dir(&videos).ok()?.next()?.ok().map(|entry| entry.path());
    let mut left = Shelf::default();
    for _ in 0..3 {
        let more = left.len() + random.random_range(1..8);
        let mut command = package(home.path(), Clip::Long.file(), &out);
        let mut program = Program::start(command.env("CLIPCUT_RUN_SEGMENTS", "4"));
        until("more segments", async || {
            let shelf = folder().map(|folder| Shelf::of(&folder)).unwrap_or_default();
            (shelf.len() >= more).then_some(())
        })
        .await;
        program.kill();
        left.check_still_stands(&folder().unwrap());
        left = Shelf::of(&folder().unwrap());
        println!("killed at {} files", left.len());
        assert!(!out.join("master.m3u8").exists(), "what is not whole must not look so");
    }
    let done = finish(package(home.path(), Clip::Long.file(), &out).env("CLIPCUT_RUN_SEGMENTS", "4"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("going on with"), "{done:?}");
    left.check_still_stands(&out);
    assert_eq!(names(&out), ["240p", "360p", "audio", "manifest.mpd", "master.m3u8", "poster.jpg"]);
    let master = out.join("master.m3u8").display().to_string();
    assert_eq!(count_frames(&master), [Clip::Long.frames(), Clip::Long.frames()]);
}

#[test]
fn a_run_that_was_killed_while_it_tidied_up_ends_well_the_next_time() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    assert_eq!(finish(&mut package(home.path(), Clip::Short.file(), &out)).code, Some(0));
    // Everything is handed over and of the workshop only the folder is left.
    fs::create_dir(out.join(".clipcut-package")).unwrap();
    let done = finish(&mut package(home.path(), Clip::Short.file(), &out));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(names(&out), ["160p", "240p", "audio", "manifest.mpd", "master.m3u8", "poster.jpg"]);
    assert_eq!(count_frames(&out.join("master.m3u8").display().to_string()), [Clip::Short.frames(); 2]);
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "mine").unwrap();
    let done = finish(&mut package(home.path(), Clip::Short.file(), &out));
    check_failed(&done, &["out is not empty; choose a new folder with -o"]);
    assert_eq!(names(&out), ["letter.txt"]);
}

#[test]
fn a_file_that_cannot_be_packaged_is_refused_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let letter = home.path().join("letter.mp4");
    fs::write(&letter, "Dear Clip Cut, this is not a video.").unwrap();
    let check = |file: &Path, settings: &[(&str, &str)], parts: &[&str]| {
        let out = tempfile::tempdir_in(home.path()).unwrap();
        let done = finish(package(home.path(), file, out.path()).envs(settings.iter().copied()));
        check_failed(&done, parts);
    };
    let short = Clip::Short.file();
    check(&letter, &[], &["clipcut: This is not a video or audio file that we can read. Files in MP4"]);
    check(Path::new("absent.mp4"), &[], &["cannot open absent.mp4: No such file or directory"]);
    check(short, &[("CLIPCUT_FFPROBE", "/nonexistent/ffprobe")], &["cannot be started", "clipcut doctor"]);
    check(short, &[("CLIPCUT_FFMPEG", "/nonexistent/ffmpeg")], &["cannot be started", "clipcut doctor"]);
    check(
        Clip::Long.file(),
        &[("CLIPCUT_MAX_DURATION", "1m")],
        &["The video is 1 min 2 s long; the limit is 1 min. Cut it into shorter parts."],
    );
}

/// Writes a program that stands in for ffmpeg where pictures are encoded: it does `instead`.
fn dying_ffmpeg(home: &Path, instead: &str) -> PathBuf {
    let script = home.join("ffmpeg");
    fs::write(
        &script,
        format!("#!/bin/sh\ncase \" $* \" in *' libx264 '*) {instead};; esac\nexec ffmpeg \"$@\"\n"),
    )
    .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[test]
fn an_encoder_that_dies_gives_its_last_words() {
    let home = tempfile::tempdir().unwrap();
    let check = |instead: &str, parts: &[&str]| {
        let out = tempfile::tempdir_in(home.path()).unwrap();
        let ffmpeg = dying_ffmpeg(home.path(), instead);
        let done = finish(package(home.path(), Clip::Short.file(), out.path()).env("CLIPCUT_FFMPEG", ffmpeg));
        check_failed(&done, parts);
        check_failed(&done, &["while encoding the picture between 0:00 and 0:02"]);
    };
    // As ffmpeg writes its own errors, as the system's loader writes its, and without a word.
    check(
        "echo '[libx264 @ 0x5] [error] malloc of size 99 failed' >&2; exit 1",
        &["had too little memory", "exit status: 1", "malloc of size 99 failed"],
    );
    check(
        "echo 'ffmpeg: error while loading shared libraries: libx264.so.164' >&2; exit 127",
        &["encoder stopped", "exit status: 127", "error while loading shared libraries: libx264.so.164"],
    );
    check("kill -SEGV $$", &["encoder crashed", "signal: 11"]);
}
