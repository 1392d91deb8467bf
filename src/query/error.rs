//! Why a question could not be answered.
//!
//! `Display` is for the person who asked: it names what to change and never repeats what the store said. That stays in
//! the source chain, for whoever logs the error. It does not say "not found": an answer without a trace is no error.

use thiserror::Error;

/// Why a query failed.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The cursor was not made by this call, or was changed on its way.
    #[error("the cursor is not one that this call has given out; start again without it")]
    BadCursor,
    /// `limit` is not a whole number within its range.
    #[error("limit must be a whole number from 1 to {}", super::page::MAX_LIMIT)]
    BadLimit,
    /// A time cannot be read, or the range is empty.
    #[error("{name} is not a time: write RFC 3339 (2026-11-22T10:00:00Z) or a time back from now (-30m, -2h, -7d)")]
    BadTime {
        /// The parameter.
        name: &'static str,
    },
    /// `from` is not before `to`.
    #[error("the time range is empty: from must be before to")]
    EmptyRange,
    /// An id is empty, too long, or holds control characters.
    #[error("{name} must be 1 to {} bytes without control characters", super::filter::MAX_ID_BYTES)]
    BadId {
        /// The parameter.
        name: &'static str,
    },
    /// A filter over a closed list got a value that is not in it.
    #[error("{name} must be one of: {allowed}")]
    BadFilter {
        /// The parameter.
        name: &'static str,
        /// What is allowed, separated by commas.
        allowed: String,
    },
    /// No connection to ClickHouse.
    #[error("the store cannot be reached; try again in a moment")]
    StoreUnreachable(#[source] clickhouse::error::Error),
    /// The query took longer than its limit, or more memory.
    #[error("that is too much for the store at once; narrow the time range or add a filter")]
    Timeout,
    /// ClickHouse refused the query.
    #[error("the store could not answer; the log of this process says why")]
    StoreError(#[source] clickhouse::error::Error),
    /// ClickHouse answered with something that is not what was asked for.
    #[error("the store answered in a form that this version cannot read; was `gatetrail migrate` run?")]
    StoreAnswer(#[source] serde_json::Error),
}

impl QueryError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadCursor => "bad_cursor",
            Self::BadLimit => "bad_limit",
            Self::BadTime { .. } | Self::EmptyRange => "bad_time",
            Self::BadId { .. } => "bad_id",
            Self::BadFilter { .. } => "bad_filter",
            Self::StoreUnreachable(_) => "store_unreachable",
            Self::Timeout => "timeout",
            Self::StoreError(_) | Self::StoreAnswer(_) => "store_error",
        }
    }

    /// Whether the fault lies with what was asked, and not with the store.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::BadCursor
                | Self::BadLimit
                | Self::BadTime { .. }
                | Self::EmptyRange
                | Self::BadId { .. }
                | Self::BadFilter { .. }
        )
    }
}

/// How ClickHouse's own errors begin that mean "too long" or "too much to read": `TIMEOUT_EXCEEDED`, `TOO_MANY_ROWS`,
/// `TOO_SLOW`, `SOCKET_TIMEOUT`, `TOO_MANY_BYTES`, `TOO_MANY_ROWS_OR_BYTES`, `QUERY_WAS_CANCELLED`, and `MEMORY_LIMIT_EXCEEDED` of
/// the query itself, not of the whole server.
const BEGINNINGS_OF_TOO_MUCH: [&str; 8] = [
    "Code: 159.",
    "Code: 158.",
    "Code: 160.",
    "Code: 209.",
    "Code: 307.",
    "Code: 396.",
    "Code: 394.",
    "Code: 241. DB::Exception: Query memory limit",
];

impl From<clickhouse::error::Error> for QueryError {
    fn from(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match &error {
            Error::TimedOut => Self::Timeout,
            Error::Network(_) => Self::StoreUnreachable(error),
            Error::BadResponse(text) if is_too_much(text) => Self::Timeout,
            _ => Self::StoreError(error),
        }
    }
}

fn is_too_much(text: &str) -> bool {
    BEGINNINGS_OF_TOO_MUCH.iter().any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error;

    use super::QueryError;

    #[test]
    fn errors_of_the_store_get_a_stable_code_and_keep_their_text_out_of_the_sentence() {
        let cases = [
            (Error::BadResponse("Code: 159. DB::Exception: secret_table".into()), "timeout"),
            (
                Error::BadResponse("Code: 241. DB::Exception: Query memory limit exceeded: secret_table".into()),
                "timeout",
            ),
            (Error::BadResponse("Code: 241. DB::Exception: (total) memory limit exceeded".into()), "store_error"),
            (Error::BadResponse("Code: 60. DB::Exception: Unknown table secret_table".into()), "store_error"),
            (Error::TimedOut, "timeout"),
            (Error::Network("secret_table refused".into()), "store_unreachable"),
        ];
        for (error, code) in cases {
            let error = QueryError::from(error);
            assert_eq!(error.code(), code);
            assert!(!error.to_string().contains("secret_table"), "{error}");
            assert!(!error.is_bad_input());
        }
    }
}
