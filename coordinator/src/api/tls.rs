//! TLS from two files, which are read again when they change: certificates are renewed while we answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gitfleet_shared::reread::Reread;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its chain and its key.
pub struct Tls(Reread<Arc<ServerConfig>>);

/// Why two files are no TLS. Says nothing of what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} holds no certificate in PEM form that can be read", .0.display())]
    Certificate(PathBuf),
    #[error("{} holds no private key in PEM form that can be read", .0.display())]
    Key(PathBuf),
    #[error("the key in {} is not that of the certificate in {}", .key.display(), .certificate.display())]
    Pair { certificate: PathBuf, key: PathBuf },
}

impl Tls {
    /// # Errors
    ///
    /// Where a file cannot be read, or both do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = [certificate, key].map(Path::to_owned);
        let [certificate, key] = files.clone();
        // Between the writing of one and of the other they make no sense, and the old ones stay in use.
        Reread::open("the certificate", files.to_vec(), move || load(&certificate, &key)).map(Self)
    }

    /// Returns what the next connection is opened with.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.get())
    }
}

fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let no_certificate = || TlsError::Certificate(certificate.to_owned());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .ok()
        .filter(|chain: &Vec<_>| !chain.is_empty())
        .ok_or_else(no_certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|_| TlsError::Key(key.to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // TLS 1.2 and 1.3, with the suites that the library still thinks well of.
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions");
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|_| TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned() })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
