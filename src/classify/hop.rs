//! On which hop a failure is: what the rule says, what the event says, and what class and step suggest when neither does.
//! Pure.

use super::class::Class;
use super::facts::{Facts, Step};
use super::rules::Rule;
use crate::event::{Event, FieldId, Hop};

/// The hop that refused: the rule's; the far one when its status decided; the event's; what the rule or step assumes.
pub(super) fn hop_of(rule: &Rule, event: &Event<'_>, facts: &Facts<'_>) -> Hop {
    if let Some(hop) = rule.hop {
        return hop;
    }
    let told = known_hop(event);
    let other_side_refused = facts.status.as_ref().is_some_and(|status| status.from == FieldId::http_upstream_status);
    if other_side_refused && told == Some(Hop::Downstream) && rule.class != Class::None {
        return Hop::Upstream;
    }
    told.or(rule.assume_hop).unwrap_or_else(|| hop_of_class(rule.class, facts))
}

/// The hop that a failure of this class suggests, where nobody names one.
pub(super) fn hop_of_class(class: Class, facts: &Facts<'_>) -> Hop {
    let is_beyond = is_beyond_the_gateway(class) || names_the_other_side(facts);
    if is_beyond { Hop::Upstream } else { hop_of_step(facts.step) }
}

/// Whether the text calls what it speaks of "upstream", as only a gateway does of the server behind it.
fn names_the_other_side(facts: &Facts<'_>) -> bool {
    let text = facts.text.as_deref().map_or("", |reading| reading.unwrapped.text.as_str());
    text.as_bytes().windows(8).any(|word| word.eq_ignore_ascii_case(b"upstream"))
}

/// Whether only what a gateway does towards the server can fail so: it is the one that registers, refreshes and dials.
const fn is_beyond_the_gateway(class: Class) -> bool {
    matches!(
        class,
        Class::DcrUnsupported
            | Class::InvalidClient
            | Class::InvalidScope
            | Class::RefreshFailure
            | Class::UpstreamUnavailable
    )
}

/// The hop that the event names.
pub(super) fn known_hop(event: &Event<'_>) -> Option<Hop> {
    event.hop.filter(|hop| *hop != Hop::Unknown)
}

/// Where a step takes place when nobody says: gateways report their own OAuth steps, and those go to the server's side, as
/// does a tool call that somebody complains of, since it is the server that runs it.
pub(super) const fn hop_of_step(step: Step) -> Hop {
    match step {
        Step::Request | Step::Credential | Step::Decision | Step::Challenge => Hop::Downstream,
        Step::Discovery
        | Step::Registration
        | Step::Authorize
        | Step::Token
        | Step::Refresh
        | Step::StepUp
        | Step::Connection
        | Step::Call => Hop::Upstream,
        Step::Unknown => Hop::Unknown,
    }
}
