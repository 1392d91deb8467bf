//! What to do about each error of ClickHouse, with the reason: one row an error, and what is not listed waits for a person.
//!
//! Whatever the remedy, an insert is tried again for ever and nothing is skipped; the remedy decides how long to wait and
//! whether somebody is called. The one exception is a row that ClickHouse cannot take, which waiting does not change.

/// What delivery does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Again soon, waiting longer from failure to failure.
    Retry,
    /// Again, waiting longer than for [`Remedy::Retry`]; and longer batches from now on, for the server has too much to do.
    SlowDown,
    /// An earlier attempt is still at work: look again when it is over.
    AlreadyRunning,
    /// Somebody has to mend something: say so, and look every now and then whether it is mended.
    Halt,
    /// A row is at fault: find it by halving the range.
    Bisect,
}

/// An error of ClickHouse: number, name, what to do, and why. Numbers and names are those of ClickHouse's source
/// (`src/Common/ErrorCodes.cpp`), and never change there.
#[derive(Debug, Clone, Copy)]
pub struct KnownError {
    /// Its number.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
    /// What to do.
    pub remedy: Remedy,
    /// Why.
    pub reason: &'static str,
}

const fn row(code: u32, name: &'static str, remedy: Remedy, reason: &'static str) -> KnownError {
    KnownError { code, name, remedy, reason }
}

/// Every error that was thought about, by number.
pub const KNOWN: &[KnownError] = &{
    use Remedy::{AlreadyRunning, Bisect, Halt, Retry, SlowDown};
    [
        row(3, "UNEXPECTED_END_OF_FILE", Retry, "the body was cut on its way"),
        row(6, "CANNOT_PARSE_TEXT", Bisect, "a value is not what its column takes"),
        row(7, "INCORRECT_NUMBER_OF_COLUMNS", Halt, "table or view is not the one that this binary knows"),
        row(8, "THERE_IS_NO_COLUMN", Halt, "the table lacks a column"),
        row(10, "NOT_FOUND_COLUMN_IN_BLOCK", Halt, "the table, or a view on it, lacks a column"),
        row(16, "NO_SUCH_COLUMN_IN_TABLE", Halt, "the table lacks a column"),
        row(19, "SIZE_OF_FIXED_STRING_DOESNT_MATCH", Bisect, "a value is not as long as its column"),
        row(20, "NUMBER_OF_COLUMNS_DOESNT_MATCH", Halt, "table or view is not the one that this binary knows"),
        row(23, "CANNOT_READ_FROM_ISTREAM", Retry, "the connection broke while the body came"),
        row(24, "CANNOT_WRITE_TO_OSTREAM", Retry, "the connection broke while the answer went"),
        row(25, "CANNOT_PARSE_ESCAPE_SEQUENCE", Bisect, "a value is not what its column takes"),
        row(26, "CANNOT_PARSE_QUOTED_STRING", Bisect, "a value is not what its column takes"),
        row(27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Bisect, "a value is not what its column takes"),
        row(32, "ATTEMPT_TO_READ_AFTER_EOF", Retry, "the body was cut on its way"),
        row(33, "CANNOT_READ_ALL_DATA", Retry, "the body was cut on its way"),
        row(36, "BAD_ARGUMENTS", Halt, "table, view or settings are not what this binary expects"),
        row(38, "CANNOT_PARSE_DATE", Bisect, "a value is not what its column takes"),
        row(
            39,
            "TOO_LARGE_SIZE_COMPRESSED",
            Retry,
            "the body was damaged on its way: its own size is far below the limit",
        ),
        row(40, "CHECKSUM_DOESNT_MATCH", Retry, "the body was damaged on its way"),
        row(41, "CANNOT_PARSE_DATETIME", Bisect, "a value is not what its column takes"),
        row(44, "ILLEGAL_COLUMN", Halt, "a column is of another type than this binary knows"),
        row(46, "UNKNOWN_FUNCTION", Halt, "the server is another version than this binary knows"),
        row(47, "UNKNOWN_IDENTIFIER", Halt, "a view names a column that is not there"),
        row(48, "NOT_IMPLEMENTED", Halt, "the server is another version than this binary knows"),
        row(49, "LOGICAL_ERROR", Halt, "a fault of the server"),
        row(50, "UNKNOWN_TYPE", Halt, "the table has a type that the format cannot carry"),
        row(53, "TYPE_MISMATCH", Halt, "a column's type, not a value of it, so every row would be at fault"),
        row(60, "UNKNOWN_TABLE", Halt, "the table is not there"),
        row(62, "SYNTAX_ERROR", Halt, "the server is another version than this binary knows"),
        row(69, "ARGUMENT_OUT_OF_BOUND", Bisect, "a value is outside of what its column holds"),
        row(70, "CANNOT_CONVERT_TYPE", Bisect, "a value cannot become what its column holds"),
        row(72, "CANNOT_PARSE_NUMBER", Bisect, "a value is not what its column takes"),
        row(73, "UNKNOWN_FORMAT", Halt, "the server was built without the format of the body"),
        row(74, "CANNOT_READ_FROM_FILE_DESCRIPTOR", Retry, "the server's disk or connection failed for a moment"),
        row(75, "CANNOT_WRITE_TO_FILE_DESCRIPTOR", Retry, "the server's disk or connection failed for a moment"),
        row(76, "CANNOT_OPEN_FILE", Retry, "the server's disk failed, or it has too many files open"),
        row(81, "UNKNOWN_DATABASE", Halt, "the database is not there"),
        row(89, "UNKNOWN_COMPRESSION_METHOD", Retry, "the body was damaged on its way"),
        row(95, "CANNOT_READ_FROM_SOCKET", Retry, "the network failed"),
        row(96, "CANNOT_WRITE_TO_SOCKET", Retry, "the network failed"),
        row(107, "FILE_DOESNT_EXIST", Halt, "the server's disk lost a file"),
        row(108, "NO_DATA_TO_INSERT", Retry, "the body did not arrive: none is sent empty"),
        row(115, "UNKNOWN_SETTING", Halt, "the server is older than what this binary supports"),
        row(117, "INCORRECT_DATA", Bisect, "a value, or the body around it, cannot be read"),
        row(122, "INCOMPATIBLE_COLUMNS", Halt, "table or view is not the one that this binary knows"),
        row(128, "TOO_LARGE_ARRAY_SIZE", Bisect, "a list is longer than the server takes"),
        row(130, "CANNOT_READ_ARRAY_FROM_TEXT", Bisect, "a value is not what its column takes"),
        row(131, "TOO_LARGE_STRING_SIZE", Bisect, "a text is longer than the server takes"),
        row(159, "TIMEOUT_EXCEEDED", Retry, "the server was slow"),
        row(160, "TOO_SLOW", Retry, "the server was slow"),
        row(164, "READONLY", Halt, "the user may only read"),
        row(173, "CANNOT_ALLOCATE_MEMORY", SlowDown, "the server's machine is out of memory"),
        row(192, "UNKNOWN_USER", Halt, "the user is not there"),
        row(193, "WRONG_PASSWORD", Halt, "the password is wrong"),
        row(194, "REQUIRED_PASSWORD", Halt, "a password is needed"),
        row(195, "IP_ADDRESS_NOT_ALLOWED", Halt, "the user may not come from here"),
        row(198, "DNS_ERROR", Retry, "a name was not found for a moment"),
        row(201, "QUOTA_EXCEEDED", Halt, "the user's quota is used up: it ends with its interval, or is raised"),
        row(202, "TOO_MANY_SIMULTANEOUS_QUERIES", SlowDown, "others are served first, and fewer, longer inserts help"),
        row(203, "NO_FREE_CONNECTION", SlowDown, "others are served first, and fewer, longer inserts help"),
        row(204, "CANNOT_FSYNC", Retry, "the server's disk failed for a moment"),
        row(209, "SOCKET_TIMEOUT", Retry, "the network was slow"),
        row(210, "NETWORK_ERROR", Retry, "the network failed"),
        row(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", AlreadyRunning, "an earlier attempt is still at work"),
        row(218, "TABLE_IS_DROPPED", Halt, "the table is being dropped"),
        row(236, "ABORTED", Retry, "the server was shutting down"),
        row(241, "MEMORY_LIMIT_EXCEEDED", SlowDown, "the server or the user has no memory left now"),
        row(242, "TABLE_IS_READ_ONLY", Halt, "the table's disk is read-only, or its replica lost its coordination"),
        row(243, "NOT_ENOUGH_SPACE", Halt, "the server's disk is full until somebody or a retention frees it"),
        row(246, "CORRUPTED_DATA", Retry, "the body was damaged on its way"),
        row(252, "TOO_MANY_PARTS", SlowDown, "merges must catch up, and fewer, longer inserts help"),
        row(271, "CANNOT_DECOMPRESS", Retry, "the body was damaged on its way"),
        row(285, "TOO_FEW_LIVE_REPLICAS", Retry, "replicas are away"),
        row(286, "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", Retry, "replicas are behind"),
        row(290, "LIMIT_EXCEEDED", SlowDown, "the server's limits for what waits are reached"),
        row(291, "DATABASE_ACCESS_DENIED", Halt, "the user may not use the database"),
        row(294, "CANNOT_WRITE_TO_FILE", Retry, "the server's disk failed for a moment"),
        row(319, "UNKNOWN_STATUS_OF_INSERT", Retry, "the replica lost its coordination"),
        row(321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE", Bisect, "a value is outside of what its column holds"),
        row(344, "SUPPORT_IS_DISABLED", Halt, "the server is configured against what is asked"),
        row(349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", Bisect, "a value is missing where the column needs one"),
        row(364, "RECEIVED_ERROR_TOO_MANY_REQUESTS", SlowDown, "others are served first, and fewer inserts help"),
        row(373, "SESSION_IS_LOCKED", Retry, "an earlier attempt holds the session"),
        row(376, "CANNOT_PARSE_UUID", Bisect, "a value is not what its column takes"),
        row(389, "INSERT_WAS_DEDUPLICATED", Retry, "the token is taken, and the read-back says by which rows"),
        row(394, "QUERY_WAS_CANCELLED", Retry, "the server was shutting down, or somebody killed the query"),
        row(396, "TOO_MANY_ROWS_OR_BYTES", Halt, "the user's limits are below the size of a batch"),
        row(407, "DECIMAL_OVERFLOW", Bisect, "a value is outside of what its column holds"),
        row(425, "SYSTEM_ERROR", Retry, "the server's machine failed for a moment"),
        row(439, "CANNOT_SCHEDULE_TASK", SlowDown, "the server has no thread left now"),
        row(452, "SETTING_CONSTRAINT_VIOLATION", Halt, "the user may not set what an insert needs"),
        row(467, "CANNOT_PARSE_BOOL", Bisect, "a value is not what its column takes"),
        row(469, "VIOLATED_CONSTRAINT", Bisect, "a row breaks a constraint that somebody put on the table"),
        row(473, "DEADLOCK_AVOIDED", Retry, "the table was locked for a moment"),
        row(497, "ACCESS_DENIED", Halt, "the user may not insert or read"),
        row(499, "S3_ERROR", Retry, "the server's storage failed for a moment"),
        row(516, "AUTHENTICATION_FAILED", Halt, "user or password is wrong"),
        row(574, "DISTRIBUTED_TOO_MANY_PENDING_BYTES", SlowDown, "the cluster must catch up"),
        row(636, "CANNOT_EXTRACT_TABLE_STRUCTURE", Halt, "the server cannot read the format's header"),
        row(677, "THREAD_WAS_CANCELED", Retry, "the server was shutting down"),
        row(691, "UNKNOWN_ELEMENT_OF_ENUM", Bisect, "a value is not one of its column's"),
        row(692, "TOO_MANY_MUTATIONS", SlowDown, "mutations must catch up"),
        row(720, "USER_EXPIRED", Halt, "the user's time is over"),
        row(733, "TABLE_IS_BEING_RESTARTED", Retry, "the table is back in a moment"),
        row(735, "QUERY_WAS_CANCELLED_BY_CLIENT", Retry, "the connection was closed under the query"),
        row(745, "SERVER_OVERLOADED", SlowDown, "the server's processors have too much to do"),
        row(762, "HTTP_CONNECTION_LIMIT_REACHED", SlowDown, "others are served first, and fewer connections help"),
        row(764, "DEDUPLICATION_IS_NOT_POSSIBLE", Halt, "the server cannot keep the promise of a token"),
        row(774, "TABLE_IS_PERMANENTLY_READ_ONLY", Halt, "the table's disk is read-only"),
        row(999, "KEEPER_EXCEPTION", Retry, "the coordination failed for a moment"),
        row(1000, "POCO_EXCEPTION", Retry, "the server's network or disk failed for a moment"),
        row(1001, "STD_EXCEPTION", Retry, "the server's disk or memory failed for a moment"),
        row(1002, "UNKNOWN_EXCEPTION", Retry, "the server does not say; most are of the moment"),
    ]
};

/// What to do about the error of this number; [`Remedy::Halt`] for one that is not listed, since nobody has thought
/// about it yet.
#[must_use]
pub fn remedy_of(code: u32) -> Remedy {
    KNOWN.binary_search_by_key(&code, |known| known.code).map_or(Remedy::Halt, |place| KNOWN[place].remedy)
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Remedy, remedy_of};

    #[test]
    fn the_table_is_in_order_and_every_row_has_a_reason() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].code < pair[1].code), "looked up by halving");
        assert!(KNOWN.iter().all(|known| !known.reason.is_empty()));
    }

    #[test]
    fn an_error_without_a_row_waits_for_a_person() {
        assert_eq!(remedy_of(252), Remedy::SlowDown);
        assert_eq!(remedy_of(1002), Remedy::Retry);
        assert_eq!(remedy_of(4_000), Remedy::Halt);
    }
}
