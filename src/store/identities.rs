//! Reads back which rows of a range are stored: what decides, after any doubt, whether something is still to be inserted.
//!
//! Costs a look at the parts of `events` that can hold the range, so it is for retries, replays and checks, not for every
//! insert. `dead_letters` is sorted by position and answers at once.

use clickhouse::Client;
use rustc_hash::FxHashSet;

use super::body::TimeBounds;
use super::error::StoreError;
use super::span::{Identity, Span};

/// Seconds after which the server gives a read-back up.
const MAX_EXECUTION_SECONDS: &str = "300";

/// Which rows of a range are stored, by table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredIdentities {
    /// Those in `events`.
    pub events: FxHashSet<Identity>,
    /// Rows in `events`: more than identities when some are stored twice.
    pub event_rows: u64,
    /// Those in `dead_letters`.
    pub dead_letters: FxHashSet<Identity>,
    /// Rows in `dead_letters`: more than identities when some are stored twice.
    pub dead_letter_rows: u64,
}

impl StoredIdentities {
    /// Whether a row of this identity is in either table.
    #[must_use]
    pub fn holds(&self, identity: Identity) -> bool {
        self.events.contains(&identity) || self.dead_letters.contains(&identity)
    }
}

/// What is stored of the span, whenever its events were.
///
/// # Errors
/// [`StoreError`] when ClickHouse does not answer or refuses.
pub async fn stored_identities(client: &Client, span: &Span) -> Result<StoredIdentities, StoreError> {
    stored_identities_within(client, span, TimeBounds::ALL).await
}

/// What is stored of the span, for a caller who knows between which moments its events were: only the days of these are
/// looked at in `events`.
///
/// # Errors
/// [`StoreError`] when ClickHouse does not answer or refuses.
pub async fn stored_identities_within(
    client: &Client,
    span: &Span,
    event_times: TimeBounds,
) -> Result<StoredIdentities, StoreError> {
    let (events, event_rows) =
        read(client, span, event_times, ("stored_events", include_str!("sql/stored_events.sql"))).await?;
    let (dead_letters, dead_letter_rows) =
        read(client, span, event_times, ("stored_dead_letters", include_str!("sql/stored_dead_letters.sql"))).await?;
    Ok(StoredIdentities { events, event_rows, dead_letters, dead_letter_rows })
}

async fn read(
    client: &Client,
    span: &Span,
    event_times: TimeBounds,
    (function, sql): (&str, &str),
) -> Result<(FxHashSet<Identity>, u64), StoreError> {
    let found: Vec<(i64, u32, u64)> = client
        .query_raw(sql)
        .with_setting("log_comment", function)
        .with_setting("max_execution_time", MAX_EXECUTION_SECONDS)
        .param("first_time", event_times.first)
        .param("last_time", event_times.last)
        .param("topic", span.topic.as_ref())
        .param("topic_id", span.topic_id.as_deref().unwrap_or_default())
        .param("partition", span.partition)
        .param("first", span.first)
        .param("next", span.next)
        .fetch_all()
        .await
        .map_err(StoreError::of)?;
    let rows = found.iter().map(|(_, _, copies)| copies).sum();
    Ok((found.into_iter().map(|(offset, index, _)| Identity { offset, index }).collect(), rows))
}
