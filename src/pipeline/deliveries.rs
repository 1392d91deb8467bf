//! Deliveries under way: each is a task on the asynchronous runtime that brings one sealed batch into ClickHouse and reports
//! back over a bounded channel.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use tokio::task::AbortHandle;

use super::batch::Sealed;
use super::crash_point::{CrashPoint, reach};
use super::health::{Health, Part};
use super::plan::{Mode, Range};
use crate::event::KafkaPosition;
use crate::store::delivery::{Delivered, DeliveryEvent, deliver};
use crate::store::{Remedy, Span, StoreError};
use crate::telemetry::{Metrics, Stage};

/// Most reports that can wait; there is one a partition at most.
const REPORTS: usize = 16_384;

/// What became of a delivery.
#[derive(Debug)]
pub struct Report {
    /// The assignment that asked.
    pub epoch: u64,
    /// What was delivered, with its bodies, for when it has to be taken apart.
    pub sealed: Sealed,
    /// Whether ClickHouse asked for fewer, larger inserts meanwhile.
    pub slowed: bool,
    /// ClickHouse holds every row; or no later attempt can help.
    pub outcome: Result<Delivered, StoreError>,
}

/// Starts deliveries and collects their reports.
#[derive(Debug)]
pub struct Deliveries {
    store: clickhouse::Client,
    runtime: tokio::runtime::Handle,
    metrics: Metrics,
    health: Arc<Health>,
    reports: SyncSender<Report>,
    reported: Receiver<Report>,
}

impl Deliveries {
    /// Nothing is under way yet.
    #[must_use]
    pub fn new(
        store: clickhouse::Client,
        runtime: tokio::runtime::Handle,
        metrics: Metrics,
        health: Arc<Health>,
    ) -> Self {
        let (reports, reported) = sync_channel(REPORTS);
        Self { store, runtime, metrics, health, reports, reported }
    }

    /// Starts one.
    #[must_use]
    pub fn start(&self, epoch: u64, place: &KafkaPosition, sealed: Sealed, mode: Mode) -> AbortHandle {
        let (store, metrics, health) = (self.store.clone(), self.metrics.clone(), Arc::clone(&self.health));
        let (reports, span) = (self.reports.clone(), span(place, sealed.range));
        self.metrics.observe_batch_rows(u32::try_from(sealed.rows).unwrap_or(u32::MAX));
        let task = self.runtime.spawn(async move {
            let sending = Instant::now();
            let token = sealed.inserts.first().map(|insert| insert.token.clone()).unwrap_or_default();
            tracing::debug!(token, rows = sealed.rows, ?mode, "delivering");
            let replayed = mode != Mode::First;
            let mut slowed = false;
            let mut heard = |event: &DeliveryEvent| {
                slowed |= matches!(event, DeliveryEvent::Failed { remedy: Remedy::SlowDown, .. });
                note(event, &metrics, &health);
            };
            let outcome = deliver(&store, &span, &sealed.inserts, replayed, &mut heard).await;
            tracing::debug!(token, ?outcome, "delivered");
            if outcome.is_ok() && health.recover(Part::ClickHouse) {
                tracing::info!("clickhouse takes inserts again");
            }
            if mode == Mode::Replay {
                reach(CrashPoint::ReplayInserted);
            }
            metrics.observe_stage(Stage::Insert, sending.elapsed());
            // The receiver is gone only when the loop has ended, and then nobody waits for this.
            drop(reports.try_send(Report { epoch, sealed, slowed, outcome }));
        });
        task.abort_handle()
    }

    /// The next report, if there is one.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.reported.try_recv().ok()
    }
}

fn span(place: &KafkaPosition, range: Range) -> Span {
    Span {
        topic: Arc::clone(&place.topic),
        topic_id: place.topic_id.clone(),
        partition: place.partition,
        first: range.first,
        next: range.next,
    }
}

/// Says the first failure of a trouble in a line; the ones after it are counted.
fn note(event: &DeliveryEvent, metrics: &Metrics, health: &Health) {
    match event {
        DeliveryEvent::Begun { repair: false } => reach(CrashPoint::InsertBegun),
        DeliveryEvent::Begun { repair: true } => reach(CrashPoint::RepairBegun),
        DeliveryEvent::Sent => reach(CrashPoint::InsertSent),
        DeliveryEvent::Confirmed { table } => reach(match *table {
            "dead_letters" => CrashPoint::DeadLettersConfirmed,
            _ => CrashPoint::InsertConfirmed,
        }),
        DeliveryEvent::Failed { remedy, code, cause, .. } => {
            metrics.insert_retried(code);
            if !health.fail(Part::ClickHouse, format!("takes no inserts: {cause}")) {
                return;
            }
            if *remedy == Remedy::Halt {
                tracing::error!(
                    cause,
                    "clickhouse refuses inserts; ingest waits until this is mended and then goes on by itself"
                );
            } else {
                tracing::warn!(cause, "an insert failed; it is tried again until clickhouse takes it");
            }
        }
        DeliveryEvent::Recovered { .. } => {
            if health.recover(Part::ClickHouse) {
                tracing::info!("clickhouse takes inserts again");
            }
        }
        DeliveryEvent::Repaired { table, rows } => {
            reach(CrashPoint::RepairInserted);
            tracing::info!(table, rows, "rows that an unclear insert had not stored were inserted");
        }
    }
}
