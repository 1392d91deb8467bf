//! Properties of decoding that no list of examples shows: any bytes have an answer, and what was sent is what is read.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{DecodeError, Limits, Payload, decode};
use crate::event::{FieldId, RecordTime};

fn record_time() -> RecordTime {
    RecordTime("2026-11-22T10:00:00Z".parse::<DateTime<Utc>>().unwrap())
}

fn code_of(bytes: &[u8]) -> Option<&'static str> {
    decode(&Payload { headers: &[], value: Some(bytes), time: record_time() }, &Limits::default())
        .err()
        .map(|fault| fault.code())
}

fn envelope(data: Value) -> Value {
    json!({"id": "e", "source": "//g", "type": "mcp.auth.token", "time": "2026-11-22T09:00:00Z", "data": data})
}

/// Any JSON value, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z_.]{0,12}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_an_event_or_have_a_code(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(code) = code_of(&bytes) {
            prop_assert!(DecodeError::CODES.contains(&code));
        }
    }

    #[test]
    fn any_data_is_an_event_or_has_a_code(data in any_json()) {
        let record = envelope(data).to_string();
        if let Some(code) = code_of(record.as_bytes()) {
            prop_assert!(DecodeError::CODES.contains(&code), "{code}");
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_not_json(cut in 1_usize..100) {
        let record = envelope(json!({"hop": "upstream", "outcome": "success", "message": "it's \"quoted\""})).to_string();
        let cut = cut.min(record.len() - 1);
        prop_assert_eq!(code_of(&record.as_bytes()[..cut]), Some("not_json"));
    }

    #[test]
    fn text_is_read_as_it_was_sent(message in ".{1,200}", slug in "\\PC{1,40}") {
        let record = envelope(json!({"hop": "upstream", "outcome": "success", "message": message, "slug": slug})).to_string();
        let payload = Payload { headers: &[], value: Some(record.as_bytes()), time: record_time() };
        let event = decode(&payload, &Limits::default()).unwrap();
        prop_assert_eq!(event.message.as_deref(), Some(message.as_str()));
        prop_assert_eq!(event.slug.as_deref(), Some(slug.as_str()));
    }

    #[test]
    fn what_the_contract_has_no_member_for_is_kept(name in "[a-z]{5,20}", value in "\\PC{1,40}") {
        prop_assume!(FieldId::from_path(&name).is_none() && !["gateway", "client", "oauth", "token", "scope", "resource", "credential", "attributes"].contains(&name.as_str()));
        let mut data = json!({"hop": "upstream", "outcome": "success"});
        data[&name] = json!(value);
        let record = envelope(data).to_string();
        let payload = Payload { headers: &[], value: Some(record.as_bytes()), time: record_time() };
        let event = decode(&payload, &Limits::default()).unwrap();
        prop_assert_eq!(event.attribute(&name), Some(value.as_str()));
    }
}
