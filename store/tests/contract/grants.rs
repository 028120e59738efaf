//! The promises about grants: the accounts that may watch a private video of another's.

use store::{
    Edit, Grantee, Listing, NewVideo, NewVisibility, Shown, Signal, State, Store, UserId, VideoId,
    Visibility, Wanted, Words,
    accounts::{Deletion, Role},
};

use super::{accounts::signed_up, later, video};
use crate::store;

async fn private(store: &Store, owner: &UserId, title: &str) -> VideoId {
    let new = NewVideo { owner: Some(owner.clone()), ..video(title) };
    let id = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
    let hidden = NewVisibility { visibility: Visibility::Private, tickets_from: 0 };
    let edit = Edit { visibility: Some(hidden), ..Edit::default() };
    store.videos.edit(&id, &edit).await.unwrap().unwrap();
    id
}

async fn titles(store: &Store, shown: &Shown, state: Option<State>) -> Vec<String> {
    let listing = Listing { state, ..Listing::of(shown) };
    store.videos.list(listing, 10).await.unwrap().videos.into_iter().map(|video| video.title).collect()
}

#[tokio::test]
async fn a_granted_video_is_listed_and_found_until_the_grant_is_revoked() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let (first, second) = (private(&store, &anna, "First").await, private(&store, &anna, "Second").await);
    let to_bob = Shown::PublicAnd(Some(bob.clone()));
    assert_eq!(titles(&store, &to_bob, None).await, [""; 0]);
    let by_id = store.grants.add(&first, Grantee::Id(&bob)).await.unwrap().unwrap();
    let address = Grantee::Address { shown: "Bob@Example.org", key: "bob@example.org" };
    let by_address = store.grants.add(&second, address).await.unwrap().unwrap();
    assert_eq!(by_id.user, Some((bob.clone(), "Anna".to_owned())));
    assert_eq!((by_address.user.as_ref(), by_address.email.as_deref()), (None, Some("Bob@Example.org")));
    for shown in [to_bob.clone(), Shown::SharedWith(bob.clone())] {
        assert_eq!(titles(&store, &shown, None).await, ["Second", "First"], "{shown:?}");
        assert_eq!(titles(&store, &shown, Some(State::Uploading)).await.len(), 2);
        assert_eq!(titles(&store, &shown, Some(State::Failed)).await.len(), 0);
        let wanted = Wanted { words: &Words::parse("second"), shown: &shown, after: None };
        assert_eq!(store.search.find(&wanted, 10).await.unwrap().found.len(), 1, "{shown:?}");
    }
    assert_eq!(titles(&store, &Shown::Of(bob.clone()), None).await, [""; 0], "they are not his");
    assert_eq!(titles(&store, &Shown::PublicAnd(None), None).await, [""; 0]);
    assert_eq!(titles(&store, &Shown::SharedWith(anna.clone()), None).await, [""; 0]);
    assert!(store.grants.has(&first, &bob).await.unwrap() && !store.grants.has(&first, &anna).await.unwrap());

    let mut signals = store.signals.subscribe();
    assert!(store.grants.revoke(&first, &by_id.id, 5000).await.unwrap());
    while signals.recv().await.unwrap() != Signal::Hidden(first.clone()) {}
    assert!(!store.grants.revoke(&first, &by_id.id, 5000).await.unwrap());
    assert!(!store.grants.revoke(&first, &by_address.id, 5000).await.unwrap(), "it is the other video's");
    assert_eq!(store.videos.rights(&first).await.unwrap().unwrap().tickets_from, 5000);
    assert_eq!(titles(&store, &Shown::SharedWith(bob.clone()), None).await, ["Second"]);
    assert!(store.delete(&second).await.unwrap());
    assert_eq!(titles(&store, &Shown::SharedWith(bob), None).await, [""; 0]);
}

#[tokio::test]
async fn nobody_learns_from_a_grant_which_addresses_have_accounts() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let id = private(&store, &anna, "Ours").await;
    let add = async |email: &str| {
        let added = store.grants.add(&id, Grantee::Address { shown: email, key: email }).await;
        added.unwrap().unwrap()
    };
    let (known, unknown) = (add("bob@example.org").await, add("eve@example.org").await);
    assert_eq!((&known.user, &unknown.user), (&None, &None));
    // Whoever signs up by the address has not proved that it is theirs.
    let eve = signed_up(&store, "eve@example.org", Role::User).await.id;
    assert!(!store.grants.has(&id, &eve).await.unwrap());
    // The owner's word, after they have met.
    assert_eq!(add("eve@example.org").await.id, unknown.id);
    assert!(store.grants.has(&id, &eve).await.unwrap());
    assert_eq!(store.grants.of(&id).await.unwrap().len(), 2);
    // By an id as well, it is a row of its own: the answer would tell whose address the other one is.
    let twice = [(); 2].map(|()| Grantee::Id(&bob));
    let by_id = store.grants.add(&id, twice[0]).await.unwrap().unwrap();
    assert_ne!(by_id.id, known.id);
    assert_eq!(store.grants.add(&id, twice[1]).await.unwrap().unwrap().id, by_id.id);
    assert!(store.grants.revoke(&id, &known.id, 0).await.unwrap());
    assert!(store.grants.has(&id, &bob).await.unwrap(), "the other one stays");
    for (video, user) in [(&id, UserId::random()), (&VideoId::random(), bob.clone())] {
        assert!(store.grants.add(video, Grantee::Id(&user)).await.unwrap().is_none());
    }
    store.accounts.users.delete(&bob, Deletion::default()).await.unwrap();
    assert!(!store.grants.has(&id, &bob).await.unwrap(), "his account is gone");
    assert!(store.grants.add(&id, Grantee::Id(&bob)).await.unwrap().is_none());
}
