//! The configuration of each role, made from the settings.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use http::HeaderName;
use server::ticket::Keys;
use store::{Cluster, Store};

use super::{Config, edge_memory::EdgeMemory, keys};
use crate::{
    open_files,
    setting::{Address, Tickets},
};

// The cache's part of the bodies' memory; the edge uses a quarter of that on top, for what is fetched and what is still
// being sent behind its eviction.
const CACHED_FIFTHS: u64 = 4;

impl Config {
    /// Opens the library: on a cluster's servers where they are named, else in the data folder.
    pub(crate) async fn store(&self) -> Result<Store> {
        Ok(match self.cluster()? {
            Some(cluster) => self.cluster_store(&cluster).await?,
            None => Store::embedded(&self.data).await?,
        })
    }

    /// Opens the library of a cluster, for a process that is one of its roles.
    pub(crate) async fn shared_store(&self) -> Result<Store> {
        let cluster = self.cluster()?.context(
            "this is one role of a cluster, whose servers postgres, mongodb and redis name; on one machine, \
             `clipcut serve` is all roles",
        )?;
        self.cluster_store(&cluster).await
    }

    /// Opens the library of a cluster as this machine's.
    pub(crate) async fn cluster_store(&self, cluster: &Cluster) -> Result<Store> {
        let store = Store::cluster(cluster).await?;
        Ok(if self.machine.is_empty() { store } else { store.on_machine(&self.machine) })
    }

    /// Returns where the traces of `role` go, if anywhere.
    pub(crate) fn traces(&self, role: &str) -> Option<traces::Settings> {
        let endpoint = Some(&self.otlp_endpoint.0).filter(|endpoint| !endpoint.is_empty())?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Some(traces::Settings {
            endpoint: endpoint.clone(),
            sample: self.trace_sample.0,
            role: role.to_owned(),
            machine: Some(self.machine.clone()).filter(|name| !name.is_empty()).unwrap_or(host),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Returns where a cluster's servers are, if there is one.
    pub(crate) fn cluster(&self) -> Result<Option<Cluster>> {
        let servers = [("postgres", &self.postgres), ("mongodb", &self.mongodb), ("redis", &self.redis)];
        let (missing, named): (Vec<_>, Vec<_>) = servers.iter().partition(|(_, url)| url.0.is_empty());
        let keys = |some: &[&(&'static str, &Address)]| some.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        if named.is_empty() {
            return Ok(None);
        }
        if !missing.is_empty() {
            bail!(
                "{} names a cluster's server, which needs {} too: a cluster has all three, one machine has none",
                keys(&named).join(" and "),
                keys(&missing).join(" and ")
            );
        }
        let [postgres, mongodb, redis] = servers.map(|(_, url)| url.0.clone());
        Ok(Some(Cluster { postgres, mongodb, redis }))
    }

    /// Returns the origin's configuration; reads the keys of tickets.
    pub(crate) fn origin(&self) -> Result<origin::Config> {
        let tickets = |keys, needed| origin::Tickets { keys, lifetime: self.ticket_lifetime.0, needed };
        let tickets = match self.access()? {
            edge::Access::Required(keys) => Some(tickets(keys, origin::Needed::Always)),
            edge::Access::Verified(keys) if self.accounts.0 => Some(tickets(
                keys,
                match self.audience.0 {
                    accounts::Audience::Everyone => origin::Needed::NotPublic,
                    accounts::Audience::People => origin::Needed::Always,
                },
            )),
            // Where playing is open, a ticket in each URL would only split the caches of browsers.
            edge::Access::Open | edge::Access::Verified(_) => None,
        };
        if !self.accounts.0 && !self.listen.ip().is_loopback() {
            bail!(
                "accounts = \"off\" lets everybody who reaches {} upload and delete; leave accounts on, or listen on \
                 127.0.0.1 behind a proxy that knows its people",
                self.listen
            );
        }
        if !self.accounts.0 && self.audience.0 == accounts::Audience::People {
            bail!("audience = \"people\" needs accounts: without them nobody has one");
        }
        if self.accounts.0 && tickets.is_none() {
            bail!(
                "accounts = \"on\" needs ticket_keys, a file that origins and edges share: \
                 echo \"1 $(head -c 32 /dev/urandom | base64)\" >ticket-keys"
            );
        }
        Ok(origin::Config {
            tickets,
            access: if self.accounts.0 { origin::Access::ByAccount } else { origin::Access::Open },
            max_upload_bytes: self.upload_max.0,
            upload_piece_bytes: Some(self.upload_piece.0).filter(|bytes| *bytes > 0),
            quota: self.quota(),
            upload_expiry: self.upload_expiry.0,
            segment_wait: self.segment_wait.0,
            api_origins: self.api_origins.0.clone(),
            site: self.site(),
            ..origin::Config::default()
        })
    }

    /// Returns what one person's videos may take.
    pub(super) fn quota(&self) -> store::Quota {
        let limit = |most: u64| Some(most).filter(|most| *most > 0);
        store::Quota { bytes: limit(self.quota_bytes.0), minutes: limit(self.quota_minutes as u64) }
    }

    /// Returns the configuration of a process that is all roles: where accounts need keys of tickets and none are named, it
    /// makes its own, in the data folder.
    pub(crate) fn with_own_keys(&self) -> Result<Self> {
        let mut config = self.clone();
        // Other processes of a cluster must know the keys too.
        if self.accounts.0 && self.ticket_keys.as_os_str().is_empty() && self.cluster()?.is_none() {
            config.ticket_keys = self.data.join("ticket-keys");
            keys::make(&config.ticket_keys)?;
        }
        Ok(config)
    }

    pub(super) fn site(&self) -> server::site::Site {
        server::site::Site {
            public: self.public_url.url.clone(),
            proxies: self.trusted_proxies.networks.clone(),
        }
    }

    /// Returns the edge's configuration; reads the keys of tickets.
    pub(crate) fn edge(&self) -> Result<edge::Config> {
        Ok(edge::Config {
            memory: self.edge_memory_shares().bodies / 5 * CACHED_FIFTHS,
            max_object: self.edge_max_object.0,
            // The origin holds a request for a segment that is being encoded for `segment_wait`; a shorter bound here would end
            // such requests with 504.
            first_byte: self.segment_wait.0 + Duration::from_secs(20),
            forward_headers: self.forward_headers()?,
            proxies: self.trusted_proxies.networks.clone(),
            access: self.access()?,
            prefetches: self.edge_prefetches,
            peers: self.peers()?,
            peer_keys: self.peer_keys()?,
            ..edge::Config::default()
        })
    }

    /// Returns how many connections a process with an edge may have.
    pub(crate) fn edge_connections(&self) -> usize {
        self.edge_memory_shares().connections
    }

    fn edge_memory_shares(&self) -> EdgeMemory {
        EdgeMemory::share(self.edge_memory.0, self.connections())
    }

    /// Returns how many connections a process may have below its limit of open files.
    fn connections(&self) -> usize {
        open_files::connections(self.max_connections, open_files::limit())
    }

    /// Returns the client that sends purges to the edges elsewhere, if there are any.
    pub(crate) fn purge_client(&self) -> Result<Option<edge::PurgeClient>> {
        if self.edges.0.is_empty() {
            return Ok(None);
        }
        let keys =
            self.peer_keys()?.context("edges needs edge_secret, a file with the secret that they share")?;
        Ok(Some(edge::PurgeClient::new(self.edges.0.clone(), keys)?))
    }

    fn forward_headers(&self) -> Result<Vec<HeaderName>> {
        let names = self.forward_headers.0.iter();
        names
            .map(|name| {
                name.parse::<HeaderName>()
                    .with_context(|| format!("forward_headers: \"{name}\" is not the name of a field"))
            })
            .collect()
    }

    fn peers(&self) -> Result<Option<Arc<edge::Peers>>> {
        if self.edge_peers.0.is_empty() {
            return Ok(None);
        }
        let keys = self
            .peer_keys()?
            .context("edge_peers needs edge_secret, a file with the secret that they share")?;
        // The id is random and new at each start: addresses do not show which member this
        // process is, for a name may stand for all.
        let id = format!("{:032x}", rand::random::<u128>());
        Ok(Some(edge::Peers::new(self.edge_peers.0.clone(), keys, id)?))
    }

    fn peer_keys(&self) -> Result<Option<edge::PeerKeys>> {
        let path = &self.edge_secret;
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(edge::PeerKeys::read(&text).with_context(|| path.display().to_string())?))
    }

    pub(super) fn access(&self) -> Result<edge::Access> {
        let path = &self.ticket_keys;
        if path.as_os_str().is_empty() {
            if self.tickets == Tickets::Required {
                bail!("tickets = \"required\" needs ticket_keys, a file with their keys");
            }
            return Ok(edge::Access::Open);
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let keys = Keys::read(&text).with_context(|| path.display().to_string())?;
        Ok(match self.tickets {
            Tickets::Optional => edge::Access::Verified(keys),
            Tickets::Required => edge::Access::Required(keys),
        })
    }

    pub(crate) fn server(&self) -> server::Limits {
        server::Limits {
            connections: self.connections(),
            connections_for_address: self.max_connections_per_address,
            proxies: self.trusted_proxies.networks.clone(),
            body_least_bps: self.min_upload_rate.0.min(u64::from(u32::MAX)) as u32,
            write_least_bps: self.min_download_rate.0.min(u64::from(u32::MAX)) as u32,
            shutdown_delay: self.shutdown_delay.0,
            drain: self.drain.0,
            ..server::Limits::default()
        }
    }

    /// Reads the certificate, if there is one.
    pub(crate) fn tls(&self) -> Result<Option<server::Tls>> {
        let missing = |path: &Path| path.as_os_str().is_empty();
        match (missing(&self.tls_cert), missing(&self.tls_key)) {
            (true, true) => Ok(None),
            (false, false) => Ok(Some(server::Tls::load(&self.tls_cert, &self.tls_key)?)),
            (true, false) => bail!("tls_key needs tls_cert: the certificate that the key belongs to"),
            (false, true) => bail!("tls_cert needs tls_key: the key of the certificate"),
        }
    }

    pub(crate) fn packager(&self) -> packager::Config {
        let mut config = packager::Config {
            ffmpeg: self.ffmpeg.clone(),
            ffprobe: self.ffprobe.clone(),
            preset: self.preset.0.clone(),
            encode_slots: self.encode_slots.max(1),
            run_segments: self.run_segments.max(1),
            // A lease of nothing would have ended before its job began.
            lease: self.job_lease.0.max(Duration::from_secs(1)),
            ..packager::Config::default()
        };
        config.plan.ladder.rungs.clone_from(&self.ladder.0);
        config.plan.ladder.crf = self.crf;
        config.limits.duration = self.max_duration.0;
        config.listen = self.captions.0;
        config.quota = self.quota();
        config
    }
}

impl Config {
    pub(crate) fn transcriber(&self) -> transcriber::Config {
        let plain = if self.model_precision == "f32" { "" } else { &self.model_precision };
        transcriber::Config {
            ffmpeg: self.ffmpeg.clone(),
            onnxruntime: Some(&self.onnxruntime).filter(|path| !path.is_empty()).map(PathBuf::from),
            // `join` keeps an absolute path as it is.
            model: self.models.join(&self.model),
            precision: plain.to_owned(),
            device: self.transcriber_device.0,
            threads: self.transcriber_threads.max(1),
            windows: self.transcriber_windows.max(1),
            sessions: self.transcriber_sessions.max(1),
            limit_seconds: self.max_duration.0.as_secs(),
            parity: self.transcriber_parity.0,
            prompt: Some(&self.transcriber_prompt).filter(|prompt| !prompt.trim().is_empty()).cloned(),
        }
    }

    pub(crate) fn speech(&self) -> transcriber::service::Config {
        transcriber::service::Config {
            engine: self.transcriber(),
            max_upload_bytes: self.speech_max.0,
            folder: self.data.join("transcriber"),
            ..transcriber::service::Config::default()
        }
    }

    /// The same with a model that a command names: a folder in `models`, or else a path.
    pub(crate) fn transcriber_with(
        &self,
        model: Option<&str>,
        precision: Option<&str>,
    ) -> transcriber::Config {
        let mut config = self.clone();
        if let Some(model) = model {
            let path = std::path::absolute(model).unwrap_or_else(|_| model.into());
            let ours = self.models.join(model).is_dir();
            config.model = if ours { model.to_owned() } else { path.to_string_lossy().into_owned() };
        }
        if let Some(precision) = precision {
            precision.clone_into(&mut config.model_precision);
        }
        config.transcriber()
    }
}
