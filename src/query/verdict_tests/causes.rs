//! Which of a request's own events is the cause; clocks that disagree.

use serde_json::json;

use super::{Case, credential, fails, ok, rejected, step};

pub(super) fn cases() -> Vec<Case> {
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
            name: "both hops: the upstream cause, the answer repeats it",
            events: vec![
                credential(),
                fails("5", "call.completed", "up", 100, "rate_limited"),
                rejected("sign_in_required"),
            ],
            answer: "rate_limited@5",
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
    ]
}
