//! What made up for a failure: handshakes, retries, sign-ins.

use serde_json::json;

use super::{Case, challenge_only, credential, fails, of, ok, rejected, retry, step};

pub(super) fn cases() -> Vec<Case> {
    vec![
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
    ]
}
