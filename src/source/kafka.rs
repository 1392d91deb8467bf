//! Kafka: what every client of ours has in common, its errors, and reading a message's parts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use thiserror::Error;

use crate::config;
use crate::event::RecordTime;

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
