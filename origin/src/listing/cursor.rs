//! A place in a list as text: it begins with the order, but for the newest first, and goes on with the value that the
//! last video was sorted by.

use std::fmt::Write;

use store::{Cursor, Sort, SortKey, Timestamp};

/// Writes a place in a list of this order.
pub(super) fn encode(sort: Sort, cursor: &Cursor) -> String {
    let place = format!("{}-{}", cursor.created_at.0, cursor.id);
    match (sort, &cursor.key) {
        (Sort::Newest, _) => place,
        (_, None) => format!("{}-{place}", sort.as_str()),
        (_, Some(SortKey::Number(number))) => format!("{}-{place}-{number}", sort.as_str()),
        // A title may have any character, and a cursor stands in a URL.
        (_, Some(SortKey::Text(text))) => format!("{}-{place}-{}", sort.as_str(), hex(text)),
    }
}

/// Reads a place in a list of this order; `None` for any other text.
pub(super) fn decode(sort: Sort, text: &str) -> Option<Cursor> {
    let place = match sort {
        Sort::Newest => text,
        _ => text.strip_prefix(sort.as_str())?.strip_prefix('-')?,
    };
    let mut parts = place.splitn(3, '-');
    let (time, id, key) = (parts.next()?, parts.next()?, parts.next());
    let key = match (sort, key) {
        (Sort::Newest | Sort::Oldest, None) => None,
        (Sort::Views | Sort::Longest, Some(number)) => Some(SortKey::Number(number.parse().ok()?)),
        (Sort::Title, Some(text)) => Some(SortKey::Text(of_hex(text)?)),
        _ => return None,
    };
    Some(Cursor { key, created_at: Timestamp(time.parse().ok()?), id: id.parse().ok()? })
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn of_hex(hex: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let text = String::from_utf8(hex.as_bytes().chunks(2).map(byte).collect::<Option<_>>()?).ok()?;
    // PostgreSQL takes no text with this character.
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::VideoId;

    use super::*;

    #[test]
    fn a_place_reads_back_in_its_own_order_alone() {
        for sort in Sort::ALL {
            let key = match sort {
                Sort::Newest | Sort::Oldest => None,
                Sort::Title => Some(SortKey::Text("été 12".into())),
                Sort::Views | Sort::Longest => Some(SortKey::Number(1234)),
            };
            let cursor = Cursor { key, created_at: Timestamp(7), id: VideoId::random() };
            let text = encode(sort, &cursor);
            assert_eq!(decode(sort, &text), Some(cursor), "{text}");
            for other in Sort::ALL.into_iter().filter(|other| *other != sort) {
                assert_eq!(decode(other, &text), None, "{text} as {other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(title|views|oldest)?-?[0-9]{0,4}-?[0-9a-z]{0,20}-?.{0,9}") {
            for sort in Sort::ALL {
                let _ = decode(sort, &text);
            }
        }
    }
}
