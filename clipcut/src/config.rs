//! The configuration: the only file that reads the configuration file, the environment and the flags. Defaults < file < `CLIPCUT_*` < flags; all mistakes are reported together, each with its key.

mod accounts;
mod edge_memory;
mod file;
mod keys;
mod roles;
mod service_link;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::setting::{
    Address, Audience, List, LogFormat, Names, Preset, Proxies, Public, Setting, SignUp, Size, Span, Switch,
    Targets, Tickets,
    speech::{Device, Reference},
    traces::{Collector, Share},
};

const PREFIX: &str = "CLIPCUT_";

/// One key as `clipcut config` prints it.
pub(crate) struct Key {
    /// The heading above the key, where a section of the document begins.
    pub(crate) section: Option<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) default: &'static str,
}

macro_rules! section {
    () => {
        None
    };
    ($title:literal) => {
        Some($title)
    };
}

macro_rules! settings {
    ($($([$section:literal])? $(#[doc = $meaning:literal])+ $name:ident: $type:ty = $default:literal;)+) => {
        /// Every setting, with its final value.
        #[derive(Clone, Debug)]
        pub(crate) struct Config { $($(#[doc = $meaning])+ pub(crate) $name: $type,)+ }

        /// Every key in the order of the printout.
        pub(crate) const KEYS: &[Key] = &[
            $(Key {
                section: section!($($section)?),
                name: stringify!($name),
                meaning: concat!($($meaning),+),
                default: $default,
            },)+
        ];

        impl Config {
            fn parse(layers: &Layers, mistakes: &mut Vec<String>) -> Option<Self> {
                $(let $name = layers.value::<$type>(stringify!($name), $default, mistakes);)+
                Some(Self { $($name: $name?,)+ })
            }

            /// Returns the final value of each key, as text that reads back.
            pub(crate) fn values(&self) -> Vec<String> {
                vec![$(Setting::print(&self.$name),)+]
            }
        }
    };
}

settings! {
    ["Server"]
    /// Address and port to listen on.
    listen: SocketAddr = "127.0.0.1:8080";
    /// Address and port of /metrics, /healthz, /readyz, the log's filter and CPU profiles; for operators, never for viewers. Port 0 is
    /// any free one, which the log names.
    admin_listen: SocketAddr = "127.0.0.1:0";
    /// PEM file of a certificate and its chain; with it TLS is spoken. Read again when it changes.
    tls_cert: PathBuf = "";
    /// PEM file of the certificate's key.
    tls_key: PathBuf = "";
    /// Folder of the library: database, sources, segments.
    data: PathBuf = "data";
    ["Cluster"]
    /// URL of a cluster's PostgreSQL database, which keeps the library's tables. Empty: all is kept in `data`.
    postgres: Address = "";
    /// URL of a cluster's MongoDB database, which keeps sources, segments and playlists.
    mongodb: Address = "";
    /// URL of a cluster's Redis, which carries signals between the processes.
    redis: Address = "";
    /// Name of this machine: captions make room for encoders that run on a machine of the same name. Empty: the host's name, which
    /// in a container is the container's.
    machine: String = "";
    ["Log, connections and shutdown"]
    /// Filter of the log, in the syntax of tracing's `EnvFilter`.
    log: String = "info,ort=warn";
    /// Form of the log: text, or json, an object a line.
    log_format: LogFormat = "text";
    /// Collector that traces are sent to, by OTLP over HTTP, such as `http://collector:4318`. Empty: there are none.
    otlp_endpoint: Collector = "";
    /// Share of requests that begin a trace, from 0 to 1. One that comes with a trace of a trusted proxy goes on with that, or without.
    trace_sample: Share = "0.1";
    /// Connections at once, as far as the limit of open files and, with an edge, `edge_memory` allow; the oldest idle one makes place for a new one.
    max_connections: usize = "4096";
    /// Connections at once from one address, and behind `trusted_proxies` requests at once of one client; 0 is half of all connections.
    max_connections_per_address: usize = "0";
    /// Bytes a second that a client has to send of a request's body on average, over half a minute; 0 is any byte.
    min_upload_rate: Size = "100";
    /// Bytes a second that a client has to take of a response on average, over a minute; 0 is any byte.
    min_download_rate: Size = "1000";
    /// How long to go on taking requests after a stop signal, with /readyz failing: load balancers need a few seconds.
    shutdown_delay: Span = "0s";
    /// How long requests may go on after that.
    drain: Span = "30s";
    ["Uploads and the API"]
    /// Largest upload.
    upload_max: Size = "20GiB";
    /// Largest body of one request that the page and `clipcut upload` send, for proxies with a limit; 0: the whole file, and smaller pieces once a proxy refuses it.
    upload_piece: Size = "0";
    /// Bytes that the files of one person's videos may have; 0: any number. Administrators set another limit for an account.
    quota_bytes: Size = "0";
    /// Minutes that one person's videos may have; 0: any number. With as many nothing more is taken, and a video that is longer than
    /// what is left fails once its length is known.
    quota_minutes: usize = "0";
    /// How long an upload may rest before it is dropped.
    upload_expiry: Span = "24h";
    /// Origins whose pages may call the API besides our own page, by commas; * is all. Playback is open to all.
    api_origins: Names = "";
    /// Scheme and host that browsers show, such as `https://videos.example.org`; for servers behind a proxy that changes Host.
    public_url: Public = "";
    /// Proxies whose Forwarded and X-Forwarded-* fields count, as addresses or networks, by commas.
    trusted_proxies: Proxies = "";
    /// How long a player may wait for a segment that is being encoded.
    segment_wait: Span = "8s";
    ["Accounts"]
    /// Whether people sign in. Off lets everybody who reaches the server do everything, and is refused unless it listens on this
    /// machine alone.
    accounts: Switch = "on";
    /// The people who may make accounts besides the first one: closed (none), invitation (those with an administrator's link)
    /// or open (all, once a mail or `oidc_issuer` has proved their address: it needs `smtp_url` or that).
    sign_up: SignUp = "closed";
    /// The people whom videos are for: everyone, or people who have an account, which closes the whole site to strangers but
    /// for links that share a video. Edges that run while this changes are started again.
    audience: Audience = "everyone";
    /// How long a session may rest before it ends.
    session_idle: Span = "336h";
    /// How long a session may last, however often it is used.
    session_lifetime: Span = "2160h";
    /// The SMTP server that sends invitations, and links that prove an address or set a forgotten password, such as `smtps://user:password@smtp.example.org` or
    /// `smtp://smtp.example.org:587?tls=required`. It needs `smtp_from` and `public_url`. Empty: administrators hand out links.
    smtp_url: Address = "";
    /// The sender of such mail, such as `Clip Cut <videos@example.org>`.
    smtp_from: String = "";
    /// The issuer of an OpenID provider that people sign in by, such as `https://id.example.org`. It needs `oidc_client_id` and
    /// `public_url`, and sends people back to `/api/v1/oidc/callback` there.
    oidc_issuer: String = "";
    /// The provider's name for this site.
    oidc_client_id: String = "";
    /// File with the secret that the provider gave; without one it is a public client.
    oidc_secret: PathBuf = "";
    /// Whether an address that the provider has verified signs in to the account that has it: on or off. The provider's operators
    /// can then sign in to every account.
    oidc_by_email: Switch = "off";
    /// Hosts and networks that webhooks may reach although they are not on the public internet, by commas; to these http will do,
    /// where others need https.
    webhook_allow: Targets = "";
    ["Edge"]
    /// Origins that `clipcut edge` fetches from, by commas.
    edge_origins: Names = "";
    /// Servers of accounts (`clipcut accounts`) to which `clipcut edge` sends signing in and people's own accounts, by commas. Empty:
    /// origins answer these too.
    edge_accounts: Names = "";
    /// Memory of the edge process: 64 MiB are for the program, 48 KiB for each of `max_connections` up to a fourth of it, which bounds them, and the rest for bodies, a third at least; the cache has four fifths of that.
    edge_memory: Size = "256MiB";
    /// Largest object that the edge keeps, at most an eighth of its memory; larger ones pass by.
    edge_max_object: Size = "32MiB";
    /// Segments that the edge may fetch at once before a player asks; 0: none.
    edge_prefetches: usize = "16";
    /// Request fields that the edge forwards to the origin although they are not part of a cache key, by commas. They must not
    /// change an answer that others get.
    forward_headers: Names = "";
    /// All edges of a group, this one among them, as hosts with ports, by commas; a name stands for all its addresses.
    edge_peers: Names = "";
    /// Edges elsewhere to which a server sends purges, as hosts with ports, by commas.
    edges: Names = "";
    /// File with the secret that servers and their edges share; the one before it may stand in a second line.
    edge_secret: PathBuf = "";
    ["Tickets"]
    /// File with the keys of tickets, a line each: an id, a space, a secret in base64. Empty: there are no tickets.
    ticket_keys: PathBuf = "";
    /// Whether playing needs a ticket: optional or required.
    tickets: Tickets = "optional";
    /// How long a ticket that the API gives plays, where playing needs one: this at most, and half of it at least.
    ticket_lifetime: Span = "12h";
    ["Encoding"]
    /// Path or name of ffmpeg (5.1 or newer).
    ffmpeg: PathBuf = "ffmpeg";
    /// Path or name of ffprobe, which comes with ffmpeg.
    ffprobe: PathBuf = "ffprobe";
    /// Renditions, by their shorter side: 2160, 1440, 1080, 720, 480, 360, 240. None is above the source.
    ladder: List = "1080,720,480,360,240";
    /// x264's constant rate factor: lower is better and larger.
    crf: f32 = "23";
    /// x264's preset: slower ones make smaller files.
    preset: Preset = "veryfast";
    /// Runs encoded at once; further videos wait in their order.
    encode_slots: usize = "1";
    /// Segments that one encoder process makes.
    run_segments: u32 = "20";
    /// How long the work of an encoder is left alone that may have died.
    job_lease: Span = "15s";
    /// Longest video.
    max_duration: Span = "12h";
    ["Captions"]
    /// Whether every upload with speech gets captions by itself: on or off.
    captions: Switch = "on";
    /// Folder of the speech models.
    models: PathBuf = "models";
    /// The speech model that writes captions: a folder in there, or a path.
    model: String = "whisper-tiny";
    /// Where models are pulled from.
    hub: String = "https://huggingface.co";
    /// Which of the model's networks: quantized, int8, fp16, …; f32 is the plain one.
    model_precision: String = "quantized";
    /// ONNX Runtime's library or its folder; else it is looked for beside the program and in the system.
    onnxruntime: String = "";
    /// The device that the model runs on: auto, cpu, cuda or coreml; auto takes a graphics processor where ONNX Runtime's library has one.
    transcriber_device: Device = "auto";
    /// Threads for each sound that is transcribed.
    transcriber_threads: usize = "2";
    /// Windows of a sound that are transcribed at once, sharing its threads; more than 1 cuts it at its pauses: faster, and a
    /// word may be recognized differently.
    transcriber_windows: usize = "1";
    /// Whose tokens captions have: transformers' (greedy, and it loses sentences), or none: lost speech is decoded again.
    transcriber_parity: Reference = "none";
    /// Names of people and products that the library's videos may name, as a text that came before; a video's own prompt
    /// stands behind it.
    transcriber_prompt: String = "";
    /// Sounds that are transcribed at once, each with a model in memory: for captions, and as many for the service.
    transcriber_sessions: usize = "1";
    /// Largest sound that the transcriber's service takes.
    speech_max: Size = "512MiB";
}

/// The layers above the defaults, lowest first.
#[derive(Debug, Default)]
struct Layers(Vec<Layer>);

#[derive(Debug)]
struct Layer {
    name: String,
    values: BTreeMap<String, String>,
}

impl Config {
    /// Puts the configuration together. `flags` are those given on the command line.
    pub(crate) fn load(file: Option<&Path>, flags: BTreeMap<String, String>) -> Result<Self> {
        let mut mistakes = Vec::new();
        let mut layers = Layers::default();
        if let Some(layer) = file::read(file, &mut mistakes)? {
            layers.0.push(layer);
        }
        // Not `vars`, which panics at a variable of another program that is not Unicode.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let key = name.to_str()?.strip_prefix(PREFIX)?.to_lowercase();
            // Variables of flags that are no settings, and of the tests.
            let other = ["config", "server", "token"].contains(&key.as_str()) || key.starts_with("test_");
            let value = value.to_string_lossy().into_owned();
            let known = KEYS.iter().any(|setting| setting.name == key);
            (!other && (known || !service_link::is_one(&key, &value))).then_some((key, value))
        });
        layers.0.push(Layer { name: "the environment".into(), values: variables.collect() });
        layers.0.push(Layer { name: "the flags".into(), values: flags });
        layers.check_keys(&mut mistakes);
        let config = Self::parse(&layers, &mut mistakes);
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => bail!(
                "the configuration has {}:\n  {}",
                count(mistakes.len(), "mistake"),
                mistakes.join("\n  ")
            ),
        }
    }
}

impl Layers {
    fn value<T: Setting>(&self, key: &str, default: &str, mistakes: &mut Vec<String>) -> Option<T> {
        // A lower layer's value is not even read: a mistake in the file that a flag overrides does no harm.
        let set = self.0.iter().rev().find_map(|layer| Some((layer.values.get(key)?, &layer.name)));
        let (text, place) = match set {
            Some((text, place)) => (text.as_str(), place.as_str()),
            None => (default, "the defaults"),
        };
        match T::read(text) {
            Ok(value) => Some(value),
            Err(expected) => {
                mistakes.push(format!("{key} = \"{text}\" (in {place}): {expected}"));
                None
            }
        }
    }

    fn check_keys(&self, mistakes: &mut Vec<String>) {
        for layer in &self.0 {
            for key in layer.values.keys().filter(|key| KEYS.iter().all(|k| k.name != key.as_str())) {
                // A misspelt key that is ignored would leave a limit or a secret at its default.
                mistakes.push(format!(
                    "{key} (in {}): unknown; the nearest is {}, and `clipcut config` lists all",
                    layer.name,
                    nearest(key)
                ));
            }
        }
    }
}

fn nearest(key: &str) -> &'static str {
    let distance = |setting: &&Key| strsim::damerau_levenshtein(setting.name, key);
    KEYS.iter().min_by_key(distance).map_or("", |setting| setting.name)
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, flags: &[(&str, &str)]) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clipcut.toml");
        std::fs::write(&path, file).unwrap();
        let flags = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::load(Some(&path), flags)
    }

    #[test]
    fn the_defaults_read_back() {
        let config = load("", &[]).unwrap();
        for (key, value) in KEYS.iter().zip(config.values()) {
            assert_eq!(key.default, value, "{}", key.name);
        }
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let config = load(
            "listen = '1.2.3.4:1'\nladder = [720, 360]\nupload_max = '1GiB'",
            &[("listen", "5.6.7.8:2")],
        );
        let config = config.unwrap();
        assert_eq!(config.listen.to_string(), "5.6.7.8:2");
        assert_eq!(config.ladder.0, [720, 360]);
        assert_eq!(config.upload_max.0, 1 << 30);
    }

    #[test]
    fn all_mistakes_are_reported_at_once_with_their_keys() {
        let mistakes =
            load("lisen = 'x'\ncrf = 'much'\ndrain = '3 fortnights'", &[("ladder", "1000")]).unwrap_err();
        let mistakes = mistakes.to_string();
        for part in
            ["4 mistakes", "lisen", "unknown", "crf", "a number is expected", "drain", "ladder", "1000"]
        {
            assert!(mistakes.contains(part), "{part} in {mistakes}");
        }
    }
}
