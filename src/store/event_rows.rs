//! Rows of `events`, built column by column and encoded as one Arrow IPC stream: one record batch, one ClickHouse block.
//!
//! Which member stands where is said by [`super::place`]; a member that an event does not have costs nothing but the look.
//! Deterministic: the same events in the same order give the same bytes, so that a retry under the same deduplication
//! token is the same insert.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::body_buffer;
use super::column::{Stored, sign_text};
use super::dictionary::{Dictionary, SignedDictionary};
use super::json_object::JsonObject;
use super::packed_id::{parse_hex, with_packed};
use super::place::{Group, Place, place_of};
use crate::classify::Verdict;
use crate::event::fields::{
    Count, FieldId, Flag, Free, Id, Integer, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, KafkaPosition};

macro_rules! define_member_walks {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// Takes each member of the event to where it is stored: into the signature of its group, or into its object.
        fn sort_members(
            event: &Event<'_>,
            signatures: &mut [Vec<u8>; Group::ALL.len()],
            links: &mut JsonObject<'_>,
            rest: &mut JsonObject<'_>,
            empty_lists: &mut Vec<&'static str>,
        ) {
            $($(
                match const { place_of(FieldId::$field) } {
                    Place::Own => {}
                    Place::In(group) => {
                        <$kind as Stored>::sign(&event.$field, FieldId::$field as u8, &mut signatures[group as usize]);
                    }
                    Place::Links => <$kind as Stored>::write(&event.$field, stringify!($field), links),
                    Place::Rest => <$kind as Stored>::write(&event.$field, stringify!($field), rest),
                }
                if <$kind as Stored>::is_empty_list(&event.$field) {
                    empty_lists.push(stringify!($field));
                }
            )+)+
        }

        /// Writes the members of a group.
        fn write_group(event: &Event<'_>, group: Group, object: &mut JsonObject<'_>) {
            $($(
                if const { place_of(FieldId::$field) } == Place::In(group) {
                    <$kind as Stored>::write(&event.$field, stringify!($field), object);
                }
            )+)+
        }
    };
}
with_event_fields!(define_member_walks);

/// Numbers in signatures of what is no member of `data`; those of members begin at 0.
mod number {
    pub(super) const SOURCE: u8 = 200;
    pub(super) const TOPIC: u8 = 201;
    pub(super) const TOPIC_ID: u8 = 202;
    pub(super) const CLASS_VERSION: u8 = 203;
    pub(super) const REASON: u8 = 204;
    pub(super) const RULE: u8 = 205;
    pub(super) const ORIGIN: u8 = 206;
    pub(super) const REDACTION: u8 = 207;
    pub(super) const EMPTY_LIST: u8 = 208;
}

/// Rows of `events` while a batch is being built.
pub struct EventRows {
    rows: usize,
    event_key: BinaryBuilder,
    request_key: BinaryBuilder,
    trace_key: FixedSizeBinaryBuilder,
    span_key: FixedSizeBinaryBuilder,
    time: TimestampMicrosecondBuilder,
    received_at: TimestampMicrosecondBuilder,
    kafka_partition: Int32Builder,
    kafka_offset: Int64Builder,
    kafka_index: UInt32Builder,
    type_name: Dictionary,
    workspace: Dictionary,
    slug: Dictionary,
    user_id: Dictionary,
    connection_id: Dictionary,
    credential_key_id: Dictionary,
    duration: Float64Builder,
    upstream_duration: Float64Builder,
    groups: [SignedDictionary; Group::ALL.len()],
    derived: SignedDictionary,
    links: StringBuilder,
    rest: StringBuilder,
    scratch: Scratch,
}

/// Room that is used for every event anew.
#[derive(Default)]
struct Scratch {
    signatures: [Vec<u8>; Group::ALL.len()],
    derived: Vec<u8>,
    links: String,
    rest: String,
    empty_lists: Vec<&'static str>,
}

impl Scratch {
    fn clear(&mut self) {
        self.signatures.iter_mut().for_each(Vec::clear);
        self.derived.clear();
        self.links.clear();
        self.rest.clear();
        self.empty_lists.clear();
    }
}

impl Default for EventRows {
    fn default() -> Self {
        let timestamps = || TimestampMicrosecondBuilder::new().with_timezone("UTC");
        Self {
            rows: 0,
            event_key: BinaryBuilder::new(),
            request_key: BinaryBuilder::new(),
            trace_key: FixedSizeBinaryBuilder::new(16),
            span_key: FixedSizeBinaryBuilder::new(8),
            time: timestamps(),
            received_at: timestamps(),
            kafka_partition: Int32Builder::new(),
            kafka_offset: Int64Builder::new(),
            kafka_index: UInt32Builder::new(),
            type_name: Dictionary::default(),
            workspace: Dictionary::default(),
            slug: Dictionary::default(),
            user_id: Dictionary::default(),
            connection_id: Dictionary::default(),
            credential_key_id: Dictionary::default(),
            duration: Float64Builder::new(),
            upstream_duration: Float64Builder::new(),
            groups: Default::default(),
            derived: SignedDictionary::default(),
            links: StringBuilder::new(),
            rest: StringBuilder::new(),
            scratch: Scratch::default(),
        }
    }
}

impl std::fmt::Debug for EventRows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventRows").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl EventRows {
    /// Number of rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Between which moments the events were, so far; `None` when there is none.
    #[must_use]
    pub fn times(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let times = self.time.values_slice();
        let moment = |micros: &i64| DateTime::from_timestamp_micros(*micros);
        times.iter().min().and_then(moment).zip(times.iter().max().and_then(moment))
    }

    /// Appends one event with its verdict.
    ///
    /// # Errors
    /// When Arrow does not take a value for its column.
    pub fn push(
        &mut self,
        event: &Event<'_>,
        verdict: &Verdict<'_, '_>,
        class_version: &str,
        position: &KafkaPosition,
        received_at: DateTime<Utc>,
    ) -> Result<(), ArrowError> {
        self.push_own(event)?;
        self.received_at.append_value(received_at.timestamp_micros());
        self.kafka_partition.append_value(position.partition);
        self.kafka_offset.append_value(position.offset);
        self.kafka_index.append_value(position.index);
        self.push_objects(event, verdict);
        self.push_reporter(event, class_version, position);
        for group in [Group::Server, Group::Client, Group::Step] {
            self.groups[group as usize].push(&self.scratch.signatures[group as usize], |value| {
                let mut object = JsonObject::new(value);
                write_group(event, group, &mut object);
                object.close();
            });
        }
        self.push_derived(event, verdict);
        self.rows += 1;
        Ok(())
    }

    /// What has a column of its own.
    fn push_own(&mut self, event: &Event<'_>) -> Result<(), ArrowError> {
        with_packed(&event.event_id, |packed| self.event_key.append_value(packed));
        with_packed(event.request_id.as_deref().unwrap_or_default(), |packed| self.request_key.append_value(packed));
        let trace: [u8; 16] = event.trace_id.as_deref().and_then(parse_hex).unwrap_or_default();
        self.trace_key.append_value(trace)?;
        let span: [u8; 8] = event.span_id.as_deref().and_then(parse_hex).unwrap_or_default();
        self.span_key.append_value(span)?;
        self.time.append_value(event.time.timestamp_micros());
        self.type_name.push(Some(&event.type_name));
        self.workspace.push(event.workspace.as_deref());
        self.slug.push(event.slug.as_deref());
        self.user_id.push(event.user_id.as_deref());
        self.connection_id.push(event.connection_id.as_deref());
        self.credential_key_id.push(event.credential_key_id.as_deref());
        self.duration.append_value(event.duration_ms.unwrap_or(f64::NAN));
        self.upstream_duration.append_value(event.upstream_duration_ms.unwrap_or(f64::NAN));
        Ok(())
    }

    /// The objects of each row, and the signatures of the groups.
    fn push_objects(&mut self, event: &Event<'_>, verdict: &Verdict<'_, '_>) {
        self.scratch.clear();
        let Scratch { signatures, links, rest, empty_lists, .. } = &mut self.scratch;
        let mut links_object = JsonObject::new(links);
        let mut rest_object = JsonObject::new(rest);
        sort_members(event, signatures, &mut links_object, &mut rest_object, empty_lists);
        links_object.close();
        if !event.attributes.is_empty() {
            rest_object.texts("attributes", event.attributes.iter().map(|(key, value)| (key.as_ref(), value.as_ref())));
        }
        if !verdict.evidence.is_empty() {
            rest_object.texts("evidence", verdict.evidence.iter().map(|(column, value)| (*column, value.as_ref())));
        }
        rest_object.close();
        self.links.append_value(links);
        self.rest.append_value(rest);
    }

    fn push_reporter(&mut self, event: &Event<'_>, class_version: &str, position: &KafkaPosition) {
        let signature = &mut self.scratch.signatures[Group::Reporter as usize];
        sign_text(&event.source, number::SOURCE, signature);
        sign_text(&position.topic, number::TOPIC, signature);
        if let Some(topic_id) = &position.topic_id {
            sign_text(topic_id, number::TOPIC_ID, signature);
        }
        sign_text(class_version, number::CLASS_VERSION, signature);
        self.groups[Group::Reporter as usize].push(signature, |value| {
            let mut object = JsonObject::new(value);
            object.text("source", &event.source);
            write_group(event, Group::Reporter, &mut object);
            object.text("kafka_topic", &position.topic);
            if let Some(topic_id) = &position.topic_id {
                object.text("kafka_topic_id", topic_id);
            }
            object.text("class_version", class_version);
            object.close();
        });
    }

    /// What was made of the event here.
    fn push_derived(&mut self, event: &Event<'_>, verdict: &Verdict<'_, '_>) {
        let Scratch { derived: signature, empty_lists, .. } = &mut self.scratch;
        signature.extend_from_slice(&[
            verdict.class.number(),
            verdict.hop.number(),
            verdict.who_acts.number(),
            verdict.confidence.number(),
        ]);
        sign_text(verdict.rule, number::RULE, signature);
        if let Some(reason) = verdict.reason {
            sign_text(reason, number::REASON, signature);
        }
        for (field, origin) in &event.origins {
            signature.push(*field as u8);
            sign_text(origin.as_str(), number::ORIGIN, signature);
        }
        event.redactions.iter().for_each(|redaction| sign_text(redaction, number::REDACTION, signature));
        empty_lists.iter().for_each(|list| sign_text(list, number::EMPTY_LIST, signature));
        self.derived.push(signature, |value| {
            let mut object = JsonObject::new(value);
            object.text("class", verdict.class.as_str());
            object.text("class_hop", verdict.hop.as_str());
            object.text("who_acts", verdict.who_acts.as_str());
            object.text("rule", verdict.rule);
            object.text("confidence", verdict.confidence.as_str());
            if let Some(reason) = verdict.reason {
                object.text("reason", reason);
            }
            if !event.origins.is_empty() {
                object.texts("origins", event.origins.iter().map(|(field, origin)| (field.column(), origin.as_str())));
            }
            if !event.redactions.is_empty() {
                object.list("redactions", event.redactions.iter().map(String::as_str));
            }
            if !empty_lists.is_empty() {
                object.list("empty_lists", empty_lists.iter().copied());
            }
            object.close();
        });
    }

    /// The rows as one Arrow IPC stream with one record batch; the builder is empty again.
    ///
    /// # Errors
    /// When Arrow cannot assemble the batch.
    pub fn finish(&mut self) -> Result<Bytes, ArrowError> {
        let columns = self.finish_columns()?;
        let fields: Vec<Field> =
            columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, column)| column).collect())?;
        let bytes = batch.get_array_memory_size() + 65_536;
        let mut writer = StreamWriter::try_new(body_buffer::take(bytes), &schema)?;
        writer.write(&batch)?;
        self.rows = 0;
        writer.into_inner().map(body_buffer::into_body)
    }

    fn finish_columns(&mut self) -> Result<Vec<(&'static str, ArrayRef)>, ArrowError> {
        let mut columns: Vec<(&'static str, ArrayRef)> = vec![
            ("event_key", Arc::new(self.event_key.finish())),
            ("request_key", Arc::new(self.request_key.finish())),
            ("trace_key", Arc::new(self.trace_key.finish())),
            ("span_key", Arc::new(self.span_key.finish())),
            ("time", Arc::new(self.time.finish())),
            ("received_at", Arc::new(self.received_at.finish())),
            ("kafka_partition", Arc::new(self.kafka_partition.finish())),
            ("kafka_offset", Arc::new(self.kafka_offset.finish())),
            ("kafka_index", Arc::new(self.kafka_index.finish())),
            ("type", self.type_name.finish()?),
            ("workspace", self.workspace.finish()?),
            ("slug", self.slug.finish()?),
            ("user_id", self.user_id.finish()?),
            ("connection_id", self.connection_id.finish()?),
            ("credential_key_id", self.credential_key_id.finish()?),
            ("duration", Arc::new(self.duration.finish())),
            ("upstream_duration", Arc::new(self.upstream_duration.finish())),
            ("derived", self.derived.finish()?),
            ("links", Arc::new(self.links.finish())),
            ("rest", Arc::new(self.rest.finish())),
        ];
        for group in Group::ALL {
            columns.push((group.column(), self.groups[group as usize].finish()?));
        }
        Ok(columns)
    }
}
