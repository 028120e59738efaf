//! `clipcut fsck`: each fault that was made by hand is named, and what can be mended is.

use std::{fs, path::Path};

use bytes::Bytes;
use futures::stream;

use crate::harness::{Clip, Cluster, Finished, Server, clipcut, finish, until};

fn fsck(home: &Path, cluster: &Cluster, args: &[&str]) -> Finished {
    finish(clipcut(home).arg("fsck").args(args).envs(cluster.settings()))
}

#[tokio::test]
async fn what_was_damaged_lost_or_left_behind_is_named_and_mended_where_it_can_be() {
    let home = tempfile::tempdir().unwrap();
    let (home, cluster) = (home.path(), Cluster::shared());
    cluster.migrate(home);
    let origin = cluster.start(home, "origin", &[]);
    let packager = cluster.start(home, "packager", &[]);
    let bytes = Bytes::from(fs::read(Clip::Short.file()).unwrap());
    let upload = origin.http.create_upload(bytes.len() as u64).await;
    origin.http.ask(origin.http.append(&upload, 0, stream::iter([Ok(bytes)]))).await;
    let id = upload.rsplit('/').next().unwrap().to_owned();
    until("the video to be ready", async || {
        let document = origin.http.get(&format!("/api/v1/videos/{id}")).await.json();
        (document["state"] == "ready").then_some(())
    })
    .await;
    let clean = fsck(home, &cluster, &[]);
    assert_eq!(clean.code, Some(0), "{clean:?}");
    assert!(clean.stdout.starts_with("1 videos, ") && clean.stdout.contains(": 0 faults"), "{clean:?}");

    let orphan = store::VideoId::random();
    let store = cluster.store().await;
    store.blobs.put(&format!("videos/{orphan}/240p/0.m4s"), b"of nobody").await.unwrap();
    store.blobs.delete_all(&format!("videos/{id}/master.m3u8")).await.unwrap();
    store.blobs.delete_all(&format!("sources/{id}")).await.unwrap();
    cluster.damage(&format!("videos/{id}/240p/0.m4s")).await;
    let lasting =
        [format!("missing    sources/{id}"), format!("damaged    videos/{id}/240p/0.m4s is damaged")];
    let mendable = [format!("orphan     videos/{orphan}"), format!("missing    videos/{id}/master.m3u8")];
    let found = fsck(home, &cluster, &[]);
    assert_eq!(found.code, Some(1), "{found:?}");
    for line in lasting.iter().chain(&mendable) {
        assert!(found.stdout.contains(line.as_str()), "{line} in {found:?}");
    }
    assert!(found.stdout.contains(": 4 faults, 0 mended"), "{found:?}");

    let mended = fsck(home, &cluster, &["--mend"]);
    assert!(mended.stdout.contains(": 4 faults, 2 mended"), "{mended:?}");
    until("the playlist to be written again", async || {
        store.blobs.read(&format!("videos/{id}/master.m3u8")).await.unwrap().map(drop)
    })
    .await;
    let left = fsck(home, &cluster, &[]);
    assert_eq!(left.code, Some(1), "{left:?}");
    assert!(left.stdout.contains(": 2 faults, 0 mended"), "{left:?}");
    assert!(left.stderr.contains("restore what is missing or damaged from a backup"), "{left:?}");
    let sound =
        cluster.ask(&format!("select name from renditions where video_id = '{id}' and kind = 'audio'"));
    cluster.ask(&format!(
        "delete from segments where video_id = '{id}' and rendition = '{sound}' and number = 0"
    ));
    // Behind the mending: playlists have the rates of segments that are recorded.
    let left = fsck(home, &cluster, &[]);
    assert!(left.stdout.contains(&format!("unrecorded videos/{id}/{sound}/0.m4s")), "{left:?}");
    assert!(left.stdout.contains(": 3 faults, 0 mended"), "{left:?}");
    drop((origin, packager));
}

#[tokio::test]
async fn a_library_in_a_folder_is_checked_too() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::start(&data, &[]);
    let id = server.upload(Clip::Short.file()).await;
    server.ready(&id).await;
    let segment = server.folder(&id).join("240p/0.m4s");
    let check = || finish(clipcut(home.path()).arg("fsck"));
    let refused = check();
    assert!(
        refused.code == Some(1) && refused.stderr.contains("is in use by another clipcut"),
        "{refused:?}"
    );
    drop(server);
    let clean = check();
    assert_eq!(clean.code, Some(0), "{clean:?}");
    fs::remove_file(segment).unwrap();
    let found = check();
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stdout.contains(&format!("missing    videos/{id}/240p/0.m4s")), "{found:?}");
}
