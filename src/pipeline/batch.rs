//! The rows of one partition that are under way, and what they become when the batch is sealed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::budget::RECORD_OVERHEAD;
use super::plan::Range;
use crate::event::{KafkaPosition, RecordTime};
use crate::source::Record;
use crate::store::body::keep_rows;
use crate::store::{DeadLetter, EventRows, Insert, Refusal, StoreError, dead_letter_rows, rows_between};
use crate::telemetry::{BatchCounts, RecordOutcome};

/// When a batch is sealed.
#[derive(Debug, Clone, Copy)]
pub struct SealAt {
    /// At this many rows.
    pub rows: usize,
    /// At this many record bytes.
    pub bytes: usize,
}

/// Rows of a contiguous range of offsets of one partition.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows for `events`.
    pub events: EventRows,
    /// What the batch adds to the metrics once it is stored.
    pub counts: BatchCounts,
    dead_letters: Vec<DeadLetter>,
    records: u64,
    next: Option<i64>,
    bytes: usize,
    charged: usize,
    since: Option<Instant>,
    jumps: Vec<Range>,
}

/// A sealed batch: immutable bodies, ready to be inserted.
#[derive(Debug)]
pub struct Sealed {
    /// What it covers.
    pub range: Range,
    /// One insert a table that has rows; the events first.
    pub inserts: Vec<Insert>,
    /// What it adds to the metrics once stored.
    pub counts: BatchCounts,
    /// Rows of both tables.
    pub rows: usize,
    /// Records that were delivered in the range.
    pub records: u64,
    /// Between which moments its events were; of refused records alone, the time of the newest.
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Bytes that were charged to the budget for it.
    pub charged: usize,
    /// When its first record came.
    pub since: Instant,
}

impl Batch {
    /// Takes the record's offset into the range, before its rows.
    pub fn cover(&mut self, record: &Record<'_>) {
        self.since.get_or_insert_with(Instant::now);
        self.next = Some(record.offset + 1);
        self.records += 1;
        let bytes = record.payload.value.map_or(0, <[u8]>::len);
        self.bytes += bytes;
        self.charged += bytes + RECORD_OVERHEAD;
    }

    /// Notes that no record was delivered between two offsets: a hole that Kafka left there (transaction markers,
    /// compaction), or records that are gone.
    pub fn jumped(&mut self, over: Range) {
        self.jumps.push(over);
    }

    /// The offsets that no record was delivered for.
    #[must_use]
    pub fn jumps(&self) -> &[Range] {
        &self.jumps
    }

    /// Forgets the jumps, once they are explained.
    pub fn explain_jumps(&mut self) {
        self.jumps.clear();
    }

    /// Adds a refused record.
    pub fn push_dead_letter(&mut self, refusal: Refusal, position: &KafkaPosition, time: RecordTime) {
        self.counts.record(RecordOutcome::Refused, time.0);
        self.counts.dead_letter(refusal.code);
        self.dead_letters.push(DeadLetter::new(refusal, position, time.0));
    }

    /// Rows of both tables so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.events.len() + self.dead_letters.len()
    }

    /// Refused records so far.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.dead_letters.len()
    }

    /// Offset after the last record; `None` when nothing is under way.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        self.next
    }

    /// Bytes charged to the budget so far.
    #[must_use]
    pub fn charged(&self) -> usize {
        self.charged
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    /// Whether it is as large as a batch may be.
    #[must_use]
    pub fn is_full(&self, seal_at: SealAt) -> bool {
        self.rows() >= seal_at.rows || self.bytes >= seal_at.bytes
    }

    /// Whether its first record has waited for `age`.
    #[must_use]
    pub fn is_aged(&self, age: Duration, now: Instant) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) >= age)
    }

    /// The batch as inserts under `token`; it is empty afterwards.
    ///
    /// # Errors
    /// When a body cannot be encoded.
    pub fn seal(&mut self, range: Range, token: &str) -> Result<Sealed, StoreError> {
        let Self { mut events, counts, dead_letters, records, charged, since, .. } = std::mem::take(self);
        let rows = events.len() + dead_letters.len();
        let times = events.times().or_else(|| counts.newest_record.map(|newest| (newest, newest)));
        let mut inserts = Vec::with_capacity(2);
        if !events.is_empty() {
            let body = events.finish()?;
            inserts.push(Insert { table: "events", format: "ArrowStream", body, token: token.to_owned() });
        }
        if !dead_letters.is_empty() {
            let body = Bytes::from(dead_letter_rows::encode(&dead_letters)?);
            inserts.push(Insert { table: "dead_letters", format: "JSONEachRow", body, token: format!("{token}:dlq") });
        }
        let since = since.unwrap_or_else(Instant::now);
        Ok(Sealed { range, inserts, counts, rows, records, times, charged, since })
    }
}

impl Sealed {
    /// The batch in two parts, each of half the offsets; for a range of one offset it is the batch alone. What is counted
    /// stands with the second, which is stored last.
    ///
    /// # Errors
    /// When a body cannot be read or written anew.
    pub fn halves(self) -> Result<Vec<Self>, StoreError> {
        let Range { first, next } = self.range;
        let Some((left, right)) =
            Range::new(first, first + (next - first) / 2).zip(Range::new(first + (next - first) / 2, next))
        else {
            return Ok(vec![self]);
        };
        let part = |range: Range| -> Result<Vec<Insert>, StoreError> {
            let parts = self.inserts.iter().map(|insert| rows_between(insert, range.first, range.next));
            Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        let (left_inserts, right_inserts) = (part(left)?, part(right)?);
        let charged = self.charged / 2;
        // Every record became rows, so the rows tell how many records each half has.
        let records = distinct_offsets(&left_inserts)?;
        let mut counts = BatchCounts::default();
        // The time stays known: a record whose row is refused becomes a dead letter of that time.
        counts.newest_record = self.counts.newest_record;
        let half = Self {
            range: left,
            inserts: left_inserts,
            counts,
            rows: self.rows / 2,
            records,
            times: self.times,
            charged,
            since: self.since,
        };
        let rest = Self {
            range: right,
            inserts: right_inserts,
            rows: self.rows - self.rows / 2,
            records: self.records.saturating_sub(records),
            charged: self.charged - charged,
            ..self
        };
        Ok(vec![half, rest])
    }
}

/// How many records these rows were made of.
fn distinct_offsets(inserts: &[Insert]) -> Result<u64, StoreError> {
    let mut offsets = BTreeSet::new();
    for insert in inserts {
        keep_rows(insert, &mut |identity| {
            offsets.insert(identity.offset);
            false
        })?;
    }
    Ok(u64::try_from(offsets.len()).unwrap_or(u64::MAX))
}
