//! Who may: sign-in, permissions, servers that are not there.

use super::{DOWN, StructuredCase, UP, attribute, names};
use crate::classify::{Class, WhoActs};
use crate::event::{CredentialKind, Deployment, Outcome, ServerAuth};

pub(super) const CASES: &[StructuredCase] = &[
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
];
