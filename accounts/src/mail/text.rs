//! The texts of mails.

use crate::secret::Secret;

/// A mail's subject and body.
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) body: String,
}

/// Writes to somebody who has forgotten their password.
pub(super) fn reset(site: &str, name: &str, key: &Secret) -> Text {
    let key = key.text();
    Text {
        subject: format!("A new password at {site}"),
        body: format!(
            "Hello {name},\n\n\
             somebody, probably you, has asked for a new password for your account at {site}.\n\
             This link sets one, once and within an hour:\n\n\
             {site}/forgotten?key={key}\n\n\
             If it was not you, nothing has changed, and you need do nothing.\n"
        ),
    }
}

/// Writes to somebody who is invited.
pub(super) fn invitation(site: &str, key: &Secret) -> Text {
    let key = key.text();
    Text {
        subject: format!("An invitation to {site}"),
        body: format!(
            "Hello,\n\n\
             you are invited to make an account at {site}.\n\
             This link does so, once and for this address:\n\n\
             {site}/?invitation={key}\n\n\
             If you do not know the site, you need do nothing.\n"
        ),
    }
}
