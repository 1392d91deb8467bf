//! Why a record was refused: one variant a stable code.
//!
//! A code is a promise: dead letters, metrics, the HTTP answer and the invalid examples of the contract all name it. The
//! sentence says what is wrong and, where it can, what to send instead; it never repeats a value from the record, which
//! might hold a secret.

use thiserror::Error;

/// Why a record was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// No value, or an empty one.
    #[error("the record is empty: send one CloudEvent as a JSON object")]
    EmptyRecord,
    /// Larger than the configured size.
    #[error("the record has {bytes} bytes, more than the {limit} allowed: leave out tool arguments and results")]
    RecordTooLarge {
        /// Size of the record in bytes.
        bytes: usize,
        /// The configured limit in bytes.
        limit: usize,
    },
    /// Not UTF-8 (RFC 8259 §8.1 requires it).
    #[error("the record is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// Bytes before the first one that is not UTF-8.
        valid_up_to: usize,
    },
    /// Not JSON, or cut off.
    #[error("the record is not JSON: the fault is at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1 (0 at the start of a line).
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the record is JSON but not an object: send one CloudEvent a record")]
    NotAnObject,
    /// A value nested deeper than any sensible event.
    #[error("`{field}` is nested more than {limit} levels deep")]
    NestedTooDeep {
        /// Path of the member.
        field: String,
        /// The limit in levels.
        limit: usize,
    },
    /// `specversion` other than 1.0.
    #[error("`specversion` is not \"1.0\", the only version this contract knows")]
    UnsupportedSpecversion,
    /// A required member is missing, null or empty.
    #[error("`{field}` is required and is missing, null or empty")]
    MissingField {
        /// Path of the member.
        field: String,
    },
    /// A member has the wrong type or is out of range.
    #[error("`{field}` has the wrong type or is out of range: {expected}")]
    InvalidField {
        /// Path of the member.
        field: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The same key twice in one object.
    #[error("`{field}` is given twice in one object")]
    DuplicateField {
        /// Path of the member.
        field: String,
    },
    /// An identifier longer than the limit.
    #[error("`{field}` has {bytes} bytes, more than the {limit} an id may have")]
    IdTooLong {
        /// Path of the member.
        field: String,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// `time` is no RFC 3339 date and time.
    #[error("`time` is not an RFC 3339 date and time with an offset, such as 2026-11-22T10:00:00.123456Z")]
    BadTime,
    /// `time` lies too far ahead of the record's own timestamp.
    #[error(
        "`time` is {seconds} s ahead of the record's timestamp, more than the {limit_seconds} s allowed: set the clock of the gateway"
    )]
    TimeInFuture {
        /// How far ahead, in seconds.
        seconds: i64,
        /// The limit in seconds.
        limit_seconds: i64,
    },
    /// `time` lies before what is kept.
    #[error("`time` is {days} days before the record's timestamp, older than the {limit_days} days that are kept")]
    TimeTooOld {
        /// How old, in days.
        days: i64,
        /// The retention in days.
        limit_days: i64,
    },
    /// More attributes than allowed, unknown members included.
    #[error("more than {limit} attributes, members outside the contract included")]
    TooManyAttributes {
        /// The limit.
        limit: usize,
    },
}

impl DecodeError {
    /// Every code there is, for the contract's tests and the documentation.
    pub const CODES: &'static [&'static str] = &[
        "empty_record",
        "record_too_large",
        "not_utf8",
        "not_json",
        "not_an_object",
        "nested_too_deep",
        "unsupported_specversion",
        "missing_field",
        "invalid_field",
        "duplicate_field",
        "id_too_long",
        "bad_time",
        "time_in_future",
        "time_too_old",
        "too_many_attributes",
    ];

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyRecord => "empty_record",
            Self::RecordTooLarge { .. } => "record_too_large",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NestedTooDeep { .. } => "nested_too_deep",
            Self::UnsupportedSpecversion => "unsupported_specversion",
            Self::MissingField { .. } => "missing_field",
            Self::InvalidField { .. } => "invalid_field",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::IdTooLong { .. } => "id_too_long",
            Self::BadTime => "bad_time",
            Self::TimeInFuture { .. } => "time_in_future",
            Self::TimeTooOld { .. } => "time_too_old",
            Self::TooManyAttributes { .. } => "too_many_attributes",
        }
    }

    /// Path of the member at fault, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::NestedTooDeep { field, .. }
            | Self::MissingField { field }
            | Self::InvalidField { field, .. }
            | Self::DuplicateField { field }
            | Self::IdTooLong { field, .. } => Some(field),
            Self::BadTime | Self::TimeInFuture { .. } | Self::TimeTooOld { .. } => Some("time"),
            Self::UnsupportedSpecversion => Some("specversion"),
            Self::TooManyAttributes { .. } => Some("data.attributes"),
            Self::EmptyRecord
            | Self::RecordTooLarge { .. }
            | Self::NotUtf8 { .. }
            | Self::NotJson { .. }
            | Self::NotAnObject => None,
        }
    }
}

/// What to tell someone about a code, where the record itself is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What is wrong with such a record.
    pub meaning: &'static str,
    /// What to change at the sender.
    pub change: &'static str,
}

/// The advice for a code; `None` for a code that is none of [`DecodeError::CODES`].
#[must_use]
pub fn advice(code: &str) -> Option<Advice> {
    let (meaning, change) = match code {
        "empty_record" => ("no value, or an empty one", "send each event as one JSON object on one line"),
        "record_too_large" => {
            ("larger than is taken", "leave out tool arguments and results, they are not stored anyway")
        }
        "not_utf8" => ("the bytes are not UTF-8", "encode the text as UTF-8"),
        "not_json" => ("not one complete JSON value", "write the event with a JSON library, one line an event"),
        "not_an_object" => ("JSON, but not an object", "send each event as one JSON object on one line"),
        "nested_too_deep" => ("objects and arrays too deep in one another", "flatten the member, or leave it out"),
        "unsupported_specversion" => ("not CloudEvents 1.0", "set specversion to \"1.0\""),
        "missing_field" => (
            "a required member is missing, null or empty",
            "set the member; if the value is not known, the event cannot be used",
        ),
        "invalid_field" => (
            "a member has another type than in the contract, or is out of range",
            "send the type that schemas/events/v1.schema.json names, or leave the member out",
        ),
        "duplicate_field" => ("a name twice in one object", "give the member once"),
        "id_too_long" => ("an id is longer than ids may be", "send a shorter id, for example a UUID or a hash"),
        "bad_time" => ("time is not RFC 3339 with an offset", "send the time of the step as RFC 3339 with an offset"),
        "time_in_future" => {
            ("time is ahead of the moment the record was sent", "set the clock of the gateway, or its time zone")
        }
        "time_too_old" => {
            ("time is before what is kept", "send events when they happen; older ones are past the retention")
        }
        "too_many_attributes" => ("more attributes than are taken", "send fewer attributes"),
        _ => return None,
    };
    Some(Advice { meaning, change })
}

#[cfg(test)]
mod tests {
    use super::{DecodeError, advice};

    #[test]
    fn every_code_has_its_advice_and_nothing_else_has() {
        for code in DecodeError::CODES {
            let advice = advice(code).unwrap_or_else(|| panic!("{code} has no advice"));
            for text in [advice.meaning, advice.change] {
                assert!(text.len() > 10 && !text.ends_with('.'), "{code}: {text}");
            }
        }
        assert_eq!(advice("no_such_code"), None);
    }
}
