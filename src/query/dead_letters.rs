//! Refused records: which ones, newest first, and how many by code.
//!
//! A record's place in Kafka (topic, partition, offset, index in an array) tells it apart: one that was stored twice is
//! listed and counted once. The record itself is not here, only its scrubbed excerpt.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::error::QueryError;
use super::filter::DeadLetterFilter;
use super::page::{List, Page, Paged, Position};
use super::statement::Statement;
use super::stored::micros;

/// One refused record. What is unknown is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterSummary {
    /// The record's timestamp in Kafka.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub received_at: DateTime<Utc>,
    /// Why it was refused: a stable code of the event contract.
    pub code: String,
    /// Path of the member at fault, where one is.
    pub field: Option<String>,
    /// What is wrong, as a sentence.
    pub detail: String,
    /// The beginning of the record, at most 1,000 characters, without secrets.
    pub excerpt: String,
    /// Size of the whole record in bytes.
    pub record_bytes: u64,
    /// Where it lies: the topic.
    pub kafka_topic: String,
    /// The topic's own id: another one after the topic was made anew.
    pub kafka_topic_id: Option<String>,
    /// Where it lies: the partition.
    pub kafka_partition: i32,
    /// Where it lies: the offset in the partition.
    pub kafka_offset: i64,
    /// Which event of the record, from 0.
    pub kafka_index: u32,
    /// What has become of it: `refused`, or after `gatetrail replay` `replayed` (it is an event now), `still_refused` or
    /// `gone_from_kafka`.
    pub state: String,
    /// When it was replayed last.
    #[serde(serialize_with = "optional_micros")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub replayed_at: Option<DateTime<Utc>>,
    /// The code with which the last replay refused it again.
    pub replay_code: Option<String>,
}

fn optional_micros<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => micros(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// One page of refused records, with the counts of the whole range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetterList {
    /// The records, newest first.
    pub items: Vec<DeadLetterSummary>,
    /// Hand it back as `cursor` for the next page; `null` on the last one.
    pub next_cursor: Option<String>,
    /// How many records of the range, topic and partition were refused, by code: of every code, also when one is asked for.
    pub counts: BTreeMap<String, u64>,
}

/// A row as read: `record_position` is what the statement sorts records of the same time by.
#[derive(Debug, Deserialize)]
struct Found {
    record_position: String,
    #[serde(flatten)]
    letter: DeadLetterSummary,
}

#[derive(Debug, Deserialize)]
struct CodeCount {
    code: String,
    records: u64,
}

/// The refused records that a filter finds, and the counts beside them.
///
/// # Errors
/// As [`dead_letters`].
pub async fn dead_letter_list(
    client: &Client,
    filter: &DeadLetterFilter,
    page: &Page,
    now: DateTime<Utc>,
) -> Result<DeadLetterList, QueryError> {
    let (letters, counts) =
        tokio::try_join!(dead_letters(client, filter, page, now), dead_letter_counts(client, filter, now))?;
    Ok(DeadLetterList { items: letters.items, next_cursor: letters.next_cursor, counts })
}

/// The refused records that a filter finds.
///
/// # Errors
/// `bad_id`, `bad_filter` or `bad_time` when the filter is not in order; otherwise what keeps the store from answering.
pub async fn dead_letters(
    client: &Client,
    filter: &DeadLetterFilter,
    page: &Page,
    now: DateTime<Utc>,
) -> Result<Paged<DeadLetterSummary>, QueryError> {
    let range = filter.checked_range(now)?;
    let found: Vec<Found> = Statement::new(client, "dead_letters", include_str!("sql/dead_letters.sql"))
        .bind_time("from", range.from)
        .bind_time("to", range.to)
        .bind("code", &filter.code)
        .bind("topic", &filter.topic)
        .bind("partition", filter.partition)
        .bind_after(page)
        .bind("row_limit", page.limit() + 1)
        .rows()
        .await?;
    let paged = Paged::from_one_more(List::DeadLetters, page, found, |row| Position {
        time: row.letter.received_at,
        id: row.record_position.clone(),
    });
    let items = paged.items.into_iter().map(|row| row.letter).collect();
    Ok(Paged { items, next_cursor: paged.next_cursor })
}

/// How many records were refused in the range, topic and partition of a filter, by code, whatever code it asks for.
///
/// # Errors
/// As [`dead_letters`].
pub async fn dead_letter_counts(
    client: &Client,
    filter: &DeadLetterFilter,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, u64>, QueryError> {
    let range = filter.checked_range(now)?;
    let counts: Vec<CodeCount> =
        Statement::new(client, "dead_letter_counts", include_str!("sql/dead_letter_counts.sql"))
            .bind_time("from", range.from)
            .bind_time("to", range.to)
            .bind("topic", &filter.topic)
            .bind("partition", filter.partition)
            .rows()
            .await?;
    Ok(counts.into_iter().map(|count| (count.code, count.records)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Found;

    #[test]
    fn a_row_is_answered_without_its_position_and_with_its_nulls() {
        let row = json!({
            "received_at": "2026-11-22T10:00:00.120000Z", "code": "not_json", "field": null, "detail": "d", "excerpt": "e",
            "record_bytes": 48, "kafka_topic": "t", "kafka_topic_id": null, "kafka_partition": 0, "kafka_offset": 14,
            "kafka_index": 0, "state": "replayed", "replayed_at": "2026-11-22T11:00:00.000000Z", "replay_code": null,
            "record_position": "t  0000000000 0000000000000000014 0000000000",
        });
        let found: Found = serde_json::from_value(row.clone()).unwrap();
        let mut expected = row;
        let position = expected.as_object_mut().unwrap().remove("record_position").unwrap();
        assert_eq!(found.record_position, position);
        assert_eq!(serde_json::to_value(&found.letter).unwrap(), expected);
    }
}
