//! Reads events by the ids they carry, all columns at once, out of the extent where they were seen.
//!
//! What a statement prepares costs more than what it reads here, so few statements read much each: the request's own
//! events and the steps about its connections come in one.

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::sightings::{Extent, Span};
use super::statement::Statement;
use super::stored::{StoredEvent, key_hex};

/// How far clocks of gateways are expected to be apart.
pub const SKEW_ALLOWANCE: TimeDelta = TimeDelta::seconds(2);
/// How long before a request what was done about its connection still explains it.
pub const CONNECTION_WINDOW: TimeDelta = TimeDelta::hours(1);

/// How many rows a look for the rest of a trace may cost; only one for which workspace or slug are unknown comes near.
const TRACE_ROWS: u64 = 5_000_000;

/// The steps about a connection that can explain a request.
const STEP_TYPES: [&str; 9] = [
    "mcp.auth.discovery",
    "mcp.auth.registration",
    "mcp.auth.authorize",
    "mcp.auth.consent",
    "mcp.auth.callback",
    "mcp.auth.token",
    "mcp.auth.refresh",
    "mcp.auth.stepup",
    "mcp.auth.connection",
];

/// The events of a request, and what was read along with them.
pub struct RequestAndSteps {
    /// The request's own events.
    pub own: Vec<StoredEvent>,
    /// The steps about its connections, and what was done there for no named request while it ran, newest first; `None` where this read cannot have found all of them.
    pub steps: Option<Vec<StoredEvent>>,
}

/// The events of the request that the extent is of, and the steps about its connections shortly before or during it.
///
/// A connection is one of a workspace and a slug, so its steps are looked for where the request's events are, and where a
/// reporter left the workspace or the slug out.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn request_and_steps(
    client: &Client,
    request_id: &str,
    extent: &Extent,
    row_limit: u32,
) -> Result<RequestAndSteps, QueryError> {
    let (first, last) = connection_window(extent.span);
    let events: Vec<StoredEvent> =
        Statement::new(client, "request_and_steps", include_str!("sql/request_and_steps.sql"))
            .bind("request_key", key_hex(request_id))
            .bind("step_types", STEP_TYPES.as_slice())
            .bind("connections", &extent.connections)
            .bind("workspaces", &extent.workspaces)
            .bind("slugs", &extent.slugs)
            .bind_time("first", first)
            .bind_time("last", last)
            .bind_time("own_first", extent.span.0 - SKEW_ALLOWANCE)
            .bind("row_limit", row_limit)
            .reads_little()
            .rows()
            .await?;
    if events.len() >= row_limit as usize {
        // Too many to tell which were left out.
        let own = request_events(client, &[request_id.to_owned()], extent, row_limit).await?;
        return Ok(RequestAndSteps { own, steps: None });
    }
    let (own, others) = once_each(events).into_iter().partition(|event| event.str("request_id") == Some(request_id));
    Ok(told_apart(own, others))
}

/// Keeps what is about the request's own connections, within its window. Pure.
fn told_apart(own: Vec<StoredEvent>, mut steps: Vec<StoredEvent>) -> RequestAndSteps {
    let of_connection = || own.iter().filter(|event| event.str("connection_id").is_some());
    if of_connection().any(|event| event.str("workspace").is_none() || event.str("slug").is_none()) {
        return RequestAndSteps { own, steps: None };
    }
    let connections = connections_of(&own);
    let within = span_of(&own).map(connection_window);
    steps.retain(|step| {
        let is_of_one = step.str("connection_id").is_some_and(|id| connections.contains(id));
        is_of_one && within.is_some_and(|(first, last)| first <= step.time && step.time <= last)
    });
    steps.sort_by_key(|step| std::cmp::Reverse(step.time));
    RequestAndSteps { own, steps: Some(steps) }
}

/// The connections that these events name.
#[must_use]
pub fn connections_of(events: &[StoredEvent]) -> BTreeSet<String> {
    events.iter().filter_map(|event| event.text("connection_id")).collect()
}

/// The first and the last moment of these events.
#[must_use]
pub fn span_of(events: &[StoredEvent]) -> Option<Span> {
    let times = || events.iter().map(|event| event.time);
    Some((times().min()?, times().max()?))
}

/// When steps about a connection explain a request of this span.
#[must_use]
pub fn connection_window(span: Span) -> Span {
    (span.0 - CONNECTION_WINDOW, span.1 + SKEW_ALLOWANCE)
}

/// Each event once: of what was stored twice, the first by time and position.
fn once_each(mut events: Vec<StoredEvent>) -> Vec<StoredEvent> {
    let place = |event: &StoredEvent, name: &str| event.integer(name).unwrap_or_default();
    events.sort_by_key(|event| {
        (event.time, place(event, "kafka_partition"), place(event, "kafka_offset"), place(event, "kafka_index"))
    });
    let mut seen = HashSet::new();
    events.retain(|event| seen.insert((event.source.clone(), event.event_id.clone())));
    events
}

/// The events of these requests, first ones first.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn request_events(
    client: &Client,
    ids: &[String],
    extent: &Extent,
    row_limit: u32,
) -> Result<Vec<StoredEvent>, QueryError> {
    let keys: Vec<String> = ids.iter().map(|id| key_hex(id)).collect();
    Statement::new(client, "request_events", include_str!("sql/request_events.sql"))
        .bind("request_keys", keys)
        .bind_extent(extent)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await
}

/// The events of these traces in a window, first ones first; of the extent's workspaces and slugs and of those without, or
/// of any where the extent knows none.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn trace_events(
    client: &Client,
    ids: &BTreeSet<String>,
    extent: &Extent,
    row_limit: u32,
) -> Result<Vec<StoredEvent>, QueryError> {
    let keys: Vec<String> = ids.iter().map(|id| id.to_ascii_uppercase()).collect();
    Statement::new(client, "trace_events", include_str!("sql/trace_events.sql"))
        .bind("trace_keys", keys)
        .bind("workspaces", &extent.workspaces)
        .bind("any_workspace", extent.workspaces.is_empty())
        .bind("slugs", &extent.slugs)
        .bind("any_slug", extent.slugs.is_empty())
        .bind_time("first", extent.span.0)
        .bind_time("last", extent.span.1)
        .bind("row_limit", row_limit)
        .reads_little()
        .read_at_most(TRACE_ROWS)
        .rows()
        .await
}

/// The events of these sign-in attempts, first ones first.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn flow_events(
    client: &Client,
    ids: &[String],
    extent: &Extent,
    row_limit: u32,
) -> Result<Vec<StoredEvent>, QueryError> {
    Statement::new(client, "flow_events", include_str!("sql/flow_events.sql"))
        .bind("flow_ids", ids)
        .bind_extent(extent)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await
}

/// The steps about these connections within the extent, newest first.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn connection_events(
    client: &Client,
    ids: &BTreeSet<String>,
    extent: &Extent,
    row_limit: u32,
) -> Result<Vec<StoredEvent>, QueryError> {
    Statement::new(client, "connection_events", include_str!("sql/connection_events.sql"))
        .bind("step_types", STEP_TYPES.as_slice())
        .bind("connection_ids", ids)
        .bind_extent(extent)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await
}

/// Ids of the requests that retry or continue one of these, first ones first.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn retries_of_requests(
    client: &Client,
    ids: &[String],
    extent: &Extent,
    most: usize,
) -> Result<Vec<String>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        request_id: String,
    }
    let rows: Vec<Row> = Statement::new(client, "retries_of_requests", include_str!("sql/retries_of_requests.sql"))
        .bind("request_ids", ids)
        .bind_extent(extent)
        .reads_little()
        .rows()
        .await?;
    let mut retries: Vec<String> = Vec::new();
    for row in rows {
        if !retries.contains(&row.request_id) {
            retries.push(row.request_id);
        }
    }
    retries.truncate(most);
    Ok(retries)
}

impl Statement {
    /// Binds what the conditions on an extent take.
    #[must_use]
    pub(super) fn bind_extent(self, extent: &Extent) -> Self {
        self.bind("workspaces", &extent.workspaces)
            .bind("any_without_workspace", extent.any_without_workspace)
            .bind("slugs", &extent.slugs)
            .bind("any_without_slug", extent.any_without_slug)
            .bind_time("first", extent.span.0)
            .bind_time("last", extent.span.1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{once_each, told_apart};
    use crate::query::stored::StoredEvent;
    use crate::query::stored::tests::event;

    fn names(events: &[StoredEvent]) -> Vec<&str> {
        events.iter().map(|event| event.event_id.as_str()).collect()
    }

    fn own(slug: Option<&str>) -> StoredEvent {
        event(json!({"event_id": "own", "workspace": "acme", "slug": slug, "connection_id": "c1"}))
    }

    fn step(event_id: &str, connection: &str, time: &str) -> StoredEvent {
        event(json!({"event_id": event_id, "type": "mcp.auth.refresh", "request_id": null, "connection_id": connection,
            "time": format!("2026-11-22T{time}Z")}))
    }

    #[test]
    fn steps_are_those_of_the_requests_own_connections_within_its_window() {
        let steps = vec![
            step("an hour before", "c1", "09:00:00.000000"),
            step("too early", "c1", "08:59:59.999999"),
            step("same short hash", "c2", "09:30:00.000000"),
            step("clock ahead", "c1", "10:00:02.000000"),
            step("too late", "c1", "10:00:02.000001"),
        ];
        let read = told_apart(vec![own(Some("github"))], steps);
        assert_eq!(names(&read.steps.unwrap()), ["clock ahead", "an hour before"]);
        assert_eq!(names(&read.own), ["own"]);
    }

    #[test]
    fn an_event_without_slug_names_a_connection_whose_steps_may_be_elsewhere() {
        assert!(told_apart(vec![own(None)], vec![step("s", "c1", "09:30:00.000000")]).steps.is_none());
    }

    #[test]
    fn of_what_was_stored_twice_the_first_stays() {
        let at = |event_id: &str, offset: i64| event(json!({"event_id": event_id, "kafka_offset": offset}));
        let events = once_each(vec![at("b", 9), at("a", 8), at("a", 7), at("b", 6)]);
        let kept: Vec<(&str, Option<i64>)> =
            events.iter().map(|event| (event.event_id.as_str(), event.integer("kafka_offset"))).collect();
        assert_eq!(kept, [("b", Some(6)), ("a", Some(7))]);
    }
}
