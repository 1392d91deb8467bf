//! Certificates as a company's own authority would make them, and some that are wrong, as PEM files.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// An authority and the folder of everything it made.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    /// Its own certificate.
    pub file: PathBuf,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Both in one file, as Kafka's PEM key stores want them.
    pub store: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), folder: folder.to_owned(), file }
    }

    /// A certificate for these host names.
    pub fn sign(&self, name: &str, hosts: &[&str]) -> Identity {
        self.sign_until(name, hosts, 4096)
    }

    /// One that was valid long ago.
    pub fn sign_expired(&self, name: &str, hosts: &[&str]) -> Identity {
        self.sign_until(name, hosts, 2001)
    }

    fn sign_until(&self, name: &str, hosts: &[&str], year: i32) -> Identity {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let file = |kind: &str| self.folder.join(format!("{name}.{kind}.pem"));
        let identity = Identity { certificate: file("certificate"), key: file("key"), store: file("store") };
        std::fs::write(&identity.certificate, &certificate).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        std::fs::write(&identity.store, format!("{}{certificate}", key.serialize_pem())).unwrap();
        identity
    }
}
