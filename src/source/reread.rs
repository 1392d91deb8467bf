//! Reads exact ranges of offsets once more, beside every consumer group: partitions are assigned by hand, under a group
//! id that nobody else has, and nothing is committed.
//!
//! A range is over at its end and not at its last record: compaction, transaction markers and retention leave holes, so
//! the position and the log's end are looked at too. It sees what `consume` sees: committed transactions only.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use super::client::{PlainContext, client, plain_consumer};
use super::kafka::{REQUEST_TIMEOUT, SourceError};
use super::topic::required_partitions;
use super::topic_id::{TopicIdError, topic_id};
use crate::config;
use crate::event::{OffsetRuns, Run};

/// Longest wait for the next record before Kafka counts as away.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one look for a record takes at most.
const POLL: Duration = Duration::from_millis(200);

/// The offsets that a partition has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The oldest that is kept; what lies before it is gone.
    pub low: i64,
    /// The one that the next record gets.
    pub high: i64,
}

/// Reads one range after another.
pub struct RangeReader {
    consumer: BaseConsumer<PlainContext>,
    brokers: String,
    topic: String,
    partition: i32,
    /// Where the next record may lie.
    position: i64,
    to: i64,
    done: bool,
}

impl std::fmt::Debug for RangeReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RangeReader")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("position", &self.position)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl RangeReader {
    /// Makes the client; it connects when it is asked something.
    ///
    /// # Errors
    /// [`SourceError::Setup`], [`SourceError::Token`].
    pub fn new(settings: &config::Kafka) -> Result<Self, SourceError> {
        let mut config = client(settings);
        config
            .set("group.id", format!("{}-reread-{}", settings.group, Uuid::now_v7().simple()))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            // A range that is gone is told, never replaced by another.
            .set("auto.offset.reset", "error")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "16384");
        let consumer = plain_consumer(settings, &config)?;
        let brokers = settings.brokers.clone();
        Ok(Self { consumer, brokers, topic: String::new(), partition: 0, position: 0, to: 0, done: true })
    }

    fn unreachable(&self, source: KafkaError) -> SourceError {
        SourceError::Unreachable { brokers: self.brokers.clone(), source }
    }

    /// The numbers of a topic's partitions. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`], [`SourceError::MissingTopic`].
    pub fn partitions(&self, topic: &str) -> Result<Vec<i32>, SourceError> {
        required_partitions(self.consumer.client(), &self.brokers, topic, REQUEST_TIMEOUT)
    }

    /// The topic's id; `None` only when the brokers are too old to have such ids: rows without an id are other rows. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] also when the answer is refused.
    pub fn topic_id(&self, topic: &str) -> Result<Option<String>, SourceError> {
        let unknown = |code| Err(self.unreachable(KafkaError::MetadataFetch(code)));
        match topic_id(self.consumer.client(), topic, REQUEST_TIMEOUT) {
            Ok(id) => Ok(Some(id)),
            Err(
                TopicIdError::Absent
                | TopicIdError::Refused(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion),
            ) => Ok(None),
            Err(TopicIdError::Refused(code)) => unknown(code),
            Err(TopicIdError::TimedOut | TopicIdError::Name) => unknown(RDKafkaErrorCode::OperationTimedOut),
        }
    }

    /// The oldest and the newest offset of a partition. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`].
    pub fn bounds(&self, topic: &str, partition: i32) -> Result<Bounds, SourceError> {
        let (low, high) = self
            .consumer
            .fetch_watermarks(topic, partition, REQUEST_TIMEOUT)
            .map_err(|error| self.unreachable(error))?;
        Ok(Bounds { low, high })
    }

    /// The first offset of a partition whose record is not older than `time`; `None` when there is no such record. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`].
    pub fn offset_at(&self, topic: &str, partition: i32, time: DateTime<Utc>) -> Result<Option<i64>, SourceError> {
        let mut asked = TopicPartitionList::new();
        asked
            .add_partition_offset(topic, partition, Offset::Offset(time.timestamp_millis()))
            .map_err(SourceError::Setup)?;
        let answered =
            self.consumer.offsets_for_times(asked, REQUEST_TIMEOUT).map_err(|error| self.unreachable(error))?;
        let found = answered.find_partition(topic, partition).map(|place| place.offset());
        Ok(found.and_then(|offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None }))
    }

    /// Begins with a range; the one before is given up. What retention took of it is what lies before [`Bounds::low`] of
    /// the answer. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`], [`SourceError::Setup`].
    pub fn open(&mut self, topic: &str, partition: i32, range: Run) -> Result<Bounds, SourceError> {
        let bounds = self.bounds(topic, partition)?;
        topic.clone_into(&mut self.topic);
        self.partition = partition;
        self.position = range.first.max(bounds.low);
        self.to = range.next.min(bounds.high);
        self.done = self.position >= self.to;
        self.assign()?;
        Ok(bounds)
    }

    /// Fetches from the position on, or nothing when the range is done.
    fn assign(&self) -> Result<(), SourceError> {
        let mut assignment = TopicPartitionList::new();
        if self.position < self.to {
            assignment
                .add_partition_offset(&self.topic, self.partition, Offset::Offset(self.position))
                .map_err(SourceError::Setup)?;
        }
        self.consumer.assign(&assignment).map_err(SourceError::Setup)
    }

    /// The next record of the range, `None` at its end. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when Kafka does not go on for half a minute.
    pub fn next_record(&mut self) -> Result<Option<BorrowedMessage<'_>>, SourceError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.done {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) if message.offset() >= self.to => self.done = true,
                // Left in the queue by a range that was given up.
                Some(Ok(message)) if message.partition() != self.partition || message.offset() < self.position => {}
                Some(Ok(message)) => {
                    self.position = message.offset() + 1;
                    return Ok(Some(message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => self.done = partition == self.partition,
                Some(Err(error)) if is_out_of_range(&error) => {
                    // Retention took the beginning of the range while it was read.
                    let bounds = self.bounds(&self.topic, self.partition)?;
                    self.position = self.position.max(bounds.low);
                    self.to = self.to.min(bounds.high);
                    self.done = self.position >= self.to;
                    self.assign()?;
                }
                Some(Err(error)) if Instant::now() >= deadline => return Err(self.unreachable(error)),
                // librdkafka tries again by itself.
                Some(Err(error)) => tracing::debug!(%error, "reread"),
                None if self.has_passed_its_end() => self.done = true,
                None if Instant::now() >= deadline => {
                    return Err(self.unreachable(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)));
                }
                None => {}
            }
        }
        Ok(None)
    }

    fn has_passed_its_end(&self) -> bool {
        let Ok(positions) = self.consumer.position() else { return false };
        positions
            .find_partition(&self.topic, self.partition)
            .is_some_and(|place| matches!(place.offset(), Offset::Offset(offset) if offset >= self.to))
    }

    /// The offsets that a range has in Kafka now, and where the log begins: the cheap form, which looks at no record. Blocks.
    ///
    /// # Errors
    /// As [`RangeReader::open`] and [`RangeReader::next_record`].
    pub fn offsets(&mut self, topic: &str, partition: i32, range: Run) -> Result<(OffsetRuns, Bounds), SourceError> {
        let bounds = self.open(topic, partition, range)?;
        let mut offsets = OffsetRuns::default();
        while let Some(message) = self.next_record()? {
            offsets.push(message.offset());
        }
        Ok((offsets, bounds))
    }
}

fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset))
}
