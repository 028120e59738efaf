//! The promises about identities at an OpenID provider: each signs in to one account, and an account has one a provider.

use store::accounts::{Deletion, Identity, Role};

use super::accounts::signed_up;
use crate::store;

const ISSUER: &str = "https://id.example.org";

#[tokio::test]
async fn an_identity_signs_in_to_one_account_until_it_is_taken_away() {
    let (store, _folder) = store().await;
    let a = signed_up(&store, "a", Role::Administrator).await;
    let b = signed_up(&store, "b", Role::User).await.id;
    let identities = &store.accounts.identities;
    let identity = |subject| Identity { issuer: ISSUER, subject };
    assert!(identities.user(identity("1")).await.unwrap().is_none());
    assert!(identities.link(&a.id, identity("1")).await.unwrap());
    assert!(identities.link(&a.id, identity("1")).await.unwrap());
    assert_eq!(identities.user(identity("1")).await.unwrap(), Some(a.clone()));
    assert!(!identities.link(&b, identity("1")).await.unwrap(), "it is another's");
    assert!(identities.user(Identity { issuer: "https://other", subject: "1" }).await.unwrap().is_none());
    // Another identity of the same person takes the place of the first.
    assert!(identities.link(&a.id, identity("2")).await.unwrap());
    assert!(identities.user(identity("1")).await.unwrap().is_none());
    assert!(identities.has(&a.id, ISSUER).await.unwrap() && !identities.has(&b, ISSUER).await.unwrap());
    assert!(identities.unlink(&a.id, ISSUER).await.unwrap());
    assert!(!identities.unlink(&a.id, ISSUER).await.unwrap());
}

#[tokio::test]
async fn an_identity_of_a_deleted_account_signs_in_to_none() {
    let (store, _folder) = store().await;
    signed_up(&store, "admin", Role::Administrator).await;
    let user = signed_up(&store, "a", Role::User).await.id;
    let identity = Identity { issuer: ISSUER, subject: "1" };
    store.accounts.identities.link(&user, identity).await.unwrap();
    store.accounts.users.delete(&user, Deletion::default()).await.unwrap();
    assert!(store.accounts.identities.user(identity).await.unwrap().is_none());
    let other = signed_up(&store, "b", Role::User).await.id;
    assert!(store.accounts.identities.link(&other, identity).await.unwrap(), "it is free again");
}
