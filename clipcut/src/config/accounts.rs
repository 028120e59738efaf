//! The configuration of accounts, made from the settings: their tables, the provider and the mail server that they use, and their
//! servers as edges know them.

use anyhow::{Context, Result, bail};
use store::{Store, accounts::LostTickets};

use super::Config;

impl Config {
    /// Opens the tables of a cluster, for a role that has nothing to do with media.
    pub(crate) async fn tables(&self) -> Result<Store> {
        let servers = [("postgres", &self.postgres), ("redis", &self.redis)];
        let missing: Vec<_> =
            servers.iter().filter(|(_, url)| url.0.is_empty()).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            bail!(
                "this is one role of a cluster, whose servers postgres and redis name; {} is missing, and on one machine \
                 `clipcut serve` is all roles",
                missing.join(" and ")
            );
        }
        Ok(Store::cluster_without_blobs(&self.postgres.0, &self.redis.0).await?)
    }

    /// Returns the tickets that end with somebody's rights.
    pub(crate) fn lost_tickets(&self) -> LostTickets {
        accounts::lost_tickets(self.audience.0, self.ticket_lifetime.0)
    }

    /// Returns the configuration of accounts at a listener of this scheme, where there are accounts.
    pub(crate) fn accounts(&self, scheme: &'static str) -> Result<Option<accounts::Config>> {
        if !self.accounts.0 {
            return Ok(None);
        }
        if self.sign_up.0 == accounts::SignUp::Open
            && self.smtp_url.0.is_empty()
            && self.oidc_issuer.is_empty()
        {
            bail!(
                "sign_up = \"open\" needs smtp_url, by which people prove their addresses, or oidc_issuer; without either, set \
                 sign_up = \"invitation\" and hand out links"
            );
        }
        let loopback = self.listen.ip().is_loopback();
        Ok(Some(accounts::Config {
            ticket_keys: match self.access()? {
                edge::Access::Open => None,
                edge::Access::Verified(keys) | edge::Access::Required(keys) => Some(keys),
            },
            ticket_lifetime: self.ticket_lifetime.0,
            quota: self.quota(),
            sign_up: self.sign_up.0,
            audience: self.audience.0,
            reach: if loopback { accounts::Reach::Loopback } else { accounts::Reach::Network },
            site: self.site(),
            scheme,
            idle: self.session_idle.0,
            lifetime: self.session_lifetime.0,
            oidc: self.provider()?,
            mail: self.mail()?,
            webhooks: accounts::webhooks::Config {
                allowed: self.webhook_allow.allowed.clone(),
                ..accounts::webhooks::Config::default()
            },
            ..accounts::Config::default()
        }))
    }

    /// Returns the OpenID provider, if there is one.
    fn provider(&self) -> Result<Option<accounts::oidc::Provider>> {
        if self.oidc_issuer.is_empty() {
            return Ok(None);
        }
        let site = self.public_url.url.as_ref();
        let site = site.context("oidc_issuer needs public_url, to which the provider sends people back")?;
        let secret = match &self.oidc_secret {
            none if none.as_os_str().is_empty() => String::new(),
            path => {
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
            }
        };
        let registration = accounts::oidc::Registration {
            issuer: &self.oidc_issuer,
            client_id: &self.oidc_client_id,
            client_secret: secret.trim(),
            site,
            links_by_email: self.oidc_by_email.0,
        };
        let provider = accounts::oidc::Provider::read(registration);
        Ok(Some(provider.map_err(anyhow::Error::msg).context("oidc_issuer")?))
    }

    /// Returns the server that mail is handed to, if there is one.
    fn mail(&self) -> Result<Option<accounts::mail::Server>> {
        if self.smtp_url.0.is_empty() {
            return Ok(None);
        }
        let site = self.public_url.url.as_ref();
        let site = site.context("smtp_url needs public_url, the address that links in mail begin with")?;
        let server = accounts::mail::Server::read(&self.smtp_url.0, &self.smtp_from, site);
        Ok(Some(server.map_err(anyhow::Error::msg).context("smtp_url and smtp_from")?))
    }

    /// Opens the accounts of the library, also while a server has it open.
    pub(crate) async fn open_accounts(&self) -> Result<store::Accounts> {
        Ok(match self.cluster()? {
            Some(cluster) => store::Accounts::in_cluster(&cluster.postgres).await?,
            None => store::Accounts::in_folder(&self.data).await?,
        })
    }

    /// Returns the servers of accounts behind an edge, where accounts have servers of their own.
    pub(crate) fn accounts_servers(&self) -> Result<Option<edge::Origins>> {
        if self.edge_accounts.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(edge::Origins::new(&self.edge_accounts.0).context("edge_accounts")?))
    }
}
