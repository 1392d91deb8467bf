//! What one failed event says, whichever field or text says it: step, OAuth code, status, JSON-RPC code.
//!
//! Codes and statuses stand in fields, in JSON inside the message, or in prose. Rules ask for the *effective* one, so
//! that the same rule decides for a full event and for a line out of somebody's log. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use super::reading::Reading;
use crate::event::vocabulary::closed_enum;
use crate::event::{Event, EventKind, FieldId};

closed_enum! {
    /// The step of a sign-in or request that an event belongs to, coarser than its type.
    Step {
        /// The inbound HTTP request, or a legacy session.
        Request = "request",
        /// Check of the downstream credential.
        Credential = "credential",
        /// Permission or tool policy.
        Decision = "decision",
        /// A `WWW-Authenticate` issued or received.
        Challenge = "challenge",
        /// Metadata documents.
        Discovery = "discovery",
        /// Client registration.
        Registration = "registration",
        /// Browser part: authorize, consent, callback.
        Authorize = "authorize",
        /// Token request other than a refresh.
        Token = "token",
        /// Refresh, by type or by grant type.
        Refresh = "refresh",
        /// More scope asked for.
        StepUp = "stepup",
        /// State of a connection.
        Connection = "connection",
        /// One JSON-RPC call.
        Call = "call",
    }
}

/// The step of an event.
#[must_use]
pub fn step_of(event: &Event<'_>) -> Step {
    match event.kind {
        EventKind::Token if event.oauth_grant_type.as_deref() == Some("refresh_token") => Step::Refresh,
        kind => step_of_kind(kind),
    }
}

/// The step of events of a kind, as far as the kind alone tells.
#[must_use]
pub fn step_of_kind(kind: EventKind) -> Step {
    match kind {
        EventKind::RequestCompleted
        | EventKind::RequestRejected
        | EventKind::SessionOpened
        | EventKind::SessionClosed => Step::Request,
        EventKind::Credential => Step::Credential,
        EventKind::Decision => Step::Decision,
        EventKind::Challenge => Step::Challenge,
        EventKind::Discovery => Step::Discovery,
        EventKind::Registration => Step::Registration,
        EventKind::Authorize | EventKind::Consent | EventKind::Callback => Step::Authorize,
        EventKind::Token => Step::Token,
        EventKind::Refresh => Step::Refresh,
        EventKind::StepUp => Step::StepUp,
        EventKind::Connection => Step::Connection,
        EventKind::CallCompleted => Step::Call,
        EventKind::ServerState | EventKind::ConfigChanged | EventKind::Other => Step::Unknown,
    }
}

/// A fact and the column it was read from; `message` when the text said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact<T> {
    /// The value.
    pub value: T,
    /// The field it came from.
    pub from: FieldId,
}

/// What one failed event says.
#[derive(Debug, Clone)]
pub struct Facts<'e> {
    /// The step that failed: its type's, or the one its text names where the type is that of a whole request or call.
    pub step: Step,
    /// Whether the text named the step.
    pub step_is_said: bool,
    /// What message and error description say; `None` when the event has no text.
    pub text: Option<Arc<Reading>>,
    /// OAuth error code (RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1; RFC 7591 §3.2.2; RFC 8707 §2).
    pub code: Option<Fact<Cow<'e, str>>>,
    /// The HTTP status nearest to the cause, ≥ 400; 0 when no answer came.
    pub status: Option<Fact<u16>>,
    /// JSON-RPC error code.
    pub rpc_code: Option<Fact<i64>>,
}

/// The facts of an event that failed and whose text says `text`.
#[must_use]
pub fn facts_of<'e>(event: &'e Event<'_>, text: Option<Arc<Reading>>) -> Facts<'e> {
    let said = text.as_deref();
    let own_step = step_of(event);
    // A request or call fails because a step within it did; an event about a step is believed.
    let is_open = matches!(own_step, Step::Unknown | Step::Request | Step::Call);
    let said_step = said.and_then(|said| said.step).filter(|_| is_open);
    Facts {
        step: said_step.unwrap_or(own_step),
        step_is_said: said_step.is_some(),
        code: code_of(event, said),
        status: status_of(event, said),
        rpc_code: rpc_code_of(event, said),
        text,
    }
}

fn code_of<'e>(event: &'e Event<'_>, said: Option<&Reading>) -> Option<Fact<Cow<'e, str>>> {
    let field = |from: FieldId, value: &'e Option<crate::event::Text<'_>>| {
        let code = value.as_deref()?;
        let has_capitals = code.bytes().any(|byte| byte.is_ascii_uppercase());
        let value = if has_capitals { Cow::Owned(code.to_ascii_lowercase()) } else { Cow::Borrowed(code) };
        Some(Fact { value, from })
    };
    field(FieldId::oauth_error, &event.oauth_error)
        .or_else(|| field(FieldId::www_authenticate_error, &event.www_authenticate_error))
        .or_else(|| {
            let code = said?.code.clone()?;
            Some(Fact { value: Cow::Owned(code), from: FieldId::message })
        })
}

fn status_of(event: &Event<'_>, said: Option<&Reading>) -> Option<Fact<u16>> {
    let is_failure = |status: &u16| *status >= 400 || *status == 0;
    let behind =
        event.http_upstream_status.filter(is_failure).map(|value| Fact { value, from: FieldId::http_upstream_status });
    if behind.is_some() {
        return behind;
    }
    // A gateway that answers 4xx speaks for itself; its 200 or 5xx may wrap what the other side said.
    let own = event.http_status.filter(is_failure).map(|value| Fact { value, from: FieldId::http_status });
    if own.as_ref().is_some_and(|status| (400..500).contains(&status.value)) {
        return own;
    }
    let in_text = said.and_then(|said| said.status).map(|value| Fact { value, from: FieldId::message });
    match (&in_text, &own) {
        (Some(inner), Some(_)) if inner.value < 500 => in_text,
        (Some(_), None) => in_text,
        _ => own,
    }
}

fn rpc_code_of(event: &Event<'_>, said: Option<&Reading>) -> Option<Fact<i64>> {
    match event.mcp_error_code {
        Some(value) => Some(Fact { value, from: FieldId::mcp_error_code }),
        None => said?.rpc_code.map(|value| Fact { value, from: FieldId::message }),
    }
}
