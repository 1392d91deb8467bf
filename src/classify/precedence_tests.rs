//! Each numbered point of the precedence that one event can decide, by a test named after it.

use super::testing::{CLASSIFIER, failed};
use super::{Class, Phase, TextCase};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{CredentialKind, Event, Hop, Outcome, ServerAuth};

const UP: Hop = Hop::Upstream;
const DOWN: Hop = Hop::Downstream;

/// The class and reason of a message at a phase.
fn said(phase: Phase, message: &str) -> (&'static str, Option<&'static str>) {
    let verdict = CLASSIFIER.classify_text(&TextCase { phase, ..TextCase::of(message) });
    (verdict.class.as_str(), verdict.reason)
}

fn class_of(event: &Event<'_>) -> &'static str {
    CLASSIFIER.classify(event).class.as_str()
}

#[test]
fn precedence_01_the_innermost_cause_beats_every_wrapper() {
    let cases = [
        (
            "start-up of the client failed: handshake failed. Caused by: getaddrinfo ENOTFOUND wiki.test",
            "upstream_unavailable",
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"upstream said {\"error\":\"invalid_token\",\"error_description\":\"the access token expired\"}"}}"#,
            "sign_in_required",
        ),
        (r#"connection closed; stderr: {"status":429,"detail":"too many requests"}"#, "rate_limited"),
        ("certificate problem reported. Caused by: refresh token revoked", "refresh_failure"),
        (
            "could not start the list: authentication failed: dial tcp 10.0.0.9:443: connect: no route to host",
            "upstream_unavailable",
        ),
        ("Unauthorized: sign-in error: the redirect URI is not registered", "redirect_uri_mismatch"),
        (
            "event: message\ndata: {\"error\":{\"code\":-32001,\"message\":\"session not found\"}}\n",
            "stale_configuration",
        ),
        (
            "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    go()\nOSError: no such host\n\nThe above exception was \
             the direct cause of the following exception:\n\nTraceback (most recent call last):\nLoginError: unauthorized",
            "upstream_unavailable",
        ),
    ];
    for (message, class) in cases {
        assert_eq!(said(Phase::McpRequest, message).0, class, "{message}");
    }
}

#[test]
fn precedence_02_success_later_in_the_same_text_is_no_failure() {
    assert_eq!(
        said(Phase::Authorization, "got 401 with resource_metadata, metadata fetched, sign-in completed, then 200 OK")
            .0,
        "none"
    );
    assert_ne!(said(Phase::Authorization, "sign-in completed, then the call got 401 Unauthorized").0, "none");
    let event = failed("mcp.auth.token", UP, |e| e.message = Some("exchange completed".into()));
    assert_ne!(class_of(&event), "none", "an outcome that says failure is believed");
}

#[test]
fn precedence_03_rate_limit_beats_status_phase_and_type() {
    let event = failed("mcp.auth.registration", UP, |e| {
        e.http_status = Some(403);
        e.message = Some("secondary rate limit reached for this address".into());
    });
    assert_eq!(class_of(&event), "rate_limited");
    let budget = failed("mcp.request.rejected", DOWN, |e| {
        e.http_status = Some(401);
        e.message = Some("auth_error: budget of this key has been exceeded".into());
    });
    assert_eq!((class_of(&budget), CLASSIFIER.classify(&budget).reason), ("rate_limited", Some("budget")));
}

fn without_user(fill: impl FnOnce(&mut Event<'static>)) -> Event<'static> {
    failed("mcp.request.rejected", DOWN, |event| {
        event.credential_kind = Some(CredentialKind::ServiceKey);
        event.server_auth = Some(ServerAuth::OAuthUser);
        fill(event);
    })
}

#[test]
fn precedence_04_a_decision_that_names_its_ground_wins() {
    let cases = [
        ("caller is not a member of workspace blue", "forbidden"),
        ("blocked by policy tools-only", "forbidden"),
        ("the key lacks the permission mcp.invoke", "missing_permission"),
    ];
    for (message, class) in cases {
        let event = without_user(|e| {
            e.http_status = Some(403);
            e.message = Some(message.into());
        });
        assert_eq!(class_of(&event), class, "{message}");
    }
}

#[test]
fn precedence_04a_otherwise_a_credential_without_a_user_even_under_a_500() {
    let event = without_user(|e| {
        e.http_status = Some(500);
        e.message = Some("unable to verify access of the caller".into());
    });
    assert_eq!(class_of(&event), "user_identity_required");
}

#[test]
fn precedence_04b_otherwise_the_access_check_failed_whatever_the_status() {
    for status in [200, 401, 403, 500, 503] {
        let event = failed("mcp.request.rejected", DOWN, |e| {
            e.http_status = Some(status);
            e.message = Some("could not verify team membership of the caller".into());
        });
        assert_eq!(class_of(&event), "access_unverifiable", "{status}");
    }
    for cause in ["connection refused", "context deadline exceeded", "HTTP 503", "401 Unauthorized"] {
        let text = format!("could not check whether the caller is a member: team service: request failed: {cause}");
        assert_eq!(said(Phase::McpRequest, &text).0, "access_unverifiable", "{text}");
    }
}

#[test]
fn precedence_05_network_and_5xx_also_at_registration_and_discovery() {
    for type_name in
        ["mcp.auth.registration", "mcp.auth.discovery", "mcp.auth.token", "mcp.auth.refresh", "mcp.call.completed"]
    {
        let down = failed(type_name, UP, |e| e.http_status = Some(503));
        assert_eq!(class_of(&down), "upstream_unavailable", "{type_name} 503");
        let refused = failed(type_name, UP, |e| e.message = Some("connect ECONNREFUSED".into()));
        assert_eq!(class_of(&refused), "upstream_unavailable", "{type_name} refused");
    }
    let answered = failed("mcp.call.completed", UP, |e| {
        e.http_status = Some(503);
        e.mcp_error_code = Some(-32603);
    });
    assert_eq!(class_of(&answered), "tool_error", "the body is a JSON-RPC answer");
}

#[test]
fn precedence_06_registration_refusals_by_what_they_name() {
    let cases = [
        ("the redirect URI is not allowed", "redirect_uri_mismatch"),
        ("scope admin is not allowed for new clients", "invalid_scope"),
        ("insufficient_scope: policy rejected the host", "dcr_unsupported"),
        ("no", "dcr_unsupported"),
    ];
    for (message, class) in cases {
        assert_eq!(said(Phase::Registration, message).0, class, "{message}");
    }
}

#[test]
fn precedence_07_a_provider_sub_code_beats_the_oauth_code() {
    let cases = [
        ("AADSTS65001: not consented", "consent_denied"),
        ("AADSTS50173: grant gone", "refresh_failure"),
        ("AADSTS7000222: keys expired", "invalid_client"),
    ];
    for (message, class) in cases {
        let event = failed("mcp.auth.refresh", UP, |e| {
            e.oauth_error = Some("invalid_grant".into());
            e.message = Some(message.into());
        });
        assert_eq!(class_of(&event), class, "{message}");
    }
}

#[test]
fn precedence_08_the_grant_type_decides_an_invalid_grant() {
    let with_grant = |grant: Option<&'static str>, type_name: &'static str| {
        failed(type_name, UP, |e| {
            e.oauth_error = Some("invalid_grant".into());
            e.oauth_grant_type = grant.map(Into::into);
        })
    };
    assert_eq!(class_of(&with_grant(Some("refresh_token"), "mcp.auth.token")), "refresh_failure");
    assert_eq!(class_of(&with_grant(Some("authorization_code"), "mcp.auth.token")), "pkce_or_state_mismatch");
    let unknown = with_grant(None, "mcp.call.completed");
    let verdict = CLASSIFIER.classify(&unknown);
    assert_eq!((verdict.class, verdict.confidence.as_str()), (Class::RefreshFailure, "weak"));
}

#[test]
fn precedence_09_client_gone_beats_refresh_but_a_dead_token_does_not_become_a_client() {
    let gone = failed("mcp.auth.refresh", UP, |e| e.oauth_error = Some("invalid_client".into()));
    assert_eq!((class_of(&gone), CLASSIFIER.classify(&gone).reason), ("invalid_client", Some("stale_registration")));
    let dead = failed("mcp.auth.refresh", UP, |e| {
        e.oauth_error = Some("unauthorized_client".into());
        e.oauth_error_description = Some("refresh_token is invalid".into());
    });
    assert_eq!(class_of(&dead), "refresh_failure");
}

#[test]
fn precedence_10_the_description_decides_access_denied() {
    let cases = [
        ("the user declined", "consent_denied"),
        ("nobody assigned Ann to it: not assigned", "forbidden"),
        ("Service not found: https://api.example", "resource_mismatch"),
        ("account is not part of the org_abc organization", "wrong_organization"),
        ("nobody is logged in", "consent_denied"),
        ("the user is not logged in", "sign_in_required"),
    ];
    for (description, class) in cases {
        let event = failed("mcp.auth.callback", UP, |e| {
            e.oauth_error = Some("access_denied".into());
            e.oauth_error_description = Some(description.into());
        });
        assert_eq!(class_of(&event), class, "{description}");
    }
}

#[test]
fn precedence_11_insufficient_scope_on_a_call() {
    let event = failed("mcp.call.completed", UP, |e| {
        e.http_status = Some(403);
        e.oauth_error = Some("insufficient_scope".into());
    });
    assert_eq!(class_of(&event), "missing_permission");
}

#[test]
fn precedence_12_a_dead_session_is_stale_and_an_unknown_tool_is_a_tool_error() {
    assert_eq!(said(Phase::McpRequest, "Session not found").0, "stale_configuration");
    assert_eq!(said(Phase::McpRequest, "no valid session ID was given").0, "stale_configuration");
    assert_eq!(said(Phase::ToolCall, "unknown tool: paint").0, "tool_error");
}

#[test]
fn precedence_13_an_address_or_a_resource() {
    let pair = |registered: &'static str, advertised: &'static str| {
        failed("mcp.auth.discovery", UP, |e| {
            e.resource_registered = Some(registered.into());
            e.resource_advertised = Some(advertised.into());
        })
    };
    let cases = [
        ("https://a.example/mcp", "http://a.example/mcp", "base_url_misconfigured"),
        ("https://a.example/mcp", "https://a.example:8443/mcp", "base_url_misconfigured"),
        ("https://a.example/mcp", "http://10.0.0.7/mcp", "base_url_misconfigured"),
        ("https://a.example", "https://a.example/mcp", "resource_mismatch"),
        ("https://a.example/mcp", "https://b.example/mcp", "resource_mismatch"),
        ("https://a.example/sse", "http://10.0.0.7/mcp", "resource_mismatch"),
    ];
    for (registered, advertised, class) in cases {
        assert_eq!(class_of(&pair(registered, advertised)), class, "{registered} {advertised}");
        let text = format!("protected resource {advertised} does not match expected {registered}");
        assert_eq!(said(Phase::Discovery, &text).0, class, "{text}");
    }
}

#[test]
fn precedence_14_issuer_in_metadata_or_on_the_callback() {
    assert_eq!(
        said(Phase::Discovery, "issuer mismatch in authorization server metadata"),
        ("discovery_failure", Some("issuer"))
    );
    assert_eq!(
        said(Phase::Authorization, "iss of the authorization response does not match the expected one"),
        ("pkce_or_state_mismatch", Some("issuer"))
    );
}

#[test]
fn precedence_15_user_known_but_server_not_connected() {
    let event = failed("mcp.call.completed", UP, |e| {
        e.user_id = Some("u1".into());
        e.credential_kind = Some(CredentialKind::UserKey);
        e.server_auth = Some(ServerAuth::OAuthUser);
        e.outcome = Some(Outcome::ConnectRequired);
    });
    assert_eq!((class_of(&event), CLASSIFIER.classify(&event).reason), ("sign_in_required", Some("connect_required")));
}

#[test]
fn precedence_16_another_tenant_or_not_a_member() {
    assert_eq!(
        said(Phase::Authorization, "you are signed in to a different organization than the app expects").0,
        "wrong_organization"
    );
    assert_eq!(said(Phase::McpRequest, "user is not a member of workspace blue").0, "forbidden");
}

#[test]
fn precedence_17_a_403_by_what_it_names() {
    let cases = [
        ("scope files:write is required", "missing_permission"),
        ("access to this workspace is denied by policy", "forbidden"),
        ("no", "forbidden"),
    ];
    for (message, class) in cases {
        let event = failed("mcp.request.rejected", DOWN, |e| {
            e.http_status = Some(403);
            e.message = Some(message.into());
        });
        assert_eq!(class_of(&event), class, "{message}");
    }
}

#[test]
fn precedence_18_a_404_that_may_hide_a_denial() {
    let with_text = |message: &'static str| {
        failed("mcp.call.completed", UP, |e| {
            e.http_status = Some(404);
            e.mcp_method = Some("tools/call".into());
            e.message = Some(message.into());
        })
    };
    assert_eq!(
        class_of(&with_text("no such ticket, or it does not exist or lies beyond your permission")),
        "tool_error"
    );
    assert_eq!(class_of(&with_text("page missing; has it been shared with the app?")), "forbidden");
    assert_eq!(class_of(&with_text("gone")), "tool_error");
}

#[test]
fn precedence_19_what_is_left_of_json_rpc() {
    for code in [-32600, -32601, -32602, -32603, -32000, -32050] {
        let event = failed("mcp.call.completed", UP, |e| e.mcp_error_code = Some(code));
        assert_eq!(class_of(&event), "tool_error", "{code}");
    }
}

#[test]
fn a_code_that_lies_is_corrected_by_the_step() {
    let keycloak = failed("mcp.auth.registration", UP, |e| {
        e.oauth_error = Some("insufficient_scope".into());
        e.http_status = Some(403);
    });
    assert_eq!(class_of(&keycloak), "dcr_unsupported");
    let dex = failed("mcp.auth.refresh", UP, |e| {
        e.oauth_error = Some("invalid_request".into());
        e.oauth_error_description = Some("refresh token already claimed".into());
    });
    assert_eq!((class_of(&dex), CLASSIFIER.classify(&dex).reason), ("refresh_failure", Some("reused_race")));
}

#[test]
fn text_that_cannot_decide_is_unclassified_and_weak() {
    for message in ["Authorization at the server did not work out", "Something went wrong", "xyzzy", "{}"] {
        let verdict = CLASSIFIER.classify_text(&TextCase::of(message));
        assert_eq!((verdict.class, verdict.confidence.as_str()), (Class::Unclassified, "weak"), "{message}");
    }
}
