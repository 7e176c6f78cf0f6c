//! Certificates and keys of the webhook.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificates or keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error(
        "{path}: expected {expected} (PEM), found {found}\nhelp: check the file; `openssl x509 -noout -subject -in FILE` shows a certificate"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
        /// What is.
        found: String,
    },
    /// Certificate and key do not go together, or are of a kind that is not known.
    #[error(
        "expected a certificate and its key, found: {0}\nhelp: --tls-cert names the chain, the server's own first, and --tls-key the key of that"
    )]
    Pair(#[from] rustls::Error),
    /// The certificates of --client-ca cannot be used.
    #[error("{path}: expected certificates that sign others, found: {found}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        found: String,
    },
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |found: String| TlsError::File { path: path.to_owned(), expected: "certificates", found };
    let all = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("none".to_owned())) } else { Ok(all) }
}

/// What a server needs: its chain and key, and whose clients it lets in; `None`: anybody.
pub(super) fn server(chain: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::File {
        path: key.to_owned(),
        expected: "a private key",
        found: error.to_string(),
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let wrong = |found: String| TlsError::Authority { path: path.to_owned(), found };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(error.to_string()))?)
        }
    };
    Ok(Arc::new(builder.with_single_cert(certificates(chain)?, secret)?))
}
