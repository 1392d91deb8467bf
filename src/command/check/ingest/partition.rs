//! The check of one partition: reads the range from Kafka in parts and compares each with what is stored.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use rdkafka::message::Message;
use serde::Serialize;

use crate::event::{OffsetRuns, Run};
use crate::query::stored_ranges::{
    ALL_TIME, LastReconciliation, StoredCounts, TopicName, gap_runs, stored_counts, stored_runs,
};
use crate::query::{QueryError, TimeRange};
use crate::source::kafka::{SourceError, record_time};
use crate::source::reread::RangeReader;

/// Offsets that are compared together.
const PART: i64 = 1_000_000;
/// Lost offsets that are named.
const NAMED: usize = 5;
/// How far an event's own time usually is from its record's at most.
const USUAL_DELAY: TimeDelta = TimeDelta::hours(1);

/// What was found in one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct PartitionCheck {
    pub topic: String,
    pub partition: i32,
    /// First offset of the range.
    pub from: i64,
    /// Whether the range begins where the log does: older records of that time may have been there once.
    pub begins_with_log: bool,
    /// Offset after the last one: at most what the group has committed.
    pub to: i64,
    /// Records that Kafka has in the range.
    pub records: u64,
    /// Raw rows.
    pub event_rows: u64,
    pub dead_letter_rows: u64,
    /// Offsets that are known to be gone.
    pub gaps: u64,
    /// Offsets that Kafka deleted while it was read, and that are in no table and no gap either: they may have been holes.
    pub unchecked: u64,
    /// Offsets of records without a row.
    pub lost: u64,
    /// The first few of them.
    pub first_lost: Vec<i64>,
    /// Rows that are stored once too often.
    pub duplicates: u64,
    /// Records after the committed offset.
    pub lag: i64,
    /// Age of the newest record in the range.
    pub newest_record_age_ms: Option<i64>,
    /// How the check that `consume` makes every minute ended last.
    pub last_check: Option<LastCheck>,
}

/// How the continuous check ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LastCheck {
    pub checked_at: DateTime<Utc>,
    /// Everything before this offset was checked at some time.
    pub checked_to: i64,
    pub lost: u64,
    pub duplicates: u64,
}

impl From<LastReconciliation> for LastCheck {
    fn from(last: LastReconciliation) -> Self {
        let LastReconciliation { checked_at, checked_to, lost, duplicates, .. } = last;
        Self { checked_at, checked_to, lost, duplicates }
    }
}

/// What one topic's partitions are checked with.
pub(super) struct Checker<'c> {
    pub store: &'c Client,
    pub reader: &'c mut RangeReader,
    pub topic: TopicName<'c>,
    pub times: TimeRange,
    pub now: DateTime<Utc>,
}

/// Records that Kafka has in a part of the range, and between which times they came.
struct InKafka {
    offsets: OffsetRuns,
    times: Option<TimeRange>,
}

impl Checker<'_> {
    /// Checks one partition up to what is committed.
    pub(super) async fn check(&mut self, partition: i32, committed: Option<i64>) -> anyhow::Result<PartitionCheck> {
        let topic = self.topic.topic;
        let bounds = self.reader.bounds(topic, partition)?;
        // A group that has committed nothing has not begun: everything is lag, nothing can be lost.
        let committed = committed.unwrap_or(bounds.low);
        let from = self.reader.offset_at(topic, partition, self.times.from)?.unwrap_or(bounds.high);
        let to = self.reader.offset_at(topic, partition, self.times.to)?.unwrap_or(bounds.high).min(committed);
        let from = from.min(to);
        let mut check = PartitionCheck {
            topic: topic.to_owned(),
            partition,
            from,
            begins_with_log: bounds.low > 0 && from == bounds.low,
            to,
            lag: (bounds.high - committed).max(0),
            ..PartitionCheck::default()
        };
        let mut first = from;
        while first < to {
            let part = Run { first, next: to.min(first + PART) };
            self.check_part(partition, part, &mut check).await?;
            first = part.next;
        }
        Ok(check)
    }

    async fn check_part(&mut self, partition: i32, part: Run, check: &mut PartitionCheck) -> anyhow::Result<()> {
        let (in_kafka, low) = self.read(partition, part)?;
        let gaps = gap_runs(self.store, self.topic, &[(partition, part)].into()).await?.remove(&partition);
        let gaps = gaps.unwrap_or_default();
        let nearby = in_kafka
            .times
            .map_or(ALL_TIME, |times| TimeRange { from: times.from - USUAL_DELAY, to: times.to + USUAL_DELAY });
        // Near the records' own time first: that is cheap, and complete when nothing is missing there.
        let (mut counts, mut stored) = self.stored(partition, part, nearby).await?;
        if !in_kafka.offsets.minus(&stored).minus(&gaps).is_empty() {
            (counts, stored) = self.stored(partition, part, ALL_TIME).await?;
        }
        let lost = in_kafka.offsets.minus(&stored).minus(&gaps);
        let gone = OffsetRuns::of([Run { first: part.first, next: part.next.min(low) }]);
        check.records += in_kafka.offsets.len();
        check.event_rows += counts.event_rows;
        check.dead_letter_rows += counts.dead_letter_rows;
        check.duplicates += counts.duplicates();
        check.gaps += gaps.len();
        check.unchecked += gone.minus(&stored).minus(&gaps).len();
        check.lost += lost.len();
        let room = NAMED.saturating_sub(check.first_lost.len());
        check.first_lost.extend(lost.offsets().take(room));
        if let Some(times) = in_kafka.times {
            check.newest_record_age_ms = Some((self.now - times.to).num_milliseconds().max(0));
        }
        Ok(())
    }

    /// The offsets that Kafka has, with the time of their records, and where the log begins.
    fn read(&mut self, partition: i32, part: Run) -> Result<(InKafka, i64), SourceError> {
        let bounds = self.reader.open(self.topic.topic, partition, part)?;
        let mut in_kafka = InKafka { offsets: OffsetRuns::default(), times: None };
        while let Some(message) = self.reader.next_record()? {
            in_kafka.offsets.push(message.offset());
            let time = record_time(&message).0;
            let times = in_kafka.times.get_or_insert(TimeRange { from: time, to: time });
            times.from = times.from.min(time);
            times.to = times.to.max(time);
        }
        Ok((in_kafka, bounds.low))
    }

    async fn stored(
        &self,
        partition: i32,
        part: Run,
        times: TimeRange,
    ) -> Result<(StoredCounts, OffsetRuns), QueryError> {
        let ranges = [(partition, part)].into();
        let (counts, runs) = tokio::try_join!(
            stored_counts(self.store, self.topic, &ranges, times),
            stored_runs(self.store, self.topic, partition, part, times)
        )?;
        Ok((counts.get(&partition).copied().unwrap_or_default(), runs))
    }
}
