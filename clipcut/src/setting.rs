//! Values of settings as people write them: sizes, durations, lists, addresses.

pub(crate) mod speech;
pub(crate) mod traces;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// A value that can be written in a file, a variable or a flag.
pub(crate) trait Setting: Sized {
    /// Reads it; the error is the expected form.
    fn read(text: &str) -> Result<Self, String>;
    fn print(&self) -> String;
}

/// Bytes: `20GiB`, `500MiB`, `1000`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub(crate) u64);

/// A length of time: `30s`, `10m`, `24h`, `500ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

/// The shorter sides of renditions, highest first.
#[derive(Clone, Debug)]
pub(crate) struct List(pub(crate) Vec<u32>);

/// `on` or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch(pub(crate) bool);

/// Any texts.
#[derive(Clone, Debug)]
pub(crate) struct Names(pub(crate) Vec<String>);

/// A server's address, which may hold a password: printed without it.
#[derive(Clone)]
pub(crate) struct Address(pub(crate) String);

const SIZES: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
// `ms` comes first, for a suffix of `s` would match it too.
const SPANS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
const SIDES: [u32; 7] = [2160, 1440, 1080, 720, 480, 360, 240];

impl Setting for Size {
    fn read(text: &str) -> Result<Self, String> {
        let (digits, unit) =
            SIZES.iter().find_map(|(name, n)| Some((text.strip_suffix(name)?, *n))).unwrap_or((text, 1));
        // The product is checked, since `99999999TiB` would else wrap to a small limit.
        let bytes = digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
        bytes.map(Self).ok_or_else(|| "a size such as 20GiB, 500MiB or a number of bytes is expected".into())
    }

    fn print(&self) -> String {
        let unit = SIZES.iter().find(|(_, n)| self.0 >= *n && self.0.is_multiple_of(*n));
        unit.map_or_else(|| self.0.to_string(), |(name, n)| format!("{}{name}", self.0 / n))
    }
}

impl Setting for Span {
    fn read(text: &str) -> Result<Self, String> {
        let found = SPANS.iter().find_map(|(name, ms)| Some((text.strip_suffix(name)?, *ms)));
        let ms = found.and_then(|(digits, ms)| digits.trim().parse::<u64>().ok()?.checked_mul(ms));
        let ms = ms.ok_or_else(|| "a span such as 30s, 10m or 24h is expected".to_owned())?;
        Ok(Self(Duration::from_millis(ms)))
    }

    fn print(&self) -> String {
        let ms = self.0.as_millis() as u64;
        let units = [SPANS[1], SPANS[2], SPANS[3], SPANS[0]];
        let unit = units.into_iter().find(|(_, n)| ms >= *n && ms.is_multiple_of(*n));
        unit.map_or_else(|| "0s".into(), |(name, n)| format!("{}{name}", ms / n))
    }
}

impl Setting for List {
    fn read(text: &str) -> Result<Self, String> {
        let sides: Option<Vec<u32>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        let mut sides = sides.filter(|sides| sides.iter().all(|n| SIDES.contains(n))).ok_or_else(|| {
            let known: Vec<String> = SIDES.iter().map(ToString::to_string).collect();
            format!("a list of some of {} is expected", known.join(", "))
        })?;
        // The ladder is walked from the top, and a rung that is written twice would be encoded twice.
        sides.sort_unstable_by(|a, b| b.cmp(a));
        sides.dedup();
        Ok(Self(sides))
    }

    fn print(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

impl Setting for Switch {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("on or off is expected".into()),
        }
    }

    fn print(&self) -> String {
        if self.0 { "on" } else { "off" }.into()
    }
}

impl Setting for Names {
    fn read(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self(names.map(str::to_owned).collect()))
    }

    fn print(&self) -> String {
        self.0.join(",")
    }
}

// Stands where a password was.
const LEFT_OUT: &str = ":…@";

impl Setting for Address {
    fn read(text: &str) -> Result<Self, String> {
        // `clipcut config` may be read back as a file, which would connect with the dots as a password.
        if text.contains(LEFT_OUT) {
            return Err("the password is expected that was left out when this was printed".into());
        }
        Ok(Self(text.to_owned()))
    }

    fn print(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        // A password may hold an @; a host holds none.
        let Some((credentials, host)) = rest.rsplit_once('@') else { return self.0.clone() };
        let Some((user, _)) = credentials.split_once(':') else { return self.0.clone() };
        format!("{scheme}://{user}{LEFT_OUT}{host}")
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.print())
    }
}

/// A name of x264's.
#[derive(Clone, Debug)]
pub(crate) struct Preset(pub(crate) String);

impl Setting for Preset {
    fn read(text: &str) -> Result<Self, String> {
        const NAMES: [&str; 9] =
            ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];
        let known = NAMES.contains(&text).then(|| Self(text.to_owned()));
        known.ok_or_else(|| format!("one of {} is expected", NAMES.join(", ")))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Setting for LogFormat {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("text or json is expected".into()),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Json => "json".into(),
        }
    }
}

/// Whether playing needs a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tickets {
    Optional,
    Required,
}

impl Setting for Tickets {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            _ => Err("optional or required is expected".into()),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Optional => "optional".into(),
            Self::Required => "required".into(),
        }
    }
}

/// The people who may make accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignUp(pub(crate) accounts::SignUp);

impl Setting for SignUp {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "closed" => Ok(Self(accounts::SignUp::Closed)),
            "invitation" => Ok(Self(accounts::SignUp::Invitation)),
            "open" => Ok(Self(accounts::SignUp::Open)),
            _ => Err("closed, invitation or open is expected".into()),
        }
    }

    fn print(&self) -> String {
        match self.0 {
            accounts::SignUp::Closed => "closed".into(),
            accounts::SignUp::Invitation => "invitation".into(),
            accounts::SignUp::Open => "open".into(),
        }
    }
}

/// The people whom videos are for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience(pub(crate) accounts::Audience);

impl Setting for Audience {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "everyone" => Ok(Self(accounts::Audience::Everyone)),
            "people" => Ok(Self(accounts::Audience::People)),
            _ => Err("everyone or people is expected".into()),
        }
    }

    fn print(&self) -> String {
        match self.0 {
            accounts::Audience::Everyone => "everyone".into(),
            accounts::Audience::People => "people".into(),
        }
    }
}

/// The address that browsers show.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    text: String,
    pub(crate) url: Option<server::site::PublicUrl>,
}

impl Setting for Public {
    fn read(text: &str) -> Result<Self, String> {
        let url = if text.is_empty() { None } else { Some(server::site::PublicUrl::parse(text)?) };
        Ok(Self { text: text.to_owned(), url })
    }

    fn print(&self) -> String {
        self.text.clone()
    }
}

/// Proxies, by address or network.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    names: Names,
    pub(crate) networks: server::forwarded::TrustedProxies,
}

impl Setting for Proxies {
    fn read(text: &str) -> Result<Self, String> {
        let names = Names::read(text)?;
        let networks = server::forwarded::TrustedProxies::parse(names.0.iter().map(String::as_str))?;
        Ok(Self { names, networks })
    }

    fn print(&self) -> String {
        self.names.print()
    }
}

/// Hosts and networks that webhooks may reach.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    names: Names,
    pub(crate) allowed: accounts::webhooks::Allowed,
}

impl Setting for Targets {
    fn read(text: &str) -> Result<Self, String> {
        let names = Names::read(text)?;
        let allowed = accounts::webhooks::Allowed::parse(names.0.iter().map(String::as_str))?;
        Ok(Self { names, allowed })
    }

    fn print(&self) -> String {
        self.names.print()
    }
}

macro_rules! plain_settings {
    ($($type:ty: $expected:literal, $print:expr;)+) => { $(
        impl Setting for $type {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| concat!($expected, " is expected").to_owned())
            }
            fn print(&self) -> String {
                let print: fn(&$type) -> String = $print;
                print(self)
            }
        }
    )+ };
}

plain_settings! {
    SocketAddr: "an address and a port, such as 0.0.0.0:8080,", ToString::to_string;
    PathBuf: "a path", |path| path.display().to_string();
    String: "a text", Clone::clone;
    usize: "a whole number", ToString::to_string;
    u32: "a whole number", ToString::to_string;
    f32: "a number", ToString::to_string;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_read_back_in_their_largest_unit() {
        let check = |text: &str, printed: &str| assert_eq!(Size::read(text).unwrap().print(), printed);
        check("20GiB", "20GiB");
        check("1024 KiB", "1MiB");
        check("1000", "1000");
        let check = |text: &str, printed: &str| assert_eq!(Span::read(text).unwrap().print(), printed);
        check("90m", "90m");
        check("24h", "24h");
        check("1500ms", "1500ms");
        check("60s", "1m");
        check("0ms", "0s");
    }

    #[test]
    fn an_address_is_printed_without_its_password() {
        let check = |text: &str, printed: &str| assert_eq!(Address::read(text).unwrap().print(), printed);
        check(
            "postgres://clip:s3:cr@t@db.example/cut?sslmode=require",
            "postgres://clip:…@db.example/cut?sslmode=require",
        );
        check("postgres://clip@db.example/cut", "postgres://clip@db.example/cut");
        check("mongodb://clip:s3cret@a:1,b:2/cut?w=1", "mongodb://clip:…@a:1,b:2/cut?w=1");
        check("redis://:s3cret@r.example", "redis://:…@r.example");
        check("", "");
        assert!(Address::read("redis://:…@r.example").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Size::read("99999999999TiB").is_err());
        assert!(Span::read("30").is_err());
        assert!(List::read("1080,99").is_err());
        assert!(Public::read("https://example.org/media/").unwrap_err().contains("has a path"));
        assert!(Proxies::read("10.0.0.0/8, proxy").unwrap_err().contains("`proxy`"));
    }
}
