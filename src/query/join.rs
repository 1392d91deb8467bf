//! Gathers the events of one request and of what it belongs to: retries, sign-in, connection.
//!
//! Every step is bounded in time (by the `lookup` table, or a window around the request), in depth and in rows. An event
//! that comes in by several ways stays with the closest.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;
use super::stored::{Relation, StoredEvent};
use super::timeline::Joined;

/// How long before a request what was done about its connection still explains it.
pub const CONNECTION_WINDOW: TimeDelta = TimeDelta::hours(1);
/// How far clocks of gateways are expected to be apart.
const SKEW_ALLOWANCE: TimeDelta = TimeDelta::seconds(2);
/// How many requests a chain of retries is followed, in each direction.
const CHAIN_DEPTH: usize = 4;
/// How many requests one step of a chain may branch into.
const CHAIN_BREADTH: u32 = 20;
/// Most events of the request itself, and of each way of joining.
const OWN_ROWS: u32 = 2000;
const JOINED_ROWS: u32 = 300;

/// The steps about a connection that can explain a request.
const CONNECTION_TYPES: [&str; 9] = [
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

/// Between which moments events name an id.
#[derive(Debug, Clone, Deserialize)]
struct Bounds {
    kind: String,
    id: String,
    earliest: DateTime<Utc>,
    latest: DateTime<Utc>,
}

/// The shortest span that holds the bounds of a kind; `None` when there are none.
fn span(bounds: &[Bounds], kind: &str, ids: &[String]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let of_kind = || bounds.iter().filter(|bounds| bounds.kind == kind && ids.contains(&bounds.id));
    Some((of_kind().map(|bounds| bounds.earliest).min()?, of_kind().map(|bounds| bounds.latest).max()?))
}

/// Gathers everything about a request; `None` when no event carries its id.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn join_request(client: &Client, request_id: &str) -> Result<Option<Joined>, QueryError> {
    let ids = vec![request_id.to_owned()];
    let mut bounds = lookup_bounds(client, &["request", "caused_by"], &ids, days_near(request_id)).await?;
    if span(&bounds, "request", &ids).is_none() && days_near(request_id).is_some() {
        bounds = lookup_bounds(client, &["request", "caused_by"], &ids, None).await?;
    }
    let Some(own_span) = span(&bounds, "request", &ids) else {
        return Ok(None);
    };
    let mut gathered = Gathered::default();
    let own = events_of_requests(client, &ids, own_span, OWN_ROWS).await?;
    gathered.add(own, Relation::Request, OWN_ROWS);
    if gathered.events.is_empty() {
        return Ok(None);
    }

    add_earlier_requests(client, &mut gathered, request_id).await?;
    add_retries(client, &mut gathered, request_id, span(&bounds, "caused_by", &ids)).await?;
    let (flows, connections) =
        futures_util::try_join!(events_of_flows(client, &gathered), events_of_connections(client, &gathered))?;
    gathered.add(flows, Relation::Flow, JOINED_ROWS);
    gathered.add(connections, Relation::Connection, JOINED_ROWS);
    Ok(Some(gathered.into_joined()))
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
        for mut event in events {
            if self.seen.insert((event.source.clone(), event.event_id.clone())) {
                event.relation = relation;
                self.events.push(event);
            }
        }
    }

    /// The values of a column among the request's own events, sorted.
    fn own_values(&self, column: &str) -> Vec<String> {
        let own = self.events.iter().filter(|event| event.relation == Relation::Request);
        let values: BTreeSet<&str> = own.filter_map(|event| event.str(column)).collect();
        values.into_iter().map(str::to_owned).collect()
    }

    fn own_span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let own = || self.events.iter().filter(|event| event.relation == Relation::Request).map(|event| event.time);
        Some((own().min()?, own().max()?))
    }

    /// The events in the timeline's order: time, then rank of the step.
    fn into_joined(mut self) -> Joined {
        self.events.sort_by(|left, right| {
            let key = |event: &StoredEvent| (event.time, event.kind.rank());
            key(left).cmp(&key(right)).then_with(|| left.identity().cmp(&right.identity()))
        });
        Joined { events: self.events, truncated: self.truncated }
    }
}

/// Follows `caused_by` to the requests that this one retries or continues.
async fn add_earlier_requests(client: &Client, gathered: &mut Gathered, request_id: &str) -> Result<(), QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let mut next = gathered.own_values("caused_by");
    for _ in 0..CHAIN_DEPTH {
        next.retain(|id| known.insert(id.clone()));
        next.truncate(CHAIN_BREADTH as usize);
        if next.is_empty() {
            return Ok(());
        }
        let events = events_of_known_requests(client, &next).await?;
        next = events.iter().filter_map(|event| event.str("caused_by")).map(str::to_owned).collect();
        gathered.add(events, Relation::CausedBy, JOINED_ROWS);
    }
    Ok(())
}

/// Follows `caused_by` backwards to the requests that retry or continue this one.
async fn add_retries(
    client: &Client,
    gathered: &mut Gathered,
    request_id: &str,
    first_span: Option<(DateTime<Utc>, DateTime<Utc>)>,
) -> Result<(), QueryError> {
    let mut known = BTreeSet::from([request_id.to_owned()]);
    let (mut causes, mut cause_span) = (vec![request_id.to_owned()], first_span);
    for _ in 0..CHAIN_DEPTH {
        let Some(within) = cause_span else {
            return Ok(());
        };
        let mut retries = retries_of_requests(client, &causes, within).await?;
        retries.retain(|id| known.insert(id.clone()));
        if retries.is_empty() {
            return Ok(());
        }
        let bounds = lookup_bounds(client, &["request", "caused_by"], &retries, None).await?;
        if let Some(of_retries) = span(&bounds, "request", &retries) {
            gathered.add(
                events_of_requests(client, &retries, of_retries, JOINED_ROWS).await?,
                Relation::Retry,
                JOINED_ROWS,
            );
        }
        cause_span = span(&bounds, "caused_by", &retries);
        causes = retries;
    }
    Ok(())
}

async fn events_of_known_requests(client: &Client, ids: &[String]) -> Result<Vec<StoredEvent>, QueryError> {
    let bounds = lookup_bounds(client, &["request"], ids, None).await?;
    match span(&bounds, "request", ids) {
        Some(within) => events_of_requests(client, ids, within, JOINED_ROWS).await,
        None => Ok(Vec::new()),
    }
}

/// The days that a look-up has to search; `None` when nothing is known about them.
type Days = Option<(NaiveDate, NaiveDate)>;

/// The first and the last day of ClickHouse's `Date`, about: every day there is.
const EVERY_DAY: (&str, &str) = ("1970-01-01", "2149-01-01");

/// The days near the moment that the id itself names (UUID version 7, RFC 9562 §5.7).
fn days_near(id: &str) -> Days {
    let time = time_of_id(id)?;
    Some(((time - TimeDelta::days(1)).date_naive(), (time + TimeDelta::days(7)).date_naive()))
}

/// When an id was minted, if it is a UUID of version 7 of a year that can be.
#[must_use]
pub fn time_of_id(id: &str) -> Option<DateTime<Utc>> {
    use chrono::Datelike as _;
    let uuid = uuid::Uuid::try_parse(id).ok().filter(|uuid| uuid.get_version_num() == 7)?;
    let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)?;
    (2000..2100).contains(&time.year()).then_some(time)
}

async fn lookup_bounds(client: &Client, kinds: &[&str], ids: &[String], days: Days) -> Result<Vec<Bounds>, QueryError> {
    let (first_day, last_day) = match days {
        Some((first, last)) => (first.to_string(), last.to_string()),
        None => (EVERY_DAY.0.to_owned(), EVERY_DAY.1.to_owned()),
    };
    Statement::new(client, "lookup_bounds", include_str!("sql/lookup_bounds.sql"))
        .bind("kinds", kinds)
        .bind("ids", ids)
        .bind("first_day", first_day)
        .bind("last_day", last_day)
        .rows()
        .await
}

async fn events_of_requests(
    client: &Client,
    ids: &[String],
    within: (DateTime<Utc>, DateTime<Utc>),
    row_limit: u32,
) -> Result<Vec<StoredEvent>, QueryError> {
    Statement::new(client, "events_of_requests", include_str!("sql/events_of_requests.sql"))
        .bind("request_ids", ids)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", row_limit)
        .rows()
        .await
}

async fn retries_of_requests(
    client: &Client,
    ids: &[String],
    within: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<String>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
    }
    let rows: Vec<Row> = Statement::new(client, "retries_of_requests", include_str!("sql/retries_of_requests.sql"))
        .bind("request_ids", ids)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", CHAIN_BREADTH)
        .rows()
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn events_of_flows(client: &Client, gathered: &Gathered) -> Result<Vec<StoredEvent>, QueryError> {
    let flows = gathered.own_values("flow_id");
    if flows.is_empty() {
        return Ok(Vec::new());
    }
    let bounds = lookup_bounds(client, &["flow"], &flows, None).await?;
    let Some(within) = span(&bounds, "flow", &flows) else {
        return Ok(Vec::new());
    };
    Statement::new(client, "events_of_flows", include_str!("sql/events_of_flows.sql"))
        .bind("flow_ids", &flows)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", JOINED_ROWS)
        .rows()
        .await
}

async fn events_of_connections(client: &Client, gathered: &Gathered) -> Result<Vec<StoredEvent>, QueryError> {
    let connections = gathered.own_values("connection_id");
    let (false, Some((start, end))) = (connections.is_empty(), gathered.own_span()) else {
        return Ok(Vec::new());
    };
    Statement::new(client, "events_of_connections", include_str!("sql/events_of_connections.sql"))
        .bind("connection_ids", &connections)
        .bind("types", CONNECTION_TYPES.as_slice())
        .bind_time("first", start - CONNECTION_WINDOW)
        .bind_time("last", end + SKEW_ALLOWANCE)
        .bind("row_limit", JOINED_ROWS)
        .rows()
        .await
}

#[cfg(test)]
mod tests {
    use super::{days_near, time_of_id};

    #[test]
    fn an_id_of_version_7_names_its_day_and_others_do_not() {
        let time = time_of_id("019aab12-3456-7abc-8def-0123456789ab").unwrap();
        assert_eq!(time.date_naive().to_string(), "2025-11-22");
        assert_eq!(days_near("019aab12-3456-7abc-8def-0123456789ab").unwrap().0.to_string(), "2025-11-21");
        for id in
            ["", "req-1", "019aab12-3456-4abc-8def-0123456789ab", "ffffffff-ffff-7fff-bfff-ffffffffffff", "' OR 1=1"]
        {
            assert_eq!(time_of_id(id), None, "{id}");
            assert_eq!(days_near(id), None, "{id}");
        }
    }
}
