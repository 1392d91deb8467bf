//! Steps that should be in a timeline and are not. Pure.
//!
//! Absence is evidence only where presence is usual: a step counts as missing only where this gateway reported such
//! steps elsewhere lately; else the timeline says that this gateway does not report them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order::is_closing;
use super::stored::{Relation, StoredEvent, optional_micros};
use crate::classify::Class;
use crate::event::{EventKind, Hop, Outcome};

/// A step that was expected and not seen, before it is known whether the gateway reports such steps at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Types of which any would do.
    pub types: &'static [&'static str],
    /// Hop of the step.
    pub hop: Hop,
    /// The event after which it was expected.
    pub after_event_id: String,
    /// What is missing, as a sentence.
    pub text: &'static str,
}

/// Whether the gateway is known to report such steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// It reported such steps for other requests in the last 7 days: this one did not happen, or its event was lost.
    Missing,
    /// It did not, so nothing follows from it.
    NotReported,
}

/// A step that should be in the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingStep {
    /// Type of the event that was expected.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its hop.
    pub hop: String,
    /// The event after which it was expected.
    pub after_event_id: String,
    /// Whether its absence says anything.
    pub absence: Absence,
    /// When this gateway last reported such a step, within 7 days before the request ended; unknown when it did not.
    #[serde(serialize_with = "optional_micros")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_reported_at: Option<DateTime<Utc>>,
    /// What is missing, as a sentence.
    pub text: String,
}

/// A kind of step that the gateway reports, and when it last did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reported {
    /// Type of the step.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its hop.
    pub hop: String,
    /// When it was reported last.
    pub last: DateTime<Utc>,
}

/// The steps that the events lead one to expect and that are not among them.
#[must_use]
pub fn expected(events: &[StoredEvent]) -> Vec<Expected> {
    let own: Vec<&StoredEvent> = events.iter().filter(|event| event.relation == Relation::Request).collect();
    let found = [end_of_request(&own), credential_check(&own), upstream_call(&own), refresh(&own, events)];
    found.into_iter().flatten().chain(sign_in_steps(events)).collect()
}

/// Names what is missing, given what this gateway reports.
#[must_use]
pub fn missing(expected: Vec<Expected>, reported: &[Reported]) -> Vec<MissingStep> {
    use crate::event::vocabulary::ClosedEnum as _;
    let last_reported = |step: &Expected| {
        let such = reported
            .iter()
            .filter(|known| step.types.contains(&known.type_name.as_str()) && known.hop == step.hop.as_str());
        such.map(|known| known.last).max()
    };
    let name = |step: Expected| {
        let last_reported_at = last_reported(&step);
        let absence = if last_reported_at.is_some() { Absence::Missing } else { Absence::NotReported };
        let type_name = step.types.first().copied().unwrap_or_default().to_owned();
        let text = match absence {
            Absence::Missing => step.text.to_owned(),
            Absence::NotReported => format!("{type_name} ({}): not reported by this gateway", step.hop.as_str()),
        };
        let hop = step.hop.as_str().to_owned();
        MissingStep { type_name, hop, after_event_id: step.after_event_id, absence, last_reported_at, text }
    };
    expected.into_iter().map(name).collect()
}

fn end_of_request(own: &[&StoredEvent]) -> Option<Expected> {
    let last = own.last()?;
    let in_the_background = own.iter().any(|event| event.str("initiator") == Some("background"));
    if in_the_background || own.iter().any(|event| is_closing(event)) {
        return None;
    }
    Some(Expected {
        types: &["mcp.request.completed", "mcp.request.rejected"],
        hop: Hop::Downstream,
        after_event_id: last.event_id.clone(),
        text: "the end of the request was not seen: it still runs, or its last event is on its way",
    })
}

fn credential_check(own: &[&StoredEvent]) -> Option<Expected> {
    let refused = own.iter().find(|event| is_closing(event) && event.failed() && !event.is_challenge_only())?;
    let status_of_a_refusal = matches!(refused.integer("http_status"), Some(401 | 403));
    if !status_of_a_refusal || own.iter().any(|event| event.kind == EventKind::Credential || event.hop == Hop::Upstream)
    {
        return None;
    }
    Some(Expected {
        types: &["mcp.auth.credential"],
        hop: Hop::Downstream,
        after_event_id: refused.event_id.clone(),
        text: "no check of the client's credential was seen before the request was refused",
    })
}

fn upstream_call(own: &[&StoredEvent]) -> Option<Expected> {
    let at_the_door = |event: &&&StoredEvent| {
        matches!(event.kind, EventKind::Credential | EventKind::Decision) && event.hop != Hop::Upstream
    };
    let checked = own.iter().rfind(at_the_door)?;
    let refused = own.iter().filter(at_the_door).any(|event| event.failed());
    let went_upstream = own.iter().any(|event| event.hop == Hop::Upstream);
    let answered_here = own.iter().any(|event| is_closing(event) && event.outcome == Outcome::Success)
        && !own.iter().any(|event| event.str("mcp_method") == Some("tools/call"));
    if refused || went_upstream || answered_here {
        return None;
    }
    Some(Expected {
        types: &["mcp.call.completed"],
        hop: Hop::Upstream,
        after_event_id: checked.event_id.clone(),
        text: "no upstream call was seen after the credential check",
    })
}

fn refresh(own: &[&StoredEvent], events: &[StoredEvent]) -> Option<Expected> {
    let refused = own.iter().find(|event| {
        event.hop == Hop::Upstream
            && event.kind == EventKind::CallCompleted
            && event.class == Class::SignInRequired
            && !event.is_challenge_only()
            && event.str("server_auth") == Some("oauth_user")
    })?;
    if events.iter().any(|event| event.kind == EventKind::Refresh) {
        return None;
    }
    Some(Expected {
        types: &["mcp.auth.refresh"],
        hop: Hop::Upstream,
        after_event_id: refused.event_id.clone(),
        text: "no refresh was attempted after the MCP server refused the token",
    })
}

fn sign_in_steps(events: &[StoredEvent]) -> Vec<Expected> {
    let last = |kind: EventKind| events.iter().rfind(|event| event.kind == kind && event.str("flow_id").is_some());
    let mut expected = Vec::new();
    if let (Some(authorize), None) =
        (last(EventKind::Authorize).filter(|event| !event.failed()), last(EventKind::Callback))
    {
        expected.push(Expected {
            types: &["mcp.auth.callback"],
            hop: authorize.hop,
            after_event_id: authorize.event_id.clone(),
            text: "the sign-in was started and never came back: abandoned, or still open in the browser",
        });
    }
    if let (Some(callback), None) = (last(EventKind::Callback).filter(|event| !event.failed()), last(EventKind::Token))
    {
        expected.push(Expected {
            types: &["mcp.auth.token"],
            hop: callback.hop,
            after_event_id: callback.event_id.clone(),
            text: "no token request was seen after the sign-in came back",
        });
    }
    expected
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Absence, Reported, expected, missing};
    use crate::query::stored::StoredEvent;
    use crate::query::stored::tests::event;

    fn types(events: &[StoredEvent]) -> Vec<&'static str> {
        expected(events).iter().map(|step| step.types[0]).collect()
    }

    #[test]
    fn steps_that_the_others_lead_one_to_expect_are_named() {
        let credential = event(json!({"event_id": "1", "type": "mcp.auth.credential"}));
        let refused = event(
            json!({"event_id": "9", "type": "mcp.request.rejected", "outcome": "failure", "class": "sign_in_required", "http_status": 401}),
        );
        let call = event(json!({"event_id": "5", "type": "mcp.call.completed", "hop": "upstream"}));
        let call_refused =
            event(json!({"event_id": "5", "type": "mcp.call.completed", "hop": "upstream", "outcome": "failure",
            "class": "sign_in_required", "server_auth": "oauth_user"}));
        let done = event(json!({"event_id": "9"}));
        let authorize =
            event(json!({"event_id": "6", "type": "mcp.auth.authorize", "hop": "upstream", "flow_id": "f"}));
        let callback = event(json!({"event_id": "7", "type": "mcp.auth.callback", "hop": "upstream", "flow_id": "f"}));
        let cases: [(Vec<StoredEvent>, &[&str]); 8] = [
            (vec![credential.clone(), call.clone(), done.clone()], &[]),
            (vec![credential.clone(), done.clone()], &[]),
            (vec![credential.clone(), refused.clone()], &["mcp.call.completed"]),
            (vec![refused.clone()], &["mcp.auth.credential"]),
            (vec![credential.clone(), call.clone()], &["mcp.request.completed"]),
            (vec![credential.clone(), call_refused, refused.clone()], &["mcp.auth.refresh"]),
            (vec![credential.clone(), call.clone(), done.clone(), authorize.clone()], &["mcp.auth.callback"]),
            (vec![credential, call, done, authorize, callback], &["mcp.auth.token"]),
        ];
        for (events, expected) in cases {
            assert_eq!(types(&events), expected, "{events:?}");
        }
    }

    #[test]
    fn absence_counts_only_where_the_gateway_reports_such_steps_on_that_hop() {
        let events = [
            event(json!({"event_id": "1", "type": "mcp.auth.credential"})),
            event(
                json!({"event_id": "9", "type": "mcp.request.rejected", "outcome": "failure", "class": "unclassified", "http_status": 502}),
            ),
        ];
        let last = "2026-11-22T09:00:00Z".parse().unwrap();
        let seen = |type_name: &str, hop: &str| Reported { type_name: type_name.into(), hop: hop.into(), last };
        let reported = missing(expected(&events), &[seen("mcp.call.completed", "upstream")]);
        assert_eq!(reported[0].last_reported_at, Some(last));
        assert_eq!(reported[0].absence, Absence::Missing);
        assert_eq!(reported[0].text, "no upstream call was seen after the credential check");
        let other_hop = missing(expected(&events), &[seen("mcp.call.completed", "downstream")]);
        assert_eq!(other_hop[0].last_reported_at, None);
        assert_eq!(other_hop[0].absence, Absence::NotReported);
        assert!(other_hop[0].text.ends_with("not reported by this gateway"), "{}", other_hop[0].text);
    }
}
