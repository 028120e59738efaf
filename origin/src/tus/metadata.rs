//! `Upload-Metadata`: a client's description of its file, as keys with base 64 values.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Decodes the field, or returns `None` when it is not of the form that the protocol asks for.
pub(super) fn decode(field: &str) -> Option<HashMap<String, String>> {
    let mut pairs = HashMap::new();
    for pair in field.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).ok()?;
        // Values may be any bytes; those that we use are words.
        let value = String::from_utf8_lossy(&value).into_owned();
        if pairs.insert(key.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(pairs)
}

/// Encodes pairs whose keys are plain words.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let encoded = pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
    encoded.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_are_decoded_and_values_may_be_missing() {
        let pairs = decode("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==, is_confidential,empty ").unwrap();
        assert_eq!(pairs["filename"], "world_domination_plan.pdf");
        assert_eq!(pairs["is_confidential"], "");
        assert_eq!(pairs["empty"], "");
        assert!(decode("").unwrap().is_empty());
    }

    #[test]
    fn values_that_are_not_base_64_and_keys_that_come_twice_are_refused() {
        for field in ["filename dunes.mp4", "a YQ==,a Yg==", "a YQ== YQ=="] {
            assert!(decode(field).is_none(), "{field}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_again(value in any::<String>()) {
            let pairs = decode(&encode(&[("filename", &value)])).unwrap();
            prop_assert_eq!(&pairs["filename"], &value);
        }
    }
}
