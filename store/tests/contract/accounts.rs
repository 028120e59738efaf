//! The promises about people, sessions, tokens and links.

use std::time::Duration;

use store::{
    Edit, Grantee, NewVideo, NewVisibility, Rights, Signal, Timestamp, UserId, Visibility,
    accounts::{
        Change, Changed, Deletion, Email, LostTickets, NewInvitation, NewSession, NewToken, NewUser, Profile,
        Rehash, Role, SignUp, SignedUp, User,
    },
};

use super::{later, uploaded, video};
use crate::store;

const LONG_AGO: Timestamp = Timestamp(0);

fn person(email: &str) -> NewUser<'_> {
    NewUser { name: "Anna", email, email_key: email, password: "hash" }
}

pub(super) async fn signed_up(store: &store::Store, email: &str, role: Role) -> User {
    let signed_up = store.accounts.users.sign_up(&person(email), SignUp::Granted(role)).await.unwrap();
    let SignedUp::Created(user) = signed_up else { panic!("{signed_up:?}") };
    user
}

#[tokio::test]
async fn the_first_of_many_is_the_administrator_and_gets_the_videos_that_are_nobodys() {
    let (store, _folder) = store().await;
    let old = store.uploads.begin(&video("old"), None, later()).await.unwrap().id;
    let (a, b) = (person("a"), person("b"));
    let users = &store.accounts.users;
    let (a, b) = tokio::join!(users.sign_up(&a, SignUp::First), users.sign_up(&b, SignUp::First));
    let made: Vec<User> = [a.unwrap(), b.unwrap()]
        .into_iter()
        .filter_map(|one| match one {
            SignedUp::Created(user) => Some(user),
            SignedUp::Taken | SignedUp::Refused => None,
        })
        .collect();
    assert_eq!((made.len(), made[0].role), (1, Role::Administrator));
    let rights = store.videos.rights(&old).await.unwrap().unwrap();
    let expected =
        Rights { owner: Some(made[0].id.clone()), visibility: Visibility::Public, tickets_from: 0 };
    assert_eq!(rights, expected);
    assert_eq!(users.get(&made[0].id).await.unwrap().as_ref(), Some(&made[0]));
}

#[tokio::test]
async fn an_address_has_one_account() {
    let (store, _folder) = store().await;
    let users = &store.accounts.users;
    let a = signed_up(&store, "a", Role::Administrator).await;
    let b = signed_up(&store, "b", Role::User).await;
    assert_eq!(users.sign_up(&person("a"), SignUp::Granted(Role::User)).await.unwrap(), SignedUp::Taken);
    let address = |shown, key| Profile { email: Some(Email { shown, key }), ..Profile::default() };
    assert!(users.edit(&b.id, &address("A", "a")).await.unwrap().is_none());
    let edited = users.edit(&b.id, &address("C", "c")).await.unwrap().unwrap();
    assert_eq!((edited.name.as_str(), edited.revision), ("Anna", 1));
    assert_eq!(users.by_email("c").await.unwrap().unwrap().email, "C");
    assert!(users.by_email("b").await.unwrap().is_none());
    let listed: Vec<UserId> = users.list().await.unwrap().into_iter().map(|user| user.id).collect();
    assert!(listed.len() == 2 && listed.contains(&a.id) && listed.contains(&b.id));
}

#[tokio::test]
async fn an_invitation_is_used_once_by_its_address_and_until_its_end() {
    let (store, _folder) = store().await;
    let admin = signed_up(&store, "admin", Role::Administrator).await;
    let (users, invitations) = (&store.accounts.users, &store.accounts.invitations);
    let add = async |secret: &'static str, email: Option<&'static str>, expires_at: Timestamp| {
        invitations.add(&NewInvitation { invited_by: &admin.id, secret, email, expires_at }).await.unwrap()
    };
    add("for a", Some("a"), later()).await;
    add("ended", None, LONG_AGO).await;
    let withdrawn = add("withdrawn", None, later()).await;
    assert!(invitations.remove(&withdrawn.id).await.unwrap());
    assert_eq!(invitations.list().await.unwrap().len(), 1);
    for (email, secret) in [("b", "for a"), ("b", "ended"), ("b", "withdrawn"), ("b", "unknown")] {
        let refused = users.sign_up(&person(email), SignUp::Invited(secret)).await.unwrap();
        assert_eq!(refused, SignedUp::Refused, "{secret}");
    }
    // An address that has an account uses the link up, as a free one does: nobody goes through addresses by it.
    add("any", None, later()).await;
    for email in ["admin", "free"] {
        let refused = users.sign_up(&person(email), SignUp::Invited("any")).await.unwrap();
        assert_eq!(refused, SignedUp::Refused, "{email}");
    }
    add("any", None, later()).await;
    let [one, other] = [person("a"), person("a2")];
    let both = tokio::join!(
        users.sign_up(&one, SignUp::Invited("any")),
        users.sign_up(&other, SignUp::Invited("any"))
    );
    let made = [both.0.unwrap(), both.1.unwrap()];
    assert_eq!(made.iter().filter(|one| **one == SignedUp::Refused).count(), 1, "{made:?}");
    assert_eq!(invitations.sweep().await.unwrap(), 1);
}

#[tokio::test]
async fn the_link_of_the_first_account_is_the_newest_one_and_of_no_use_later() {
    let (store, _folder) = store().await;
    let (users, invitations) = (&store.accounts.users, &store.accounts.invitations);
    assert!(invitations.offer_first("old", later()).await.unwrap());
    assert!(invitations.offer_first("new", later()).await.unwrap());
    assert!(invitations.list().await.unwrap().is_empty());
    assert_eq!(users.sign_up(&person("a"), SignUp::Invited("old")).await.unwrap(), SignedUp::Refused);
    let made = users.sign_up(&person("a"), SignUp::Invited("new")).await.unwrap();
    assert!(matches!(&made, SignedUp::Created(user) if user.role == Role::Administrator), "{made:?}");
    assert!(!invitations.offer_first("again", later()).await.unwrap());
}

#[tokio::test]
async fn a_session_is_found_by_its_secret_until_it_ends() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "a", Role::Administrator).await;
    let (users, sessions) = (&store.accounts.users, &store.accounts.sessions);
    let begin = async |secret: &'static str, expires_at: Timestamp| {
        let new = NewSession { user: &user.id, secret, user_agent: "browser", expires_at };
        sessions.begin(&new).await.unwrap()
    };
    let (kept, ended) = (begin("kept", later()).await, begin("ended", later()).await);
    begin("over", LONG_AGO).await;
    let found = sessions.find("kept", LONG_AGO).await.unwrap().unwrap();
    assert_eq!((&found.session.id, &found.user), (&kept, &user));
    let ahead = Timestamp::now() + Duration::from_mins(1);
    assert!(sessions.find("kept", ahead).await.unwrap().is_none());
    assert!(sessions.find("over", LONG_AGO).await.unwrap().is_none());
    assert_eq!(sessions.of(&user.id, LONG_AGO).await.unwrap().len(), 2);
    sessions.touch(&kept).await.unwrap();
    assert!(sessions.find("kept", found.session.last_seen).await.unwrap().is_some());
    assert!(!store.end_session(&UserId::random(), &ended).await.unwrap());
    assert!(store.end_session(&user.id, &ended).await.unwrap());

    begin("other", later()).await;
    users.set_password(&user.id, "new hash", Some(&kept)).await.unwrap();
    assert!(sessions.find("other", LONG_AGO).await.unwrap().is_none());
    let found = sessions.find("kept", LONG_AGO).await.unwrap().unwrap();
    assert_eq!(found.user.password, "new hash");
    users.rehash(&user.id, Rehash { before: "hash", after: "late" }).await.unwrap();
    users.rehash(&user.id, Rehash { before: "new hash", after: "stronger" }).await.unwrap();
    assert_eq!(users.get(&user.id).await.unwrap().unwrap().password, "stronger");
    begin("over again", LONG_AGO).await;
    assert_eq!(sessions.sweep(LONG_AGO).await.unwrap(), 1);
}

#[tokio::test]
async fn a_token_is_found_until_it_ends_and_never_for_a_disabled_account() {
    let (store, _folder) = store().await;
    signed_up(&store, "admin", Role::Administrator).await;
    let user = signed_up(&store, "a", Role::User).await;
    let (users, tokens) = (&store.accounts.users, &store.accounts.tokens);
    let add = async |secret: &'static str, expires_at: Option<Timestamp>| {
        let new = NewToken { user: &user.id, name: "n", secret, scopes: "read upload", expires_at };
        tokens.add(&new).await.unwrap()
    };
    let token = add("endless", None).await;
    add("over", Some(LONG_AGO)).await;
    let found = tokens.find("endless").await.unwrap().unwrap();
    assert_eq!((&found.token, &found.user), (&token, &user));
    assert!(tokens.find("over").await.unwrap().is_none());
    tokens.touch(&token.id).await.unwrap();
    assert!(tokens.find("endless").await.unwrap().unwrap().token.last_used.is_some());
    let disable = |disabled| Change { disabled: Some(disabled), ..Change::default() };
    assert_eq!(users.change(&user.id, disable(true)).await.unwrap(), Changed::Done);
    assert!(tokens.find("endless").await.unwrap().is_none());
    assert_eq!(users.change(&user.id, disable(false)).await.unwrap(), Changed::Done);
    assert!(tokens.find("endless").await.unwrap().is_some());
    assert_eq!(tokens.of(&user.id).await.unwrap().len(), 2);
    assert!(!store.remove_token(&UserId::random(), &token.id).await.unwrap());
    assert!(store.remove_token(&user.id, &token.id).await.unwrap());
}

#[tokio::test]
async fn a_deletion_that_has_begun_is_ended_later_and_the_heirs_videos_stay() {
    let (store, _folder) = store().await;
    let admin = signed_up(&store, "admin", Role::Administrator).await;
    let [gone, left] = [signed_up(&store, "a", Role::User).await, signed_up(&store, "b", Role::User).await];
    let begin = async |owner: &User| {
        let new = NewVideo { owner: Some(owner.id.clone()), ..video("v") };
        store.uploads.begin(&new, None, later()).await.unwrap().id
    };
    let (deleted, inherited) = (begin(&gone).await, begin(&left).await);
    let users = &store.accounts.users;
    assert_eq!(users.delete(&admin.id, Deletion::default()).await.unwrap(), Changed::LastAdministrator);
    assert_eq!(users.delete(&gone.id, Deletion::default()).await.unwrap(), Changed::Done);
    assert_eq!(
        users.delete(&left.id, Deletion { heir: Some(&admin.id), ..Deletion::default() }).await.unwrap(),
        Changed::Done
    );
    assert_eq!(users.delete(&left.id, Deletion::default()).await.unwrap(), Changed::Unknown);
    assert!(users.get(&gone.id).await.unwrap().is_none() && users.by_email("a").await.unwrap().is_none());
    // A kill here leaves the video; the next start ends the deletion.
    assert!(store.videos.get(&deleted).await.unwrap().is_some());
    store.delete_accounts().await.unwrap();
    assert!(store.videos.get(&deleted).await.unwrap().is_none());
    let rights = store.videos.rights(&inherited).await.unwrap().unwrap();
    assert_eq!(rights.owner, Some(admin.id));
    store.delete_accounts().await.unwrap();
    signed_up(&store, "a", Role::User).await;
}

#[tokio::test]
async fn a_disabled_persons_tickets_are_void_and_those_of_other_videos_are_not() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::Administrator).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let eve = signed_up(&store, "eve@example.org", Role::Administrator).await.id;
    let private = async |owner: &UserId| {
        let new = NewVideo { owner: Some(owner.clone()), ..video("v") };
        let id = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
        let hidden = NewVisibility { visibility: Visibility::Private, tickets_from: 0 };
        let edit = Edit { visibility: Some(hidden), ..Edit::default() };
        store.videos.edit(&id, &edit).await.unwrap().unwrap();
        id
    };
    let (own, shared, other) = (private(&bob).await, private(&anna).await, private(&anna).await);
    let public = uploaded(&store, "public").await;
    store.grants.add(&shared, Grantee::Id(&bob)).await.unwrap().unwrap();
    let void_from = async || {
        let mut seconds = Vec::new();
        for id in [&own, &shared, &other, &public] {
            seconds.push(store.videos.rights(id).await.unwrap().unwrap().tickets_from);
        }
        seconds
    };
    let disable = |tickets| Change { disabled: Some(true), tickets, ..Change::default() };
    let mut signals = store.signals.subscribe();
    let change = disable(LostTickets::OfPrivate(100));
    assert_eq!(store.change_account(&bob, change).await.unwrap(), Changed::Done);
    assert_eq!(void_from().await, [100, 100, 1, 0]);
    let mut hidden = Vec::new();
    while hidden.len() < 2 {
        if let Signal::Hidden(id) = signals.recv().await.unwrap()
            && [&own, &shared, &other, &public].contains(&&id)
        {
            hidden.push(id);
        }
    }
    hidden.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let mut expected = [own.clone(), shared.clone()];
    expected.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    assert_eq!(hidden, expected);
    // A limit takes no rights away, an administrator's rights are on all private videos, and on a closed site on all.
    let limited = Change { tickets: LostTickets::OfPrivate(200), ..Change::default() };
    store.change_account(&bob, limited).await.unwrap();
    assert_eq!(void_from().await, [100, 100, 1, 0]);
    store.change_account(&eve, disable(LostTickets::OfPrivate(100))).await.unwrap();
    assert_eq!(void_from().await, [101, 101, 100, 0]);
    store.change_account(&bob, disable(LostTickets::OfAll(300))).await.unwrap();
    assert_eq!(void_from().await, [300, 300, 300, 300]);
    let last = store.change_account(&anna, disable(LostTickets::OfAll(400))).await.unwrap();
    assert_eq!((last, void_from().await), (Changed::LastAdministrator, vec![300; 4]));
}
