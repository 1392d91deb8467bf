//! How much an event is worth to a reader: which level it reaches and what is missing for the next one.
//!
//! Level 1: a look-up by id finds it. Level 2: a verdict can be given. Level 3: the history of refreshes is complete. The
//! levels are published in `schemas/events/README.md`.

use crate::event::{Event, EventKind, FieldId, Outcome};

/// The highest level.
pub const HIGHEST: u8 = 3;

/// What an event reaches, and what the level after it would need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// 0 to 3.
    pub level: u8,
    /// Each a member, or members of which one is enough; empty at the highest level.
    pub missing: Vec<&'static str>,
}

/// The level that an event reaches by itself, before enrichment.
#[must_use]
pub fn level_of(event: &Event<'_>) -> Reached {
    let needs = [needs_of_look_up(event), needs_of_verdict(event), needs_of_refresh_history(event)];
    for (level, missing) in (0_u8..).zip(needs) {
        if !missing.is_empty() {
            return Reached { level, missing };
        }
    }
    Reached { level: HIGHEST, missing: Vec::new() }
}

fn has(event: &Event<'_>, field: FieldId) -> bool {
    event.text_of(field).is_some()
}

fn has_any(event: &Event<'_>, fields: &[FieldId]) -> bool {
    fields.iter().any(|field| has(event, *field))
}

fn names_server(event: &Event<'_>) -> bool {
    has(event, FieldId::workspace) && has(event, FieldId::slug)
}

fn needs_of_look_up(event: &Event<'_>) -> Vec<&'static str> {
    let found = has_any(event, &[FieldId::request_id, FieldId::flow_id, FieldId::connection_id]);
    if found { Vec::new() } else { vec!["request_id, flow_id or connection_id"] }
}

fn needs_of_verdict(event: &Event<'_>) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !names_server(event) && !has(event, FieldId::url_path) {
        missing.push("workspace and slug, or url_path");
    }
    let failed = matches!(event.outcome, Some(Outcome::Failure | Outcome::Denied));
    let says_why = [
        FieldId::http_status,
        FieldId::oauth_error,
        FieldId::www_authenticate_error,
        FieldId::mcp_error_code,
        FieldId::message,
    ];
    if failed && !has_any(event, &says_why) {
        missing.push("http.status, oauth.error, www_authenticate.error, mcp.error_code or message");
    }
    missing
}

fn needs_of_refresh_history(event: &Event<'_>) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !has(event, FieldId::connection_id) && !names_server(event) {
        missing.push("connection_id, or workspace and slug");
    }
    let is_grant = matches!(event.kind, EventKind::Refresh | EventKind::Token);
    if is_grant && !has_any(event, &[FieldId::token_fingerprint, FieldId::token_new_fingerprint]) {
        missing.push("token.fingerprint or token.new_fingerprint");
    }
    if event.kind == EventKind::Refresh && !has(event, FieldId::token_trigger) {
        missing.push("token.trigger");
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;

    use super::level_of;
    use crate::event::{Event, Outcome};

    fn refresh() -> Event<'static> {
        let mut event =
            Event::new(Cow::Borrowed("e"), Cow::Borrowed("s"), Cow::Borrowed("mcp.auth.refresh"), DateTime::UNIX_EPOCH);
        event.outcome = Some(Outcome::Failure);
        event
    }

    #[test]
    fn levels_rise_with_what_is_told() {
        let mut event = refresh();
        assert_eq!(level_of(&event).level, 0);
        event.connection_id = Some(Cow::Borrowed("c"));
        assert_eq!(level_of(&event).level, 1);
        event.url_path = Some(Cow::Borrowed("/wiki/mcp"));
        event.http_status = Some(400);
        let reached = level_of(&event);
        assert_eq!(
            (reached.level, reached.missing),
            (2, vec!["token.fingerprint or token.new_fingerprint", "token.trigger"])
        );
        event.token_fingerprint = Some(Cow::Borrowed("f"));
        event.token_trigger = Some(crate::event::TokenTrigger::Proactive);
        assert_eq!(level_of(&event).level, 3);
    }
}
