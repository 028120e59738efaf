//! Titles in order: the form by which they are compared, byte by byte, so that both databases agree.

use crate::{
    Result, VideoId,
    search::fold,
    sql::{FromRow, Row, Sql, query},
};

// PostgreSQL's indexes take entries of some 2,700 bytes, and one letter may become eighteen.
const MOST_BYTES: usize = 1024;
const BATCH: i64 = 500;

/// Returns the form of a title: without case and accents, and with each number behind the count of its digits, so that
/// part 2 comes before part 10. Never empty.
pub(crate) fn title_key(title: &str) -> String {
    let folded = fold(title.trim());
    let mut key = String::with_capacity(folded.len() + 8);
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            key.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let number = rest[..digits].trim_start_matches('0');
        // Longer ones are compared as texts.
        key.push(char::from(b'0' + number.len().min(9) as u8));
        key.push_str(number);
        rest = &rest[digits..];
    }
    if key.is_empty() {
        key.push(' ');
    }
    key.truncate(key.floor_char_boundary(MOST_BYTES));
    key
}

/// Writes the forms of titles that a program before sorted lists took.
pub(crate) async fn order_titles(sql: &Sql) -> Result<()> {
    loop {
        let titles: Vec<Titled> = query("select id, title from videos where title_key = '' limit $1")
            .bind(BATCH)
            .fetch_all(sql)
            .await?;
        if titles.is_empty() {
            return Ok(());
        }
        for Titled { id, title } in titles {
            // Compared with the title: a person may edit it meanwhile.
            query("update videos set title_key = $3 where id = $1 and title = $2")
                .bind(id.as_str())
                .bind(&title)
                .bind(&title_key(&title))
                .execute(sql)
                .await?;
        }
    }
}

struct Titled {
    id: VideoId,
    title: String,
}

impl FromRow for Titled {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { id: VideoId::of_row(row, "id")?, title: row.try_get("title")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_in_the_order_in_which_people_look_for_them() {
        let in_order = [
            "",
            "(draft)",
            "007",
            "12 men",
            "112 men",
            "Äpfel",
            "apple",
            "Episode 2",
            "episode 02 b",
            "Episode 10",
            "Straße",
            "Strassen",
            "zebra",
            "Ελλάδα",
            "映画",
        ];
        let mut keys: Vec<_> = in_order.iter().map(|title| (title_key(title), *title)).collect();
        keys.sort();
        assert_eq!(keys.iter().map(|(_, title)| *title).collect::<Vec<_>>(), in_order);
        assert_eq!(title_key("ÉCLAIR"), title_key("eclair"));
    }

    #[test]
    fn the_longest_title_fits_an_index() {
        assert!(title_key(&"\u{fdfa}".repeat(200)).len() <= MOST_BYTES);
        assert!(title_key(&"9".repeat(200)).len() <= MOST_BYTES);
    }
}
