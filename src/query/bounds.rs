//! Between which moments events name an id: the `lookup` table bounds what is read of `events`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;

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
pub type Days = Option<(NaiveDate, NaiveDate)>;

/// The first and the last day of ClickHouse's `Date`, about: every day there is.
const EVERY_DAY: (&str, &str) = ("1970-01-01", "2149-01-01");

/// The days near the moment that the id itself names (UUID version 7, RFC 9562 §5.7).
#[must_use]
pub fn days_near(id: &str) -> Days {
    let time = time_of_id(id)?;
    Some(((time - TimeDelta::days(1)).date_naive(), (time + TimeDelta::days(7)).date_naive()))
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

/// The bounds of each of these ids as each of these kinds; nothing for what no event names.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn lookup_bounds(
    client: &Client,
    kinds: &[&str],
    ids: &[String],
    days: Days,
) -> Result<Vec<Bounds>, QueryError> {
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
    use super::{days_near, time_of_id};

    #[test]
    fn an_id_of_version_7_names_its_day_and_others_do_not() {
        let time = time_of_id("019aab12-3456-7abc-8def-0123456789ab").unwrap();
        assert_eq!(time.date_naive().to_string(), "2025-11-22");
        assert_eq!(days_near("019aab12-3456-7abc-8def-0123456789ab").unwrap().0.to_string(), "2025-11-21");
        for id in
            ["", "req-1", "019aab12-3456-4abc-8def-0123456789ab", "ffffffff-ffff-7fff-bfff-ffffffffffff", "' OR 1=1"]
        {
            assert_eq!(time_of_id(id), None, "{id}");
            assert_eq!(days_near(id), None, "{id}");
        }
    }
}
