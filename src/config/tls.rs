//! The PEM files of a TLS connection, as settings name them. They are read when the connection is set up, so that a
//! command that needs no such connection needs no right to read them.

use std::path::PathBuf;

use super::{Parser, Secret};

/// Which certificates are trusted, and which one is shown.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Authorities that are trusted; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// The certificate that the other side is shown; `None`: none.
    pub identity: Option<TlsIdentity>,
}

/// A client's own certificate.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// What the key is encrypted with.
    pub key_password: Option<Secret>,
}

impl Parser<'_> {
    /// `{section}.tls_ca_file` and its neighbours. When TLS is not spoken at all (`in_use` is false), each of them that is
    /// set is a fault: who set it believes that the connection is protected.
    pub(super) fn tls_files(&mut self, section: &str, in_use: bool, instead: &str) -> Option<TlsFiles> {
        let path = |key: &str| format!("{section}.{key}");
        let [ca, certificate, key, password] =
            ["tls_ca_file", "tls_certificate_file", "tls_key_file", "tls_key_password"].map(path);
        let faults_before = self.faults.len();
        if !in_use {
            for setting in [&ca, &certificate, &key, &password] {
                self.refuse_unused(setting, instead);
            }
        }
        let identity = match (self.optional(&certificate), self.optional(&key)) {
            (Some(certificate), Some(key)) => Some(TlsIdentity {
                certificate: certificate.into(),
                key: key.into(),
                key_password: self.optional(&password).map(Secret::new),
            }),
            (None, None) => {
                if in_use {
                    self.refuse_unused(&password, &format!("there is a {key}"));
                }
                None
            }
            (Some(_), None) => {
                self.faults.push(format!("{certificate} is set, so {key} has to be set as well"));
                None
            }
            (None, Some(_)) => {
                self.faults.push(format!("{key} is set, so {certificate} has to be set as well"));
                None
            }
        };
        let files = TlsFiles { ca: self.optional(&ca).map(PathBuf::from), identity };
        (self.faults.len() == faults_before).then_some(files)
    }

    /// A setting that nothing reads is a fault, since its absence would not be noticed.
    pub(super) fn refuse_unused(&mut self, path: &str, instead: &str) {
        if self.optional(path).is_some() {
            let origin = self.found.get(path).map_or("", |found| found.origin.as_str());
            self.faults.push(format!("{path} (from {origin}) is used only where {instead}"));
        }
    }
}
