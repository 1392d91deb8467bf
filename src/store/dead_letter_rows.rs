//! Rows of `dead_letters`: few, so they travel as JSON lines.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::span::Identity;
use super::writer::Insert;
use crate::event::KafkaPosition;

/// One refused record: why, where it lies, and a scrubbed excerpt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    kafka_topic: String,
    kafka_topic_id: Option<String>,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_index: u32,
    received_at: String,
    code: &'static str,
    field: Option<String>,
    detail: String,
    excerpt: String,
    record_bytes: usize,
}

/// Why a record was refused; all text already scrubbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: &'static str,
    /// Path of the member at fault.
    pub field: Option<String>,
    /// The sentence.
    pub detail: String,
    /// The beginning of the record.
    pub excerpt: String,
    /// Its whole size in bytes.
    pub record_bytes: usize,
}

impl DeadLetter {
    /// The row for a refusal.
    #[must_use]
    pub fn new(refusal: Refusal, position: &KafkaPosition, received_at: DateTime<Utc>) -> Self {
        Self {
            kafka_topic: position.topic.to_string(),
            kafka_topic_id: position.topic_id.as_deref().map(str::to_owned),
            kafka_partition: position.partition,
            kafka_offset: position.offset,
            kafka_index: position.index,
            received_at: received_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            code: refusal.code,
            field: refusal.field,
            detail: refusal.detail,
            excerpt: refusal.excerpt,
            record_bytes: refusal.record_bytes,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// Which rows an insert of dead letters has, and the code of each.
///
/// # Errors
/// When the body was not made by [`encode`].
pub fn refusals_of(insert: &Insert) -> Result<Vec<(Identity, String)>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Line {
        kafka_offset: i64,
        kafka_index: u32,
        code: String,
    }
    let lines = insert.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let Line { kafka_offset, kafka_index, code } = serde_json::from_slice(line)?;
            Ok((Identity { offset: kafka_offset, index: kafka_index }, code))
        })
        .collect()
}

/// The rows as JSON lines.
///
/// # Errors
/// Never in practice: every member is plain text or a number.
pub fn encode(letters: &[DeadLetter]) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Vec::with_capacity(letters.len() * 512);
    for letter in letters {
        serde_json::to_writer(&mut body, letter)?;
        body.push(b'\n');
    }
    Ok(body)
}
