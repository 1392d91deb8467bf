//! The state of each assigned partition: one batch being filled, at most one in flight.
//!
//! A partition whose next batch is full while the last one is still in flight is **held**: it is paused at Kafka until
//! ClickHouse confirms. That bounds memory to two batches a partition, and a slow store slows the reading.

use std::collections::HashMap;

use super::batch::{Batch, Offsets};

/// One partition.
#[derive(Debug, Default)]
pub struct Partition {
    /// The batch being filled.
    pub batch: Batch,
    /// What is being inserted.
    pub in_flight: Option<Offsets>,
    /// Whether it is paused at Kafka.
    pub held: bool,
    /// Counts assignments, so that what an earlier one still had in flight is recognised.
    pub epoch: u64,
}

/// Every assigned partition of the topic.
#[derive(Debug, Default)]
pub struct Partitions {
    by_number: HashMap<i32, Partition>,
    epoch: u64,
}

impl Partitions {
    /// The partition, new when its first record arrives.
    pub fn get(&mut self, number: i32) -> &mut Partition {
        let epoch = self.epoch;
        self.by_number.entry(number).or_insert_with(|| Partition { epoch, ..Partition::default() })
    }

    /// The partition's state when it belongs to the assignment `epoch`; `None` for what an earlier owner left behind.
    pub fn of_epoch(&mut self, number: i32, epoch: u64) -> Option<&mut Partition> {
        self.by_number.get_mut(&number).filter(|partition| partition.epoch == epoch)
    }

    /// Forgets a revoked partition: its new owner reads what was not committed.
    pub fn revoke(&mut self, number: i32) {
        self.epoch += 1;
        self.by_number.remove(&number);
    }

    /// Every partition with its number.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (i32, &mut Partition)> {
        self.by_number.iter_mut().map(|(number, partition)| (*number, partition))
    }

    /// Batches in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.by_number.values().filter(|partition| partition.in_flight.is_some()).count()
    }

    /// Whether nothing is under way or in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.by_number.values().all(|partition| partition.in_flight.is_none() && partition.batch.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Partitions;

    #[test]
    fn what_an_earlier_assignment_had_in_flight_is_not_taken_for_this_one() {
        let mut partitions = Partitions::default();
        let first = partitions.get(0).epoch;
        partitions.revoke(0);
        let second = partitions.get(0).epoch;
        assert!(partitions.of_epoch(0, first).is_none());
        assert!(partitions.of_epoch(0, second).is_some());
    }
}
