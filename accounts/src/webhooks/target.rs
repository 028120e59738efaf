//! The target of a webhook: an address on the web that a person typed. Whether it is public shows when its name is resolved,
//! at every delivery.

use url::{Host, Url};

use super::Allowed;
use crate::{Error, Result, error::unprocessable};

const MOST: usize = 2000;

/// Reads a target and returns it in the form in which it is kept.
pub(super) fn read(text: &str, allowed: &Allowed) -> Result<String> {
    let url =
        Url::parse(text.trim()).map_err(|_| invalid("it is no URL such as https://example.org/hook"))?;
    let Some(host) = url.host() else { return Err(invalid("it names no host")) };
    if url.as_str().len() > MOST {
        return Err(invalid(&format!("it has more than {MOST} characters")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "it has a name or a password in it; a receiver knows our requests by their signature",
        ));
    }
    if url.fragment().is_some() {
        return Err(invalid("it has a fragment (#), which is never sent"));
    }
    let let_through = match host {
        Host::Domain(name) => allowed.names(name),
        Host::Ipv4(address) => allowed.has(address.into()),
        Host::Ipv6(address) => allowed.has(address.into()),
    };
    let public = match host {
        Host::Domain(_) => true,
        Host::Ipv4(address) => allowed.admits("", address.into()),
        Host::Ipv6(address) => allowed.admits("", address.into()),
    };
    if !public {
        return Err(invalid(
            "this address is not on the public internet; an operator may let it through (webhook_allow)",
        ));
    }
    match url.scheme() {
        "https" => Ok(url.into()),
        "http" if let_through => Ok(url.into()),
        "http" => Err(invalid("it needs https: what is sent over http others can read along")),
        _ => Err(invalid("it needs https")),
    }
}

fn invalid(why: &str) -> Error {
    unprocessable("invalid_url", format!("This URL cannot be a webhook's: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_public_https_address_unless_an_operator_lets_it_through() {
        let read = |text: &str| read(text, &Allowed::parse(["127.0.0.0/8", "inside"]).unwrap()).ok();
        let kept = |text: &str| Some(text.to_owned());
        assert_eq!(read(" https://Example.org/a?b "), kept("https://example.org/a?b"));
        assert_eq!(read("http://127.1:8080/"), kept("http://127.0.0.1:8080/"));
        assert_eq!(read("http://inside/x"), kept("http://inside/x"));
        for refused in [
            "",
            "example.org",
            "ftp://example.org/",
            "http://example.org/",
            "https://10.0.0.1/",
            "https://0x0a000001/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://user@example.org/",
            "https://example.org/#x",
            "https:///",
            &format!("https://example.org/{}", "a".repeat(MOST)),
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
