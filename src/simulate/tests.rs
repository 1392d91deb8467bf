//! What every run must hold to, whatever the stories say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use super::{Record, RecordKind, Simulation, SimulationOptions};

/// The classes of the contract; each must happen in a run of ordinary length.
const CLASSES: [&str; 23] = [
    "sign_in_required",
    "forbidden",
    "missing_permission",
    "server_not_found",
    "access_unverifiable",
    "user_identity_required",
    "dcr_unsupported",
    "invalid_client",
    "invalid_scope",
    "redirect_uri_mismatch",
    "resource_mismatch",
    "discovery_failure",
    "base_url_misconfigured",
    "consent_denied",
    "pkce_or_state_mismatch",
    "wrong_organization",
    "refresh_failure",
    "stale_configuration",
    "external_auth_blocked",
    "upstream_unavailable",
    "rate_limited",
    "tool_error",
    "protocol_error",
];

fn options(seed: u64, events: u64) -> SimulationOptions {
    SimulationOptions {
        seed,
        start: "2026-11-20T08:00:00Z".parse().unwrap(),
        span: Duration::from_secs(3600),
        events,
        poison_percent: 0.0,
        hash_key: b"a key for tests".to_vec(),
    }
}

/// A whole run.
struct Run {
    records: Vec<Record>,
    answers: Vec<u8>,
}

fn run(options: SimulationOptions) -> Run {
    let mut simulation = Simulation::new(options).unwrap();
    let mut whole = Run { records: Vec::new(), answers: Vec::new() };
    let mut record = Record::default();
    while simulation.next_record(&mut record) {
        whole.records.push(record.clone());
        simulation.drain_answers(&mut whole.answers);
    }
    whole
}

impl Run {
    fn of_kind(&self, kind: RecordKind) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.kind == kind)
    }

    fn answers(&self) -> Vec<Value> {
        let lines = self.answers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

/// The run that most tests look at, parsed once.
fn ordinary() -> &'static (Run, Vec<Value>) {
    static RUN: OnceLock<(Run, Vec<Value>)> = OnceLock::new();
    RUN.get_or_init(|| {
        let whole = run(options(1, 50_000));
        let parse = |record: &Record| serde_json::from_slice(&record.value).unwrap();
        let events = whole.of_kind(RecordKind::Event).map(parse).collect();
        (whole, events)
    })
}

fn text<'a>(event: &'a Value, path: &str) -> Option<&'a str> {
    event.pointer(path).and_then(Value::as_str)
}

#[test]
fn a_seed_decides_every_byte() {
    let bytes = |seed| {
        let whole = run(options(seed, 3_000));
        let values: Vec<Vec<u8>> = whole.records.into_iter().map(|record| record.value).collect();
        (values, whole.answers)
    };
    assert_eq!(bytes(5), bytes(5));
    assert_ne!(bytes(5).0, bytes(6).0);
}

#[test]
fn exactly_as_many_events_as_asked_for() {
    for events in [0, 1, 2, 7, 100, 2_345] {
        let whole = run(options(2, events));
        assert_eq!(whole.of_kind(RecordKind::Event).count() as u64, events);
    }
}

#[test]
fn every_class_happens_and_nine_of_ten_requests_succeed() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for answer in ordinary().0.answers() {
        *counts.entry(text(&answer, "/class").unwrap().to_owned()).or_default() += 1;
        let named = text(&answer, "/hop").is_some();
        assert_eq!(named, answer["class"] != "none", "a hop exactly for failures: {answer}");
    }
    let total: usize = counts.values().sum();
    let succeeded = counts.remove("none").unwrap();
    let share = succeeded as f64 / total as f64;
    assert!((0.90..0.94).contains(&share), "{share}");
    let events_per_request = 50_000.0 / total as f64;
    assert!((2.5..3.5).contains(&events_per_request), "{events_per_request}");
    let seen: BTreeSet<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(seen, BTreeSet::from(CLASSES));
    assert!(counts.values().all(|count| *count >= 5), "{counts:?}");
}

#[test]
fn answers_and_events_know_the_same_requests() {
    let (whole, events) = ordinary();
    let told: BTreeSet<&str> = events.iter().filter_map(|event| text(event, "/data/request_id")).collect();
    let answers = whole.answers();
    let answered: BTreeSet<&str> = answers.iter().filter_map(|answer| text(answer, "/request_id")).collect();
    assert_eq!(answered.len(), answers.len(), "one answer a request");
    assert_eq!(told, answered);
}

#[test]
fn every_event_has_the_required_members_and_its_key() {
    let (whole, events) = ordinary();
    let mut ids = BTreeSet::new();
    let mut last_time = 0;
    for (record, event) in whole.of_kind(RecordKind::Event).zip(events) {
        for path in ["/id", "/source", "/type", "/time", "/data/hop", "/data/outcome"] {
            assert!(text(event, path).is_some_and(|value| !value.is_empty()), "{path}: {event}");
        }
        assert!(ids.insert((text(event, "/source"), text(event, "/id"))), "twice: {event}");
        let key = ["/data/connection_id", "/data/flow_id", "/data/request_id"];
        let expected = key.iter().find_map(|path| text(event, path)).unwrap_or("");
        assert_eq!(record.key, expected.as_bytes(), "{event}");
        assert!(record.time >= last_time, "in the order of time");
        last_time = record.time;
        let time: chrono::DateTime<chrono::Utc> = text(event, "/time").unwrap().parse().unwrap();
        assert_eq!(time.timestamp_micros() as u64, record.time);
        assert!(!has_empty_text(event), "missing is absent, never empty: {event}");
    }
}

fn has_empty_text(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().any(has_empty_text),
        Value::Object(members) => members.values().any(has_empty_text),
        _ => false,
    }
}

#[test]
fn no_event_gives_its_answer_away() {
    let (whole, events) = ordinary();
    let stories: BTreeSet<String> =
        whole.answers().iter().filter_map(|answer| text(answer, "/story").map(str::to_owned)).collect();
    assert!(stories.len() > 80, "{}", stories.len());
    for event in events {
        assert!(event.pointer("/data/class").is_none() && event.pointer("/data/attributes/class").is_none());
        let attributes = event.pointer("/data/attributes").map(Value::to_string).unwrap_or_default();
        assert!(!stories.iter().any(|story| attributes.contains(story.as_str())), "{event}");
    }
}

#[test]
fn request_ids_carry_the_time_of_their_request() {
    let mut uuids = 0;
    for event in &ordinary().1 {
        let hyphenated = text(event, "/data/request_id").filter(|id| id.len() == 36);
        let Some(id) = hyphenated.and_then(|id| uuid::Uuid::parse_str(id).ok()) else {
            continue;
        };
        let Some(began) = id.get_timestamp() else {
            continue;
        };
        uuids += 1;
        let time: chrono::DateTime<chrono::Utc> = text(event, "/time").unwrap().parse().unwrap();
        let age = time.timestamp() - i64::try_from(began.to_unix().0).unwrap();
        assert!((0..300).contains(&age), "{age} s: {event}");
    }
    assert!(uuids > 25_000, "most gateways write UUIDv7: {uuids}");
}

#[test]
fn refreshes_present_the_token_that_was_issued_last() {
    let mut issued: BTreeMap<String, String> = BTreeMap::new();
    let mut followed = 0;
    for event in &ordinary().1 {
        let (Some(connection), Some(next)) =
            (text(event, "/data/connection_id"), text(event, "/data/token/new_fingerprint"))
        else {
            continue;
        };
        if text(event, "/data/token/kind") != Some("refresh") {
            continue;
        }
        if let (Some(presented), Some(expected)) = (text(event, "/data/token/fingerprint"), issued.get(connection)) {
            assert_eq!(presented, expected, "{event}");
            followed += 1;
        }
        issued.insert(connection.to_owned(), next.to_owned());
    }
    assert!(followed > 3, "{followed}");
}

#[test]
fn the_spike_reconnects_many_users_of_one_server_within_minutes() {
    let answers = ordinary().0.answers();
    let again: Vec<&Value> = answers.iter().filter(|answer| answer["story"] == "upstream_sign_in_again").collect();
    let servers: BTreeSet<String> =
        again.iter().map(|answer| format!("{}{}", answer["workspace"], answer["slug"])).collect();
    assert_eq!(servers.len(), 1);
    assert!(again.len() >= 2 * 30, "two requests each: {}", again.len());
}

#[test]
fn the_registry_comes_first_and_names_every_integration() {
    let (whole, events) = ordinary();
    let facts = whole.of_kind(RecordKind::Registry).count();
    assert!(whole.records[..facts].iter().all(|record| record.kind == RecordKind::Registry));
    let keys: BTreeSet<String> =
        whole.records[..facts].iter().map(|record| String::from_utf8(record.key.clone()).unwrap()).collect();
    assert_eq!(keys.len(), facts, "one record a key");
    for record in &whole.records[..facts] {
        let fact: Value = serde_json::from_slice(&record.value).unwrap();
        assert!(matches!(text(&fact, "/type"), Some("mcp.registry.server" | "mcp.registry.key")), "{fact}");
    }
    for event in events.iter().filter(|event| event["type"] == "mcp.call.completed") {
        let (workspace, slug) = (text(event, "/data/workspace").unwrap(), text(event, "/data/slug").unwrap());
        assert!(keys.contains(&format!("server/{workspace}/{slug}")), "{event}");
    }
    for key in events.iter().filter_map(|event| text(event, "/data/credential/key_id")) {
        assert!(keys.contains(&format!("key/{key}")), "{key}");
    }
}

#[test]
fn malformed_records_come_on_top() {
    let whole = run(SimulationOptions { poison_percent: 5.0, ..options(3, 2_000) });
    assert_eq!(whole.of_kind(RecordKind::Event).count(), 2_000);
    let poison = whole.of_kind(RecordKind::Poison).count();
    assert!((60..140).contains(&poison), "{poison}");
    assert!(whole.records.iter().all(|record| !record.value.contains(&b'\n')), "a record is one line");
}

#[test]
fn options_out_of_range_are_refused() {
    let cases = [
        SimulationOptions { hash_key: Vec::new(), ..options(1, 1) },
        SimulationOptions { poison_percent: 101.0, ..options(1, 1) },
        SimulationOptions { start: "1960-01-01T00:00:00Z".parse().unwrap(), ..options(1, 1) },
    ];
    for case in cases {
        assert_eq!(Simulation::new(case).err().unwrap().code(), "simulate_option");
    }
}
