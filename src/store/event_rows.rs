//! Rows of `events`, built column by column and encoded as one Arrow IPC stream: one record batch, one ClickHouse block.
//!
//! Deterministic: the same events in the same order give the same bytes, so that a retry under the same deduplication
//! token is the same insert.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder, UInt32Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use chrono::{DateTime, Utc};

use super::column::{
    Column, Dictionary, DictionaryList, NameMap, TextMap, append_list, append_name_map, append_text_map,
};
use crate::classify::Verdict;
use crate::event::fields::{
    Count, Flag, Free, Id, Integer, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, KafkaPosition};

macro_rules! define_data_columns {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// The columns of the event's `data` members.
        struct DataColumns {
            $($($field: <$kind as Column>::Builder,)+)+
            empty_lists: DictionaryList,
        }

        impl DataColumns {
            fn new() -> Self {
                Self { $($($field: <$kind as Column>::builder(),)+)+ empty_lists: DictionaryList::new(Dictionary::new()) }
            }

            fn append(&mut self, event: &Event<'_>) {
                $($(
                    <$kind as Column>::append(&mut self.$field, &event.$field);
                    if <$kind as Column>::is_empty_list(&event.$field) {
                        self.empty_lists.values().append_value(stringify!($field));
                    }
                )+)+
                self.empty_lists.append(true);
            }

            fn finish(&mut self, columns: &mut Vec<(&'static str, ArrayRef)>) {
                $($(columns.push((stringify!($field), <$kind as Column>::finish(&mut self.$field)));)+)+
                columns.push(("empty_lists", Arc::new(self.empty_lists.finish())));
            }
        }
    };
}
with_event_fields!(define_data_columns);

/// Rows of `events` while a batch is being built.
pub struct EventRows {
    rows: usize,
    event_id: StringBuilder,
    source: Dictionary,
    type_name: Dictionary,
    time: TimestampMicrosecondBuilder,
    received_at: TimestampMicrosecondBuilder,
    trace_id: StringBuilder,
    span_id: StringBuilder,
    kafka_topic: Dictionary,
    kafka_topic_id: Dictionary,
    kafka_partition: Int32Builder,
    kafka_offset: Int64Builder,
    kafka_index: UInt32Builder,
    data: DataColumns,
    attributes: TextMap,
    origins: NameMap,
    redactions: DictionaryList,
    class: Dictionary,
    reason: Dictionary,
    class_hop: Dictionary,
    who_acts: Dictionary,
    rule: Dictionary,
    class_version: Dictionary,
    confidence: Dictionary,
    evidence: TextMap,
}

impl Default for EventRows {
    fn default() -> Self {
        let timestamps = || TimestampMicrosecondBuilder::new().with_timezone("UTC");
        Self {
            rows: 0,
            event_id: StringBuilder::new(),
            source: Dictionary::new(),
            type_name: Dictionary::new(),
            time: timestamps(),
            received_at: timestamps(),
            trace_id: StringBuilder::new(),
            span_id: StringBuilder::new(),
            kafka_topic: Dictionary::new(),
            kafka_topic_id: Dictionary::new(),
            kafka_partition: Int32Builder::new(),
            kafka_offset: Int64Builder::new(),
            kafka_index: UInt32Builder::new(),
            data: DataColumns::new(),
            attributes: TextMap::new(None, Dictionary::new(), StringBuilder::new()),
            origins: NameMap::new(None, Dictionary::new(), Dictionary::new()),
            redactions: DictionaryList::new(Dictionary::new()),
            class: Dictionary::new(),
            reason: Dictionary::new(),
            class_hop: Dictionary::new(),
            who_acts: Dictionary::new(),
            rule: Dictionary::new(),
            class_version: Dictionary::new(),
            confidence: Dictionary::new(),
            evidence: TextMap::new(None, Dictionary::new(), StringBuilder::new()),
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

    /// Appends one event with its verdict.
    ///
    /// # Errors
    /// When Arrow finds keys and values of a map out of step.
    pub fn push(
        &mut self,
        event: &Event<'_>,
        verdict: &Verdict<'_, '_>,
        class_version: &str,
        position: &KafkaPosition,
        received_at: DateTime<Utc>,
    ) -> Result<(), ArrowError> {
        self.event_id.append_value(&event.event_id);
        self.source.append_value(&event.source);
        self.type_name.append_value(&event.type_name);
        self.time.append_value(event.time.timestamp_micros());
        self.received_at.append_value(received_at.timestamp_micros());
        self.trace_id.append_option(event.trace_id.as_deref());
        self.span_id.append_option(event.span_id.as_deref());
        self.kafka_topic.append_value(&position.topic);
        self.kafka_topic_id.append_option(position.topic_id.as_deref());
        self.kafka_partition.append_value(position.partition);
        self.kafka_offset.append_value(position.offset);
        self.kafka_index.append_value(position.index);
        self.data.append(event);
        append_text_map(
            &mut self.attributes,
            event.attributes.iter().map(|(key, value)| (key.as_ref(), value.as_ref())),
        )?;
        append_name_map(
            &mut self.origins,
            event.origins.iter().map(|(field, origin)| (field.column(), origin.as_str())),
        )?;
        append_list(&mut self.redactions, event.redactions.iter().map(String::as_str));
        self.push_verdict(verdict, class_version)?;
        self.rows += 1;
        Ok(())
    }

    fn push_verdict(&mut self, verdict: &Verdict<'_, '_>, class_version: &str) -> Result<(), ArrowError> {
        self.class.append_value(verdict.class.as_str());
        self.reason.append_option(verdict.reason);
        self.class_hop.append_value(verdict.hop.as_str());
        self.who_acts.append_value(verdict.who_acts.as_str());
        self.rule.append_value(verdict.rule);
        self.class_version.append_value(class_version);
        self.confidence.append_value(verdict.confidence.as_str());
        append_text_map(&mut self.evidence, verdict.evidence.iter().map(|(field, value)| (*field, value.as_ref())))
    }

    /// The rows as one Arrow IPC stream with one record batch; the builder is empty again.
    ///
    /// # Errors
    /// When Arrow cannot assemble the batch.
    pub fn finish(&mut self) -> Result<Vec<u8>, ArrowError> {
        let columns = self.finish_columns();
        let fields: Vec<Field> =
            columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, column)| column).collect())?;
        let mut writer = StreamWriter::try_new(Vec::with_capacity(self.rows * 256 + 65_536), &schema)?;
        writer.write(&batch)?;
        self.rows = 0;
        writer.into_inner()
    }

    fn finish_columns(&mut self) -> Vec<(&'static str, ArrayRef)> {
        let mut columns: Vec<(&'static str, ArrayRef)> = vec![
            ("event_id", Arc::new(self.event_id.finish())),
            ("source", Arc::new(self.source.finish())),
            ("type", Arc::new(self.type_name.finish())),
            ("time", Arc::new(self.time.finish())),
            ("received_at", Arc::new(self.received_at.finish())),
            ("trace_id", Arc::new(self.trace_id.finish())),
            ("span_id", Arc::new(self.span_id.finish())),
            ("kafka_topic", Arc::new(self.kafka_topic.finish())),
            ("kafka_topic_id", Arc::new(self.kafka_topic_id.finish())),
            ("kafka_partition", Arc::new(self.kafka_partition.finish())),
            ("kafka_offset", Arc::new(self.kafka_offset.finish())),
            ("kafka_index", Arc::new(self.kafka_index.finish())),
            ("attributes", Arc::new(self.attributes.finish())),
            ("origins", Arc::new(self.origins.finish())),
            ("redactions", Arc::new(self.redactions.finish())),
            ("class", Arc::new(self.class.finish())),
            ("reason", Arc::new(self.reason.finish())),
            ("class_hop", Arc::new(self.class_hop.finish())),
            ("who_acts", Arc::new(self.who_acts.finish())),
            ("rule", Arc::new(self.rule.finish())),
            ("class_version", Arc::new(self.class_version.finish())),
            ("confidence", Arc::new(self.confidence.finish())),
            ("evidence", Arc::new(self.evidence.finish())),
        ];
        self.data.finish(&mut columns);
        columns
    }
}
