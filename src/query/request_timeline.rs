//! What happened to one request: its joined timeline and the verdict over it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use clickhouse::Client;
use futures_util::try_join;

use super::error::QueryError;
use super::filter::check_id;
use super::join::join_request;
use super::later_success::later_success;
use super::missing::{Absence, Expected, MissingStep, expected, missing};
use super::similar_slug::similar_slug;
use super::statement::Statement;
use super::stored::{Relation, StoredEvent};
use super::texts::VerdictTexts;
use super::timeline::{Beyond, RequestTimeline, assemble};
use super::verdict::decide;
use crate::classify::Class;
use crate::event::Hop;

/// How far back a gateway's habit of reporting a step is looked for, of the same servers.
const NEARBY_WINDOW: TimeDelta = TimeDelta::days(1);
/// And then of all, with how many rows that may cost; past them the habit counts as unknown.
const HABIT_WINDOWS: [(TimeDelta, u64); 2] = [(TimeDelta::days(1), 500_000), (TimeDelta::days(7), 2_000_000)];

/// The timeline of a request and its verdict; `None` when no event carries the id (then see
/// [`super::not_found::why_not_found`]).
///
/// # Errors
/// `bad_id` when the id cannot be one; otherwise what keeps the store from answering.
pub async fn request_timeline(
    client: &Client,
    request_id: &str,
    texts: &VerdictTexts,
) -> Result<Option<RequestTimeline>, QueryError> {
    check_id("request_id", request_id)?;
    let Some(joined) = join_request(client, request_id).await? else {
        return Ok(None);
    };
    let (absent, known_slug, since) = try_join!(
        absent_steps(client, &joined.events, expected(&joined.events)),
        meant_server(client, &joined.events),
        later_success(client, &joined.events)
    )?;
    Ok(assemble(request_id, &joined, Beyond { missing: absent, known_slug, later_success: since }, texts))
}

/// The server that was meant, when the gateway knows none of this name.
async fn meant_server(client: &Client, events: &[StoredEvent]) -> Result<Option<String>, QueryError> {
    let Some(deciding) = decide(events).deciding.filter(|event| event.class == Class::ServerNotFound) else {
        return Ok(None);
    };
    let is_here = deciding.class_hop != Hop::Upstream;
    match (deciding.str("workspace"), deciding.str("slug")) {
        (Some(workspace), Some(slug)) if is_here => similar_slug(client, workspace, slug, deciding.time).await,
        _ => Ok(None),
    }
}

/// Tells for each step that is not there whether this gateway reports such steps.
///
/// It is asked first about the same servers on the last day, which is quick and enough for what is reported always, and
/// about all, and further back, only while that leaves a step open.
async fn absent_steps(
    client: &Client,
    events: &[StoredEvent],
    expected: Vec<Expected>,
) -> Result<Vec<MissingStep>, QueryError> {
    let own: Vec<&StoredEvent> = events.iter().filter(|event| event.relation == Relation::Request).collect();
    let end = own.iter().map(|event| event.time).max();
    let Some(end) = end.filter(|_| !expected.is_empty()) else {
        return Ok(Vec::new());
    };
    let values =
        |column: &'static str| -> BTreeSet<String> { own.iter().filter_map(|event| event.text(column)).collect() };
    let types: Vec<&str> = expected.iter().flat_map(|step| step.types.iter().copied()).collect();
    let sources: BTreeSet<&str> = own.iter().map(|event| event.source.as_str()).collect();
    let about_reporter = |statement: Statement| {
        statement.bind("types", &types).bind("sources", &sources).bind("products", values("gateway_product"))
    };
    let nearby = Statement::new(client, "reported_steps_nearby", include_str!("sql/reported_steps_nearby.sql"))
        .bind("workspaces", values("workspace"))
        .bind("slugs", values("slug"))
        .bind_time("first", end - NEARBY_WINDOW)
        .bind_time("last", end)
        .reads_little();
    let mut absent = missing(expected.clone(), &about_reporter(nearby).rows().await?);
    for (window, rows) in HABIT_WINDOWS {
        if absent.iter().all(|step| step.absence == Absence::Missing) {
            break;
        }
        let everywhere = Statement::new(client, "reported_steps", include_str!("sql/reported_steps.sql"))
            .bind_time("first", end - window)
            .bind_time("last", end)
            .read_at_most(rows);
        absent = missing(expected.clone(), &about_reporter(everywhere).rows().await?);
    }
    Ok(absent)
}
