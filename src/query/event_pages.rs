//! Reads every row of `events` between two moments, in pages of bounded size that follow the table's primary key.
//!
//! Day by day, since days are partitions. The servers of a day are put together until a page is full ([`plan_day`], pure); one that has
//! more rows than a page is parted in time at moments that the store names. So no page sorts anything, none is read twice,
//! and what is in memory is one page, however many rows a day has.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::filter::TimeRange;
use super::sightings::{Extent, Span};
use super::statement::Statement;
use super::stored::StoredEvent;

/// Rows of a page, about.
const PAGE_ROWS: u64 = 5_000;
/// Servers of a page: their names are bound, and a statement's parameters have a limit.
const PAGE_SERVERS: usize = 300;
/// Seconds that a statement may work: nobody waits for a page of the web.
const MAX_SECONDS: u64 = 120;

/// What lies between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct EventsBetween {
    /// Rows.
    pub rows: u64,
    /// Time of the first one; meaningless when there is none.
    pub first: DateTime<Utc>,
    /// Time of the last one.
    pub last: DateTime<Utc>,
    /// The store's own time.
    pub store_time: DateTime<Utc>,
}

/// Where rows of a server lie; either may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Server {
    workspace: Option<String>,
    slug: Option<String>,
}

/// A server of a day, and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ServerRows {
    #[serde(flatten)]
    server: Server,
    rows: u64,
}

/// A part of the table that is read in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    servers: Vec<Server>,
    times: TimeRange,
}

/// What is read together of a day.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// A page.
    Page(EventPage),
    /// One server with more rows than a page has.
    Large(EventPage),
}

/// How many rows lie in a range, and when.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn events_between(client: &Client, times: TimeRange) -> Result<EventsBetween, QueryError> {
    let rows: Vec<EventsBetween> =
        bind_times(Statement::new(client, "events_between", include_str!("sql/events_between.sql")), times)
            .may_take_seconds(MAX_SECONDS)
            .rows()
            .await?;
    rows.first().copied().ok_or(QueryError::Timeout)
}

/// The days that a range touches, cut to it, first ones first. Pure.
#[must_use]
pub fn days_of(times: TimeRange) -> Vec<TimeRange> {
    let mut days = Vec::new();
    let mut from = times.from;
    while from < times.to {
        let next_day = from.date_naive().and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1);
        let to = next_day.min(times.to);
        days.push(TimeRange { from, to });
        from = to;
    }
    days
}

/// The pages of a day.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn pages_of_day(client: &Client, day: TimeRange) -> Result<Vec<EventPage>, QueryError> {
    let servers: Vec<ServerRows> =
        bind_times(Statement::new(client, "servers_between", include_str!("sql/servers_between.sql")), day)
            .may_take_seconds(MAX_SECONDS)
            .rows()
            .await?;
    let mut pages = Vec::new();
    for plan in plan_day(servers, day) {
        match plan {
            Plan::Page(page) => pages.push(page),
            Plan::Large(page) => {
                let ends = page_ends(client, &page).await?;
                pages.extend(parted(&page, &ends));
            }
        }
    }
    Ok(pages)
}

/// Puts servers, which come in the order of the table, together until a page is full. Pure.
fn plan_day(servers: Vec<ServerRows>, day: TimeRange) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut open = EventPage { servers: Vec::new(), times: day };
    let mut open_rows = 0;
    for ServerRows { server, rows } in servers {
        if rows > PAGE_ROWS {
            plans.push(Plan::Large(EventPage { servers: vec![server], times: day }));
            continue;
        }
        if open_rows + rows > PAGE_ROWS || open.servers.len() >= PAGE_SERVERS {
            plans.push(Plan::Page(std::mem::replace(&mut open, EventPage { servers: Vec::new(), times: day })));
            open_rows = 0;
        }
        open_rows += rows;
        open.servers.push(server);
    }
    if !open.servers.is_empty() {
        plans.push(Plan::Page(open));
    }
    plans
}

/// The page cut at these moments, which come in order. Pure.
fn parted(page: &EventPage, ends: &[DateTime<Utc>]) -> Vec<EventPage> {
    let mut parts = Vec::new();
    let mut from = page.times.from;
    let inside = ends.iter().copied().filter(|end| page.times.from < *end && *end < page.times.to);
    for to in inside.chain([page.times.to]) {
        if from < to {
            parts.push(EventPage { servers: page.servers.clone(), times: TimeRange { from, to } });
            from = to;
        }
    }
    parts
}

async fn page_ends(client: &Client, page: &EventPage) -> Result<Vec<DateTime<Utc>>, QueryError> {
    #[derive(Deserialize)]
    struct End {
        time: DateTime<Utc>,
    }
    let Some(Server { workspace, slug }) = page.servers.first() else { return Ok(Vec::new()) };
    let ends: Vec<End> = bind_times(Statement::new(client, "page_ends", include_str!("sql/page_ends.sql")), page.times)
        .bind("workspace", workspace.as_deref().unwrap_or_default())
        .bind("slug", slug.as_deref().unwrap_or_default())
        .bind("page_rows", PAGE_ROWS)
        .may_take_seconds(MAX_SECONDS)
        .rows()
        .await?;
    Ok(ends.into_iter().map(|end| end.time).collect())
}

impl EventPage {
    /// Between which moments its rows lie, both inclusive.
    #[must_use]
    pub fn span(&self) -> Span {
        (self.times.from, self.times.to - TimeDelta::microseconds(1))
    }

    /// Both halves in time; `None` where there is nothing to halve.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        // The table keeps microseconds.
        let length = (self.times.to - self.times.from).num_microseconds()?;
        let middle = self.times.from + TimeDelta::microseconds(length / 2);
        parted(self, &[middle]).try_into().ok()
    }

    /// Its rows, in no order.
    ///
    /// # Errors
    /// [`QueryError`] of the store; [`QueryError::Timeout`] also where the rows are too large to be read together.
    pub async fn read(&self, client: &Client) -> Result<Vec<StoredEvent>, QueryError> {
        let servers = || self.servers.iter();
        let extent = Extent {
            workspaces: servers().filter_map(|server| server.workspace.clone()).collect(),
            slugs: servers().filter_map(|server| server.slug.clone()).collect(),
            any_without_workspace: servers().any(|server| server.workspace.is_none()),
            any_without_slug: servers().any(|server| server.slug.is_none()),
            span: self.span(),
            connections: BTreeSet::new(),
        };
        let names = |server: &Server| {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            format!("{}\0{}", part(&server.workspace), part(&server.slug))
        };
        let servers: Vec<String> = servers().map(names).collect();
        bind_times(Statement::new(client, "events_page", include_str!("sql/events_page.sql")), self.times)
            .bind_extent(&extent)
            .bind("servers", servers)
            .may_take_seconds(MAX_SECONDS)
            .reads_little()
            .rows()
            .await
    }
}

fn bind_times(statement: Statement, times: TimeRange) -> Statement {
    statement.bind_time("from", times.from).bind_time("to", times.to)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{EventPage, PAGE_ROWS, PAGE_SERVERS, Plan, Server, ServerRows, days_of, parted, plan_day};
    use crate::query::TimeRange;

    fn time(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn range(from: &str, to: &str) -> TimeRange {
        TimeRange { from: time(from), to: time(to) }
    }

    fn server(slug: Option<&str>, rows: u64) -> ServerRows {
        let server = Server { workspace: Some("acme".into()), slug: slug.map(str::to_owned) };
        ServerRows { server, rows }
    }

    #[test]
    fn a_range_is_cut_at_midnight() {
        let days = days_of(range("22T10:00:00", "24T00:00:00"));
        assert_eq!(days, [range("22T10:00:00", "23T00:00:00"), range("23T00:00:00", "24T00:00:00")]);
        assert_eq!(days_of(range("22T10:00:00", "22T10:00:01")), [range("22T10:00:00", "22T10:00:01")]);
        assert!(days_of(range("22T10:00:00", "22T10:00:00")).is_empty());
    }

    #[test]
    fn servers_share_a_page_until_it_is_full_and_a_large_one_has_its_own() {
        let day = range("22T00:00:00", "23T00:00:00");
        let servers = vec![
            server(Some("a"), PAGE_ROWS - 1),
            server(Some("b"), 1),
            server(Some("c"), 1),
            server(Some("d"), PAGE_ROWS + 1),
            server(None, 7),
        ];
        let said: Vec<String> = plan_day(servers, day)
            .iter()
            .map(|plan| {
                let (kind, page) = match plan {
                    Plan::Page(page) => ("page", page),
                    Plan::Large(page) => ("large", page),
                };
                assert_eq!(page.times, day);
                let slugs = page.servers.iter().map(|server| server.slug.as_deref().unwrap_or("-"));
                let slugs: Vec<&str> = slugs.collect();
                format!("{kind}: {}", slugs.join(" "))
            })
            .collect();
        assert_eq!(said, ["page: a b", "large: d", "page: c -"]);
        let many = (0..PAGE_SERVERS + 1).map(|number| server(Some(&number.to_string()), 1)).collect();
        assert_eq!(plan_day(many, day).len(), 2, "names are bound, so there are not too many of them");
        assert!(plan_day(Vec::new(), day).is_empty());
    }

    #[test]
    fn parts_of_a_page_hold_every_moment_once() {
        let page = EventPage {
            servers: vec![Server { workspace: None, slug: None }],
            times: range("22T00:00:00", "23T00:00:00"),
        };
        let cut = |ends: &[&str]| -> Vec<TimeRange> {
            let ends: Vec<DateTime<Utc>> = ends.iter().map(|end| time(end)).collect();
            parted(&page, &ends).into_iter().map(|part| part.times).collect()
        };
        assert_eq!(cut(&[]), [page.times]);
        assert_eq!(
            cut(&["22T06:00:00", "22T12:00:00"]),
            [
                range("22T00:00:00", "22T06:00:00"),
                range("22T06:00:00", "22T12:00:00"),
                range("22T12:00:00", "23T00:00:00")
            ]
        );
        assert_eq!(cut(&["22T00:00:00", "23T00:00:00", "24T00:00:00"]), [page.times], "what lies outside cuts nothing");
        let halves = page.halves().unwrap();
        assert_eq!(
            halves.map(|half| half.times),
            [range("22T00:00:00", "22T12:00:00"), range("22T12:00:00", "23T00:00:00")]
        );
        let instant = EventPage { times: range("22T00:00:00", "22T00:00:00.000001"), ..page };
        assert!(instant.halves().is_none());
    }
}
