//! The rows of one partition that are under way, and what they become when the batch is sealed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::event::{KafkaPosition, RecordTime};
use crate::source::Record;
use crate::store::{DeadLetter, EventRows, Insert, Refusal, StoreError, dead_letter_rows};
use crate::telemetry::{BatchCounts, RecordOutcome};

/// When a batch is sealed.
#[derive(Debug, Clone, Copy)]
pub struct SealAt {
    /// At this many rows.
    pub rows: usize,
    /// At this many record bytes.
    pub bytes: usize,
    /// This long after its first row.
    pub age: Duration,
}

/// Rows of a contiguous range of offsets of one partition.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows for `events`.
    pub events: EventRows,
    /// What the batch adds to the metrics once it is stored.
    pub counts: BatchCounts,
    dead_letters: Vec<DeadLetter>,
    offsets: Option<Offsets>,
    bytes: usize,
    since: Option<Instant>,
}

/// The offsets a batch covers: `first` up to, not including, `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// First offset of the range.
    pub first: i64,
    /// Offset after the last record.
    pub next: i64,
}

/// A sealed batch: immutable bodies, ready to be inserted.
#[derive(Debug)]
pub struct Sealed {
    /// What it covers.
    pub offsets: Offsets,
    /// One insert a table that has rows; the events first.
    pub inserts: Vec<Insert>,
    /// What it adds to the metrics once stored.
    pub counts: BatchCounts,
    /// Rows of both tables.
    pub rows: usize,
    /// When its first row was made.
    pub since: Instant,
}

impl Batch {
    /// Takes the record's offset into the range, before its rows.
    pub fn cover(&mut self, record: &Record<'_>) {
        self.since.get_or_insert_with(Instant::now);
        let next = record.offset + 1;
        self.offsets =
            Some(self.offsets.map_or(Offsets { first: record.offset, next }, |offsets| Offsets { next, ..offsets }));
        self.bytes += record.payload.value.map_or(0, <[u8]>::len);
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

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_none()
    }

    /// Whether it is as large as a batch may be.
    #[must_use]
    pub fn is_full(&self, seal_at: SealAt) -> bool {
        self.rows() >= seal_at.rows || self.bytes >= seal_at.bytes
    }

    /// Whether it is to be sealed now.
    #[must_use]
    pub fn is_due(&self, seal_at: SealAt, now: Instant) -> bool {
        self.is_full(seal_at) || self.since.is_some_and(|since| now.duration_since(since) >= seal_at.age)
    }

    /// The batch as inserts; it is empty afterwards. `epoch` keeps the tokens of other topics of this name apart. `None` when nothing is under way.
    ///
    /// # Errors
    /// When a body cannot be encoded.
    pub fn seal(&mut self, topic: &Arc<str>, partition: i32, epoch: &str) -> Result<Option<Sealed>, StoreError> {
        let Batch { mut events, counts, dead_letters, offsets, since, .. } = std::mem::take(self);
        let (Some(offsets), Some(since)) = (offsets, since) else { return Ok(None) };
        let rows = events.len() + dead_letters.len();
        let token = format!("v1:{epoch}:{topic}:{partition}:{}:{}", offsets.first, offsets.next);
        let mut inserts = Vec::with_capacity(2);
        if !events.is_empty() {
            inserts.push(Insert {
                table: "events",
                format: "ArrowStream",
                body: Bytes::from(events.finish()?),
                token: token.clone(),
            });
        }
        if !dead_letters.is_empty() {
            let body = Bytes::from(dead_letter_rows::encode(&dead_letters)?);
            inserts.push(Insert { table: "dead_letters", format: "JSONEachRow", body, token: format!("{token}:dlq") });
        }
        Ok(Some(Sealed { offsets, inserts, counts, rows, since }))
    }
}
