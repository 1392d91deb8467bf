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

/// Members whose change can explain a recovery.
const TELLING: [&str; 14] = [
    "config_version",
    "server_url",
    "resource_registered",
    "server_auth",
    "credential_kind",
    "credential_key_id",
    "credential_permissions",
    "user_id",
    "scope_requested",
    "scope_granted",
    "oauth_client_id",
    "gateway_version",
    "gateway_instance",
    "client_version",
];

/// The recovery of `failure` by `events`; `None` when none of them succeeded.
#[must_use]
pub fn recovery_of(failure: Placed<'_>, events: &[Placed<'_>], by: Relation) -> Option<Recovery> {
    let succeeded = |placed: &&Placed<'_>| placed.event.outcome == Outcome::Success && !placed.event.failed();
    let successes: Vec<&Placed<'_>> = events.iter().filter(succeeded).collect();
    let closing = successes.iter().rev().find(|placed| is_closing(placed.event));
    let success = closing.or(successes.last())?;
    let mut steps: Vec<String> = Vec::new();
    for step in &successes {
        let between = step.at >= failure.at && is_remedy(step.event.kind);
        if between && !steps.contains(&step.event.type_name) {
            steps.push(step.event.type_name.clone());
        }
    }
    Some(Recovery {
        class: class_name(failure.event),
        reason: failure.event.str("reason").map(str::to_owned),
        event_id: failure.event.event_id.clone(),
        by_request_id: if by == Relation::Flow { None } else { success.event.str("request_id").map(str::to_owned) },
        by_event_id: success.event.event_id.clone(),
        at: success.event.time,
        steps,
        changed: changes(failure.event, &successes),
    })
}

fn class_name(event: &StoredEvent) -> String {
    let class: Class = event.class;
    class.as_str().to_owned()
}

fn is_remedy(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Discovery
            | EventKind::Registration
            | EventKind::Consent
            | EventKind::Token
            | EventKind::Refresh
            | EventKind::StepUp
            | EventKind::Connection
    )
}

/// Members that both sides know and that differ.
fn changes(failed: &StoredEvent, successes: &[&Placed<'_>]) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in TELLING {
        let Some(before) = failed.text(field) else { continue };
        let Some(after) = successes.iter().rev().find_map(|placed| placed.event.text(field)) else { continue };
        if before != after {
            changes.push(Change { field: field.to_owned(), before, after });
        }
    }
    changes
}
