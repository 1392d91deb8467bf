//! Reads all columns of located events, in one statement where there are not a great many.
//!
//! The statement addresses rows by what the table's order and partitions can prune (workspace, slug, time) and by their
//! offset. What else coincides is dropped here, by the exact position.

use std::collections::{BTreeSet, HashMap};

use clickhouse::Client;

use super::error::QueryError;
use super::locate::{Located, Position};
use super::statement::{Statement, store_time};
use super::stored::{Relation, StoredEvent};

/// Most rows that one statement asks for: its lists stay far below the 128 KiB that the server takes in a parameter
/// (its setting `http_max_field_value_size`).
const ROWS_AT_ONCE: usize = 1000;

/// The events that were located, in no order; each comes with the relation that was found for it.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn events_at(client: &Client, mut located: Vec<(Located, Relation)>) -> Result<Vec<StoredEvent>, QueryError> {
    located.sort_by_key(|(row, _)| row.time);
    let mut events = Vec::with_capacity(located.len());
    for part in located.chunks(ROWS_AT_ONCE) {
        let read = read_at(client, part).await?;
        events.extend(with_relations(read, part));
    }
    Ok(events)
}

async fn read_at(client: &Client, located: &[(Located, Relation)]) -> Result<Vec<StoredEvent>, QueryError> {
    let rows = || located.iter().map(|(row, _)| row);
    let times: BTreeSet<String> = rows().map(|row| store_time(row.time)).collect();
    let offsets: BTreeSet<i64> = rows().map(|row| row.position.kafka_offset).collect();
    let workspaces: BTreeSet<&str> = rows().filter_map(|row| row.workspace.as_deref()).collect();
    let slugs: BTreeSet<&str> = rows().filter_map(|row| row.slug.as_deref()).collect();
    Statement::new(client, "events_at", include_str!("sql/events_at.sql"))
        .bind("times", times)
        .bind("offsets", offsets)
        .bind("workspaces", workspaces)
        .bind("any_without_workspace", rows().any(|row| row.workspace.is_none()))
        .bind("slugs", slugs)
        .bind("any_without_slug", rows().any(|row| row.slug.is_none()))
        .reads_little()
        .rows()
        .await
}

/// The events that were asked for, once each, with their relations. Pure.
fn with_relations(read: Vec<StoredEvent>, located: &[(Located, Relation)]) -> Vec<StoredEvent> {
    let mut relations: HashMap<&Position, Relation> =
        located.iter().map(|(row, relation)| (&row.position, *relation)).collect();
    let mut events = Vec::with_capacity(located.len());
    for mut event in read {
        if let Some(relation) = position_of(&event).and_then(|position| relations.remove(&position)) {
            event.relation = relation;
            events.push(event);
        }
    }
    events
}

fn position_of(event: &StoredEvent) -> Option<Position> {
    Some(Position {
        kafka_topic: event.str("kafka_topic")?.to_owned(),
        kafka_partition: event.integer("kafka_partition")?,
        kafka_offset: event.integer("kafka_offset")?,
        kafka_index: event.integer("kafka_index")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::with_relations;
    use crate::query::locate::Located;
    use crate::query::stored::tests::event;
    use crate::query::stored::{Relation, StoredEvent};

    fn located(event_id: &str, partition: i64, index: i64) -> Located {
        serde_json::from_value(json!({
            "source": "//gateway/a", "event_id": event_id, "time": "2026-11-22T10:00:00.000000Z", "workspace": null,
            "slug": "github", "kafka_topic": "events", "kafka_partition": partition, "kafka_offset": 7,
            "kafka_index": index,
        }))
        .unwrap()
    }

    fn stored(event_id: &str, topic: &str, partition: i64, index: i64) -> StoredEvent {
        event(json!({"event_id": event_id, "kafka_topic": topic, "kafka_partition": partition, "kafka_offset": 7,
            "kafka_index": index}))
    }

    #[test]
    fn rows_at_other_positions_are_dropped_and_relations_are_put_on() {
        let asked = [(located("a", 0, 0), Relation::Request), (located("b", 1, 2), Relation::Connection)];
        let read = vec![
            stored("b", "events", 1, 2),
            stored("other index", "events", 1, 1),
            stored("other partition", "events", 2, 0),
            stored("other topic", "elsewhere", 0, 0),
            stored("a", "events", 0, 0),
            stored("stored twice", "events", 0, 0),
        ];
        let events = with_relations(read, &asked);
        let found: Vec<(&str, Relation)> =
            events.iter().map(|event| (event.event_id.as_str(), event.relation)).collect();
        assert_eq!(found, [("b", Relation::Connection), ("a", Relation::Request)]);
    }
}
