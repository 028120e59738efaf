//! Accounts: people, their sessions and tokens, and the links that let others in. Leaves passwords, secrets and rights to
//! the crate `accounts`; secrets come here hashed.

mod addresses;
mod change;
mod deletion;
mod idempotency;
mod identities;
mod invitations;
mod mails;
mod password_resets;
mod second_factors;
mod sessions;
mod tokens;
mod users;
mod viewer;

use std::path::Path;

use crate::{Result, sql};

pub use addresses::LinkReason;
pub use change::{Change, LostTickets, NewLimit};
pub use deletion::Deletion;
pub use idempotency::{Begun, HOLD, Idempotency, Repeatable};
pub use identities::{Identities, Identity};
pub use invitations::{Invitation, Invitations, NewInvitation};
pub use mails::{Mail, MailKind, Mails};
pub use password_resets::PasswordResets;
pub use second_factors::{FirstCode, SecondFactor, SecondFactors};
pub use sessions::{NewSession, Session, Sessions, SignedIn};
pub use tokens::{Bearer, NewToken, Token, Tokens};
pub use users::{Changed, Email, NewUser, Profile, Rehash, Role, SignUp, SignedUp, User, Users};
pub use viewer::Viewer;

/// The tables of accounts, as one handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// People.
    pub users: Users,
    /// Browsers that are signed in.
    pub sessions: Sessions,
    /// Programs that act for people.
    pub tokens: Tokens,
    /// Codes of people's phones beside their passwords.
    pub second_factors: SecondFactors,
    /// People at an OpenID provider who sign in here.
    pub identities: Identities,
    /// Links by which people set a password that they have forgotten.
    pub password_resets: PasswordResets,
    /// Mail that is to be sent.
    pub mails: Mails,
    /// Links by which people sign up.
    pub invitations: Invitations,
    /// Answers to requests that may be sent again.
    pub idempotency: Idempotency,
}

impl Accounts {
    pub(crate) fn new(sql: &sql::Sql) -> Self {
        Self {
            users: Users::new(sql.clone()),
            sessions: Sessions::new(sql.clone()),
            tokens: Tokens::new(sql.clone()),
            second_factors: SecondFactors::new(sql.clone()),
            identities: Identities::new(sql.clone()),
            password_resets: PasswordResets::new(sql.clone()),
            mails: Mails::new(sql.clone()),
            invitations: Invitations::new(sql.clone()),
            idempotency: Idempotency::new(sql.clone()),
        }
    }

    /// Opens the tables in the folder of one machine's library, also while a server has it open.
    pub async fn in_folder(dir: &Path) -> Result<Self> {
        Ok(Self::new(&sql::open_shared(dir).await?))
    }

    /// Opens the tables of a cluster by the URL of its PostgreSQL.
    pub async fn in_cluster(postgres: &str) -> Result<Self> {
        Ok(Self::new(&sql::connect(postgres).await?))
    }
}
