//! The state of each assigned partition: its machine, the batch being filled, at most one batch on its way.
//!
//! A partition whose next batch is full while the last one is still on its way is **held**: it is paused at Kafka until
//! ClickHouse confirms. That bounds memory to two batches a partition, and a slow store slows the reading.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::task::AbortHandle;

use super::batch::{Batch, Sealed};
use super::plan::{Commit, Machine, Range};
use crate::event::KafkaPosition;

/// One partition during one assignment.
#[derive(Debug)]
pub struct Partition {
    /// Topic, topic id and partition; the offset is that of the last record.
    pub place: KafkaPosition,
    /// Names this assignment: what an earlier one still has under way is recognised by it.
    pub epoch: u64,
    /// Where it stands in the protocol.
    pub machine: Machine,
    /// The next offset that is expected.
    pub read_to: i64,
    /// The batch being filled.
    pub batch: Batch,
    /// A sealed batch whose plan is on its way to Kafka.
    pub planned: Option<Sealed>,
    /// The rest of a batch that ClickHouse refused for one of its rows, in parts.
    pub parts: VecDeque<Sealed>,
    /// The delivery under way, and what it was charged.
    pub delivery: Option<(AbortHandle, usize)>,
    /// A commit that Kafka refused, and when it is sent again.
    pub refused_commit: Option<(Commit, Instant)>,
    /// Since when progress is not known to Kafka.
    pub unsaved_since: Option<Instant>,
    /// Whether a gap of it is being recorded: until then no progress is made, so that the gap is found again after a crash.
    pub gaps_under_way: Arc<AtomicBool>,
    /// Whether Kafka refuses its commits because the partition does not exist any more.
    pub vanished: bool,
    /// Whether it is paused at Kafka.
    pub paused: bool,
    /// Whether the group wants it back: nothing new is begun.
    pub releasing: bool,
}

impl Partition {
    /// A partition as it is assigned.
    #[must_use]
    pub fn new(place: KafkaPosition, epoch: u64, machine: Machine, read_from: i64) -> Self {
        Self {
            place,
            epoch,
            machine,
            read_to: read_from,
            batch: Batch::default(),
            planned: None,
            parts: VecDeque::new(),
            delivery: None,
            refused_commit: None,
            unsaved_since: None,
            gaps_under_way: Arc::default(),
            vanished: false,
            paused: false,
            releasing: false,
        }
    }

    /// Bytes that it has charged to the budget.
    #[must_use]
    pub fn charged(&self) -> usize {
        let sealed: usize = self.planned.iter().chain(&self.parts).map(|sealed| sealed.charged).sum();
        self.batch.charged() + sealed + self.delivery.as_ref().map_or(0, |(_, charged)| *charged)
    }

    /// Whether it has rows under way, and so takes its turn at inserting.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.batch.is_empty() || self.delivery.is_some() || self.planned.is_some()
    }

    /// The end of the range that a seal would cover, when there is something to seal. Of a plan that is read again it is the
    /// plan's end, once everything before it was read.
    #[must_use]
    pub fn sealable(&self) -> Option<i64> {
        if !self.machine.takes_range() || self.releasing || !self.parts.is_empty() || self.records_gaps() {
            return None;
        }
        match self.machine.to_reread() {
            Some(plan) => (self.read_to >= plan.next).then_some(plan.next),
            None => self.batch.next(),
        }
    }

    /// Whether a record of this offset belongs to the range that is being filled: what lies behind a plan that is read again
    /// has to wait until the plan is sealed.
    #[must_use]
    pub fn takes(&self, offset: i64) -> bool {
        self.machine.to_reread().is_none_or(|plan| offset < plan.next)
    }

    /// Whether a gap of it is being recorded.
    #[must_use]
    pub fn records_gaps(&self) -> bool {
        self.gaps_under_way.load(Ordering::Relaxed)
    }

    /// Whether nothing of it is under way that could still be brought to an end: all that was read is stored and saved, or
    /// is left to the next owner by a plan or for lack of one.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        if self.vanished {
            return true;
        }
        let nothing_filled = self.batch.is_empty() || self.machine.to_reread().is_some();
        let nothing_sent = self.delivery.is_none() && self.planned.is_none() && self.parts.is_empty();
        nothing_filled && nothing_sent && (self.releasing && self.machine.is_delivering() || self.machine.is_settled())
    }

    /// Gives up everything that is under way: its next owner begins where Kafka knows it.
    pub fn abandon(&mut self) {
        if let Some((task, _)) = self.delivery.take() {
            task.abort();
        }
        self.batch = Batch::default();
        self.planned = None;
        self.parts.clear();
        self.refused_commit = None;
    }

    /// The token under which a range of this partition is inserted, for ever.
    #[must_use]
    pub fn token(&self, range: Range) -> String {
        let KafkaPosition { topic, topic_id, partition, .. } = &self.place;
        let id = topic_id.as_deref().unwrap_or("-");
        format!("v1:{id}:{topic}:{partition}:{}:{}", range.first, range.next)
    }
}

/// Every assigned partition of every topic.
#[derive(Debug, Default)]
pub struct Partitions {
    all: Vec<Partition>,
    /// Where the last record's partition stands: records come in runs.
    last: usize,
    epochs: u64,
}

impl Partitions {
    /// A number that no assignment had before.
    pub fn next_epoch(&mut self) -> u64 {
        self.epochs += 1;
        self.epochs
    }

    /// Adds an assigned partition.
    pub fn add(&mut self, partition: Partition) {
        self.all.push(partition);
    }

    /// The partition, when it is assigned.
    pub fn get(&mut self, topic: &str, number: i32) -> Option<&mut Partition> {
        let is_it = |partition: &Partition| partition.place.partition == number && *partition.place.topic == *topic;
        if !self.all.get(self.last).is_some_and(is_it) {
            self.last = self.all.iter().position(is_it)?;
        }
        self.all.get_mut(self.last)
    }

    /// The partition, when it is still assigned as it was in `epoch`.
    pub fn of_epoch(&mut self, epoch: u64) -> Option<&mut Partition> {
        self.all.iter_mut().find(|partition| partition.epoch == epoch)
    }

    /// Takes a partition out.
    pub fn remove(&mut self, topic: &str, number: i32) -> Option<Partition> {
        let place = self
            .all
            .iter()
            .position(|partition| partition.place.partition == number && *partition.place.topic == *topic)?;
        Some(self.all.swap_remove(place))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.all.iter()
    }

    /// All of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        self.all.iter_mut()
    }
}
