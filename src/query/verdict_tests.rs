//! The verdict over joined events, as a table: each precedence, both orders of arrival.

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

fn cases() -> Vec<Case> {
    let ok = |id: &str, name: &str, hop: &str, ms: i64| step(id, name, hop, ms, "none", json!({}));
    let fails = |id: &str, name: &str, hop: &str, ms: i64, class: &str| step(id, name, hop, ms, class, json!({}));
    let of = |relation: &str, id: &str, name: &str, ms: i64, class: &str| {
        step(id, name, "up", ms, class, json!({"relation": relation, "request_id": null}))
    };
    let retry = |id: &str, name: &str, ms: i64, class: &str| {
        step(id, name, "down", ms, class, json!({"relation": "retry", "request_id": "r2"}))
    };
    let credential = || ok("1", "auth.credential", "down", 0);
    let rejected = |class: &str| fails("9", "request.rejected", "down", 900, class);
    vec![
        Case {
            name: "nothing failed",
            events: vec![credential(), ok("5", "call.completed", "up", 200), ok("9", "request.completed", "down", 300)],
            answer: "none",
        },
        Case {
            name: "an upstream failure with a cause beats the generic answer",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "resource_mismatch"),
                rejected("sign_in_required"),
            ],
            answer: "resource_mismatch@5",
        },
        Case {
            name: "the inner event decides when the answer repeats its class",
            events: vec![
                credential(),
                fails("5", "auth.refresh", "up", 200, "refresh_failure"),
                rejected("refresh_failure"),
            ],
            answer: "refresh_failure@5",
        },
        Case {
            name: "the answer's own cause beats an inner symptom",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "sign_in_required"),
                rejected("refresh_failure"),
            ],
            answer: "refresh_failure@9",
        },
        Case {
            name: "unclassified is beaten",
            events: vec![credential(), fails("5", "call.completed", "up", 200, "unclassified"), rejected("forbidden")],
            answer: "forbidden@9",
        },
        Case {
            name: "weak is beaten",
            events: vec![
                credential(),
                step("5", "call.completed", "up", 200, "invalid_scope", json!({"confidence": "weak"})),
                rejected("missing_permission"),
            ],
            answer: "missing_permission@9",
        },
        Case {
            name: "only unclassified: the innermost",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "unclassified"),
                rejected("unclassified"),
            ],
            answer: "unclassified@5",
        },
        Case {
            name: "registration before a 401",
            events: vec![
                credential(),
                fails("4", "auth.registration", "up", 100, "dcr_unsupported"),
                fails("5", "call.completed", "up", 200, "sign_in_required"),
                rejected("sign_in_required"),
            ],
            answer: "dcr_unsupported@4",
        },
        Case {
            name: "a weak refresh before a 401",
            events: vec![
                credential(),
                step("4", "auth.refresh", "up", 100, "refresh_failure", json!({"confidence": "weak"})),
                fails("5", "call.completed", "up", 200, "sign_in_required"),
            ],
            answer: "refresh_failure@4",
        },
        Case {
            name: "the first of two causes",
            events: vec![
                fails("3", "auth.discovery", "up", 50, "discovery_failure"),
                fails("4", "auth.registration", "up", 100, "dcr_unsupported"),
                rejected("sign_in_required"),
            ],
            answer: "discovery_failure@3",
        },
        Case {
            name: "a document found elsewhere makes up for one not found",
            events: vec![
                fails("3", "auth.discovery", "up", 50, "discovery_failure"),
                ok("3b", "auth.discovery", "up", 60),
                fails("4", "auth.registration", "up", 100, "dcr_unsupported"),
                rejected("sign_in_required"),
            ],
            answer: "dcr_unsupported@4",
        },
        Case {
            name: "discovery while the other side is down does not beat the cause behind it",
            events: vec![
                step("3", "auth.refresh", "up", 50, "refresh_failure", json!({"reason": "transient"})),
                step("4", "auth.refresh", "up", 100, "refresh_failure", json!({"reason": "expired"})),
                rejected("unclassified"),
            ],
            answer: "refresh_failure@4",
        },
        Case {
            name: "a token obtained later makes up for a refresh",
            events: vec![
                fails("3", "auth.refresh", "up", 50, "refresh_failure"),
                ok("4", "auth.token", "up", 100),
                fails("5", "call.completed", "up", 200, "missing_permission"),
                rejected("sign_in_required"),
            ],
            answer: "missing_permission@5",
        },
        Case {
            name: "a call that reached the tool got past authentication",
            events: vec![
                fails("3", "auth.refresh", "up", 50, "refresh_failure"),
                step("5", "call.completed", "up", 200, "tool_error", json!({"outcome": "application_error"})),
                ok("9", "request.completed", "down", 300),
            ],
            answer: "tool_error@5",
        },
        Case {
            name: "a delivered tool error is no recovery",
            events: vec![
                credential(),
                step("5", "call.completed", "up", 200, "tool_error", json!({"outcome": "application_error"})),
                ok("9", "request.completed", "down", 300),
            ],
            answer: "tool_error@5",
        },
        Case {
            name: "success in the end",
            events: vec![
                credential(),
                fails("4", "call.completed", "up", 100, "sign_in_required"),
                ok("5", "auth.refresh", "up", 200),
                ok("6", "call.completed", "up", 250),
                ok("9", "request.completed", "down", 300),
            ],
            answer: "none<sign_in_required",
        },
        Case {
            name: "success in the end without another call reported",
            events: vec![
                fails("4", "auth.refresh", "up", 100, "refresh_failure"),
                ok("9", "request.completed", "down", 300),
            ],
            answer: "none<refresh_failure",
        },
        Case {
            name: "a handshake alone",
            events: vec![
                step("1", "request.rejected", "down", 0, "sign_in_required", challenge_only()),
                step("2", "auth.challenge", "down", 1, "sign_in_required", challenge_only()),
            ],
            answer: "sign_in_required@1",
        },
        Case {
            name: "a handshake followed by a retry",
            events: vec![
                step("1", "request.rejected", "down", 0, "sign_in_required", challenge_only()),
                step("2", "auth.challenge", "down", 1, "sign_in_required", challenge_only()),
                retry("8", "auth.discovery", 500, "none"),
            ],
            answer: "none",
        },
        Case {
            name: "a handshake followed by a sign-in",
            events: vec![
                step("1", "auth.challenge", "down", 0, "sign_in_required", challenge_only()),
                fails("2", "request.rejected", "down", 1, "sign_in_required"),
                of("flow", "3", "auth.authorize", 400, "none"),
            ],
            answer: "none",
        },
        Case {
            name: "the answers that repeat a handshake belong to it",
            events: vec![
                step("1", "auth.challenge", "down", 0, "sign_in_required", challenge_only()),
                fails("2", "request.rejected", "down", 1, "sign_in_required"),
            ],
            answer: "sign_in_required@1",
        },
        Case {
            name: "a handshake of the server, then a cause",
            events: vec![
                step("1", "call.completed", "up", 0, "sign_in_required", challenge_only()),
                fails("3", "auth.discovery", "up", 50, "resource_mismatch"),
                rejected("sign_in_required"),
            ],
            answer: "resource_mismatch@3",
        },
        Case {
            name: "recovered by a retry",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "upstream_unavailable"),
                rejected("upstream_unavailable"),
                retry("8", "request.completed", 5000, "none"),
            ],
            answer: "none<upstream_unavailable",
        },
        Case {
            name: "a retry that failed as well",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "resource_mismatch"),
                retry("8", "request.rejected", 5000, "sign_in_required"),
            ],
            answer: "resource_mismatch@5",
        },
        Case {
            name: "a retry whose tool failed",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 200, "resource_mismatch"),
                retry("7", "call.completed", 4000, "tool_error"),
                retry("8", "request.completed", 5000, "none"),
            ],
            answer: "resource_mismatch@5",
        },
        Case {
            name: "recovered by the sign-in it asked for",
            events: vec![
                credential(),
                step("9", "request.completed", "down", 100, "sign_in_required", json!({"outcome": "connect_required"})),
                of("flow", "f1", "auth.callback", 4000, "none"),
                of("flow", "f2", "auth.token", 5000, "none"),
            ],
            answer: "none<sign_in_required",
        },
        Case {
            name: "the sign-in under the same request id",
            events: vec![
                credential(),
                step("9", "request.completed", "down", 100, "sign_in_required", json!({"outcome": "connect_required"})),
                ok("f2", "auth.token", "up", 5000),
                ok("f3", "auth.connection", "up", 5001),
            ],
            answer: "none<sign_in_required",
        },
        Case {
            name: "recovered within the sign-in",
            events: vec![
                credential(),
                fails("9", "request.completed", "down", 100, "sign_in_required"),
                of("flow", "f1", "auth.token", 4000, "invalid_client"),
                of("flow", "f2", "auth.token", 9000, "none"),
            ],
            answer: "none<sign_in_required",
        },
        Case {
            name: "the sign-in it asked for failed",
            events: vec![
                credential(),
                fails("9", "request.completed", "down", 100, "sign_in_required"),
                of("flow", "f1", "auth.callback", 4000, "none"),
                of("flow", "f2", "auth.token", 5000, "invalid_client"),
            ],
            answer: "invalid_client@f2",
        },
        Case {
            name: "a failed sign-in cannot fail a request that succeeded",
            events: vec![
                credential(),
                ok("9", "request.completed", "down", 100),
                of("flow", "f2", "auth.token", 5000, "invalid_client"),
            ],
            answer: "none",
        },
        Case {
            name: "a refused refresh of the connection explains a symptom",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                credential(),
                rejected("sign_in_required"),
            ],
            answer: "refresh_failure@c",
        },
        Case {
            name: "a refresh refused after the request explains nothing",
            events: vec![
                credential(),
                rejected("sign_in_required"),
                of("connection", "c", "auth.refresh", 60_000, "refresh_failure"),
            ],
            answer: "sign_in_required@9",
        },
        Case {
            name: "a refused refresh that was made up for explains nothing",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                of("connection", "d", "auth.refresh", -30_000, "none"),
                credential(),
                rejected("sign_in_required"),
            ],
            answer: "sign_in_required@9",
        },
        Case {
            name: "an earlier sign-in of the connection was another attempt",
            events: vec![
                of("connection", "c", "auth.token", -60_000, "invalid_client"),
                credential(),
                rejected("sign_in_required"),
            ],
            answer: "sign_in_required@9",
        },
        Case {
            name: "a step of its own that failed is nearer than the connection's",
            events: vec![
                of("connection", "c", "auth.registration", -60_000, "dcr_unsupported"),
                fails("4", "auth.authorize", "up", 100, "unclassified"),
                rejected("sign_in_required"),
            ],
            answer: "sign_in_required@9",
        },
        Case {
            name: "another's refresh does not make up for this one's",
            events: vec![
                fails("5", "auth.refresh", "up", 100, "refresh_failure"),
                of("connection", "d", "auth.refresh", 200, "none"),
                rejected("unclassified"),
            ],
            answer: "refresh_failure@5",
        },
        Case {
            name: "a refused refresh cannot fail a request that succeeded",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                credential(),
                ok("9", "request.completed", "down", 100),
            ],
            answer: "none",
        },
        Case {
            name: "refused at the door: nothing behind it is the cause",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                fails("1", "auth.credential", "down", 0, "sign_in_required"),
                rejected("sign_in_required"),
            ],
            answer: "sign_in_required@1",
        },
        Case {
            name: "an earlier request of the chain explains",
            events: vec![
                of("caused_by", "p", "auth.registration", -9_000, "dcr_unsupported"),
                credential(),
                rejected("sign_in_required"),
            ],
            answer: "dcr_unsupported@p",
        },
        Case {
            name: "an earlier request does not beat a cause of its own",
            events: vec![
                of("caused_by", "p", "auth.registration", -9_000, "dcr_unsupported"),
                credential(),
                rejected("rate_limited"),
            ],
            answer: "rate_limited@9",
        },
        Case {
            name: "only the answer to the client",
            events: vec![rejected("missing_permission")],
            answer: "missing_permission@9",
        },
        Case {
            name: "only refreshes, the last one refused",
            events: vec![
                step("1", "auth.refresh", "up", 0, "refresh_failure", json!({"reason": "transient"})),
                step("2", "auth.refresh", "up", 500, "refresh_failure", json!({"reason": "expired"})),
            ],
            answer: "refresh_failure@2",
        },
        Case {
            name: "only refreshes, the last one granted",
            events: vec![fails("1", "auth.refresh", "up", 0, "refresh_failure"), ok("2", "auth.refresh", "up", 500)],
            answer: "none<refresh_failure",
        },
        Case {
            name: "both hops: what was refused first",
            events: vec![
                fails("1", "auth.decision", "down", 0, "forbidden"),
                fails("5", "call.completed", "up", 100, "missing_permission"),
                rejected("forbidden"),
            ],
            answer: "forbidden@1",
        },
        Case {
            name: "the other gateway's clock is 2 s behind",
            events: vec![
                credential(),
                step("5", "auth.refresh", "up", -1800, "refresh_failure", json!({"source": "//gateway/b"})),
                step("6", "call.completed", "up", -1700, "missing_permission", json!({"source": "//gateway/b"})),
                rejected("sign_in_required"),
            ],
            answer: "refresh_failure@5",
        },
        Case {
            name: "the other gateway's clock is 2 s ahead",
            events: vec![
                credential(),
                step("5", "auth.refresh", "up", 2200, "refresh_failure", json!({"source": "//gateway/b"})),
                step("6", "call.completed", "up", 2300, "missing_permission", json!({"source": "//gateway/b"})),
                rejected("sign_in_required"),
            ],
            answer: "refresh_failure@5",
        },
        Case {
            name: "success, by a clock 2 s ahead",
            events: vec![
                credential(),
                step("5", "call.completed", "up", 2200, "sign_in_required", json!({"source": "//gateway/b"})),
                ok("9", "request.completed", "down", 900),
            ],
            answer: "none<sign_in_required",
        },
        spike(false),
        spike(true),
    ]
}

/// A user in a spike of reconnects: many refused refreshes and sign-ins within the hour, then one more request.
fn spike(succeeds: bool) -> Case {
    let mut events = Vec::new();
    for round in 0..20 {
        let at = -3_000_000 + round * 120_000;
        let of = |id: String, name: &str, ms: i64, class: &str| {
            step(&id, name, "up", ms, class, json!({"relation": "connection", "request_id": null}))
        };
        events.push(of(format!("r{round}"), "auth.refresh", at, "refresh_failure"));
        events.push(of(format!("t{round}"), "auth.token", at + 30_000, "none"));
    }
    events.push(step(
        "last",
        "auth.refresh",
        "up",
        -20_000,
        "refresh_failure",
        json!({"relation": "connection", "request_id": null}),
    ));
    events.push(step("1", "auth.credential", "down", 0, "none", json!({})));
    let class = if succeeds { "none" } else { "sign_in_required" };
    events.push(step("9", "request.completed", "down", 100, class, json!({})));
    match succeeds {
        true => Case { name: "a user in a spike, served", events, answer: "none" },
        false => Case {
            name: "a user in a spike, refused: the refresh that was not made up for",
            events,
            answer: "refresh_failure@last",
        },
    }
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
