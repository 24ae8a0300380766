use std::sync::Once;

use redis::{Client, ClientTlsConfig, ConnectionInfo, RedisError, TlsCertificates};

/// What certificates are checked against, and shown.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    pub(super) roots: Option<Vec<u8>>,
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
}

static PROVIDER: Once = Once::new();

impl Certificates {
    /// Puts the certificates into the description of a server that is reached by TLS.
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, RedisError> {
        // rustls asks the process which cryptography to use. If the application has not said, this is it.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        if self.roots.is_none() && self.client.is_none() {
            return Ok(info);
        }
        let certificates = TlsCertificates {
            client_tls: self
                .client
                .clone()
                .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
            root_cert: self.roots.clone(),
        };
        Ok(Client::build_with_tls(info, certificates)?.get_connection_info().clone())
    }
}
