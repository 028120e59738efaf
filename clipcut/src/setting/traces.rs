//! Settings of traces.

use http::Uri;

use super::Setting;

/// The address of a collector; empty for none.
#[derive(Clone, Debug)]
pub(crate) struct Collector(pub(crate) String);

impl Setting for Collector {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        let expected = "a URL such as http://collector:4318 is expected, without a path";
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        let authority = uri.authority().ok_or(expected)?;
        // It would stand in the log, and the client would not send it.
        if authority.as_str().contains('@') {
            return Err("no name and no password is expected in it; OTEL_EXPORTER_OTLP_HEADERS has what the collector knows us by".into());
        }
        let plain = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        if plain { Ok(Self(text.to_owned())) } else { Err(expected.into()) }
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// A share of a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

impl Setting for Share {
    fn read(text: &str) -> Result<Self, String> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "a number from 0 to 1 is expected".to_owned())
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_a_scheme_a_host_and_a_port() {
        for text in ["", "http://127.0.0.1:4318", "https://collector.example/", "http://[::1]:4318"] {
            assert_eq!(Collector::read(text).unwrap().0, text);
        }
        for text in ["collector:4318", "grpc://collector:4317", "http://collector/v1/traces", "http://", "/"]
        {
            assert!(Collector::read(text).unwrap_err().contains("http://collector:4318"), "{text}");
        }
        assert!(Collector::read("https://a:b@collector").unwrap_err().contains("OTEL_EXPORTER_OTLP_HEADERS"));
    }

    #[test]
    fn a_share_is_from_0_to_1() {
        for text in ["0", "0.1", "1"] {
            assert_eq!(Share::read(text).unwrap().print(), text);
        }
        for text in ["", "-0.1", "1.1", "10%", "NaN"] {
            assert!(Share::read(text).is_err(), "{text}");
        }
    }
}
