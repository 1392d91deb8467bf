//! Rows of `dead_letter_replays`: which dead letters were put through again, and what became of them. Encodes only.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::writer::Insert;

/// What became of a dead letter that was put through again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// It is an event now.
    Stored,
    /// It is refused again, with this code.
    StillRefused(String),
    /// Its record could not be read again: retention, compaction, or a topic created anew.
    GoneFromKafka,
}

impl ReplayOutcome {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::StillRefused(_) => "still_refused",
            Self::GoneFromKafka => "gone_from_kafka",
        }
    }
}

/// One dead letter that was put through again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Topic name.
    pub topic: String,
    /// The topic's id, as in the dead letter.
    pub topic_id: Option<String>,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset of the record.
    pub offset: i64,
    /// Place within the record, from 0.
    pub index: u32,
    /// Timestamp of the record, as in the dead letter.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub outcome: ReplayOutcome,
}

#[derive(Serialize)]
struct Row<'r> {
    kafka_topic: &'r str,
    kafka_topic_id: Option<&'r str>,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_index: u32,
    received_at: String,
    replayed_at: &'r str,
    outcome: &'static str,
    code: Option<&'r str>,
}

/// The insert of these rows, `None` when there is none.
///
/// # Errors
/// Never in practice: every member is plain text or a number.
pub fn replay_insert(replayed: &[Replayed], replayed_at: DateTime<Utc>) -> Result<Option<Insert>, StoreError> {
    if replayed.is_empty() {
        return Ok(None);
    }
    let replayed_at = replayed_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut body = Vec::with_capacity(replayed.len() * 256);
    for letter in replayed {
        let code = if let ReplayOutcome::StillRefused(code) = &letter.outcome { Some(code.as_str()) } else { None };
        let row = Row {
            kafka_topic: &letter.topic,
            kafka_topic_id: letter.topic_id.as_deref(),
            kafka_partition: letter.partition,
            kafka_offset: letter.offset,
            kafka_index: letter.index,
            received_at: letter.received_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            replayed_at: &replayed_at,
            outcome: letter.outcome.as_str(),
            code,
        };
        serde_json::to_writer(&mut body, &row)?;
        body.push(b'\n');
    }
    let token = format!("v1:replays:{}", hex::encode(Sha256::digest(&body)));
    Ok(Some(Insert { table: "dead_letter_replays", format: "JSONEachRow", body: Bytes::from(body), token }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ReplayOutcome, Replayed, replay_insert};

    #[test]
    fn each_replayed_letter_is_a_line_with_its_outcome() {
        let time = "2026-11-23T10:00:00.000120Z".parse().unwrap();
        let letter = |offset, outcome| Replayed {
            topic: "t".into(),
            topic_id: None,
            partition: 1,
            offset,
            index: 0,
            received_at: time,
            outcome,
        };
        let letters = [
            letter(4, ReplayOutcome::Stored),
            letter(7, ReplayOutcome::StillRefused("not_json".into())),
            letter(9, ReplayOutcome::GoneFromKafka),
        ];
        let insert = replay_insert(&letters, time).unwrap().unwrap();
        let lines: Vec<Value> =
            insert.body.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let outcomes: Vec<&Value> = lines.iter().map(|line| &line["outcome"]).collect();
        assert_eq!(outcomes, ["stored", "still_refused", "gone_from_kafka"]);
        assert_eq!(
            lines[1],
            json!({"kafka_topic": "t", "kafka_topic_id": null, "kafka_partition": 1, "kafka_offset": 7, "kafka_index": 0,
                "received_at": "2026-11-23T10:00:00.000120Z", "replayed_at": "2026-11-23T10:00:00.000Z",
                "outcome": "still_refused", "code": "not_json"})
        );
        assert_eq!(lines[0]["code"], Value::Null);
        assert!(replay_insert(&[], time).unwrap().is_none());
        let other = replay_insert(&letters[..1], time).unwrap().unwrap();
        assert_ne!(other.token, insert.token, "other rows, another token");
    }
}
