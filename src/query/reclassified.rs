//! What a later rule set says of stored events: rows of `reclassifications`, laid over those of `events`.
//!
//! Rows of `events` keep the verdict that they arrived with. Whoever shows, counts or judges classes takes its events through
//! [`Reclassified::lay_over`], or reads `classified_events` ([`Reclassified::events`]). As long as nothing in the range was
//! re-classified that costs one statement that is answered without reading a row, asked beside one that is needed anyway.
//!
//! The last run's word counts, and only for rows that were inserted before it: a row that was stored anew since (a replay of what
//! was lost) was classified anew.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::QueryError;
use super::sightings::{Extent, Span};
use super::statement::Statement;
use super::stored::{RowIdentity, StoredEvent};

/// Events asked about in one statement: their offsets are bound, and a statement's parameters have a limit.
const EVENTS_OF_A_STATEMENT: usize = 2_000;

/// Where in time re-classified events are, at the moment it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reclassified {
    span: Option<Span>,
}

#[derive(Deserialize)]
struct SpanRow {
    rows: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// The last word about one row.
#[derive(Deserialize)]
struct LaterVerdict {
    #[serde(flatten)]
    identity: RowIdentity,
    overlay_inserted_at: DateTime<Utc>,
    /// The columns of the verdict.
    #[serde(flatten)]
    verdict: Map<String, Value>,
}

impl Reclassified {
    /// Asks the store.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask(client: &Client) -> Result<Self, QueryError> {
        let rows: Vec<SpanRow> = Statement::new(client, "reclassified_span", include_str!("sql/reclassified_span.sql"))
            .reads_little()
            .rows()
            .await?;
        let span = rows.first().filter(|found| found.rows > 0).map(|found| (found.first, found.last));
        Ok(Self { span })
    }

    /// Whether an event between these moments (both inclusive) may have been re-classified.
    #[must_use]
    pub fn touches(self, (first, last): Span) -> bool {
        self.span.is_some_and(|(from, to)| from <= last && first <= to)
    }

    /// What to read in a statement that looks at classes of events between these moments: the table, or the view that lays
    /// later verdicts over it.
    #[must_use]
    pub fn events(self, span: Span) -> &'static str {
        if self.touches(span) { "classified_events" } else { "events" }
    }

    /// Gives each of these events the verdict that counts now.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn lay_over(self, client: &Client, events: &mut [StoredEvent]) -> Result<(), QueryError> {
        for events in events.chunks_mut(EVENTS_OF_A_STATEMENT) {
            if let Some(extent) = extent_of(events).filter(|extent| self.touches(extent.span)) {
                lay_over(events, reclassifications_of(client, events, &extent).await?);
            }
        }
        Ok(())
    }
}

/// A part of the table that holds these events; `None` for none.
fn extent_of(events: &[StoredEvent]) -> Option<Extent> {
    let times = || events.iter().map(|event| event.time);
    let names = |column: &str| events.iter().filter_map(|event| event.text(column)).collect::<BTreeSet<String>>();
    let any_without = |column: &str| events.iter().any(|event| event.str(column).is_none());
    Some(Extent {
        workspaces: names("workspace"),
        slugs: names("slug"),
        any_without_workspace: any_without("workspace"),
        any_without_slug: any_without("slug"),
        span: (times().min()?, times().max()?),
        connections: BTreeSet::new(),
    })
}

async fn reclassifications_of(
    client: &Client,
    events: &[StoredEvent],
    extent: &Extent,
) -> Result<Vec<LaterVerdict>, QueryError> {
    let offsets: BTreeSet<i64> = events.iter().filter_map(|event| event.integer("kafka_offset")).collect();
    Statement::new(client, "reclassifications_of", include_str!("sql/reclassifications_of.sql"))
        .bind("offsets", offsets)
        .bind_extent(extent)
        .reads_little()
        .rows()
        .await
}

/// Lays verdicts over the events whose rows they are about. Pure.
fn lay_over(events: &mut [StoredEvent], found: Vec<LaterVerdict>) {
    if found.is_empty() {
        return;
    }
    let mut by_row: HashMap<RowIdentity, LaterVerdict> =
        found.into_iter().map(|later| (later.identity.clone(), later)).collect();
    for event in events {
        let Some(later) = event.row_identity().and_then(|row| by_row.remove(&row)) else { continue };
        let inserted_at = event.str("inserted_at").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if inserted_at.is_none_or(|inserted_at| inserted_at <= later.overlay_inserted_at) {
            event.reclassify(later.verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{LaterVerdict, Reclassified, lay_over};
    use crate::classify::{Class, WhoActs};
    use crate::query::stored::StoredEvent;
    use crate::query::stored::tests::event;

    fn stored(offset: i64) -> StoredEvent {
        event(
            json!({"event_id": format!("e{offset}"), "class": "unclassified", "class_version": "1", "confidence": "weak",
            "who_acts": "unknown", "reason": "old", "evidence": {"message": "old"}, "inserted_at": "2026-11-22T10:00:02.000000Z",
            "kafka_topic": "t", "kafka_topic_id": "id", "kafka_partition": 1, "kafka_offset": offset, "kafka_index": 0}),
        )
    }

    fn later(members: Value) -> LaterVerdict {
        let mut row = json!({"kafka_topic": "t", "kafka_topic_id": "id", "kafka_partition": 1, "kafka_offset": 7, "kafka_index": 0,
            "class": "forbidden", "reason": null, "class_hop": "upstream", "who_acts": "workspace_admin", "rule": "r",
            "class_version": "2", "confidence": "certain", "evidence": {"http_status": "403"},
            "reclassified_at": "2026-11-23T10:00:00.000Z", "overlay_inserted_at": "2026-11-23T10:00:01.000000Z"});
        for (name, value) in members.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_later_verdict_replaces_the_stored_one_and_leaves_what_it_was() {
        let mut events = [stored(7), stored(8)];
        lay_over(&mut events, vec![later(json!({}))]);
        let [changed, untouched] = &events;
        assert_eq!((changed.class, changed.who_acts), (Class::Forbidden, WhoActs::WorkspaceAdmin));
        for (column, expected) in [
            ("class", Some("forbidden")),
            ("class_version", Some("2")),
            ("class_at_arrival", Some("unclassified")),
            ("class_version_at_arrival", Some("1")),
            ("reclassified_at", Some("2026-11-23T10:00:00.000Z")),
            ("reason", None),
            ("message", None),
        ] {
            assert_eq!(changed.str(column), expected, "{column}");
        }
        assert_eq!(changed.map("evidence").into_iter().collect::<Vec<_>>(), [("http_status".into(), "403".into())]);
        assert_eq!((untouched.class, untouched.str("class_at_arrival")), (Class::Unclassified, None));
    }

    #[test]
    fn a_verdict_counts_for_its_own_row_only_and_not_for_one_that_was_stored_anew_since() {
        for (case, members) in [
            ("another topic", json!({"kafka_topic": "u"})),
            ("a topic created anew", json!({"kafka_topic_id": "other"})),
            ("another partition", json!({"kafka_partition": 0})),
            ("another place of the record", json!({"kafka_index": 1})),
            ("stored after it", json!({"overlay_inserted_at": "2026-11-22T10:00:01.999000Z"})),
        ] {
            let mut events = [stored(7)];
            lay_over(&mut events, vec![later(members)]);
            assert_eq!(events[0].class, Class::Unclassified, "{case}");
        }
    }

    #[test]
    fn a_range_is_touched_where_it_overlaps() {
        let time = |text: &str| text.parse().unwrap();
        let (first, last) = (time("2026-11-22T10:00:00Z"), time("2026-11-22T12:00:00Z"));
        let some = Reclassified { span: Some((first, last)) };
        for (from, to, touches) in [
            ("2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", true),
            ("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z", true),
            ("2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z", true),
            ("2026-11-22T09:00:00Z", "2026-11-22T13:00:00Z", true),
            ("2026-11-22T09:00:00Z", "2026-11-22T09:59:59.999999Z", false),
            ("2026-11-22T12:00:00.000001Z", "2026-11-22T13:00:00Z", false),
        ] {
            let span = (time(from), time(to));
            assert_eq!(some.touches(span), touches, "{from} to {to}");
            assert_eq!(some.events(span) == "classified_events", touches);
            assert!(!Reclassified { span: None }.touches(span));
        }
    }
}
