//! Rows of `reclassifications`: what later rules say of rows of `events`. Encodes only.
//!
//! The same verdict about the same row may be inserted any number of times: the table keeps the last word of each row.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::writer::Insert;

/// A later verdict about one row of `events`; what is unknown is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reclassification<'v> {
    /// When the event happened, in the store's own spelling.
    pub time: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub type_name: &'v str,
    /// Workspace of the row.
    pub workspace: Option<&'v str>,
    /// Slug of the row.
    pub slug: Option<&'v str>,
    /// Topic of the row.
    pub kafka_topic: &'v str,
    /// The topic's id.
    pub kafka_topic_id: Option<&'v str>,
    /// Partition, from 0.
    pub kafka_partition: i64,
    /// Offset of the record.
    pub kafka_offset: i64,
    /// Place within the record, from 0.
    pub kafka_index: i64,
    /// What went wrong.
    pub class: &'static str,
    /// Finer than the class.
    pub reason: Option<&'v str>,
    /// The hop that refused.
    pub class_hop: &'static str,
    /// Who has to act.
    pub who_acts: &'static str,
    /// Id of the rule that decided.
    pub rule: &'v str,
    /// Version of the rules.
    pub class_version: &'v str,
    /// How sure the rule is.
    pub confidence: &'static str,
    /// What the rule looked at, by column.
    pub evidence: BTreeMap<&'static str, &'v str>,
}

#[derive(Serialize)]
struct Row<'r, 'v> {
    reclassified_at: &'r str,
    #[serde(flatten)]
    verdict: &'r Reclassification<'v>,
}

/// The insert of these rows, `None` when there is none. `began_at` is when the run began, by the store's clock.
///
/// # Errors
/// Never in practice: every member is plain text or a number.
pub fn reclassification_insert(
    verdicts: &[Reclassification<'_>],
    began_at: DateTime<Utc>,
) -> Result<Option<Insert>, StoreError> {
    if verdicts.is_empty() {
        return Ok(None);
    }
    let reclassified_at = began_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut body = Vec::with_capacity(verdicts.len() * 512);
    for verdict in verdicts {
        serde_json::to_writer(&mut body, &Row { reclassified_at: &reclassified_at, verdict })?;
        body.push(b'\n');
    }
    let token = format!("v1:reclassified:{}", hex::encode(Sha256::digest(&body)));
    Ok(Some(Insert { table: "reclassifications", format: "JSONEachRow", body: Bytes::from(body), token }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Reclassification, reclassification_insert};
    use crate::store::body::{column_names, row_count};

    fn verdict(offset: i64) -> Reclassification<'static> {
        Reclassification {
            time: "2026-11-23T10:00:00.000120Z".into(),
            type_name: "mcp.auth.token",
            workspace: None,
            slug: Some("wiki"),
            kafka_topic: "t",
            kafka_topic_id: None,
            kafka_partition: 1,
            kafka_offset: offset,
            kafka_index: 0,
            class: "forbidden",
            reason: None,
            class_hop: "upstream",
            who_acts: "workspace_admin",
            rule: "r",
            class_version: "2",
            confidence: "certain",
            evidence: [("message", "not \"yours\"")].into(),
        }
    }

    #[test]
    fn each_verdict_is_a_line_that_names_its_row_and_its_run() {
        let began = "2026-11-24T10:00:00.123Z".parse().unwrap();
        let insert = reclassification_insert(&[verdict(4), verdict(5)], began).unwrap().unwrap();
        assert_eq!((insert.table, row_count(&insert).unwrap()), ("reclassifications", 2));
        let line: Value = serde_json::from_slice(insert.body.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        assert_eq!(
            line,
            json!({"time": "2026-11-23T10:00:00.000120Z", "type": "mcp.auth.token", "workspace": null, "slug": "wiki",
                "kafka_topic": "t", "kafka_topic_id": null, "kafka_partition": 1, "kafka_offset": 4, "kafka_index": 0,
                "class": "forbidden", "reason": null, "class_hop": "upstream", "who_acts": "workspace_admin", "rule": "r",
                "class_version": "2", "confidence": "certain", "evidence": {"message": "not \"yours\""},
                "reclassified_at": "2026-11-24T10:00:00.123Z"})
        );
        assert!(column_names(&insert).unwrap().contains(&"reclassified_at".to_owned()));
        assert!(reclassification_insert(&[], began).unwrap().is_none());
    }

    #[test]
    fn another_run_or_another_row_has_another_token() {
        let token = |offset, began: &str| {
            reclassification_insert(&[verdict(offset)], began.parse().unwrap()).unwrap().unwrap().token
        };
        let first = token(4, "2026-11-24T10:00:00Z");
        assert_eq!(first, token(4, "2026-11-24T10:00:00Z"));
        assert_ne!(first, token(5, "2026-11-24T10:00:00Z"));
        assert_ne!(first, token(4, "2026-11-24T10:00:01Z"));
    }
}
