//! The promises about pages: a list that is read page by page has each entry once, in its order.

use store::{
    NewShare, PageOf, PlaceInList, Timestamp,
    accounts::{NewToken, Role},
};

use super::{accounts::signed_up, uploaded};
use crate::store;

#[tokio::test]
async fn a_list_that_is_read_page_by_page_has_each_entry_once_in_its_order() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "anna@example.org", Role::User).await.id;
    let video = uploaded(&store, "v").await;
    for n in 0..7 {
        let (name, secret) = (format!("{n}"), format!("secret {n}"));
        let new = NewToken { user: &user, name: &name, secret: &secret, scopes: "read", expires_at: None };
        store.accounts.tokens.add(&new).await.unwrap();
        let new = NewShare { video: &video, secret: &secret, expires_at: None };
        store.shares.add(&new).await.unwrap().unwrap();
        signed_up(&store, &format!("person{n}@example.org"), Role::User).await;
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page =
            store.accounts.tokens.page(&user, PageOf { after: after.as_ref(), limit: 3 }).await.unwrap();
        assert!(page.entries.len() <= 3);
        names.extend(page.entries.into_iter().map(|token| token.name));
        // As a client gives it back.
        let Some(next) = page.next else { break };
        after = Some(PlaceInList::parse(&next.to_string()).unwrap());
    }
    assert_eq!(names, ["6", "5", "4", "3", "2", "1", "0"]);
    let first = store.shares.page(&video, PageOf { after: None, limit: 7 }).await.unwrap();
    assert_eq!((first.entries.len(), first.next), (7, None));
    let people = store.accounts.users.page(PageOf { after: None, limit: 2 }).await.unwrap();
    assert_eq!(people.entries[0].email, "anna@example.org");
    let rest = PageOf { after: people.next.as_ref(), limit: 100 };
    assert_eq!(store.accounts.users.page(rest).await.unwrap().entries.len(), 6);
}

#[tokio::test]
async fn what_has_ended_is_on_no_page() {
    let (store, _folder) = store().await;
    let video = uploaded(&store, "v").await;
    let ended = NewShare { video: &video, secret: "ended", expires_at: Some(Timestamp(1)) };
    store.shares.add(&ended).await.unwrap().unwrap();
    let page = store.shares.page(&video, PageOf { after: None, limit: 10 }).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_none(), "{page:?}");
}
