//! The verdict over joined events, as a table: each precedence, both orders of arrival.

mod causes;
mod joins;
mod recoveries;

use serde_json::{Value, json};

use super::stored::tests::event;
use super::stored::{Relation, StoredEvent};
use super::verdict::decide;
use crate::classify::Class;
use crate::event::vocabulary::ClosedEnum;

/// One case: a name, its events in the order of time, and the answer: `class` or `none`, then `@event` that decided, or
/// `<class` recovered from.
struct Case {
    name: &'static str,
    events: Vec<StoredEvent>,
    answer: &'static str,
}

/// An event `id` of type `mcp.<step>` on `hop`, `ms` after the start, of `class`; `more` changes members.
fn step(id: &str, step: &str, hop: &str, ms: i64, class: &str, more: Value) -> StoredEvent {
    let start: chrono::DateTime<chrono::Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
    let time = super::stored::time_text(start + chrono::TimeDelta::milliseconds(ms));
    let hop = match hop {
        "down" => "downstream",
        "up" => "upstream",
        other => other,
    };
    let outcome = if class == "none" { "success" } else { "failure" };
    let confidence = if class == "unclassified" { "weak" } else { "certain" };
    let mut members = json!({
        "event_id": id, "type": format!("mcp.{step}"), "hop": hop, "class_hop": hop, "time": time, "outcome": outcome,
        "class": class, "confidence": confidence, "who_acts": "end_user", "rule": "a_rule",
    });
    let mut relation = Relation::Request;
    for (name, value) in more.as_object().unwrap() {
        match (name.as_str(), value.as_str()) {
            ("relation", Some("flow")) => relation = Relation::Flow,
            ("relation", Some("connection")) => relation = Relation::Connection,
            ("relation", Some("caused_by")) => relation = Relation::CausedBy,
            ("relation", Some("retry")) => relation = Relation::Retry,
            _ => members[name] = value.clone(),
        }
    }
    let mut event = event(members);
    event.relation = relation;
    event
}

fn challenge_only() -> Value {
    json!({"reason": "challenge_only", "credential_sent": false})
}

fn answer(events: &[StoredEvent]) -> String {
    let decision = decide(events);
    let decided = decision.deciding.map(|event| format!("{}@{}", event.class.as_str(), event.event_id));
    let recovered = decision.recovered.map(|recovery| format!("none<{}", recovery.class));
    decided.or(recovered).unwrap_or_else(|| Class::None.as_str().to_owned())
}

/// A step of the request's own that went well.
fn ok(id: &str, name: &str, hop: &str, ms: i64) -> StoredEvent {
    step(id, name, hop, ms, "none", json!({}))
}

/// A step of the request's own that failed with this class.
fn fails(id: &str, name: &str, hop: &str, ms: i64, class: &str) -> StoredEvent {
    step(id, name, hop, ms, class, json!({}))
}

/// An upstream step that is joined by this relation and names no request.
fn of(relation: &str, id: &str, name: &str, ms: i64, class: &str) -> StoredEvent {
    step(id, name, "up", ms, class, json!({"relation": relation, "request_id": null}))
}

/// A step of the request `r2`, which retries this one.
fn retry(id: &str, name: &str, ms: i64, class: &str) -> StoredEvent {
    step(id, name, "down", ms, class, json!({"relation": "retry", "request_id": "r2"}))
}

/// The first step: the client's credential was accepted.
fn credential() -> StoredEvent {
    ok("1", "auth.credential", "down", 0)
}

/// The last step: the client was refused.
fn rejected(class: &str) -> StoredEvent {
    fails("9", "request.rejected", "down", 900, class)
}

fn cases() -> impl Iterator<Item = Case> {
    causes::cases().into_iter().chain(recoveries::cases()).chain(joins::cases())
}

#[test]
fn the_first_cause_decides() {
    let mut faults = Vec::new();
    for case in cases() {
        let mut reversed = case.events.clone();
        reversed.reverse();
        let mut twice = case.events.clone();
        twice.extend(case.events.clone());
        for (order, events) in [("in order", case.events), ("reversed", reversed), ("sent twice", twice)] {
            let got = answer(&events);
            if got != case.answer {
                faults.push(format!("{} ({order}): expected {}, got {got}", case.name, case.answer));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_recovery_tells_by_which_request_and_what_was_different() {
    let events = [
        step("5", "call.completed", "up", 100, "stale_configuration", json!({"config_version": "41", "user_id": "u1"})),
        step("9", "request.rejected", "down", 200, "stale_configuration", json!({"config_version": "41"})),
        step("7", "auth.refresh", "up", 4000, "none", json!({"relation": "retry", "request_id": "r2"})),
        step(
            "8",
            "request.completed",
            "down",
            5000,
            "none",
            json!({"relation": "retry", "request_id": "r2", "config_version": "42", "user_id": "u1"}),
        ),
    ];
    let recovery = decide(&events).recovered.unwrap();
    assert_eq!((recovery.by_request_id.as_deref(), recovery.by_event_id.as_str()), (Some("r2"), "8"));
    assert_eq!((recovery.class.as_str(), recovery.event_id.as_str()), ("stale_configuration", "5"));
    assert_eq!(recovery.steps, ["mcp.auth.refresh"]);
    let changed: Vec<String> =
        recovery.changed.iter().map(|change| format!("{} {}→{}", change.field, change.before, change.after)).collect();
    assert_eq!(changed, ["config_version 41→42"]);
}
