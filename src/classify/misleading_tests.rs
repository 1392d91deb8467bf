//! Failures whose code or status misleads: what a field or the words name decides, and where nothing names it, the code
//! or status keeps its own meaning.

use super::testing::{CLASSIFIER, failed};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{CredentialKind, Event, Hop, Outcome, ServerAuth};

const UP: Hop = Hop::Upstream;
const DOWN: Hop = Hop::Downstream;

/// What a failure says beside its type and hop: status, OAuth code, words.
type Said = (Option<u16>, Option<&'static str>, &'static str);

fn told(type_name: &'static str, hop: Hop, (status, code, words): Said) -> Event<'static> {
    failed(type_name, hop, |event| {
        event.http_status = status;
        event.oauth_error = code.map(Into::into);
        event.message = (!words.is_empty()).then(|| words.into());
    })
}

fn assert_class(event: &Event<'_>, class: &str) {
    let verdict = CLASSIFIER.classify(event);
    let words = event.message.as_deref().unwrap_or_default();
    assert_eq!(verdict.class.as_str(), class, "{words:?} by {}", verdict.rule);
}

#[test]
fn an_invalid_request_at_authorize_that_names_the_redirect_uri() {
    let cases = [
        ("client has no such redirect_uri", "redirect_uri_mismatch"),
        ("bad parameter: redirect URI", "redirect_uri_mismatch"),
    ];
    let refused = |words| told("mcp.auth.authorize", UP, (Some(400), Some("invalid_request"), words));
    for (words, class) in cases {
        assert_class(&refused(words), class);
    }
    let other = refused("response_type is empty");
    let rule = CLASSIFIER.classify(&other).rule;
    assert!(["unclassified", crate::classify::wording::RULE].contains(&rule), "no rule says what that is: {rule}");
}

#[test]
fn a_budget_that_is_used_up_is_a_limit_whatever_the_status() {
    for words in ["BudgetExceeded for team blue", "spending limit of the key was reached", "you are over your budget"] {
        for status in [400, 401, 403] {
            let event = told("mcp.auth.credential", DOWN, (Some(status), Some("auth_error"), words));
            assert_class(&event, "rate_limited");
        }
    }
    assert_class(&told("mcp.auth.credential", DOWN, (Some(401), Some("auth_error"), "no")), "sign_in_required");
}

#[test]
fn a_check_that_broke_over_a_credential_without_a_user_is_about_the_credential() {
    let cases = [
        (CredentialKind::ServiceKey, ServerAuth::OAuthUser, "user_identity_required"),
        (CredentialKind::ServiceKey, ServerAuth::Headers, "access_unverifiable"),
        (CredentialKind::UserKey, ServerAuth::OAuthUser, "access_unverifiable"),
    ];
    for (kind, auth, class) in cases {
        for words in ["error while checking permissions", "the access check failed", "could not verify membership"] {
            let mut event = told("mcp.request.rejected", DOWN, (Some(500), None, words));
            event.credential_kind = Some(kind);
            event.server_auth = Some(auth);
            assert_class(&event, class);
        }
    }
}

#[test]
fn a_refusal_may_say_in_words_that_nobody_stands_behind_a_key() {
    let mut event =
        told("mcp.auth.decision", DOWN, (Some(403), None, "a key that acts for nobody cannot sign in here"));
    event.outcome = Some(Outcome::Denied);
    assert_class(&event, "user_identity_required");
}

#[test]
fn a_registration_refused_for_its_host_is_a_registration_refused() {
    let words = "requests of this host are not allowed";
    assert_class(&told("mcp.auth.registration", UP, (Some(403), Some("insufficient_scope"), words)), "dcr_unsupported");
    assert_class(&told("mcp.request.rejected", DOWN, (Some(403), None, "host not allowed")), "base_url_misconfigured");
    assert_class(&told("mcp.auth.registration", UP, (Some(421), None, "")), "base_url_misconfigured");
}

#[test]
fn a_403_that_names_a_permission_by_its_name() {
    let cases = [
        ("permission wiki.pages.edit was required", "missing_permission"),
        ("your key lacks wiki:pages:read", "missing_permission"),
        ("not granted: tools.call", "missing_permission"),
        ("listing was refused", "forbidden"),
    ];
    for (words, class) in cases {
        let mut event = told("mcp.request.rejected", DOWN, (Some(403), None, words));
        event.outcome = Some(Outcome::Denied);
        assert_class(&event, class);
    }
}

#[test]
fn access_denied_because_the_account_is_outside_the_org() {
    let cases = [
        ("ann@example.test is not a member of the blue org", "wrong_organization"),
        ("this account does not belong to your org", "wrong_organization"),
        ("", "consent_denied"),
    ];
    for (words, class) in cases {
        assert_class(&told("mcp.auth.callback", UP, (Some(400), Some("access_denied"), words)), class);
    }
}

#[test]
fn a_404_or_400_of_a_call_whose_words_name_a_session() {
    let cases = [
        (404, "that session has ended", "stale_configuration"),
        (400, "session header is missing: a session is required", "stale_configuration"),
        (404, "that page is not here", "tool_error"),
        (401, "your session has expired", "sign_in_required"),
    ];
    for (status, words, class) in cases {
        let mut event = told("mcp.call.completed", UP, (Some(status), None, words));
        event.mcp_method = Some("tools/call".into());
        assert_class(&event, class);
    }
}

/// A refusal while this version served and the registry knew that one.
fn behind(served: &'static str, newest: &'static str, said: Said) -> Event<'static> {
    let mut event = told("mcp.request.rejected", DOWN, said);
    event.config_version = Some(served.into());
    event.attributes.push(("registry.config_version".into(), newest.into()));
    event
}

#[test]
fn an_older_configuration_explains_what_a_newer_one_cures() {
    let cases = [
        (behind("7", "8", (Some(409), None, "")), "stale_configuration"),
        (behind("7", "8", (Some(500), None, "this configuration was replaced")), "stale_configuration"),
        (behind("9", "10", (Some(404), None, "unknown server")), "stale_configuration"),
        (behind("8", "7", (Some(404), None, "unknown server")), "server_not_found"),
        (behind("blue", "green", (Some(404), None, "unknown server")), "stale_configuration"),
        (behind("7", "8", (Some(429), None, "")), "rate_limited"),
        (behind("7", "8", (Some(504), None, "")), "upstream_unavailable"),
        (behind("7", "8", (Some(401), None, "the token expired")), "sign_in_required"),
        (behind("7", "8", (Some(403), None, "not a member of workspace blue")), "forbidden"),
    ];
    for (event, class) in cases {
        assert_class(&event, class);
    }
}

#[test]
fn an_older_configuration_is_shown_with_both_versions() {
    let event = behind("7", "8", (Some(409), None, ""));
    let evidence = CLASSIFIER.classify(&event).evidence;
    assert!(evidence.contains(&("config_version", "7".into())), "{evidence:?}");
    assert!(evidence.contains(&("attributes", "registry.config_version=8".into())), "{evidence:?}");
}

#[test]
fn words_about_an_old_configuration_do_without_versions() {
    for words in ["replica two keeps using config 41", "config 41 is superseded", "obsolete configuration in use"] {
        assert_class(&told("mcp.request.rejected", DOWN, (Some(409), None, words)), "stale_configuration");
    }
}

#[test]
fn a_server_that_answers_no_health_check_is_away() {
    for (state, class) in [("offline", "upstream_unavailable"), ("draining", "unclassified")] {
        let event =
            failed("mcp.server.state", Hop::Internal, |event| event.attributes.push(("state".into(), state.into())));
        assert_class(&event, class);
    }
}

#[test]
fn a_call_without_an_answer_in_time() {
    for words in ["no reply after 20 s", "no response of the server within 5 seconds"] {
        assert_class(&told("mcp.call.completed", UP, (None, None, words)), "upstream_unavailable");
    }
}

#[test]
fn a_token_that_names_its_fault_beside_the_status() {
    let cases = [
        (401, "token is not bound to the requested resource", "resource_mismatch"),
        (400, "the assertion is past its expiry", "sign_in_required"),
        (500, "auth failed", "sign_in_required"),
    ];
    for (status, words, class) in cases {
        assert_class(&told("mcp.request.rejected", DOWN, (Some(status), None, words)), class);
    }
}
