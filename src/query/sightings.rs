//! As what, where and when events name an id: the `lookup` table narrows what is read of `events` to a few granules.
//!
//! The table is keyed by a hash of the id, whatever kind of id it is. Two ids with one hash cost a granule that is read in
//! vain, never a wrong event: whoever reads `events` compares the ids themselves.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc, Weekday};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::id_hash::id_hash;
use super::id_time::time_of_id;
use super::statement::Statement;

/// A first and a last moment, both inclusive.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// That events of one workspace and slug name an id.
#[derive(Debug, Clone, Deserialize)]
pub struct Sighting {
    id_hash: u64,
    /// As what: `request`, `caused_by`, `flow`, `connection` and others.
    pub kind: String,
    workspace: Option<String>,
    slug: Option<String>,
    /// Whole seconds, rounded down.
    first_time: DateTime<Utc>,
    last_time: DateTime<Utc>,
    /// [`super::id_hash::short_hash`] of the connection that these events name; 0 for none, and for other kinds.
    connection: u32,
}

/// A part of `events` that holds every event of some sightings, and others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Their workspaces.
    pub workspaces: BTreeSet<String>,
    /// Their slugs.
    pub slugs: BTreeSet<String>,
    /// Whether some have no workspace.
    pub any_without_workspace: bool,
    /// Whether some have no slug.
    pub any_without_slug: bool,
    /// Between which moments they are.
    pub span: Span,
    /// The connections that they name, as short hashes.
    pub connections: BTreeSet<u32>,
}

impl Extent {
    /// The part that holds what either of two parts holds, and perhaps more.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.workspaces.extend(other.workspaces);
        self.slugs.extend(other.slugs);
        self.connections.extend(other.connections);
        Self {
            any_without_workspace: self.any_without_workspace || other.any_without_workspace,
            any_without_slug: self.any_without_slug || other.any_without_slug,
            span: (self.span.0.min(other.span.0), self.span.1.max(other.span.1)),
            ..self
        }
    }

    /// The part that holds the sightings of this kind of any of these ids; `None` when there are none.
    #[must_use]
    pub fn of(sightings: &[Sighting], kind: &str, ids: &[String]) -> Option<Self> {
        let hashes: Vec<u64> = ids.iter().map(|id| id_hash(id)).collect();
        let fitting: Vec<&Sighting> =
            sightings.iter().filter(|sighting| sighting.kind == kind && hashes.contains(&sighting.id_hash)).collect();
        let first = fitting.iter().map(|sighting| sighting.first_time).min()?;
        let last = fitting.iter().map(|sighting| sighting.last_time).max()?;
        Some(Self {
            workspaces: fitting.iter().filter_map(|sighting| sighting.workspace.clone()).collect(),
            slugs: fitting.iter().filter_map(|sighting| sighting.slug.clone()).collect(),
            any_without_workspace: fitting.iter().any(|sighting| sighting.workspace.is_none()),
            any_without_slug: fitting.iter().any(|sighting| sighting.slug.is_none()),
            span: (first, last + TimeDelta::seconds(1)),
            connections: fitting
                .iter()
                .map(|sighting| sighting.connection)
                .filter(|connection| *connection != 0)
                .collect(),
        })
    }
}

/// The weeks that are searched, by their Mondays, both inclusive; `None` for every week there is.
type Weeks = Option<(NaiveDate, NaiveDate)>;

/// The first and the last day of ClickHouse's `Date`, about.
const EVERY_DAY: (&str, &str) = ("1970-01-01", "2149-01-01");

/// How far from the moment that an id names its events are looked for: for clocks that are off, and for what comes later.
const NEAR: Days = Days::new(1);

/// The weeks (by their Monday) near the moments that the ids themselves name; all of them must name one.
fn weeks_near(ids: &[String]) -> Weeks {
    let minted: Vec<DateTime<Utc>> = ids.iter().map(|id| time_of_id(id)).collect::<Option<_>>()?;
    let (first, last) = (*minted.iter().min()?, *minted.iter().max()?);
    let week_of = |day: NaiveDate| day.week(Weekday::Mon).first_day();
    Some((week_of(first.date_naive() - NEAR), week_of(last.date_naive() + NEAR)))
}

/// Every sighting of these ids, of any kind.
///
/// They are looked for in the weeks that the ids name, and in every week where that does not find each id as a `kind`.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn sightings_of(client: &Client, kind: &str, ids: &[String]) -> Result<Vec<Sighting>, QueryError> {
    let weeks = weeks_near(ids);
    let sightings = lookup_sightings(client, ids, weeks).await?;
    let is_found = |id: &String| Extent::of(&sightings, kind, std::slice::from_ref(id)).is_some();
    if weeks.is_none() || ids.iter().all(is_found) {
        return Ok(sightings);
    }
    lookup_sightings(client, ids, None).await
}

/// As what kinds of id, of those that are no request's, a value was seen, sorted.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn other_kinds_of(client: &Client, id: &str) -> Result<Vec<String>, QueryError> {
    let sightings = lookup_sightings(client, &[id.to_owned()], None).await?;
    let others = sightings.into_iter().map(|sighting| sighting.kind);
    let kinds: BTreeSet<String> = others.filter(|kind| kind != "request" && kind != "caused_by").collect();
    Ok(kinds.into_iter().collect())
}

async fn lookup_sightings(client: &Client, ids: &[String], weeks: Weeks) -> Result<Vec<Sighting>, QueryError> {
    let (first_week, last_week) = match weeks {
        Some((first, last)) => (first.to_string(), last.to_string()),
        None => (EVERY_DAY.0.to_owned(), EVERY_DAY.1.to_owned()),
    };
    let hashes: Vec<u64> = ids.iter().map(|id| id_hash(id)).collect();
    Statement::new(client, "lookup_sightings", include_str!("sql/lookup_sightings.sql"))
        .bind("id_hashes", hashes)
        .bind("first_week", first_week)
        .bind("last_week", last_week)
        .reads_little()
        .rows()
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Extent, Sighting, weeks_near};
    use crate::query::id_hash::id_hash;

    const MINTED: &str = "019aab12-3456-7abc-8def-0123456789ab";
    const MINTED_A_DAY_LATER: &str = "019ab038-9056-7abc-8def-0123456789ab";

    #[test]
    fn the_weeks_to_search_hold_those_of_every_id_or_are_unknown() {
        let cases: [(&[&str], &str); 5] = [
            (&[MINTED], "2025-11-17 to 2025-11-17"),
            (&[MINTED, MINTED_A_DAY_LATER], "2025-11-17 to 2025-11-24"),
            (&[MINTED_A_DAY_LATER, MINTED], "2025-11-17 to 2025-11-24"),
            (&[MINTED, "req-1"], "unknown"),
            (&[], "unknown"),
        ];
        for (ids, expected) in cases {
            let owned: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            let weeks = weeks_near(&owned).map_or("unknown".to_owned(), |(first, last)| format!("{first} to {last}"));
            assert_eq!(weeks, expected, "{ids:?}");
        }
    }

    fn sighting(id: &str, kind: &str, slug: Option<&str>, first: &str, last: &str, connection: u32) -> Sighting {
        let time = |time: &str| format!("2026-11-22T10:{time}Z");
        serde_json::from_value(json!({"id_hash": id_hash(id), "kind": kind, "workspace": "acme", "slug": slug,
            "first_time": time(first), "last_time": time(last), "connection": connection}))
        .unwrap()
    }

    #[test]
    fn an_extent_holds_every_sighting_of_its_kind_and_ids_and_no_other() {
        let sightings = [
            sighting("r", "request", Some("github"), "00:05", "00:06", 1),
            sighting("r", "request", None, "00:01", "00:02", 2),
            sighting("r", "request", None, "00:01", "00:01", 0),
            sighting("r", "caused_by", Some("wiki"), "30:00", "30:00", 0),
            sighting("other", "request", Some("jira"), "50:00", "50:00", 3),
        ];
        let ids = ["r".to_owned()];
        let extent = Extent::of(&sightings, "request", &ids).unwrap();
        assert_eq!(extent.workspaces.iter().collect::<Vec<_>>(), ["acme"]);
        assert_eq!(extent.slugs.iter().collect::<Vec<_>>(), ["github"]);
        assert_eq!((extent.any_without_workspace, extent.any_without_slug), (false, true));
        assert_eq!(extent.connections.iter().copied().collect::<Vec<_>>(), [1, 2]);
        let (first, last) = extent.span;
        // The last second is counted in full.
        assert_eq!(
            (first.to_rfc3339(), last.to_rfc3339()),
            ("2026-11-22T10:00:01+00:00".into(), "2026-11-22T10:00:07+00:00".into())
        );
        assert_eq!(Extent::of(&sightings, "flow", &ids), None);
    }
}
