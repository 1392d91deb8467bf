//! The obvious words of each class, evidence, and that no text is ever too strange.

use proptest::prelude::*;

use super::testing::CLASSIFIER;
use super::{Class, Phase, TextCase};
use crate::event::vocabulary::ClosedEnum;

#[test]
fn obvious_words_decide() {
    let cases = [
        ("the access token has expired", "sign_in_required"),
        ("you do not belong to this team", "forbidden"),
        ("the token lacks the scope repo:write", "missing_permission"),
        ("no server named wiki is registered: MCP server not found", "server_not_found"),
        ("failed to check permissions of the caller", "access_unverifiable"),
        ("this action requires a user context", "user_identity_required"),
        ("the provider does not support dynamic client registration", "dcr_unsupported"),
        ("client secret is wrong", "invalid_client"),
        ("scope wiki.all is not supported", "invalid_scope"),
        ("the callback URL is not registered for this app", "redirect_uri_mismatch"),
        ("invalid audience in token", "resource_mismatch"),
        ("failed to fetch authorization server metadata", "discovery_failure"),
        ("421 Misdirected Request", "base_url_misconfigured"),
        ("the user cancelled", "consent_denied"),
        ("state mismatch on callback", "pkce_or_state_mismatch"),
        ("you are signed in to the wrong workspace", "wrong_organization"),
        ("refresh token expired", "refresh_failure"),
        ("unknown session id", "stale_configuration"),
        ("external_auth_config is not allowed on managed deployments", "external_auth_blocked"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "upstream_unavailable"),
        ("monthly quota exceeded", "rate_limited"),
        ("unknown tool: paint", "tool_error"),
        ("unsupported protocol version 1999-01-01", "protocol_error"),
        ("signed in successfully", "none"),
    ];
    for (message, class) in cases {
        let verdict = CLASSIFIER.classify_text(&TextCase::of(message));
        assert_eq!(verdict.class.as_str(), class, "{message}: {}", verdict.rule);
    }
    for class in Class::KNOWN.iter().filter(|class| **class != Class::Unclassified) {
        assert!(cases.iter().any(|(_, name)| *name == class.as_str()), "{} has no words", class.as_str());
    }
}

#[test]
fn the_cause_is_told_from_what_surrounds_it() {
    let cases = [
        ("base_url.origin", "sse stream: endpoint origin http://in.example is not the connection origin"),
        ("base_url.metadata", r#"{"issuer": "http://login.example.org", "grant_types_supported": []}"#),
        ("server.web_page", "wiki answered with Content-Type: text/html where JSON was awaited"),
        ("network.not_initialized", "could not initialize gateway at https://wiki.example.org/mcp"),
        ("entra.missing_parameter", "AADSTS900144: the body lacks grant_type"),
        ("denied.scope", "error=access_denied: scope files.all is not assigned"),
        ("status.token_client", "10:00:01 POST /oauth/token HTTP/1.1\" 401"),
        ("discovery.well_known_status", "GET /.well-known/oauth-protected-resource answers 200 with text/html"),
        ("status.required_action", "the call did not indicate success: 401 (answer of the wiki)"),
        ("identity.text", "this endpoint requires user-bound credentials"),
        ("permission.insufficient_scope", r#"{"vendor_error_code": "mcp_insufficient_scope"}"#),
        ("organization.text", "cross-tenant sign-in is off"),
        ("scope.text", "this client is not allowed to ask for the admin scope"),
        ("entra.tenant", "AADSTS16000: the account does not exist in tenant example"),
        ("stale.session_text", "the MCP session was lost on the way"),
        ("none.ends_well", "authenticated with wiki, its tools are there"),
        ("forbidden.provider_policy", "third-party application restrictions keep this app out"),
        ("keycloak.cookie", r#"type="LOGIN_ERROR", clientId="wiki", error="cookie_not_found""#),
        ("keycloak.declined", r#"type="LOGIN_ERROR", clientId="wiki", error="rejected_by_user""#),
        ("keycloak.permission", r#"type="PERMISSION_TOKEN_ERROR", clientId="wiki", error="access_denied""#),
        ("grant.described", "this authorization grant has expired"),
        ("none.pending", r#"{"error": "authorization_pending"}"#),
        ("registration.step", "HTTP 403 trying to register the client"),
        ("cognito.refresh", "NotAuthorizedException: the refresh token has expired"),
    ];
    for (rule, message) in cases {
        let verdict = CLASSIFIER.classify_text(&TextCase::of(message));
        assert_eq!(verdict.rule, rule, "{message}");
    }
}

#[test]
fn where_it_was_seen_and_the_words_tell_the_cause_together() {
    use Phase::{Authorization, Discovery, McpRequest, Refresh, Registration, Token, ToolCall, Unknown};
    let cases = [
        ("none.status_2xx", McpRequest, Some(204), "OPTIONS for the endpoint, answered in 3 ms"),
        ("none.token_valid", Unknown, None, "stored sign-in for wiki looked at, expired: false"),
        ("none.goes_on", McpRequest, None, "look-up of the badge broke, continuing without it"),
        ("entra.grant_on_code", Token, None, "AADSTS70008: what was redeemed is too old"),
        ("forbidden.address", McpRequest, None, "your address is not within the ranges that may come in"),
        ("forbidden.may_only", McpRequest, None, "this key may only talk to wiki and crm"),
        ("forbidden.switched_off", Authorization, None, "the enterprise has switched off third-party connectors"),
        ("access.keys", McpRequest, None, "failed to download the jwks that tokens are checked with"),
        ("registration.server_error_bare", Registration, Some(500), "it broke"),
        ("registration.step_alone", Registration, None, "wiki, second try"),
        ("refresh.step_alone", Refresh, None, "wiki, second try"),
        ("discovery.step_alone", Discovery, None, "wiki, second try"),
        ("discovery.no_endpoint", Token, None, "there is no token endpoint known for wiki"),
        ("callback.method", Authorization, None, "invalid_request: code_challenge_method plain is not taken"),
        ("client.registration_void", Token, None, "the app was purged at the provider"),
        ("client.grant_type", Token, None, "the client is marked as public here"),
        ("denied.by_the_person", Token, None, "error=access_denied: authorization request denied"),
        ("server.gone_at_sign_in", Authorization, None, "Connector wiki not found"),
        ("status.payment", ToolCall, Some(402), "exports are for larger seats"),
        ("status.legal", ToolCall, Some(451), "withheld"),
        ("subject.cookie", McpRequest, None, "the gate cookie is absent"),
        ("abroad.limit", ToolCall, None, "Zu viele Anfragen in dieser Minute"),
        ("abroad.user", McpRequest, None, "Ein Dienstkonto reicht hier nicht"),
        ("abroad.access_check", McpRequest, None, "Entscheidung offen"),
        ("abroad.consent", Authorization, None, "Die Einwilligung wurde widerrufen"),
        ("abroad.redirect", Authorization, None, "回调地址未登记"),
        ("abroad.refresh", Token, None, "刷新令牌已失效"),
        ("abroad.code", Token, None, "Der Anmeldecode wurde schon verwendet"),
        ("abroad.client", Authorization, None, "Gesperrter Client"),
        ("abroad.organization", Authorization, None, "Falscher Mandant"),
        ("abroad.scope", Authorization, None, "La portée n'est pas offerte"),
        ("abroad.permission", McpRequest, None, "Es fehlt ein Recht: fehlende Berechtigung"),
        ("abroad.forbidden", McpRequest, None, "Acceso prohibido"),
        ("abroad.session", McpRequest, None, "La sesión está cerrada"),
        ("abroad.resource", McpRequest, None, "Das ist für eine andere Zielgruppe"),
        ("abroad.server", McpRequest, None, "Servidor desconocido"),
        ("abroad.network", ToolCall, None, "Le serveur est injoignable"),
        ("abroad.protocol", McpRequest, None, "不支持的版本"),
        ("abroad.base_url", Authorization, None, "Das ist die interne Adresse"),
        ("abroad.discovery", Authorization, None, "メタデータが無効です"),
        ("abroad.sign_in", McpRequest, None, "Bitte neu anmelden"),
        ("abroad.sign_in_on_call", ToolCall, None, "Bitte neu anmelden"),
        ("abroad.tool", ToolCall, None, "Die Datei gibt es nicht"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(rule, phase, http_status, message)| {
            let case = TextCase { phase: *phase, http_status: *http_status, ..TextCase::of(message) };
            let explanation = CLASSIFIER.explain(&case.as_event());
            // A weak one may be outweighed by what the text resembles; it holds first all the same.
            let first =
                explanation.fired.iter().find(|fired| fired.part == "the whole").map(|fired| fired.rule.clone());
            (first.as_deref() != Some(*rule)).then(|| format!("{rule}: {message:?} is {first:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn evidence_quotes_the_words_that_decided() {
    let verdict = CLASSIFIER.classify_text(&TextCase::of("the call failed since the Refresh Token was revoked today"));
    assert_eq!(verdict.evidence, vec![("message", "Refresh Token was revoked".into())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_is_too_strange(message in "\\PC{0,200}", status in proptest::option::of(0_u16..1000), phase in 0_usize..8) {
        let phase = Phase::KNOWN.get(phase).copied().unwrap_or(Phase::Unknown);
        let case = TextCase { http_status: status, phase, ..TextCase::of(&message) };
        let verdict = CLASSIFIER.classify_text(&case);
        prop_assert!(!verdict.rule.is_empty());
    }

    #[test]
    fn no_wrapping_is_too_deep(depth in 0_usize..12, inner in "[a-z\\\\\"{}%&;:=é\u{0}\n]{0,80}") {
        let mut message = inner;
        for _ in 0..depth {
            message = serde_json::json!({ "error": message }).to_string();
        }
        let verdict = CLASSIFIER.classify_text(&TextCase::of(&message));
        prop_assert!(!verdict.rule.is_empty());
    }
}
