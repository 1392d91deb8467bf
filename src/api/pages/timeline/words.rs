//! Codes in words, for people who have never read the contract. A code without words of its own is shown with spaces.

use crate::query::stored::Relation;

/// What a class says in a headline.
pub fn class(code: &str) -> String {
    let words = match code {
        "none" => "Nothing failed in the end",
        "unclassified" => "It failed, and no rule explains why",
        "sign_in_required" => "Sign-in required",
        "forbidden" => "Signed in, but not allowed",
        "missing_permission" => "A permission or scope is missing",
        "server_not_found" => "No such MCP server here",
        "access_unverifiable" => "The gateway could not verify access",
        "user_identity_required" => "A user's own credential is required",
        "dcr_unsupported" => "The authorization server refuses automatic client registration",
        "invalid_client" => "The OAuth client is wrong or gone",
        "invalid_scope" => "A requested scope is not allowed",
        "redirect_uri_mismatch" => "The redirect URI is not registered",
        "resource_mismatch" => "The registered URL and the advertised resource differ",
        "discovery_failure" => "OAuth metadata could not be read",
        "base_url_misconfigured" => "The gateway advertises a wrong address",
        "consent_denied" => "Consent was refused",
        "pkce_or_state_mismatch" => "The sign-in was not finished by the browser that began it",
        "wrong_organization" => "Signed in to the wrong organization",
        "refresh_failure" => "The token could not be refreshed",
        "stale_configuration" => "An old configuration or session is still in use",
        "external_auth_blocked" => "External authentication is not available on this gateway",
        "upstream_unavailable" => "The other side could not be reached",
        "rate_limited" => "Too many requests",
        "tool_error" => "The tool failed; authentication was fine",
        "protocol_error" => "Client and server speak different protocol versions",
        other => return spaced(other),
    };
    words.to_owned()
}

/// Who has to act.
pub fn who(code: &str) -> String {
    let words = match code {
        "end_user" => "The person at the client",
        "workspace_admin" => "An admin of the workspace",
        "identity_provider_admin" => "An admin of the identity provider",
        "gateway_operator" => "Whoever runs the gateway",
        "server_owner" => "Whoever runs the MCP server",
        "client_vendor" => "The maker of the client",
        "nobody" => "Nobody",
        "unknown" => "Not known",
        other => return spaced(other),
    };
    words.to_owned()
}

/// A hop as its two ends.
pub fn hop(code: &str) -> String {
    let words = match code {
        "downstream" => "Client → gateway",
        "upstream" => "Gateway → MCP server",
        "internal" => "Inside the gateway",
        "unknown" => "Not known",
        other => return spaced(other),
    };
    words.to_owned()
}

/// What a step is called.
pub fn step(event_type: &str) -> String {
    let words = match event_type {
        "mcp.request.completed" => "Answer to the client",
        "mcp.request.rejected" => "Request rejected",
        "mcp.auth.credential" => "Credential check",
        "mcp.auth.decision" => "Access decision",
        "mcp.auth.challenge" => "Challenge (WWW-Authenticate)",
        "mcp.auth.discovery" => "OAuth metadata",
        "mcp.auth.registration" => "Client registration",
        "mcp.auth.authorize" => "Sign-in page",
        "mcp.auth.consent" => "Consent",
        "mcp.auth.callback" => "Return from sign-in",
        "mcp.auth.token" => "Token request",
        "mcp.auth.refresh" => "Token refresh",
        "mcp.auth.stepup" => "Request for more scope",
        "mcp.auth.connection" => "Connection",
        "mcp.call.completed" => "MCP call",
        "mcp.session.opened" => "Session opened",
        "mcp.session.closed" => "Session closed",
        "mcp.config.changed" => "Configuration change",
        "mcp.server.state" => "Server state",
        other => return other.to_owned(),
    };
    words.to_owned()
}

/// How an event came into the timeline; nothing for the request's own.
pub fn relation(relation: Relation) -> Option<&'static str> {
    match relation {
        Relation::Request => None,
        Relation::CausedBy => Some("earlier request"),
        Relation::Retry => Some("later retry"),
        Relation::Flow => Some("same sign-in"),
        Relation::Trace => Some("same trace"),
        Relation::Connection => Some("same connection"),
    }
}

/// `good`, `bad` or `odd` for an outcome; other outcomes have no colour.
pub fn outcome_tone(code: &str) -> &'static str {
    match code {
        "success" => "good",
        "failure" | "denied" => "bad",
        "application_error" | "connect_required" | "input_required" | "cancelled" => "odd",
        _ => "",
    }
}

/// A code with spaces for its underscores.
pub fn spaced(code: &str) -> String {
    code.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use crate::classify::{Class, WhoActs};
    use crate::event::vocabulary::ClosedEnum;
    use crate::event::{EventKind, Hop};

    #[test]
    fn every_code_of_the_contract_has_words_of_its_own() {
        for class in Class::KNOWN {
            assert_ne!(super::class(class.as_str()), super::spaced(class.as_str()), "{class:?}");
        }
        for who in WhoActs::KNOWN {
            assert_ne!(super::who(who.as_str()), super::spaced(who.as_str()), "{who:?}");
        }
        for hop in Hop::KNOWN {
            assert_ne!(super::hop(hop.as_str()), super::spaced(hop.as_str()), "{hop:?}");
        }
        for name in EventKind::names() {
            assert_ne!(super::step(name), name);
        }
    }

    #[test]
    fn what_has_no_words_is_shown_as_it_is() {
        assert_eq!(super::class("brand_new_class"), "brand new class");
        assert_eq!(super::step("mcp.auth.telepathy"), "mcp.auth.telepathy");
    }
}
