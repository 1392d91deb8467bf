//! The events of a timeline as steps: in which lane, how they ended, and what is worth saying about each.

use chrono::{DateTime, Utc};

use super::values::{offset, shown};
use super::words;
use crate::query::missing::{Absence, MissingStep};
use crate::query::stored::time_text;
use crate::query::timeline::TimelineEntry;

/// One step, ready to be shown.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// Number of the event, from 1; 0 for a step that was expected and not seen.
    pub number: usize,
    /// The whole time, RFC 3339.
    pub time: String,
    /// The time of day to the millisecond.
    pub clock: String,
    /// Distance from the start of the request.
    pub offset: String,
    /// What the step is called.
    pub name: String,
    /// The type as stored.
    pub event_type: String,
    /// The hop in words.
    pub hop: String,
    /// How it ended, in words.
    pub outcome: String,
    /// `good`, `bad`, `odd`, or nothing.
    pub tone: &'static str,
    /// Which lanes the step joins; a class of the style sheet.
    pub lanes: &'static str,
    /// Class of the failure in words, where the step failed.
    pub class: Option<String>,
    /// How the event came into the timeline, when it is not the request's own.
    pub relation: Option<&'static str>,
    /// Whether it is the step that decided the verdict.
    pub decided: bool,
    /// Whether it was expected and not seen.
    pub expected: bool,
    /// Status and error in one short text.
    pub short: String,
    /// What usually decides, by label.
    pub facts: Vec<(String, String)>,
    /// Everything else that is known, by label.
    pub rest: Vec<(String, String)>,
}

/// Members that usually decide, in the order in which they are read.
const DECISIVE: &[&str] = &[
    "http_status",
    "http_upstream_status",
    "oauth_error",
    "oauth_error_description",
    "www_authenticate_error",
    "message",
    "mcp_error_code",
    "mcp_method",
    "mcp_tool",
    "credential_kind",
    "credential_sent",
    "server_auth",
    "oauth_grant_type",
    "oauth_issuer",
    "oauth_metadata_url",
    "scope_required",
    "scope_granted",
    "resource_registered",
    "resource_advertised",
    "token_trigger",
    "token_attempt",
    "token_age_s",
    "duration_ms",
];

/// Columns that are shown elsewhere in the row, or say the same for every row.
const SHOWN_ELSEWHERE: &[&str] = &["kafka_topic", "kafka_topic_id", "class_version", "inserted_at"];

impl Step {
    /// The step of one event, `number` in the timeline; `start` is the start of the request, `deciding` the id of the event that decided.
    pub fn of(number: usize, event: &TimelineEntry, start: DateTime<Utc>, deciding: Option<&str>) -> Self {
        let failed = event.class != "none";
        Self {
            number,
            time: time_text(event.time),
            clock: event.time.format("%H:%M:%S%.3f").to_string(),
            offset: offset(event.time - start),
            name: words::step(&event.type_name),
            event_type: event.type_name.clone(),
            hop: words::hop(&event.hop),
            outcome: words::spaced(&event.outcome),
            tone: if failed { "bad" } else { words::outcome_tone(&event.outcome) },
            lanes: lanes(&event.type_name, &event.hop, event.text("oauth_metadata_url")),
            class: failed.then(|| words::class(&event.class)),
            relation: words::relation(event.joined_by),
            decided: deciding == Some(event.event_id.as_str()),
            expected: false,
            short: short(event),
            facts: DECISIVE.iter().filter_map(|name| fact(event, name)).collect(),
            rest: rest(event),
        }
    }

    /// A step that was expected and not seen.
    pub fn expected(missing: &MissingStep) -> Self {
        let said = match missing.absence {
            Absence::Missing => "expected, not seen",
            Absence::NotReported => "not reported",
        };
        Self {
            number: 0,
            time: String::new(),
            clock: String::new(),
            offset: String::new(),
            name: words::step(&missing.type_name),
            event_type: missing.type_name.clone(),
            hop: words::hop(&missing.hop),
            outcome: said.to_owned(),
            tone: "",
            lanes: lanes(&missing.type_name, &missing.hop, None),
            class: None,
            relation: None,
            decided: false,
            expected: true,
            short: missing.text.clone(),
            facts: missing.last_reported_at.map(|at| ("last reported".to_owned(), time_text(at))).into_iter().collect(),
            rest: Vec::new(),
        }
    }
}

fn fact(event: &TimelineEntry, name: &str) -> Option<(String, String)> {
    Some((words::spaced(name), shown(event.columns.get(name)?)?))
}

fn short(event: &TimelineEntry) -> String {
    let names = ["http_status", "oauth_error", "mcp_method", "mcp_tool"];
    let known = names.iter().filter_map(|name| shown(event.columns.get(*name)?));
    known.collect::<Vec<_>>().join(" · ")
}

fn rest(event: &TimelineEntry) -> Vec<(String, String)> {
    let head = [("event id", event.event_id.clone()), ("source", event.source.clone())];
    let others = event
        .columns
        .keys()
        .filter(|name| !DECISIVE.contains(&name.as_str()) && !SHOWN_ELSEWHERE.contains(&name.as_str()));
    let others = others.filter_map(|name| fact(event, name)).filter(|(_, value)| !value.is_empty());
    let filled = event
        .origins
        .iter()
        .filter(|(_, origin)| *origin != "event")
        .map(|(name, origin)| format!("{name} from {origin}"));
    let filled = filled.collect::<Vec<_>>().join(", ");
    let head = head.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(others);
    head.chain((!filled.is_empty()).then(|| ("filled in".to_owned(), filled))).collect()
}

/// Which of the four lanes a step joins. On the downstream hop the gateway itself stands in for the authorization server.
pub fn lanes(event_type: &str, hop: &str, metadata_url: Option<&str>) -> &'static str {
    if hop == "internal" {
        return "gateway-only";
    }
    let kind = event_type.strip_prefix("mcp.").unwrap_or(event_type);
    if hop == "downstream" {
        let is_answer = matches!(kind, "auth.challenge" | "request.completed" | "request.rejected");
        return if is_answer { "client-gateway back" } else { "client-gateway" };
    }
    match kind {
        "auth.credential" | "auth.callback" => "client-gateway",
        "auth.authorize" | "auth.consent" => "client-authorization",
        "auth.registration" | "auth.token" | "auth.refresh" => "gateway-authorization",
        "auth.discovery" if metadata_url.is_some_and(is_resource_metadata) => "gateway-server",
        "auth.discovery" => "gateway-authorization",
        "auth.challenge" | "auth.stepup" | "server.state" => "gateway-server back",
        "auth.decision" | "auth.connection" | "config.changed" => "gateway-only",
        _ => "gateway-server",
    }
}

/// RFC 9728 §3: that document lies at the MCP server, the others (RFC 8414 §3) at the authorization server.
fn is_resource_metadata(url: &str) -> bool {
    url.contains("/.well-known/oauth-protected-resource")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Step, TimelineEntry, lanes};
    use crate::query::stored::Relation;

    #[test]
    fn each_step_joins_the_lanes_it_runs_between() {
        let of_resource = Some("https://mcp.example/.well-known/oauth-protected-resource/mcp");
        let cases = [
            ("mcp.request.completed", "downstream", None, "client-gateway back"),
            ("mcp.auth.credential", "downstream", None, "client-gateway"),
            ("mcp.auth.token", "downstream", None, "client-gateway"),
            ("mcp.auth.challenge", "downstream", None, "client-gateway back"),
            ("mcp.auth.challenge", "upstream", None, "gateway-server back"),
            ("mcp.auth.refresh", "upstream", None, "gateway-authorization"),
            ("mcp.auth.authorize", "upstream", None, "client-authorization"),
            ("mcp.auth.discovery", "upstream", of_resource, "gateway-server"),
            ("mcp.auth.discovery", "upstream", None, "gateway-authorization"),
            ("mcp.auth.decision", "internal", None, "gateway-only"),
            ("mcp.call.completed", "upstream", None, "gateway-server"),
            ("something.else", "unknown", None, "gateway-server"),
        ];
        for (event_type, hop, metadata_url, expected) in cases {
            assert_eq!(lanes(event_type, hop, metadata_url), expected, "{event_type} {hop}");
        }
    }

    #[test]
    fn a_step_says_what_decides_first_and_keeps_the_rest() {
        let columns =
            [("http_status", json!(400)), ("oauth_error", json!("invalid_grant")), ("workspace", json!("acme"))];
        let event = TimelineEntry {
            event_id: "e1".into(),
            time: "2026-11-22T10:00:01.250Z".parse().unwrap(),
            type_name: "mcp.auth.refresh".into(),
            hop: "upstream".into(),
            outcome: "failure".into(),
            class: "refresh_failure".into(),
            source: "//gateway/a".into(),
            rank: 60,
            joined_by: Relation::Connection,
            origins: BTreeMap::from([("slug".into(), "event".into()), ("workspace".into(), "registry".into())]),
            columns: columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let step = Step::of(5, &event, "2026-11-22T10:00:00Z".parse().unwrap(), Some("e1"));
        assert_eq!((step.clock.as_str(), step.offset.as_str()), ("10:00:01.250", "+1.25 s"));
        assert_eq!((step.short.as_str(), step.tone, step.decided), ("400 · invalid_grant", "bad", true));
        assert_eq!(step.relation, Some("same connection"));
        let facts: Vec<&str> = step.facts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(facts, ["http status", "oauth error"]);
        let rest: Vec<&str> = step.rest.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(rest, ["event id", "source", "workspace", "filled in"]);
        assert_eq!(step.rest[3].1, "workspace from registry");
    }
}
