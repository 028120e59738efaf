//! TLS of connections that go out: to targets of webhooks and to an OpenID provider.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, RootCertStore};

/// Returns a configuration that trusts the authorities of this machine.
pub(crate) fn client() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("ring speaks the versions that are rustls' default");
    match builder.clone().with_native_roots() {
        Ok(trusting) => trusting.with_no_client_auth(),
        Err(error) => {
            // A container without ca-certificates still serves; an attempt to connect names the certificate.
            tracing::warn!(%error, "no certificate authorities are installed: nothing is reached over https");
            builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    }
}
