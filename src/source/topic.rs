//! What the brokers know about a topic: the question that every role asks before it begins.

use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};

use super::kafka::SourceError;

/// The numbers of a topic's partitions; none when the topic does not exist. Waits at most `patience` for a broker.
///
/// # Errors
/// [`SourceError::Unreachable`], [`SourceError::TopicDenied`].
pub fn partitions_of<C: ClientContext>(
    client: &Client<C>,
    brokers: &str,
    topic: &str,
    patience: Duration,
) -> Result<Vec<i32>, SourceError> {
    let unreachable = |source| SourceError::Unreachable { brokers: brokers.to_owned(), source };
    let metadata = client.fetch_metadata(Some(topic), patience).map_err(unreachable)?;
    let is_denied = |found: &MetadataTopic| {
        found.error() == Some(rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    };
    if metadata.topics().iter().any(is_denied) {
        return Err(SourceError::TopicDenied { topic: topic.to_owned() });
    }
    Ok(metadata.topics().iter().flat_map(|found| found.partitions()).map(MetadataPartition::id).collect())
}

/// The same, for those who cannot do without the topic.
///
/// # Errors
/// [`SourceError::Unreachable`], [`SourceError::TopicDenied`], [`SourceError::MissingTopic`].
pub fn required_partitions<C: ClientContext>(
    client: &Client<C>,
    brokers: &str,
    topic: &str,
    patience: Duration,
) -> Result<Vec<i32>, SourceError> {
    let found = partitions_of(client, brokers, topic, patience)?;
    if found.is_empty() { Err(SourceError::MissingTopic { topic: topic.to_owned() }) } else { Ok(found) }
}
