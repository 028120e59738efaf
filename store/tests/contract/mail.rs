//! The promises about mail: sent by one process at a time, and links that set a password or prove an address once.

use std::time::Duration;

use store::{
    Timestamp,
    accounts::{Change, Email, LinkReason, MailKind, NewInvitation, NewSession, Role},
};

use super::{LEASE, accounts::signed_up, later};
use crate::store;

const ADDRESS: Email<'_> = Email { shown: "A@example.org", key: "a@example.org" };

#[tokio::test]
async fn a_mail_has_one_sender_until_it_is_sent_or_given_up() {
    let (store, _folder) = store().await;
    let mails = &store.accounts.mails;
    mails.add(&MailKind::Reset, ADDRESS).await.unwrap();
    let (a, b) = tokio::join!(mails.claim("a", LEASE), mails.claim("b", LEASE));
    let claimed: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
    let [mail] = &claimed[..] else { panic!("{claimed:?}") };
    assert_eq!((&mail.kind, mail.address.as_str(), mail.attempts), (&MailKind::Reset, ADDRESS.shown, 1));
    mails.release(mail, Duration::from_mins(1)).await.unwrap();
    assert!(mails.claim("a", LEASE).await.unwrap().is_none(), "its pause is not over");
    mails.add(&MailKind::Reset, ADDRESS).await.unwrap();
    let other = mails.claim("a", LEASE).await.unwrap().unwrap();
    mails.finish(mail).await.unwrap();
    mails.finish(&other).await.unwrap();
    mails.finish(&other).await.unwrap();
    assert!(mails.claim("a", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn the_mail_of_an_invitation_goes_with_it_and_makes_its_key_anew() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "a", Role::Administrator).await.id;
    let (invitations, mails) = (&store.accounts.invitations, &store.accounts.mails);
    let new =
        NewInvitation { invited_by: &user, secret: "key", email: Some(ADDRESS.key), expires_at: later() };
    let invitation = invitations.add(&new).await.unwrap();
    mails.add(&MailKind::Invitation(invitation.id.clone()), ADDRESS).await.unwrap();
    let rekeyed = invitations.rekey(&invitation.id, "new key").await.unwrap();
    assert_eq!(rekeyed, Some(LinkReason::Invitation));
    assert_eq!(invitations.rekey("another", "key").await.unwrap(), None);
    let mail = mails.claim("a", Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(mail.kind, MailKind::Invitation(invitation.id.clone()));
    invitations.remove(&invitation.id).await.unwrap();
    assert!(mails.claim("a", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn a_proved_address_is_an_accounts_once_and_while_nobody_else_has_it() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "b", Role::Administrator).await.id;
    let (users, invitations, mails) =
        (&store.accounts.users, &store.accounts.invitations, &store.accounts.mails);
    let replaced = invitations.prove(ADDRESS, Some(&user), later()).await.unwrap();
    mails.add(&MailKind::Invitation(replaced.clone()), ADDRESS).await.unwrap();
    // A second wish voids the first one, its mail included; that of somebody without an account is another one's.
    let link = invitations.prove(ADDRESS, Some(&user), later()).await.unwrap();
    let stranger = invitations.prove(ADDRESS, None, later()).await.unwrap();
    assert!(mails.claim("a", LEASE).await.unwrap().is_none());
    assert_eq!(invitations.rekey(&replaced, "old").await.unwrap(), None);
    assert_eq!(invitations.rekey(&link, "key").await.unwrap(), Some(LinkReason::NewAddress(user.clone())));
    assert_eq!(invitations.rekey(&stranger, "other").await.unwrap(), Some(LinkReason::SignUp));
    store.accounts.password_resets.add(&user, "reset", later()).await.unwrap();
    for wrong in ["old", "other", link.as_str()] {
        assert!(!users.take_proved_address(wrong).await.unwrap(), "{wrong}");
    }
    assert!(users.take_proved_address("key").await.unwrap());
    assert!(!users.take_proved_address("key").await.unwrap());
    let changed = users.by_email(ADDRESS.key).await.unwrap().unwrap();
    assert_eq!((changed.id, changed.email.as_str(), changed.revision), (user.clone(), ADDRESS.shown, 1));
    assert!(store.accounts.password_resets.person("reset").await.unwrap().is_none());

    let other = signed_up(&store, "c", Role::User).await.id;
    let late = invitations.prove(ADDRESS, Some(&other), later()).await.unwrap();
    invitations.rekey(&late, "late").await.unwrap();
    assert!(!users.take_proved_address("late").await.unwrap(), "it is another account's");
    let ended = invitations.prove(ADDRESS, Some(&other), Timestamp(1)).await.unwrap();
    assert_eq!(invitations.rekey(&ended, "ended").await.unwrap(), None);
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_ends_all_sessions() {
    let (store, _folder) = store().await;
    signed_up(&store, "admin", Role::Administrator).await;
    let user = signed_up(&store, "a", Role::User).await.id;
    let (resets, sessions) = (&store.accounts.password_resets, &store.accounts.sessions);
    let new = NewSession { user: &user, secret: "s", user_agent: "", expires_at: later() };
    sessions.begin(&new).await.unwrap();
    resets.add(&user, "old", Timestamp(1)).await.unwrap();
    assert!(resets.person("old").await.unwrap().is_none(), "it has ended");
    resets.add(&user, "first", later()).await.unwrap();
    resets.add(&user, "second", later()).await.unwrap();
    assert!(!resets.use_up("first", "hash").await.unwrap(), "a later link takes its place");
    assert_eq!(resets.person("second").await.unwrap().as_ref(), Some(&user));
    let (a, b) = tokio::join!(resets.use_up("second", "new hash"), resets.use_up("second", "new hash"));
    assert_eq!(u8::from(a.unwrap()) + u8::from(b.unwrap()), 1);
    assert_eq!(store.accounts.users.get(&user).await.unwrap().unwrap().password, "new hash");
    assert!(sessions.of(&user, Timestamp(0)).await.unwrap().is_empty());
    resets.add(&user, "third", later()).await.unwrap();
    let disabled = Change { disabled: Some(true), ..Change::default() };
    store.accounts.users.change(&user, disabled).await.unwrap();
    assert!(!resets.use_up("third", "hash").await.unwrap());
    resets.sweep().await.unwrap();
}
