//! Certificates and keys of the webhook.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

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

/// How a server shows who it is, and whose clients it lets in. Certificates are replaced while it runs: files that changed are
/// read again before the next handshake.
pub(super) struct Tls {
    chain: PathBuf,
    key: PathBuf,
    /// `None`: anybody is let in.
    client_ca: Option<PathBuf>,
    /// The files as they were when they were read last, and what was made of those that could be used.
    kept: Mutex<(Vec<Stamp>, Arc<ServerConfig>)>,
}

/// What changes where a file is written, or replaced behind a link: inode, size and time.
type Stamp = Option<(u64, u64, SystemTime)>;

impl Tls {
    /// Reads chain and key of the server, and who signs clients' certificates.
    pub(super) fn open(chain: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Tls, TlsError> {
        let stamps = stamps([Some(chain), Some(key), client_ca]);
        let config = server(chain, key, client_ca)?;
        Ok(Tls {
            chain: chain.to_owned(),
            key: key.to_owned(),
            client_ca: client_ca.map(Path::to_owned),
            kept: Mutex::new((stamps, config)),
        })
    }

    /// What the next handshake goes by. New files that cannot be used, because they are being written or do not go together, are
    /// told and leave it as it was.
    pub(super) fn config(&self, tell: impl Fn(&TlsError)) -> Arc<ServerConfig> {
        let client_ca = self.client_ca.as_deref();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at before they are read, so that what changes meanwhile is seen the next time.
        let now = stamps([Some(&self.chain), Some(&self.key), client_ca]);
        if now != kept.0 {
            kept.0 = now;
            match server(&self.chain, &self.key, client_ca) {
                Ok(config) => kept.1 = config,
                Err(error) => tell(&error),
            }
        }
        Arc::clone(&kept.1)
    }
}

fn stamps(paths: [Option<&Path>; 3]) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.ino(), about.len(), about.modified().ok()?))
    };
    paths.into_iter().flatten().map(stamp).collect()
}

/// What a server needs: its chain and key, and whose clients it lets in; `None`: anybody.
fn server(chain: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, ServerConnection};
    use std::process::Command;

    /// A folder with authorities, and certificates that they have signed.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn openssl(&self, words: &str) {
            let done = Command::new("openssl").args(words.split(' ')).current_dir(self.0.path()).output().unwrap();
            assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
        }

        fn authority(&self, name: &str) {
            let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
            self.openssl(&format!("req -x509 -subj /CN={name} -keyout {name}.key -out {name}.pem {curve}"));
        }

        fn signed(&self, name: &str, ca: &str) {
            let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
            self.openssl(&format!("req -subj /CN={name} -keyout {name}.key -out {name}.csr {curve}"));
            let by = format!("-CA {ca}.pem -CAkey {ca}.key -CAcreateserial -days 2 -extfile san");
            self.openssl(&format!("x509 -req -in {name}.csr -out {name}.pem {by}"));
        }

        /// Puts a file in the place of another, as a rename does.
        fn replace(&self, name: &str, by: &str) {
            std::fs::copy(self.path(by), self.path("new")).unwrap();
            std::fs::rename(self.path("new"), self.path(name)).unwrap();
        }

        /// What a client with a certificate sees that takes the server's from one authority: whether it is let in, and the server's
        /// certificate.
        fn handshake(&self, tls: &Tls, ca: &str, client: &str) -> Result<Vec<u8>, rustls::Error> {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut roots = RootCertStore::empty();
            certificates(&self.path(&format!("{ca}.pem"))).unwrap().into_iter().for_each(|c| roots.add(c).unwrap());
            let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
            let chain = certificates(&self.path(&format!("{client}.pem"))).unwrap();
            let key = PrivateKeyDer::from_pem_file(self.path(&format!("{client}.key"))).unwrap();
            let config = builder.with_root_certificates(roots).with_client_auth_cert(chain, key)?;
            let name = ServerName::try_from("127.0.0.1").unwrap();
            let mut client = ClientConnection::new(Arc::new(config), name)?;
            let mut server = ServerConnection::new(tls.config(|_| {}))?;
            while client.is_handshaking() || server.is_handshaking() || client.wants_write() || server.wants_write() {
                let mut wire = Vec::new();
                client.write_tls(&mut wire).unwrap();
                server.read_tls(&mut wire.as_slice()).unwrap();
                server.process_new_packets()?;
                let mut wire = Vec::new();
                server.write_tls(&mut wire).unwrap();
                client.read_tls(&mut wire.as_slice()).unwrap();
                client.process_new_packets()?;
            }
            Ok(client.peer_certificates().unwrap()[0].to_vec())
        }
    }

    #[test]
    fn certificates_that_are_replaced_serve_the_next_handshake() {
        if Command::new("openssl").arg("version").output().is_err() {
            return println!("skipped certificates_that_are_replaced_serve_the_next_handshake: no openssl");
        }
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("san"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
        for ca in ["old", "new-ca"] {
            folder.authority(ca);
        }
        for (name, ca) in [("first", "old"), ("second", "new-ca"), ("alice", "old"), ("bob", "new-ca")] {
            folder.signed(name, ca);
        }
        for (name, by) in [("tls.pem", "first.pem"), ("tls.key", "first.key"), ("clients.pem", "old.pem")] {
            folder.replace(name, by);
        }
        let path = |name: &str| folder.path(name);
        let certificate = |name: &str| certificates(&path(name)).unwrap()[0].to_vec();
        let tls = Tls::open(&path("tls.pem"), &path("tls.key"), Some(&path("clients.pem"))).unwrap();
        assert_eq!(folder.handshake(&tls, "old", "alice").unwrap(), certificate("first.pem"));
        assert!(folder.handshake(&tls, "old", "bob").is_err());
        // Half of a rotation: a certificate whose key is not there yet is told once, and does not serve.
        folder.replace("tls.pem", "second.pem");
        let told = Mutex::new(Vec::new());
        for _ in 0..2 {
            tls.config(|error| told.lock().unwrap().push(error.to_string()));
        }
        let told = told.into_inner().unwrap();
        assert!(matches!(&told[..], [one] if one.starts_with("expected a certificate and its key")), "{told:?}");
        assert_eq!(folder.handshake(&tls, "old", "alice").unwrap(), certificate("first.pem"));
        folder.replace("tls.key", "second.key");
        assert_eq!(folder.handshake(&tls, "new-ca", "alice").unwrap(), certificate("second.pem"));
        // Whose clients are let in changes as well.
        folder.replace("clients.pem", "new-ca.pem");
        assert!(folder.handshake(&tls, "new-ca", "alice").is_err());
        assert_eq!(folder.handshake(&tls, "new-ca", "bob").unwrap(), certificate("second.pem"));
        // Nothing there: what was there before serves on.
        std::fs::remove_file(path("tls.pem")).unwrap();
        assert_eq!(folder.handshake(&tls, "new-ca", "bob").unwrap(), certificate("second.pem"));
    }
}
