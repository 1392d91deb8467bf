//! The answer for one request: the object of `GET /v1/requests/{id}` and of `gatetrail lookup --json`.
//!
//! Head members that are unknown are `null`; a timeline entry leaves unknown columns out. Assembled from joined events
//! by [`assemble`], which is pure; the words come from [`VerdictTexts`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::missing::MissingStep;
use super::order::{ClockSkew, clock_skews};
use super::recovery::Recovery;
use super::stored::{LEADING_COLUMNS, Relation, StoredEvent, micros};
use super::texts::{TextInput, VerdictTexts};
use super::token_refresh::TokenRefresh;
use super::verdict::{Decision, decide};
use crate::classify::{Class, WhoActs};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, FieldId, Hop, Outcome};

/// Everything that is known about one request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestTimeline {
    /// The request.
    pub request_id: String,
    /// Workspace of the gateway.
    pub workspace: Option<String>,
    /// Name under which the MCP server is registered.
    pub slug: Option<String>,
    /// The user at the gateway.
    pub user_id: Option<String>,
    /// Name of the client.
    pub client: Option<String>,
    /// Version of the client.
    pub client_version: Option<String>,
    /// Product of the gateway.
    pub gateway_product: Option<String>,
    /// Time of the request's first event.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub started_at: DateTime<Utc>,
    /// Time of the request's last event.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: DateTime<Utc>,
    /// How the request ended, by its closing event, else by its last one.
    pub outcome: Option<String>,
    /// What it failed for; class `none` when nothing failed in the end.
    pub verdict: RequestVerdict,
    /// Every event of the request and of what it is joined with, once each, by time and step.
    pub timeline: Vec<TimelineEntry>,
    /// Steps that should be there and are not.
    pub missing: Vec<MissingStep>,
    /// The refreshes among the joined events, by time.
    pub refreshes: Vec<TokenRefresh>,
    /// Requests that this one retries or continues, and those that retry or continue it.
    pub related_requests: Vec<RelatedRequest>,
    /// Reporters whose clock is off against the gateway that closed the request.
    pub clock_skew: Vec<ClockSkew>,
    /// Workspaces that events of the request name; more than one only for those who may see all.
    pub workspaces: Vec<String>,
    /// Whether there were more events than a timeline holds.
    pub truncated: bool,
}

/// The verdict over the joined timeline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestVerdict {
    /// What went wrong; `none` when nothing failed in the end.
    pub class: String,
    /// Finer than the class.
    pub reason: Option<String>,
    /// The hop that refused.
    pub hop: Option<String>,
    /// Who has to act.
    pub who_acts: String,
    /// Id of the rule that decided.
    pub rule: String,
    /// `certain`, `likely` or `weak`.
    pub confidence: String,
    /// What happened, in one sentence.
    pub summary: String,
    /// What to do.
    pub fix: String,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// The first failing step: the event that decided.
    pub event_id: Option<String>,
    /// What failed at first and was made up for.
    pub recovered: Option<Recovery>,
}

/// One fact that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Evidence {
    /// The event.
    pub event_id: String,
    /// Column name of the member.
    pub field: String,
    /// Its value, or the words in it that decided.
    pub value: String,
}

/// One event of a timeline: these members, and every other known column under its own name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// With `source` it identifies the event.
    pub event_id: String,
    /// When it happened, by the reporter's clock.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub time: DateTime<Utc>,
    /// The step.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Which boundary it is about.
    pub hop: String,
    /// How it ended.
    pub outcome: String,
    /// Class of this one event.
    pub class: String,
    /// The reporter.
    pub source: String,
    /// Orders events of equal time.
    pub rank: u8,
    /// How it came into this timeline.
    pub joined_by: Relation,
    /// Where each member came from that may be filled in: `event`, `url`, `registry`, `flow`, `connection`, `inferred`.
    pub origins: BTreeMap<String, String>,
    /// The other columns that are known. `class_version` names the rules that decided; of an event that was re-classified,
    /// `class_at_arrival` and `class_version_at_arrival` are what it arrived with, `reclassified_at` is when that changed.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, Object>)]
    pub columns: BTreeMap<String, Value>,
}

/// A request that this one retries or continues, or one that retries or continues it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RelatedRequest {
    /// Its id.
    pub request_id: String,
    /// `caused_by`: earlier; `retry`: later.
    pub relation: Relation,
    /// How it ended.
    pub outcome: Option<String>,
}

/// Members that enrichment may fill, so that their origin is worth telling.
const ENRICHABLE: [FieldId; 18] = [
    FieldId::workspace,
    FieldId::slug,
    FieldId::server_url,
    FieldId::config_version,
    FieldId::request_id,
    FieldId::request_id_trust,
    FieldId::flow_id,
    FieldId::connection_id,
    FieldId::user_id,
    FieldId::server_auth,
    FieldId::initiator,
    FieldId::credential_kind,
    FieldId::credential_permissions,
    FieldId::oauth_issuer,
    FieldId::scope_configured,
    FieldId::resource_registered,
    FieldId::token_fingerprint,
    FieldId::token_new_fingerprint,
];

impl TimelineEntry {
    /// The entry of an event.
    #[must_use]
    pub fn of(event: &StoredEvent) -> Self {
        let mut origins = event.map("origins");
        for field in ENRICHABLE {
            if event.text(field.column()).is_some() {
                origins.entry(field.column().to_owned()).or_insert_with(|| "event".to_owned());
            }
        }
        let columns = event.other_columns().filter(|(name, _)| name.as_str() != "origins");
        Self {
            event_id: event.event_id.clone(),
            time: event.time,
            type_name: event.type_name.clone(),
            hop: event.hop.as_str().to_owned(),
            outcome: event.outcome.as_str().to_owned(),
            class: event.class.as_str().to_owned(),
            source: event.source.clone(),
            rank: event.kind.rank(),
            joined_by: event.relation,
            origins,
            columns: columns.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// The text of a column, where it is known.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        self.columns.get(column).and_then(Value::as_str)
    }
}

/// Joined events, in the timeline's order, with what was left out.
#[derive(Debug, Default)]
pub struct Joined {
    /// The events, sorted by time and step, once each.
    pub events: Vec<StoredEvent>,
    /// Whether there were more than a timeline holds.
    pub truncated: bool,
}

/// Makes the answer of joined events; `None` when no event is the request's own.
#[must_use]
pub fn assemble(
    request_id: &str,
    joined: &Joined,
    missing: Vec<MissingStep>,
    texts: &VerdictTexts,
) -> Option<RequestTimeline> {
    let events = &joined.events;
    let own: Vec<&StoredEvent> = events.iter().filter(|event| event.relation == Relation::Request).collect();
    let (first, last) = (own.first()?, own.last()?);
    let decision = decide(events);
    let known = |column: &str| nearest(events, None, column);
    let workspaces: BTreeSet<String> = own.iter().filter_map(|event| event.text("workspace")).collect();
    Some(RequestTimeline {
        request_id: request_id.to_owned(),
        workspace: known("workspace"),
        slug: known("slug"),
        user_id: known("user_id"),
        client: known("client_name"),
        client_version: known("client_version"),
        gateway_product: known("gateway_product"),
        started_at: first.time,
        ended_at: last.time,
        outcome: decision.outcome.map(|outcome| outcome.as_str().to_owned()),
        verdict: verdict_of(&decision, events, texts),
        timeline: events.iter().map(TimelineEntry::of).collect(),
        missing,
        refreshes: events.iter().filter(|event| event.kind == EventKind::Refresh).map(TokenRefresh::of).collect(),
        related_requests: related_requests(events),
        clock_skew: clock_skews(events),
        workspaces: workspaces.into_iter().collect(),
        truncated: joined.truncated,
    })
}

/// The value of a column: of `first`, else of the closest event that knows it.
fn nearest(events: &[StoredEvent], first: Option<&StoredEvent>, column: &str) -> Option<String> {
    if let Some(value) = first.and_then(|event| value_of(event, column)) {
        return Some(value);
    }
    let mut by_closeness: Vec<&StoredEvent> = events.iter().collect();
    by_closeness.sort_by_key(|event| event.relation);
    by_closeness.into_iter().find_map(|event| value_of(event, column))
}

fn value_of(event: &StoredEvent, column: &str) -> Option<String> {
    let leading = match column {
        "event_id" => &event.event_id,
        "source" => &event.source,
        "type" => &event.type_name,
        _ => return event.text(column),
    };
    debug_assert!(LEADING_COLUMNS.contains(&column));
    Some(leading.clone())
}

fn verdict_of(decision: &Decision<'_>, events: &[StoredEvent], texts: &VerdictTexts) -> RequestVerdict {
    let deciding = decision.deciding;
    let class = deciding.map_or(Class::None, |event| event.class);
    let reason = deciding.and_then(|event| event.str("reason"));
    let hop = deciding.map(|event| event.class_hop);
    let who_acts = deciding.map_or(WhoActs::Nobody, |event| event.who_acts);
    let product = nearest(events, deciding, "gateway_product");
    let values = |column: &str| nearest(events, deciding, column);
    let input = TextInput { class, reason, hop, who_acts, product: product.as_deref(), values: &values };
    RequestVerdict {
        class: class.as_str().to_owned(),
        reason: reason.map(str::to_owned),
        hop: hop.filter(|hop| *hop != Hop::Unknown).map(|hop| hop.as_str().to_owned()),
        who_acts: who_acts.as_str().to_owned(),
        rule: deciding.and_then(|event| event.text("rule")).unwrap_or_else(|| "none".to_owned()),
        confidence: confidence_of(decision).to_owned(),
        summary: summary_of(decision, &input, texts),
        fix: (texts.fix)(&input),
        evidence: evidence_of(decision, events),
        event_id: deciding.map(|event| event.event_id.clone()),
        recovered: decision.recovered.clone(),
    }
}

/// "Nothing failed" is certain only where the end was seen.
fn confidence_of(decision: &Decision<'_>) -> &'static str {
    match decision.deciding {
        Some(event) => event.confidence.as_str(),
        None if decision.closed && decision.outcome == Some(Outcome::Success) => "certain",
        None if decision.recovered.is_some() => "certain",
        None => "likely",
    }
}

fn summary_of(decision: &Decision<'_>, input: &TextInput<'_>, texts: &VerdictTexts) -> String {
    let Some(recovered) = &decision.recovered else {
        return (texts.summary)(input);
    };
    let by = match (&recovered.by_request_id, (input.values)("request_id")) {
        (None, _) => "the sign-in it asked for was completed".to_owned(),
        (Some(by), Some(own)) if *by == own => "the same request then succeeded".to_owned(),
        (Some(by), _) => format!("the retry {by} succeeded"),
    };
    format!("It failed at first ({}), and {by}.", recovered.class)
}

/// What the deciding event's rule looked at; for a recovery, the failure and the success.
fn evidence_of(decision: &Decision<'_>, events: &[StoredEvent]) -> Vec<Evidence> {
    let of = |event: &StoredEvent| -> Vec<Evidence> {
        let facts = event.map("evidence").into_iter();
        facts.map(|(field, value)| Evidence { event_id: event.event_id.clone(), field, value }).collect()
    };
    if let Some(event) = decision.deciding {
        return of(event);
    }
    let Some(recovered) = &decision.recovered else {
        return Vec::new();
    };
    let failed = events.iter().find(|event| event.event_id == recovered.event_id);
    let mut evidence: Vec<Evidence> = failed.map(of).unwrap_or_default();
    evidence.push(Evidence {
        event_id: recovered.by_event_id.clone(),
        field: "outcome".to_owned(),
        value: "success".to_owned(),
    });
    evidence
}

fn related_requests(events: &[StoredEvent]) -> Vec<RelatedRequest> {
    let mut related: Vec<RelatedRequest> = Vec::new();
    for event in events {
        let Some(request_id) = event.str("request_id") else { continue };
        if !matches!(event.relation, Relation::CausedBy | Relation::Retry) {
            continue;
        }
        let outcome = Some(event.outcome.as_str().to_owned());
        match related.iter_mut().find(|known| known.request_id == request_id) {
            // Events come in order: the last one tells how it ended.
            Some(known) => known.outcome = outcome,
            None => {
                related.push(RelatedRequest { request_id: request_id.to_owned(), relation: event.relation, outcome })
            }
        }
    }
    related
}
