//! Which partitions of the topics belong to no member of the group, by what the group's coordinator says.
//!
//! Kafka gives every partition to someone, and yet there is a state in which it does not: a static member (KIP-345) that is
//! killed after the first half of a cooperative rebalance (KIP-429) and is back within its session takes its former self's
//! place without a rebalance, so the second half, which it was to ask for, never comes. What was moving belongs to nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Buf;
use rdkafka::consumer::Consumer;

use super::group::EventConsumer;
use super::topic::partitions_of;
use crate::config;

/// How long each question may take.
const QUESTION: Duration = Duration::from_secs(5);
/// The group's state between two rebalances.
const STABLE: &str = "Stable";

/// A topic's name and the number of one of its partitions.
pub type Place = (String, i32);

/// What one look at a settled group shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its members' ids, sorted. A static member's begins with its instance id and a hyphen.
    pub members: Vec<String>,
    /// Partitions that none of them has.
    pub unowned: BTreeSet<Place>,
}

/// Asks the brokers, for some seconds at most; `None` when they do not tell or the group is in the middle of a rebalance.
/// Blocks.
pub fn look(consumer: &EventConsumer, settings: &config::Kafka) -> Option<Look> {
    let groups = consumer.fetch_group_list(Some(&settings.group), QUESTION).ok()?;
    let group = groups.groups().iter().find(|group| group.name() == settings.group && group.state() == STABLE)?;
    let mut owned = BTreeSet::new();
    for member in group.members() {
        owned.extend(assigned(member.assignment().unwrap_or_default())?);
    }
    let mut unowned = BTreeSet::new();
    for topic in &settings.topics {
        let partitions = partitions_of(consumer.client(), &settings.brokers, topic, QUESTION).ok()?;
        unowned.extend(partitions.into_iter().map(|partition| (topic.clone(), partition)));
    }
    unowned.retain(|place| !owned.contains(place));
    let mut members: Vec<String> = group.members().iter().map(|member| member.id().to_owned()).collect();
    members.sort();
    Some(Look { members, unowned })
}

/// The partitions in a member's assignment as the consumer protocol writes it (`ConsumerProtocolAssignment`): version, then
/// topics with their partitions; what follows is the assignor's. A member that has just joined has no bytes at all.
fn assigned(mut bytes: &[u8]) -> Option<Vec<Place>> {
    let mut places = Vec::new();
    if bytes.is_empty() {
        return Some(places);
    }
    bytes.try_get_i16().ok()?;
    for _ in 0..bytes.try_get_i32().ok()? {
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        let topic = std::str::from_utf8(name).ok()?;
        bytes = rest;
        for _ in 0..bytes.try_get_i32().ok()? {
            places.push((topic.to_owned(), bytes.try_get_i32().ok()?));
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::assigned;

    #[test]
    fn an_assignment_is_read_and_what_is_cut_off_is_none() {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        for (topic, partitions) in [("a.events", vec![0, 3]), ("b", vec![7])] {
            bytes.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
            bytes.extend(topic.bytes());
            bytes.extend(u32::try_from(partitions.len()).unwrap().to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition: &i32| partition.to_be_bytes()));
        }
        let expected = vec![("a.events".to_owned(), 0), ("a.events".to_owned(), 3), ("b".to_owned(), 7)];
        assert_eq!(assigned(&bytes), Some(expected.clone()));
        for length in 1..bytes.len() {
            assert_eq!(assigned(&bytes[..length]), None, "{length} bytes");
        }
        bytes.extend([255, 255, 255, 255]);
        assert_eq!(assigned(&bytes), Some(expected));
        assert_eq!(assigned(&[]), Some(Vec::new()));
    }
}
