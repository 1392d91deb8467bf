//! The verdict over joined events, as a table: each precedence, both orders of arrival.

mod causes;
mod joins;
mod recoveries;

use serde_json::{Value, json};

use super::hops::OtherHopRole;
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
    assert_eq!(recovery.text, "after a refresh of the token, with configuration 42 instead of 41");
}

/// `before` and `after` are members of the failed call and of the retry's call; `answer` is what the recovery says.
#[test]
fn what_changed_between_failure_and_success_is_told() {
    let cases = [
        (json!({"scope_granted": "read"}), json!({"scope_granted": "read write"}), "with granted scope read write instead of read"),
        (
            json!({"credential_kind": "service_key", "credential_key_id": "k1"}),
            json!({"credential_kind": "user_key", "credential_key_id": "k2"}),
            "with kind of credential user_key instead of service_key, key k2 instead of k1",
        ),
        (json!({"client_name": "cursor"}), json!({"client_name": "claude-code"}), "with client claude-code instead of cursor"),
        (json!({"user_agent": "a/1"}), json!({"user_agent": "a/2"}), "with user agent a/2 instead of a/1"),
        (json!({"oauth_registration": "dcr"}), json!({"oauth_registration": "preregistered"}), "with kind of client registration preregistered instead of dcr"),
        (
            json!({"token_kind": "access", "token_fingerprint": "hmac-sha256:1"}),
            json!({"token_kind": "access", "token_fingerprint": "hmac-sha256:2"}),
            "with another token",
        ),
        (
            json!({"token_kind": "access", "token_fingerprint": "hmac-sha256:1"}),
            json!({"token_kind": "refresh", "token_fingerprint": "hmac-sha256:2"}),
            "",
        ),
        (json!({"server_url": "https://a.example"}), json!({"server_url": "https://a.example/mcp"}), "with registered URL https://a.example/mcp instead of https://a.example"),
        (json!({}), json!({"client_name": "cursor"}), ""),
    ];
    for (before, mut after, answer) in cases {
        after["relation"] = json!("retry");
        after["request_id"] = json!("r2");
        let events = [
            step("5", "call.completed", "up", 100, "resource_mismatch", before),
            rejected("sign_in_required"),
            step("7", "call.completed", "up", 4900, "none", after),
            retry("8", "request.completed", 5000, "none"),
        ];
        let recovery = decide(&events).recovered.unwrap();
        assert_eq!(recovery.text, answer);
    }
}

#[test]
fn the_other_hop_is_told() {
    let told = |events: &[StoredEvent]| {
        let decision = decide(events);
        let deciding = decision.deciding.unwrap();
        let other = super::hops::other_hop(deciding, &super::order::placed(events));
        other.map(|other| (other.event_id, other.role, other.text))
    };
    let upstream = fails("5", "call.completed", "up", 200, "resource_mismatch");
    let accepted = [credential(), upstream.clone()];
    let (id, role, _) = told(&accepted).unwrap();
    assert_eq!((id.as_str(), role), ("1", OtherHopRole::Fine));
    let answered = [credential(), upstream.clone(), rejected("sign_in_required")];
    let (id, role, text) = told(&answered).unwrap();
    assert_eq!((id.as_str(), role), ("9", OtherHopRole::Consequence));
    assert_eq!(text, "the client was answered with the consequence (sign_in_required)");
    let both = [fails("1", "auth.decision", "down", 0, "forbidden"), fails("5", "call.completed", "up", 100, "missing_permission")];
    let (id, role, text) = told(&both).unwrap();
    assert_eq!((id.as_str(), role), ("5", OtherHopRole::CauseToo));
    assert!(text.contains("upstream hop failed by itself as well"), "{text}");
    assert_eq!(told(&[upstream]), None, "nobody reported the other hop");
    let handshake = [
        step("1", "auth.challenge", "down", 0, "sign_in_required", challenge_only()),
        fails("5", "call.completed", "up", 200, "resource_mismatch"),
    ];
    assert_eq!(told(&handshake), None, "a handshake is no failure");
}

#[test]
fn what_failed_on_the_connection_before_is_told_beside_the_verdict() {
    let members = json!({"outcome": "connect_required", "reason": "connect_required", "attributes": {"state": "required"}});
    let events = [
        of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
        credential(),
        step("5", "auth.connection", "up", 100, "sign_in_required", members),
    ];
    let decision = decide(&events);
    assert_eq!(decision.deciding.unwrap().event_id, "5");
    assert_eq!(decision.earlier.unwrap().event_id, "c");
}
