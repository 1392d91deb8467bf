//! Rows of `ingest_reconciliations`: one a checked range. Encodes only.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::writer::Insert;

/// What a check of one range found. Numbers are of offsets where not said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Topic name.
    pub kafka_topic: String,
    /// The topic's id, when it is known.
    pub kafka_topic_id: Option<String>,
    /// Partition, from 0.
    pub kafka_partition: i32,
    /// First offset of the range.
    pub first_offset: i64,
    /// Offset after the last one.
    pub next_offset: i64,
    /// Distinct offsets that Kafka delivered.
    pub delivered: u64,
    /// Raw rows of `events`.
    pub rows: u64,
    /// Raw rows of `dead_letters`.
    pub dead_letters: u64,
    /// Records left out on purpose.
    pub dropped: u64,
    /// Offsets that `ingest_gaps` names.
    pub gaps: u64,
    /// Offsets of which nothing can be said: Kafka no longer has them, or retention may have taken their rows.
    pub unchecked: u64,
    /// Offsets that were delivered and have no row.
    pub lost: u64,
    /// Rows that are stored once too often.
    pub duplicates: u64,
}

#[derive(Serialize)]
struct Row<'r> {
    checked_at: &'r str,
    #[serde(flatten)]
    found: &'r Reconciliation,
}

/// The insert of these rows, `None` when there is none.
///
/// # Errors
/// Never in practice: every member is plain text or a number.
pub fn reconciliation_insert(
    found: &[Reconciliation],
    checked_at: DateTime<Utc>,
) -> Result<Option<Insert>, StoreError> {
    if found.is_empty() {
        return Ok(None);
    }
    let checked_at = checked_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut body = Vec::with_capacity(found.len() * 320);
    for found in found {
        serde_json::to_writer(&mut body, &Row { checked_at: &checked_at, found })?;
        body.push(b'\n');
    }
    let token = format!("v1:reconciled:{}", hex::encode(Sha256::digest(&body)));
    Ok(Some(Insert { table: "ingest_reconciliations", format: "JSONEachRow", body: Bytes::from(body), token }))
}
