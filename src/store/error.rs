//! What can go wrong with ClickHouse, and what to do about it.

use thiserror::Error;

/// What the writer does about a failed insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same bytes again, later.
    Retry,
    /// Nothing helps but a person: stop this partition and say so.
    Halt,
    /// One of the rows is at fault.
    Bisect,
}

/// A failed exchange with ClickHouse.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No answer: connection, DNS, timeout.
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
    /// A batch could not be encoded.
    #[error("the batch cannot be encoded")]
    Encode(#[from] arrow_schema::ArrowError),
    /// Dead letters could not be encoded.
    #[error("the dead letters cannot be encoded")]
    EncodeDeadLetters(#[from] serde_json::Error),
    /// A deduplication token that names no range of offsets.
    #[error("`{0}` names no range of offsets")]
    Token(String),
    /// The database has a schema that this binary does not know, or not yet the one it needs.
    #[error("{0}")]
    Schema(String),
}

/// ClickHouse error numbers that pass by themselves, with why.
const PASSING: &[(u32, &str)] = &[
    (159, "TIMEOUT_EXCEEDED: the server was slow"),
    (160, "TOO_SLOW: the server was slow"),
    (202, "TOO_MANY_SIMULTANEOUS_QUERIES: others are served first"),
    (203, "NO_FREE_CONNECTION: others are served first"),
    (209, "SOCKET_TIMEOUT: the network was slow"),
    (210, "NETWORK_ERROR: the network failed"),
    (216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: the earlier attempt is still at work"),
    (236, "ABORTED: the server was shutting down"),
    (241, "MEMORY_LIMIT_EXCEEDED: the server was busy"),
    (242, "TABLE_IS_READ_ONLY: a replica is recovering"),
    (243, "NOT_ENOUGH_SPACE: the disk is full until someone or a TTL frees it"),
    (252, "TOO_MANY_PARTS: merges must catch up"),
    (319, "UNKNOWN_STATUS_OF_INSERT: the replica lost its coordination"),
    (394, "QUERY_WAS_CANCELLED: the server was shutting down"),
    (425, "SYSTEM_ERROR: the machine failed for a moment"),
    (999, "KEEPER_EXCEPTION: the coordination failed for a moment"),
];

impl StoreError {
    /// Sorts what the client library reports.
    #[must_use]
    pub fn of(error: clickhouse::error::Error) -> Self {
        match &error {
            clickhouse::error::Error::Network(_) | clickhouse::error::Error::TimedOut => Self::Unreachable(error),
            other => Self::Refused { code: server_code(&other.to_string()), source: error },
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "store_unreachable",
            Self::Refused { .. } => "store_refused",
            Self::Encode(_) | Self::EncodeDeadLetters(_) => "store_encode",
            Self::Token(_) => "store_token",
            Self::Schema(_) => "store_schema",
        }
    }

    /// What to do about a failed insert: what has no number (a proxy's answer, a cut connection) is retried as well.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable(_) | Self::Refused { code: None, .. } => Remedy::Retry,
            Self::Refused { code: Some(code), .. } if PASSING.iter().any(|(passing, _)| passing == code) => {
                Remedy::Retry
            }
            Self::Refused { .. } | Self::Encode(_) | Self::EncodeDeadLetters(_) | Self::Token(_) | Self::Schema(_) => {
                Remedy::Halt
            }
        }
    }
}

/// The number in `Code: 252. DB::Exception: …`.
fn server_code(text: &str) -> Option<u32> {
    let rest = text.split("Code: ").nth(1)?;
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Remedy, StoreError, server_code};

    #[test]
    fn the_number_of_a_server_error() {
        assert_eq!(server_code("bad response: Code: 252. DB::Exception: Too many parts"), Some(252));
        assert_eq!(server_code("bad response: 502 Bad Gateway"), None);
    }

    #[test]
    fn what_passes_is_retried_and_what_does_not_halts() {
        let refused = |text: &str| StoreError::of(clickhouse::error::Error::BadResponse(text.to_owned())).remedy();
        assert_eq!(refused("Code: 252. DB::Exception: Too many parts"), Remedy::Retry);
        assert_eq!(refused("502 Bad Gateway"), Remedy::Retry);
        assert_eq!(refused("Code: 60. DB::Exception: Unknown table"), Remedy::Halt);
        assert_eq!(refused("Code: 516. DB::Exception: Authentication failed"), Remedy::Halt);
    }
}
