//! The two forms of `/metrics`: `OpenMetrics`, which Prometheus asks for, and the older text format, which every other reader
//! takes, `promtool check metrics` among them.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenMetrics,
    /// Version 0.0.4 of Prometheus' text format.
    Text,
}

impl Format {
    /// Returns the form that a request asks for.
    pub(super) fn of(request: &HeaderMap) -> Self {
        let accepted = request.get_all(header::ACCEPT).iter().filter_map(|field| field.to_str().ok());
        let names_it = |field: &str| field.contains("application/openmetrics-text");
        if accepted.into_iter().any(names_it) { Self::OpenMetrics } else { Self::Text }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        })
    }

    /// Writes metrics, which come as `OpenMetrics`, in this form.
    pub(super) fn write(self, openmetrics: String) -> String {
        match self {
            Self::OpenMetrics => openmetrics,
            Self::Text => as_text(&openmetrics),
        }
    }
}

/// A family has the name of its samples there, and no suffix apart from it; an info is a gauge of 1.
fn as_text(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut help = None;
    for line in openmetrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            // The type, on which the name depends, follows.
            (Some("#"), Some("HELP"), Some(_), Some(words)) => help = Some(words),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", kind),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    kind => ("", kind),
                };
                if let Some(help) = help.take() {
                    _ = writeln!(text, "# HELP {name}{suffix} {help}");
                }
                _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
            }
            // A unit, and the mark of the end.
            (Some("#"), ..) => {}
            _ => _ = writeln!(text, "{line}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_familys_name_is_that_of_its_samples_in_the_older_text() {
        let openmetrics = "# HELP a_requests Requests answered.\n# TYPE a_requests counter\n# UNIT a_requests x\n\
            a_requests_total{status=\"2xx\"} 1\n# HELP a_build The program.\n# TYPE a_build info\n\
            a_build_info{version=\"1\"} 1\n# HELP a_open Those open.\n# TYPE a_open gauge\na_open 2\n# EOF\n";
        let text = "# HELP a_requests_total Requests answered.\n# TYPE a_requests_total counter\n\
            a_requests_total{status=\"2xx\"} 1\n# HELP a_build_info The program.\n# TYPE a_build_info gauge\n\
            a_build_info{version=\"1\"} 1\n# HELP a_open Those open.\n# TYPE a_open gauge\na_open 2\n";
        assert_eq!(as_text(openmetrics), text);
    }

    #[test]
    fn openmetrics_goes_to_those_who_ask_for_it() {
        let of = |accept: &'static str| {
            Format::of(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.2";
        assert_eq!(of(prometheus), Format::OpenMetrics);
        assert_eq!(of("*/*"), Format::Text);
        assert_eq!(Format::of(&HeaderMap::new()), Format::Text);
    }
}
