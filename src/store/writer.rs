//! The only place that inserts: one body, one block, one deduplication token; the same bytes again on a retry.

use std::time::Duration;

use bytes::Bytes;
use clickhouse::Client;

use super::body::column_names;
use super::error::{Remedy, StoreError};

/// Settings of every insert. Server defaults move between versions, so each one is sent (ClickHouse 26.2 turned
/// `async_insert` on, under which a token protects nothing).
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("async_insert", "0"),
    ("insert_deduplicate", "1"),
    ("deduplicate_blocks_in_dependent_materialized_views", "1"),
    ("max_insert_threads", "1"),
    ("max_insert_block_size", "1048576"),
    ("max_insert_block_size_bytes", "0"),
    ("min_insert_block_size_rows", "0"),
    ("min_insert_block_size_bytes", "0"),
    ("max_partitions_per_insert_block", "0"),
    // Above 10 MiB, JSON lines would else be cut into blocks at places that depend on timing.
    ("input_format_parallel_parsing", "0"),
    ("wait_end_of_query", "1"),
    ("date_time_input_format", "best_effort"),
    ("input_format_null_as_default", "0"),
    ("log_comment", "gatetrail:insert"),
];

/// How long ClickHouse may take to confirm an insert, from the first byte sent; views included. A full batch takes it
/// less than a second; one that waits for merges, several. What is given up here is in doubt and not lost.
pub const INSERT_TIMEOUT: Duration = Duration::from_secs(90);

/// First wait after a failed attempt.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest wait between attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// What is inserted: a body for a table under a token.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table: `events`, `dead_letters`, or one of those about ingest itself.
    pub table: &'static str,
    /// ClickHouse's name of the body's format.
    pub format: &'static str,
    /// The body; cheap to clone.
    pub body: Bytes,
    /// Names the rows for ever: other rows under the same token would be dropped.
    pub token: String,
}

/// Sends one insert and waits for ClickHouse to confirm it, for [`INSERT_TIMEOUT`] at most.
///
/// # Errors
/// [`StoreError`] when it was not confirmed; it may have been stored all the same.
pub async fn insert_once(client: &Client, insert: &Insert) -> Result<(), StoreError> {
    insert_within(client, insert, INSERT_TIMEOUT, &mut || {}).await
}

/// Sends one insert and waits for ClickHouse to confirm it; `sent` hears when the bytes are on their way and the answer is
/// waited for.
///
/// The token is the query's id as well: while an attempt is at work, ClickHouse refuses another one of the same id, so
/// that attempts of one insert never run side by side. An id can be used again once its query is over.
///
/// # Errors
/// [`StoreError`] when it was not confirmed in time; it may have been stored all the same.
pub async fn insert_within(
    client: &Client,
    insert: &Insert,
    patience: Duration,
    sent: &mut (dyn FnMut() + Send),
) -> Result<(), StoreError> {
    let statement = statement(insert)?;
    let mut request = client
        .insert_formatted_with(statement)
        .with_setting("insert_deduplication_token", &insert.token)
        .with_setting("query_id", &insert.token)
        .with_timeouts(Some(patience), Some(patience));
    for (name, value) in SETTINGS {
        request = request.with_setting(*name, *value);
    }
    request.send(insert.body.clone()).await.map_err(StoreError::of)?;
    sent();
    request.end().await.map_err(StoreError::of)
}

/// The statement names the body's columns: without them ClickHouse leaves out, in silence, what its table lacks.
fn statement(insert: &Insert) -> Result<String, StoreError> {
    let columns: Vec<String> = column_names(insert)?.iter().map(|name| format!("`{name}`")).collect();
    Ok(format!("INSERT INTO {} ({}) FORMAT {}", insert.table, columns.join(", "), insert.format))
}

/// Inserts, sending the same bytes again until ClickHouse confirms them. `on_retry` hears of each failed attempt.
///
/// A failure that only a person can mend ([`Remedy::Halt`]: a missing table, a wrong password) is tried again too, at the
/// longest interval, so that ingest goes on by itself once it is mended; nothing is skipped meanwhile.
///
/// # Errors
/// Only what no later attempt can change: a body that cannot be sent as it is.
pub async fn insert(
    client: &Client,
    insert: &Insert,
    on_retry: &mut (dyn FnMut(&StoreError, u32) + Send),
) -> Result<(), StoreError> {
    let mut attempt = 0_u32;
    loop {
        let Err(error) = insert_once(client, insert).await else { return Ok(()) };
        if !matches!(error, StoreError::Unreachable(_) | StoreError::Refused { .. }) {
            return Err(error);
        }
        attempt = attempt.saturating_add(1);
        on_retry(&error, attempt);
        let wait = if error.remedy() == Remedy::Halt { LONGEST_WAIT } else { wait_before(attempt) };
        tokio::time::sleep(wait).await;
    }
}

/// Doubles from [`FIRST_WAIT`] up to [`LONGEST_WAIT`], less a random part of up to a half, so that many consumers do
/// not come back at the same moment.
fn wait_before(attempt: u32) -> Duration {
    let doubled = FIRST_WAIT
        .saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1).min(16)).unwrap_or(u32::MAX))
        .min(LONGEST_WAIT);
    doubled.mul_f64(1.0 - rand::random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_WAIT, wait_before};

    #[test]
    fn waits_grow_and_stay_bounded() {
        for attempt in 1..100 {
            let wait = wait_before(attempt);
            assert!(wait <= LONGEST_WAIT && wait >= std::time::Duration::from_millis(50), "{attempt}: {wait:?}");
        }
    }
}
