//! `Content-Disposition` of a form's parts: the file's name as browsers, curl and mail libraries write it.

use axum::extract::multipart::Field;
use http::header;

/// Returns the name of the file that a part carries, decoded; `None` for a part that is no file.
pub(crate) fn file_name(field: &Field<'_>) -> Option<String> {
    let written = field.headers().get(header::CONTENT_DISPOSITION)?;
    extended(&String::from_utf8_lossy(written.as_bytes())).or_else(|| field.file_name().map(unescaped))
}

/// Reads `filename*=UTF-8''na%C3%AFve.mp4` (RFC 8187), which goes before `filename` (RFC 6266 §4.3). RFC 7578 §4.2 has no
/// place for it in forms, and libraries send it all the same.
fn extended(disposition: &str) -> Option<String> {
    let value = parameters(disposition).into_iter().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("filename*").then(|| value.trim().trim_matches('"'))
    })?;
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = percent_decoded(encoded.as_bytes(), |_| true);
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

/// Returns the parts between semicolons, which stand for themselves within quotation marks.
fn parameters(disposition: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in disposition.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&disposition[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&disposition[start..]);
    parts
}

/// Decodes the three characters that HTML escapes in a name (multipart/form-data encoding algorithm): a quotation mark,
/// CR and LF. Other percent signs are the name's own.
fn unescaped(name: &str) -> String {
    let bytes = percent_decoded(name.as_bytes(), |byte| matches!(byte, b'"' | b'\r' | b'\n'));
    // ASCII in place of ASCII leaves the rest of the text valid.
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent_decoded(text: &[u8], takes: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let digits = digits.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(byte) =
            digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|byte| takes(*byte))
        {
            out.push(byte);
            rest = &behind[2..];
        } else {
            out.push(first);
            rest = behind;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_names_are_read() {
        let check =
            |written: &str, name: Option<&str>| assert_eq!(extended(written).as_deref(), name, "{written}");
        check("form-data; name=\"file\"; filename*=UTF-8''na%C3%AFve%20cut.mp4", Some("naïve cut.mp4"));
        check("form-data; filename=\"a.mp4\"; FILENAME*=utf-8'en'%e2%82%ac.mp4; x=y", Some("€.mp4"));
        check("form-data; filename*=iso-8859-1''%e9t%e9.mp4", Some("été.mp4"));
        check("form-data; filename*=UTF-8''%ff.mp4", None);
        check("form-data; filename*=plain.mp4", None);
        check("form-data; filename=\"a.mp4\"", None);
        // A name that looks like one, and blanks around the sign.
        check("form-data; filename=\"filename*=UTF-8''evil.mp4\"", None);
        check("form-data; filename=\"a\\\"; filename*=UTF-8''evil.mp4\"", None);
        check("form-data; filename=\"a;b.mp4\"; filename* = UTF-8'de'%c3%bcber.mp4", Some("über.mp4"));
    }

    #[test]
    fn only_what_html_escapes_is_decoded_in_plain_names() {
        assert_eq!(unescaped("say %22hi%22.mp4"), "say \"hi\".mp4");
        assert_eq!(unescaped("100%.mp4 %41 %0d%0A %2"), "100%.mp4 %41 \r\n %2");
    }
}
