//! Rows of `ingest_gaps`: offsets that Kafka lost before they were stored. Encodes only; the runner decides what a gap is.
//!
//! The table replaces a row by its equal, so a gap may be inserted again under another token at any time.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::error::StoreError;
use super::writer::Insert;

/// Why offsets can never be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Retention (or a deletion of records) took them before they were read.
    Retention,
    /// The log ends before the committed offset: a leader without the newest records was elected.
    LogTruncated,
}

impl GapReason {
    /// The value of `ingest_gaps.reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::LogTruncated => "log_truncated",
        }
    }
}

/// A range of offsets of one partition that Kafka no longer has: `first` up to, not including, `next`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Topic name.
    pub topic: Arc<str>,
    /// The topic's id; `None` when the broker does not tell.
    pub topic_id: Option<Arc<str>>,
    /// Partition, from 0.
    pub partition: i32,
    /// First offset that is gone.
    pub first: i64,
    /// Offset after the last one that is gone.
    pub next: i64,
    /// Why.
    pub reason: GapReason,
}

#[derive(Serialize)]
struct GapRow<'g> {
    kafka_topic: &'g str,
    kafka_topic_id: Option<&'g str>,
    kafka_partition: i32,
    first_offset: i64,
    next_offset: i64,
    reason: GapReason,
}

/// The insert of one gap. Its token holds everything that names the gap, so that noticing it twice stores one row.
///
/// # Errors
/// Never in practice: every member is plain text or a number.
pub fn gap_insert(gap: &Gap) -> Result<Insert, StoreError> {
    let Gap { topic, topic_id, partition, first, next, reason } = gap;
    let row = GapRow {
        kafka_topic: topic,
        kafka_topic_id: topic_id.as_deref(),
        kafka_partition: *partition,
        first_offset: *first,
        next_offset: *next,
        reason: *reason,
    };
    let epoch = topic_id.as_deref().unwrap_or("-");
    Ok(Insert {
        table: "ingest_gaps",
        format: "JSONEachRow",
        body: Bytes::from(serde_json::to_vec(&row)?),
        token: format!("v1:gap:{epoch}:{topic}:{partition}:{first}:{next}"),
    })
}

#[cfg(test)]
mod tests {
    use super::{Gap, GapReason, gap_insert};

    #[test]
    fn a_gap_is_one_row_under_a_token_that_names_it() {
        let gap = Gap {
            topic: "t".into(),
            topic_id: Some("id".into()),
            partition: 3,
            first: 10,
            next: 25,
            reason: GapReason::LogTruncated,
        };
        let insert = gap_insert(&gap).unwrap();
        assert_eq!((insert.table, insert.token.as_str()), ("ingest_gaps", "v1:gap:id:t:3:10:25"));
        let row: serde_json::Value = serde_json::from_slice(&insert.body).unwrap();
        assert_eq!(
            row,
            serde_json::json!({"kafka_topic": "t", "kafka_topic_id": "id", "kafka_partition": 3, "first_offset": 10,
                "next_offset": 25, "reason": "log_truncated"})
        );
        let unknown = gap_insert(&Gap { topic_id: None, ..gap }).unwrap();
        assert_eq!(unknown.token, "v1:gap:-:t:3:10:25");
    }
}
