//! Between which moments events name an id: the `lookup` table bounds what is read of `events`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;

/// How far clocks of gateways are expected to be apart.
pub const SKEW_ALLOWANCE: TimeDelta = TimeDelta::seconds(2);

/// A first and a last moment, both inclusive.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// Between which moments events name an id.
#[derive(Debug, Clone, Deserialize)]
pub struct Bounds {
    kind: String,
    id: String,
    earliest: DateTime<Utc>,
    latest: DateTime<Utc>,
}

/// The shortest span that holds the bounds of a kind; `None` when there are none.
#[must_use]
pub fn span(bounds: &[Bounds], kind: &str, ids: &[String]) -> Option<Span> {
    let of_kind = || bounds.iter().filter(|bounds| bounds.kind == kind && ids.contains(&bounds.id));
    Some((of_kind().map(|bounds| bounds.earliest).min()?, of_kind().map(|bounds| bounds.latest).max()?))
}

/// The days that a look-up has to search; `None` when nothing is known about them.
type Days = Option<(NaiveDate, NaiveDate)>;

/// The first and the last day of ClickHouse's `Date`, about: every day there is.
const EVERY_DAY: (&str, &str) = ("1970-01-01", "2149-01-01");

/// The days near the moments that the ids themselves name (UUID version 7, RFC 9562 §5.7); all of them must name one.
fn days_near(ids: &[String]) -> Days {
    let minted: Vec<DateTime<Utc>> = ids.iter().map(|id| time_of_id(id)).collect::<Option<_>>()?;
    let (first, last) = (*minted.iter().min()?, *minted.iter().max()?);
    Some(((first - TimeDelta::days(1)).date_naive(), (last + TimeDelta::days(7)).date_naive()))
}

/// How long a request usually lasts at most.
const USUAL_DURATION: TimeDelta = TimeDelta::minutes(5);

/// Where the events of a request most likely are, by the moment that its id itself names: good enough to read there
/// while the bounds are still being looked up.
#[must_use]
pub fn likely_span(request_id: &str) -> Option<Span> {
    let minted = time_of_id(request_id)?;
    Some((minted - SKEW_ALLOWANCE, minted + USUAL_DURATION))
}

/// Whether one span lies within another.
#[must_use]
pub fn holds(outer: Span, inner: Span) -> bool {
    outer.0 <= inner.0 && inner.1 <= outer.1
}

/// When an id was minted, if it is a UUID of version 7 of a year that can be.
#[must_use]
pub fn time_of_id(id: &str) -> Option<DateTime<Utc>> {
    use chrono::Datelike as _;
    let uuid = uuid::Uuid::try_parse(id).ok().filter(|uuid| uuid.get_version_num() == 7)?;
    let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)?;
    (2000..2100).contains(&time.year()).then_some(time)
}

/// The bounds of each of these ids, as `kind` and as each of the `further` kinds; nothing for what no event names.
///
/// They are looked for near the days that the ids name, and on every day where that does not find each id as a `kind`.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn bounds_of(
    client: &Client,
    kind: &str,
    further: &[&str],
    ids: &[String],
) -> Result<Vec<Bounds>, QueryError> {
    let kinds = [&[kind], further].concat();
    let days = days_near(ids);
    let bounds = lookup_bounds(client, &kinds, ids, days).await?;
    let is_found = |id: &String| bounds.iter().any(|bounds| bounds.kind == kind && bounds.id == *id);
    if days.is_none() || ids.iter().all(is_found) {
        return Ok(bounds);
    }
    lookup_bounds(client, &kinds, ids, None).await
}

async fn lookup_bounds(client: &Client, kinds: &[&str], ids: &[String], days: Days) -> Result<Vec<Bounds>, QueryError> {
    let (first_day, last_day) = match days {
        Some((first, last)) => (first.to_string(), last.to_string()),
        None => (EVERY_DAY.0.to_owned(), EVERY_DAY.1.to_owned()),
    };
    Statement::new(client, "lookup_bounds", include_str!("sql/lookup_bounds.sql"))
        .bind("kinds", kinds)
        .bind("ids", ids)
        .bind("first_day", first_day)
        .bind("last_day", last_day)
        .reads_little()
        .rows()
        .await
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{days_near, holds, likely_span, time_of_id};

    const MINTED: &str = "019aab12-3456-7abc-8def-0123456789ab";
    const MINTED_A_DAY_LATER: &str = "019ab038-9056-7abc-8def-0123456789ab";

    #[test]
    fn an_id_of_version_7_names_its_moment_and_others_do_not() {
        assert_eq!(time_of_id(MINTED).unwrap().date_naive().to_string(), "2025-11-22");
        for id in
            ["", "req-1", "019aab12-3456-4abc-8def-0123456789ab", "ffffffff-ffff-7fff-bfff-ffffffffffff", "' OR 1=1"]
        {
            assert_eq!(time_of_id(id), None, "{id}");
        }
    }

    #[test]
    fn a_request_is_likely_where_its_id_says_and_elsewhere_it_is_not_looked_over() {
        let (likely, minted) = (likely_span(MINTED).unwrap(), time_of_id(MINTED).unwrap());
        for (first_seconds, last_seconds, expected) in
            [(0, 1, true), (-2, 300, true), (-3, 1, false), (0, 301, false), (-3, 301, false), (400, 401, false)]
        {
            let own = (minted + TimeDelta::seconds(first_seconds), minted + TimeDelta::seconds(last_seconds));
            assert_eq!(holds(likely, own), expected, "{first_seconds} to {last_seconds}");
        }
        assert_eq!(likely_span("req-1"), None);
    }

    #[test]
    fn the_days_to_search_hold_those_of_every_id_or_are_unknown() {
        let cases: [(&[&str], &str); 5] = [
            (&[MINTED], "2025-11-21 to 2025-11-29"),
            (&[MINTED, MINTED_A_DAY_LATER], "2025-11-21 to 2025-11-30"),
            (&[MINTED_A_DAY_LATER, MINTED], "2025-11-21 to 2025-11-30"),
            (&[MINTED, "req-1"], "unknown"),
            (&[], "unknown"),
        ];
        for (ids, expected) in cases {
            let owned: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            let days = days_near(&owned).map_or("unknown".to_owned(), |(first, last)| format!("{first} to {last}"));
            assert_eq!(days, expected, "{ids:?}");
        }
    }
}
