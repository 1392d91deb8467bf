//! What events of the connection and of earlier requests explain, and what they do not.

use serde_json::json;

use super::{Case, credential, fails, of, ok, rejected, step};
use crate::query::stored::StoredEvent;

pub(super) fn cases() -> Vec<Case> {
    vec![
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
            name: "the gateway says that the user has not connected the server: what failed before is another story",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                credential(),
                connection("required"),
                rejected("sign_in_required"),
            ],
            answer: "sign_in_required@5",
        },
        Case {
            name: "the connection was lost: the refresh that was refused explains it",
            events: vec![
                of("connection", "c", "auth.refresh", -60_000, "refresh_failure"),
                credential(),
                connection("invalidated"),
                rejected("sign_in_required"),
            ],
            answer: "refresh_failure@c",
        },
        Case {
            name: "the sign-in that it asked for failed, whatever the gateway said before",
            events: vec![
                credential(),
                connection("required"),
                rejected("sign_in_required"),
                of("flow", "f", "auth.token", 5000, "invalid_client"),
            ],
            answer: "invalid_client@f",
        },
        spike(false),
        spike(true),
    ]
}

/// The gateway's word about the connection: it wants one, or lost it.
fn connection(state: &str) -> StoredEvent {
    let members = json!({"outcome": "connect_required", "reason": "connect_required", "attributes": {"state": state}});
    step("5", "auth.connection", "up", 100, "sign_in_required", members)
}

/// A user in a spike of reconnects: many refused refreshes and sign-ins within the hour, then one more request.
fn spike(succeeds: bool) -> Case {
    let mut events = Vec::new();
    for round in 0..20 {
        let at = -3_000_000 + round * 120_000;
        events.push(of("connection", &format!("r{round}"), "auth.refresh", at, "refresh_failure"));
        events.push(of("connection", &format!("t{round}"), "auth.token", at + 30_000, "none"));
    }
    events.push(of("connection", "last", "auth.refresh", -20_000, "refresh_failure"));
    events.push(credential());
    let class = if succeeds { "none" } else { "sign_in_required" };
    events.push(fails("9", "request.completed", "down", 100, class));
    match succeeds {
        true => Case { name: "a user in a spike, served", events, answer: "none" },
        false => Case {
            name: "a user in a spike, refused: the refresh that was not made up for",
            events,
            answer: "refresh_failure@last",
        },
    }
}
