//! One row of `events` as it is read: the members that decide, typed, and every known column for the timeline.
//!
//! A row comes in the form of `sql/event_columns.sql`: packed ids as hexadecimal digits, and groups of columns as objects,
//! which are opened here; or with columns under their own names. NULL columns, empty maps and lists are left out; a list
//! that was *sent* empty stays, as `[]`. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::classify::{Class, Confidence, WhoActs};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, Hop, Outcome};
use crate::store::packed_id::{pack, unpack};

/// How an event came into a timeline; the order is the order of closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It carries the request's id.
    #[default]
    Request,
    /// It belongs to a request that this one retries or continues.
    CausedBy,
    /// It belongs to a request that retries or continues this one.
    Retry,
    /// It belongs to the same sign-in attempt.
    Flow,
    /// It belongs to the same connection (user and server), shortly before or during the request.
    Connection,
    /// It belongs to the same trace as the request, which holds other requests as well, so that nobody can tell whose it is.
    Trace,
}

/// Which row of `events` a stored event is: (topic, topic id, partition, offset, index).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct RowIdentity {
    /// Topic name.
    #[serde(rename = "kafka_topic")]
    pub topic: String,
    /// The topic's id; empty when it was unknown.
    #[serde(rename = "kafka_topic_id")]
    pub topic_id: String,
    /// Partition, from 0.
    #[serde(rename = "kafka_partition")]
    pub partition: i64,
    /// Offset of the record.
    #[serde(rename = "kafka_offset")]
    pub offset: i64,
    /// Place within the record, from 0.
    #[serde(rename = "kafka_index")]
    pub index: i64,
}

/// One stored event.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// How it came into the timeline.
    pub relation: Relation,
    /// With `source` it identifies the event.
    pub event_id: String,
    /// The reporter.
    pub source: String,
    /// The type as sent.
    pub type_name: String,
    /// What the type stands for.
    pub kind: EventKind,
    /// When it happened, by the reporter's clock.
    pub time: DateTime<Utc>,
    /// Which boundary it is about.
    pub hop: Hop,
    /// How the step ended.
    pub outcome: Outcome,
    /// Class of this one event.
    pub class: Class,
    /// The hop that refused, by the classifier.
    pub class_hop: Hop,
    /// Who has to act, by the classifier.
    pub who_acts: WhoActs,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// Every other column that is known, by name.
    columns: Map<String, Value>,
}

/// Columns that [`StoredEvent`] holds as members of their own and the timeline writes first.
pub const LEADING_COLUMNS: [&str; 7] = ["event_id", "source", "time", "type", "hop", "outcome", "class"];

impl StoredEvent {
    /// The value of a column as text: numbers and flags as they are written, lists joined by a space.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<String> {
        match self.columns.get(column)? {
            Value::String(text) => Some(text.clone()),
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
            Value::Null | Value::Object(_) => None,
            other => Some(other.to_string()),
        }
    }

    /// The value of a column as it is stored.
    #[must_use]
    pub fn column(&self, column: &str) -> Option<&Value> {
        self.columns.get(column)
    }

    /// The value of a text column, without a copy.
    #[must_use]
    pub fn str(&self, column: &str) -> Option<&str> {
        self.columns.get(column)?.as_str()
    }

    /// The value of a whole-number column.
    #[must_use]
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.columns.get(column)?.as_i64()
    }

    /// The value of a number column.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<f64> {
        self.columns.get(column)?.as_f64()
    }

    /// The value of a yes-or-no column.
    #[must_use]
    pub fn flag(&self, column: &str) -> Option<bool> {
        self.columns.get(column)?.as_bool()
    }

    /// A map column: `origins`, `evidence`, `attributes`.
    #[must_use]
    pub fn map(&self, column: &str) -> BTreeMap<String, String> {
        let members = self.columns.get(column).and_then(Value::as_object);
        let texts =
            members.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        texts.collect()
    }

    /// Fills a member that it lacks, and notes from what.
    pub(super) fn fill(&mut self, column: &str, value: &str, origin: &str) {
        self.columns.insert(column.to_owned(), Value::from(value));
        let origins = self.columns.entry("origins").or_insert_with(|| Value::Object(Map::new()));
        if let Some(origins) = origins.as_object_mut() {
            origins.insert(column.to_owned(), Value::from(origin));
        }
    }

    /// Every column that is known and not among [`LEADING_COLUMNS`].
    pub fn other_columns(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.columns.iter().filter(|(name, _)| !LEADING_COLUMNS.contains(&name.as_str()))
    }

    /// What identifies it: sent twice is one event.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.source, &self.event_id)
    }

    /// Which row of the table it is; `None` where the row was read without its place in Kafka.
    #[must_use]
    pub fn row_identity(&self) -> Option<RowIdentity> {
        Some(RowIdentity {
            topic: self.text("kafka_topic")?,
            topic_id: self.text("kafka_topic_id").unwrap_or_default(),
            partition: self.integer("kafka_partition")?,
            offset: self.integer("kafka_offset")?,
            index: self.integer("kafka_index")?,
        })
    }

    /// Puts the columns of a later verdict in the place of those that it was stored with: `null` is unknown. What it was
    /// stored with stays as `class_at_arrival` and `class_version_at_arrival`.
    pub fn reclassify(&mut self, verdict: Map<String, Value>) {
        for column in ["class", "class_version"] {
            if let Some(value) = self.columns.get(column).cloned() {
                self.columns.insert(format!("{column}_at_arrival"), value);
            }
        }
        for (column, value) in verdict {
            let is_unknown = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if is_unknown {
                self.columns.remove(&column);
            } else {
                self.columns.insert(column, value);
            }
        }
        self.class = Class::parse(self.str("class").unwrap_or_default());
        self.class_hop = Hop::parse(self.str("class_hop").unwrap_or_default());
        self.who_acts = WhoActs::parse(self.str("who_acts").unwrap_or_default());
        self.confidence = Confidence::parse(self.str("confidence").unwrap_or_default());
    }

    /// Whether the classifier saw a failure in it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.class != Class::None
    }

    /// Whether it is the start of a handshake: a 401 to a request that carried no credential.
    #[must_use]
    pub fn is_challenge_only(&self) -> bool {
        self.str("reason") == Some("challenge_only")
    }
}

/// The stored spelling of a moment in the API: RFC 3339, UTC, microseconds.
#[must_use]
pub fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Serialises a moment as [`time_text`] does.
///
/// # Errors
/// Whatever the serialiser reports.
pub fn micros<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*time))
}

/// Serialises an optional moment as [`time_text`] does.
///
/// # Errors
/// Whatever the serialiser reports.
pub fn optional_micros<S: serde::Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_str(&time_text(*time)),
        None => serializer.serialize_none(),
    }
}

impl<'de> Deserialize<'de> for StoredEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let row = opened(Map::<String, Value>::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let text =
            |name: &'static str| row.get(name).and_then(Value::as_str).ok_or_else(|| D::Error::missing_field(name));
        let time = DateTime::parse_from_rfc3339(text("time")?).map_err(D::Error::custom)?;
        Ok(Self {
            relation: Relation::default(),
            event_id: text("event_id")?.to_owned(),
            source: text("source")?.to_owned(),
            type_name: text("type")?.to_owned(),
            kind: EventKind::of(text("type")?),
            time: time.with_timezone(&Utc),
            hop: Hop::parse(text("hop")?),
            outcome: Outcome::parse(text("outcome")?),
            class: Class::parse(text("class")?),
            class_hop: Hop::parse(text("class_hop")?),
            who_acts: WhoActs::parse(text("who_acts")?),
            confidence: Confidence::parse(text("confidence")?),
            columns: known_columns(row),
        })
    }
}

/// Columns that hold others, as an object from name to value; empty text is an empty object.
const GROUPS: [&str; 7] = ["reporter", "server", "client", "step", "derived", "links", "rest"];
/// Packed ids, and the columns they are.
const PACKED_IDS: [(&str, &str); 2] = [("event_hex", "event_id"), ("request_hex", "request_id")];
/// Binary ids, zeros when unknown, and the columns they are.
const BINARY_IDS: [(&str, &str); 2] = [("trace_hex", "trace_id"), ("span_hex", "span_id")];

/// The row with every column under its own name.
fn opened(mut row: Map<String, Value>) -> Result<Map<String, Value>, String> {
    for group in GROUPS {
        let Some(Value::String(object)) = row.remove(group) else { continue };
        if !object.is_empty() {
            let members: Map<String, Value> =
                serde_json::from_str(&object).map_err(|fault| format!("{group}: {fault}"))?;
            row.extend(members);
        }
    }
    for (packed, name) in PACKED_IDS {
        let Some(Value::String(digits)) = row.remove(packed) else { continue };
        if let Some(id) = id_of_key_hex(&digits) {
            row.insert(name.to_owned(), Value::String(id));
        }
    }
    for (binary, name) in BINARY_IDS {
        let Some(Value::String(digits)) = row.remove(binary) else { continue };
        if digits.bytes().any(|digit| digit != b'0') {
            row.insert(name.to_owned(), Value::String(digits.to_ascii_lowercase()));
        }
    }
    Ok(row)
}

/// The packed form of an id, as hexadecimal digits: how statements compare keys.
#[must_use]
pub fn key_hex(id: &str) -> String {
    // Upper case, as the store writes them.
    hex::encode_upper(pack(id))
}

/// The id of a packed form in hexadecimal digits; `None` for none.
#[must_use]
pub fn id_of_key_hex(digits: &str) -> Option<String> {
    unpack(&hex::decode(digits).ok()?)
}

/// Drops what is unknown; `empty_lists` puts the lists back that were sent empty.
fn known_columns(mut row: Map<String, Value>) -> Map<String, Value> {
    let sent_empty = match row.remove("empty_lists") {
        Some(Value::Array(names)) => names,
        _ => Vec::new(),
    };
    row.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    });
    for name in sent_empty.iter().filter_map(Value::as_str) {
        row.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    }
    row
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::{Relation, StoredEvent};
    use crate::event::{EventKind, Outcome};

    /// Events for the tests of this module: minimal rows, changed member by member.
    pub fn event(members: serde_json::Value) -> StoredEvent {
        let mut row = json!({
            "event_id": "e", "source": "//gateway/a", "type": "mcp.request.completed",
            "time": "2026-11-22T10:00:00.000000Z", "hop": "downstream", "outcome": "success", "class": "none",
            "reason": null, "class_hop": "downstream", "who_acts": "nobody", "rule": "none", "confidence": "certain",
            "evidence": {}, "request_id": "r1",
        });
        for (name, value) in members.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn unknown_columns_are_left_out_and_empty_lists_that_were_sent_stay() {
        let row = event(json!({
            "workspace": null, "oauth_params_sent": [], "credential_permissions": [], "empty_lists": ["oauth_params_sent"],
            "origins": {}, "http_status": 401, "token_rotated": false, "scope_granted": "a b",
        }));
        let names: Vec<&str> = row.other_columns().map(|(name, _)| name.as_str()).collect();
        for (name, kept) in [
            ("workspace", false),
            ("oauth_params_sent", true),
            ("credential_permissions", false),
            ("empty_lists", false),
            ("origins", false),
            ("http_status", true),
            ("token_rotated", true),
            ("event_id", false),
            ("rule", true),
        ] {
            assert_eq!(names.contains(&name), kept, "{name}");
        }
        assert_eq!(row.text("http_status").as_deref(), Some("401"));
        assert_eq!(row.flag("token_rotated"), Some(false));
        assert_eq!(
            (row.relation, row.kind, row.outcome),
            (Relation::Request, EventKind::RequestCompleted, Outcome::Success)
        );
    }

    #[test]
    fn groups_are_opened_and_ids_unpacked() {
        let row = event(json!({
            "event_hex": "019AAB1234567ABC8DEF0123456789AB", "request_hex": "7265712D31", "span_hex": "0000000000000000",
            "trace_hex": "E6559358EE53A1C7DAB0D3AA2BA59000", "links": "", "reporter": r#"{"gateway_product":"portkey"}"#,
            "step": r#"{"http_status":401,"outcome":"failure"}"#,
        }));
        assert_eq!((row.event_id.as_str(), row.outcome), ("019aab12-3456-7abc-8def-0123456789ab", Outcome::Failure));
        assert_eq!(row.str("request_id"), Some("req-1"));
        assert_eq!(row.str("trace_id"), Some("e6559358ee53a1c7dab0d3aa2ba59000"));
        assert_eq!(row.str("span_id"), None);
        assert_eq!((row.str("gateway_product"), row.integer("http_status")), (Some("portkey"), Some(401)));
        assert_eq!(row.other_columns().filter(|(name, _)| name.contains("hex") || *name == "step").count(), 0);
    }

    #[test]
    fn a_row_without_its_envelope_is_refused() {
        assert!(serde_json::from_str::<StoredEvent>(r#"{"event_id":"e"}"#).is_err());
        assert!(
            serde_json::from_value::<StoredEvent>(json!({"event_id": "e", "source": "s", "type": "t", "time": "no"}))
                .is_err()
        );
    }
}
