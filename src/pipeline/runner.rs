//! The loop: polls Kafka, puts records through the steps, seals batches, hands them to the writer, commits what was confirmed.
//!
//! One thread owns the consumer and all partitions; inserts run on the asynchronous runtime and report back. Nothing is
//! committed that ClickHouse did not confirm. On shutdown everything under way is sealed, inserted and committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use thiserror::Error;
use uuid::Uuid;

use super::Steps;
use super::batch::{Offsets, SealAt, Sealed};
use super::partitions::Partitions;
use crate::decode::Payload;
use crate::event::KafkaPosition;
use crate::source::Record;
use crate::source::kafka::{EventConsumer, headers, record_time};
use crate::source::registry::RegistryFollower;
use crate::store::{Remedy, StoreError, writer};
use crate::telemetry::{BatchCounts, Metrics, Queue, Stage, with_causes};

/// Longest wait for a record before timers are looked at.
const POLL: Duration = Duration::from_millis(20);
/// How often the registry topic is looked at.
const REGISTRY_EVERY: Duration = Duration::from_millis(200);
/// How long a shutdown may take before what is under way is left to the next start.
const DRAIN: Duration = Duration::from_secs(10);
/// Most inserts that can report back at once; more partitions than this wait their turn.
const REPORTS: usize = 4_096;

/// Why the loop ended without being asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A batch could not be built.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Batches were still under way when the time to drain was over.
    #[error("{0} batches were not confirmed within {seconds} s; they are read again at the next start", seconds = DRAIN.as_secs())]
    NotDrained(usize),
}

/// Whether the store takes inserts, shared with the readiness check.
#[derive(Debug, Default)]
pub struct StoreHealth {
    failing: AtomicBool,
}

impl StoreHealth {
    /// Whether the last attempt failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }
}

/// Everything the loop works with.
#[derive(Debug)]
pub struct Runner {
    /// The steps.
    pub steps: Steps,
    /// Name of the event topic.
    pub topic: Arc<str>,
    /// The topic's id, when the broker told it.
    pub topic_id: Option<Arc<str>>,
    /// When a batch is sealed.
    pub seal_at: SealAt,
    /// Where rows go.
    pub store: clickhouse::Client,
    /// What is counted.
    pub metrics: Metrics,
    /// Told whenever an insert fails or succeeds.
    pub health: Arc<StoreHealth>,
    /// Follows the registry, when it could be read.
    pub registry: Option<RegistryFollower>,
    /// Runs the inserts.
    pub runtime: tokio::runtime::Handle,
}

/// What an insert reports back.
struct Report {
    partition: i32,
    epoch: u64,
    offsets: Offsets,
    counts: BatchCounts,
    since: Instant,
    confirmed: Result<(), StoreError>,
}

impl Runner {
    /// Runs until `stop` is set, then drains.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(mut self, consumer: &EventConsumer, stop: &AtomicBool) -> Result<(), RunError> {
        // Without the topic's id a range of offsets may name other records some day, so the run stands in its place.
        let topic_epoch = self.topic_id.as_deref().map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned);
        let (reports, reported) = sync_channel(REPORTS);
        let mut partitions = Partitions::default();
        let mut registry_looked_at = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            self.poll(consumer, &mut partitions)?;
            self.forget_revoked(consumer, &mut partitions);
            self.settle(consumer, &mut partitions, &reported, CommitMode::Async)?;
            self.seal_due(consumer, &mut partitions, &reports, &topic_epoch, false)?;
            if registry_looked_at.elapsed() >= REGISTRY_EVERY {
                registry_looked_at = Instant::now();
                self.follow_registry();
            }
        }
        self.drain(consumer, &mut partitions, (&reports, &reported), &topic_epoch)
    }

    /// Takes records for as long as they come without waiting, up to one batch, so that timers are looked at in between.
    fn poll(&mut self, consumer: &EventConsumer, partitions: &mut Partitions) -> Result<(), StoreError> {
        let mut wait = POLL;
        for _ in 0..1_000 {
            let Some(polled) = consumer.poll(wait) else { return Ok(()) };
            wait = Duration::ZERO;
            match polled {
                Ok(message) => {
                    consumer.context().note_reachable();
                    if self.take(&message, partitions)? {
                        return Ok(());
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "poll");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Puts one record through the steps; `true` when its batch is full.
    fn take(
        &mut self,
        message: &rdkafka::message::BorrowedMessage<'_>,
        partitions: &mut Partitions,
    ) -> Result<bool, StoreError> {
        let mut header_list = Vec::new();
        headers(message, &mut header_list);
        let payload = Payload { headers: &header_list, value: message.payload(), time: record_time(message) };
        let record = Record { topic: &self.topic, partition: message.partition(), offset: message.offset(), payload };
        let position = KafkaPosition {
            topic: Arc::clone(&self.topic),
            topic_id: self.topic_id.clone(),
            partition: record.partition,
            offset: record.offset,
            index: 0,
        };
        let partition = partitions.get(record.partition);
        self.steps.ingest(&record, &position, &mut partition.batch)?;
        Ok(partition.batch.is_full(self.seal_at))
    }

    fn forget_revoked(&self, consumer: &EventConsumer, partitions: &mut Partitions) {
        for number in consumer.context().take_revoked() {
            partitions.revoke(number);
            self.metrics.forget_partition(number);
        }
    }

    /// Seals what is due; a partition that is full while its last batch is in flight is held.
    fn seal_due(
        &self,
        consumer: &EventConsumer,
        partitions: &mut Partitions,
        reports: &SyncSender<Report>,
        topic_epoch: &str,
        all: bool,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        for (number, partition) in partitions.iter_mut() {
            if partition.in_flight.is_some() {
                if partition.batch.is_full(self.seal_at) && !partition.held {
                    partition.held = set_paused(consumer, &self.topic, number, true);
                }
                continue;
            }
            if !(all || partition.batch.is_due(self.seal_at, now)) {
                continue;
            }
            let encoding = Instant::now();
            let Some(sealed) = partition.batch.seal(&self.topic, number, topic_epoch)? else { continue };
            self.metrics.observe_stage(Stage::Fill, encoding.duration_since(sealed.since));
            self.metrics.observe_stage(Stage::Encode, encoding.elapsed());
            partition.in_flight = Some(sealed.offsets);
            self.send(number, partition.epoch, sealed, reports.clone());
            if partition.held {
                partition.held = !set_paused(consumer, &self.topic, number, false);
            }
        }
        self.metrics.queue_depth(Queue::Batches).set(i64::try_from(partitions.in_flight()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Starts the inserts of a sealed batch on the runtime.
    fn send(&self, partition: i32, epoch: u64, sealed: Sealed, reports: SyncSender<Report>) {
        self.metrics.observe_batch_rows(u32::try_from(sealed.rows).unwrap_or(u32::MAX));
        let (store, metrics, health) = (self.store.clone(), self.metrics.clone(), Arc::clone(&self.health));
        self.runtime.spawn(async move {
            let Sealed { offsets, inserts, counts, since, .. } = sealed;
            let sending = Instant::now();
            let mut confirmed = Ok(());
            for insert in &inserts {
                let mut on_retry =
                    |error: &StoreError, attempt: u32| note_retry(error, attempt, insert.table, &metrics, &health);
                confirmed = writer::insert(&store, insert, &mut on_retry).await;
                if confirmed.is_err() {
                    break;
                }
            }
            if confirmed.is_ok() && health.failing.swap(false, Ordering::Relaxed) {
                tracing::info!("clickhouse takes inserts again");
            }
            metrics.observe_stage(Stage::Insert, sending.elapsed());
            // The receiver is gone only when the loop has ended, and then nobody waits for this.
            drop(reports.send(Report { partition, epoch, offsets, counts, since, confirmed }));
        });
    }

    /// Commits what was confirmed since the last look.
    fn settle(
        &self,
        consumer: &EventConsumer,
        partitions: &mut Partitions,
        reported: &Receiver<Report>,
        mode: CommitMode,
    ) -> Result<(), StoreError> {
        while let Ok(report) = reported.try_recv() {
            report.confirmed?;
            self.metrics.apply(&report.counts);
            // A revoked partition's batch is stored, and its new owner may store it again: readers take each event once.
            let Some(partition) = partitions.of_epoch(report.partition, report.epoch) else { continue };
            partition.in_flight = None;
            let committing = Instant::now();
            commit(consumer, &self.topic, report.partition, report.offsets.next, mode);
            self.metrics.observe_stage(Stage::Commit, committing.elapsed());
            self.metrics.observe_stage(Stage::Total, report.since.elapsed());
        }
        Ok(())
    }

    /// Seals, inserts and commits everything that is under way, for at most [`DRAIN`].
    fn drain(
        &mut self,
        consumer: &EventConsumer,
        partitions: &mut Partitions,
        (reports, reported): (&SyncSender<Report>, &Receiver<Report>),
        topic_epoch: &str,
    ) -> Result<(), RunError> {
        let deadline = Instant::now() + DRAIN;
        while !partitions.is_idle() {
            self.seal_due(consumer, partitions, reports, topic_epoch, true)?;
            self.settle(consumer, partitions, reported, CommitMode::Sync)?;
            if Instant::now() >= deadline {
                return Err(RunError::NotDrained(partitions.in_flight()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn follow_registry(&mut self) {
        if let Some(follower) = &mut self.registry {
            follower.follow(&mut self.steps.enricher.registry);
        }
    }
}

/// Says the first failure of an insert in a line; the ones after it only when they are of the kind that needs a person.
fn note_retry(error: &StoreError, attempt: u32, table: &str, metrics: &Metrics, health: &StoreHealth) {
    metrics.insert_retried(error.code());
    let first = !health.failing.swap(true, Ordering::Relaxed);
    if error.remedy() == Remedy::Halt && (first || attempt == 1) {
        tracing::error!(
            table,
            cause = with_causes(error),
            "clickhouse refuses inserts; ingest waits until this is mended and then goes on by itself"
        );
    } else if first {
        tracing::warn!(
            table,
            cause = with_causes(error),
            "an insert failed; it is tried again until clickhouse takes it"
        );
    }
}

fn commit(consumer: &EventConsumer, topic: &str, partition: i32, next: i64, mode: CommitMode) {
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(topic, partition, Offset::Offset(next));
    if let Err(error) = added.and_then(|()| consumer.commit(&offsets, mode)) {
        tracing::warn!(%error, partition, next, "the offset was not committed; the next batch carries it");
    }
}

/// Pauses or resumes a partition; whether it worked.
fn set_paused(consumer: &EventConsumer, topic: &str, partition: i32, paused: bool) -> bool {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let done = if paused { consumer.pause(&list) } else { consumer.resume(&list) };
    if let Err(error) = &done {
        tracing::debug!(%error, partition, paused, "pause or resume");
    }
    done.is_ok()
}
