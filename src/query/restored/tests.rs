//! Event → row → event: what the classifier looks at comes back, and so does its verdict.
//!
//! The row is the one that [`EventRows`] encodes, read in the form in which `sql/event_columns.sql` asks for it; that ClickHouse
//! hands back what was inserted is for `tests/it/reclassify.rs`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type};
use arrow_array::{Array, ArrayRef};
use arrow_ipc::reader::StreamReader;
use arrow_schema::DataType;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::restored;
use crate::classify::testing::CLASSIFIER;
use crate::event::fields::{
    Count, FieldId, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, EventKind, Hop, KafkaPosition, Origin, Outcome};
use crate::query::stored::{StoredEvent, time_text};
use crate::store::EventRows;

/// A kind of value that can be made of a text and a number.
trait Made: Kind {
    fn made(text: &str, number: u32) -> Self::Value<'static>;
}

macro_rules! made {
    ($($($kind:ident)+: $make:expr;)+) => {$($(
        impl Made for $kind {
            fn made(text: &str, number: u32) -> Self::Value<'static> {
                let make: fn(&str, u32) -> Self::Value<'static> = $make;
                make(text, number)
            }
        }
    )+)+};
}
made! {
    Id Free Name Scope: |text, _| Some(text.to_owned().into());
    // An empty list, which is not the same as none.
    Names: |text, number| Some(text.split(' ').take(number as usize % 4).map(|name| name.to_owned().into()).collect());
    Status: |_, number| u16::try_from(number % 1_000).ok();
    Integer: |_, number| Some(-i64::from(number));
    Count: |_, number| Some(number);
    Millis: |_, number| Some(f64::from(number) / 8.0);
    Flag: |_, number| Some(number % 2 == 0);
}
impl<E: ClosedEnum + std::fmt::Debug> Made for OneOf<E> {
    fn made(_: &str, number: u32) -> Self::Value<'static> {
        Some(E::KNOWN.get(number as usize % (E::KNOWN.len() + 1)).copied().unwrap_or(E::UNKNOWN))
    }
}

macro_rules! define_set {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        fn set(event: &mut Event<'static>, field: FieldId, text: &str, number: u32) {
            match field { $($(FieldId::$field => event.$field = <$kind as Made>::made(text, number),)+)+ }
        }

        /// Every member, so that an empty list differs from none.
        fn members(event: &Event<'_>) -> Vec<(&'static str, String)> {
            vec![$($((stringify!($field), format!("{:?}", event.$field)),)+)+]
        }
    };
}
with_event_fields!(define_set);

/// A row as the store answers it.
fn row_of(event: &Event<'_>) -> StoredEvent {
    let verdict = CLASSIFIER.classify(event);
    let topic_id = Some("topic-id".into());
    let position = KafkaPosition { topic: "t".into(), topic_id, partition: 3, offset: 7, index: 1 };
    let mut rows = EventRows::default();
    rows.push(event, &verdict, CLASSIFIER.version(), &position, event.time).unwrap();
    let bytes = rows.finish().unwrap();
    let batch = StreamReader::try_new(&bytes[..], None).unwrap().next().unwrap().unwrap();
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let mut row: Map<String, Value> =
        columns.map(|(field, column)| (asked_name(field.name()).to_owned(), value_of(column))).collect();
    row.insert("inserted_at".to_owned(), json!(time_text(event.time)));
    serde_json::from_value(Value::Object(row)).unwrap()
}

/// The name under which `event_columns.sql` asks for a column.
fn asked_name(column: &str) -> &str {
    match column {
        "event_key" => "event_hex",
        "request_key" => "request_hex",
        "trace_key" => "trace_hex",
        "span_key" => "span_hex",
        "duration" => "duration_ms",
        "upstream_duration" => "upstream_duration_ms",
        other => other,
    }
}

fn value_of(column: &ArrayRef) -> Value {
    if column.is_null(0) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            json!(dictionary.values().as_string::<i32>().value(dictionary.normalized_keys()[0]))
        }
        DataType::Utf8 => json!(column.as_string::<i32>().value(0)),
        DataType::Binary => json!(hex::encode_upper(column.as_binary::<i32>().value(0))),
        DataType::FixedSizeBinary(_) => json!(hex::encode_upper(column.as_fixed_size_binary().value(0))),
        DataType::Int32 => json!(column.as_primitive::<Int32Type>().value(0)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(0)),
        DataType::UInt32 => json!(column.as_primitive::<UInt32Type>().value(0)),
        // NaN, which is no number in JSON, is null there too.
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(0)),
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(0);
            json!(time_text(DateTime::from_timestamp_micros(micros).unwrap()))
        }
        other => panic!("no such column yet: {other}"),
    }
}

fn sorted<T: std::fmt::Debug>(items: &[T]) -> Vec<String> {
    let mut said: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    said.sort();
    said
}

fn comes_back(event: &Event<'_>) {
    let stored = row_of(event);
    let back = restored(&stored);
    assert_eq!(
        (&back.event_id, &back.source, &back.type_name, back.kind, back.time, &back.trace_id, &back.span_id),
        (&event.event_id, &event.source, &event.type_name, event.kind, event.time, &event.trace_id, &event.span_id)
    );
    assert_eq!(members(&back), members(event));
    assert_eq!(sorted(&back.attributes), sorted(&event.attributes));
    assert_eq!(sorted(&back.origins), sorted(&event.origins));
    assert_eq!(back.redactions, event.redactions);
    assert_eq!(CLASSIFIER.classify(&back), CLASSIFIER.classify(event));
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{\"error\":\"invalid_grant\",\"error_description\":\"token is expired\"}".to_owned()),
        Just("HTTP 403: you lack the permission mcp.invoke … [truncated]".to_owned()),
        Just("0198f3c2-1234-7abc-8def-0123456789ab".to_owned()),
        Just("sixteen bytes ok".to_owned()),
        Just("429 too many requests, \"retry\\later\"\n\u{0}".to_owned()),
        "[a-z_]{1,12}( [a-z:]{1,8}){0,3}",
        "\\PC{1,30}",
    ]
}

prop_compose! {
    fn events()(
        id in texts(),
        source in texts(),
        type_name in prop::sample::select(EventKind::names().chain(["mcp.auth.telepathy"]).collect::<Vec<_>>()),
        micros in 1_600_000_000_000_000_i64..1_800_000_000_000_000,
        hop in 0_u32..8,
        outcome in 0_u32..16,
        set_members in prop::collection::vec((0..FieldId::ALL.len(), texts(), any::<u32>()), 0..20),
        attributes in prop::collection::btree_map(texts(), texts(), 0..4),
        origins in prop::collection::btree_map(0..FieldId::ALL.len(), 0..Origin::KNOWN.len(), 0..4),
        redactions in prop::collection::vec(texts(), 0..3),
        trace in prop::option::of("[1-9a-f][0-9a-f]{31}"),
        span in prop::option::of("[1-9a-f][0-9a-f]{15}"),
    ) -> Event<'static> {
        let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap();
        let mut event = Event::new(id.into(), source.into(), type_name.into(), time);
        for (field, text, number) in set_members {
            set(&mut event, FieldId::ALL[field], &text, number);
        }
        // Every stored event has these two.
        set(&mut event, FieldId::hop, "", hop);
        set(&mut event, FieldId::outcome, "", outcome);
        event.attributes = attributes.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        event.origins =
            origins.into_iter().map(|(field, origin)| (FieldId::ALL[field], Origin::KNOWN[origin])).collect();
        event.redactions = redactions;
        event.trace_id = trace.map(Into::into);
        event.span_id = span.map(Into::into);
        event
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn every_event_comes_back_with_its_verdict(event in events()) {
        comes_back(&event);
    }
}

#[test]
fn every_member_comes_back() {
    let mut event = Event::new("e".into(), "//gateway".into(), "mcp.auth.token".into(), DateTime::UNIX_EPOCH);
    for (number, field) in (0..).zip(FieldId::ALL) {
        set(&mut event, *field, field.column(), number + 1);
    }
    comes_back(&event);
    assert!(members(&event).iter().all(|(_, value)| value != "None"), "each member has a value: {:?}", members(&event));
}

#[test]
fn an_empty_list_is_not_an_absent_one() {
    let mut event = Event::new("e".into(), "//gateway".into(), "mcp.auth.token".into(), DateTime::UNIX_EPOCH);
    (event.hop, event.outcome) = (Some(Hop::Upstream), Some(Outcome::Success));
    let fine = CLASSIFIER.classify(&event).class;
    // A token answer without a token is a failure; one of which nothing is known is none.
    event.oauth_params_received = Some(Vec::new());
    assert_ne!(CLASSIFIER.classify(&event).class, fine);
    comes_back(&event);
}
