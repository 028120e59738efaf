//! The store's promises about caption tracks. Drives the public calls alone.

use std::time::Duration;

use store::{
    Advance, Attempt, CaptionId, CaptionNaming, CaptionOrigin, CaptionState, CaptionTrack, Conclusion, Cue,
    CueEdit, DetectedLanguage, Edited, Error, Failure, FileTrack, Job, JobKind, NewPlan, NewTrack, NewVideo,
    Replacement, Store, StoredCue, Timestamp, TranscriptionOptions, VideoId,
};

use crate::store;

const LEASE: Duration = Duration::from_mins(1);

async fn uploaded(store: &Store) -> VideoId {
    let video = NewVideo {
        title: "v".into(),
        description: String::new(),
        source_name: "clip.mp4".into(),
        owner: None,
    };
    let expires_at = Timestamp::now() + Duration::from_hours(1);
    let upload = store.uploads.begin(&video, Some(5), expires_at).await.unwrap();
    let mut append = store.uploads.append(&upload.id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    upload.id
}

async fn plan(store: &Store, id: &VideoId, captions: &[FileTrack], listen: bool) {
    let prepare = claim(store, JobKind::Prepare).await.unwrap();
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 60.0,
        renditions: &[],
        jobs: &[],
        captions,
        listen,
        notes: &[],
    };
    store.renditions.plan(id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
}

/// Makes a video that plays and that a machine is to listen to.
async fn playable(store: &Store) -> VideoId {
    let id = uploaded(store).await;
    plan(store, &id, &[], true).await;
    store.videos.mark_playable(&id).await.unwrap();
    id
}

async fn claim(store: &Store, kind: JobKind) -> Option<Job> {
    store.jobs.claim(&[kind], "worker", LEASE).await.unwrap()
}

fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
    Cue { start_ms, end_ms, text: text.into(), ..Cue::default() }
}

fn english() -> FileTrack {
    FileTrack {
        name: "en".into(),
        language: "en".into(),
        label: None,
        describes_sounds: false,
        forced: false,
    }
}

async fn texts(store: &Store, id: &CaptionId) -> Vec<String> {
    store.captions.cues(id).await.unwrap().into_iter().map(|it| it.cue.text).collect()
}

async fn only(store: &Store, video: &VideoId) -> CaptionTrack {
    let mut tracks = store.captions.of(video).await.unwrap();
    assert_eq!(tracks.len(), 1);
    tracks.remove(0)
}

#[tokio::test]
async fn a_machine_writes_window_by_window_and_the_first_cues_list_the_track() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let track = only(&store, &video).await;
    assert_eq!((track.state, track.name.clone(), track.is_listed()), (CaptionState::Queued, None, false));
    assert!(claim(&store, JobKind::Playlists).await.is_none());

    let job = claim(&store, JobKind::Captions).await.unwrap();
    assert_eq!(store.captions.begin(&job).await.unwrap().unwrap().id, track.id);
    let detected = DetectedLanguage { language: "en", provenance: "{\"model\":\"tiny\"}" };
    let named = store.captions.set_language(&job, &detected).await.unwrap().unwrap();
    assert_eq!((named.name.as_deref(), named.language.as_deref()), (Some("en"), Some("en")));
    assert!(!named.is_listed());
    assert!(claim(&store, JobKind::Playlists).await.is_none());

    let first = [cue(0, 1000, "one"), cue(2000, 3000, "two")];
    let window = Advance { seconds_done: 30.0, checkpoint: "{\"seek\":3000}", cues: &first, segments: "[1]" };
    assert!(store.captions.advance(&job, &window).await.unwrap());
    let track = only(&store, &video).await;
    assert!(track.is_listed());
    assert_eq!((track.state, track.seconds_done), (CaptionState::Running, 30.0));
    let playlists = claim(&store, JobKind::Playlists).await.unwrap();
    store.jobs.finish(&playlists).await.unwrap();

    let second = [cue(31_000, 32_000, "three")];
    let window = Advance { seconds_done: 60.0, checkpoint: "{}", cues: &second, segments: "[2]" };
    assert!(store.captions.advance(&job, &window).await.unwrap());
    assert!(claim(&store, JobKind::Playlists).await.is_none(), "nothing in the playlists has changed");
    store.captions.conclude(&job, Conclusion::Whole).await.unwrap();
    let track = only(&store, &video).await;
    assert_eq!((track.state, track.checkpoint), (CaptionState::Done, None));
    assert_eq!(texts(&store, &track.id).await, ["one", "two", "three"]);
    assert_eq!(store.captions.recognized(&track.id).await.unwrap(), ["[1]", "[2]"]);
    assert!(claim(&store, JobKind::Playlists).await.is_some());
    assert!(claim(&store, JobKind::Captions).await.is_none());
}

#[tokio::test]
async fn a_killed_transcriber_goes_on_behind_its_last_window() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let job = claim(&store, JobKind::Captions).await.unwrap();
    store.captions.begin(&job).await.unwrap().unwrap();
    store
        .captions
        .set_language(&job, &DetectedLanguage { language: "en", provenance: "{}" })
        .await
        .unwrap()
        .unwrap();
    let cues = [cue(0, 1000, "one")];
    let window = Advance { seconds_done: 30.0, checkpoint: "here", cues: &cues, segments: "[]" };
    assert!(store.captions.advance(&job, &window).await.unwrap());
    // A killed one gives nothing back; its lease runs out.
    assert!(store.jobs.renew(&job, Duration::ZERO).await.unwrap());

    let again = claim(&store, JobKind::Captions).await.unwrap();
    let track = store.captions.begin(&again).await.unwrap().unwrap();
    assert_eq!((track.checkpoint.as_deref(), track.seconds_done), (Some("here"), 30.0));
    let named = store
        .captions
        .set_language(&again, &DetectedLanguage { language: "en", provenance: "{}" })
        .await
        .unwrap();
    assert_eq!(named.unwrap().name.as_deref(), Some("en"), "it keeps its folder");
    assert_eq!(texts(&store, &only(&store, &video).await.id).await, ["one"]);
}

#[tokio::test]
async fn a_worker_without_the_lease_writes_nothing() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let lost = claim(&store, JobKind::Captions).await.unwrap();
    store.captions.begin(&lost).await.unwrap().unwrap();
    store.jobs.release(&lost, Duration::ZERO, Attempt::Interrupted).await.unwrap();
    let job = store.jobs.claim(&[JobKind::Captions], "another", LEASE).await.unwrap().unwrap();
    let cues = [cue(0, 1000, "ghost")];
    let window = Advance { seconds_done: 30.0, checkpoint: "", cues: &cues, segments: "[]" };
    assert!(!store.captions.advance(&lost, &window).await.unwrap());
    assert!(store.captions.begin(&lost).await.unwrap().is_none());
    assert!(
        store
            .captions
            .set_language(&lost, &DetectedLanguage { language: "xx", provenance: "" })
            .await
            .unwrap()
            .is_none()
    );
    store.captions.conclude(&lost, Conclusion::Failed("no")).await.unwrap();
    store.captions.await_model(&lost, "no", LEASE).await.unwrap();
    let track = only(&store, &video).await;
    assert_eq!((track.state, track.has_cues), (CaptionState::Running, false));
    assert!(store.captions.begin(&job).await.unwrap().is_some());
}

#[tokio::test]
async fn without_a_model_the_track_waits_and_names_the_remedy() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let job = claim(&store, JobKind::Captions).await.unwrap();
    store.captions.await_model(&job, "run `clipcut model pull`", Duration::from_mins(1)).await.unwrap();
    let track = only(&store, &video).await;
    assert_eq!(track.state, CaptionState::Waiting);
    assert_eq!(track.message.as_deref(), Some("run `clipcut model pull`"));
    assert!(claim(&store, JobKind::Captions).await.is_none(), "it comes back after the pause");
}

#[tokio::test]
async fn a_video_in_which_nobody_speaks_has_no_captions() {
    let (store, _folder) = store().await;
    for conclusion in [Conclusion::Whole, Conclusion::Silent, Conclusion::CutShort(3.0)] {
        let video = playable(&store).await;
        let job = claim(&store, JobKind::Captions).await.unwrap();
        store.captions.begin(&job).await.unwrap().unwrap();
        store.captions.conclude(&job, conclusion).await.unwrap();
        let track = only(&store, &video).await;
        assert_eq!((track.state, track.is_listed()), (CaptionState::None, false), "{conclusion:?}");
    }
}

#[tokio::test]
async fn captions_wait_until_the_playlists_list_them() {
    let (store, _folder) = store().await;
    let video = uploaded(&store).await;
    plan(&store, &video, &[], true).await;
    assert!(claim(&store, JobKind::Captions).await.is_none(), "its own video does not play yet");
    store.videos.mark_playable(&video).await.unwrap();

    uploaded(&store).await;
    let encoding = claim(&store, JobKind::Prepare).await.unwrap();
    assert!(claim(&store, JobKind::Captions).await.is_none(), "an encoder is at work for somebody");
    store.jobs.release(&encoding, LEASE, Attempt::Interrupted).await.unwrap();
    assert!(claim(&store, JobKind::Captions).await.is_some(), "nobody is at work on what still waits");
}

#[tokio::test]
async fn captions_make_room_for_encoders_of_their_own_machine_alone() {
    let (store, _folder) = store().await;
    playable(&store).await;
    let (encoding, alone) = (store.clone().on_machine("a"), store.clone().on_machine("b"));
    uploaded(&store).await;
    claim(&encoding, JobKind::Prepare).await.unwrap();
    let beside = claim(&encoding, JobKind::Captions).await;
    assert!(beside.is_none(), "{beside:?}");
    assert!(claim(&alone, JobKind::Captions).await.is_some());
}

#[tokio::test]
async fn captions_hold_no_video_back_from_being_ready() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let track = only(&store, &video).await;
    let job = claim(&store, JobKind::Captions).await.unwrap();
    store.captions.begin(&job).await.unwrap().unwrap();
    assert_eq!(job.track, track.id.as_str());
    // The plan of a real video brings it; its turn comes although captions are being written.
    store.videos.mark_ready(&video).await.unwrap();
    assert!(store.captions.begin(&job).await.unwrap().is_some());
}

#[tokio::test]
async fn a_files_own_track_is_listed_once_it_is_read() {
    let (store, _folder) = store().await;
    let video = uploaded(&store).await;
    plan(&store, &video, &[english()], false).await;
    let track = only(&store, &video).await;
    assert_eq!(
        (track.origin, track.state, track.is_listed()),
        (CaptionOrigin::File, CaptionState::Queued, false)
    );
    let job = claim(&store, JobKind::Text).await.unwrap();
    store.captions.fill(&job, &[cue(0, 1000, "one")]).await.unwrap();
    let track = only(&store, &video).await;
    assert_eq!((track.state, track.is_listed()), (CaptionState::Done, true));
    assert!(claim(&store, JobKind::Text).await.is_none());
    assert!(claim(&store, JobKind::Playlists).await.is_some());
}

#[tokio::test]
async fn a_failed_video_that_is_tried_again_keeps_its_tracks() {
    let (store, _folder) = store().await;
    let video = uploaded(&store).await;
    plan(&store, &video, &[english()], true).await;
    let failure = Failure { code: "no".into(), message: "No.".into() };
    let text = claim(&store, JobKind::Text).await.unwrap();
    store.videos.fail(&text, &failure).await.unwrap();
    assert!(claim(&store, JobKind::Text).await.is_none());
    store.videos.retry(&video).await.unwrap();
    plan(&store, &video, &[english()], true).await;
    assert_eq!(store.captions.of(&video).await.unwrap().len(), 2);
    assert!(claim(&store, JobKind::Text).await.is_some());
    store.videos.mark_playable(&video).await.unwrap();
    assert!(claim(&store, JobKind::Captions).await.is_some());
}

#[tokio::test]
async fn two_tracks_of_a_language_have_folders_of_their_own() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let mut names = Vec::new();
    for language in ["de", "DE", "de"] {
        let new = NewTrack { language, label: None, cues: &[cue(0, 1, "x")] };
        names.push(store.captions.add(&video, &new).await.unwrap().unwrap().name.unwrap());
    }
    assert_eq!(names, ["de", "DE-2", "de-3"]);
    let track = store.captions.named(&video, "de-3").await.unwrap().unwrap();
    let naming = CaptionNaming { language: Some("fr".into()), label: Some("Version".into()), seen: None };
    let renamed = store.captions.rename(&track.id, &naming).await.unwrap().unwrap();
    assert_eq!((renamed.name.as_deref(), renamed.label.as_deref()), (Some("fr"), Some("Version")));
    let naming = CaptionNaming { language: None, label: Some(String::new()), seen: None };
    let renamed = store.captions.rename(&track.id, &naming).await.unwrap().unwrap();
    assert_eq!((renamed.name.as_deref(), renamed.label), (Some("fr"), None));
}

#[tokio::test]
async fn a_person_corrects_a_cue_in_words_and_time() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let cues = [cue(0, 1000, "one"), cue(5000, 7000, "too")];
    let new = NewTrack { language: "en", label: None, cues: &cues };
    let id = store.captions.add(&video, &new).await.unwrap().unwrap().id;
    let edit = CueEdit { text: Some("two".into()), end_ms: Some(6000), ..CueEdit::default() };
    let edited = store.captions.edit_cue(&id, 2, &edit).await.unwrap();
    let expected = StoredCue { number: 2, cue: cue(5000, 6000, "two") };
    assert_eq!(edited, Edited::Cue { cue: expected, revision: 2 });
    let backwards = CueEdit { start_ms: Some(6000), ..CueEdit::default() };
    assert_eq!(store.captions.edit_cue(&id, 2, &backwards).await.unwrap(), Edited::Backwards);
    assert_eq!(store.captions.edit_cue(&id, 3, &edit).await.unwrap(), Edited::Absent);
    let added = store.captions.add_cue(&id, &cue(2000, 3000, "between")).await.unwrap().unwrap();
    assert_eq!(added.number, 3);
    assert_eq!(texts(&store, &id).await, ["one", "between", "two"]);
    let within: Vec<u32> =
        store.captions.cues_between(&id, 1000, 5500).await.unwrap().iter().map(|it| it.number).collect();
    assert_eq!(within, [3, 2], "a cue that ends where the stretch begins is not in it");
    assert!(store.captions.delete_cue(&id, 1).await.unwrap());
    assert!(!store.captions.delete_cue(&id, 1).await.unwrap());
    let track = store.captions.get(&id).await.unwrap().unwrap();
    assert!(track.edited);
    assert_eq!(track.revision, 4);
    // A change that somebody else has made meanwhile is not written over.
    let (naming, cues) = (CaptionNaming { seen: Some(3), ..CaptionNaming::default() }, &[cue(0, 1, "x")]);
    let of_before = CueEdit { seen: Some(3), ..edit };
    for refused in [
        store.captions.edit_cue(&id, 2, &of_before).await.map(drop),
        store.captions.rename(&id, &naming).await.map(drop),
        store.captions.replace(&id, Replacement { cues, seen: Some(3) }).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Edited { revision: 4, .. })), "{refused:?}");
    }
    assert_eq!(texts(&store, &id).await, ["between", "two"]);
    let of_now = CaptionNaming { seen: Some(4), ..naming };
    assert_eq!(store.captions.rename(&id, &of_now).await.unwrap().unwrap().revision, 5);
}

#[tokio::test]
async fn a_replaced_track_is_a_persons_and_stops_the_machine() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let job = claim(&store, JobKind::Captions).await.unwrap();
    let id = store.captions.begin(&job).await.unwrap().unwrap().id;
    let by_hand = Replacement { cues: &[cue(0, 1, "mine")], seen: None };
    assert!(store.captions.replace(&id, by_hand).await.unwrap().is_none(), "no language yet");
    store
        .captions
        .set_language(&job, &DetectedLanguage { language: "en", provenance: "{}" })
        .await
        .unwrap()
        .unwrap();
    let track = store.captions.replace(&id, by_hand).await.unwrap().unwrap();
    assert_eq!(
        (track.origin, track.state, track.provenance),
        (CaptionOrigin::Person, CaptionState::Done, None)
    );
    let window = Advance { seconds_done: 1.0, checkpoint: "", cues: &[], segments: "[]" };
    assert!(!store.captions.advance(&job, &window).await.unwrap());
    assert_eq!(texts(&store, &only(&store, &video).await.id).await, ["mine"]);
}

#[tokio::test]
async fn the_machine_is_asked_again_with_other_wishes() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let running = claim(&store, JobKind::Captions).await.unwrap();
    let id = store.captions.begin(&running).await.unwrap().unwrap().id;
    let options = TranscriptionOptions {
        language: Some("de".into()),
        model: Some("small".into()),
        prompt: Some("Clip Cut".into()),
        translated: true,
    };
    assert!(store.captions.ask_again(&id, &options).await.unwrap());
    assert!(store.captions.begin(&running).await.unwrap().is_none(), "the old run is over");
    let job = claim(&store, JobKind::Captions).await.unwrap();
    assert_eq!(store.captions.begin(&job).await.unwrap().unwrap().options, options);
    let other = store.captions.ask(&video, &TranscriptionOptions::default()).await.unwrap().unwrap();
    assert_ne!(other.id, id);
    assert!(store.captions.ask(&VideoId::random(), &options).await.unwrap().is_none());
    assert!(store.captions.delete(&id).await.unwrap());
    assert!(!store.captions.delete(&id).await.unwrap());
    assert!(store.captions.begin(&job).await.unwrap().is_none());
    assert!(store.delete(&video).await.unwrap());
    assert!(store.captions.get(&other.id).await.unwrap().is_none());
}

#[tokio::test]
async fn captions_that_change_while_playlists_are_written_have_them_written_once_more() {
    let (store, _folder) = store().await;
    let video = playable(&store).await;
    let new = NewTrack { language: "en", label: None, cues: &[cue(0, 1, "x")] };
    let id = store.captions.add(&video, &new).await.unwrap().unwrap().id;
    let writing = claim(&store, JobKind::Playlists).await.unwrap();
    store.captions.delete(&id).await.unwrap();
    store.jobs.finish(&writing).await.unwrap();
    assert!(claim(&store, JobKind::Playlists).await.is_some());
}
