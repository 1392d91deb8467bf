//! One look at ranges of one topic: what is stored of them, what is lost, what is doubled. Reads only.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;

use super::book::{Due, Place, judge};
use crate::event::{OffsetRuns, Run};
use crate::query::stored_ranges::{ALL_TIME, StoredCounts, TopicName, gap_runs, stored_counts, stored_runs};
use crate::query::{QueryError, TimeRange};
use crate::store::Reconciliation;

/// How far beside the known times rows are looked for first.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// Checks one range a partition, all partitions in one statement; in a second one, over all time, those in which something
/// is missing.
///
/// # Errors
/// [`QueryError`] of the store.
pub(super) async fn check(
    store: &Client,
    topic: TopicName<'_>,
    ranges: &BTreeMap<i32, (Place, Due)>,
    kept_from: DateTime<Utc>,
) -> Result<Vec<(Place, Due, Reconciliation)>, QueryError> {
    let all: BTreeMap<i32, Run> = ranges.iter().map(|(partition, (_, due))| (*partition, due.range)).collect();
    let gaps = gap_runs(store, topic, &all).await?;
    let mut found = Vec::with_capacity(ranges.len());
    let mut again = all.clone();
    for times in [times_of(ranges), ALL_TIME] {
        let counts = stored_counts(store, topic, &again, times).await?;
        for (partition, range) in std::mem::take(&mut again) {
            let Some((place, due)) = ranges.get(&partition) else { continue };
            let counts = counts.get(&partition).copied().unwrap_or_default();
            let stored = match gaps.get(&partition) {
                None => counts.offsets,
                Some(gaps) => stored_runs(store, topic, partition, range, times).await?.minus(gaps).len(),
            };
            let gaps = gaps.get(&partition).map_or(0, OffsetRuns::len);
            let row = row_of(place, due, &counts, (stored, gaps), kept_from);
            if times != ALL_TIME && stored + due.dropped < due.records {
                again.insert(partition, range);
            } else {
                found.push((place.clone(), *due, row));
            }
        }
        if again.is_empty() {
            break;
        }
    }
    Ok(found)
}

fn row_of(
    place: &Place,
    due: &Due,
    counts: &StoredCounts,
    (stored, gaps): (u64, u64),
    kept_from: DateTime<Utc>,
) -> Reconciliation {
    let judgement = judge(due, stored, kept_from);
    Reconciliation {
        kafka_topic: place.topic.to_string(),
        kafka_topic_id: place.topic_id.as_deref().map(str::to_owned),
        kafka_partition: place.partition,
        first_offset: due.range.first,
        next_offset: due.range.next,
        delivered: due.records,
        rows: counts.event_rows,
        dead_letters: counts.dead_letter_rows,
        dropped: due.dropped,
        gaps,
        unchecked: judgement.unchecked,
        lost: judgement.lost,
        duplicates: counts.duplicates(),
    }
}

/// Where the rows of all these ranges are looked for first; everywhere when it is not known of one.
fn times_of(ranges: &BTreeMap<i32, (Place, Due)>) -> TimeRange {
    let wider =
        |one: TimeRange, other: TimeRange| TimeRange { from: one.from.min(other.from), to: one.to.max(other.to) };
    let known: Option<Vec<TimeRange>> = ranges.values().map(|(_, due)| due.times).collect();
    known
        .and_then(|times| times.into_iter().reduce(wider))
        .map_or(ALL_TIME, |times| TimeRange { from: times.from - MARGIN, to: times.to + MARGIN })
}
