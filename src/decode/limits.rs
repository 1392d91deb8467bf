//! The bounds of what is accepted, and the judgement of an event's time against its record.

use chrono::{DateTime, Duration, Utc};

use super::error::DecodeError;
use crate::event::RecordTime;

/// Longest identifier, in bytes.
pub const ID_BYTES: usize = 200;
/// Most attributes of an event, members outside the contract included.
pub const ATTRIBUTES: usize = 64;
/// Deepest nesting of a member outside the contract, in levels.
pub const DEPTH: usize = 64;
/// How far an event's time may lie ahead of its record's timestamp, in seconds.
pub const AHEAD_SECONDS: i64 = 3_600;

/// What an operator may set.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest record, in bytes.
    pub record_bytes: usize,
    /// How many days events are kept: an older one is refused.
    pub retention_days: i64,
}

impl Default for Limits {
    /// 1 MiB a record, 90 days.
    fn default() -> Self {
        Self { record_bytes: 1_048_576, retention_days: 90 }
    }
}

/// Parses an RFC 3339 date and time (§5.6) with `T` and an offset.
///
/// # Errors
/// [`DecodeError::BadTime`] for anything else; a bad time is never replaced.
pub fn parse_time(text: &str) -> Result<DateTime<Utc>, DecodeError> {
    // chrono also takes a space for the `T` and a typographic minus sign, which the contract does not.
    if !text.is_ascii() || !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return Err(DecodeError::BadTime);
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|_| DecodeError::BadTime)
}

/// Judges an event's time against its record's timestamp, never against the wall clock, so that a replay decides the same.
///
/// # Errors
/// [`DecodeError::TimeInFuture`] or [`DecodeError::TimeTooOld`].
pub fn judge_time(time: DateTime<Utc>, record: RecordTime, limits: &Limits) -> Result<(), DecodeError> {
    let ahead = time - record.0;
    if ahead > Duration::seconds(AHEAD_SECONDS) {
        return Err(DecodeError::TimeInFuture { seconds: ahead.num_seconds(), limit_seconds: AHEAD_SECONDS });
    }
    let age = record.0 - time;
    if age > Duration::days(limits.retention_days) {
        return Err(DecodeError::TimeTooOld { days: age.num_days(), limit_days: limits.retention_days });
    }
    Ok(())
}

/// How deeply a JSON text is nested, 0 for a scalar. The text must be valid JSON.
#[must_use]
pub fn depth_of(json: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{depth_of, parse_time};

    #[test]
    fn times_are_rfc_3339_or_refused() {
        for good in ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.123456+02:00", "2026-11-22t10:00:00z"] {
            assert!(parse_time(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "now",
            "2026-11-22",
            "2026-11-22 10:00:00Z",
            "2026-11-22T10:00:00",
            "1795341600",
            "2026-02-30T10:00:00Z",
        ] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth_of("1"), 0);
        assert_eq!(depth_of(r#"{"a":[{"b":"[[[\"{{"}]}"#), 3);
    }
}
