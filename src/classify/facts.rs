//! What one failed event says, whichever field or text says it: step, OAuth code, status, JSON-RPC code.
//!
//! Codes and statuses stand in fields, in JSON inside the message, or in prose. Rules ask for the *effective* one, so
//! that the same rule decides for a full event and for a line out of somebody's log. Pure.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};

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
        EventKind::Token if event.oauth_grant_type.as_deref() == Some("refresh_token") => Step::Refresh,
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
    /// The step it belongs to.
    pub step: Step,
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
    Facts {
        step: step_of(event),
        code: code_of(event, said),
        status: status_of(event, said),
        rpc_code: rpc_code_of(event, said),
        text,
    }
}

fn code_of<'e>(event: &'e Event<'_>, said: Option<&Reading>) -> Option<Fact<Cow<'e, str>>> {
    let field = |from: FieldId, value: &'e Option<crate::event::Text<'_>>| {
        value.as_deref().map(|code| Fact { value: Cow::Borrowed(code), from })
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

/// A constant pattern, compiled once; the tests of this module compile each of them.
macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("the pattern is well formed"));
    };
}

pattern!(
    KNOWN_CODE,
    concat!(
        r"(?i)\b(invalid_(?:request|client|grant|scope|target|token|redirect_uri|client_metadata|software_statement|dpop_proof)",
        r"|unauthorized_client|unsupported_(?:grant|response)_type|access_denied|insufficient_scope|insufficient_user_authentication",
        r"|interaction_required|login_required|consent_required|account_selection_required|server_error|temporarily_unavailable)\b"
    )
);
pattern!(
    SAID_STATUS,
    concat!(
        r#"(?i)(?:\bhttp(?:/[\d.]+)?(?: error)?|\bstatus(?:[ _-]?code)?"?|\berror(?: code)?|"code"|\breturned(?: an?)?(?: http)?|\bresponded with|\bgot|\bfailed)"#,
        r#"[ =:("']{1,3}([45]\d\d)\b"#,
        r"|\b([45]\d\d)[ :-]{1,3}(?:unauthorized|forbidden|not found|gone|bad request|bad gateway|service unavailable|gateway time-?out|too many|internal server|misdirected|conflict|unprocessable|method not)",
    )
);
pattern!(
    SAID_RPC_CODE,
    r#"(?i)(?:"code"\s*:\s*|mcp error |json-?rpc (?:error )?(?:code )?|\bcode[ =:]{1,2}|\berror )\(?(-32\d{3})\b"#
);

/// The OAuth code named in a text: the last one in `error=` or `"error":` position, else the first one named at all.
pub(super) fn code_in(said: &str) -> Option<&str> {
    // Each known code has one; most texts have none.
    if !said.contains('_') {
        return None;
    }
    let mut first = None;
    let mut last_in_place = None;
    for found in KNOWN_CODE.find_iter(said) {
        let before = said.get(..found.start()).unwrap_or("").trim_end_matches(['"', '\'', ' ', ':', '=']);
        if before.ends_with("error") {
            last_in_place = Some(found.as_str());
        }
        first = first.or(Some(found.as_str()));
    }
    last_in_place.or(first)
}

/// The status named last in a text.
pub(super) fn status_in(said: &str) -> Option<u16> {
    let has_status = said
        .as_bytes()
        .windows(3)
        .any(|three| matches!(three[0], b'4' | b'5') && three[1].is_ascii_digit() && three[2].is_ascii_digit());
    if !has_status {
        return None;
    }
    let number = |captures: &Captures<'_>| {
        captures.get(1).or_else(|| captures.get(2)).and_then(|digits| digits.as_str().parse().ok())
    };
    SAID_STATUS.captures_iter(said).filter_map(|captures| number(&captures)).last()
}

/// The JSON-RPC error code named last in a text.
pub(super) fn rpc_code_in(said: &str) -> Option<i64> {
    if !said.contains("-32") {
        return None;
    }
    SAID_RPC_CODE.captures_iter(said).filter_map(|captures| captures.get(1)?.as_str().parse().ok()).last()
}

#[cfg(test)]
mod tests {
    use super::{code_in, rpc_code_in, status_in};

    #[test]
    fn an_oauth_code_is_found_in_text() {
        let cases = [
            (r#"{"error":"invalid_grant","hint":"not invalid_client"}"#, Some("invalid_grant")),
            ("refused: invalid_scope, see the manual", Some("invalid_scope")),
            ("https://c.example/#error=access_denied&x=1", Some("access_denied")),
            ("invalid_granted", None),
        ];
        for (text, code) in cases {
            assert_eq!(code_in(text), code, "{text}");
        }
    }

    #[test]
    fn a_status_is_found_in_text_and_the_last_one_counts() {
        let cases = [
            ("(HTTP 403): no", Some(403)),
            ("HTTP/1.1 401 Unauthorized", Some(401)),
            ("got 502 Bad Gateway, then status code: 404", Some(404)),
            ("port 443, id 404123", None),
            ("status=200", None),
        ];
        for (text, status) in cases {
            assert_eq!(status_in(text), status, "{text}");
        }
    }

    #[test]
    fn a_json_rpc_code_is_found_in_text() {
        assert_eq!(rpc_code_in(r#"{"code":-32602,"message":"x"}"#), Some(-32602));
        assert_eq!(rpc_code_in("MCP error -32001: x"), Some(-32001));
        assert_eq!(rpc_code_in("minus 32602"), None);
    }
}
