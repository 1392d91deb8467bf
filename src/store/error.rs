//! What can go wrong with ClickHouse. What to do about each of its own errors stands in [`remedy`](super::remedy).

use thiserror::Error;

use super::connection::ConnectionFault;
pub use super::remedy::Remedy;
use super::remedy::remedy_of;
use crate::tls::TlsFileError;

/// A failed exchange with ClickHouse.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No answer: connection, DNS, timeout, or an answer that was cut.
    #[error("clickhouse does not answer")]
    Unreachable(#[source] clickhouse::error::Error),
    /// ClickHouse refused, with its error number where it told one.
    #[error("clickhouse refused with error {}", code.map_or_else(|| "of unknown number".to_owned(), |code| code.to_string()))]
    Refused {
        /// Number of the error in ClickHouse's table.
        code: Option<u32>,
        /// What the client library reported.
        source: clickhouse::error::Error,
    },
    /// ClickHouse is there, and cannot be worked with.
    #[error("clickhouse at {url}: {fault}")]
    Connection {
        /// Its address.
        url: String,
        /// What is wrong.
        fault: ConnectionFault,
        /// What the client library reported.
        source: clickhouse::error::Error,
    },
    /// The certificates of the connection cannot be used.
    #[error(transparent)]
    Files(#[from] TlsFileError),
    /// A batch could not be encoded, or not be read again.
    #[error("the batch cannot be encoded")]
    Encode(#[from] arrow_schema::ArrowError),
    /// Dead letters could not be encoded, or not be read again.
    #[error("the dead letters cannot be encoded")]
    EncodeDeadLetters(#[from] serde_json::Error),
    /// A deduplication token that names no range of offsets.
    #[error("`{0}` names no range of offsets")]
    Token(String),
    /// The database has a schema that this binary does not know, or not yet the one it needs.
    #[error("{0}")]
    Schema(String),
}

impl StoreError {
    /// Sorts what the client library reports.
    #[must_use]
    pub fn of(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match &error {
            Error::Network(_) | Error::TimedOut | Error::Decompression(_) => Self::Unreachable(error),
            other => Self::Refused { code: server_code(&other.to_string()), source: error },
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "store_unreachable",
            Self::Refused { .. } => "store_refused",
            Self::Connection { .. } => "store_connection",
            Self::Files(_) => "store_files",
            Self::Encode(_) | Self::EncodeDeadLetters(_) => "store_encode",
            Self::Token(_) => "store_token",
            Self::Schema(_) => "store_schema",
        }
    }

    /// ClickHouse's number of the error, where it told one.
    #[must_use]
    pub fn server_code(&self) -> Option<u32> {
        if let Self::Refused { code, .. } = self { *code } else { None }
    }

    /// What to do about it. What has no number (a proxy's answer, a cut connection) passes by itself, as far as is known.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable(_) => Remedy::Retry,
            Self::Refused { code: Some(code), .. } => remedy_of(*code),
            Self::Refused { code: None, source } => remedy_without_number(source),
            Self::Connection { .. }
            | Self::Files(_)
            | Self::Encode(_)
            | Self::EncodeDeadLetters(_)
            | Self::Token(_)
            | Self::Schema(_) => Remedy::Halt,
        }
    }

    /// Whether another attempt may end differently. Not when the batch itself, here and not at the server, is at fault.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused { .. } | Self::Connection { .. })
    }
}

/// What to do about an answer without a number: of a proxy, or none because the request could not even be made.
fn remedy_without_number(error: &clickhouse::error::Error) -> Remedy {
    use clickhouse::error::Error;
    match error {
        Error::InvalidParams(_) | Error::Compression(_) | Error::Unsupported(_) => Remedy::Halt,
        // Only an answer without a body comes as its status line. These three are about who asks and where, so they stay.
        Error::BadResponse(text) if ["401 ", "403 ", "404 "].iter().any(|status| text.starts_with(status)) => {
            Remedy::Halt
        }
        Error::BadResponse(text) if ["413 ", "429 "].iter().any(|status| text.starts_with(status)) => Remedy::SlowDown,
        _ => Remedy::Retry,
    }
}

/// The number in `Code: 252. DB::Exception: …`, or in `Code: 252` where only the header told it. A proxy's page that
/// speaks of codes has none.
pub(super) fn server_code(text: &str) -> Option<u32> {
    text.match_indices("Code: ").find_map(|(place, mark)| {
        let rest = &text[place + mark.len()..];
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let is_of_server = after.is_empty() || after.starts_with(". DB::");
        number.parse().ok().filter(|_| is_of_server)
    })
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error;

    use super::{Remedy, StoreError, server_code};

    #[test]
    fn the_number_of_a_server_error() {
        for (text, code) in [
            ("bad response: Code: 252. DB::Exception: Too many parts", Some(252)),
            ("bad response: Code: 210. DB::NetException: Broken pipe", Some(210)),
            ("bad response: Code: 241", Some(241)),
            ("bad response: 502 Bad Gateway", None),
            ("bad response: <p>Error. Code: 403</p>", None),
            ("bad response: <p>Code: 12</p> Code: 60. DB::Exception: Unknown table", Some(60)),
            ("bad response: Code: none", None),
        ] {
            assert_eq!(server_code(text), code, "{text}");
        }
    }

    #[test]
    fn every_failure_has_a_remedy() {
        let refused = |text: &str| StoreError::of(Error::BadResponse(text.to_owned())).remedy();
        for (text, remedy) in [
            ("Code: 210. DB::Exception: Network", Remedy::Retry),
            ("Code: 252. DB::Exception: Too many parts", Remedy::SlowDown),
            ("Code: 216. DB::Exception: Query with id = … is already running", Remedy::AlreadyRunning),
            ("Code: 60. DB::Exception: Unknown table", Remedy::Halt),
            ("Code: 516. DB::Exception: Authentication failed", Remedy::Halt),
            ("Code: 349. DB::Exception: Cannot insert NULL", Remedy::Bisect),
            ("502 Bad Gateway", Remedy::Retry),
            ("<html>502 Bad Gateway</html>", Remedy::Retry),
            ("403 Forbidden", Remedy::Halt),
            ("429 Too Many Requests", Remedy::SlowDown),
        ] {
            assert_eq!(refused(text), remedy, "{text}");
        }
        assert_eq!(StoreError::of(Error::TimedOut).remedy(), Remedy::Retry);
        assert_eq!(StoreError::of(Error::Network("reset".into())).remedy(), Remedy::Retry);
        assert_eq!(StoreError::of(Error::InvalidParams("no url".into())).remedy(), Remedy::Halt);
    }
}
