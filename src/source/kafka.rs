//! Kafka: what can go wrong with it, and reading a message's parts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use thiserror::Error;

use super::fault::KafkaFault;
use super::oauth::TokenError;
use crate::event::RecordTime;
use crate::tls::TlsFileError;

/// How long metadata and watermark requests may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A Kafka failure, by what the caller can do about it.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The client could not be made from the settings.
    #[error("the kafka client cannot be set up from these settings: {0}")]
    Setup(KafkaError),
    /// The certificates of the connection cannot be used.
    #[error(transparent)]
    Files(#[from] TlsFileError),
    /// No broker answered.
    #[error("kafka at {brokers} does not answer")]
    Unreachable {
        /// Bootstrap servers.
        brokers: String,
        /// What librdkafka reported.
        source: KafkaError,
    },
    /// No broker answered, and librdkafka told why.
    #[error("kafka at {brokers} does not answer: {reason}")]
    Silent {
        /// Bootstrap servers.
        brokers: String,
        /// What librdkafka reported.
        reason: String,
    },
    /// A broker is there, and cannot be worked with.
    #[error("kafka at {broker}: {fault}")]
    Refused {
        /// `host:port`.
        broker: String,
        /// What is wrong.
        fault: KafkaFault,
    },
    /// There is no token to sign in with.
    #[error("kafka cannot be signed in to: {0}")]
    Token(#[from] TokenError),
    /// The broker does not let this user see the topic.
    #[error("kafka does not allow this user to read the topic `{topic}`: it needs the rights Describe and Read")]
    TopicDenied {
        /// Its name.
        topic: String,
    },
    /// A topic does not exist.
    #[error("the topic `{topic}` does not exist: create it, or run `gatetrail migrate --topics`")]
    MissingTopic {
        /// Its name.
        topic: String,
    },
}

impl SourceError {
    /// Whether Kafka is away, or there and cannot be worked with.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Refused { .. } | Self::Token(_) => true,
            Self::Setup(_) | Self::Files(_) | Self::TopicDenied { .. } | Self::MissingTopic { .. } => false,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup(_) => "kafka_setup",
            Self::Files(_) => "kafka_files",
            Self::Unreachable { .. } | Self::Silent { .. } => "kafka_unreachable",
            Self::Refused { .. } | Self::Token(_) | Self::TopicDenied { .. } => "kafka_refused",
            Self::MissingTopic { .. } => "kafka_missing_topic",
        }
    }
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
