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

/// Writes to somebody who wants to make an account.
pub(super) fn sign_up(site: &str, key: &Secret) -> Text {
    let key = key.text();
    Text {
        subject: format!("Your account at {site}"),
        body: format!(
            "Hello,\n\n\
             somebody, probably you, wants to make an account with this address at {site}.\n\
             This link goes on with it, once and within a day:\n\n\
             {site}/?invitation={key}\n\n\
             If it was not you, there is no account, and you need do nothing.\n"
        ),
    }
}

/// Writes to the new address of an account.
pub(super) fn new_address(site: &str, key: &Secret) -> Text {
    let key = key.text();
    Text {
        subject: format!("Your new address at {site}"),
        body: format!(
            "Hello,\n\n\
             somebody, probably you, wants to use this address for their account at {site}.\n\
             This link confirms it, once and within a day:\n\n\
             {site}/new-address?key={key}\n\n\
             If it was not you, you need do nothing.\n"
        ),
    }
}

/// Writes to somebody whose address was given for an account, and who has one.
pub(super) fn known(site: &str) -> Text {
    Text {
        subject: format!("You have an account at {site}"),
        body: format!(
            "Hello,\n\n\
             somebody, probably you, wants to use this address for an account at {site}.\n\
             It has one already. Sign in, or have a forgotten password set anew:\n\n\
             {site}/sign-in\n\
             {site}/forgotten\n\n\
             If it was not you, nothing has changed, and you need do nothing.\n"
        ),
    }
}
