//! Calls and sessions: stale state, servers that are away, limits, tools, the protocol.

use super::{DOWN, StructuredCase, UP, attribute};
use crate::classify::{Class, WhoActs};
use crate::event::Outcome;

pub(super) const CASES: &[StructuredCase] = &[
    (
        "mcp.call.completed",
        UP,
        |e| {
            e.config_version = Some("41".into());
            attribute(e, "registry.config_version", "42");
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
