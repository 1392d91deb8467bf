//! What the ingest loop and reconciliation report between batches: lag, memory, the flush interval, gaps, what is not in order.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::labels::{PartitionLabel, ReasonLabel};
use super::{Metrics, seconds_since_1970};

impl Metrics {
    /// Records of a partition that are not committed yet.
    pub fn set_lag(&self, topic: &str, partition: i32, records: i64) {
        self.inner.families.lag.get_or_create(&PartitionLabel { topic: Arc::from(topic), partition }).set(records);
    }

    /// Takes a partition off the board after it was revoked: its new owner reports it.
    pub fn forget_partition(&self, topic: &str, partition: i32) {
        let label = PartitionLabel { topic: Arc::from(topic), partition };
        for of_partition in
            [&self.inner.families.lag, &self.inner.families.reconcile_lost, &self.inner.families.reconcile_duplicates]
        {
            of_partition.remove(&label);
        }
    }

    /// What is not in order in a partition: offsets lost, rows doubled.
    pub fn set_reconciliation(&self, topic: &Arc<str>, partition: i32, lost: u64, duplicates: u64) {
        let label = PartitionLabel { topic: Arc::clone(topic), partition };
        let families = &self.inner.families;
        families.reconcile_lost.get_or_create(&label).set(i64::try_from(lost).unwrap_or(i64::MAX));
        families.reconcile_duplicates.get_or_create(&label).set(i64::try_from(duplicates).unwrap_or(i64::MAX));
    }

    /// Offsets that were compared with what is stored.
    pub fn count_reconciled(&self, offsets: u64) {
        self.inner.families.reconcile_offsets.inc_by(offsets);
    }

    /// The comparison was completed.
    pub fn note_reconciliation(&self, at: DateTime<Utc>) {
        self.inner.families.reconciled_at.set(seconds_since_1970(at));
    }

    /// Record bytes between poll and progress.
    pub fn set_memory(&self, bytes: usize) {
        self.inner.families.memory.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// How long a batch waits for more rows at present.
    pub fn set_flush_interval(&self, interval: Duration) {
        self.inner.families.flush_interval.set(interval.as_secs_f64());
    }

    /// Offsets that were gone from Kafka before they were read.
    pub fn count_gap(&self, reason: &'static str, offsets: i64) {
        let count = u64::try_from(offsets).unwrap_or(0);
        self.inner.families.gap_offsets.get_or_create(&ReasonLabel { reason }).inc_by(count);
    }
}
