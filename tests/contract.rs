//! The published contract, the decoder and the store's schema say the same.
//!
//! Every example of `schemas/events/examples` goes through the JSON Schema and through the decoder; every member of the
//! table of fields must stand in the schema and in the `events` table.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use gatetrail::decode::{self, DecodeError, Limits, Payload};
use gatetrail::event::{EventKind, FieldId, RecordTime};
use serde_json::Value;

/// Refusals that JSON Schema cannot express; `schemas/events/README.md` lists them for authors.
const BEYOND_SCHEMA: &[&str] = &[
    "bad_time--30-february",
    "duplicate_field",
    "id_too_long--bytes-not-characters",
    "invalid_field--http.status-written-as-fraction",
    "nested_too_deep",
    "time_in_future",
    "time_too_old",
    "too_many_attributes--unknown-fields",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/events").join(name)
}

fn schema(file: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(folder(file)).unwrap();
    jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn examples(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no examples in {name}");
    found
}

/// The moment that the examples take as their record's timestamp.
fn record_time() -> RecordTime {
    RecordTime("2026-11-22T10:00:00Z".parse::<DateTime<Utc>>().unwrap())
}

fn payload(bytes: &[u8]) -> Payload<'_> {
    Payload { headers: &[], value: Some(bytes), time: record_time() }
}

#[test]
fn valid_examples_pass_the_schema_and_the_decoder() {
    let schema = schema("v1.schema.json");
    for (name, bytes) in examples("examples/valid") {
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let faults: Vec<String> = schema.iter_errors(&json).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let event =
            decode::decode(&payload(&bytes), &Limits::default()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(event.event_id, json["id"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn every_known_type_has_a_valid_example_of_its_name() {
    let names: BTreeSet<String> = examples("examples/valid").into_iter().map(|(name, _)| name).collect();
    for kind in EventKind::names() {
        assert!(names.contains(kind), "no example {kind}.json");
    }
}

#[test]
fn invalid_examples_are_refused_with_the_code_in_their_name() {
    for (name, bytes) in examples("examples/invalid") {
        let code = name.split("--").next().unwrap();
        let fault = decode::decode(&payload(&bytes), &Limits::default()).map(|_| ()).unwrap_err();
        assert_eq!(fault.code(), code, "{name}: {fault}");
    }
}

#[test]
fn invalid_examples_fail_the_schema_where_it_can_express_the_fault() {
    let schema = schema("v1.schema.json");
    for (name, bytes) in examples("examples/invalid") {
        let beyond = BEYOND_SCHEMA.iter().any(|prefix| name.starts_with(prefix));
        let Ok(json) = serde_json::from_slice::<Value>(&bytes) else { continue };
        assert_eq!(schema.is_valid(&json), beyond, "{name}: the list of what the schema cannot express is out of date");
    }
}

#[test]
fn every_code_has_an_invalid_example() {
    let codes: BTreeSet<String> =
        examples("examples/invalid").into_iter().map(|(name, _)| name.split("--").next().unwrap().to_owned()).collect();
    // A file of more than a megabyte is made here instead.
    for code in DecodeError::CODES.iter().filter(|code| !["record_too_large"].contains(code)) {
        assert!(codes.contains(*code), "no example for {code}");
    }
    let limits = Limits::default();
    let refusal = |bytes: &[u8]| decode::decode(&payload(bytes), &limits).map(|_| ()).unwrap_err().code();
    assert_eq!(refusal(b""), "empty_record");
    assert_eq!(refusal(&vec![b' '; limits.record_bytes + 1]), "record_too_large");
    assert_eq!(decode::decode(&Payload { value: None, ..payload(b"") }, &limits).unwrap_err().code(), "empty_record");
}

#[test]
fn registry_examples_pass_the_schema_and_the_decoder() {
    let schema = schema("registry.v1.schema.json");
    for (name, bytes) in examples("examples/valid-registry") {
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(schema.is_valid(&json), "{name}");
        let decoded = decode::registry::decode_registry(&payload(&bytes), Some(b"key"), &Limits::default());
        if json["type"].as_str().unwrap().starts_with("mcp.registry.") {
            assert!(decoded.is_ok() || name.contains("unknown"), "{name}: {decoded:?}");
        }
    }
}

#[test]
fn binary_mode_reads_the_envelope_from_headers() {
    let headers: [(&str, &[u8]); 6] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_source", b"//gateway/one"),
        ("ce_type", b"mcp.auth.credential"),
        ("ce_time", b"2026-11-22T09:59:59Z"),
        ("content-type", b"application/json"),
    ];
    let body = br#"{"hop":"downstream","outcome":"success","request_id":"r-1"}"#;
    let event =
        decode::decode(&Payload { headers: &headers, value: Some(body), time: record_time() }, &Limits::default())
            .unwrap();
    assert_eq!((event.event_id.as_ref(), event.request_id.as_deref()), ("e-1", Some("r-1")));
    let without_id: Vec<_> = headers.iter().copied().filter(|(name, _)| *name != "ce_id").collect();
    let fault =
        decode::decode(&Payload { headers: &without_id, value: Some(body), time: record_time() }, &Limits::default())
            .unwrap_err();
    assert_eq!((fault.code(), fault.field()), ("missing_field", Some("id")));
}

#[test]
fn every_field_stands_in_the_schema_and_in_the_table() {
    let schema: Value = serde_json::from_slice(&std::fs::read(folder("v1.schema.json")).unwrap()).unwrap();
    let table = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/clickhouse/0001_events/01_grouped_events.sql"),
    )
    .unwrap();
    let data = &schema["$defs"]["data"];
    for field in FieldId::ALL {
        let mut node = data;
        for part in field.path().split('.') {
            while let Some(reference) = node["$ref"].as_str() {
                node = schema.pointer(reference.trim_start_matches('#')).unwrap();
            }
            node = &node["properties"][part];
        }
        assert!(!node.is_null(), "{} is not in v1.schema.json", field.path());
        assert!(table.contains(&format!("    {} ", field.column())), "{} is not in the events table", field.column());
    }
}
