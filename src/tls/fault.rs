//! What is wrong with a TLS connection, in words for the person who has to mend it.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why no connection by TLS came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate leads to no authority that is trusted here.
    UnknownAuthority,
    /// The certificate is no longer valid.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// Something else about the certificate.
    Certificate(String),
    /// The other side wants a certificate of ours, or another one than it was shown.
    ClientCertificate,
    /// What answers speaks no TLS.
    NotTls,
    /// Something else about the handshake.
    Handshake(String),
}

/// Whom the connection is to; the settings that are named depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// ClickHouse.
    ClickHouse,
    /// A broker.
    Kafka,
    /// The endpoint that gives tokens for Kafka.
    TokenEndpoint,
}

impl Peer {
    fn ca(self) -> &'static str {
        match self {
            Self::ClickHouse => "clickhouse.tls_ca_file",
            Self::Kafka => "kafka.tls_ca_file",
            Self::TokenEndpoint => "kafka.sasl_oauth_ca_file",
        }
    }

    fn address(self) -> &'static str {
        match self {
            Self::ClickHouse => "clickhouse.url",
            Self::Kafka => "kafka.brokers, or that the broker advertises",
            Self::TokenEndpoint => "kafka.sasl_oauth_token_url",
        }
    }

    fn certificate(self) -> &'static str {
        match self {
            Self::ClickHouse => " (clickhouse.tls_certificate_file, clickhouse.tls_key_file)",
            Self::Kafka => " (kafka.tls_certificate_file, kafka.tls_key_file)",
            Self::TokenEndpoint => "",
        }
    }

    fn without_tls(self) -> &'static str {
        match self {
            Self::ClickHouse => "is it the port of http://? then clickhouse.url must begin with http://",
            Self::Kafka => {
                "is it a plaintext listener? then kafka.security_protocol must be plaintext or sasl_plaintext"
            }
            Self::TokenEndpoint => "is it the port of http://? then kafka.sasl_oauth_token_url must begin with http://",
        }
    }
}

impl TlsFault {
    /// The fault among the causes of an error, if one of them is TLS's.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        find(error).map(Self::of_rustls)
    }

    fn of_rustls(error: &rustls::Error) -> Self {
        use CertificateError as Bad;
        match error {
            rustls::Error::InvalidCertificate(fault) => match fault {
                Bad::UnknownIssuer | Bad::BadSignature => Self::UnknownAuthority,
                Bad::Expired | Bad::ExpiredContext { .. } => Self::Expired,
                Bad::NotValidYet | Bad::NotValidYetContext { .. } => Self::NotYetValid,
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::WrongName,
                other => Self::Certificate(other.to_string()),
            },
            rustls::Error::AlertReceived(
                AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRequired
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::NoCertificate,
            ) => Self::ClientCertificate,
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            other => Self::Handshake(other.to_string()),
        }
    }

    /// The fault as a sentence about the peer, without a subject.
    #[must_use]
    pub fn about(&self, peer: Peer) -> impl fmt::Display + '_ {
        Sentence { fault: self, peer }
    }
}

struct Sentence<'f> {
    fault: &'f TlsFault,
    peer: Peer,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.peer;
        match self.fault {
            TlsFault::UnknownAuthority => write!(
                formatter,
                "its certificate comes from an authority that is not trusted: {} must hold that authority's certificate (without the setting the system's authorities count)",
                peer.ca()
            ),
            TlsFault::Expired => {
                formatter.write_str("its certificate has expired: it needs a new one, or this machine's clock is wrong")
            }
            TlsFault::NotYetValid => {
                formatter.write_str("its certificate is not valid yet: is this machine's clock right?")
            }
            TlsFault::WrongName => {
                write!(formatter, "its certificate is for other host names than the one in {}", peer.address())
            }
            TlsFault::Certificate(reason) => write!(formatter, "its certificate is not accepted: {reason}"),
            TlsFault::ClientCertificate => {
                write!(formatter, "it refuses the client's certificate, or misses one{}", peer.certificate())
            }
            TlsFault::NotTls => write!(formatter, "its port does not speak TLS: {}", peer.without_tls()),
            TlsFault::Handshake(reason) => write!(formatter, "the TLS handshake failed: {reason}"),
        }
    }
}

/// The error of the TLS library in a chain of causes. An [`io::Error`] hides what it wraps from `source`, so it is opened.
fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let wrapped: Option<&'e (dyn Error + 'static)> = match cause.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as _),
            None => None,
        };
        if let Some(found) = wrapped.and_then(find) {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

    use super::{Peer, TlsFault};

    #[test]
    fn each_fault_is_found_in_its_wrapping_and_named() {
        let cases = [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "kafka.tls_ca_file"),
            (Error::InvalidCertificate(CertificateError::Expired), "expired"),
            (Error::InvalidCertificate(CertificateError::NotValidYet), "not valid yet"),
            (Error::InvalidCertificate(CertificateError::NotValidForName), "other host names"),
            (Error::InvalidCertificate(CertificateError::Revoked), "not accepted"),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "kafka.tls_certificate_file"),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), "handshake failed"),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "does not speak TLS"),
        ];
        for (error, said) in cases {
            let twice_wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error.clone()));
            let fault = TlsFault::of(&twice_wrapped).unwrap();
            assert!(fault.about(Peer::Kafka).to_string().contains(said), "{error}: {}", fault.about(Peer::Kafka));
        }
        assert_eq!(TlsFault::of(&io::Error::other("refused")), None);
    }
}
