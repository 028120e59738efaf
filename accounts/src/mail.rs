//! Mail by SMTP: invitations, and links that prove an address or set a forgotten password. It is queued in the database and sent by any process with
//! accounts; the secret of a link is made as it is sent, and kept hashed.

mod smtp;
mod text;

use std::time::Duration;

use store::{
    Timestamp,
    accounts::{LinkReason, Mail, MailKind},
};
use tokio_util::sync::CancellationToken;

pub use smtp::Server;

use crate::{Accounts, Result, secret::Secret};

/// How long a link for a forgotten password may be used.
pub(crate) const RESET: Duration = Duration::from_hours(1);
// Longer than an attempt may take.
const LEASE: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
// Behind the last one a mail is given up: a link for a password is then asked for anew.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(20)];

/// The outcome of an attempt.
enum Sent {
    /// It is sent, or there is nothing to send any more.
    Done,
    /// The server refused it or did not answer.
    Failed(String),
}

/// A link that a mail brings.
struct Link<'a> {
    id: &'a str,
    reason: LinkReason,
    key: Secret,
}

impl Accounts {
    /// Sends mail that is due, until `shutdown`; nothing where no server is configured.
    pub async fn send_mail(&self, shutdown: CancellationToken) {
        let Some(server) = &self.config.mail else { return };
        let name = format!("{:032x}", rand::random::<u128>());
        loop {
            match self.send_due(server, &name).await {
                // There may be more.
                Ok(true) if !shutdown.is_cancelled() => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "cannot send mail"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.mail_queued.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Sends the next mail. Returns whether there was one.
    async fn send_due(&self, server: &Server, name: &str) -> Result<bool> {
        let mails = &self.store.accounts.mails;
        let Some(mail) = mails.claim(name, LEASE).await? else { return Ok(false) };
        match self.send(server, &mail).await? {
            Sent::Done => mails.finish(&mail).await?,
            Sent::Failed(problem) => {
                // The address is a person's, and stays out of the log.
                tracing::warn!(mail = mail.id, attempts = mail.attempts, problem, "a mail was not taken");
                match PAUSES.get(mail.attempts.saturating_sub(1) as usize) {
                    Some(pause) => mails.release(&mail, pause.mul_f64(rand::random_range(0.8..1.2))).await?,
                    None => mails.finish(&mail).await?,
                }
            }
        }
        Ok(true)
    }

    async fn send(&self, server: &Server, mail: &Mail) -> Result<Sent> {
        let key = Secret::random();
        let accounts = &self.store.accounts;
        let (address, text) = match &mail.kind {
            MailKind::Reset => {
                let user = accounts.users.by_email(&mail.address_key).await?.filter(|user| !user.disabled);
                let Some(user) = user else { return Ok(Sent::Done) };
                accounts.password_resets.add(&user.id, &key.hash(), Timestamp::now() + RESET).await?;
                // To the address of the account, never to one that was typed: two that are equal here may be two mailboxes.
                (user.email.clone(), text::reset(server.site(), &user.name, &key))
            }
            MailKind::Invitation(id) => {
                let Some(reason) = accounts.invitations.rekey(id, &key.hash()).await? else {
                    return Ok(Sent::Done);
                };
                (mail.address.clone(), self.text_of_link(server, mail, Link { id, reason, key }).await?)
            }
        };
        Ok(match server.send(&address, text).await {
            Ok(()) => Sent::Done,
            Err(problem) => Sent::Failed(problem),
        })
    }

    /// Writes the mail of a link. One to somebody who has an account already has no link, and says so.
    async fn text_of_link(&self, server: &Server, mail: &Mail, link: Link<'_>) -> Result<text::Text> {
        let accounts = &self.store.accounts;
        if accounts.users.by_email(&mail.address_key).await?.is_some() {
            accounts.invitations.remove(link.id).await?;
            return Ok(text::known(server.site()));
        }
        let write = match link.reason {
            LinkReason::Invitation => text::invitation,
            LinkReason::SignUp => text::sign_up,
            LinkReason::NewAddress(_) => text::new_address,
        };
        Ok(write(server.site(), &link.key))
    }

    /// Has a mail sent.
    pub(crate) async fn queue_mail(&self, kind: &MailKind, address: &crate::Email) -> Result<()> {
        let address = store::accounts::Email { shown: &address.shown, key: &address.key };
        self.store.accounts.mails.add(kind, address).await?;
        // A permit waits for a sender that is busy now; `notify_waiters` would leave it to its next look.
        self.mail_queued.notify_one();
        Ok(())
    }
}
