//! The demo video of an empty library, and its captions.

use crate::harness::{Http, Program, RUNTIME, clipcut, finish, until};

const SPEECH: &str = "Hello and welcome to this lesson. On Monday morning the farmer lost the ladder. \
    The yellow bird finds my paper near the river today. There is a big clock behind the station. \
    Is the guitar under the bridge? The lesson is thirty minutes before dinner. Thanks and goodbye.";

#[tokio::test]
async fn an_empty_library_gets_a_video_that_speaks_and_its_model_is_for_no_other() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(
        clipcut(home.path()).args(["serve", "--demo", "--listen", "127.0.0.1:0"]).envs([RUNTIME]),
    );
    let line = program.wait_for_log("serving http://127.0.0.1:");
    let http = Http::new(line.trim_end().rsplit(' ').next().unwrap());
    let video = until("the captions of the demo video", async || {
        let video = http.get("/api/v1/videos").await.json()["videos"][0].clone();
        (video["captions"][0]["state"] == "done").then_some(video)
    })
    .await;
    let id = video["id"].as_str().unwrap();
    let text = http.get(&format!("/v/{id}/captions/en.txt")).await.text();
    assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), SPEECH);
    assert_eq!(video["captions"].as_array().unwrap().len(), 1, "{video}");

    let asked = http.request("POST", &format!("/api/v1/videos/{id}/captions/machine"));
    let refused = http.ask(asked.json(&serde_json::json!({ "model": "clipcut-demo" }))).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (400, "demo_model"));
}

#[test]
fn the_doctor_transcribes_the_demo_speech() {
    let home = tempfile::tempdir().unwrap();
    let printed = finish(clipcut(home.path()).arg("doctor").envs([RUNTIME])).stdout;
    assert!(printed.contains("ok    transcription: all 48 words of the demo"), "{printed}");
    let printed = finish(clipcut(home.path()).arg("doctor").env("CLIPCUT_ONNXRUNTIME", "/nowhere")).stdout;
    assert!(printed.contains("poor  transcription: cannot use ONNX Runtime /nowhere"), "{printed}");
}
