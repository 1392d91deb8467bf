//! Finds where events are by the ids they carry, with a narrow read: what identifies a row and which ids lead on from it.
//!
//! On a table of this width reading a row costs by the column, not by the row: some 25 ms for all of them against 6 ms
//! for these. So everything is located first, and [`super::events_at`] then reads all columns of all rows at once.

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::bounds::Span;
use super::error::QueryError;
use super::statement::Statement;

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

/// Where a record lies in Kafka and which event of it a row is: no two rows of `events` share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Position {
    /// The topic.
    pub kafka_topic: String,
    /// The partition, from 0.
    pub kafka_partition: i64,
    /// The offset of the record, from 0.
    pub kafka_offset: i64,
    /// Which event of the record, from 0.
    pub kafka_index: i64,
}

/// A row of `events` that is known to belong to an answer, before its columns are read.
#[derive(Debug, Clone, Deserialize)]
pub struct Located {
    /// The reporter.
    pub source: String,
    /// With `source` it identifies the event.
    pub event_id: String,
    /// When it happened, by the reporter's clock.
    pub time: DateTime<Utc>,
    /// Workspace of the gateway.
    pub workspace: Option<String>,
    /// Name under which the MCP server is registered.
    pub slug: Option<String>,
    /// Which row it is.
    #[serde(flatten)]
    pub position: Position,
    /// The request that its request retries or continues; read for requests alone, like the ids that follow.
    #[serde(default)]
    pub caused_by: Option<String>,
    /// Its sign-in attempt.
    #[serde(default)]
    pub flow_id: Option<String>,
    /// Its connection of a user with a server.
    #[serde(default)]
    pub connection_id: Option<String>,
}

/// The events that carry one of these request ids.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn locate_requests(
    client: &Client,
    ids: &[String],
    within: Span,
    row_limit: u32,
) -> Result<Vec<Located>, QueryError> {
    Statement::new(client, "locate_requests", include_str!("sql/locate_requests.sql"))
        .bind("request_ids", ids)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await
}

/// The events of these sign-in attempts.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn locate_flows(
    client: &Client,
    ids: &[String],
    within: Span,
    row_limit: u32,
) -> Result<Vec<Located>, QueryError> {
    Statement::new(client, "locate_flows", include_str!("sql/locate_flows.sql"))
        .bind("flow_ids", ids)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await
}

/// The events about these connections, the newest ones when there are too many.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn locate_connections(
    client: &Client,
    ids: &[String],
    within: Span,
    row_limit: u32,
) -> Result<Vec<Located>, QueryError> {
    Statement::new(client, "locate_connections", include_str!("sql/locate_connections.sql"))
        .bind("connection_ids", ids)
        .bind("types", CONNECTION_TYPES.as_slice())
        .bind_time("first", within.0)
        .bind_time("last", within.1)
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
    within: Span,
    row_limit: u32,
) -> Result<Vec<String>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
    }
    let rows: Vec<Row> = Statement::new(client, "retries_of_requests", include_str!("sql/retries_of_requests.sql"))
        .bind("request_ids", ids)
        .bind_time("first", within.0)
        .bind_time("last", within.1)
        .bind("row_limit", row_limit)
        .reads_little()
        .rows()
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
