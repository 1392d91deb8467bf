//! Every class from structured fields alone: no test here has a message.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::DateTime;

use super::{Class, Classifier, WhoActs};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{CredentialKind, Deployment, Event, Hop, Outcome, Registration, ServerAuth};

/// The embedded classifier, loaded once for all tests.
pub(super) static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::embedded().expect("the embedded rules are sound"));

/// A failed event of this type on this hop, with what `fill` knows about it.
pub(super) fn failed(type_name: &'static str, hop: Hop, fill: impl FnOnce(&mut Event<'static>)) -> Event<'static> {
    let mut event = Event::new("e1".into(), "//gateway".into(), type_name.into(), DateTime::UNIX_EPOCH);
    event.hop = Some(hop);
    event.outcome = Some(Outcome::Failure);
    fill(&mut event);
    event
}

fn names(list: &[&'static str]) -> Option<Vec<Cow<'static, str>>> {
    Some(list.iter().map(|name| Cow::Borrowed(*name)).collect())
}

fn attribute(event: &mut Event<'static>, name: &'static str, value: &'static str) {
    event.attributes.push((name.into(), value.into()));
}

type Fill = fn(&mut Event<'static>);

const DOWN: Hop = Hop::Downstream;
const UP: Hop = Hop::Upstream;

/// Type, hop, fields, then what they mean: class, reason, who acts.
type StructuredCase = (&'static str, Hop, Fill, Class, Option<&'static str>, WhoActs);

const CASES: &[StructuredCase] = &[
    (
        "mcp.auth.challenge",
        DOWN,
        |e| {
            e.http_status = Some(401);
            e.credential_sent = Some(false);
        },
        Class::SignInRequired,
        Some("challenge_only"),
        WhoActs::Nobody,
    ),
    (
        "mcp.auth.credential",
        DOWN,
        |e| {
            e.http_status = Some(401);
            e.www_authenticate_error = Some("invalid_token".into());
        },
        Class::SignInRequired,
        Some("invalid_token"),
        WhoActs::EndUser,
    ),
    ("mcp.call.completed", UP, |e| e.http_status = Some(401), Class::SignInRequired, None, WhoActs::EndUser),
    (
        "mcp.auth.connection",
        UP,
        |e| e.outcome = Some(Outcome::ConnectRequired),
        Class::SignInRequired,
        Some("connect_required"),
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.decision",
        DOWN,
        |e| {
            e.outcome = Some(Outcome::Denied);
            e.http_status = Some(403);
        },
        Class::Forbidden,
        Some("policy"),
        WhoActs::WorkspaceAdmin,
    ),
    ("mcp.request.rejected", DOWN, |e| e.http_status = Some(403), Class::Forbidden, None, WhoActs::WorkspaceAdmin),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.http_status = Some(403);
            e.http_answered_by = Some("cloudflare".into());
        },
        Class::Forbidden,
        Some("edge_blocked"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.decision",
        DOWN,
        |e| {
            e.outcome = Some(Outcome::Denied);
            attribute(e, "permission", "mcp.invoke");
        },
        Class::MissingPermission,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.decision",
        DOWN,
        |e| {
            e.credential_permissions = names(&["read"]);
            e.scope_required = Some("read mcp.invoke".into());
        },
        Class::MissingPermission,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.http_status = Some(403);
            e.www_authenticate_error = Some("insufficient_scope".into());
        },
        Class::MissingPermission,
        Some("insufficient_scope"),
        WhoActs::EndUser,
    ),
    ("mcp.request.rejected", DOWN, |e| e.http_status = Some(404), Class::ServerNotFound, None, WhoActs::EndUser),
    (
        "mcp.auth.decision",
        DOWN,
        |e| e.http_status = Some(500),
        Class::AccessUnverifiable,
        None,
        WhoActs::GatewayOperator,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.credential_kind = Some(CredentialKind::ServiceKey);
            e.server_auth = Some(ServerAuth::OAuthUser);
        },
        Class::UserIdentityRequired,
        None,
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.registration",
        UP,
        |e| e.http_status = Some(403),
        Class::DcrUnsupported,
        Some("rejected"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.registration",
        UP,
        |e| e.http_status = Some(404),
        Class::DcrUnsupported,
        Some("unsupported"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.registration",
        UP,
        |e| e.oauth_registration = Some(Registration::Preregistered),
        Class::DcrUnsupported,
        Some("attempted_despite_client_id"),
        WhoActs::GatewayOperator,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| {
            e.oauth_registration = Some(Registration::Dcr);
            e.oauth_params_received = names(&["issuer", "token_endpoint"]);
        },
        Class::DcrUnsupported,
        Some("unsupported"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.token",
        UP,
        |e| {
            e.oauth_error = Some("invalid_client".into());
            e.http_status = Some(401);
        },
        Class::InvalidClient,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.authorize",
        UP,
        |e| e.oauth_error = Some("invalid_scope".into()),
        Class::InvalidScope,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.registration",
        UP,
        |e| e.oauth_error = Some("invalid_scope".into()),
        Class::InvalidScope,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.registration",
        UP,
        |e| e.oauth_error = Some("invalid_redirect_uri".into()),
        Class::RedirectUriMismatch,
        None,
        WhoActs::IdentityProviderAdmin,
    ),
    (
        "mcp.auth.authorize",
        UP,
        |e| e.oauth_error = Some("redirect_uri_mismatch".into()),
        Class::RedirectUriMismatch,
        None,
        WhoActs::IdentityProviderAdmin,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| {
            e.resource_registered = Some("https://a.example".into());
            e.resource_advertised = Some("https://a.example/mcp".into());
        },
        Class::ResourceMismatch,
        Some("path"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.token",
        UP,
        |e| e.oauth_error = Some("invalid_target".into()),
        Class::ResourceMismatch,
        Some("invalid_target"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| e.http_status = Some(404),
        Class::DiscoveryFailure,
        Some("not_found"),
        WhoActs::ServerOwner,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| {
            e.http_status = Some(200);
            e.http_content_type = Some("text/html".into());
        },
        Class::DiscoveryFailure,
        Some("not_json"),
        WhoActs::ServerOwner,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| {
            e.http_status = Some(200);
            e.oauth_metadata_url = Some("https://i.example/.well-known/oauth-authorization-server".into());
            e.oauth_params_received = names(&["issuer"]);
        },
        Class::DiscoveryFailure,
        Some("no_s256"),
        WhoActs::ServerOwner,
    ),
    (
        "mcp.auth.discovery",
        UP,
        |e| {
            e.resource_registered = Some("https://a.example/mcp".into());
            e.resource_advertised = Some("http://a.example/mcp".into());
        },
        Class::BaseUrlMisconfigured,
        Some("address"),
        WhoActs::ServerOwner,
    ),
    (
        "mcp.auth.challenge",
        DOWN,
        |e| {
            e.gateway_base_url = Some("https://gw.example".into());
            e.www_authenticate_resource_metadata =
                Some("http://gateway.svc:8080/.well-known/oauth-protected-resource".into());
        },
        Class::BaseUrlMisconfigured,
        Some("address"),
        WhoActs::GatewayOperator,
    ),
    (
        "mcp.auth.consent",
        UP,
        |e| e.outcome = Some(Outcome::Denied),
        Class::ConsentDenied,
        Some("declined"),
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.callback",
        UP,
        |e| e.oauth_error = Some("access_denied".into()),
        Class::ConsentDenied,
        Some("declined"),
        WhoActs::EndUser,
    ),
    ("mcp.auth.callback", UP, |_| (), Class::PkceOrStateMismatch, None, WhoActs::EndUser),
    (
        "mcp.auth.token",
        UP,
        |e| {
            e.oauth_error = Some("invalid_grant".into());
            e.oauth_grant_type = Some("authorization_code".into());
        },
        Class::PkceOrStateMismatch,
        Some("code_used_or_expired"),
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.authorize",
        UP,
        |e| e.oauth_error = Some("org_internal".into()),
        Class::WrongOrganization,
        None,
        WhoActs::EndUser,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| attribute(e, "cause", "wrong_organization"),
        Class::WrongOrganization,
        None,
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.refresh",
        UP,
        |e| {
            e.oauth_error = Some("invalid_grant".into());
            e.http_status = Some(400);
        },
        Class::RefreshFailure,
        None,
        WhoActs::EndUser,
    ),
    (
        "mcp.auth.refresh",
        UP,
        |e| e.oauth_params_sent = names(&["grant_type", "client_id"]),
        Class::RefreshFailure,
        Some("no_refresh_token_issued"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.auth.refresh",
        UP,
        |e| e.oauth_error = Some("temporarily_unavailable".into()),
        Class::RefreshFailure,
        Some("transient"),
        WhoActs::Nobody,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.config_version = Some("41".into());
            attribute(e, "config_version_newest", "42");
            e.http_status = Some(400);
        },
        Class::StaleConfiguration,
        Some("old_configuration"),
        WhoActs::WorkspaceAdmin,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.session_id = Some("s1".into());
            e.http_status = Some(404);
        },
        Class::StaleConfiguration,
        Some("dead_session"),
        WhoActs::EndUser,
    ),
    (
        "mcp.request.rejected",
        DOWN,
        |e| {
            e.http_status = Some(403);
            e.gateway_deployment = Some(Deployment::Saas);
            e.url_path = Some("/v1/integrations/external_auth_config".into());
        },
        Class::ExternalAuthBlocked,
        None,
        WhoActs::WorkspaceAdmin,
    ),
    ("mcp.call.completed", UP, |_| (), Class::UpstreamUnavailable, Some("no_answer"), WhoActs::ServerOwner),
    (
        "mcp.call.completed",
        UP,
        |e| e.http_status = Some(503),
        Class::UpstreamUnavailable,
        Some("gateway_status"),
        WhoActs::ServerOwner,
    ),
    (
        "mcp.request.completed",
        DOWN,
        |e| e.http_status = Some(500),
        Class::UpstreamUnavailable,
        Some("server_error"),
        WhoActs::GatewayOperator,
    ),
    ("mcp.call.completed", UP, |e| e.http_status = Some(429), Class::RateLimited, None, WhoActs::Nobody),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.outcome = Some(Outcome::ApplicationError);
            e.http_status = Some(200);
        },
        Class::ToolError,
        None,
        WhoActs::ServerOwner,
    ),
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.http_status = Some(200);
            e.mcp_error_code = Some(-32602);
        },
        Class::ToolError,
        None,
        WhoActs::ServerOwner,
    ),
    (
        "mcp.request.rejected",
        DOWN,
        |e| {
            e.http_status = Some(400);
            e.mcp_error_code = Some(-32022);
        },
        Class::ProtocolError,
        Some("unsupported_version"),
        WhoActs::ClientVendor,
    ),
];

#[test]
fn structure_alone_decides() {
    for (number, (type_name, hop, fill, class, reason, who_acts)) in CASES.iter().enumerate() {
        let event = failed(type_name, *hop, fill);
        let verdict = CLASSIFIER.classify(&event);
        let found = (verdict.class, verdict.reason, verdict.who_acts, verdict.hop);
        assert_eq!(found, (*class, *reason, *who_acts, *hop), "case {number}: {type_name}, rule {}", verdict.rule);
        assert!(
            !verdict.evidence.is_empty() || verdict.class == Class::UpstreamUnavailable,
            "case {number} without evidence"
        );
    }
}

#[test]
fn every_class_is_reached_by_structure_alone() {
    for class in Class::KNOWN {
        let is_no_failure = matches!(class, Class::None | Class::Unclassified);
        assert!(is_no_failure || CASES.iter().any(|case| case.3 == *class), "{}", class.as_str());
    }
}

#[test]
fn a_success_is_none_and_runs_no_rule() {
    for outcome in [Outcome::Success, Outcome::InputRequired, Outcome::Cancelled] {
        let event = failed("mcp.call.completed", UP, |event| {
            event.outcome = Some(outcome);
            event.http_status = Some(200);
            event.message = Some("it said: access denied".into());
        });
        let verdict = CLASSIFIER.classify(&event);
        assert_eq!((verdict.class, verdict.rule, verdict.hop), (Class::None, "none", UP), "{outcome:?}");
    }
}

#[test]
fn a_success_that_its_structure_contradicts_is_a_failure() {
    let cases: [(&str, Fill, Class); 4] = [
        ("mcp.call.completed", |e| e.http_status = Some(401), Class::SignInRequired),
        ("mcp.call.completed", |e| e.mcp_error_code = Some(-32603), Class::ToolError),
        ("mcp.auth.refresh", |e| e.oauth_error = Some("invalid_grant".into()), Class::RefreshFailure),
        ("mcp.auth.refresh", |e| e.oauth_params_received = names(&["error"]), Class::RefreshFailure),
    ];
    for (type_name, fill, class) in cases {
        let event = failed(type_name, UP, |event| {
            event.outcome = Some(Outcome::Success);
            fill(event);
        });
        assert_eq!(CLASSIFIER.classify(&event).class, class, "{type_name}");
    }
}

#[test]
fn the_reporters_own_success_beats_an_error_status_behind_it() {
    let event = failed("mcp.call.completed", DOWN, |event| {
        event.outcome = Some(Outcome::Success);
        event.http_status = Some(200);
        event.http_upstream_status = Some(401);
    });
    assert_eq!(CLASSIFIER.classify(&event).class, Class::None);
}

#[test]
fn a_status_of_the_other_side_puts_the_failure_upstream() {
    let event = failed("mcp.request.completed", DOWN, |event| {
        event.http_status = Some(502);
        event.http_upstream_status = Some(401);
    });
    let verdict = CLASSIFIER.classify(&event);
    assert_eq!((verdict.class, verdict.hop), (Class::SignInRequired, UP));
}

#[test]
fn the_matrix_of_keys_and_server_auth() {
    for auth in ServerAuth::KNOWN {
        for kind in CredentialKind::KNOWN {
            let event = failed("mcp.call.completed", UP, |event| {
                event.credential_kind = Some(*kind);
                event.server_auth = Some(*auth);
                event.http_status = Some(500);
            });
            let needs_user = *kind == CredentialKind::ServiceKey && *auth == ServerAuth::OAuthUser;
            let is_needed = CLASSIFIER.classify(&event).class == Class::UserIdentityRequired;
            assert_eq!(is_needed, needs_user, "{kind:?} × {auth:?}");
        }
    }
}

#[test]
fn a_failure_that_says_nothing_is_unclassified_and_weak() {
    let event = failed("mcp.server.state", Hop::Internal, |_| ());
    let verdict = CLASSIFIER.classify(&event);
    assert_eq!(
        (verdict.class, verdict.confidence.as_str(), verdict.rule),
        (Class::Unclassified, "weak", "unclassified")
    );
}
