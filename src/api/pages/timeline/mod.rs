//! The page of one request: verdict card, lanes, table, token refreshes.
//!
//! It shows what `GET /v1/requests/{id}` sends and decides nothing.

pub mod card;
pub mod steps;
pub mod values;
pub mod words;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::home::{encoded, path_of};
use crate::query::stored::time_text;
use crate::query::timeline::RequestTimeline;
use crate::query::token_refresh::TokenRefresh;
use card::Card;
use steps::Step;

/// The most events that are drawn; the document holds them all.
const MOST_EVENTS: usize = 500;

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    id: String,
    json_path: String,
    card: Card,
    facts: Vec<(&'static str, String)>,
    /// What to know before trusting the rest.
    notes: Vec<String>,
    related: Vec<Related>,
    steps: Vec<Step>,
    refreshes: Vec<Refresh>,
    /// Events that the document holds and the page leaves out.
    left_out: usize,
}

/// A request that this one retries or continues, or the other way round.
struct Related {
    path: String,
    id: String,
    relation: &'static str,
    outcome: String,
}

/// One row of the refresh table.
struct Refresh {
    time: String,
    clock: String,
    outcome: String,
    tone: &'static str,
    cause: String,
    trigger: String,
    attempt: String,
    age: String,
    fingerprint: String,
    request: Option<(String, String)>,
}

/// The page of one request.
pub fn render(timeline: &RequestTimeline) -> Response {
    super::respond(StatusCode::OK, &page_of(timeline))
}

fn page_of(timeline: &RequestTimeline) -> RequestPage {
    RequestPage {
        id: timeline.request_id.clone(),
        json_path: format!("/v1/requests/{}", encoded(&timeline.request_id)),
        card: Card::of(&timeline.verdict, &timeline.timeline),
        facts: facts(timeline),
        notes: notes(timeline),
        related: related(timeline),
        steps: steps_of(timeline),
        refreshes: timeline.refreshes.iter().map(refresh).collect(),
        left_out: timeline.timeline.len().saturating_sub(MOST_EVENTS),
    }
}

fn facts(timeline: &RequestTimeline) -> Vec<(&'static str, String)> {
    let client = timeline.client.as_ref().map(|name| match &timeline.client_version {
        Some(version) => format!("{name} {version}"),
        None => name.clone(),
    });
    let known = [
        ("Workspace", timeline.workspace.clone()),
        ("MCP server", timeline.slug.clone()),
        ("User", timeline.user_id.clone()),
        ("Client", client),
        ("Gateway", timeline.gateway_product.clone()),
        ("Outcome", timeline.outcome.as_deref().map(words::spaced)),
        ("Started", Some(timeline.started_at.format("%Y-%m-%d %H:%M:%S%.3f").to_string())),
        ("Took", Some(values::offset(timeline.ended_at - timeline.started_at).trim_start_matches('+').to_owned())),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn notes(timeline: &RequestTimeline) -> Vec<String> {
    let mut notes = Vec::new();
    for skew in &timeline.clock_skew {
        let side = if skew.ahead_ms < 0 { "behind" } else { "ahead" };
        notes.push(format!(
            "The clock of {} is at least {} ms {side}; its events are ordered with that in mind.",
            skew.source,
            skew.ahead_ms.unsigned_abs()
        ));
    }
    if timeline.workspaces.len() > 1 {
        notes.push(format!("Events of several workspaces carry this id: {}.", timeline.workspaces.join(", ")));
    }
    if timeline.truncated {
        notes
            .push("There are more events than a timeline holds; the verdict rests on those that are shown.".to_owned());
    }
    notes
}

fn related(timeline: &RequestTimeline) -> Vec<Related> {
    let each = timeline.related_requests.iter().map(|request| Related {
        path: path_of(&request.request_id),
        id: request.request_id.clone(),
        relation: words::relation(request.relation).unwrap_or("related"),
        outcome: request.outcome.as_deref().map(words::spaced).unwrap_or_default(),
    });
    each.collect()
}

/// The events in their order, each expected step after the event that made it expected.
fn steps_of(timeline: &RequestTimeline) -> Vec<Step> {
    let deciding = timeline.verdict.event_id.as_deref();
    let mut steps = Vec::with_capacity(timeline.timeline.len() + timeline.missing.len());
    for (place, event) in timeline.timeline.iter().take(MOST_EVENTS).enumerate() {
        steps.push(Step::of(place + 1, event, timeline.started_at, deciding));
        let follow = timeline.missing.iter().filter(|missing| missing.after_event_id == event.event_id);
        steps.extend(follow.map(Step::expected));
    }
    steps
}

fn refresh(item: &TokenRefresh) -> Refresh {
    let class = Some(item.class.as_str()).filter(|class| *class != "none");
    let causes = [class, item.reason.as_deref(), item.oauth_error.as_deref()];
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    Refresh {
        time: time_text(item.time),
        clock: item.time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        tone: words::outcome_tone(&item.outcome),
        outcome: words::spaced(&item.outcome),
        cause: causes.into_iter().flatten().map(words::spaced).collect::<Vec<_>>().join(" · "),
        trigger: or_dash(item.trigger.as_deref().map(words::spaced)),
        attempt: or_dash(item.attempt.map(|attempt| attempt.to_string())),
        age: or_dash(item.age_s.map(values::seconds)),
        fingerprint: or_dash(item.fingerprint.clone()),
        request: item.request_id.as_ref().map(|id| (path_of(id), id.clone())),
    }
}
