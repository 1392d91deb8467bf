//! What a list is narrowed to, checked before anything is asked of the store.
//!
//! Every value is bound, never written into SQL; the checks here give bad input its own code and sentence.

use chrono::{DateTime, TimeDelta, Utc};

use super::error::QueryError;
use super::page::is_storable;
use crate::classify::Class;
use crate::decode::DecodeError;
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Hop, Outcome};

/// Longest id or filter value, in bytes; the same bound as in the event contract.
pub const MAX_ID_BYTES: usize = 200;
/// How far back a search goes when `from` is absent.
const DEFAULT_SEARCH_HOURS: i64 = 24;
/// How far back the list of refused records goes when `from` is absent.
const DEFAULT_DEAD_LETTER_HOURS: i64 = 24;
/// How far back the ledger of refreshes goes when `from` is absent: the usual life of a refresh token.
const DEFAULT_LEDGER_DAYS: i64 = 30;

/// A time range, `from` included, `to` left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// First moment inside.
    pub from: DateTime<Utc>,
    /// First moment after it.
    pub to: DateTime<Utc>,
}

impl TimeRange {
    /// The range of two optional ends: `to` defaults to `now`, `from` to `default_length` before `to`.
    ///
    /// # Errors
    /// [`QueryError::EmptyRange`] when `from` is not before `to`; [`QueryError::BadTime`] when the store can't hold it.
    pub fn of(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        default_length: TimeDelta,
    ) -> Result<Self, QueryError> {
        // One second more than now: an event of this very moment is inside.
        let to = to.unwrap_or(now + TimeDelta::seconds(1));
        if !is_storable(to) {
            return Err(QueryError::BadTime { name: "to" });
        }
        let from = from.unwrap_or(to - default_length);
        if !is_storable(from) {
            return Err(QueryError::BadTime { name: "from" });
        }
        if from >= to {
            return Err(QueryError::EmptyRange);
        }
        Ok(Self { from, to })
    }
}

/// Reads a time: RFC 3339, or `-2h` back from `now` (units s, m, h, d).
///
/// # Errors
/// [`QueryError::BadTime`] when it is neither, or out of the range that can be stored.
pub fn parse_time(name: &'static str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, QueryError> {
    let time = match text.strip_prefix('-') {
        Some(back) => parse_span(back).and_then(|span| now.checked_sub_signed(span)),
        // A `+` in a query string that nobody encoded arrives as a space.
        None => DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|time| time.with_timezone(&Utc)),
    };
    time.filter(|time| is_storable(*time)).ok_or(QueryError::BadTime { name })
}

fn parse_span(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = number.parse().ok()?;
    match unit {
        's' => TimeDelta::try_seconds(count),
        'm' => TimeDelta::try_minutes(count),
        'h' => TimeDelta::try_hours(count),
        'd' => TimeDelta::try_days(count),
        _ => None,
    }
}

/// Checks an id as it came in.
///
/// # Errors
/// [`QueryError::BadId`] when it is empty, longer than [`MAX_ID_BYTES`], or holds control characters.
pub fn check_id(name: &'static str, id: &str) -> Result<(), QueryError> {
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(QueryError::BadId { name });
    }
    Ok(())
}

fn check_each(values: &[(&'static str, &Option<String>)]) -> Result<(), QueryError> {
    values
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .try_for_each(|(name, value)| check_id(name, value))
}

fn check_member<E: ClosedEnum>(name: &'static str, value: Option<&str>) -> Result<(), QueryError> {
    let names: Vec<&str> = E::KNOWN.iter().map(|member| member.as_str()).collect();
    match value {
        Some(value) if value != "unknown" && !names.contains(&value) => {
            Err(QueryError::BadFilter { name, allowed: names.join(", ") })
        }
        _ => Ok(()),
    }
}

/// What a search of requests is narrowed to. Each filter holds when some event of the request satisfies it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Workspace.
    pub workspace: Option<String>,
    /// Slug of the server.
    pub slug: Option<String>,
    /// User at the gateway.
    pub user_id: Option<String>,
    /// Client name.
    pub client: Option<String>,
    /// Class of a failure; `none`: no event failed.
    pub class: Option<String>,
    /// The hop that refused.
    pub hop: Option<String>,
    /// How the request ended.
    pub outcome: Option<String>,
    /// Tool called.
    pub tool: Option<String>,
    /// Issuer of the authorization server.
    pub issuer: Option<String>,
    /// First moment; 24 hours before `to` when absent.
    pub from: Option<DateTime<Utc>>,
    /// First moment after; now when absent.
    pub to: Option<DateTime<Utc>>,
    /// Words inside a message, whatever their case.
    pub q: Option<String>,
}

impl RequestFilter {
    /// The time range, once every value is in order.
    ///
    /// # Errors
    /// [`QueryError`] naming the first value that is not.
    pub fn checked_range(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        check_each(&[
            ("workspace", &self.workspace),
            ("slug", &self.slug),
            ("user_id", &self.user_id),
            ("client", &self.client),
            ("tool", &self.tool),
            ("issuer", &self.issuer),
            ("q", &self.q),
        ])?;
        check_member::<Class>("class", self.class.as_deref())?;
        check_member::<Hop>("hop", self.hop.as_deref())?;
        check_member::<Outcome>("outcome", self.outcome.as_deref())?;
        TimeRange::of(self.from, self.to, now, TimeDelta::hours(DEFAULT_SEARCH_HOURS))
    }
}

/// What the ledger of refreshes is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefreshFilter {
    /// Workspace.
    pub workspace: Option<String>,
    /// Slug of the server.
    pub slug: Option<String>,
    /// User at the gateway.
    pub user_id: Option<String>,
    /// Connection (workspace, slug, user or shared, issuer) as a keyed hash.
    pub connection_id: Option<String>,
    /// How the attempt ended.
    pub outcome: Option<String>,
    /// First moment; 30 days before `to` when absent.
    pub from: Option<DateTime<Utc>>,
    /// First moment after; now when absent.
    pub to: Option<DateTime<Utc>>,
}

impl RefreshFilter {
    /// The time range, once every value is in order.
    ///
    /// # Errors
    /// [`QueryError`] naming the first value that is not.
    pub fn checked_range(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        check_each(&[
            ("workspace", &self.workspace),
            ("slug", &self.slug),
            ("user_id", &self.user_id),
            ("connection_id", &self.connection_id),
        ])?;
        check_member::<Outcome>("outcome", self.outcome.as_deref())?;
        TimeRange::of(self.from, self.to, now, TimeDelta::days(DEFAULT_LEDGER_DAYS))
    }
}

/// What the list of refused records is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Why they were refused: one of [`DecodeError::CODES`].
    pub code: Option<String>,
    /// Kafka topic.
    pub topic: Option<String>,
    /// Kafka partition, from 0.
    pub partition: Option<i32>,
    /// First moment of receipt; 24 hours before `to` when absent.
    pub from: Option<DateTime<Utc>>,
    /// First moment after; now when absent.
    pub to: Option<DateTime<Utc>>,
}

impl DeadLetterFilter {
    /// The time range, once every value is in order.
    ///
    /// # Errors
    /// [`QueryError`] naming the first value that is not.
    pub fn checked_range(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        check_each(&[("topic", &self.topic)])?;
        if self.code.as_deref().is_some_and(|code| !DecodeError::CODES.contains(&code)) {
            return Err(QueryError::BadFilter { name: "code", allowed: DecodeError::CODES.join(", ") });
        }
        TimeRange::of(self.from, self.to, now, TimeDelta::hours(DEFAULT_DEAD_LETTER_HOURS))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{DeadLetterFilter, RequestFilter, check_id, parse_time};

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn times_are_rfc_3339_or_back_from_now() {
        let cases = [
            ("2026-11-22T09:00:00.5Z", Some("2026-11-22T09:00:00.5Z")),
            ("2026-11-22T09:00:00+02:00", Some("2026-11-22T07:00:00Z")),
            ("2026-11-22T09:00:00 02:00", Some("2026-11-22T07:00:00Z")),
            ("-90s", Some("2026-11-22T09:58:30Z")),
            ("-30m", Some("2026-11-22T09:30:00Z")),
            ("-2h", Some("2026-11-22T08:00:00Z")),
            ("-7d", Some("2026-11-15T10:00:00Z")),
            ("-2", None),
            ("-h", None),
            ("--2h", None),
            ("-2µ", None),
            ("-99999999999999999999d", None),
            ("-9999999d", None),
            ("yesterday", None),
            ("2026-13-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected: Option<DateTime<Utc>> = expected.map(|time| time.parse().unwrap());
            let time = parse_time("from", text, now());
            assert_eq!(time.as_ref().ok().copied(), expected, "{text}");
            if expected.is_none() {
                assert_eq!(time.unwrap_err().code(), "bad_time");
            }
        }
    }

    #[test]
    fn an_id_is_1_to_200_bytes_without_control_characters() {
        for id in ["a", "it's \"quoted\" / and % spaced", "'; DROP TABLE events; --", &"x".repeat(200)] {
            assert!(check_id("request_id", id).is_ok(), "{id}");
        }
        for id in ["", "a\nb", "a\0b", "\u{85}", &"x".repeat(201), &"x".repeat(10_000)] {
            assert_eq!(check_id("request_id", id).unwrap_err().code(), "bad_id");
        }
    }

    #[test]
    fn a_filter_names_its_first_fault() {
        let earlier = now() - chrono::TimeDelta::hours(1);
        let cases = [
            (RequestFilter::default(), None),
            (RequestFilter { class: Some("refresh_failure".into()), ..Default::default() }, None),
            (RequestFilter { class: Some("no_such".into()), ..Default::default() }, Some("bad_filter")),
            (RequestFilter { hop: Some("sideways".into()), ..Default::default() }, Some("bad_filter")),
            (RequestFilter { q: Some("x".repeat(201)), ..Default::default() }, Some("bad_id")),
            (RequestFilter { from: Some(now()), to: Some(earlier), ..Default::default() }, Some("bad_time")),
        ];
        for (filter, code) in cases {
            assert_eq!(filter.checked_range(now()).err().map(|error| error.code()), code, "{filter:?}");
        }
    }

    #[test]
    fn refused_records_are_narrowed_by_a_code_that_exists() {
        let cases = [
            (DeadLetterFilter::default(), None),
            (DeadLetterFilter { code: Some("bad_time".into()), partition: Some(3), ..Default::default() }, None),
            (DeadLetterFilter { code: Some("bad_tiem".into()), ..Default::default() }, Some("bad_filter")),
            (DeadLetterFilter { topic: Some("x".repeat(201)), ..Default::default() }, Some("bad_id")),
            (DeadLetterFilter { from: Some(now()), to: Some(now()), ..Default::default() }, Some("bad_time")),
        ];
        for (filter, code) in cases {
            assert_eq!(filter.checked_range(now()).err().map(|error| error.code()), code, "{filter:?}");
        }
        let range = DeadLetterFilter::default().checked_range(now()).unwrap();
        assert_eq!(range.to - range.from, chrono::TimeDelta::hours(24));
    }
}
