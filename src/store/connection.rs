//! What is wrong between us and a ClickHouse that is there: the user, the certificate, the kind of port.

use std::error::Error as _;
use std::fmt;

use clickhouse::error::Error;

use super::error::server_code;
use crate::tls::fault::{Peer, TlsFault};

/// Why ClickHouse cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFault {
    /// It refuses the user or the password; it does not tell which.
    Password,
    /// TLS fails.
    Tls(TlsFault),
    /// The port speaks TLS and we do not.
    SpeaksTls,
}

/// ClickHouse's numbers for a sign-in that failed: `UNKNOWN_USER`, `WRONG_PASSWORD`, `REQUIRED_PASSWORD` (older versions),
/// `AUTHENTICATION_FAILED`.
const SIGN_IN_FAILED: [u32; 4] = [192, 193, 194, 516];

/// What a listener for TLS makes of plain HTTP: hyper's word for an answer that is no HTTP (a TLS alert), and the page
/// that nginx answers with.
const OF_A_TLS_PORT: [&str; 2] = ["invalid HTTP version parsed", "plain HTTP request was sent to HTTPS port"];

impl ConnectionFault {
    /// The fault in what the client library reports; `None` for what is none, such as a server that is not there.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        if let Some(fault) = TlsFault::of(error) {
            return Some(Self::Tls(fault));
        }
        let speaks_tls = |text: &str| OF_A_TLS_PORT.iter().any(|sign| text.contains(sign));
        match error {
            Error::BadResponse(text) if server_code(text).is_some_and(|code| SIGN_IN_FAILED.contains(&code)) => {
                Some(Self::Password)
            }
            Error::BadResponse(text) if speaks_tls(text) => Some(Self::SpeaksTls),
            Error::Network(_) => {
                let mut causes = std::iter::successors(error.source(), |cause| (**cause).source());
                causes.any(|cause| speaks_tls(&cause.to_string())).then_some(Self::SpeaksTls)
            }
            _ => None,
        }
    }
}

impl fmt::Display for ConnectionFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password => {
                formatter.write_str("it refuses the user or the password (clickhouse.user, clickhouse.password)")
            }
            Self::Tls(fault) => fault.about(Peer::ClickHouse).fmt(formatter),
            Self::SpeaksTls => formatter.write_str("its port speaks TLS: clickhouse.url must begin with https://"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error;
    use rustls::CertificateError;

    use super::ConnectionFault;
    use crate::tls::fault::TlsFault;

    #[test]
    fn what_the_library_reports_becomes_what_to_do() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let cases = [
            (
                Error::BadResponse("Code: 516. DB::Exception: audit: Authentication failed".to_owned()),
                Some(ConnectionFault::Password),
            ),
            (
                Error::BadResponse("<title>400 The plain HTTP request was sent to HTTPS port</title>".to_owned()),
                Some(ConnectionFault::SpeaksTls),
            ),
            (
                Error::Network(Box::new(std::io::Error::other(unknown))),
                Some(ConnectionFault::Tls(TlsFault::UnknownAuthority)),
            ),
            (Error::BadResponse("Code: 60. DB::Exception: Unknown table".to_owned()), None),
            (Error::Network("Connection refused".into()), None),
        ];
        for (error, fault) in cases {
            assert_eq!(ConnectionFault::of(&error), fault, "{error}");
        }
    }
}
