//! Dead letters that are still to be replayed, by position: of a topic, then of its id, a partition, an offset.
//!
//! One that a replay has stored is done, and so is one whose record is gone. One that was refused again is still pending:
//! the next change may make it good.

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::filter::TimeRange;
use super::statement::Statement;

/// A dead letter, as far as reading its record again needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PendingDeadLetter {
    /// Topic name.
    pub topic: String,
    /// The topic's id when it was refused.
    pub topic_id: Option<String>,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Place within the record, from 0.
    pub index: u32,
    /// Why it was refused.
    pub code: String,
    /// The record's timestamp.
    pub received_at: DateTime<Utc>,
    /// The record's size.
    pub record_bytes: u64,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct PendingFilter {
    /// Only with this code.
    pub code: Option<String>,
    /// Only of this topic.
    pub topic: Option<String>,
    /// Only records of this time.
    pub times: TimeRange,
}

/// The next dead letters after one, in order of their positions, at most `limit`.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn pending_dead_letters(
    client: &Client,
    filter: &PendingFilter,
    after: Option<&PendingDeadLetter>,
    limit: u32,
) -> Result<Vec<PendingDeadLetter>, QueryError> {
    Statement::new(client, "pending_dead_letters", include_str!("sql/pending_dead_letters.sql"))
        .may_take_seconds(120)
        .bind_time("from", filter.times.from)
        .bind_time("to", filter.times.to)
        .bind("code", &filter.code)
        .bind("topic", &filter.topic)
        .bind("after_topic", after.map(|letter| letter.topic.as_str()))
        .bind("after_topic_id", after.and_then(|letter| letter.topic_id.as_deref()).unwrap_or_default())
        .bind("after_partition", after.map_or(0, |letter| letter.partition))
        .bind("after_offset", after.map_or(0, |letter| letter.offset))
        .bind("after_index", after.map_or(0, |letter| letter.index))
        .bind("row_limit", limit)
        .rows()
        .await
}
