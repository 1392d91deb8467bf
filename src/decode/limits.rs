//! The bounds of what is accepted, and the judgement of an event's time against its record.

use chrono::{DateTime, Duration, NaiveDate, Utc};

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
    if let Some(time) = usual_time(text) {
        return Ok(time);
    }
    // chrono also takes a space for the `T` and a typographic minus sign, which the contract does not.
    if !text.is_ascii() || !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return Err(DecodeError::BadTime);
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|_| DecodeError::BadTime)
}

/// The form nearly every producer sends, `2026-11-22T10:00:00.123456Z`, without asking for any other; leap seconds are another.
fn usual_time(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    let has_marks = bytes.len() >= 20
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().all(|(at, mark)| bytes[*at] == *mark)
        && bytes.ends_with(b"Z");
    if !has_marks {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let end = bytes.len() - 1;
    let nanoseconds = match bytes[19] {
        b'Z' if end == 19 => 0,
        b'.' if (21..=29).contains(&end) => number(20, end)? * 10_u32.pow(u32::try_from(29 - end).ok()?),
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    let second = number(17, 19).filter(|second| *second < 60)?;
    Some(date.and_hms_nano_opt(number(11, 13)?, number(14, 16)?, second, nanoseconds)?.and_utc())
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_usual_form_is_read_as_any_other(text in "(2026|0000|[0-9]{4})-(0[1-9]|1[0-2]|[0-9]{2})-([0-2][0-9]|[0-9]{2})[Tt](1[0-9]|[0-9]{2}):[0-9]{2}:([0-5][0-9]|6[01])(\\.[0-9]{0,10})?(Z|z|\\+00:00)") {
            let known = chrono::DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
            prop_assert_eq!(parse_time(&text).ok(), known);
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth_of("1"), 0);
        assert_eq!(depth_of(r#"{"a":[{"b":"[[[\"{{"}]}"#), 3);
    }
}
