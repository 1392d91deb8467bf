//! What made up for a failure: by which request, when, and what was different then. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::order::{Placed, is_closing};
use super::stored::{Relation, StoredEvent, micros};
use crate::classify::Class;
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, Outcome};

/// A failure that did not last.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Recovery {
    /// Class of the failure.
    pub class: String,
    /// Its reason.
    pub reason: Option<String>,
    /// The event that failed.
    pub event_id: String,
    /// The request that succeeded: this one, or the retry; `null` when the sign-in it asked for was completed.
    pub by_request_id: Option<String>,
    /// The event that shows the success.
    pub by_event_id: String,
    /// When it succeeded.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// Types of the steps that succeeded in between, such as `mcp.auth.refresh`.
    pub steps: Vec<String>,
    /// What was different.
    pub changed: Vec<Change>,
    /// The same in words: what was done in between, and what was different.
    pub text: String,
}

/// One member that was different when it succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Column name of the member.
    pub field: String,
    /// When it failed.
    pub before: String,
    /// When it succeeded.
    pub after: String,
}

/// Where a member is looked for beside the two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In any event of the request: it is the same on both hops.
    Request,
    /// In events of the same hop: each hop has its own.
    Hop,
    /// Only in events about the same kind of token on the same hop.
    Token,
}

/// Members whose change can explain a recovery, what they are called, and where they are looked for; the most telling
/// first.
const TELLING: [(&str, &str, Reach); 22] = [
    ("config_version", "configuration", Reach::Request),
    ("server_url", "registered URL", Reach::Request),
    ("resource_registered", "registered URL", Reach::Request),
    ("resource_advertised", "advertised resource", Reach::Request),
    ("server_auth", "authentication to the server", Reach::Request),
    ("slug", "server", Reach::Request),
    ("workspace", "workspace", Reach::Request),
    ("user_id", "user", Reach::Request),
    ("credential_kind", "kind of credential", Reach::Request),
    ("credential_key_id", "key", Reach::Request),
    ("credential_permissions", "permissions of the key", Reach::Request),
    ("scope_requested", "requested scope", Reach::Hop),
    ("scope_granted", "granted scope", Reach::Hop),
    ("oauth_registration", "kind of client registration", Reach::Hop),
    ("oauth_client_id", "OAuth client", Reach::Hop),
    ("oauth_issuer", "issuer", Reach::Hop),
    ("token_fingerprint", "token", Reach::Token),
    ("client_name", "client", Reach::Request),
    ("client_version", "version of the client", Reach::Request),
    ("user_agent", "user agent", Reach::Request),
    ("gateway_version", "version of the gateway", Reach::Request),
    ("gateway_instance", "instance of the gateway", Reach::Request),
];
/// How many changes the sentence names; the list holds them all.
const CHANGES_TOLD: usize = 3;

/// Steps that can make up for a failure, and what they are called.
const REMEDIES: [(EventKind, &str); 7] = [
    (EventKind::Token, "a new sign-in"),
    (EventKind::Refresh, "a refresh of the token"),
    (EventKind::Registration, "a new registration of the client"),
    (EventKind::Consent, "a consent"),
    (EventKind::StepUp, "a request for more scope"),
    (EventKind::Connection, "connecting the server"),
    (EventKind::Discovery, "reading the metadata again"),
];

/// The recovery of `failure` by `events`; `None` when none of them succeeded. `story` is everything that is known.
#[must_use]
pub fn recovery_of(
    failure: Placed<'_>,
    events: &[Placed<'_>],
    story: &[Placed<'_>],
    by: Relation,
) -> Option<Recovery> {
    let succeeded = |placed: &&Placed<'_>| placed.event.outcome == Outcome::Success && !placed.event.failed();
    let successes: Vec<&Placed<'_>> = events.iter().filter(succeeded).collect();
    let closing = successes.iter().rev().find(|placed| is_closing(placed.event));
    let success = closing.or(successes.last())?;
    // The sign-in in between may be known by its flow alone.
    let steps_between: Vec<&Placed<'_>> = story
        .iter()
        .filter(succeeded)
        .filter(|step| {
            let is_part = events.iter().any(|event| event.event.identity() == step.event.identity())
                || step.event.relation == Relation::Flow;
            is_part && step.at >= failure.at && remedy(step.event.kind).is_some()
        })
        .collect();
    let mut steps: Vec<String> = Vec::new();
    for step in &steps_between {
        if !steps.contains(&step.event.type_name) {
            steps.push(step.event.type_name.clone());
        }
    }
    let before: Vec<&StoredEvent> = story
        .iter()
        .map(|placed| placed.event)
        .filter(|event| event.str("request_id").is_some_and(|id| failure.event.str("request_id") == Some(id)))
        .filter(|event| !is_one_of(event, &successes))
        .collect();
    let changed = changes(failure.event, &before, &successes);
    Some(Recovery {
        class: class_name(failure.event),
        reason: failure.event.str("reason").map(str::to_owned),
        event_id: failure.event.event_id.clone(),
        by_request_id: if by == Relation::Flow { None } else { success.event.str("request_id").map(str::to_owned) },
        by_event_id: success.event.event_id.clone(),
        at: success.event.time,
        text: in_words(&steps_between, &changed),
        steps,
        changed,
    })
}

fn class_name(event: &StoredEvent) -> String {
    let class: Class = event.class;
    class.as_str().to_owned()
}

fn is_one_of(event: &StoredEvent, others: &[&Placed<'_>]) -> bool {
    others.iter().any(|other| other.event.identity() == event.identity())
}

fn remedy(kind: EventKind) -> Option<&'static str> {
    REMEDIES.iter().find(|(remedy, _)| *remedy == kind).map(|(_, words)| *words)
}

/// Members that both sides know and that differ: of the failed event, else of those around it; of the last success.
fn changes(failed: &StoredEvent, around: &[&StoredEvent], successes: &[&Placed<'_>]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for (field, _, reach) in TELLING {
        let in_reach = |event: &StoredEvent| match reach {
            Reach::Request => true,
            Reach::Hop => event.hop == failed.hop,
            Reach::Token => event.hop == failed.hop && event.str("token_kind") == failed.str("token_kind"),
        };
        let nearby = around.iter().copied().filter(|event| in_reach(event));
        let before = [failed].into_iter().chain(nearby).find_map(|event| event.text(field));
        let later = successes.iter().rev().map(|placed| placed.event).filter(|event| in_reach(event));
        let after = later.into_iter().find_map(|event| event.text(field));
        let (Some(before), Some(after)) = (before, after) else { continue };
        // A registered URL is told once, under whichever name.
        let is_told = changes.iter().any(|change| (&change.before, &change.after) == (&before, &after));
        if before != after && !is_told {
            changes.push(Change { field: field.to_owned(), before, after });
        }
    }
    changes
}

/// "after a new sign-in, with configuration 42 instead of 41"; empty when nothing is known.
fn in_words(steps: &[&Placed<'_>], changed: &[Change]) -> String {
    let mut done: Vec<&str> = Vec::new();
    for (kind, words) in REMEDIES {
        // A sign-in registers, reads metadata and connects on its way: the strongest says it all.
        if done.is_empty() && steps.iter().any(|step| step.event.kind == kind) {
            done.push(words);
        }
    }
    let told = changed.iter().take(CHANGES_TOLD).map(|change| {
        let called = TELLING.iter().find(|(field, _, _)| *field == change.field).map_or("", |(_, words, _)| *words);
        match change.field.as_str() {
            "token_fingerprint" => "another token".to_owned(),
            _ => format!("{called} {} instead of {}", change.after, change.before),
        }
    });
    let told: Vec<String> = told.collect();
    let after = done.first().map(|step| format!("after {step}"));
    let with = (!told.is_empty()).then(|| format!("with {}", told.join(", ")));
    [after, with].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
