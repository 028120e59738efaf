//! The promises about second factors: one that is begun counts for nothing, and no code is taken twice.

use store::accounts::{FirstCode, Role};

use super::accounts::signed_up;
use crate::store;

#[tokio::test]
async fn a_second_factor_is_on_from_its_first_code_to_its_removal() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "a", Role::User).await.id;
    let factors = &store.accounts.second_factors;
    assert!(factors.of(&user).await.unwrap().is_none());
    assert!(factors.begin(&user, "FIRST").await.unwrap());
    assert!(factors.begin(&user, "SECOND").await.unwrap(), "one that is not on is begun anew");
    assert!(!factors.of(&user).await.unwrap().unwrap().is_on);
    assert!(!factors.take_step(&user, 7).await.unwrap());
    let codes = ["one".to_owned(), "two".to_owned()];
    let first = |secret| FirstCode { secret, step: 5, recovery_codes: &codes };
    assert!(!factors.turn_on(&user, &first("FIRST")).await.unwrap());
    assert!(factors.turn_on(&user, &first("SECOND")).await.unwrap());
    assert!(!factors.turn_on(&user, &first("SECOND")).await.unwrap());
    assert!(!factors.begin(&user, "THIRD").await.unwrap(), "one that is on stays");
    let on = factors.of(&user).await.unwrap().unwrap();
    assert_eq!((on.secret.as_str(), on.is_on), ("SECOND", true));
    assert!(factors.remove(&user).await.unwrap() && !factors.remove(&user).await.unwrap());
    assert_eq!(factors.recovery_codes_left(&user).await.unwrap(), 0);
}

#[tokio::test]
async fn no_code_is_taken_twice_not_even_at_once() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "a", Role::User).await.id;
    let factors = &store.accounts.second_factors;
    factors.begin(&user, "S").await.unwrap();
    let codes = ["one".to_owned(), "two".to_owned()];
    factors.turn_on(&user, &FirstCode { secret: "S", step: 5, recovery_codes: &codes }).await.unwrap();
    assert!(!factors.take_step(&user, 5).await.unwrap(), "the first code was taken when it turned it on");
    let (a, b) = tokio::join!(factors.take_step(&user, 6), factors.take_step(&user, 6));
    assert_eq!(u8::from(a.unwrap()) + u8::from(b.unwrap()), 1);
    assert!(!factors.take_step(&user, 4).await.unwrap());
    let take = || factors.take_recovery_code(&user, "two");
    let (a, b) = tokio::join!(take(), take());
    assert_eq!(u8::from(a.unwrap()) + u8::from(b.unwrap()), 1);
    assert_eq!(factors.recovery_codes_left(&user).await.unwrap(), 1);
}
