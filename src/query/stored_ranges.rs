//! What ranges of offsets have become: rows and distinct rows in `events` and `dead_letters`, runs of stored offsets, gaps.
//!
//! Rows lie by the time of their events, not by offset: [`TimeRange`] says where to look first. The same record makes the
//! same row again, so a row's double has its time too, and a range in which nothing is missing need not be looked for
//! elsewhere; where something is missing, ask again with [`ALL_TIME`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::filter::TimeRange;
use super::statement::Statement;
use crate::event::{OffsetRuns, Run};

/// Seconds that one of these statements may take: they read for a check, nobody waits for a page.
const SECONDS: u64 = 120;

/// Every time that a row may have.
pub const ALL_TIME: TimeRange = TimeRange { from: first_moment(1970), to: first_moment(2261) };

const fn first_moment(year: i32) -> DateTime<Utc> {
    match NaiveDate::from_ymd_opt(year, 1, 1) {
        Some(day) => match day.and_hms_opt(0, 0, 0) {
            Some(moment) => moment.and_utc(),
            None => DateTime::UNIX_EPOCH,
        },
        None => DateTime::UNIX_EPOCH,
    }
}

/// A topic as rows name it: a topic created anew under its name has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicName<'t> {
    /// Name.
    pub topic: &'t str,
    /// Id; `None` when the brokers do not tell it.
    pub topic_id: Option<&'t str>,
}

impl TopicName<'_> {
    pub(super) fn bind(self, statement: Statement) -> Statement {
        statement.bind("topic", self.topic).bind("topic_id", self.topic_id.unwrap_or_default())
    }
}

/// What one range of offsets has in the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct StoredCounts {
    /// Raw rows of `events`.
    pub event_rows: u64,
    /// Raw rows of `dead_letters`.
    pub dead_letter_rows: u64,
    /// Distinct offsets with a row in either.
    pub offsets: u64,
    /// Distinct rows of `events`.
    pub distinct_events: u64,
    /// Distinct rows of `dead_letters`.
    pub distinct_dead_letters: u64,
    /// Positions in both tables whose dead letter was not replayed.
    pub in_both: u64,
}

impl StoredCounts {
    /// Rows that are stored once too often.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        let rows = self.event_rows + self.dead_letter_rows + self.in_both;
        rows.saturating_sub(self.distinct_events + self.distinct_dead_letters)
    }
}

#[derive(Debug, Deserialize)]
struct CountsOfPartition {
    partition: i32,
    #[serde(flatten)]
    counts: StoredCounts,
}

/// What ranges of a topic have in the tables, one range a partition; a partition without a row is left out.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn stored_counts(
    client: &Client,
    topic: TopicName<'_>,
    ranges: &BTreeMap<i32, Run>,
    times: TimeRange,
) -> Result<BTreeMap<i32, StoredCounts>, QueryError> {
    if ranges.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = Statement::new(client, "stored_counts", include_str!("sql/stored_counts.sql"))
        .may_take_seconds(SECONDS)
        .bind_time("from", times.from)
        .bind_time("to", times.to)
        .bind("partitions", ranges.keys().collect::<Vec<_>>())
        .bind("firsts", ranges.values().map(|run| run.first).collect::<Vec<_>>())
        .bind("nexts", ranges.values().map(|run| run.next).collect::<Vec<_>>())
        .bind("least", ranges.values().map(|run| run.first).min())
        .bind("most", ranges.values().map(|run| run.next).max());
    let rows: Vec<CountsOfPartition> = topic.bind(statement).rows().await?;
    Ok(rows.into_iter().map(|row| (row.partition, row.counts)).collect())
}

/// The offsets of a range that have a row in `events` or `dead_letters`.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn stored_runs(
    client: &Client,
    topic: TopicName<'_>,
    partition: i32,
    range: Run,
    times: TimeRange,
) -> Result<OffsetRuns, QueryError> {
    let statement = Statement::new(client, "stored_runs", include_str!("sql/stored_runs.sql"))
        .may_take_seconds(SECONDS)
        .bind_time("from", times.from)
        .bind_time("to", times.to)
        .bind("partition", partition)
        .bind("first", range.first)
        .bind("next", range.next);
    let runs: Vec<FoundRun> = topic.bind(statement).rows().await?;
    Ok(OffsetRuns::of(runs.into_iter().map(|run| Run { first: run.first, next: run.next })))
}

#[derive(Debug, Deserialize)]
struct FoundRun {
    first: i64,
    next: i64,
}

#[derive(Debug, Deserialize)]
struct GapOfPartition {
    partition: i32,
    #[serde(flatten)]
    run: FoundRun,
}

/// The offsets of these ranges that Kafka lost before they were stored, for partitions that have such.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn gap_runs(
    client: &Client,
    topic: TopicName<'_>,
    ranges: &BTreeMap<i32, Run>,
) -> Result<BTreeMap<i32, OffsetRuns>, QueryError> {
    if ranges.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = Statement::new(client, "gap_runs", include_str!("sql/gap_runs.sql"))
        .bind("partitions", ranges.keys().collect::<Vec<_>>())
        .bind("least", ranges.values().map(|run| run.first).min())
        .bind("most", ranges.values().map(|run| run.next).max());
    let found: Vec<GapOfPartition> = topic.bind(statement).rows().await?;
    let mut by_partition: BTreeMap<i32, Vec<Run>> = BTreeMap::new();
    for gap in found {
        by_partition.entry(gap.partition).or_default().push(Run { first: gap.run.first, next: gap.run.next });
    }
    let within = |(partition, runs): (i32, Vec<Run>)| {
        let gaps = OffsetRuns::of(runs).within(*ranges.get(&partition)?);
        (!gaps.is_empty()).then_some((partition, gaps))
    };
    Ok(by_partition.into_iter().filter_map(within).collect())
}

#[cfg(test)]
mod tests {
    use super::{ALL_TIME, StoredCounts};

    #[test]
    fn duplicates_are_rows_beyond_the_distinct_ones_in_each_table_and_across_both() {
        let counts = |event_rows, distinct_events, dead_letter_rows, distinct_dead_letters, in_both| StoredCounts {
            event_rows,
            distinct_events,
            dead_letter_rows,
            distinct_dead_letters,
            in_both,
            offsets: 0,
        };
        let cases = [(counts(10, 10, 2, 2, 0), 0), (counts(11, 10, 2, 2, 0), 1), (counts(10, 10, 5, 2, 1), 4)];
        for (counts, duplicates) in cases {
            assert_eq!(counts.duplicates(), duplicates, "{counts:?}");
        }
    }

    #[test]
    fn all_time_is_what_a_column_can_hold() {
        assert_eq!(ALL_TIME.from.timestamp(), 0);
        assert_eq!(ALL_TIME.to.to_rfc3339(), "2261-01-01T00:00:00+00:00");
    }
}
