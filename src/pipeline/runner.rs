//! The loop: polls Kafka, puts records through the steps, and drives every partition through the plan protocol.
//!
//! One thread owns the consumer and all partitions; commits wait on a thread of their own ([`super::commits`]), inserts run
//! on the asynchronous runtime ([`super::deliveries`]), and both report back. What the group decides is done in
//! [`super::group`]. Nothing is inserted without a committed plan, nothing is committed that ClickHouse does not hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, Message};
use thiserror::Error;

use super::Steps;
use super::batch::{Batch, SealAt};
use super::budget::Budget;
use super::circuit::{Circuit, WINDOW};
use super::commits::Committer;
use super::deliveries::Deliveries;
use super::group::Membership;
use super::group_watch::GroupWatch;
use super::health::{Health, Part};
use super::pace::Pace;
use super::partitions::{Partition, Partitions};
use super::plan::Range;
use super::reconcile::Reconciler;
use super::registry_feed::RegistryFeed;
use super::warm_up::WarmUp;
use crate::decode::Payload;
use crate::source::Record;
use crate::source::group::EventConsumer;
use crate::source::kafka::{headers, record_time};
use crate::store::StoreError;
use crate::telemetry::{MemoryKind, Metrics, Queue};

/// Longest wait for a record before timers are looked at.
const POLL: Duration = Duration::from_millis(20);
/// The same while answers are waited for.
const POLL_BUSY: Duration = Duration::from_millis(5);
/// Most records that are taken before timers and answers are looked at.
const RECORDS_A_TURN: usize = 1_000;
/// How often the registry topic is looked at.
const REGISTRY_EVERY: Duration = Duration::from_millis(200);
/// How long a shutdown may take before what is under way is left to the next start.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the loop ended without being asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A batch could not be built.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The group gave our place to another member of the same `group.instance.id`, or the like.
    #[error("kafka ended this membership: {0}")]
    Kafka(#[source] rdkafka::error::KafkaError),
    /// No thread could be started.
    #[error("the commit thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// Batches were still under way when the time to drain was over.
    #[error("{0} partitions were not settled within {seconds} s; what is under way is completed at the next start", seconds = DRAIN.as_secs())]
    NotDrained(usize),
}

/// What the loop is made of.
#[derive(Debug)]
pub struct Setup {
    /// The steps.
    pub steps: Steps,
    /// When a batch is sealed by size.
    pub seal_at: SealAt,
    /// How long it may wait for more rows.
    pub pace: Pace,
    /// What may be in memory.
    pub budget: Budget,
    /// When reading stops because too much is refused.
    pub circuit: Circuit,
    /// Where rows go.
    pub store: clickhouse::Client,
    /// What is counted.
    pub metrics: Metrics,
    /// What ingest waits for.
    pub health: Arc<Health>,
    /// Checks what was stored.
    pub reconciler: Reconciler,
    /// Follows the registry.
    pub registry: RegistryFeed,
    /// Of a static member: that every partition has an owner.
    pub group_watch: Option<GroupWatch>,
    /// Runs the inserts.
    pub runtime: tokio::runtime::Handle,
}

/// The loop's state.
pub struct Runner {
    pub(super) consumer: Arc<EventConsumer>,
    pub(super) setup: Setup,
    pub(super) partitions: Partitions,
    pub(super) committer: Committer,
    pub(super) deliveries: Deliveries,
    pub(super) membership: Membership,
    pub(super) draining: bool,
    /// Whether partitions were lost to others while something of them was under way, since draining began.
    pub(super) left_behind: bool,
    registry_looked_at: Instant,
    /// Asks about what the memory of enrichment missed.
    warm_up: WarmUp,
    all_paused: bool,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runner").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl Runner {
    /// Starts the commit thread; nothing is polled yet.
    ///
    /// # Errors
    /// [`RunError::Thread`].
    pub fn new(consumer: Arc<EventConsumer>, setup: Setup) -> Result<Self, RunError> {
        let committer = Committer::start(Arc::clone(&consumer)).map_err(RunError::Thread)?;
        let deliveries = Deliveries::new(
            setup.store.clone(),
            setup.runtime.clone(),
            setup.metrics.clone(),
            Arc::clone(&setup.health),
        );
        let warm_up = WarmUp::new(setup.store.clone(), setup.runtime.clone(), setup.metrics.clone());
        Ok(Self {
            consumer,
            setup,
            partitions: Partitions::default(),
            committer,
            deliveries,
            membership: Membership::default(),
            draining: false,
            left_behind: false,
            registry_looked_at: Instant::now(),
            warm_up,
            all_paused: false,
        })
    }

    /// Runs until `stop` is set, then drains and leaves the group. Whether everything that was read is stored and saved; what
    /// is not is completed by the next owner.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(mut self, stop: &AtomicBool) -> Result<bool, RunError> {
        while !stop.load(Ordering::Relaxed) {
            self.turn()?;
            self.follow_registry();
        }
        self.draining = true;
        let drained = self.drain();
        self.consumer.context().close();
        self.committer.stop();
        drained.map(|()| !self.left_behind)
    }

    /// One turn: records, the group's decisions, answers, and what follows from them.
    fn turn(&mut self) -> Result<(), RunError> {
        self.poll()?;
        self.follow_group()?;
        self.take_answers()?;
        self.advance()?;
        self.release_settled();
        self.keep_within_budget();
        self.warm_up.turn(&mut self.setup.steps.memory);
        Ok(())
    }

    /// Takes records for as long as they come without waiting, up to one turn.
    fn poll(&mut self) -> Result<(), RunError> {
        let consumer = Arc::clone(&self.consumer);
        let busy = self.partitions.iter().any(|partition| !partition.machine.takes_range());
        let mut wait = if busy { POLL_BUSY } else { POLL };
        for _ in 0..RECORDS_A_TURN {
            let Some(polled) = consumer.poll(wait) else { return Ok(()) };
            wait = Duration::ZERO;
            match polled {
                Ok(message) => {
                    consumer.context().note_reachable();
                    if self.take(&message)? {
                        return Ok(());
                    }
                }
                Err(error @ rdkafka::error::KafkaError::MessageConsumptionFatal(_)) => {
                    return Err(RunError::Kafka(error));
                }
                Err(error) => {
                    tracing::debug!(%error, "poll");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Puts one record through the steps; `true` when the turn should end: its batch is full, or reading has to stop.
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<bool, RunError> {
        if self.draining || self.setup.circuit.is_open() {
            return Ok(true);
        }
        let offset = message.offset();
        let Some(partition) = self.partitions.get(message.topic(), message.partition()) else { return Ok(false) };
        if partition.releasing {
            return Ok(false);
        }
        if offset < partition.read_to {
            let (topic, number) = (Arc::clone(&partition.place.topic), partition.place.partition);
            partition.releasing = true;
            tracing::warn!(
                topic = &*topic,
                partition = number,
                offset,
                "kafka delivers earlier offsets again: the log was truncated or the topic created anew; finding out where to begin"
            );
            self.membership.restart(topic, number);
            return Ok(true);
        }
        if let Some(over) = Range::new(partition.read_to, offset) {
            partition.batch.jumped(over);
        }
        if !partition.takes(offset) {
            // The plan's range was read to its end; this record begins the next one.
            partition.read_to = offset;
            let epoch = partition.epoch;
            self.seal(epoch)?;
        }
        let Some(partition) = self.partitions.get(message.topic(), message.partition()) else { return Ok(false) };
        let mut header_list = Vec::new();
        headers(message, &mut header_list);
        let payload = Payload { headers: &header_list, value: message.payload(), time: record_time(message) };
        partition.place.offset = offset;
        partition.read_to = offset + 1;
        let Partition { place, batch, .. } = partition;
        let record = Record { topic: &place.topic, partition: place.partition, offset, payload };
        let (refused, charged) = (batch.refused(), batch.charged());
        self.setup.steps.ingest(&record, place, batch)?;
        self.setup.budget.charge(batch.charged() - charged);
        let was_refused = batch.refused() > refused;
        let ends_turn = batch.is_full(self.setup.seal_at) || self.setup.budget.is_exhausted();
        if self.setup.circuit.record(was_refused) {
            self.open_circuit();
            return Ok(true);
        }
        Ok(ends_turn)
    }

    /// Too much is refused: reading stops, what is not planned yet is given up and read again after a restart.
    fn open_circuit(&mut self) {
        let sentence = format!(
            "too many of the last {WINDOW} records were refused, so reading has stopped before the topic drains into the dead letters: see `gatetrail check dead-letters`, mend the sender, or raise ingest.dead_letter_percent, and start again"
        );
        tracing::error!("{sentence}");
        self.setup.health.fail(Part::Ingest, sentence);
        for partition in self.partitions.iter_mut() {
            self.setup.budget.refund(partition.batch.charged());
            partition.batch = Batch::default();
        }
    }

    /// Pauses everything when memory or the circuit says so, resumes it afterwards; holds single partitions whose batch is full.
    fn keep_within_budget(&mut self) {
        let stop_all = self.setup.budget.is_exhausted() || self.setup.circuit.is_open() || self.draining;
        if stop_all != self.all_paused {
            self.all_paused = stop_all;
            tracing::debug!(paused = stop_all, bytes = self.setup.budget.used(), "reading");
        }
        let mut pause = TopicPartitionList::new();
        let mut resume = TopicPartitionList::new();
        let seal_at = self.setup.seal_at;
        for partition in self.partitions.iter_mut() {
            let held = partition.batch.is_full(seal_at) && partition.machine.to_reread().is_none();
            let wanted = stop_all || held || partition.releasing;
            if wanted == partition.paused {
                continue;
            }
            partition.paused = wanted;
            let list = if wanted { &mut pause } else { &mut resume };
            list.add_partition(&partition.place.topic, partition.place.partition);
        }
        for (list, paused) in [(pause, true), (resume, false)] {
            if list.count() == 0 {
                continue;
            }
            let done = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
            if let Err(error) = done {
                tracing::debug!(%error, paused, "pause or resume");
            }
        }
        self.report_queues();
    }

    fn report_queues(&self) {
        self.setup.metrics.set_memory(self.setup.budget.used());
        let under_way = self.partitions.iter().filter(|partition| partition.delivery.is_some()).count();
        self.setup.metrics.queue_depth(Queue::Batches).set(i64::try_from(under_way).unwrap_or(i64::MAX));
        self.setup.metrics.set_flush_interval(self.setup.pace.interval(self.active()));
    }

    /// Partitions that take their turn at inserting.
    pub(super) fn active(&self) -> usize {
        self.partitions.iter().filter(|partition| partition.is_active()).count()
    }

    /// Seals, inserts and commits everything that is under way, for at most [`DRAIN`].
    fn drain(&mut self) -> Result<(), RunError> {
        let deadline = Instant::now() + DRAIN;
        loop {
            self.turn()?;
            let unsettled = self.partitions.iter().filter(|partition| !partition.is_at_rest()).count();
            if unsettled == 0 {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(RunError::NotDrained(unsettled));
            }
        }
    }

    fn follow_registry(&mut self) {
        if self.registry_looked_at.elapsed() < REGISTRY_EVERY {
            return;
        }
        self.registry_looked_at = Instant::now();
        self.setup.registry.follow(&mut self.setup.steps.enricher.registry);
        let size = self.setup.steps.memory.size();
        for (kind, entries) in [
            (MemoryKind::Flow, size.flows),
            (MemoryKind::Connection, size.connections),
            (MemoryKind::Trace, size.traces),
            (MemoryKind::Client, size.clients),
        ] {
            self.setup.metrics.set_enrich_memory(kind, entries);
        }
        self.setup.metrics.set_enrich_memory_bytes(size.bytes);
    }
}
