//! The SMTP server that mail is handed to, and what mail says of this site.

use std::{fmt, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use server::site::PublicUrl;
use url::{Host, Url};

use super::text::Text;

// Of each step of the conversation.
const TIMEOUT: Duration = Duration::from_secs(15);

/// An SMTP server. Its URL may have a password in it, so its debug text shows none of it.
#[derive(Clone)]
pub struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    site: String,
}

impl Server {
    /// Reads the settings: `smtps://user:password@host`, or `smtp://host:587?tls=required`; the sender's address; and the
    /// address of this site, which links begin with. A request's own host is nobody's word for that: whoever asks for a
    /// password writes it. An error is a sentence.
    pub fn read(url: &str, from: &str, site: &PublicUrl) -> Result<Self, String> {
        let expected =
            "smtps://user:password@smtp.example.org or smtp://smtp.example.org:587?tls=required is expected";
        let parsed = Url::parse(url).map_err(|_| expected.to_owned())?;
        let required = parsed.query_pairs().any(|(name, value)| name == "tls" && value == "required");
        let open = match parsed.scheme() {
            "smtps" => false,
            "smtp" => !required,
            _ => return Err(expected.to_owned()),
        };
        if open && !is_loopback(&parsed) {
            return Err(format!("links in mail would cross the network in the clear; {expected}"));
        }
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|e| format!("{e}; {expected}"))?;
        let from = from.parse().map_err(|_| {
            "an address such as Clip Cut <videos@example.org> is expected as the sender".to_owned()
        })?;
        Ok(Self { transport: transport.timeout(Some(TIMEOUT)).build(), from, site: site.to_string() })
    }

    /// Returns the address of this site.
    pub(super) fn site(&self) -> &str {
        &self.site
    }

    /// Sends a text. An error is a sentence for operators.
    pub(super) async fn send(&self, address: &str, text: Text) -> Result<(), String> {
        let to: Mailbox = address.parse().map_err(|e| format!("the address cannot be written to: {e}"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(text.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.body)
            .map_err(|e| e.to_string())?;
        self.transport.send(message).await.map(drop).map_err(|e| e.to_string())
    }
}

// The name `localhost` is resolved here, by this machine's own file.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Of a scheme that is not the web's, `Url` reads addresses as names.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("from", &self.from).field("site", &self.site).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_cross_a_network_over_tls_alone() {
        let site = PublicUrl::parse("https://videos.example.org").unwrap();
        let read = |url: &str, from: &str| Server::read(url, from, &site);
        let from = "Clip Cut <videos@example.org>";
        for url in [
            "smtps://user:secret@smtp.example.org",
            "smtp://smtp.example.org:587?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://[::1]:25",
            "smtp://localhost",
        ] {
            let debug = format!("{:?}", read(url, from).unwrap());
            assert!(!debug.contains("secret") && debug.contains("https://videos.example.org"), "{debug}");
        }
        for url in ["smtp://smtp.example.org", "smtp://smtp.example.org?tls=opportunistic"] {
            assert!(read(url, from).unwrap_err().contains("in the clear"), "{url}");
        }
        for url in ["", "smtp.example.org", "https://smtp.example.org"] {
            assert!(read(url, from).unwrap_err().contains("is expected"), "{url}");
        }
        assert!(read("smtp://localhost", "nobody").unwrap_err().contains("sender"));
    }
}
