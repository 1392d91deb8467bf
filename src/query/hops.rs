//! What the hop shows that the verdict is not about: an accepted credential, the answer that repeats the cause, or a
//! second cause that will stand in the way once the first is repaired. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use super::order::{Placed, is_closing};
use super::stored::{Relation, StoredEvent};
use super::verdict::{Strength, is_handshake, is_wrapper, overcome, strength};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, Hop, Outcome};

/// What the other hop has to do with the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherHopRole {
    /// Nothing failed there.
    Fine,
    /// What failed there repeats the cause.
    Consequence,
    /// Something failed there by itself as well.
    CauseToo,
}

/// The hop that the verdict is not about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OtherHop {
    /// `downstream` or `upstream`.
    pub hop: String,
    /// What it has to do with the verdict.
    pub role: OtherHopRole,
    /// Class of what failed there; `none` when nothing did.
    pub class: String,
    /// Its reason.
    pub reason: Option<String>,
    /// The event that shows it.
    pub event_id: String,
    /// The same as a sentence.
    pub text: String,
}

/// What the other hop shows, where events of the request tell about it.
#[must_use]
pub fn other_hop(deciding: &StoredEvent, story: &[Placed<'_>]) -> Option<OtherHop> {
    let own: Vec<Placed<'_>> =
        story.iter().copied().filter(|placed| placed.event.relation == Relation::Request).collect();
    let hop = match deciding.class_hop {
        Hop::Upstream => Hop::Downstream,
        Hop::Downstream | Hop::Internal => Hop::Upstream,
        Hop::Unknown => return None,
    };
    let there: Vec<Placed<'_>> = own
        .iter()
        .copied()
        .filter(|placed| placed.event.hop == hop && placed.event.identity() != deciding.identity())
        .collect();
    let stands = |placed: &&Placed<'_>| {
        placed.event.failed() && !is_handshake(placed, &own) && !overcome(placed, &own)
    };
    let is_cause = |placed: &&&Placed<'_>| {
        strength(placed, &own) == Strength::Cause && !is_wrapper(placed.event) && placed.event.class != deciding.class
    };
    let failures: Vec<&Placed<'_>> = there.iter().filter(stands).collect();
    if let Some(cause) = failures.iter().find(is_cause) {
        return Some(described(cause.event, hop, OtherHopRole::CauseToo));
    }
    let answer = failures.iter().find(|placed| is_closing(placed.event)).or(failures.last());
    if let Some(answer) = answer {
        return Some(described(answer.event, hop, OtherHopRole::Consequence));
    }
    let went_well = |placed: &&Placed<'_>| placed.event.outcome == Outcome::Success && !placed.event.failed();
    let accepted = there.iter().find(|placed| placed.event.kind == EventKind::Credential && went_well(placed));
    let fine = accepted.or(there.iter().find(went_well))?;
    Some(described(fine.event, hop, OtherHopRole::Fine))
}

fn described(event: &StoredEvent, hop: Hop, role: OtherHopRole) -> OtherHop {
    let class = event.class.as_str();
    let status = event.integer("http_status").map(|status| format!("HTTP {status}, ")).unwrap_or_default();
    let text = match (role, hop, event.kind) {
        (OtherHopRole::Fine, _, EventKind::Credential) => match event.str("credential_kind") {
            Some(kind) => format!("the gateway accepted the client's credential ({})", kind.replace('_', " ")),
            None => "the gateway accepted the client's credential".to_owned(),
        },
        (OtherHopRole::Fine, _, _) => format!("nothing failed on the {} hop", hop.as_str()),
        (OtherHopRole::Consequence, Hop::Downstream, _) => {
            format!("the client was answered with the consequence ({status}{class})")
        }
        (OtherHopRole::Consequence, _, _) => format!("what failed upstream is a consequence ({status}{class})"),
        (OtherHopRole::CauseToo, _, _) => format!(
            "the {} hop failed by itself as well ({status}{class}): it will show once this is repaired",
            hop.as_str()
        ),
    };
    OtherHop {
        hop: hop.as_str().to_owned(),
        role,
        class: class.to_owned(),
        reason: event.str("reason").map(str::to_owned),
        event_id: event.event_id.clone(),
        text,
    }
}
