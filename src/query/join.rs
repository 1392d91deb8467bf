//! Gathers the events of one request and of what it belongs to: retries, sign-in, connection.
//!
//! Every step is bounded in time (by the `lookup` table, or a window around the request), in depth and in rows. An event
//! that comes in by several ways stays with the closest. All of them are located first; their columns are read once, at
//! the end.

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use clickhouse::Client;
use futures_util::try_join;

use super::bounds::{SKEW_ALLOWANCE, Span, bounds_of, holds, likely_span, span};
use super::error::QueryError;
use super::events_at::events_at;
use super::locate::{Located, locate_connections, locate_flows, locate_requests, retries_of_requests};
use super::stored::{Relation, StoredEvent};
use super::timeline::Joined;

/// How long before a request what was done about its connection still explains it.
pub const CONNECTION_WINDOW: TimeDelta = TimeDelta::hours(1);
/// How many requests a chain of retries is followed, in each direction.
const CHAIN_DEPTH: usize = 4;
/// How many requests one step of a chain may branch into.
const CHAIN_BREADTH: u32 = 20;
/// Most events of the request itself, and of each way of joining.
const OWN_ROWS: u32 = 2000;
const JOINED_ROWS: u32 = 300;

/// Gathers everything about a request; `None` when no event carries its id.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn join_request(client: &Client, request_id: &str) -> Result<Option<Joined>, QueryError> {
    let ids = vec![request_id.to_owned()];
    let (bounds, likely) =
        try_join!(bounds_of(client, "request", &["caused_by"], &ids), locate_likely(client, request_id, &ids))?;
    let Some(own_span) = span(&bounds, "request", &ids) else {
        return Ok(None);
    };
    let own = match likely {
        Some((within, located)) if holds(within, own_span) => located,
        _ => locate_requests(client, &ids, own_span, OWN_ROWS).await?,
    };
    if own.is_empty() {
        return Ok(None);
    }
    let (earlier, retries, flows, connections) = try_join!(
        locate_earlier_requests(client, request_id, &own),
        locate_retries(client, request_id, span(&bounds, "caused_by", &ids)),
        locate_own_flows(client, &own),
        locate_own_connections(client, &own)
    )?;

    let mut gathered = Gathered::default();
    gathered.add(own, Relation::Request, OWN_ROWS);
    for step in earlier {
        gathered.add(step, Relation::CausedBy, JOINED_ROWS);
    }
    for step in retries {
        gathered.add(step, Relation::Retry, JOINED_ROWS);
    }
    gathered.add(flows, Relation::Flow, JOINED_ROWS);
    gathered.add(connections, Relation::Connection, JOINED_ROWS);
    let mut events = events_at(client, gathered.located).await?;
    sort(&mut events);
    Ok(Some(Joined { events, truncated: gathered.truncated }))
}

/// The request's own events where they most likely are, and where that is; `None` when its id does not tell.
async fn locate_likely(
    client: &Client,
    request_id: &str,
    ids: &[String],
) -> Result<Option<(Span, Vec<Located>)>, QueryError> {
    match likely_span(request_id) {
        Some(within) => Ok(Some((within, locate_requests(client, ids, within, OWN_ROWS).await?))),
        None => Ok(None),
    }
}

/// Located events as they come in, each identity once.
#[derive(Default)]
struct Gathered {
    located: Vec<(Located, Relation)>,
    seen: HashSet<(String, String)>,
    truncated: bool,
}

impl Gathered {
    fn add(&mut self, located: Vec<Located>, relation: Relation, row_limit: u32) {
        self.truncated |= located.len() >= row_limit as usize;
        for row in located {
            if self.seen.insert((row.source.clone(), row.event_id.clone())) {
                self.located.push((row, relation));
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

/// The different ids among these, sorted.
fn distinct<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let ids: BTreeSet<&String> = ids.collect();
    ids.into_iter().cloned().collect()
}

/// Follows `caused_by` to the requests that this one retries or continues; the events of each step.
async fn locate_earlier_requests(
    client: &Client,
    request_id: &str,
    own: &[Located],
) -> Result<Vec<Vec<Located>>, QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let mut next = distinct(own.iter().filter_map(|row| row.caused_by.as_ref()));
    let mut steps = Vec::new();
    for _ in 0..CHAIN_DEPTH {
        next.retain(|id| known.insert(id.clone()));
        next.truncate(CHAIN_BREADTH as usize);
        if next.is_empty() {
            break;
        }
        let bounds = bounds_of(client, "request", &[], &next).await?;
        let Some(within) = span(&bounds, "request", &next) else {
            break;
        };
        let located = locate_requests(client, &next, within, JOINED_ROWS).await?;
        next = located.iter().filter_map(|row| row.caused_by.clone()).collect();
        steps.push(located);
    }
    Ok(steps)
}

/// Follows `caused_by` backwards to the requests that retry or continue this one; the events of each step.
async fn locate_retries(
    client: &Client,
    request_id: &str,
    first_span: Option<Span>,
) -> Result<Vec<Vec<Located>>, QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let (mut causes, mut cause_span) = (vec![request_id.to_owned()], first_span);
    let mut steps = Vec::new();
    for _ in 0..CHAIN_DEPTH {
        let Some(within) = cause_span else {
            break;
        };
        let mut retries = retries_of_requests(client, &causes, within, CHAIN_BREADTH).await?;
        retries.retain(|id| known.insert(id.clone()));
        if retries.is_empty() {
            break;
        }
        let bounds = bounds_of(client, "request", &["caused_by"], &retries).await?;
        if let Some(of_retries) = span(&bounds, "request", &retries) {
            steps.push(locate_requests(client, &retries, of_retries, JOINED_ROWS).await?);
        }
        cause_span = span(&bounds, "caused_by", &retries);
        causes = retries;
    }
    Ok(steps)
}

/// The events of the sign-in attempts that the request's own events name.
async fn locate_own_flows(client: &Client, own: &[Located]) -> Result<Vec<Located>, QueryError> {
    let flows = distinct(own.iter().filter_map(|row| row.flow_id.as_ref()));
    if flows.is_empty() {
        return Ok(Vec::new());
    }
    let bounds = bounds_of(client, "flow", &[], &flows).await?;
    match span(&bounds, "flow", &flows) {
        Some(within) => locate_flows(client, &flows, within, JOINED_ROWS).await,
        None => Ok(Vec::new()),
    }
}

/// What was done about the connections that the request's own events name, shortly before or during the request.
async fn locate_own_connections(client: &Client, own: &[Located]) -> Result<Vec<Located>, QueryError> {
    let connections = distinct(own.iter().filter_map(|row| row.connection_id.as_ref()));
    let times = || own.iter().map(|row| row.time);
    let (false, Some(start), Some(end)) = (connections.is_empty(), times().min(), times().max()) else {
        return Ok(Vec::new());
    };
    let within = (start - CONNECTION_WINDOW, end + SKEW_ALLOWANCE);
    locate_connections(client, &connections, within, JOINED_ROWS).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Gathered;
    use crate::query::locate::Located;
    use crate::query::stored::Relation;

    #[test]
    fn an_event_stays_with_the_closest_way_and_a_full_step_says_so() {
        let located = |event_id: &str| -> Located {
            serde_json::from_value(json!({
                "source": "//gateway/a", "event_id": event_id, "time": "2026-11-22T10:00:00.000000Z", "workspace": null,
                "slug": null, "kafka_topic": "events", "kafka_partition": 0, "kafka_offset": 7, "kafka_index": 0,
            }))
            .unwrap()
        };
        let mut gathered = Gathered::default();
        gathered.add(vec![located("a"), located("b")], Relation::Request, 3);
        gathered.add(vec![located("b"), located("c")], Relation::Flow, 3);
        assert!(!gathered.truncated);
        let found: Vec<(&str, Relation)> =
            gathered.located.iter().map(|(row, relation)| (row.event_id.as_str(), *relation)).collect();
        assert_eq!(found, [("a", Relation::Request), ("b", Relation::Request), ("c", Relation::Flow)]);
        gathered.add(vec![located("a"), located("b"), located("c")], Relation::Connection, 3);
        assert!(gathered.truncated);
        assert_eq!(gathered.located.len(), 3);
    }
}
