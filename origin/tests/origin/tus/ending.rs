use super::*;

#[tokio::test]
async fn a_terminated_upload_is_gone_with_its_bytes() {
    let harness = Harness::open().await;
    let (open, complete) = (harness.create(10).await, harness.create(5).await);
    harness.patch(&open, 0, "01234").await;
    harness.patch(&complete, 0, "01234").await;
    for at in [open, complete] {
        assert_eq!(harness.tus("DELETE", &at, &[], "").await.status, 204);
        harness.tus("HEAD", &at, &[], "").await.is_gone();
        harness.patch(&at, 5, "56789").await.is_problem(410, "upload_gone");
        harness.tus("DELETE", &at, &[], "").await.is_problem(410, "upload_gone");
        assert!(harness.source(&at).await.is_none());
    }
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_abandoned_upload_expires() {
    let harness = Harness::with(Config { upload_expiry: Duration::ZERO, ..Config::default() }).await;
    let (asked, swept) = (harness.create(10).await, harness.create(10).await);
    harness.tus("HEAD", &asked, &[], "").await.is_gone();
    harness.patch(&asked, 0, "01234").await.is_problem(410, "upload_gone");
    assert_eq!(harness.store.videos.count().await.unwrap(), 1);

    let mut signals = harness.store.signals.subscribe();
    let sweeping = tokio::spawn({
        let origin = harness.origin.clone();
        async move { origin.expire_uploads().await }
    });
    while signals.recv().await.unwrap() != store::Signal::Deleted(id(&swept)) {}
    harness.shutdown.cancel();
    sweeping.await.unwrap();
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
}
