//! Common Media Client Data (CTA-5004 and its second version): players' reports in the query or in headers. Pure.

use std::time::Duration;

use http::HeaderMap;
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

// CTA-5004 spreads the keys over four fields, by how often their values change.
const FIELDS: [&str; 4] = ["cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session"];
// No player sends more; parsing is bounded by it.
const MOST_TEXT: usize = 4096;
const MOST_NEXT: usize = 4;

/// A player's report with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cmcd {
    /// `nor`: what it will ask for next, as relative references.
    pub next: Vec<String>,
    /// `su`: it needs bytes at once, to start or to go on.
    pub urgent: bool,
    /// `bs`: it ran dry since the last request.
    pub starved: bool,
    /// `sf`: it plays HLS (`h`), DASH (`d`), or something else.
    pub format: Option<char>,
    /// `mtp`: the throughput that it measures.
    pub throughput_kbps: Option<u64>,
    /// `bl`: how much it has in its buffer.
    pub buffer: Option<Duration>,
}

impl Cmcd {
    /// Reads the CMCD of a request, if it has any. `query` is the value of its `CMCD` parameter.
    pub fn of(query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        let mut texts = query.and_then(decode).map(|text| vec![text]).unwrap_or_default();
        for name in FIELDS {
            texts.extend(headers.get(name).and_then(|field| field.to_str().ok()).map(str::to_owned));
        }
        if texts.is_empty() {
            return None;
        }
        let mut cmcd = Self::default();
        for text in texts.iter().filter(|text| text.len() <= MOST_TEXT) {
            // A broken field is ignored: CMCD is advice, and no reason to refuse a segment.
            if let Ok(members) = Parser::new(text).parse::<Dictionary>() {
                cmcd.read(&members);
            }
        }
        Some(cmcd)
    }

    fn read(&mut self, members: &Dictionary) {
        for (key, member) in members {
            let items: &[Item] = match member {
                ListEntry::Item(item) => std::slice::from_ref(item),
                ListEntry::InnerList(list) => &list.items,
            };
            let Some(first) = items.first() else { continue };
            match (key.as_str(), &first.bare_item) {
                ("nor", _) => self.next.extend(items.iter().filter_map(reference).take(MOST_NEXT)),
                ("su", BareItem::Boolean(urgent)) => self.urgent = *urgent,
                ("bs", BareItem::Boolean(starved)) => self.starved = *starved,
                ("sf", BareItem::Token(format)) => self.format = format.as_str().chars().next(),
                ("mtp", _) => self.throughput_kbps = number(first),
                // CTA-5004: the length is in milliseconds, rounded to a hundred.
                ("bl", _) => self.buffer = number(first).map(Duration::from_millis),
                _ => {}
            }
        }
        self.next.truncate(MOST_NEXT);
    }
}

fn number(item: &Item) -> Option<u64> {
    match &item.bare_item {
        BareItem::Integer(n) => u64::try_from(i64::from(*n)).ok(),
        _ => None,
    }
}

/// CTA-5004 writes references percent-encoded, so that they fit a query.
fn reference(item: &Item) -> Option<String> {
    let BareItem::String(text) = &item.bare_item else { return None };
    decode(text.as_str())
}

/// Decodes percent-encoding; `None` when it is broken.
fn decode(text: &str) -> Option<String> {
    if text.len() > MOST_TEXT {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_first_version_is_read_from_a_query() {
        // hls.js 1.7 sends this.
        let query = "br%3D3200%2Cbs%2Cd%3D6006%2Cmtp%3D25400%2Cnor%3D%224.m4s%22%2Cot%3Dv%2Csf%3Dh%2Csu";
        let cmcd = Cmcd::of(Some(query), &HeaderMap::new()).unwrap();
        let expected = Cmcd {
            next: vec!["4.m4s".into()],
            urgent: true,
            starved: true,
            format: Some('h'),
            throughput_kbps: Some(25400),
            buffer: None,
        };
        assert_eq!(cmcd, expected);
    }

    #[test]
    fn the_second_version_has_lists_and_headers() {
        let fields = headers(&[
            ("cmcd-request", "bl=(21300), mtp=(48100;v), nor=(\"..%2F480p%2F5.m4s\" \"6.m4s\";r=\"0-99\")"),
            ("cmcd-status", "bs=?0"),
            ("cmcd-session", "sf=d,v=2"),
        ]);
        let cmcd = Cmcd::of(None, &fields).unwrap();
        assert_eq!(cmcd.next, ["../480p/5.m4s", "6.m4s"]);
        assert_eq!((cmcd.buffer, cmcd.throughput_kbps), (Some(Duration::from_millis(21300)), Some(48100)));
        assert_eq!((cmcd.starved, cmcd.format), (false, Some('d')));
    }

    #[test]
    fn nonsense_is_no_cmcd() {
        assert_eq!(Cmcd::of(None, &HeaderMap::new()), None);
        assert_eq!(Cmcd::of(Some("%zz"), &HeaderMap::new()), None);
        assert_eq!(Cmcd::of(Some("nor=4.m4s;;,"), &HeaderMap::new()), Some(Cmcd::default()));
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in any::<String>()) {
            if let Some(cmcd) = Cmcd::of(Some(&query), &HeaderMap::new()) {
                prop_assert!(cmcd.next.len() <= MOST_NEXT);
            }
        }
    }
}
