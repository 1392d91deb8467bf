//! How Kafka is signed in to, and whether over TLS.
//!
//! Half a configuration is a fault: what is set must be used, and what is used must be complete, so that nobody takes a
//! connection for protected that is not.

use std::fmt;
use std::path::PathBuf;

use super::{Parser, Secret, TlsFiles};

/// Everything about signing in and TLS.
#[derive(Debug, Clone)]
pub struct KafkaSecurity {
    /// Whether TLS and SASL are spoken.
    pub protocol: SecurityProtocol,
    /// How the client signs in, where the protocol has SASL.
    pub sasl: Option<Sasl>,
    /// Certificates, where the protocol has TLS.
    pub tls: TlsFiles,
}

/// Kafka's `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither.
    Plaintext,
    /// TLS; the client signs in by certificate or not at all.
    Ssl,
    /// SASL over a connection that everybody on the way can read.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

/// How the client signs in.
#[derive(Debug, Clone)]
pub enum Sasl {
    /// By user and password: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`.
    Password {
        /// The mechanism.
        mechanism: &'static str,
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// `OAUTHBEARER`: by a token from a token endpoint.
    OAuth(OAuthClient),
}

/// A client of a token endpoint, by the client credentials grant (RFC 6749, section 4.4).
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// The token endpoint.
    pub token_url: url::Url,
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: Secret,
    /// What is asked for; `None` leaves it to the endpoint.
    pub scope: Option<String>,
    /// Authorities that the endpoint's certificate is checked against; `None`: the system's.
    pub ca: Option<PathBuf>,
}

const PASSWORD_MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
/// The mechanism by token.
pub const OAUTHBEARER: &str = "OAUTHBEARER";

const OF_PASSWORD: [&str; 2] = ["kafka.sasl_username", "kafka.sasl_password"];
const OF_OAUTH: [&str; 5] = [
    "kafka.sasl_oauth_token_url",
    "kafka.sasl_oauth_client_id",
    "kafka.sasl_oauth_client_secret",
    "kafka.sasl_oauth_scope",
    "kafka.sasl_oauth_ca_file",
];

impl KafkaSecurity {
    /// Neither SASL nor TLS.
    #[must_use]
    pub fn none() -> Self {
        Self { protocol: SecurityProtocol::Plaintext, sasl: None, tls: TlsFiles::default() }
    }
}

impl SecurityProtocol {
    /// As settings and librdkafka name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn has_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether the client signs in by SASL.
    #[must_use]
    pub fn has_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl Sasl {
    /// As Kafka names it.
    #[must_use]
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Password { mechanism, .. } => mechanism,
            Self::OAuth(_) => OAUTHBEARER,
        }
    }
}

/// Protocol and mechanism, for people.
impl fmt::Display for KafkaSecurity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.protocol.as_str())?;
        match &self.sasl {
            Some(sasl) => write!(formatter, ", {}", sasl.mechanism()),
            None => Ok(()),
        }
    }
}

impl Parser<'_> {
    pub(super) fn kafka_security(&mut self) -> Option<KafkaSecurity> {
        let name = self.one_of("kafka.security_protocol", &["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])?;
        let protocol = match name.as_str() {
            "ssl" => SecurityProtocol::Ssl,
            "sasl_plaintext" => SecurityProtocol::SaslPlaintext,
            "sasl_ssl" => SecurityProtocol::SaslSsl,
            _ => SecurityProtocol::Plaintext,
        };
        let tls = self.tls_files("kafka", protocol.has_tls(), "kafka.security_protocol is ssl or sasl_ssl");
        let sasl = self.sasl(protocol);
        Some(KafkaSecurity { protocol, sasl: sasl?, tls: tls? })
    }

    /// `None` for a fault; `Some(None)` where the protocol has no SASL.
    fn sasl(&mut self, protocol: SecurityProtocol) -> Option<Option<Sasl>> {
        let faults_before = self.faults.len();
        if !protocol.has_sasl() {
            for path in ["kafka.sasl_mechanism"].into_iter().chain(OF_PASSWORD).chain(OF_OAUTH) {
                self.refuse_unused(path, "kafka.security_protocol is sasl_plaintext or sasl_ssl");
            }
            return (self.faults.len() == faults_before).then_some(None);
        }
        let choices: Vec<&str> = PASSWORD_MECHANISMS.into_iter().chain([OAUTHBEARER]).collect();
        let chosen = self.one_of("kafka.sasl_mechanism", &choices)?;
        let sasl = match PASSWORD_MECHANISMS.into_iter().find(|mechanism| *mechanism == chosen) {
            Some(mechanism) => {
                for path in OF_OAUTH {
                    self.refuse_unused(path, "kafka.sasl_mechanism is OAUTHBEARER");
                }
                let [username, password] = OF_PASSWORD.map(|path| self.text(path));
                Sasl::Password { mechanism, username: username?, password: Secret::new(password?) }
            }
            None => {
                for path in OF_PASSWORD {
                    self.refuse_unused(path, "kafka.sasl_mechanism is not OAUTHBEARER");
                }
                let token_url = self.token_url("kafka.sasl_oauth_token_url");
                let id = self.text("kafka.sasl_oauth_client_id");
                let secret = self.text("kafka.sasl_oauth_client_secret");
                let scope = self.optional("kafka.sasl_oauth_scope");
                let ca = self.optional("kafka.sasl_oauth_ca_file").map(PathBuf::from);
                Sasl::OAuth(OAuthClient { token_url: token_url?, id: id?, secret: Secret::new(secret?), scope, ca })
            }
        };
        (self.faults.len() == faults_before).then_some(Some(sasl))
    }

    fn token_url(&mut self, path: &str) -> Option<url::Url> {
        let is_web = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = self.text(path)?.parse::<url::Url>().ok().filter(is_web);
        if url.is_none() {
            self.fault(path, "an address such as https://login.example.com/oauth2/token");
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::{Sasl, SecurityProtocol};
    use crate::config::{Config, ConfigError, Layers};

    fn load(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let flags = settings.iter().map(|(path, text)| (format!("kafka.{path}"), (*text).to_owned())).collect();
        Config::load(&Layers { flags, ..Layers::default() })
    }

    #[test]
    fn complete_configurations_are_taken() {
        let password = [
            ("security_protocol", "sasl_ssl"),
            ("sasl_mechanism", "SCRAM-SHA-512"),
            ("sasl_username", "audit"),
            ("sasl_password", "hush"),
            ("tls_ca_file", "/etc/ca.pem"),
        ];
        let security = load(&password).unwrap().kafka.security;
        assert_eq!(
            (security.protocol, security.to_string().as_str()),
            (SecurityProtocol::SaslSsl, "sasl_ssl, SCRAM-SHA-512")
        );
        assert!(security.tls.ca.is_some() && security.tls.identity.is_none());
        assert!(!format!("{security:?}").contains("hush"));

        let token = [
            ("security_protocol", "sasl_plaintext"),
            ("sasl_mechanism", "OAUTHBEARER"),
            ("sasl_oauth_token_url", "https://login.example.com/token"),
            ("sasl_oauth_client_id", "audit"),
            ("sasl_oauth_client_secret", "hush"),
        ];
        let security = load(&token).unwrap().kafka.security;
        assert!(matches!(security.sasl, Some(Sasl::OAuth(_))));
        assert!(!format!("{security:?}").contains("hush"));

        let certificate =
            [("security_protocol", "ssl"), ("tls_certificate_file", "/c.pem"), ("tls_key_file", "/k.pem")];
        assert!(load(&certificate).unwrap().kafka.security.tls.identity.is_some());
    }

    #[test]
    fn half_a_configuration_is_a_fault_that_names_what_is_wrong() {
        let cases: [(&[(&str, &str)], &str); 10] = [
            (&[("security_protocol", "tls")], "kafka.security_protocol"),
            (&[("tls_ca_file", "/ca.pem")], "kafka.tls_ca_file (from --kafka-tls-ca-file)"),
            (&[("sasl_password", "hush")], "kafka.sasl_password"),
            (&[("security_protocol", "ssl"), ("sasl_username", "audit")], "kafka.sasl_username"),
            (&[("security_protocol", "sasl_ssl")], "kafka.sasl_mechanism"),
            (&[("security_protocol", "sasl_ssl"), ("sasl_mechanism", "GSSAPI")], "kafka.sasl_mechanism"),
            (&[("security_protocol", "sasl_ssl"), ("sasl_mechanism", "PLAIN")], "kafka.sasl_username"),
            (&[("security_protocol", "sasl_ssl"), ("sasl_mechanism", "OAUTHBEARER")], "kafka.sasl_oauth_token_url"),
            (&[("security_protocol", "ssl"), ("tls_key_file", "/k.pem")], "kafka.tls_certificate_file"),
            (&[("security_protocol", "ssl"), ("tls_key_password", "hush")], "kafka.tls_key_file"),
        ];
        for (settings, named) in cases {
            let fault = load(settings).unwrap_err().to_string();
            assert!(fault.contains(named), "{settings:?}: {fault}");
            assert!(!fault.contains("hush"), "{fault}");
        }
    }
}
