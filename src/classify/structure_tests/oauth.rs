//! The steps of OAuth: discovery, registration, consent, tokens, refreshes.

use super::{DOWN, StructuredCase, UP, attribute, names};
use crate::classify::{Class, WhoActs};
use crate::event::{Outcome, Registration};

pub(super) const CASES: &[StructuredCase] = &[
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
];
