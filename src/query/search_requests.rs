//! Finds requests: one item each, newest first.
//!
//! The first statement picks ids by the filters, the second tells where these were seen, the third reads what a summary needs of
//! those few. Classes are those of the rules in force, as far as events were re-classified. The class of
//! an item is decided as on its own page, but over its own events alone: a retry that recovered is not looked for.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::QueryError;
use super::filter::{RequestFilter, TimeRange};
use super::page::{List, Page, Paged, Position};
use super::reclassified::Reclassified;
use super::sightings::{Extent, sightings_of};
use super::statement::Statement;
use super::stored::{StoredEvent, id_of_key_hex, micros};
use super::verdict::decide;
use crate::classify::Class;
use crate::event::vocabulary::ClosedEnum;

/// One request in a list. What is unknown is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestSummary {
    /// The request.
    pub request_id: String,
    /// Time of its first event in the range.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub started_at: DateTime<Utc>,
    /// Time of its last event in the range.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: DateTime<Utc>,
    /// Workspace of the gateway.
    pub workspace: Option<String>,
    /// Slug of the MCP server.
    pub slug: Option<String>,
    /// The user at the gateway.
    pub user_id: Option<String>,
    /// Name of the client.
    pub client: Option<String>,
    /// Tool called.
    pub tool: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// What it failed for, by its own events; `none` when nothing failed in the end.
    pub class: String,
    /// Finer than the class.
    pub reason: Option<String>,
    /// The hop that refused.
    pub hop: Option<String>,
    /// Who has to act.
    pub who_acts: String,
    /// What the gateway or server said, of the event that decided.
    pub message: Option<String>,
    /// How many events it has.
    pub events: usize,
}

#[derive(Debug, Clone, Deserialize)]
struct Found {
    /// The packed id, as hexadecimal digits; it also decides between requests that started at the same moment.
    key: String,
    started: DateTime<Utc>,
}

impl Found {
    /// The request's id.
    fn id(&self) -> String {
        id_of_key_hex(&self.key).unwrap_or_default()
    }
}

/// The requests that a filter finds.
///
/// # Errors
/// `bad_id`, `bad_filter` or `bad_time` when the filter is not in order; otherwise what keeps the store from answering.
pub async fn search_requests(
    client: &Client,
    filter: &RequestFilter,
    page: &Page,
    now: DateTime<Utc>,
) -> Result<Paged<RequestSummary>, QueryError> {
    let range = filter.checked_range(now)?;
    let reclassified = Reclassified::ask(client).await?;
    let found = search_request_ids(client, filter, range, page, reclassified).await?;
    let page_of_ids =
        Paged::from_one_more(List::Requests, page, found, |item| Position { time: item.started, id: item.key.clone() });
    let events = search_request_events(client, &page_of_ids.items, range, reclassified).await?;
    let mut events = by_request(events);
    let summaries =
        page_of_ids.items.iter().map(|item| summary_of(item, &events.remove(&item.id()).unwrap_or_default()));
    Ok(Paged { items: summaries.collect(), next_cursor: page_of_ids.next_cursor })
}

async fn search_request_ids(
    client: &Client,
    filter: &RequestFilter,
    range: TimeRange,
    page: &Page,
    reclassified: Reclassified,
) -> Result<Vec<Found>, QueryError> {
    // What no filter asks for costs nothing.
    let asks_for_verdicts = filter.class.is_some() || filter.hop.is_some();
    let events = if asks_for_verdicts { reclassified.events((range.from, range.to)) } else { "events" };
    Statement::over(client, "search_request_ids", include_str!("sql/search_request_ids.sql"), events)
        .bind_time("from", range.from)
        .bind_time("to", range.to)
        .bind("workspace", &filter.workspace)
        .bind("slug", &filter.slug)
        .bind("user_id", &filter.user_id)
        .bind("client", &filter.client)
        .bind("tool", &filter.tool)
        .bind("issuer", &filter.issuer)
        .bind("class", &filter.class)
        .bind("hop", &filter.hop)
        .bind("outcome", &filter.outcome)
        .bind("q", &filter.q)
        .bind_after(page)
        .bind("row_limit", page.limit() + 1)
        .rows()
        .await
}

async fn search_request_events(
    client: &Client,
    found: &[Found],
    range: TimeRange,
    reclassified: Reclassified,
) -> Result<Vec<StoredEvent>, QueryError> {
    let Some(first) = found.iter().map(|item| item.started).min() else {
        return Ok(Vec::new());
    };
    let ids: Vec<String> = found.iter().map(Found::id).collect();
    let sightings = sightings_of(client, "request", &ids).await?;
    let Some(extent) = Extent::of(&sightings, "request", &ids) else {
        return Ok(Vec::new());
    };
    // The range ends before `to`.
    let extent = Extent { span: (first, range.to - TimeDelta::microseconds(1)), ..extent };
    let keys: Vec<&str> = found.iter().map(|item| item.key.as_str()).collect();
    let mut events: Vec<StoredEvent> =
        Statement::new(client, "search_request_events", include_str!("sql/search_request_events.sql"))
            .bind("request_keys", keys)
            .bind_extent(&extent)
            .reads_little()
            .rows()
            .await?;
    reclassified.lay_over(client, &mut events).await?;
    Ok(events)
}

fn by_request(events: Vec<StoredEvent>) -> HashMap<String, Vec<StoredEvent>> {
    let mut by_request: HashMap<String, Vec<StoredEvent>> = HashMap::new();
    for event in events {
        if let Some(request_id) = event.text("request_id") {
            by_request.entry(request_id).or_default().push(event);
        }
    }
    by_request
}

fn summary_of(found: &Found, events: &[StoredEvent]) -> RequestSummary {
    let decision = decide(events);
    let known = |column: &str| events.iter().find_map(|event| event.text(column));
    let deciding = decision.deciding;
    RequestSummary {
        request_id: found.id(),
        started_at: found.started,
        ended_at: events.iter().map(|event| event.time).max().unwrap_or(found.started),
        workspace: known("workspace"),
        slug: known("slug"),
        user_id: known("user_id"),
        client: known("client_name"),
        tool: known("mcp_tool"),
        outcome: decision.outcome.map(|outcome| outcome.as_str().to_owned()),
        class: deciding.map_or(Class::None, |event| event.class).as_str().to_owned(),
        reason: deciding.and_then(|event| event.text("reason")),
        hop: deciding.map(|event| event.class_hop.as_str().to_owned()),
        who_acts: deciding.map_or("nobody", |event| event.who_acts.as_str()).to_owned(),
        message: deciding.and_then(|event| event.text("message")),
        events: events.len(),
    }
}
