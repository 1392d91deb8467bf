//! What a request failed for: the first cause among its joined events, not the last symptom. Pure.
//!
//! 1. An event that failed *stands* unless a later success of the same thing made up for it ([`overcome`]).
//! 2. Among the request's own standing failures the strongest decides ([`strength`]): what names its cause before what
//!    only says "401" or "502"; inside before the answer that wraps it; then the first in time.
//! 3. A symptom is explained by a failed step of the same sign-in, connection or earlier request, where there is one.
//!    Such events only explain: they can't fail a request that succeeded.
//! 4. A handshake's challenge is no failure once anything follows it; success in the end is class `none`, with what it
//!    recovered from ([`super::recovery`]).

use std::cmp::Reverse;

use super::order::{Placed, is_closing, placed};
use super::recovery::{Recovery, recovery_of};
use super::stored::{Relation, StoredEvent};
use crate::classify::{Class, Confidence};
use crate::event::{EventKind, Hop, Outcome};

/// What the joined events of one request come to.
#[derive(Debug, Clone, Default)]
pub struct Decision<'e> {
    /// The event whose verdict stands for the request; `None` when nothing failed in the end.
    pub deciding: Option<&'e StoredEvent>,
    /// What failed first and was made up for.
    pub recovered: Option<Recovery>,
    /// A step of the connection that failed earlier and would explain the failure, had the gateway not said itself what is to be done.
    pub earlier: Option<&'e StoredEvent>,
    /// How the request ended; `None` when no event of its own is known.
    pub outcome: Option<Outcome>,
    /// Whether the event that closes a request was seen.
    pub closed: bool,
}

/// Decides over the joined events of a request, in whatever order they come.
#[must_use]
pub fn decide(events: &[StoredEvent]) -> Decision<'_> {
    let story = placed(events);
    let own: Vec<Placed<'_>> =
        story.iter().copied().filter(|placed| placed.event.relation == Relation::Request).collect();
    let closing = last_closing(&own);
    let outcome = closing.or(own.last().copied()).map(|placed| placed.event.outcome);
    let undecided = Decision { outcome, closed: closing.is_some(), ..Decision::default() };

    let own_failures: Vec<Placed<'_>> = own.iter().copied().filter(|placed| placed.event.failed()).collect();
    let standing: Vec<Placed<'_>> = own_failures
        .iter()
        .copied()
        .filter(|failure| !overcome(failure, &own) && !made_up_for(failure, outcome))
        .collect();

    let Some(symptom) = strongest(&standing, &own) else {
        let failures: Vec<Placed<'_>> =
            own_failures.into_iter().filter(|failure| !is_handshake(failure, &own)).collect();
        let recovered = strongest(&failures, &own).and_then(|failure| recovery_of(failure, &own, &story, Relation::Request));
        return Decision { recovered, ..undecided };
    };
    if is_handshake(&symptom, &own) && is_followed(&symptom, &own, &story) {
        return undecided;
    }
    let explained = explanation(&symptom, &own, &story);
    let earlier = explained.filter(|cause| cause.event.relation == Relation::Connection && asks_to_connect(&own));
    let cause = if earlier.is_some() { symptom } else { explained.unwrap_or(symptom) };
    if let Some(recovered) = recovered_later(&cause, &symptom, &story) {
        return Decision { recovered: Some(recovered), ..undecided };
    }
    Decision { deciding: Some(cause.event), earlier: earlier.map(|cause| cause.event), ..undecided }
}

/// Whether the gateway says that the user has not connected the server. Then that is what is to be done, whatever failed
/// on the connection before; `invalidated` would say that it was lost.
fn asks_to_connect(own: &[Placed<'_>]) -> bool {
    own.iter().any(|placed| {
        placed.event.kind == EventKind::Connection
            && placed.event.failed()
            && placed.event.map("attributes").get("state").is_some_and(|state| state == "required")
    })
}

/// The event that closes the request; the last one, if several say that they do.
fn last_closing<'e>(own: &[Placed<'e>]) -> Option<Placed<'e>> {
    own.iter().copied().rfind(|placed| is_closing(placed.event))
}

/// Whether the request's own success makes up for a failure. It does not for an error inside the call: the answer to
/// the client was delivered, with the error in it.
fn made_up_for(failure: &Placed<'_>, outcome: Option<Outcome>) -> bool {
    outcome == Some(Outcome::Success) && !is_inside_the_call(failure.event)
}

fn is_inside_the_call(event: &StoredEvent) -> bool {
    event.outcome == Outcome::ApplicationError || event.class == Class::ToolError
}

/// Whether one of `others` made up for a failed step: a later success of the same step on the same hop; of a later step
/// that needs it (a token, a connection); or a call that went through, whatever the tool then said.
pub(super) fn overcome(failure: &Placed<'_>, others: &[Placed<'_>]) -> bool {
    let failed = failure.event;
    others.iter().any(|other| {
        let later = (other.at, other.event.kind.rank()) >= (failure.at, failed.kind.rank());
        if !later || other.event.hop != failed.hop || is_same(other.event, failed) {
            return false;
        }
        let succeeded = other.event.outcome == Outcome::Success && !other.event.failed();
        if is_inside_the_call(failed) {
            return succeeded
                && other.event.kind == failed.kind
                && other.event.str("mcp_tool") == failed.str("mcp_tool");
        }
        let went_through =
            other.event.kind == EventKind::CallCompleted && (succeeded || other.event.class == Class::ToolError);
        let same_step = succeeded && other.event.kind == failed.kind;
        let needs_it = succeeded && is_set_up(failed.kind) && is_end_of_sign_in(other.event.kind);
        same_step || needs_it || (went_through && !is_wrapper(failed))
    })
}

fn is_same(left: &StoredEvent, right: &StoredEvent) -> bool {
    left.identity() == right.identity()
}

/// Whether the step prepares a call: it belongs to a sign-in, a registration or a refresh.
fn is_set_up(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Discovery
            | EventKind::Registration
            | EventKind::Authorize
            | EventKind::Consent
            | EventKind::Callback
            | EventKind::Token
            | EventKind::Refresh
            | EventKind::StepUp
            | EventKind::Connection
    )
}

fn is_end_of_sign_in(kind: EventKind) -> bool {
    matches!(kind, EventKind::Token | EventKind::Refresh | EventKind::Connection)
}

/// Whether the event reports an answer to the client, which repeats what happened inside.
pub(super) fn is_wrapper(event: &StoredEvent) -> bool {
    event.hop == Hop::Downstream
        && matches!(
            event.kind,
            EventKind::Challenge | EventKind::CallCompleted | EventKind::RequestCompleted | EventKind::RequestRejected
        )
}

/// How much a failure says about its cause; greater is stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A challenge to a request without a credential.
    Handshake,
    /// No rule knows it.
    Unclassified,
    /// A weak reading.
    Weak,
    /// Names an effect that other failures have as well: a 401, a 502, an error of the tool.
    Symptom,
    /// A weak reading, but of a step that had to succeed.
    WeakSetUp,
    /// Names its cause.
    Cause,
}

pub(super) fn strength(placed: &Placed<'_>, own: &[Placed<'_>]) -> Strength {
    let event = placed.event;
    if is_handshake(placed, own) {
        return Strength::Handshake;
    }
    let effect = match event.class {
        Class::Unclassified => return Strength::Unclassified,
        Class::SignInRequired | Class::AccessUnverifiable | Class::ToolError => true,
        Class::UpstreamUnavailable => is_wrapper(event),
        _ => event.str("reason") == Some("transient"),
    };
    match (event.confidence, effect) {
        (Confidence::Weak | Confidence::Unknown, false) if is_set_up(event.kind) => Strength::WeakSetUp,
        (Confidence::Weak | Confidence::Unknown, _) => Strength::Weak,
        (_, true) => Strength::Symptom,
        (_, false) => Strength::Cause,
    }
}

/// The failure that names its cause best; the innermost, then the first, among equals.
fn strongest<'e>(failures: &[Placed<'e>], own: &[Placed<'e>]) -> Option<Placed<'e>> {
    let key = |failure: &Placed<'e>| {
        (
            Reverse(strength(failure, own)),
            is_wrapper(failure.event),
            failure.at,
            failure.event.kind.rank(),
            failure.event.identity(),
        )
    };
    failures.iter().copied().min_by(|left, right| key(left).cmp(&key(right)))
}

/// Whether a failure is a handshake's challenge, or one of the answers that repeat it.
pub(super) fn is_handshake(failure: &Placed<'_>, own: &[Placed<'_>]) -> bool {
    let event = failure.event;
    if event.is_challenge_only() {
        return true;
    }
    let repeats = event.class == Class::SignInRequired
        && (is_wrapper(event) || event.kind == EventKind::Credential)
        && event.flag("credential_sent") != Some(true);
    repeats && own.iter().any(|other| other.event.is_challenge_only() && other.event.hop == event.hop)
}

/// Whether anything follows the challenge: a step of this request beyond the handshake, a retry, or the sign-in.
fn is_followed(challenge: &Placed<'_>, own: &[Placed<'_>], story: &[Placed<'_>]) -> bool {
    story.iter().any(|other| match other.event.relation {
        Relation::Request => {
            other.at > challenge.at
                && !is_handshake(other, own)
                && !(is_closing(other.event) && other.event.outcome != Outcome::Success)
        }
        Relation::Retry | Relation::Flow => true,
        Relation::Connection => other.at > challenge.at,
        Relation::CausedBy | Relation::Trace => false,
    })
}

/// The failed step elsewhere in the story that explains a symptom of the request.
fn explanation<'e>(symptom: &Placed<'e>, own: &[Placed<'e>], story: &[Placed<'e>]) -> Option<Placed<'e>> {
    let explainable = match strength(symptom, own) {
        Strength::Cause | Strength::WeakSetUp | Strength::Handshake => false,
        Strength::Symptom => symptom.event.class != Class::ToolError,
        Strength::Unclassified | Strength::Weak => true,
    };
    if !explainable || was_refused_at_the_door(own) {
        return None;
    }
    let end = own.last().map(|placed| placed.at)?;
    let others: Vec<Placed<'e>> =
        story.iter().copied().filter(|placed| placed.event.relation != Relation::Retry).collect();
    let failed_itself = own.iter().any(|placed| {
        placed.event.failed() && is_set_up(placed.event.kind) && placed.event.kind != EventKind::Connection
    });
    let is_outage = symptom.event.class == Class::UpstreamUnavailable;
    let explains = |candidate: &Placed<'e>| {
        let event = candidate.event;
        let is_near = match event.relation {
            Relation::Flow => true,
            Relation::CausedBy => candidate.at <= end,
            // Somebody's earlier sign-in on this connection was another attempt; what it left behind still counts.
            Relation::Connection => {
                candidate.at <= end && !failed_itself && !is_outage && outlasts_its_attempt(event.kind)
            }
            Relation::Request | Relation::Retry | Relation::Trace => false,
        };
        is_near
            && event.failed()
            && is_set_up(event.kind)
            && matches!(strength(candidate, own), Strength::Cause | Strength::WeakSetUp)
            && !overcome(candidate, &others)
    };
    let candidates: Vec<Placed<'e>> = others.iter().copied().filter(explains).collect();
    strongest(&candidates, own)
}

/// Whether a failed step leaves its connection unusable for later requests: no metadata, no client, no token.
fn outlasts_its_attempt(kind: EventKind) -> bool {
    matches!(kind, EventKind::Discovery | EventKind::Registration | EventKind::Refresh)
}

/// Whether the gateway refused the client itself, so that nothing behind it can be the cause.
fn was_refused_at_the_door(own: &[Placed<'_>]) -> bool {
    own.iter().any(|placed| {
        let at_the_door = matches!(placed.event.kind, EventKind::Credential | EventKind::Decision);
        at_the_door
            && placed.event.failed()
            && placed.event.hop != Hop::Upstream
            && !is_handshake(placed, own)
            && !overcome(placed, own)
    })
}

/// What made up for the failure after the request had ended: a retry that succeeded, or the sign-in it asked for.
fn recovered_later(cause: &Placed<'_>, symptom: &Placed<'_>, story: &[Placed<'_>]) -> Option<Recovery> {
    let of_retries: Vec<Placed<'_>> =
        story.iter().copied().filter(|placed| placed.event.relation == Relation::Retry).collect();
    let succeeded = of_retries.iter().rev().find(|last| {
        let request = last.event.str("request_id");
        let events: Vec<Placed<'_>> =
            of_retries.iter().copied().filter(|placed| placed.event.str("request_id") == request).collect();
        let end = last_closing(&events).or(events.last().copied());
        let stands = |failure: &Placed<'_>| is_inside_the_call(failure.event) && !overcome(failure, &events);
        end.is_some_and(|end| end.event.outcome == Outcome::Success && is_same(end.event, last.event))
            && !events.iter().any(stands)
    });
    if let Some(success) = succeeded {
        let request = success.event.str("request_id");
        let retry: Vec<Placed<'_>> =
            of_retries.iter().copied().filter(|placed| placed.event.str("request_id") == request).collect();
        return recovery_of(*cause, &retry, story, Relation::Retry);
    }
    if symptom.event.class != Class::SignInRequired {
        return None;
    }
    // A gateway may report the steps of a sign-in under the id of the request that asked for it.
    let of_sign_in = |placed: &Placed<'_>| matches!(placed.event.relation, Relation::Request | Relation::Flow);
    let signed_in: Vec<Placed<'_>> = story.iter().copied().filter(of_sign_in).collect();
    let completed = signed_in.iter().any(|step| {
        matches!(step.event.kind, EventKind::Token | EventKind::Connection)
            && step.event.outcome == Outcome::Success
            && !step.event.failed()
            && step.at >= symptom.at
    });
    if completed { recovery_of(*cause, &signed_in, story, Relation::Flow) } else { None }
}
