//! What is wrong between us and a broker that is there, read from what librdkafka reports about it.
//!
//! librdkafka has few codes and tells the rest in English; the pieces of its texts that are looked for here are those of
//! version 2.12 (`rdkafka_ssl.c`, `rdkafka_broker.c`, `rdkafka_request.c`). A text that is not known is passed on.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::{self, KafkaSecurity, Sasl, SecurityProtocol};
use crate::tls::fault::{Peer, TlsFault};

/// Why a broker cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaFault {
    /// It refuses the user or the password.
    Password {
        /// The mechanism.
        mechanism: &'static str,
    },
    /// It refuses the token.
    Token,
    /// There is no token.
    NoToken(String),
    /// It does not offer the mechanism.
    Mechanism {
        /// The one that is configured.
        wanted: &'static str,
        /// Those that it offers, as it wrote them.
        offered: String,
    },
    /// TLS fails.
    Tls(TlsFault),
    /// Its certificate is not accepted, for a reason that librdkafka does not tell.
    Untrusted,
    /// The listener speaks TLS and we do not.
    SpeaksTls,
    /// The listener wants SASL and we do not.
    WantsSasl,
    /// The listener has no SASL and we want it.
    NoSasl,
}

impl KafkaFault {
    /// The fault in an error of librdkafka; `None` for what is no such fault, such as a broker that is not there.
    #[must_use]
    pub fn of(code: RDKafkaErrorCode, reason: &str, security: &KafkaSecurity) -> Option<Self> {
        match code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
                Some(Self::of_sign_in(reason, security))
            }
            RDKafkaErrorCode::SSL => Some(Self::of_tls(reason)),
            RDKafkaErrorCode::BrokerTransportFailure => Self::of_transport(reason),
            _ => None,
        }
    }

    fn of_sign_in(reason: &str, security: &KafkaSecurity) -> Self {
        if let Some((_, why)) = reason.split_once("OAUTHBEARER token: ") {
            return Self::NoToken(why.to_owned());
        }
        let Some(sasl) = &security.sasl else { return Self::WantsSasl };
        if let Some((_, offered)) = reason.split_once("supported mechanisms: ") {
            let offered = offered.split(" (").next().unwrap_or_default().trim();
            if offered.is_empty() {
                return Self::NoSasl;
            }
            return Self::Mechanism { wanted: sasl.mechanism(), offered: offered.to_owned() };
        }
        match sasl {
            Sasl::Password { mechanism, .. } => Self::Password { mechanism },
            Sasl::OAuth(_) => Self::Token,
        }
    }

    fn of_tls(reason: &str) -> Self {
        if reason.contains("certificate verify failed") {
            Self::Untrusted
        } else if is_alert_about_our_certificate(reason) {
            Self::Tls(TlsFault::ClientCertificate)
        } else if reason.contains("wrong version number") || reason.contains("packet length too long") {
            Self::Tls(TlsFault::NotTls)
        } else {
            Self::Tls(TlsFault::Handshake(reason.to_owned()))
        }
    }

    fn of_transport(reason: &str) -> Option<Self> {
        if reason.contains("PLAINTEXT broker listener?") {
            Some(Self::Tls(TlsFault::NotTls))
        } else if is_alert_about_our_certificate(reason) {
            Some(Self::Tls(TlsFault::ClientCertificate))
        } else {
            None
        }
    }

    /// The fault behind a connection that a broker ended without a word, where nobody has said more: what it was asked for
    /// last tells. A hello without TLS, and it `speaks_tls`; or something other than a sign-in.
    #[must_use]
    pub fn of_hanging_up(reason: &str, protocol: SecurityProtocol, speaks_tls: impl FnOnce() -> bool) -> Option<Self> {
        if !["Disconnected", "Broken pipe", "reset by peer"].iter().any(|sign| reason.contains(sign)) {
            return None;
        }
        if reason.contains("in state APIVERSION_QUERY") && !protocol.has_tls() && speaks_tls() {
            return Some(Self::SpeaksTls);
        }
        (reason.contains("in state UP") && !protocol.has_sasl()).then_some(Self::WantsSasl)
    }
}

/// Says a fault once, however often librdkafka meets it, for a client that lives on and tries again.
#[derive(Debug)]
pub struct Complaints {
    security: KafkaSecurity,
    last: Mutex<Option<KafkaFault>>,
}

impl Complaints {
    /// For a client of these settings.
    #[must_use]
    pub fn of(settings: &config::Kafka) -> Self {
        Self { security: settings.security.clone(), last: Mutex::default() }
    }

    /// Takes an error of librdkafka; whether it was such a fault.
    pub fn hear(&self, error: &KafkaError, reason: &str) -> bool {
        let fault = error.rdkafka_error_code().and_then(|code| KafkaFault::of(code, reason, &self.security));
        let Some(fault) = fault else { return false };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&fault) {
            tracing::error!("kafka cannot be worked with, and is tried again until it can: {fault}");
            *last = Some(fault);
        }
        true
    }

    /// From now on the same fault is news again.
    pub fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// OpenSSL's names of the alerts that a server sends about a client's certificate.
fn is_alert_about_our_certificate(reason: &str) -> bool {
    ["alert bad certificate", "alert unknown ca", "alert certificate", "alert unsupported certificate"]
        .iter()
        .any(|alert| reason.contains(alert))
}

impl fmt::Display for KafkaFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { mechanism } => {
                write!(
                    formatter,
                    "it refuses the user or the password by {mechanism} (kafka.sasl_username, kafka.sasl_password)"
                )
            }
            Self::Token => {
                formatter.write_str("it refuses the token: do its issuer, audience and scope suit the broker (kafka.sasl_oauth_scope)?")
            }
            Self::NoToken(why) => formatter.write_str(why),
            Self::Mechanism { wanted, offered } => {
                write!(formatter, "it does not offer kafka.sasl_mechanism = {wanted}, but {offered}")
            }
            Self::Tls(fault) => fault.about(Peer::Kafka).fmt(formatter),
            Self::Untrusted => formatter.write_str(
                "its certificate is not accepted: kafka.tls_ca_file must hold its authority's certificate, and it must be valid for this host name",
            ),
            Self::SpeaksTls => {
                formatter.write_str("its listener speaks TLS: kafka.security_protocol must be ssl or sasl_ssl")
            }
            Self::WantsSasl => formatter.write_str(
                "its listener wants a sign-in: kafka.security_protocol must be sasl_plaintext or sasl_ssl",
            ),
            Self::NoSasl => {
                formatter.write_str("its listener has no sign-in: kafka.security_protocol must be plaintext or ssl")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::RDKafkaErrorCode as Code;

    use super::KafkaFault;
    use crate::config::{KafkaSecurity, Sasl, Secret, SecurityProtocol, TlsFiles};

    fn scram() -> KafkaSecurity {
        let sasl = Sasl::Password {
            mechanism: "SCRAM-SHA-512",
            username: "audit".to_owned(),
            password: Secret::new("hush".to_owned()),
        };
        KafkaSecurity { protocol: SecurityProtocol::SaslSsl, sasl: Some(sasl), tls: TlsFiles::default() }
    }

    #[test]
    fn what_librdkafka_says_becomes_what_to_do() {
        let cases = [
            (
                Code::Authentication,
                "sasl_ssl://kafka:9093/bootstrap: SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 301ms in state AUTH_REQ)",
                "refuses the user or the password by SCRAM-SHA-512",
            ),
            (
                Code::Authentication,
                "sasl_ssl://kafka:9093/bootstrap: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN,OAUTHBEARER (after 1ms in state AUTH_HANDSHAKE)",
                "SCRAM-SHA-512, but PLAIN,OAUTHBEARER",
            ),
            (
                Code::Authentication,
                "kafka:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms:  (after 1ms in state AUTH_HANDSHAKE)",
                "has no sign-in",
            ),
            (
                Code::Authentication,
                "Failed to acquire SASL OAUTHBEARER token: the token endpoint refuses the client with 401",
                "the token endpoint refuses the client with 401",
            ),
            (
                Code::SSL,
                "sasl_ssl://kafka:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA certificates are installed (install ca-certificates package) (after 4ms in state SSL_HANDSHAKE)",
                "kafka.tls_ca_file",
            ),
            (
                Code::BrokerTransportFailure,
                "ssl://kafka:9093/bootstrap: SSL handshake failed: Disconnected: connection closed by peer: connecting to a PLAINTEXT broker listener? (after 1ms in state SSL_HANDSHAKE)",
                "does not speak TLS",
            ),
        ];
        for (code, reason, said) in cases {
            let fault = KafkaFault::of(code, reason, &scram()).unwrap_or_else(|| panic!("{reason}"));
            assert!(fault.to_string().contains(said), "{reason}: {fault}");
        }
        let hello = "kafka:9093/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 4ms in state APIVERSION_QUERY)";
        let question = "kafka:9092/bootstrap: Send failed: Broken pipe (after 0ms in state UP)";
        let of = |reason, protocol, tls| KafkaFault::of_hanging_up(reason, protocol, || tls);
        assert_eq!(of(hello, SecurityProtocol::Plaintext, true), Some(KafkaFault::SpeaksTls));
        assert_eq!(of(hello, SecurityProtocol::SaslPlaintext, true), Some(KafkaFault::SpeaksTls));
        assert_eq!(of(hello, SecurityProtocol::Plaintext, false), None);
        assert_eq!(of(question, SecurityProtocol::Ssl, true), Some(KafkaFault::WantsSasl));
        assert_eq!(of(question, SecurityProtocol::SaslSsl, true), None);
        let away = "kafka:9092/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        assert_eq!(KafkaFault::of(Code::BrokerTransportFailure, away, &scram()), None);
    }
}
