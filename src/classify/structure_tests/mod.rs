//! Every class from structured fields alone: no test here has a message.

mod access;
mod calls;
mod oauth;

use std::borrow::Cow;

use super::testing::{CLASSIFIER, failed};
use super::{Class, WhoActs};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{CredentialKind, Event, Hop, Outcome, ServerAuth};

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

/// Every case, area by area.
fn cases() -> impl Iterator<Item = &'static StructuredCase> {
    access::CASES.iter().chain(oauth::CASES).chain(calls::CASES)
}

#[test]
fn structure_alone_decides() {
    for (number, (type_name, hop, fill, class, reason, who_acts)) in cases().enumerate() {
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
        assert!(is_no_failure || cases().any(|case| case.3 == *class), "{}", class.as_str());
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
