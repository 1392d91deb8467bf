//! How a partition moves on: batches are sealed, planned, delivered and saved, as its machine says.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::types::RDKafkaErrorCode;

use super::batch::Sealed;
use super::commits::{Answer, Request};
use super::crash_point::{CrashPoint, reach};
use super::dead_letter::refused_row;
use super::deliveries::Report;
use super::health::Part;
use super::partitions::Partition;
use super::plan::{Command, Commit, Gap, Range};
use super::reconcile::{Delivered, Place};
use super::runner::{RunError, Runner};
use crate::event::{KafkaPosition, Run};
use crate::query::TimeRange;
use crate::store::{GapReason, Remedy, StoreError};
use crate::telemetry::{Stage, with_causes};

/// How long progress may be unknown to Kafka when no plan carries it.
const SAVE_AFTER: Duration = Duration::from_secs(1);
/// How long to wait before a refused commit is sent again.
const COMMIT_AGAIN: Duration = Duration::from_millis(250);
/// Longest wait for the ends of a log when offsets were jumped over.
const WATERMARKS: Duration = Duration::from_secs(2);

impl Runner {
    /// Takes what Kafka and ClickHouse answered.
    pub(super) fn take_answers(&mut self) -> Result<(), RunError> {
        while let Some(answer) = self.committer.answer() {
            self.take_commit(answer);
        }
        while let Some(report) = self.deliveries.report() {
            self.take_delivery(report)?;
        }
        Ok(())
    }

    fn take_commit(&mut self, Answer { request, outcome }: Answer) {
        self.membership.commit_answered(request.epoch);
        let is_current = self.partitions.of_epoch(request.epoch).is_some();
        match outcome {
            Ok(()) => {
                if self.setup.health.recover(Part::Kafka) {
                    tracing::info!("kafka takes commits again");
                }
            }
            Err(error) => {
                let sentence = format!("refuses commits: {error}");
                if is_current && self.setup.health.fail(Part::Kafka, sentence) {
                    tracing::warn!(%error, "kafka refuses a commit; nothing new is inserted until it takes it");
                }
                if let Some(partition) = self.partitions.of_epoch(request.epoch) {
                    let unknown = Some(RDKafkaErrorCode::UnknownTopicOrPartition);
                    partition.vanished = error.rdkafka_error_code() == unknown;
                    partition.refused_commit = Some((request.commit, Instant::now() + COMMIT_AGAIN));
                }
                return;
            }
        }
        let Some(partition) = self.partitions.of_epoch(request.epoch) else { return };
        partition.vanished = false;
        reach(if request.commit.plan.is_some() { CrashPoint::PlanCommitted } else { CrashPoint::ProgressCommitted });
        match partition.machine.committed(request.commit) {
            Ok(Some(command)) => self.follow(request.epoch, command),
            Ok(None) => partition.unsaved_since = None,
            Err(error) => tracing::debug!(%error, "an answer that nobody waits for"),
        }
    }

    fn take_delivery(&mut self, Report { epoch, sealed, slowed, outcome }: Report) -> Result<(), RunError> {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return Ok(()) };
        partition.delivery = None;
        match outcome {
            Ok(_) => {
                self.setup.budget.refund(sealed.charged);
                if let Err(error) = partition.machine.delivered(sealed.range) {
                    tracing::debug!(%error, "a report that nobody waits for");
                    return Ok(());
                }
                partition.unsaved_since = Some(Instant::now());
                self.setup.reconciler.finished(delivered(&partition.place, &sealed));
                self.setup.metrics.apply(&sealed.counts);
                self.setup.metrics.observe_stage(Stage::Total, sealed.since.elapsed());
                if slowed {
                    self.setup.pace.slow_down();
                } else {
                    self.setup.pace.ease();
                }
                Ok(())
            }
            Err(error) if error.remedy() == Remedy::Bisect => self.take_apart(epoch, sealed, &error),
            Err(error) => Err(error.into()),
        }
    }

    /// ClickHouse refuses one of the rows: the batch is delivered in halves, each planned anew, until the row is alone.
    fn take_apart(&mut self, epoch: u64, sealed: Sealed, error: &StoreError) -> Result<(), RunError> {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return Ok(()) };
        if let Err(error) = partition.machine.refused(sealed.range) {
            tracing::debug!(%error, "a report that nobody waits for");
            return Ok(());
        }
        let parts = if sealed.range.next - sealed.range.first > 1 {
            sealed.halves()?
        } else {
            tracing::error!(
                topic = &*partition.place.topic,
                partition = partition.place.partition,
                offset = sealed.range.first,
                cause = with_causes(error),
                "clickhouse refuses the row of one record; it becomes a dead letter"
            );
            vec![refused_row(sealed, &partition.place, &self.setup.steps.scrubber, error)?]
        };
        for part in parts.into_iter().rev() {
            partition.parts.push_front(part);
        }
        Ok(())
    }

    /// Starts whatever can be started now.
    pub(super) fn advance(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let age = self.setup.pace.interval(self.active());
        let epochs: Vec<u64> = self.partitions.iter().map(|partition| partition.epoch).collect();
        for epoch in epochs {
            let Some(partition) = self.partitions.of_epoch(epoch) else { continue };
            if let Some((commit, at)) = partition.refused_commit {
                if now >= at {
                    partition.refused_commit = None;
                    self.request_commit(epoch, commit);
                }
                continue;
            }
            if partition.machine.takes_range()
                && !partition.releasing
                && let Some(part) = partition.parts.pop_front()
            {
                self.plan(epoch, part);
                continue;
            }
            let in_full = partition.machine.to_reread().is_some();
            let at_once = in_full || self.draining || partition.batch.is_full(self.setup.seal_at);
            let due = at_once || partition.batch.is_aged(age, now) && self.setup.pace.has_turn(now);
            if due && partition.sealable().is_some() && !self.setup.circuit.is_open() {
                if !at_once {
                    self.setup.pace.took_turn(now);
                }
                self.seal(epoch)?;
                continue;
            }
            let Some(partition) = self.partitions.of_epoch(epoch) else { continue };
            let idle = partition.unsaved_since.is_some_and(|since| now.duration_since(since) >= SAVE_AFTER);
            let last = self.draining || partition.releasing || self.setup.circuit.is_open();
            if (idle || last)
                && !partition.records_gaps()
                && let Some(commit) = partition.machine.save()
            {
                self.request_commit(epoch, commit);
            }
        }
        Ok(())
    }

    /// Seals the partition's batch and asks for its plan.
    pub(super) fn seal(&mut self, epoch: u64) -> Result<(), RunError> {
        if !self.explain_jumps(epoch) {
            return Ok(());
        }
        let Some(partition) = self.partitions.of_epoch(epoch) else { return Ok(()) };
        let Some(range) = partition.sealable().and_then(|next| Range::new(partition.machine.position(), next)) else {
            return Ok(());
        };
        let encoding = Instant::now();
        let token = partition.token(range);
        let sealed = partition.batch.seal(range, &token)?;
        self.setup.metrics.observe_stage(Stage::Fill, encoding.duration_since(sealed.since));
        self.setup.metrics.observe_stage(Stage::Encode, encoding.elapsed());
        reach(CrashPoint::BatchSealed);
        self.plan(epoch, sealed);
        Ok(())
    }

    fn plan(&mut self, epoch: u64, sealed: Sealed) {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return };
        let command = partition.machine.sealed(sealed.range.next);
        partition.planned = Some(sealed);
        match command {
            Ok(command) => self.follow(epoch, command),
            Err(error) => {
                tracing::error!(%error, "the plan of a partition is out of step; it begins anew");
                let (topic, number) = (partition.place.topic.clone(), partition.place.partition);
                self.membership.restart(topic, number);
            }
        }
    }

    fn follow(&mut self, epoch: u64, command: Command) {
        match command {
            Command::Commit(commit) => self.request_commit(epoch, commit),
            Command::Deliver(_, mode) => {
                let Some(partition) = self.partitions.of_epoch(epoch) else { return };
                let Some(sealed) = partition.planned.take() else { return };
                if partition.releasing {
                    // Revoked between the plan and its insert: the plan stays for the next owner.
                    self.setup.budget.refund(sealed.charged);
                    return;
                }
                partition.unsaved_since = None;
                let charged = sealed.charged;
                let task = self.deliveries.start(epoch, &partition.place, sealed, mode);
                partition.delivery = Some((task, charged));
            }
        }
    }

    fn request_commit(&mut self, epoch: u64, commit: Commit) {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return };
        let Partition { place, .. } = &*partition;
        let request = Request {
            topic: place.topic.clone(),
            topic_id: place.topic_id.clone(),
            partition: place.partition,
            epoch,
            commit,
        };
        if self.committer.request(request) {
            self.membership.commit_requested(epoch);
        } else {
            partition.refused_commit = Some((commit, Instant::now() + COMMIT_AGAIN));
        }
    }

    /// Finds out whether offsets that were jumped over are holes of the log or were deleted before they were read; the
    /// latter become gaps. `false` when the broker does not tell now: then the batch waits.
    fn explain_jumps(&mut self, epoch: u64) -> bool {
        let Some(partition) = self.partitions.of_epoch(epoch) else { return true };
        if partition.batch.jumps().is_empty() {
            return true;
        }
        let place = &partition.place;
        let Ok((low, _)) = self.consumer.fetch_watermarks(&place.topic, place.partition, WATERMARKS) else {
            return false;
        };
        let gaps: Vec<Gap> = partition
            .batch
            .jumps()
            .iter()
            .filter_map(|jump| Range::new(jump.first, jump.next.min(low)))
            .map(|range| Gap { range, reason: GapReason::Retention })
            .collect();
        partition.batch.explain_jumps();
        self.store_gaps(epoch, &gaps);
        true
    }
}

/// What reconciliation is told of a batch that is stored.
fn delivered(place: &KafkaPosition, sealed: &Sealed) -> Delivered {
    Delivered {
        place: Place::from(place),
        range: Run { first: sealed.range.first, next: sealed.range.next },
        records: sealed.records,
        dropped: sealed.counts.dropped(),
        times: sealed.times.map(|(from, to)| TimeRange { from, to }),
    }
}
