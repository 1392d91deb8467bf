//! How far a consumer group has come, asked without joining it.

use std::collections::BTreeMap;

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{client, plain_consumer};
use super::kafka::{REQUEST_TIMEOUT, SourceError};
use crate::config;

/// What a group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Everything before it is done; what lies at it or after it belongs to the group's members.
    pub offset: i64,
    /// What was written beside it.
    pub metadata: String,
}

/// What the configured group has committed for each of these partitions; a partition without an offset is left out. Blocks.
///
/// # Errors
/// [`SourceError::Setup`], [`SourceError::Unreachable`].
pub fn committed_offsets(
    settings: &config::Kafka,
    topic: &str,
    partitions: &[i32],
) -> Result<BTreeMap<i32, Committed>, SourceError> {
    let mut config = client(settings);
    config.set("group.id", &settings.group).set("enable.auto.commit", "false");
    let consumer = plain_consumer(settings, &config)?;
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(topic, *partition);
    }
    let unreachable = |source| SourceError::Unreachable { brokers: settings.brokers.clone(), source };
    let answered = consumer.committed_offsets(asked, REQUEST_TIMEOUT).map_err(unreachable)?;
    let mut committed = BTreeMap::new();
    for place in answered.elements() {
        place.error().map_err(unreachable)?;
        if let Offset::Offset(offset) = place.offset() {
            committed.insert(place.partition(), Committed { offset, metadata: place.metadata().to_owned() });
        }
    }
    Ok(committed)
}
