//! TLS of the connections that this program makes itself: ClickHouse, the token endpoint, and a second look at a port.
//! Kafka's own connections are librdkafka's, with OpenSSL.
//!
//! Always verified; there is no switch that turns verification off.

pub mod fault;
pub mod look;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::config::{TlsFiles, TlsIdentity};

/// As long as an idle connection stays silent before the other side is asked whether it is still there: what the
/// `clickhouse` crate sets for its own connections.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// A PEM file, or what is in it, cannot be used.
#[derive(Debug, Error)]
pub enum TlsFileError {
    /// It cannot be read, or is no PEM.
    #[error("the PEM file {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, without anything of its content.
        reason: String,
    },
    /// There is no certificate in it.
    #[error("the PEM file {0} holds no certificate")]
    NoCertificate(PathBuf),
    /// There is no key in it that can be used.
    #[error("the PEM file {0} holds no private key, or an encrypted one")]
    NoKey(PathBuf),
    /// The certificate and the key do not belong together, or are of a kind that is not supported.
    #[error("the certificate {path} and its key cannot be used: {reason}")]
    Identity {
        /// The file of the certificate.
        path: PathBuf,
        /// Why.
        reason: rustls::Error,
    },
    /// The system has no authorities.
    #[error("the system's certificate authorities cannot be read (Debian: the package ca-certificates): {0}")]
    NoSystemRoots(std::io::Error),
    /// The TLS library was built without what it needs.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// How TLS is spoken with these files.
///
/// # Errors
/// [`TlsFileError`].
pub fn client_config(files: &TlsFiles) -> Result<ClientConfig, TlsFileError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsFileError::Setup)?;
    let builder = match &files.ca {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.with_native_roots().map_err(TlsFileError::NoSystemRoots)?,
    };
    match &files.identity {
        Some(identity) => builder
            .with_client_auth_cert(certificates(&identity.certificate)?, key(identity)?)
            .map_err(|reason| TlsFileError::Identity { path: identity.certificate.clone(), reason }),
        None => Ok(builder.with_no_client_auth()),
    }
}

/// Makes the connections of an HTTP client, with TLS where the address asks for it.
///
/// # Errors
/// [`TlsFileError`].
pub fn connector(files: &TlsFiles) -> Result<HttpsConnector<HttpConnector>, TlsFileError> {
    let mut connector = HttpConnector::new();
    connector.set_keepalive(Some(TCP_KEEPALIVE));
    connector.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(client_config(files)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector))
}

fn roots(path: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut store = RootCertStore::empty();
    // A bundle may hold certificates of a kind that is not known here; the others still count.
    store.add_parsable_certificates(certificates(path)?);
    if store.is_empty() { Err(TlsFileError::NoCertificate(path.to_owned())) } else { Ok(store) }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let read: Result<Vec<_>, pem::Error> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(found) if found.is_empty() => Err(TlsFileError::NoCertificate(path.to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn key(identity: &TlsIdentity) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_file(&identity.key).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsFileError::NoKey(identity.key.clone()),
        error => unreadable(&identity.key, &error),
    })
}

/// The library's texts may quote the line that it stumbled over, so only those about the file itself are told.
fn unreadable(path: &Path, error: &pem::Error) -> TlsFileError {
    let reason = match error {
        pem::Error::Io(reason) => reason.to_string(),
        _ => "it is not well-formed PEM".to_owned(),
    };
    TlsFileError::Unreadable { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::client_config;
    use crate::config::{TlsFiles, TlsIdentity};

    #[test]
    fn files_that_cannot_be_used_are_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ca = |path: PathBuf| TlsFiles { ca: Some(path), identity: None };
        let said = |files: &TlsFiles| client_config(files).unwrap_err().to_string();
        assert!(said(&ca(folder.path().join("absent.pem"))).contains("absent.pem cannot be read: No such file"));
        assert!(said(&ca(file("empty.pem", ""))).contains("holds no certificate"));
        let broken = "-----BEGIN CERTIFICATE-----\nhush!\n-----END CERTIFICATE-----\n";
        let fault = said(&ca(file("broken.pem", broken)));
        assert!(fault.contains("not well-formed PEM") && !fault.contains("hush"), "{fault}");

        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = file("certificate.pem", &made.cert.pem());
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let with_key = |key: PathBuf| TlsFiles {
            ca: Some(certificate.clone()),
            identity: Some(TlsIdentity { certificate: certificate.clone(), key, key_password: None }),
        };
        assert!(said(&with_key(file("encrypted.pem", encrypted))).contains("or an encrypted one"));
        let other = rcgen::KeyPair::generate().unwrap();
        assert!(said(&with_key(file("other.pem", &other.serialize_pem()))).contains("cannot be used"));
        assert!(client_config(&with_key(file("key.pem", &made.signing_key.serialize_pem()))).is_ok());
    }
}
