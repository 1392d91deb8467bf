//! How far a consumer group has come, asked without joining it.

use std::collections::BTreeMap;

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{client, plain_consumer};
use super::kafka::{REQUEST_TIMEOUT, SourceError};
use crate::config;

/// The offset that the configured group has committed for each of these partitions; a partition without one is left out.
/// Everything before it is stored; what lies at it or after it belongs to the group's members. Blocks.
///
/// # Errors
/// [`SourceError::Setup`], [`SourceError::Unreachable`].
pub fn committed_offsets(
    settings: &config::Kafka,
    topic: &str,
    partitions: &[i32],
) -> Result<BTreeMap<i32, i64>, SourceError> {
    let mut config = client(settings);
    config.set("group.id", &settings.group).set("enable.auto.commit", "false");
    let consumer = plain_consumer(settings, &config)?;
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(topic, *partition);
    }
    let answered = consumer
        .committed_offsets(asked, REQUEST_TIMEOUT)
        .map_err(|source| SourceError::Unreachable { brokers: settings.brokers.clone(), source })?;
    let committed = |place: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match place.offset() {
        Offset::Offset(offset) => Some((place.partition(), offset)),
        _ => None,
    };
    Ok(answered.elements().into_iter().filter_map(committed).collect())
}
