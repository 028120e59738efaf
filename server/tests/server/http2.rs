//! HTTP/2 frame by frame: what the limits and the drain look like on the wire.

use server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    frames::{
        ACK, DATA, END_STREAM_AND_HEADERS, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING, RST_STREAM,
        SETTINGS, connect, frame, get, get_path, literal, next, status,
    },
    running::{LONG, SHORT, start},
};

#[tokio::test]
async fn a_host_that_is_not_the_authority_is_400_rfc_9113_8_3_1() {
    let running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x"), &literal("host", "y")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 400);
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn neither_host_nor_authority_is_400_and_one_of_them_is_enough() {
    let running = start(Limits::default()).await;
    for (fields, expected) in [
        (vec![], 400),
        (vec![literal("host", "x")], 200),
        (vec![literal(":authority", "x")], 200),
        (vec![literal(":authority", "x"), literal("host", "x")], 200),
        (vec![literal("host", "a b")], 400),
    ] {
        let mut stream = connect(&running).await;
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        stream.write_all(&get(1, &fields)).await.unwrap();
        assert_eq!(status(&mut stream).await, expected, "{fields:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn headers_of_one_connection_alone_are_malformed_rfc_9113_8_2_2() {
    let running = start(Limits::default()).await;
    for field in
        [literal("transfer-encoding", "chunked"), literal("connection", "close"), literal("upgrade", "h2c")]
    {
        let mut stream = connect(&running).await;
        stream.write_all(&get(1, &[&literal(":authority", "x"), &field])).await.unwrap();
        let reset = next(&mut stream, RST_STREAM).await.unwrap();
        assert_eq!((reset.stream, reset.code()), (1, 1), "{field:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn streams_that_are_reset_as_soon_as_opened_end_the_connection_rfc_9113_10_5() {
    let mut running = start(Limits { resets: 10, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let authority = literal(":authority", "x");
    // In one write, as the attack does: nothing of it is answered in between.
    let attack: Vec<u8> = (0..100_u32)
        .flat_map(|n| {
            let id = 2 * n + 1;
            [get(id, &[&authority]), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat()
        })
        .collect();
    stream.write_all(&attack).await.unwrap();
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), ENHANCE_YOUR_CALM);
    let mut served = 0;
    while running.started.try_recv().is_ok() {
        served += 1;
    }
    assert!(served <= 20, "{served} of 100 were served");
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn the_settings_limit_streams_and_header_sizes_rfc_9113_6_5_2() {
    let running = start(Limits { streams: 7, header_bytes: 9000, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let settings = next(&mut stream, SETTINGS).await.unwrap().payload;
    let value = |id: u16| {
        let mut settings = settings.chunks_exact(6);
        let found = settings.find(|setting| setting[..2] == id.to_be_bytes()).unwrap();
        u32::from_be_bytes(found[2..].try_into().unwrap())
    };
    assert_eq!((value(3), value(6)), (7, 9000));
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_431_rfc_6585_5() {
    let running = start(Limits { header_bytes: 8192, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let large = literal("a", &"b".repeat(100)).repeat(100);
    stream.write_all(&get(1, &[&literal(":authority", "x"), &large])).await.unwrap();
    assert_eq!(status(&mut stream).await, 431);
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn the_drain_sends_goaway_and_finishes_open_requests_rfc_9113_6_8() {
    let mut running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    let wait = [&[0x82, 0x86, 0x04, 5][..], b"/wait", &literal(":authority", "x")].concat();
    stream.write_all(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, &wait)).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    running.shutdown.cancel();
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), NO_ERROR);
    running.release.add_permits(1);
    assert_eq!(status(&mut stream).await, 200);
    drop(stream);
    running.serving.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_sent_away_rfc_9113_9_1() {
    let running = start(Limits { header_timeout: SHORT, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 200);
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), NO_ERROR);
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn pings_do_not_keep_a_connection_that_asks_nothing_rfc_9113_6_7() {
    let running = start(Limits { header_timeout: 6 * SHORT, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 200);
    let (mut read, mut write) = stream.into_split();
    let pings = tokio::spawn(async move {
        while write.write_all(&frame(PING, 0, 0, &[7; 8])).await.is_ok() {
            tokio::time::sleep(SHORT / 2).await;
        }
    });
    let mut rest = Vec::new();
    // A reset behind the GOAWAY is as good as a close.
    let _ = tokio::time::timeout(LONG, read.read_to_end(&mut rest)).await.expect("the connection stays open");
    pings.await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_stream_whose_client_takes_nothing_is_reset_whatever_pings_come() {
    let limits = Limits { write_stall: 5 * SHORT, drain: 2 * LONG, ..Limits::default() };
    let mut running = start(limits).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/endless")).await.unwrap();
    stream.write_all(&get_path(3, "/wait")).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/endless");
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    // The window of 65,535 bytes is full, and is never opened.
    let (mut read, mut write) = stream.into_split();
    let pings = tokio::spawn(async move {
        while write.write_all(&frame(PING, 0, 0, &[7; 8])).await.is_ok() {
            tokio::time::sleep(SHORT).await;
        }
    });
    let reset = next(&mut read, RST_STREAM).await.unwrap();
    assert_eq!(reset.stream, 1);
    // The other stream waits for the service, not for the client.
    running.release.add_permits(1);
    assert_eq!(next(&mut read, HEADERS).await.unwrap().stream, 3);
    pings.abort();
    drop(read);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_and_answers_no_ping_is_cut_off_rfc_9113_6_7() {
    let mut running = start(Limits { ping: 5 * SHORT, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/wait")).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    for _ in 0..3 {
        let entry = next(&mut stream, PING).await.unwrap();
        stream.write_all(&frame(PING, ACK, 0, &entry.payload)).await.unwrap();
    }
    next(&mut stream, PING).await.unwrap();
    assert!(next(&mut stream, HEADERS).await.is_none(), "nobody answered, and it went on");
    running.stop().await;
}

#[tokio::test]
async fn a_reset_stream_is_not_answered_any_more() {
    let mut running = start(Limits { drain: 2 * LONG, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/endless")).await.unwrap();
    stream.write_all(&get_path(3, "/wait")).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/endless");
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    next(&mut stream, DATA).await.unwrap();
    for id in [1, 3] {
        stream.write_all(&frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())).await.unwrap();
    }
    running.shutdown.cancel();
    // The drain asks whether the client has seen the GOAWAY.
    let entry = next(&mut stream, PING).await.unwrap();
    stream.write_all(&frame(PING, ACK, 0, &entry.payload)).await.unwrap();
    tokio::time::timeout(LONG, running.serving).await.expect("something is answered still").unwrap();
}

#[tokio::test]
async fn a_frame_and_its_head_fit_into_one_record_of_tls_rfc_8446_5_1() {
    let running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/endless")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut stream, DATA).await.unwrap().payload.len() + 9, 1 << 14);
    }
    drop(stream);
    running.stop().await;
}
