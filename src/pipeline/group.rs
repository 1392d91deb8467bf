//! What the group decides: partitions that come, partitions that go, and those that have to begin anew.
//!
//! A revoked partition is given back once nothing of it is under way: what is being filled is dropped, the delivery under
//! way may finish, progress is committed; all within [`RELEASE`]. What is not finished by then stays planned, and its next
//! owner completes it. While a commit of ours is unanswered nothing is given back, for it could overwrite the next owner's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};
use rustc_hash::FxHashSet;

use super::batch::Batch;
use super::crash_point::{CrashPoint, reach};
use super::health::Part;
use super::partitions::Partition;
use super::plan::{Gap, Position, Start, Watermarks, metadata};
use super::reconcile::Place;
use super::runner::{RunError, Runner};
use crate::event::KafkaPosition;
use crate::source::group::{GroupEvent, give_back, take_over};
use crate::source::topic_id::{TopicIdError, topic_id};
use crate::store::{self, StoreError, gap_insert, writer};

/// How long a revoked partition may take to settle.
const RELEASE: Duration = Duration::from_secs(5);
/// How long one question about an assignment may take.
const QUESTION: Duration = Duration::from_secs(5);
/// How long to wait before an assignment that could not be begun is tried again.
const BEGIN_AGAIN: Duration = Duration::from_millis(500);

/// What is under way with the group.
#[derive(Debug, Default)]
pub struct Membership {
    /// Assigned by the group, not begun yet.
    coming: Option<(TopicPartitionList, Instant)>,
    going: Vec<Going>,
    /// Partitions that lost their place in the log.
    restarts: Vec<(Arc<str>, i32)>,
    /// Assignments whose commit is not answered.
    committing: FxHashSet<u64>,
}

/// Partitions that the group wants back.
#[derive(Debug)]
struct Going {
    partitions: TopicPartitionList,
    epochs: Vec<u64>,
    deadline: Instant,
    lost: bool,
}

impl Membership {
    /// The partition is to begin anew, from what the group has committed.
    pub fn restart(&mut self, topic: Arc<str>, partition: i32) {
        if !self.restarts.iter().any(|(other, number)| *other == topic && *number == partition) {
            self.restarts.push((topic, partition));
        }
    }

    /// A commit was sent.
    pub fn commit_requested(&mut self, epoch: u64) {
        self.committing.insert(epoch);
    }

    /// It was answered.
    pub fn commit_answered(&mut self, epoch: u64) {
        self.committing.remove(&epoch);
    }
}

impl Runner {
    /// Does what the group decided since the last turn.
    pub(super) fn follow_group(&mut self) -> Result<(), RunError> {
        if let Some(watch) = self.setup.group_watch.as_ref().filter(|_| !self.draining) {
            watch.turn(&self.consumer).map_err(RunError::Kafka)?;
        }
        for event in self.consumer.context().take_events() {
            match event {
                GroupEvent::Assigned(partitions) => self.membership.coming = Some((partitions, Instant::now())),
                GroupEvent::Revoked { partitions, lost } => self.begin_release(partitions, lost),
            }
        }
        if self.membership.coming.as_ref().is_some_and(|(_, at)| Instant::now() >= *at)
            && let Some((partitions, _)) = self.membership.coming.take()
        {
            self.begin_assignment(partitions);
        }
        for (topic, partition) in std::mem::take(&mut self.membership.restarts) {
            self.restart(&topic, partition);
        }
        Ok(())
    }

    fn begin_assignment(&mut self, partitions: TopicPartitionList) {
        if self.draining {
            // The group waits for an answer; nothing is read any more.
            self.assign(&partitions);
            return;
        }
        match self.starts_of(&partitions) {
            Ok(starts) => {
                self.note_group_answers();
                for (place, start) in starts {
                    if let Some(mut element) = partitions.find_partition(&place.topic, place.partition)
                        && let Err(error) = element.set_offset(Offset::Offset(start.read_from))
                    {
                        tracing::warn!(%error, "an offset that kafka does not take");
                    }
                    self.begin(place, start);
                }
                self.assign(&partitions);
            }
            Err(reason) => {
                if self
                    .setup
                    .health
                    .fail(Part::Kafka, format!("does not tell where assigned partitions begin: {reason}"))
                {
                    tracing::warn!("kafka does not tell where assigned partitions begin, asking again: {reason}");
                }
                self.membership.coming = Some((partitions, Instant::now() + BEGIN_AGAIN));
            }
        }
    }

    fn note_group_answers(&self) {
        if self.setup.health.recover(Part::Kafka) {
            tracing::info!("kafka answers again");
        }
    }

    fn assign(&self, partitions: &TopicPartitionList) {
        match take_over(&self.consumer, partitions) {
            Ok(()) => tracing::info!(partitions = names(partitions), "partitions assigned"),
            Err(error) => tracing::warn!(%error, "the assignment was not taken; the group decides anew"),
        }
    }

    /// Where each partition begins: its committed offset with metadata, the ends of its log, its topic's id.
    fn starts_of(&self, partitions: &TopicPartitionList) -> Result<Vec<(KafkaPosition, Start)>, String> {
        let explain = |error: rdkafka::error::KafkaError| error.to_string();
        let mut asked = TopicPartitionList::new();
        for element in partitions.elements() {
            asked.add_partition(element.topic(), element.partition());
        }
        let committed = self.consumer.committed_offsets(asked, QUESTION).map_err(explain)?;
        let mut ids: HashMap<String, Option<Arc<str>>> = HashMap::new();
        let mut starts = Vec::with_capacity(committed.count());
        for element in committed.elements() {
            element.error().map_err(explain)?;
            let (topic, partition) = (element.topic(), element.partition());
            let id = match ids.get(topic) {
                Some(id) => id.clone(),
                None => {
                    let id = self.id_of(topic)?;
                    ids.insert(topic.to_owned(), id.clone());
                    id
                }
            };
            let (low, high) = self.consumer.fetch_watermarks(topic, partition, QUESTION).map_err(explain)?;
            let position = match element.offset() {
                Offset::Offset(offset) => {
                    Some(Position { offset, found: metadata::decode(offset, element.metadata()) })
                }
                _ => None,
            };
            let start = Start::decide(position.as_ref(), Watermarks { low, high }, id.as_deref());
            let place = KafkaPosition { topic: Arc::from(topic), topic_id: id, partition, offset: 0, index: 0 };
            starts.push((place, start));
        }
        Ok(starts)
    }

    /// The topic's id; brokers before Kafka 2.8 have none, and then rows carry none.
    fn id_of(&self, topic: &str) -> Result<Option<Arc<str>>, String> {
        match topic_id(self.consumer.client(), topic, QUESTION) {
            Ok(id) => Ok(Some(Arc::from(id))),
            Err(error @ (TopicIdError::Absent | TopicIdError::Name)) => {
                tracing::warn!(topic, %error, "the topic's id is not known, so rows cannot be told from those of an earlier topic of this name");
                Ok(None)
            }
            Err(error) => Err(format!("id of topic {topic}: {error}")),
        }
    }

    fn begin(&mut self, place: KafkaPosition, start: Start) {
        let (topic, number) = (&*place.topic, place.partition);
        if start.recreated {
            tracing::warn!(topic, partition = number, "the topic was created anew; it is read from its beginning");
        }
        if let Some(plan) = start.machine.to_reread() {
            tracing::info!(
                topic,
                partition = number,
                first = plan.first,
                next = plan.next,
                "a plan was left unfinished; its range is read and stored again before anything new"
            );
            reach(CrashPoint::AssignedBeforeReplay);
        }
        self.setup.reconciler.assigned(Place::from(&place), start.machine.position());
        let epoch = self.partitions.next_epoch();
        self.partitions.add(Partition::new(place, epoch, start.machine, start.read_from));
        self.store_gaps(epoch, &start.gaps);
    }

    /// Offsets that are lost become rows of `ingest_gaps`; until they are stored, the partition's progress is not saved.
    pub(super) fn store_gaps(&mut self, epoch: u64, gaps: &[Gap]) {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return };
        for gap in gaps {
            tracing::error!(
                topic = &*partition.place.topic,
                partition = partition.place.partition,
                first = gap.range.first,
                next = gap.range.next,
                reason = gap.reason.as_str(),
                "offsets are gone from kafka before they were read; the gap is recorded"
            );
            self.setup.metrics.count_gap(gap.reason.as_str(), gap.range.next - gap.range.first);
        }
        let KafkaPosition { topic, topic_id, partition: number, .. } = partition.place.clone();
        let rows = gaps.iter().map(|gap| store::Gap {
            topic: Arc::clone(&topic),
            topic_id: topic_id.clone(),
            partition: number,
            first: gap.range.first,
            next: gap.range.next,
            reason: gap.reason,
        });
        let inserts: Vec<_> = rows.filter_map(|gap| gap_insert(&gap).ok()).collect();
        if inserts.is_empty() {
            return;
        }
        let under_way = Arc::clone(&partition.gaps_under_way);
        under_way.store(true, Ordering::Relaxed);
        let (store, metrics) = (self.setup.store.clone(), self.setup.metrics.clone());
        self.setup.runtime.spawn(async move {
            for insert in &inserts {
                let mut counted = |error: &StoreError, _: u32| metrics.insert_retried(error.code());
                if let Err(error) = writer::insert(&store, insert, &mut counted).await {
                    tracing::error!(%error, "a gap cannot be recorded; it is found again at the next start");
                    return;
                }
            }
            under_way.store(false, Ordering::Relaxed);
        });
    }

    fn begin_release(&mut self, partitions: TopicPartitionList, lost: bool) {
        reach(CrashPoint::RevokeBegun);
        if lost {
            tracing::warn!(
                partitions = names(&partitions),
                "this member was thought dead; its partitions are with others now"
            );
        }
        let mut epochs = Vec::new();
        for element in partitions.elements() {
            let Some(partition) = self.partitions.get(element.topic(), element.partition()) else { continue };
            partition.releasing = true;
            let before = partition.charged();
            if lost {
                self.left_behind |= self.draining && !partition.is_at_rest();
                partition.abandon();
            } else {
                partition.batch = Batch::default();
                partition.parts.clear();
            }
            self.setup.budget.refund(before - partition.charged());
            epochs.push(partition.epoch);
        }
        // An assignment that was not begun is given back as well.
        self.membership.coming = None;
        self.membership.going.push(Going { partitions, epochs, deadline: Instant::now() + RELEASE, lost });
    }

    /// Gives back what has settled, or has taken too long.
    pub(super) fn release_settled(&mut self) {
        let now = Instant::now();
        for going in std::mem::take(&mut self.membership.going) {
            let committing = going.epochs.iter().any(|epoch| self.membership.committing.contains(epoch));
            let settled = going.lost
                || now >= going.deadline
                || going
                    .epochs
                    .iter()
                    .all(|epoch| self.partitions.of_epoch(*epoch).is_none_or(|partition| partition.is_at_rest()));
            if committing || !settled {
                self.membership.going.push(going);
                continue;
            }
            reach(CrashPoint::RevokeDone);
            for element in going.partitions.elements() {
                if let Some(partition) = self.partitions.remove(element.topic(), element.partition()) {
                    self.let_go(partition);
                    self.setup.reconciler.revoked(element.topic(), element.partition());
                    self.setup.metrics.forget_partition(element.topic(), element.partition());
                }
            }
            match give_back(&self.consumer, &going.partitions) {
                Ok(()) => tracing::info!(partitions = names(&going.partitions), "partitions given back"),
                Err(error) => tracing::warn!(%error, "partitions could not be given back"),
            }
        }
    }

    /// Gives up what is under way. librdkafka keeps a partition paused although it goes and comes again, and whoever begins it
    /// anew does not know: so it is resumed here.
    fn let_go(&mut self, mut partition: Partition) {
        self.setup.budget.refund(partition.charged());
        partition.abandon();
        if !partition.paused {
            return;
        }
        let mut paused = TopicPartitionList::new();
        paused.add_partition(&partition.place.topic, partition.place.partition);
        if let Err(error) = self.consumer.resume(&paused) {
            tracing::warn!(%error, partitions = names(&paused), "a paused partition could not be resumed before it goes");
        }
    }

    /// Begins a partition anew that lost its place in the log.
    fn restart(&mut self, topic: &Arc<str>, number: i32) {
        let is_going =
            self.membership.going.iter().any(|going| going.partitions.find_partition(topic, number).is_some());
        if is_going || self.partitions.get(topic, number).is_none() {
            return;
        }
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, number);
        let starts = match self.starts_of(&asked) {
            Ok(starts) => starts,
            Err(reason) => {
                tracing::debug!(reason, "restart");
                self.membership.restart(Arc::clone(topic), number);
                return;
            }
        };
        if let Some(partition) = self.partitions.remove(topic, number) {
            self.let_go(partition);
        }
        for (place, start) in starts {
            let read_from = start.read_from;
            self.begin(place, start);
            if let Err(error) = self.consumer.seek(topic, number, Offset::Offset(read_from), QUESTION) {
                tracing::warn!(%error, "kafka did not seek; trying again");
                self.membership.restart(Arc::clone(topic), number);
            }
        }
    }
}

fn names(partitions: &TopicPartitionList) -> String {
    let names: Vec<String> =
        partitions.elements().iter().map(|element| format!("{}/{}", element.topic(), element.partition())).collect();
    names.join(" ")
}
