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
use super::nearest::Nearest;
use super::request_verdict::verdict_of;
pub use super::request_verdict::{Evidence, RequestVerdict};
use super::stored::{Relation, StoredEvent, micros};
use super::texts::VerdictTexts;
use super::token_refresh::TokenRefresh;
use super::verdict::decide;
use crate::event::vocabulary::ClosedEnum;
use crate::event::{EventKind, FieldId};

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
    /// Where each member came from that may be filled in: `event`, `url`, `registry`, `flow`, `connection`, `trace`,
    /// `scrub`, `inferred`.
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

/// What had to be asked beyond the joined events.
#[derive(Debug, Default)]
pub struct Beyond {
    /// Steps that should be there and are not.
    pub missing: Vec<MissingStep>,
    /// A registered server whose name is like the request's slug.
    pub known_slug: Option<String>,
}

/// Makes the answer of joined events; `None` when no event is the request's own.
#[must_use]
pub fn assemble(request_id: &str, joined: &Joined, beyond: Beyond, texts: &VerdictTexts) -> Option<RequestTimeline> {
    let events = &joined.events;
    let own: Vec<&StoredEvent> = events.iter().filter(|event| event.relation == Relation::Request).collect();
    let (first, last) = (own.first()?, own.last()?);
    let decision = decide(events);
    let nearest = Nearest::of(events, None);
    let known = |column: &str| nearest.value(column);
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
        verdict: verdict_of(&decision, events, beyond.known_slug.as_deref(), texts),
        timeline: events.iter().map(TimelineEntry::of).collect(),
        missing: beyond.missing,
        refreshes: events.iter().filter(|event| event.kind == EventKind::Refresh).map(TokenRefresh::of).collect(),
        related_requests: related_requests(events),
        clock_skew: clock_skews(events),
        workspaces: workspaces.into_iter().collect(),
        truncated: joined.truncated,
    })
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
