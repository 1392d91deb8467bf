//! Kafka: the consumer of event topics, its settings, and what its callbacks tell.
//!
//! Offsets are committed by `pipeline` only, after the store confirmed; nothing is committed automatically.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::statistics::Statistics;
use thiserror::Error;

use crate::config;
use crate::event::RecordTime;
use crate::telemetry::Metrics;

/// How long metadata and watermark requests may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A Kafka failure, by what the caller can do about it.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The client could not be made from the settings.
    #[error("the kafka client cannot be set up from these settings")]
    Setup(#[source] KafkaError),
    /// No broker answered.
    #[error("kafka at {brokers} does not answer")]
    Unreachable {
        /// Bootstrap servers.
        brokers: String,
        /// What librdkafka reported.
        source: KafkaError,
    },
    /// A topic does not exist.
    #[error("the topic `{topic}` does not exist: create it, or run `gatetrail migrate --topics`")]
    MissingTopic {
        /// Its name.
        topic: String,
    },
}

impl SourceError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup(_) => "kafka_setup",
            Self::Unreachable { .. } => "kafka_unreachable",
            Self::MissingTopic { .. } => "kafka_missing_topic",
        }
    }
}

/// What the client's callbacks saw, for the loop that polls.
#[derive(Debug)]
pub struct Callbacks {
    metrics: Metrics,
    revoked: Mutex<Vec<i32>>,
    unreachable: AtomicBool,
}

impl Callbacks {
    /// Partitions revoked since the last call.
    pub fn take_revoked(&self) -> Vec<i32> {
        self.revoked.lock().map(|mut revoked| std::mem::take(&mut *revoked)).unwrap_or_default()
    }

    /// Whether every broker is away.
    pub fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Relaxed)
    }

    /// Notes that a broker delivered something.
    pub fn note_reachable(&self) {
        if self.unreachable.swap(false, Ordering::Relaxed) {
            tracing::info!("kafka answers again");
        }
    }
}

impl ClientContext for Callbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka repeats itself for as long as a broker is away; `error` below says it once.
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}")
            }
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let away = matches!(error.rdkafka_error_code(), Some(rdkafka::types::RDKafkaErrorCode::AllBrokersDown));
        if away && !self.unreachable.swap(true, Ordering::Relaxed) {
            tracing::warn!("kafka does not answer, waiting for it: {reason}");
        } else {
            tracing::debug!(%error, reason, "kafka");
        }
    }

    fn stats(&self, statistics: Statistics) {
        for topic in statistics.topics.values() {
            for (partition, of_partition) in topic.partitions.iter().filter(|(partition, _)| **partition >= 0) {
                if of_partition.consumer_lag >= 0 {
                    self.metrics.set_lag(*partition, of_partition.consumer_lag);
                }
            }
        }
    }
}

impl ConsumerContext for Callbacks {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance
            && let Ok(mut revoked) = self.revoked.lock()
        {
            revoked.extend(
                partitions.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition),
            );
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => tracing::info!(partitions = ?numbers(partitions), "partitions assigned"),
            Rebalance::Revoke(partitions) => tracing::info!(partitions = ?numbers(partitions), "partitions revoked"),
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &rdkafka::TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "kafka refused a commit; the next one carries it");
        }
    }
}

fn numbers(partitions: &rdkafka::TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
}

/// The consumer of event topics.
pub type EventConsumer = BaseConsumer<Callbacks>;

/// Makes the consumer and subscribes; it connects while it is polled.
///
/// # Errors
/// [`SourceError::Setup`].
pub fn subscribe(settings: &config::Kafka, metrics: Metrics) -> Result<EventConsumer, SourceError> {
    let callbacks = Callbacks { metrics, revoked: Mutex::default(), unreachable: AtomicBool::new(false) };
    let consumer: EventConsumer = client(settings)
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A new group starts at the beginning: an audit trail has no business skipping what is there.
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "6000")
        .set("statistics.interval.ms", "5000")
        .set("queued.max.messages.kbytes", "65536")
        .set("fetch.wait.max.ms", "100")
        .create_with_context(callbacks)
        .map_err(SourceError::Setup)?;
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(SourceError::Setup)?;
    Ok(consumer)
}

/// What every Kafka client of ours has in common.
#[must_use]
pub fn client(settings: &config::Kafka) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "gatetrail")
        .set("allow.auto.create.topics", "false");
    client
}

/// The record's timestamp. A record without one (message format 0) counts as from the epoch, and so is refused as too old
/// or from the future rather than given a time it does not have.
#[must_use]
pub fn record_time(message: &BorrowedMessage<'_>) -> RecordTime {
    let millis = message.timestamp().to_millis().unwrap_or(0);
    RecordTime(DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH))
}

/// The headers by name; one that is not UTF-8 or has no value counts as empty.
pub fn headers<'m>(message: &'m BorrowedMessage<'_>, into: &mut Vec<(&'m str, &'m [u8])>) {
    if let Some(headers) = message.headers() {
        into.extend(headers.iter().map(|header| (header.key, header.value.unwrap_or_default())));
    }
}
