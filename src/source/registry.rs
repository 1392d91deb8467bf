//! The registry topic: compacted, read from its beginning and outside any group.
//!
//! [`RegistryReader`] reads it; a bad record is handed on as what is wrong with it, and its bytes are not kept. Following
//! it for as long as a process lives is [`super::registry_follower`].

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{PlainContext, client, plain_consumer};
use super::kafka::{REQUEST_TIMEOUT, SourceError, record_time};
use super::topic::required_partitions;
use crate::config;
use crate::decode::registry::{RegistryRecord, decode_registry};
use crate::decode::{Limits, Payload};
use crate::scrub::scrub_registry;

/// How long reading to the end may take.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What a record of the topic came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryFact {
    /// A fact, or that one is no more.
    Known(RegistryRecord),
    /// It could not be read.
    Refused(RefusedRecord),
}

/// A record that could not be read: where it is and what is wrong with it, and nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RefusedRecord {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Stable code: one of the refusal codes of events.
    pub code: &'static str,
    /// What is wrong, in words.
    pub detail: String,
}

/// Reads the registry topic.
pub struct RegistryReader {
    consumer: BaseConsumer<PlainContext>,
    brokers: String,
    topic: String,
    partitions: Vec<i32>,
    limits: Limits,
}

impl std::fmt::Debug for RegistryReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RegistryReader").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl RegistryReader {
    /// Connects. Nothing is read yet.
    ///
    /// # Errors
    /// [`SourceError`] when the topic cannot be read now.
    pub fn connect(settings: &config::Kafka, limits: Limits) -> Result<Self, SourceError> {
        let mut config = client(settings);
        config
            // A group id is required by the client and never used: partitions are assigned by hand and nothing is committed.
            .set("group.id", format!("{}-registry", settings.group))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "false")
            // A topic that was created anew begins before where we stand.
            .set("auto.offset.reset", "earliest");
        let consumer = plain_consumer(settings, &config)?;
        let mut reader = Self {
            consumer,
            brokers: settings.brokers.clone(),
            topic: settings.registry_topic.clone(),
            partitions: Vec::new(),
            limits,
        };
        reader.take_new_partitions()?;
        Ok(reader)
    }

    /// Reads on from partitions that were added; blocks while the broker is asked.
    ///
    /// # Errors
    /// [`SourceError`] when the broker does not tell.
    pub fn take_new_partitions(&mut self) -> Result<(), SourceError> {
        let found = required_partitions(self.consumer.client(), &self.brokers, &self.topic, REQUEST_TIMEOUT)?;
        let mut new = TopicPartitionList::new();
        for partition in found.into_iter().filter(|partition| !self.partitions.contains(partition)).collect::<Vec<_>>()
        {
            new.add_partition_offset(&self.topic, partition, Offset::Beginning).map_err(SourceError::Setup)?;
            self.partitions.push(partition);
        }
        if new.count() > 0 {
            self.consumer.incremental_assign(&new).map_err(SourceError::Setup)?;
        }
        Ok(())
    }

    /// Reads up to what is the end now; `false` when that took longer than [`READ_TIMEOUT`].
    ///
    /// # Errors
    /// [`SourceError`] when the broker does not tell where the end is.
    pub fn read_to_end(&mut self, take: &mut impl FnMut(RegistryFact)) -> Result<bool, SourceError> {
        let unreachable = |source| SourceError::Unreachable { brokers: self.brokers.clone(), source };
        let mut ends = Vec::new();
        for partition in &self.partitions {
            let (start, end) =
                self.consumer.fetch_watermarks(&self.topic, *partition, REQUEST_TIMEOUT).map_err(unreachable)?;
            if end > start {
                ends.push((*partition, end));
            }
        }
        let deadline = Instant::now() + READ_TIMEOUT;
        while !ends.is_empty() && Instant::now() < deadline {
            if let Some((partition, offset)) = self.next(Duration::from_millis(100), take) {
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
        Ok(ends.is_empty())
    }

    /// Hands on one record, waiting for it; its partition and offset, or `None` when nothing came.
    pub fn next(&mut self, wait: Duration, take: &mut impl FnMut(RegistryFact)) -> Option<(i32, i64)> {
        let message = match self.consumer.poll(wait)? {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%error, "registry topic");
                return None;
            }
        };
        let (partition, offset) = (message.partition(), message.offset());
        let payload = Payload { headers: &[], value: message.payload(), time: record_time(&message) };
        take(match decode_registry(&payload, message.key(), &self.limits) {
            Ok(mut record) => {
                scrub_registry(&mut record);
                RegistryFact::Known(record)
            }
            Err(error) => RegistryFact::Refused(RefusedRecord {
                partition,
                offset,
                code: error.code(),
                detail: error.to_string(),
            }),
        });
        Some((partition, offset))
    }
}
