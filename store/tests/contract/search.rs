//! The store's promises about search. Drives the public calls alone.

use store::{
    CaptionId, Cue, CueEdit, Edit, NewTrack, NewVideo, NewVisibility, Place, Replacement, Results,
    SearchCursor, Shown, Store, VideoId, Visibility, Wanted, Words, accounts::Role,
};

use super::{accounts::signed_up, later, video};
use crate::store;

async fn begun(store: &Store, title: &str, description: &str) -> VideoId {
    let new = NewVideo { description: description.into(), ..video(title) };
    store.uploads.begin(&new, Some(5), later()).await.unwrap().id
}

fn cue(start_ms: u64, text: &str) -> Cue {
    Cue { start_ms, end_ms: start_ms + 1000, text: text.into(), ..Cue::default() }
}

async fn captioned(store: &Store, video: &VideoId, language: &str, cues: &[Cue]) -> CaptionId {
    let track = NewTrack { language, label: None, cues };
    store.captions.add(video, &track).await.unwrap().unwrap().id
}

/// Adds a video in which more cues have the word than a search reads by its index.
pub(super) async fn says_very_often(store: &Store, title: &str, word: &str) -> VideoId {
    let id = begun(store, title, "").await;
    let cues: Vec<_> = (0..5001).map(|n| cue(n * 1000, word)).collect();
    captioned(store, &id, "en", &cues).await;
    id
}

/// Checks the search in the library of `old_words.sql`.
pub(crate) async fn finds_old_words(store: &Store) {
    let words = &Words::parse("often ");
    let (shown, mut after, mut seen) = (Shown::PublicAnd(None), None, Vec::new());
    for _ in 0..3 {
        let wanted = Wanted { words, shown: &shown, after: after.as_ref() };
        let page = store.search.find(&wanted, 50).await.unwrap();
        seen.extend(page.found.iter().map(|found| found.video.created_at.0));
        assert!(page.found.iter().all(|found| found.hits_total == 3));
        after = page.next;
    }
    let newest_first: Vec<i64> = (0..150).map(|n| 1899 - 2 * n).collect();
    assert_eq!(seen, newest_first);
}

async fn find(store: &Store, text: &str) -> Results {
    let wanted = Wanted { words: &Words::parse(text), shown: &Shown::All, after: None };
    store.search.find(&wanted, 50).await.unwrap()
}

/// Returns the titles of all pages of two, in order.
async fn titles_of_pages(store: &Store, text: &str, shown: &Shown) -> Vec<String> {
    let words = &Words::parse(text);
    let (mut titles, mut after): (Vec<String>, Option<SearchCursor>) = (Vec::new(), None);
    loop {
        let page = store.search.find(&Wanted { words, shown, after: after.as_ref() }, 2).await.unwrap();
        titles.extend(page.found.iter().map(|found| found.video.title.clone()));
        assert!(page.next.is_none() || page.found.len() == 2, "a page before the last is full");
        let Some(next) = page.next else { return titles };
        after = Some(next);
    }
}

/// Returns titles of what is found, in order, each with the seconds of its hits.
async fn answer(store: &Store, text: &str) -> Vec<String> {
    let found = find(store, text).await.found;
    let line = |it: store::Found| {
        let seconds: Vec<_> = it.hits.iter().map(|hit| (hit.start_ms / 1000).to_string()).collect();
        format!("{} {}", it.video.title, seconds.join(",")).trim().to_owned()
    };
    found.into_iter().map(line).collect()
}

#[tokio::test]
async fn words_are_found_in_titles_then_descriptions_then_speech() {
    let (store, _folder) = store().await;
    let spoken = begun(&store, "A walk", "").await;
    captioned(&store, &spoken, "en", &[cue(2000, "Look at the dunes"), cue(9000, "Dunes at dawn")]).await;
    begun(&store, "Sand", "About dunes of Namibia").await;
    begun(&store, "The Dunes", "").await;
    begun(&store, "Elsewhere", "Nothing of that").await;
    assert_eq!(answer(&store, "dunes").await, ["The Dunes", "Sand", "A walk 2,9"]);
    assert_eq!(answer(&store, "dawn dunes").await, ["A walk 9"]);
    assert_eq!(answer(&store, "sand namibia").await, ["Sand"], "words of title and description together");
    assert_eq!(answer(&store, "\"dunes at\"").await, ["A walk 9"]);
    assert_eq!(answer(&store, "nowhere").await, [""; 0]);
    let place = find(&store, "dawn").await.found[0].place;
    assert_eq!(place, Place::Speech);
}

#[tokio::test]
async fn accents_case_beginnings_and_scripts_without_blanks_are_found() {
    let (store, _folder) = store().await;
    let id = begun(&store, "Crème Brûlée", "Straße 9, Łódź").await;
    captioned(&store, &id, "ja", &[cue(1000, "東京都に行きます"), cue(3000, "猫が好き")]).await;
    captioned(&store, &id, "ko", &[cue(5000, "한국어를 배워요")]).await;
    captioned(&store, &id, "hi", &[cue(7000, "मुझे हिन्दी आती है")]).await;
    for (text, expected) in [
        ("CREME", "Crème Brûlée"),
        ("brulée", "Crème Brûlée"),
        ("brul", "Crème Brûlée"),
        ("strasse lodz", "Crème Brûlée"),
        ("京都", "Crème Brûlée 1"),
        ("東京都", "Crème Brûlée 1"),
        ("東京 猫", ""),
        ("好", "Crème Brûlée 3"),
        ("한국어", "Crème Brûlée 5"),
        ("हिन्दी", "Crème Brûlée 7"),
        ("京東", ""),
        ("rulée", ""),
    ] {
        let found = answer(&store, text).await;
        assert_eq!(found.first().map_or("", String::as_str), expected, "{text:?}");
    }
}

#[tokio::test]
async fn nothing_that_a_person_types_is_an_error() {
    let (store, _folder) = store().await;
    begun(&store, "a", "").await;
    for text in [
        "",
        " ",
        "\"",
        "\"\"",
        "'",
        "a'b",
        "\\",
        "a\\",
        "*",
        "a*",
        "-a",
        "a:b",
        "a:*",
        "^a",
        "(",
        ")",
        "NEAR(a, b)",
        "a AND",
        "OR",
        "NOT a",
        "{a}: b",
        "a & | ! b",
        "<->",
        "%",
        "_",
        "\u{0}",
        "a\u{0}b",
        "\u{e000}",
        "🎬",
        "ꓘ𞤀𐲀",
        "\u{1e030}x",
        "'; drop table videos; --",
        "$1",
        "٣ ߀ 𝟘",
    ] {
        find(&store, text).await;
    }
    find(&store, &"word ".repeat(5000)).await;
    find(&store, &"字".repeat(5000)).await;
    find(&store, &"x".repeat(50_000)).await;
    assert_eq!(answer(&store, "a").await, ["a"]);
}

#[tokio::test]
async fn the_index_follows_edits_captions_and_deletions() {
    let (store, _folder) = store().await;
    let id = begun(&store, "Before", "").await;
    let track = captioned(&store, &id, "en", &[cue(1000, "one"), cue(2000, "two")]).await;
    let edit = Edit { title: Some("After".into()), ..Edit::default() };
    store.videos.edit(&id, &edit).await.unwrap().unwrap();
    assert_eq!(answer(&store, "before").await, [""; 0]);
    assert_eq!(answer(&store, "after").await, ["After"]);

    let edit = CueEdit { text: Some("three".into()), ..CueEdit::default() };
    store.captions.edit_cue(&track, 1, &edit).await.unwrap();
    assert_eq!(answer(&store, "one").await, [""; 0]);
    assert_eq!(answer(&store, "three").await, ["After 1"]);
    assert!(store.captions.delete_cue(&track, 1).await.unwrap());
    assert_eq!(answer(&store, "three").await, [""; 0]);
    store.captions.replace(&track, Replacement { cues: &[cue(4000, "four")], seen: None }).await.unwrap();
    assert_eq!(answer(&store, "two").await, [""; 0]);
    assert_eq!(answer(&store, "four").await, ["After 4"]);
    assert!(store.delete(&id).await.unwrap());
    assert_eq!(answer(&store, "four").await, [""; 0]);
    assert_eq!(answer(&store, "after").await, [""; 0]);
}

#[tokio::test]
async fn results_come_in_pages_without_gaps_and_hits_are_counted() {
    let (store, _folder) = store().await;
    for n in 0..3 {
        begun(&store, &format!("Dunes {n}"), "").await;
    }
    let spoken = begun(&store, "Spoken", "").await;
    let cues: Vec<_> = (0..7).map(|n| cue(n * 1000, "dunes")).collect();
    captioned(&store, &spoken, "en", &cues).await;
    for found in find(&store, "dunes").await.found {
        let hits = if found.place == Place::Speech { (3, 7) } else { (0, 0) };
        assert_eq!((found.hits.len(), found.hits_total), hits, "{}", found.video.title);
    }
    let titles = titles_of_pages(&store, "dunes", &Shown::All).await;
    assert_eq!(titles, ["Dunes 2", "Dunes 1", "Dunes 0", "Spoken"]);
}

#[tokio::test]
async fn a_search_finds_what_lists_show_and_fills_its_pages_with_it() {
    let (store, _folder) = store().await;
    let owner = signed_up(&store, "ann@example.com", Role::User).await.id;
    for n in 0..6 {
        let new = NewVideo { owner: Some(owner.clone()), ..video(&format!("Dunes {n}")) };
        let id = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
        if n % 2 == 1 {
            let hidden = NewVisibility { visibility: Visibility::Private, tickets_from: 0 };
            store
                .videos
                .edit(&id, &Edit { visibility: Some(hidden), ..Edit::default() })
                .await
                .unwrap()
                .unwrap();
        }
    }
    begun(&store, "Dunes of nobody", "").await;
    let public = ["Dunes of nobody", "Dunes 4", "Dunes 2", "Dunes 0"];
    assert_eq!(titles_of_pages(&store, "dunes", &Shown::PublicAnd(None)).await, public);
    assert_eq!(titles_of_pages(&store, "dunes", &Shown::PublicAnd(Some(owner.clone()))).await.len(), 7);
    let own: Vec<String> = (0..6).rev().map(|n| format!("Dunes {n}")).collect();
    assert_eq!(titles_of_pages(&store, "dunes", &Shown::Of(owner)).await, own);
    assert_eq!(titles_of_pages(&store, "dunes", &Shown::All).await.len(), 7);
}

#[tokio::test]
async fn a_word_that_very_many_cues_have_is_found_newest_first_in_pages_and_by_rights() {
    let (store, _folder) = store().await;
    says_very_often(&store, "Oldest", "sand").await;
    let owner = signed_up(&store, "ann@example.com", Role::User).await.id;
    for n in 0..6 {
        let new = NewVideo { owner: Some(owner.clone()), ..video(&format!("Own {n}")) };
        let id = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
        captioned(&store, &id, "en", &[cue(1000, "Sand and sea")]).await;
        let hidden = NewVisibility { visibility: Visibility::Private, tickets_from: 0 };
        store.videos.edit(&id, &Edit { visibility: Some(hidden), ..Edit::default() }).await.unwrap().unwrap();
    }
    let public = begun(&store, "Newest", "").await;
    captioned(&store, &public, "en", &[cue(1000, "The sand")]).await;
    begun(&store, "Sea", "And sand").await;
    begun(&store, "Sand", "").await;
    begun(&store, "Nothing of it", "").await;
    let own: Vec<String> = (0..6).rev().map(|n| format!("Own {n}")).collect();
    let seen = [&["Sand".into(), "Sea".into(), "Newest".into()], own.as_slice(), &["Oldest".into()]].concat();
    assert_eq!(
        titles_of_pages(&store, "sand", &Shown::PublicAnd(None)).await,
        ["Sand", "Sea", "Newest", "Oldest"]
    );
    assert_eq!(titles_of_pages(&store, "sand", &Shown::PublicAnd(Some(owner.clone()))).await, seen);
    assert_eq!(titles_of_pages(&store, "sand", &Shown::All).await, seen);
    assert_eq!(titles_of_pages(&store, "sand", &Shown::Of(owner)).await, own);
    assert_eq!(
        titles_of_pages(&store, "sand sea", &Shown::All).await,
        [&["Sea".into()], own.as_slice()].concat()
    );
    let oldest = find(&store, "sand").await.found.pop().unwrap();
    assert_eq!((oldest.video.title.as_str(), oldest.hits.len(), oldest.hits_total), ("Oldest", 3, 5001));
}
