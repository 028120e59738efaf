use super::*;

#[tokio::test]
async fn a_terminated_upload_is_gone_with_its_bytes() {
    let house = House::open().await;
    let (open, complete) = (house.create(10).await, house.create(5).await);
    house.patch(&open, 0, "01234").await;
    house.patch(&complete, 0, "01234").await;
    for at in [open, complete] {
        assert_eq!(house.tus("DELETE", &at, &[], "").await.status, 204);
        house.tus("HEAD", &at, &[], "").await.is_gone();
        house.patch(&at, 5, "56789").await.is_problem(410, "upload_gone");
        house.tus("DELETE", &at, &[], "").await.is_problem(410, "upload_gone");
        assert!(house.source(&at).await.is_none());
    }
    assert_eq!(house.store.videos.count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_abandoned_upload_expires() {
    let house = House::with(Config { upload_expiry: Duration::ZERO, ..Config::default() }).await;
    let (asked, swept) = (house.create(10).await, house.create(10).await);
    house.tus("HEAD", &asked, &[], "").await.is_gone();
    house.patch(&asked, 0, "01234").await.is_problem(410, "upload_gone");
    assert_eq!(house.store.videos.count().await.unwrap(), 1);

    let mut signals = house.store.signals.subscribe();
    let sweeping = tokio::spawn({
        let origin = house.origin.clone();
        async move { origin.expire_uploads().await }
    });
    while signals.recv().await.unwrap() != store::Signal::Deleted(id(&swept)) {}
    house.shutdown.cancel();
    sweeping.await.unwrap();
    assert_eq!(house.store.videos.count().await.unwrap(), 0);
}
