use super::*;

#[tokio::test]
async fn bytes_that_do_not_add_up_are_460_and_not_kept() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    harness.patch(&at, 0, "01").await;
    let sha1 = format!("sha1 {}", STANDARD.encode(Sha1::digest("234")));
    let sha256 = format!("sha256 {}", STANDARD.encode(Sha256::digest("56789")));
    let with = async |offset: &str, checksum: &str, body: &'static str| {
        let headers = [BYTES, ("upload-offset", offset), ("upload-checksum", checksum)];
        harness.tus("PATCH", &at, &headers, body).await
    };
    with("2", &sha1, "xxx").await.is_problem(460, "checksum_mismatch");
    assert_eq!(harness.offset(&at).await, "2");
    with("2", "crc32 AAAA", "234").await.is_problem(400, "unsupported_checksum");
    with("2", "sha1", "234").await.is_problem(400, "invalid_checksum");
    with("2", "sha1 not-base-64!", "234").await.is_problem(400, "invalid_checksum");
    assert_eq!(with("2", &sha1, "234").await.header("upload-offset"), "5");
    with("5", &sha256, "xxxxx").await.is_problem(460, "checksum_mismatch");
    assert_eq!(harness.offset(&at).await, "5");
    assert_eq!(with("5", &sha256, "56789").await.status, 204);
    assert_eq!(harness.source(&at).await.unwrap(), "0123456789");
}

#[tokio::test]
async fn checked_bytes_of_a_cut_connection_are_not_kept() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    harness.patch(&at, 0, "01").await;
    let sum = STANDARD.encode(Sha1::digest("23456789"));
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 2\r\nupload-checksum: sha1 {sum}\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: 8\r\n\r\n2345"
    );
    drop(harness.raw(&head).await);
    let rest = async {
        loop {
            let answer = harness.patch(&at, 2, "23456789").await;
            if answer.status != 423 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), rest).await.unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(harness.source(&at).await.unwrap(), "0123456789");
}
