//! The ingest path on one page. Read this file first.
//!
//! ```text
//! source → decode → scrub → enrich → classify → batch → plan → deliver → progress
//!            └ refused: dead letter, in the same batch ┘
//! ```
//!
//! Words used here: a **record** is what Kafka delivers; it becomes one **row** of `events`, or one of `dead_letters`. A
//! **batch** is one partition's rows for a contiguous range of offsets; it is **sealed** when it is large or old enough. A
//! sealed range is **planned** (Kafka is told what comes next), **delivered** (ClickHouse holds every row of it, read back
//! whenever there was a doubt), and then it is **progress**. So every record is stored exactly once, whoever dies when;
//! [`plan`] says why.
//!
//! [`Steps`] is the pure part: no Kafka, no ClickHouse, no clock. [`runner`] is the loop around it; [`progress`] moves each
//! partition ([`partitions`]) through its [`plan`]; [`group`] does what the consumer group decides,
//! and [`group_watch`] sees to it that it decides. [`commits`] and
//! [`deliveries`] wait for Kafka and ClickHouse beside the loop. [`budget`], [`circuit`] and [`pace`] are the brakes:
//! memory, refused records, inserts. [`reconcile`] checks every minute that what was delivered is what is stored.
//! [`registry_feed`] and [`warm_up`] bring what enrichment looks things up in. [`batch`] is the rows under way, [`dead_letter`] what becomes of a refusal, [`health`]
//! what ingest waits for, [`crash_point`] the moments at which a test build kills itself.

pub mod batch;
pub mod budget;
pub mod circuit;
pub mod commits;
pub mod crash_point;
pub mod dead_letter;
pub mod deliveries;
pub mod group;
pub mod group_watch;
pub mod health;
pub mod pace;
pub mod partitions;
pub mod plan;
pub mod progress;
#[cfg(test)]
mod proof;
pub mod reconcile;
pub mod registry_feed;
pub mod runner;
pub mod warm_up;

use crate::classify::Classifier;
use crate::decode::{self, DecodeError, Limits};
use crate::enrich::Enricher;
use crate::enrich::memory::Memory;
use crate::event::KafkaPosition;
use crate::scrub::{self, Scrubber};
use crate::source::Record;
use crate::store::StoreError;
use crate::telemetry::ReconnectTracker;
use crate::telemetry::RecordOutcome;
use batch::Batch;

/// Everything a record passes through, in order.
#[derive(Debug)]
pub struct Steps {
    /// Bounds of what is accepted.
    pub limits: Limits,
    /// Takes secrets out.
    pub scrubber: Scrubber,
    /// Fills what can be known.
    pub enricher: Enricher,
    /// What events have told lately, for those that leave it out.
    pub memory: Memory,
    /// Says which failure it is.
    pub classifier: Classifier,
    /// Grants seen lately, for counting reconnects.
    pub reconnects: ReconnectTracker,
}

impl Steps {
    /// Puts one record through every step into the batch: as an event, or as a dead letter with its reason.
    ///
    /// # Errors
    /// Only when a column cannot take a row, which ends the batch; a record's own faults never do.
    pub fn ingest(
        &mut self,
        record: &Record<'_>,
        position: &KafkaPosition,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        batch.cover(record);
        match self.store_event(record, position, batch) {
            Ok(stored) => stored,
            Err(refused) => {
                let refusal = dead_letter::refuse(&refused, record.payload.value, &self.scrubber);
                batch.push_dead_letter(refusal, position, record.payload.time);
                Ok(())
            }
        }
    }

    fn store_event(
        &mut self,
        record: &Record<'_>,
        position: &KafkaPosition,
        batch: &mut Batch,
    ) -> Result<Result<(), StoreError>, DecodeError> {
        let mut event = decode::decode(&record.payload, &self.limits)?;
        scrub::scrub_event(&self.scrubber, &mut event);
        self.enricher.enrich(&mut self.memory, &mut event);
        let verdict = self.classifier.classify(&event);
        batch.counts.record(RecordOutcome::Accepted, record.payload.time.0);
        batch.counts.event(&event, &verdict, &mut self.reconnects);
        Ok(batch
            .events
            .push(&event, &verdict, self.classifier.version(), position, record.payload.time.0)
            .map_err(StoreError::from))
    }
}
