//! Accounts: people, their sessions and tokens, and who may do what. Leaves the videos themselves to the origin, and the
//! pages to the web's.

pub mod access;
mod account;
mod addresses;
mod asker;
mod attempts;
mod cookie;
mod document;
mod email;
mod error;
mod grants;
mod guard;
mod idempotency;
mod invitations;
mod lasting;
pub mod mail;
mod name;
pub mod oidc;
pub mod openapi;
mod page;
mod password;
mod password_reset;
mod people;
mod seal;
mod second_factor;
mod secret;
mod session;
mod shares;
mod tls;
mod tokens;
mod viewers;
pub mod webhooks;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router, middleware,
    response::Response,
    routing::{delete, get, patch, post, put},
};
use server::{
    compression,
    site::Site,
    ticket::{self, Keys},
};
use store::{
    Quota, Signal, Store, Timestamp,
    accounts::{LostTickets, NewUser, Role, SignUp as Ground, SignedUp, User},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use email::Email;
pub use error::{Error, Result};
pub use password::{Hashing, Passwords};
pub use session::absent;

use crate::secret::Secret;

// The link of the first account, which the terminal shows.
const FIRST_LINK: Duration = Duration::from_hours(24);
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// The people who may make accounts, besides the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// None.
    Closed,
    /// Those with an administrator's link.
    Invitation,
    /// All.
    Open,
}

/// The people whom videos are for, unless they are for fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody, strangers too.
    Everyone,
    /// Whoever is signed in: the site is closed to strangers.
    People,
}

/// The people who reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of this machine alone.
    Loopback,
    /// Others too: the first account needs the link that the terminal shows.
    Network,
}

/// The configuration of accounts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The people who may make accounts.
    pub sign_up: SignUp,
    /// The people whom videos are for.
    pub audience: Audience,
    /// The people who reach the listener.
    pub reach: Reach,
    /// The name by which people reach this server, and the proxies on their way.
    pub site: Site,
    /// The listener's scheme, `http` or `https`.
    pub scheme: &'static str,
    /// How long a session may rest.
    pub idle: Duration,
    /// How long a session may last.
    pub lifetime: Duration,
    /// How long an invitation's link may be used.
    pub invitation: Duration,
    /// The keys of tickets for videos that are not public.
    pub ticket_keys: Option<Keys>,
    /// The limit of one person's videos, where no other is set for them.
    pub quota: Quota,
    /// How long a ticket plays at most.
    pub ticket_lifetime: Duration,
    /// The webhooks' limits, and the networks that they may reach.
    pub webhooks: webhooks::Config,
    /// The OpenID provider that people sign in by, besides their passwords.
    pub oidc: Option<oidc::Provider>,
    /// The server that mail is handed to; without one nobody gets any.
    pub mail: Option<mail::Server>,
    /// The cost of a password's hash.
    pub hashing: Hashing,
    /// Sign-ins, and other uses of a password, that one account takes a minute, the wrong ones counted.
    pub attempts_of_account: u64,
    /// The same of one client address.
    pub attempts_of_address: u64,
}

impl Default for Config {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            sign_up: SignUp::Closed,
            audience: Audience::Everyone,
            reach: Reach::Loopback,
            site: Site::default(),
            scheme: "http",
            idle: DAY * 14,
            lifetime: DAY * 90,
            invitation: DAY * 7,
            ticket_keys: None,
            quota: Quota::default(),
            ticket_lifetime: DAY / 2,
            webhooks: webhooks::Config::default(),
            oidc: None,
            mail: None,
            hashing: Hashing::default(),
            attempts_of_account: 10,
            attempts_of_address: 60,
        }
    }
}

/// The beginnings of the paths of which accounts answer all: servers of their own may take them from an origin. The people and
/// links of a video are below the video, and an origin's process answers them.
pub const PATHS: [&str; 8] = [
    "/api/v1/session",
    "/api/v1/sign-ups",
    "/api/v1/users",
    "/api/v1/account",
    "/api/v1/oidc",
    "/api/v1/password-resets",
    "/api/v1/webhooks",
    "/api/v1/invitations",
];

/// Returns whether a path is below one of [`PATHS`].
pub fn is_below_paths(path: &str) -> bool {
    PATHS
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Returns the tickets that end with somebody's rights: all that were made until now, of what strangers may not watch.
pub fn lost_tickets(audience: Audience, ticket_lifetime: Duration) -> LostTickets {
    let from = ticket::end(SystemTime::now(), ticket_lifetime) + 1;
    match audience {
        Audience::Everyone => LostTickets::OfPrivate(from),
        Audience::People => LostTickets::OfAll(from),
    }
}

/// Accounts: a handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    config: Arc<Config>,
    passwords: Passwords,
    /// Notified of mail that this process has queued.
    mail_queued: Arc<Notify>,
}

impl Accounts {
    /// Makes the accounts of `store`.
    pub fn new(store: Store, config: Config) -> Self {
        let passwords = Passwords::new(config.hashing);
        Self { passwords, store, config: Arc::new(config), mail_queued: Arc::default() }
    }

    /// Returns the service of every URL of accounts. It stands behind [`Self::guard`].
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
            .route("/sign-ups", post(addresses::ask))
            .route("/users", get(people::list).post(people::sign_up))
            .route("/users/{user}", patch(people::change).delete(people::remove))
            .route("/account", get(account::show).patch(account::edit).delete(account::delete))
            .route("/account/email", put(addresses::set))
            .route("/account/password", put(account::set_password))
            .route(
                "/account/second-factor",
                get(second_factor::show)
                    .post(second_factor::begin)
                    .put(second_factor::turn_on)
                    .delete(second_factor::turn_off),
            )
            .route("/account/sessions", get(session::list))
            .route("/account/sessions/{session}", delete(session::end))
            .route("/account/tokens", get(tokens::list).post(tokens::add))
            .route("/account/tokens/{token}", delete(tokens::remove))
            .route("/videos/{id}/shares", get(shares::list).post(shares::add))
            .route("/videos/{id}/shares/{share}", delete(shares::revoke))
            .route("/videos/{id}/people", get(grants::list).post(grants::add))
            .route("/videos/{id}/people/{grant}", delete(grants::revoke))
            .route("/oidc/sign-in", get(oidc::sign_in))
            .route("/oidc/callback", get(oidc::callback))
            .route("/account/identity", get(oidc::show).post(oidc::begin_link).delete(oidc::unlink))
            .route("/password-resets", post(password_reset::ask).put(password_reset::set))
            .route("/webhooks", get(webhooks::list).post(webhooks::add))
            .route("/webhooks/{webhook}", patch(webhooks::edit).delete(webhooks::remove))
            .route("/webhooks/{webhook}/deliveries", get(webhooks::log))
            .route("/webhooks/{webhook}/deliveries/{delivery}/retry", post(webhooks::send_again))
            .route("/invitations", get(invitations::list).post(invitations::add))
            .route("/invitations/{invitation}", delete(invitations::remove))
            .layer(compression::layer())
            .layer(middleware::map_response(async |answer: Response| compression::retag(answer)));
        Router::new().nest("/api/v1", api).with_state(self.clone())
    }

    /// Puts the rights in front of `service`: every request is judged by the one table in [`access`].
    pub fn guard(&self, service: Router) -> Router {
        // Around the whole router and no part of handlers: an endpoint that the table forgets is refused, and none is
        // open.
        service.layer(middleware::from_fn_with_state(self.clone(), guard::admit))
    }

    /// Returns the path of the page that makes the first account, where one is missing and strangers reach the listener.
    pub async fn first_link(&self) -> Result<Option<String>> {
        // Whoever reaches the page there is at the machine already.
        if self.config.reach == Reach::Loopback {
            return Ok(None);
        }
        let key = Secret::random();
        let expires_at = Timestamp::now() + FIRST_LINK;
        let offered = self.store.accounts.invitations.offer_first(&key.hash(), expires_at).await?;
        Ok(offered.then(|| format!("/?first={}", key.text())))
    }

    /// Goes on with the deletions of accounts, and drops what has ended, now and then, until `shutdown`.
    pub async fn sweep(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        let mut signals = self.store.signals.subscribe();
        loop {
            let swept = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => self.sweep_once().await,
                signal = signals.recv() => match signal {
                    // An account that `clipcut user remove` deletes beside this process takes its videos with it at once.
                    Ok(Signal::Hidden(_) | Signal::Missed) | Err(_) => self.store.delete_accounts().await,
                    Ok(_) => continue,
                },
            };
            if let Err(error) = swept {
                tracing::error!(%error, "cannot sweep accounts");
            }
        }
    }

    async fn sweep_once(&self) -> store::Result<()> {
        self.store.delete_accounts().await?;
        self.store.accounts.sessions.sweep(self.idle_since()).await?;
        self.store.accounts.invitations.sweep().await?;
        self.store.accounts.password_resets.sweep().await?;
        self.store.webhooks.sweep().await?;
        self.store.accounts.idempotency.sweep().await?;
        Ok(())
    }

    /// Returns the time before which a session must not have been last seen.
    fn idle_since(&self) -> Timestamp {
        let micros = self.config.idle.as_micros() as i64;
        Timestamp(Timestamp::now().0.saturating_sub(micros))
    }
}

/// An account that the operator of the machine makes.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a str,
    /// The rights on the whole site.
    pub role: Role,
}

/// Makes an account without a page.
pub async fn add(accounts: &store::Accounts, person: Person<'_>) -> Result<User> {
    let (name, email) = (name::read(person.name)?, Email::read(person.email)?);
    let password = password::accept(person.password)?;
    let hash = Passwords::new(Hashing::default()).hash(password).await?;
    let new = NewUser { name: &name, email: &email.shown, email_key: &email.key, password: &hash };
    match accounts.users.sign_up(&new, Ground::Granted(person.role)).await? {
        SignedUp::Created(user) => Ok(user),
        SignedUp::Taken | SignedUp::Refused => Err(email::taken()),
    }
}

/// Sets the password of an account without a page, and ends its sessions.
pub async fn reset_password(accounts: &store::Accounts, user: &User, password: &str) -> Result<()> {
    let hash = Passwords::new(Hashing::default()).hash(password::accept(password)?).await?;
    Ok(accounts.users.set_password(&user.id, &hash, None).await?)
}
