//! The `Range` header (RFC 9110 §14): which bytes of a representation a client asks for. `conditional` decides over
//! `If-Range`, and the caller reads the bytes.

use std::ops::Range;

use http::{HeaderMap, header};

/// The part of a representation to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it, with 200: no range, or one that may be ignored.
    Whole,
    /// These bytes, with 206. Never empty, always inside the representation.
    Bytes(Range<u64>),
    /// None of it, with 416.
    Unsatisfiable,
}

/// Returns the part of `len` bytes that the headers ask for.
pub fn part(headers: &HeaderMap, len: u64) -> Part {
    // RFC 9110 §14.2 lets us ignore an invalid Range; a full 200 is safer than a 400. Two fields are invalid.
    let mut fields = headers.get_all(header::RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Part::Whole };
    match field.to_str() {
        Ok(text) => parse(text, len),
        Err(_) => Part::Whole,
    }
}

fn parse(text: &str, len: u64) -> Part {
    let Some((unit, set)) = text.split_once('=') else { return Part::Whole };
    // §14.1: unit names are case-insensitive; an unknown one is ignored.
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let mut specs = set.split(',').map(str::trim).filter(|spec| !spec.is_empty());
    // Several ranges would need multipart/byteranges, which no player asks for and which invites
    // amplification (§17.15); ignoring them is allowed.
    let (Some(spec), None) = (specs.next(), specs.next()) else { return Part::Whole };
    let Some((first, last)) = spec.split_once('-') else { return Part::Whole };
    // §14.1.1: a last position before the first is invalid, so it is ignored. §14.1.2: a suffix of no bytes is valid but
    // cannot be satisfied.
    match (number(first), number(last)) {
        (Number::Absent, Number::Of(0)) => Part::Unsatisfiable,
        (Number::Absent, Number::Of(suffix)) if len > 0 => Part::Bytes(len.saturating_sub(suffix)..len),
        (Number::Absent, Number::Of(_)) => Part::Unsatisfiable,
        (Number::Of(first), Number::Of(last)) if first > last => Part::Whole,
        (Number::Of(first), _) if first >= len => match number(last) {
            Number::Invalid => Part::Whole,
            _ => Part::Unsatisfiable,
        },
        (Number::Of(first), Number::Absent) => Part::Bytes(first..len),
        (Number::Of(first), Number::Of(last)) => Part::Bytes(first..last.saturating_add(1).min(len)),
        _ => Part::Whole,
    }
}

enum Number {
    Absent,
    Of(u64),
    Invalid,
}

fn number(text: &str) -> Number {
    if text.is_empty() {
        return Number::Absent;
    }
    // `parse` alone would take "+5".
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Number::Invalid;
    }
    // Digits that do not fit are a place behind every end, which is what they mean.
    Number::Of(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn check(range: &str, len: u64, expected: &Part) {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(range).unwrap())]);
        assert_eq!(part(&headers, len), *expected, "{range} of {len}");
    }

    #[test]
    fn a_single_range_gives_its_bytes() {
        check("bytes=0-0", 10, &Part::Bytes(0..1));
        check("bytes=2-5", 10, &Part::Bytes(2..6));
        check("bytes=2-", 10, &Part::Bytes(2..10));
        check("bytes=2-99", 10, &Part::Bytes(2..10));
        check("bytes=-3", 10, &Part::Bytes(7..10));
        check("bytes=-99", 10, &Part::Bytes(0..10));
        check("Bytes= 2-5 ", 10, &Part::Bytes(2..6));
        check("bytes=2-5,", 10, &Part::Bytes(2..6));
        check("bytes=0-99999999999999999999999", 10, &Part::Bytes(0..10));
    }

    #[test]
    fn a_range_past_the_end_is_unsatisfiable() {
        check("bytes=10-", 10, &Part::Unsatisfiable);
        check("bytes=10-20", 10, &Part::Unsatisfiable);
        check("bytes=-0", 10, &Part::Unsatisfiable);
        check("bytes=0-", 0, &Part::Unsatisfiable);
        check("bytes=-5", 0, &Part::Unsatisfiable);
        check("bytes=99999999999999999999999-", 10, &Part::Unsatisfiable);
    }

    #[test]
    fn several_invalid_and_unknown_ranges_are_ignored() {
        for range in [
            "bytes=0-1,3-4",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=",
            "bytes=-",
            "bytes",
            "items=0-1",
            "bytes=1-2-3",
            "bytes=0x1-",
            "bytes=99-b",
            "",
        ] {
            check(range, 10, &Part::Whole);
        }
        let mut headers = HeaderMap::new();
        headers.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.append(header::RANGE, HeaderValue::from_static("bytes=2-3"));
        assert_eq!(part(&headers, 10), Part::Whole);
    }

    proptest! {
        #[test]
        fn whatever_is_asked_the_bytes_lie_inside(range in "(bytes=)?[-0-9, a=]{0,24}", len in 0_u64..1000) {
            if let Part::Bytes(bytes) = parse(&range, len) {
                prop_assert!(bytes.start < bytes.end && bytes.end <= len);
            }
        }

        #[test]
        fn every_part_can_be_asked_for(start in 0_u64..1000, more in 0_u64..1000, rest in 0_u64..1000) {
            let (last, len) = (start + more, start + more + 1 + rest);
            prop_assert_eq!(parse(&format!("bytes={start}-{last}"), len), Part::Bytes(start..last + 1));
            prop_assert_eq!(parse(&format!("bytes=-{}", len - start), len), Part::Bytes(start..len));
        }

        #[test]
        fn no_header_makes_it_panic(range in any::<String>(), len in any::<u64>()) {
            parse(&range, len);
        }
    }
}
