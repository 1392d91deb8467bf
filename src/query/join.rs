//! Gathers the events of one request and of what it belongs to: retries, sign-in, connection.
//!
//! Every step is bounded in time and place (by the `lookup` table, or a window around the request), in depth and in rows. An
//! event that comes in by several ways stays with the closest. Most requests take two statements: where the id was seen,
//! and one read of its own events and of the steps about its connection. What follows from those is asked for only when
//! they say that there is something, and the rest of its trace, and what only joined events name, only when the request
//! failed or they leave open where, by whom or how it ended; later verdicts only where events of that time were re-classified.

use std::collections::{BTreeSet, HashSet};

use clickhouse::Client;
use futures_util::try_join;

use super::error::QueryError;
use super::late_facts::{Link, attribute, fill, shared_traces};
use super::missing::expected;
use super::order::{is_closing, milliseconds};
use super::reclassified::Reclassified;
use super::related_events::{
    RequestAndSteps, SKEW_ALLOWANCE, connection_events, connection_window, connections_of, flow_events,
    request_and_steps, request_events, retries_of_requests, span_of, trace_events,
};
use super::sightings::{Extent, Span, sightings_of};
use super::stored::{Relation, StoredEvent};
use super::timeline::Joined;

/// How many requests a chain of retries is followed, in each direction.
const CHAIN_DEPTH: usize = 4;
/// How many requests one step of a chain may branch into.
const CHAIN_BREADTH: usize = 20;
/// Most events of the request itself, and of each way of joining.
const OWN_ROWS: u32 = 2000;
const JOINED_ROWS: u32 = 300;

/// A request's own events, and what came along with them or is needed to gather the rest.
pub struct OwnRequest {
    /// Its own events, with the verdicts that count now.
    pub events: Vec<StoredEvent>,
    steps: Option<Vec<StoredEvent>>,
    retries: Vec<Vec<StoredEvent>>,
    extent: Extent,
    reclassified: Reclassified,
}

/// Reads the request's own events; `None` when no event carries its id.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn own_request(client: &Client, request_id: &str) -> Result<Option<OwnRequest>, QueryError> {
    let ids = [request_id.to_owned()];
    let (sightings, reclassified) = try_join!(sightings_of(client, "request", &ids), Reclassified::ask(client))?;
    let Some(extent) = Extent::of(&sightings, "request", &ids) else {
        return Ok(None);
    };
    let (RequestAndSteps { mut own, steps }, retries) = try_join!(
        request_and_steps(client, request_id, &extent, OWN_ROWS),
        retries(client, request_id, Extent::of(&sightings, "caused_by", &ids))
    )?;
    if own.is_empty() {
        return Ok(None);
    }
    // Before anything else is decided: whether the request failed is what its verdicts say now.
    reclassified.lay_over(client, &mut own).await?;
    Ok(Some(OwnRequest { events: own, steps, retries, extent, reclassified }))
}

/// Gathers everything about the request.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn join_rest(client: &Client, request_id: &str, own: OwnRequest) -> Result<Joined, QueryError> {
    let OwnRequest { events: own, steps, retries, extent, reclassified } = own;
    let is_told = is_told(&own);
    let (earlier, mut flows, mut traced, connections) = try_join!(
        earlier_requests(client, request_id, &own),
        events_of_flows(client, distinct(&own, "flow_id")),
        own_traces(client, &own, &extent, is_told),
        own_connections(client, &own, steps)
    )?;
    let (of_other_flows, of_other_connections) = if is_told {
        (Vec::new(), Vec::new())
    } else {
        try_join!(
            events_of_flows(client, only_named_by(&own, [&traced, &connections], "flow_id")),
            other_connections(client, &own, only_named_by(&own, [&flows, &traced], "connection_id"))
        )?
    };
    attribute(request_id, &own, &mut flows, Link::Flow);
    attribute(request_id, &own, &mut traced, Link::Trace);
    let shared_traces = shared_traces(&own, &traced);
    // Of the trace's other requests nothing is told here; they showed whose the rest is.
    traced.retain(|event| event.str("request_id").is_none_or(|id| id == request_id));

    let mut gathered = Gathered::default();
    gathered.add(own, Relation::Request, OWN_ROWS);
    let laid_over = gathered.events.len();
    let is_ours = |event: &StoredEvent| event.str("request_id") == Some(request_id);
    let (of_own_flow, flows) = flows.into_iter().partition(is_ours);
    let (of_own_trace, traced) = traced.into_iter().partition(is_ours);
    gathered.add(of_own_flow, Relation::Request, JOINED_ROWS);
    gathered.add(of_own_trace, Relation::Request, JOINED_ROWS);
    for step in earlier {
        gathered.add(step, Relation::CausedBy, JOINED_ROWS);
    }
    for step in retries {
        gathered.add(step, Relation::Retry, JOINED_ROWS);
    }
    gathered.add(flows, Relation::Flow, JOINED_ROWS);
    for found in [connections, of_other_connections, of_other_flows] {
        gathered.add(found, Relation::Connection, JOINED_ROWS);
    }
    gathered.add(traced, Relation::Trace, JOINED_ROWS);
    reclassified.lay_over(client, gathered.events.split_at_mut(laid_over).1).await?;
    fill(&mut gathered.events, &shared_traces);
    sort(&mut gathered.events);
    Ok(Joined { events: gathered.events, truncated: gathered.truncated })
}

/// Whether the request's own events tell all that a look-up wants to know: where, who, that it ended well, and every step
/// that leads there. Then nothing more is asked.
fn is_told(own: &[StoredEvent]) -> bool {
    let is_known = |column: &str| own.iter().any(|event| event.str(column).is_some());
    let has_no_user = own.iter().any(|event| matches!(event.str("credential_kind"), Some("service_key" | "none")));
    let is_placed = is_known("workspace") && is_known("slug") && (is_known("user_id") || has_no_user);
    is_placed && !own.iter().any(StoredEvent::failed) && expected(own).is_empty()
}

/// The ids that only joined events name, and not the request's own.
fn only_named_by(own: &[StoredEvent], joined: [&[StoredEvent]; 2], column: &str) -> Vec<String> {
    let known = distinct(own, column);
    let named: BTreeSet<String> = joined.iter().flat_map(|events| distinct(events, column)).collect();
    named.into_iter().filter(|id| !known.contains(id)).collect()
}

/// Events as they come in, each identity once.
#[derive(Default)]
struct Gathered {
    events: Vec<StoredEvent>,
    seen: HashSet<(String, String)>,
    truncated: bool,
}

impl Gathered {
    fn add(&mut self, events: Vec<StoredEvent>, relation: Relation, row_limit: u32) {
        self.truncated |= events.len() >= row_limit as usize;
        for mut event in events.into_iter().take(row_limit as usize) {
            if self.seen.insert((event.source.clone(), event.event_id.clone())) {
                event.relation = relation;
                self.events.push(event);
            }
        }
    }
}

/// Puts events into the timeline's order: time, then rank of the step.
fn sort(events: &mut [StoredEvent]) {
    events.sort_by(|left, right| {
        let key = |event: &StoredEvent| (event.time, event.kind.rank());
        key(left).cmp(&key(right)).then_with(|| left.identity().cmp(&right.identity()))
    });
}

/// The different values of an id column among these events, sorted.
fn distinct(events: &[StoredEvent], column: &str) -> Vec<String> {
    let ids: BTreeSet<String> = events.iter().filter_map(|event| event.text(column)).collect();
    ids.into_iter().collect()
}

/// Follows `caused_by` to the requests that this one retries or continues; the events of each step.
async fn earlier_requests(
    client: &Client,
    request_id: &str,
    own: &[StoredEvent],
) -> Result<Vec<Vec<StoredEvent>>, QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let mut next = distinct(own, "caused_by");
    let mut steps = Vec::new();
    for _ in 0..CHAIN_DEPTH {
        next.retain(|id| known.insert(id.clone()));
        next.truncate(CHAIN_BREADTH);
        if next.is_empty() {
            break;
        }
        let sightings = sightings_of(client, "request", &next).await?;
        let Some(extent) = Extent::of(&sightings, "request", &next) else {
            break;
        };
        let events = request_events(client, &next, &extent, JOINED_ROWS).await?;
        next = distinct(&events, "caused_by");
        steps.push(events);
    }
    Ok(steps)
}

/// Follows `caused_by` backwards to the requests that retry or continue this one; the events of each step. The first
/// extent is where events name this request as their cause.
async fn retries(
    client: &Client,
    request_id: &str,
    first: Option<Extent>,
) -> Result<Vec<Vec<StoredEvent>>, QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let (mut causes, mut named_in) = (vec![request_id.to_owned()], first);
    let mut steps = Vec::new();
    for _ in 0..CHAIN_DEPTH {
        let Some(extent) = named_in else {
            break;
        };
        let mut retries = retries_of_requests(client, &causes, &extent, CHAIN_BREADTH).await?;
        retries.retain(|id| known.insert(id.clone()));
        if retries.is_empty() {
            break;
        }
        let sightings = sightings_of(client, "request", &retries).await?;
        if let Some(extent) = Extent::of(&sightings, "request", &retries) {
            steps.push(request_events(client, &retries, &extent, JOINED_ROWS).await?);
        }
        named_in = Extent::of(&sightings, "caused_by", &retries);
        causes = retries;
    }
    Ok(steps)
}

/// The events of these sign-in attempts.
async fn events_of_flows(client: &Client, flows: Vec<String>) -> Result<Vec<StoredEvent>, QueryError> {
    if flows.is_empty() {
        return Ok(Vec::new());
    }
    let sightings = sightings_of(client, "flow", &flows).await?;
    match Extent::of(&sightings, "flow", &flows) {
        Some(extent) => flow_events(client, &flows, &extent, JOINED_ROWS).await,
        None => Ok(Vec::new()),
    }
}

/// What else belongs to the traces of the request while it ran; asked only where something is left to be told.
async fn own_traces(
    client: &Client,
    own: &[StoredEvent],
    extent: &Extent,
    is_told: bool,
) -> Result<Vec<StoredEvent>, QueryError> {
    let traces: BTreeSet<String> = distinct(own, "trace_id").into_iter().collect();
    let (false, false, Some(span)) = (is_told, traces.is_empty(), span_of(own)) else {
        return Ok(Vec::new());
    };
    let extent = Extent { span: running(own, span), ..extent.clone() };
    trace_events(client, &traces, &extent, JOINED_ROWS).await
}

/// When the request ran: what closes it may be stamped with its start or its end.
fn running(own: &[StoredEvent], span: Span) -> Span {
    let closing = own.iter().filter(|event| is_closing(event));
    let duration = closing.filter_map(|event| event.number("duration_ms")).fold(0.0, f64::max);
    let slack = milliseconds(duration) + SKEW_ALLOWANCE;
    (span.0 - slack, span.1 + slack)
}

/// The steps about a connection that only joined events name, when it is one: of several nobody can tell which is meant.
async fn other_connections(
    client: &Client,
    own: &[StoredEvent],
    connections: Vec<String>,
) -> Result<Vec<StoredEvent>, QueryError> {
    let has_one = own.iter().any(|event| event.str("connection_id").is_some());
    let (false, [_], Some(span)) = (has_one, connections.as_slice(), span_of(own)) else {
        return Ok(Vec::new());
    };
    steps_of_connections(client, &connections.into_iter().collect(), span).await
}

/// What was done about the connections that the request's own events name, shortly before or during the request: the
/// steps that came along with the request, or else those that are found wherever the connections were seen.
async fn own_connections(
    client: &Client,
    own: &[StoredEvent],
    steps: Option<Vec<StoredEvent>>,
) -> Result<Vec<StoredEvent>, QueryError> {
    if let Some(steps) = steps {
        return Ok(steps);
    }
    let connections = connections_of(own);
    let (false, Some(span)) = (connections.is_empty(), span_of(own)) else {
        return Ok(Vec::new());
    };
    steps_of_connections(client, &connections, span).await
}

async fn steps_of_connections(
    client: &Client,
    connections: &BTreeSet<String>,
    span: Span,
) -> Result<Vec<StoredEvent>, QueryError> {
    let ids: Vec<String> = connections.iter().cloned().collect();
    let sightings = sightings_of(client, "connection", &ids).await?;
    match Extent::of(&sightings, "connection", &ids) {
        Some(extent) => {
            let extent = Extent { span: connection_window(span), ..extent };
            connection_events(client, connections, &extent, JOINED_ROWS).await
        }
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Gathered;
    use crate::query::stored::tests::event;
    use crate::query::stored::{Relation, StoredEvent};

    #[test]
    fn an_event_stays_with_the_closest_way_and_a_full_step_says_so() {
        let found = |event_id: &str| -> StoredEvent { event(json!({"event_id": event_id})) };
        let mut gathered = Gathered::default();
        gathered.add(vec![found("a"), found("b")], Relation::Request, 3);
        gathered.add(vec![found("b"), found("c")], Relation::Flow, 3);
        assert!(!gathered.truncated);
        let kept: Vec<(&str, Relation)> =
            gathered.events.iter().map(|event| (event.event_id.as_str(), event.relation)).collect();
        assert_eq!(kept, [("a", Relation::Request), ("b", Relation::Request), ("c", Relation::Flow)]);
        gathered.add(vec![found("a"), found("b"), found("c")], Relation::Connection, 3);
        assert!(gathered.truncated);
        assert_eq!(gathered.events.len(), 3);
    }
}
