//! The registry topic: compacted, read from its beginning at start and followed afterwards, outside any group.
//!
//! A registry that is missing or away is not fatal: events are then enriched without it, and it is tried again.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{PlainContext, client, plain_consumer};
use super::kafka::{REQUEST_TIMEOUT, SourceError, record_time};
use super::topic::required_partitions;
use crate::config;
use crate::decode::{Limits, Payload, registry::decode_registry};
use crate::enrich::registry::Registry;
use crate::scrub::scrub_registry;

/// How long reading the registry may hold up the start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Follows the registry topic.
pub struct RegistryFollower {
    consumer: BaseConsumer<PlainContext>,
    topic: String,
    limits: Limits,
    /// Records that could not be read.
    pub refused: u64,
}

impl std::fmt::Debug for RegistryFollower {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RegistryFollower")
            .field("topic", &self.topic)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl RegistryFollower {
    /// Connects, and reads what is there into `registry`.
    ///
    /// # Errors
    /// [`SourceError`] when the topic cannot be read now.
    pub fn start(settings: &config::Kafka, limits: Limits, registry: &mut Registry) -> Result<Self, SourceError> {
        let mut config = client(settings);
        config
            // A group id is required by the client and never used: partitions are assigned by hand and nothing is committed.
            .set("group.id", format!("{}-registry", settings.group))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "false");
        let consumer = plain_consumer(settings, &config)?;
        let unreachable = |source| SourceError::Unreachable { brokers: settings.brokers.clone(), source };
        let partitions =
            required_partitions(consumer.client(), &settings.brokers, &settings.registry_topic, REQUEST_TIMEOUT)?;
        let mut assignment = TopicPartitionList::new();
        let mut ends = Vec::new();
        for partition in partitions {
            assignment
                .add_partition_offset(&settings.registry_topic, partition, Offset::Beginning)
                .map_err(SourceError::Setup)?;
            let (start, end) =
                consumer.fetch_watermarks(&settings.registry_topic, partition, REQUEST_TIMEOUT).map_err(unreachable)?;
            if end > start {
                ends.push((partition, end));
            }
        }
        consumer.assign(&assignment).map_err(SourceError::Setup)?;
        let mut follower = Self { consumer, topic: settings.registry_topic.clone(), limits, refused: 0 };
        follower.read_until(ends, registry);
        Ok(follower)
    }

    /// Takes in what has come since, without waiting.
    pub fn follow(&mut self, registry: &mut Registry) {
        while self.next(registry, Duration::ZERO).is_some() {}
    }

    fn read_until(&mut self, mut ends: Vec<(i32, i64)>, registry: &mut Registry) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !ends.is_empty() && Instant::now() < deadline {
            if let Some((partition, offset)) = self.next(registry, Duration::from_millis(100)) {
                ends.retain(|(of, end)| *of != partition || offset + 1 < *end);
                continue;
            }
            // Compaction and transaction markers leave holes at the end: the position tells that they were passed.
            let Ok(position) = self.consumer.position() else { continue };
            let passed = |partition: i32, end: i64| {
                position
                    .find_partition(&self.topic, partition)
                    .is_some_and(|place| matches!(place.offset(), Offset::Offset(offset) if offset >= end))
            };
            ends.retain(|(partition, end)| !passed(*partition, *end));
        }
        if !ends.is_empty() {
            tracing::warn!(
                topic = self.topic,
                "the registry was not read to its end in time; it is followed from where it stands"
            );
        }
    }

    /// Takes in one record; its partition and offset, or `None` when nothing was there.
    fn next(&mut self, registry: &mut Registry, wait: Duration) -> Option<(i32, i64)> {
        let message = match self.consumer.poll(wait)? {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%error, "registry topic");
                return None;
            }
        };
        let payload = Payload { headers: &[], value: message.payload(), time: record_time(&message) };
        match decode_registry(&payload, message.key(), &self.limits) {
            Ok(mut record) => {
                scrub_registry(&mut record);
                registry.apply(record);
            }
            Err(error) => {
                self.refused += 1;
                tracing::warn!(
                    code = error.code(),
                    partition = message.partition(),
                    offset = message.offset(),
                    "registry record left out: {error}"
                );
            }
        }
        Some((message.partition(), message.offset()))
    }
}
