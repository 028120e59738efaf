//! Traces, as a collector gets them: one from an upload to the picture that plays, through every process; whose traces are gone on
//! with; and a collector that is not there.

use std::{collections::BTreeSet, fs};

use bytes::Bytes;
use futures::stream;
use reqwest::StatusCode;

use crate::harness::{
    Clip, Cluster, Collector, DEMO_MODEL, Role, Server, Span, clipcut, free_address, until,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn of_trace(spans: Vec<Span>, trace: &str) -> Vec<Span> {
    spans.into_iter().filter(|span| span.trace == trace).collect()
}

fn jobs(spans: &[Span]) -> BTreeSet<&str> {
    spans.iter().filter(|span| span.name == "job").map(|span| span.attributes["kind"].as_str()).collect()
}

#[tokio::test]
async fn one_trace_leads_from_an_upload_to_the_picture_that_plays() {
    let home = tempfile::tempdir().unwrap();
    let (home, cluster, collector) = (home.path(), Cluster::shared(), Collector::start(StatusCode::OK).await);
    cluster.migrate(home);
    let traces = [("CLIPCUT_OTLP_ENDPOINT", collector.url.as_str()), ("CLIPCUT_TRACE_SAMPLE", "1")];
    // The edge is the origin's proxy, and the log of nothing is no matter to traces.
    let behind =
        [("CLIPCUT_TRUSTED_PROXIES", "127.0.0.1"), ("CLIPCUT_LOG", "error,clipcut=info,server=info")];
    let settings: Vec<_> = traces.into_iter().chain(behind).collect();
    let origin = cluster.start(home, "origin", &settings);
    let _packager = cluster.start(home, "packager", &traces);
    let settings: Vec<_> = traces.into_iter().chain(DEMO_MODEL).collect();
    let _transcriber = cluster.start(home, "transcriber", &settings);
    let mut command = clipcut(home);
    command.args(["edge", "--listen", "127.0.0.1:0", "--origin", &origin.url]).envs(traces);
    let edge = Role::start(&mut command);

    let bytes = Bytes::from(fs::read(Clip::Spoken.file()).unwrap());
    let half = bytes.len() / 2;
    let upload = edge.http.create_upload(bytes.len() as u64).await;
    let id = upload.rsplit('/').next().unwrap();
    for (offset, part) in [(0, bytes.slice(..half)), (half as u64, bytes.slice(half..))] {
        let sent = edge.http.ask(edge.http.append(&upload, offset, stream::iter([Ok(part)]))).await;
        assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    }

    let spans = until("the spans of all jobs", async || {
        let spans = collector.spans();
        let root = spans
            .iter()
            .find(|span| span.service == "clipcut-edge" && span.name == "POST" && span.parent.is_empty())?;
        let trace = root.trace.clone();
        let spans = of_trace(spans, &trace);
        jobs(&spans)
            .is_superset(&BTreeSet::from(["prepare", "video", "audio", "finish", "captions"]))
            .then_some(spans)
    })
    .await;
    let one = |what: &str, is: &dyn Fn(&Span) -> bool| -> Span {
        let found: Vec<_> = spans.iter().filter(|span| is(span)).collect();
        assert!(!found.is_empty(), "no {what} in {spans:#?}");
        found[found.len() - 1].clone()
    };
    let root = one("request at the edge", &|span| span.service == "clipcut-edge" && span.parent.is_empty());
    assert_eq!(root.attributes["url.path"], "/api/v1/uploads");
    assert_eq!(root.attributes["http.response.status_code"], "201");
    let inner = one("request at the origin", &|span| span.service == "clipcut-origin" && span.name == "POST");
    assert_eq!(inner.parent, root.id);
    let pieces: Vec<_> = spans.iter().filter(|span| span.name == "upload").collect();
    assert_eq!(pieces.len(), 2, "{spans:#?}");
    assert!(
        pieces.iter().all(|piece| piece.parent == inner.id && piece.attributes["video"] == id),
        "{spans:#?}"
    );
    let prepare = one("plan", &|span| span.attributes.get("kind").is_some_and(|kind| kind == "prepare"));
    assert_eq!(prepare.parent, pieces[1].id, "{spans:#?}");
    let is_of =
        |kind: &'static str| move |span: &Span| span.attributes.get("kind").is_some_and(|it| it == kind);
    for kind in ["video", "audio", "captions"] {
        assert_eq!(one(kind, &is_of(kind)).parent, prepare.id, "{kind}: {spans:#?}");
    }
    one("event of the video that plays", &|span| span.events.iter().any(|event| event == "playable"));
    let services: BTreeSet<_> = spans.iter().map(|span| span.service.as_str()).collect();
    let all = ["clipcut-edge", "clipcut-origin", "clipcut-packager", "clipcut-transcriber"];
    assert_eq!(services, BTreeSet::from(all));
    let ids: BTreeSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    // A parent may be a request whose head is not answered yet, and no other.
    let strays = spans.iter().filter(|span| !span.parent.is_empty() && !ids.contains(span.parent.as_str()));
    assert_eq!(strays.collect::<Vec<_>>(), Vec::<&Span>::new());
    let others = collector.spans().into_iter().filter(|span| span.name == "job" && span.trace != root.trace);
    assert_eq!(others.collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn a_trace_is_gone_on_with_where_a_trusted_proxy_brings_it_and_no_clients_is() {
    let home = tempfile::tempdir().unwrap();
    for (proxies, joins) in [("127.0.0.1", true), ("192.0.2.1", false)] {
        let collector = Collector::start(StatusCode::OK).await;
        let settings = [
            ("CLIPCUT_OTLP_ENDPOINT", collector.url.as_str()),
            ("CLIPCUT_TRACE_SAMPLE", "1"),
            ("CLIPCUT_TRUSTED_PROXIES", proxies),
        ];
        let server = Server::start(&home.path().join(proxies), &settings);
        let ask = async |path: &str, flags: &str| {
            let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
            let request = server.http.request("GET", path).header("traceparent", parent);
            assert_eq!(server.http.ask(request).await.status, StatusCode::OK);
        };
        // Its proxy has decided against it.
        ask("/api/v1/session", "00").await;
        ask("/api/v1/videos", "01").await;
        let of = |path: &str| collector.spans().into_iter().find(|span| span.attributes["url.path"] == path);
        let joined = until("the sampled span", async || of("/api/v1/videos")).await;
        assert_eq!(joined.trace == TRACE, joins, "{joined:?}");
        assert_eq!(joined.parent.is_empty(), !joins, "{joined:?}");
        assert_eq!(of("/api/v1/session").is_none(), joins, "{:?}", collector.spans());
        assert_eq!(joined.name, "GET");
        assert_eq!(joined.service, "clipcut-serve");
    }
}

#[tokio::test]
async fn a_collector_that_refuses_or_is_away_costs_a_line_of_the_log() {
    let home = tempfile::tempdir().unwrap();
    let collector = Collector::start(StatusCode::BAD_REQUEST).await;
    let away = format!("http://{}", free_address());
    for (name, endpoint) in [("refuses", &collector.url), ("away", &away)] {
        let settings = [("CLIPCUT_OTLP_ENDPOINT", endpoint.as_str()), ("CLIPCUT_TRACE_SAMPLE", "1")];
        let mut server = Server::start(&home.path().join(name), &settings);
        let ask = async || assert_eq!(server.http.get("/api/v1/videos").await.status, StatusCode::OK);
        ask().await;
        server.program.wait_for_log("cannot send traces (otlp_endpoint)");
        if name == "refuses" {
            until("three requests to the collector", async || {
                ask().await;
                (collector.requests() >= 3).then_some(())
            })
            .await;
        }
        server.program.terminate();
        assert_eq!(server.program.wait().code(), Some(0), "{}", server.program.log());
        assert_eq!(server.program.log().matches("cannot send traces").count(), 1, "{}", server.program.log());
    }
}
