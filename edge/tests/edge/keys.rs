//! Cache keys: the inputs that separate answers, and that no other input does.

use edge::Config;

use crate::harness::{Origin, Reply, Running, edge_before_numbered, reply, until};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

#[tokio::test]
async fn spellings_of_one_path_are_one_key_rfc3986_6_2_2() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    for path in
        ["/a/b.m4s?x=%3d", "/%61/b%2Em4s?x=%3D", "/a/./c/../b.m4s?x=%3D", "/a/b.m4s?x=%3D&CMCD=br%3D100"]
    {
        assert_eq!(edge.get(path).await.text(), "answer 1", "{path}");
    }
    assert_eq!(origin.seen()[0].path, "/a/b.m4s?x=%3D");
    for (path, number) in
        [("/a/b.m4s", 2), ("/a/b.m4s?x=1", 3), ("/a//b.m4s", 4), ("/a%2Fb.m4s", 5), ("/A/b.m4s", 6)]
    {
        assert_eq!(edge.get(path).await.text(), format!("answer {number}"), "{path}");
    }
}

#[tokio::test]
async fn hosts_have_keys_of_their_own_rfc9110_7_2() {
    let origin = Origin::start(|seen| reply(200, FRESH, seen.header("host").unwrap())).await;
    let edge = Running::before(&origin, Config::default()).await;
    for host in ["one.example", "two.example:8080", "one.example"] {
        assert_eq!(edge.ask("GET", "/a", &[("host", host)]).await.text(), host);
    }
    assert_eq!(edge.ask("GET", "/a", &[("host", "ONE.example:80")]).await.text(), "one.example");
    assert_eq!(origin.count(), 2);
    let answer = edge.ask("GET", "/a", &[("host", "one.example/../x")]).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn no_input_outside_of_the_key_changes_a_stored_answer() {
    let origin = Origin::start(|seen| {
        let echo: Vec<String> =
            seen.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        reply(200, FRESH, &echo.join("\n"))
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    let poison: Vec<(&str, &str)> = [
        "x-forwarded-host",
        "x-forwarded-for",
        "x-original-url",
        "x-http-method-override",
        "cookie",
        "user-agent",
        "via",
        "forwarded",
        "referer",
        "origin",
        "accept",
        "accept-language",
        "x-anything",
        "cmcd-request",
    ]
    .map(|name| (name, "poison"))
    .into();
    let poisoned = edge.ask("GET", "/a", &poison).await;
    assert!(!poisoned.text().contains("poison"), "{}", poisoned.text());
    assert!(edge.get("/a").await.is_hit());
}

#[tokio::test]
async fn a_private_answer_is_made_of_all_request_fields() {
    let origin = Origin::start(|seen| {
        reply(
            200,
            &[("cache-control", "private")],
            &format!("for {}", seen.header("cookie").unwrap_or("nobody")),
        )
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for cookie in ["me", "you"] {
        assert_eq!(edge.ask("GET", "/a", &[("cookie", cookie)]).await.text(), format!("for {cookie}"));
    }
    assert_eq!(edge.get("/a").await.text(), "for nobody");
}

#[tokio::test]
async fn an_escape_that_is_none_is_400() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    let answer = edge.get("/%zz").await;
    assert_eq!((answer.status, answer.problem().as_str(), origin.count()), (400, "invalid_request", 0));
}

#[tokio::test]
async fn an_answer_for_one_speaks_its_language_from_the_first_time_on() {
    let fields = [("cache-control", "private"), ("vary", "accept-language")];
    let origin =
        Origin::start(move |seen| reply(200, &fields, seen.header("accept-language").unwrap_or("none")))
            .await;
    let edge = Running::before(&origin, Config::default()).await;
    for language in ["de", "fr"] {
        assert_eq!(edge.ask("GET", "/a", &[("accept-language", language)]).await.text(), language);
    }
}

#[tokio::test]
async fn an_authorized_request_does_not_split_the_others() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    for _ in 0..2 {
        edge.ask("GET", "/a", &[("authorization", "x")]).await;
    }
    assert_eq!(edge.get("/a").await.text(), "answer 3");
    edge.ask("GET", "/b", &[("authorization", "x")]).await;
    for text in ["answer 3", "answer 3"] {
        assert_eq!(edge.get("/a").await.text(), text);
    }
    assert_eq!(origin.count(), 4);
}

#[tokio::test]
async fn a_private_answer_takes_one_request_each_time() {
    let browser = [("accept", "*/*"), ("user-agent", "Browser/1"), ("accept-language", "de")];
    let authorized = [browser[0], browser[1], ("authorization", "x")];
    for fields in [browser, authorized] {
        let (origin, edge) = edge_before_numbered(&[("cache-control", "private")]).await;
        for text in ["answer 1", "answer 2", "answer 3"] {
            assert_eq!(edge.ask("GET", "/a", &fields).await.text(), text);
        }
        assert_eq!(origin.count(), 3);
    }
}

/// An origin that answers with the request's fields `cookie`, `foo` and `other`.
async fn echo(fields: &'static [(&'static str, &'static str)]) -> Origin {
    Origin::start(move |seen| {
        let echoed = ["cookie", "foo", "other"].map(|name| seen.header(name).unwrap_or("-").to_owned());
        reply(200, fields, &echoed.join(" "))
    })
    .await
}

#[tokio::test]
async fn an_answer_for_one_takes_one_request_whatever_fields_it_has() {
    for fields in [
        &[("cache-control", "private")][..],
        &[("cache-control", "no-store")],
        &[("set-cookie", "a=b")],
        &[("vary", "*")],
        &[("cache-control", "private"), ("vary", "foo")],
    ] {
        let origin = echo(fields).await;
        let edge = Running::before(&origin, Config::default()).await;
        let browser = [("accept", "*/*"), ("user-agent", "Browser/1"), ("connection", "keep-alive")];
        for (cookie, foo) in [("me", "1"), ("you", "2"), ("me", "3")] {
            let asked = [&browser[..], &[("cookie", cookie), ("foo", foo)]].concat();
            let answer = edge.ask("GET", "/a", &asked).await;
            assert_eq!(answer.text(), format!("{cookie} {foo} -"), "{fields:?}");
        }
        assert_eq!(origin.count(), 3, "{fields:?}");
        assert_eq!(edge.get("/a").await.text(), "- - -", "{fields:?}");
    }
}

#[tokio::test]
async fn vary_star_takes_one_request_of_a_program_that_reads_any_language_rfc9110_12_5_4() {
    for vary in ["*", "*, *", "foo, *"] {
        let origin = Origin::start(move |seen| {
            let fields = [("cache-control", "max-age=60"), ("vary", vary)];
            reply(200, &fields, seen.header("foo").unwrap_or("-"))
        })
        .await;
        let edge = Running::before(&origin, Config::default()).await;
        for foo in ["1", "2"] {
            let answer = edge.ask("GET", "/a", &[("accept-language", "*"), ("foo", foo)]).await;
            assert_eq!(answer.text(), foo, "{vary}");
        }
        assert_eq!(origin.count(), 2, "{vary}");
        // A language that somebody reads takes a request that has it.
        edge.ask("GET", "/b", &[("accept-language", "de"), ("foo", "1")]).await;
        assert_eq!(origin.count(), 4, "{vary}");
    }
}

#[tokio::test]
async fn a_shared_answer_is_made_without_unkeyed_fields_and_its_folder_is_learned() {
    let origin = echo(FRESH).await;
    let edge = Running::before(&origin, Config::default()).await;
    for path in ["/v/1/a.m4s", "/v/1/b.m4s", "/v/1/c.m4s"] {
        assert_eq!(edge.ask("GET", path, &[("cookie", "me"), ("foo", "1")]).await.text(), "- - -");
        assert!(edge.ask("GET", path, &[("cookie", "you")]).await.is_hit());
    }
    // The first file of the folder took two.
    assert_eq!(origin.count(), 4);
}

#[tokio::test]
async fn a_field_that_vary_names_parts_the_answers_and_takes_one_request_each() {
    let origin = echo(&[("cache-control", "max-age=60"), ("vary", "Foo")]).await;
    let edge = Running::before(&origin, Config::default()).await;
    for foo in ["1", "2"] {
        assert_eq!(edge.ask("GET", "/a", &[("foo", foo)]).await.text(), format!("- {foo} -"));
        assert!(edge.ask("GET", "/a", &[("foo", foo), ("cookie", "me")]).await.is_hit());
    }
    assert_eq!(origin.count(), 2);
    // A field beside it, which nothing names, is in no stored answer.
    assert_eq!(edge.ask("GET", "/b", &[("foo", "1"), ("other", "2")]).await.text(), "- 1 -");
    assert!(edge.ask("GET", "/b", &[("foo", "1"), ("other", "3")]).await.is_hit());
}

#[tokio::test]
async fn an_answer_to_unkeyed_fields_sends_no_waiter_to_the_origin() {
    let (let_go, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let origin = Origin::start(move |seen| match (seen.header("cookie"), held.take()) {
        (Some(_), Some(held)) => Reply::Later(held),
        _ => reply(200, FRESH, "for all").into(),
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    let first = edge.ask("GET", "/a", &[("cookie", "me")]);
    let others = async {
        origin.asked(1).await;
        let asked = futures::future::join_all((0..20).map(|_| edge.get("/a")));
        let release = async {
            until("all to wait", || edge.edge.metrics().collapsed == 20).await;
            let_go.send(reply(200, &[("cache-control", "private")], "for me")).unwrap();
        };
        tokio::join!(asked, release).0
    };
    let (first, others) = tokio::join!(first, others);
    assert_eq!(first.text(), "for me");
    assert!(others.iter().all(|answer| answer.text() == "for all"));
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn fields_that_are_always_forwarded_part_no_key() {
    let origin = Origin::start(|_| reply(200, &[("cache-control", "max-age=60")], "answer")).await;
    let forward_headers = vec!["test-id".parse().unwrap()];
    let edge = Running::before(&origin, Config { forward_headers, ..Config::default() }).await;
    edge.ask("GET", "/a", &[("test-id", "1"), ("other", "2")]).await;
    let stored = origin.seen().pop().unwrap();
    assert_eq!((stored.header("test-id"), stored.header("other")), (Some("1"), None));
    assert!(edge.ask("GET", "/a", &[("test-id", "3")]).await.is_hit());
}
