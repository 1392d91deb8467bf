//! Where a record came from, and when.

use chrono::{DateTime, Utc};

/// Identity of a row: topic, partition, offset, and the index within the record (one record may hold many events).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KafkaPosition {
    /// Topic name.
    pub topic: std::sync::Arc<str>,
    /// The topic's id, which a topic created anew under the same name does not share; `None` when unknown.
    pub topic_id: Option<std::sync::Arc<str>>,
    /// Partition number, from 0.
    pub partition: i32,
    /// Offset within the partition, from 0.
    pub offset: i64,
    /// Place of the event within its record, from 0.
    pub index: u32,
}

/// The record's own timestamp (Kafka `CreateTime` or `LogAppendTime`; over HTTP the time of receipt).
///
/// Event times are judged against it and never against the wall clock, so that a replay decides the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordTime(pub DateTime<Utc>);
