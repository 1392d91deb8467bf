//! What the continuous check has written down: how far it came, what it found, what is still not in order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;
use super::stored_ranges::TopicName;

/// How the continuous check of a partition ended last.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LastReconciliation {
    /// Partition.
    pub partition: i32,
    /// When.
    pub checked_at: DateTime<Utc>,
    /// Everything before this offset was checked at some time.
    pub checked_to: i64,
    /// Offsets lost, of every range as it was checked last.
    pub lost: u64,
    /// Rows doubled, of every range as it was checked last.
    pub duplicates: u64,
}

/// How the continuous checks of a topic's partitions ended last; a partition that was never checked is left out.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn last_reconciliations(
    client: &Client,
    topic: TopicName<'_>,
) -> Result<BTreeMap<i32, LastReconciliation>, QueryError> {
    let statement = Statement::new(client, "last_reconciliations", include_str!("sql/last_reconciliations.sql"));
    let rows: Vec<LastReconciliation> = topic.bind(statement).rows().await?;
    Ok(rows.into_iter().map(|row| (row.partition, row)).collect())
}

/// Up to which offset a partition was checked, not beyond `committed`; `None` when it never was.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn reconciled_to(
    client: &Client,
    topic: TopicName<'_>,
    partition: i32,
    committed: i64,
) -> Result<Option<i64>, QueryError> {
    #[derive(Deserialize)]
    struct Found {
        next: i64,
    }
    let statement = Statement::new(client, "reconciled_to", include_str!("sql/reconciled_to.sql"))
        .bind("partition", partition)
        .bind("committed", committed);
    let found: Vec<Found> = topic.bind(statement).rows().await?;
    Ok(found.first().map(|found| found.next))
}

/// A range whose last check found something lost or doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Unresolved {
    /// First offset.
    pub first: i64,
    /// Offset after the last one.
    pub next: i64,
    /// Distinct offsets that Kafka delivered.
    pub delivered: u64,
    /// Records left out on purpose.
    pub dropped: u64,
}

/// The ranges of a partition that are not in order, the newest first, at most `limit`.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn unresolved_reconciliations(
    client: &Client,
    topic: TopicName<'_>,
    partition: i32,
    limit: usize,
) -> Result<Vec<Unresolved>, QueryError> {
    let sql = include_str!("sql/unresolved_reconciliations.sql");
    let statement =
        Statement::new(client, "unresolved_reconciliations", sql).bind("partition", partition).bind("row_limit", limit);
    topic.bind(statement).rows().await
}
