//! Sources in, segments out: every kind of source becomes what its plan says, whichever runs encode it.

mod harness;

use harness::{ask, make, package, quick};

#[tokio::test]
async fn a_video_decodes_to_the_frames_of_its_plan() {
    let folder = tempfile::tempdir().unwrap();
    let source = make(
        folder.path(),
        "source.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=30000/1001:d=20 -f lavfi -i sine=f=440:r=44100:d=20 -c:v libx264 -preset ultrafast -c:a aac",
    );
    let packaged = package(&source, quick()).await;
    println!("{}", std::fs::read_to_string(packaged.folder.join("master.m3u8")).unwrap());
    println!("{}", ask("find", &[packaged.folder.to_str().unwrap(), "-type", "f", "-printf", "%P %s\n"]));
    let master = packaged.folder.join("master.m3u8");
    let frames = ask(
        "ffprobe",
        &[
            "-v",
            "warning",
            "-count_frames",
            "-show_entries",
            "stream=codec_type,nb_read_frames,start_time",
            "-of",
            "csv=p=0",
            master.to_str().unwrap(),
        ],
    );
    println!("{frames}");
}
