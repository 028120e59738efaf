//! TLS: a certificate and its key from files, read again when they change. A new pair that cannot be used leaves the
//! old one in place, for a server with an old certificate is better than one without.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How often the files are read. Kubernetes swaps links and other tools copy files, which a watcher sees as different
/// events; comparing the bytes finds both.
const LOOK: Duration = Duration::from_secs(5);
// RFC 8446 §5.1: the largest plaintext of a record. Write coalescing keeps what a slow reader does not take yet; rustls
// would keep 64 KiB more of it for each connection.
const RECORD_BYTES: usize = 16 * 1024;

/// TLS with a certificate from files: a handle that is cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: Arc<Files>,
}

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} holds no {expected} in PEM: {cause}", file.display())]
    NotPem {
        /// Which.
        file: PathBuf,
        /// The PEM section that the file should hold.
        expected: &'static str,
        /// Why it cannot be found.
        cause: rustls::pki_types::pem::Error,
    },
    /// They are not a pair, or of a kind that rustls does not know.
    #[error("{} and {} cannot be used together: {cause}", certificate.display(), key.display())]
    NotAPair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// The contents of the two files at the last look.
#[derive(PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

struct Current {
    pair: RwLock<Arc<CertifiedKey>>,
    seen: RwLock<Pem>,
}

impl Tls {
    /// Reads a certificate (with its chain) and its key, both PEM. Does file I/O: to be called before serving.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let pem = files.read()?;
        let current = Arc::new(Current { pair: RwLock::new(files.pair(&pem)?), seen: RwLock::new(pem) });
        // TLS 1.2 and 1.3 are all that rustls speaks; without this call a provider would be looked for globally.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| files.not_a_pair(cause))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        // RFC 7301 §3.2: a client that offers ALPN and neither of these is refused in the handshake.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current, files: Arc::new(files) })
    }

    /// Follows changes of the files until `shutdown`. Connections that stand keep what they have.
    pub async fn follow(self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(true)) => info!(file = %self.files.certificate.display(), "serving a new certificate"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => error!(%error, "the new certificate is unusable, the old one stays"),
                Err(error) => error!(%error, "the certificate's files were not read"),
            }
        }
    }

    /// Reads the files again and returns whether what is served changed. A pair that cannot be used is an error
    /// once; then it is left alone until the files change.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let pem = self.files.read()?;
        if *self.current.seen.read().unwrap_or_else(PoisonError::into_inner) == pem {
            return Ok(false);
        }
        // The key may be written a moment after the certificate: that look fails, and the next one finds the pair.
        let pair = self.files.pair(&pem);
        *self.current.seen.write().unwrap_or_else(PoisonError::into_inner) = pem;
        *self.current.pair.write().unwrap_or_else(PoisonError::into_inner) = pair?;
        Ok(true)
    }

    pub(crate) async fn accept<T>(&self, stream: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let limited = |session: &mut ServerConnection| session.set_buffer_limit(Some(RECORD_BYTES));
        self.acceptor.accept_with(stream, limited).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Files {
    fn read(&self) -> Result<Pem, TlsError> {
        let read = |file: &PathBuf| {
            std::fs::read(file).map_err(|cause| TlsError::Unreadable { file: file.clone(), cause })
        };
        Ok(Pem { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    fn pair(&self, pem: &Pem) -> Result<Arc<CertifiedKey>, TlsError> {
        let not_pem = |file: &Path, expected| {
            let file = file.to_owned();
            move |cause| TlsError::NotPem { file, expected, cause }
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem.certificate)
            .collect::<Result<_, _>>()
            .map_err(not_pem(&self.certificate, "certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(not_pem(&self.key, "private key"))?;
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        pair.map(Arc::new).map_err(|cause| self.not_a_pair(cause))
    }

    fn not_a_pair(&self, cause: rustls::Error) -> TlsError {
        TlsError::NotAPair { certificate: self.certificate.clone(), key: self.key.clone(), cause }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}
