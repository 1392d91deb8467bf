//! Watches, for a static member, that every partition has an owner, on a thread of its own: see [`crate::source::unowned`].
//!
//! The cure is a new rebalance, and a member that leaves and joins again brings one. A partition is also without owner
//! while it moves from one member to the next, so several looks in a row have to show it. The members act one after the
//! other, by the order of their ids, for the first one mends it for all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;

use crate::config;
use crate::source::group::EventConsumer;
use crate::source::unowned::{Look, Place, look};

/// How often the group is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// How many looks in a row show a partition without owner before the first member acts: longer than a member takes to give a
/// partition back.
const LOOKS: usize = 3;

/// The thread and what it has found.
#[derive(Debug)]
pub struct GroupWatch {
    topics: Vec<String>,
    found: Receiver<BTreeSet<Place>>,
    // The thread ends when this is dropped.
    _stop: SyncSender<()>,
}

impl GroupWatch {
    /// Starts the thread for a static member; `None` for any other.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(consumer: &Arc<EventConsumer>, settings: &config::Kafka) -> std::io::Result<Option<Self>> {
        let Some(instance) = settings.group_instance_id.clone() else {
            return Ok(None);
        };
        let (finding, found) = sync_channel(1);
        let (stop, stopped) = sync_channel::<()>(1);
        let (asking, asked) = (Arc::clone(consumer), settings.clone());
        std::thread::Builder::new().name("group-watch".to_owned()).spawn(move || {
            let mut orphans = Orphans::default();
            while matches!(stopped.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout)) {
                let old = orphans.note(look(&asking, &asked).as_ref(), &instance);
                if !old.is_empty() && matches!(finding.try_send(old), Err(TrySendError::Disconnected(_))) {
                    return;
                }
            }
        })?;
        Ok(Some(Self { topics: settings.topics.clone(), found, _stop: stop }))
    }

    /// Leaves the group and joins it again when it is on this member to do so.
    ///
    /// # Errors
    /// When Kafka's client takes no subscription any more.
    pub fn turn(&self, consumer: &EventConsumer) -> KafkaResult<()> {
        let Ok(unowned) = self.found.try_recv() else { return Ok(()) };
        let names: Vec<String> = unowned.iter().map(|(topic, partition)| format!("{topic}/{partition}")).collect();
        tracing::warn!(
            partitions = names.join(" "),
            "partitions belong to no member of the group, so this one leaves it and joins again"
        );
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        consumer.unsubscribe();
        consumer.subscribe(&topics)
    }
}

/// Partitions without owner in one look after the other.
#[derive(Debug, Default)]
struct Orphans {
    unowned: BTreeSet<Place>,
    looks: usize,
}

impl Orphans {
    /// Takes in a look: the partitions that were without owner for so long that it is on the member of this instance id to
    /// act; usually none.
    fn note(&mut self, look: Option<&Look>, instance: &str) -> BTreeSet<Place> {
        let Some(look) = look else {
            *self = Self::default();
            return BTreeSet::new();
        };
        let still: BTreeSet<Place> = self.unowned.intersection(&look.unowned).cloned().collect();
        (self.looks, self.unowned) = match (still.is_empty(), look.unowned.is_empty()) {
            (false, _) => (self.looks + 1, still),
            (true, false) => (1, look.unowned.clone()),
            (true, true) => (0, BTreeSet::new()),
        };
        let is_self = |id: &String| id.strip_prefix(instance).is_some_and(|rest| rest.starts_with('-'));
        let turn = look.members.iter().position(is_self).unwrap_or(look.members.len());
        if self.looks >= LOOKS + turn { std::mem::take(self).unowned } else { BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOKS, Orphans};
    use crate::source::unowned::Look;

    fn look(unowned: &[i32]) -> Look {
        let members = ["a-1", "ab-2", "b-3"].map(str::to_owned).to_vec();
        Look { members, unowned: unowned.iter().map(|partition| ("t".to_owned(), *partition)).collect() }
    }

    /// After how many of these looks the member acts, and for which partitions.
    fn acts(instance: &str, looks: &[Option<Look>]) -> Option<(usize, Vec<i32>)> {
        let mut orphans = Orphans::default();
        looks.iter().enumerate().find_map(|(index, look)| {
            let found = orphans.note(look.as_ref(), instance);
            (!found.is_empty()).then(|| (index + 1, found.into_iter().map(|(_, partition)| partition).collect()))
        })
    }

    #[test]
    fn a_partition_that_stays_without_owner_makes_the_members_act_one_after_the_other() {
        let always = vec![Some(look(&[0, 1])); 9];
        assert_eq!(acts("a", &always), Some((LOOKS, vec![0, 1])));
        assert_eq!(acts("ab", &always), Some((LOOKS + 1, vec![0, 1])));
        assert_eq!(acts("not in the group", &always), Some((LOOKS + 3, vec![0, 1])));
    }

    #[test]
    fn a_partition_on_its_way_makes_nobody_act() {
        let on_its_way = [Some(look(&[0])), Some(look(&[0])), Some(look(&[])), Some(look(&[0])), Some(look(&[0]))];
        assert_eq!(acts("a", &on_its_way), None);
        let another_each_time = [Some(look(&[0])), Some(look(&[1])), Some(look(&[2])), Some(look(&[3]))];
        assert_eq!(acts("a", &another_each_time), None);
        let rebalancing = [Some(look(&[0])), Some(look(&[0])), None, Some(look(&[0])), Some(look(&[0]))];
        assert_eq!(acts("a", &rebalancing), None);
        let one_stays = [Some(look(&[0, 1])), Some(look(&[1, 2])), Some(look(&[1, 3]))];
        assert_eq!(acts("a", &one_stays), Some((3, vec![1])));
    }
}
