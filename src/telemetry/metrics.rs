//! Every metric of `consume` and `serve`, declared once with its help text.
//!
//! Names are fixed: boards, rules and other people's scripts use them. Counters get their `_total` from the encoder
//! (OpenMetrics 1.0), so it is not written here. `consume` updates once a batch through [`Metrics::apply`]; labels come
//! from closed sets only ([`super::labels`]).

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::batch_counts::{BatchCounts, SlugCounts};
use super::clock::Clock;
use super::labels::{
    CappedNames, CodeLabel, FailureLabels, HttpEventLabel, HttpEventOutcome, KindLabel, OutcomeLabel, PartitionLabel,
    Queue, QueueLabel, ReasonLabel, RecordOutcome, RefreshLabels, RequestLabels, RetryLabel, RouteLabel, SlugLabel,
    Stage, StageLabel, Table, TableLabel, VerdictLabels, VersionLabel,
};
use crate::event::vocabulary::ClosedEnum;

/// `Content-Type` of [`Metrics::encode`]. A family without a series yet is left out of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Distinct slugs with series of their own.
const MOST_SLUGS: usize = 200;
/// Distinct kinds of redaction with a series of their own; the scrubber knows far fewer.
const MOST_REDACTION_KINDS: usize = 64;

/// Which process speaks: a metric that nothing updates is not shown, so that its zero cannot be taken for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Kafka → ClickHouse.
    Consume,
    /// API and pages.
    Serve,
    /// Both in one process.
    All,
}

/// All metrics of the process; clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    role: Role,
    clock: Clock,
    registry: Registry,
    families: Families,
    slugs: Mutex<CappedNames>,
    redaction_kinds: Mutex<CappedNames>,
    /// Milliseconds since 1970 of the newest stored record; until there is one, of the start.
    newest_stored_ms: AtomicI64,
}

/// The metrics themselves. All are cheap handles on shared values.
#[derive(Debug)]
struct Families {
    records: Family<OutcomeLabel, Counter>,
    stored_rows: Family<TableLabel, Counter>,
    dead_letters: Family<CodeLabel, Counter>,
    classified: Family<VerdictLabels, Counter>,
    unclassified: Counter,
    auth_failures: Family<FailureLabels, Counter>,
    refreshes: Family<RefreshLabels, Counter>,
    reconnects: Family<SlugLabel, Counter>,
    redactions: Family<KindLabel, Counter>,
    lag: Family<PartitionLabel, Gauge>,
    freshness: Gauge<f64, AtomicU64>,
    batch_seconds: Family<StageLabel, Histogram, fn() -> Histogram>,
    batch_rows: Histogram,
    insert_retries: Family<RetryLabel, Counter>,
    queue_depth: Family<QueueLabel, Gauge>,
    memory: Gauge,
    flush_interval: Gauge<f64, AtomicU64>,
    gap_offsets: Family<ReasonLabel, Counter>,
    reconcile_lost: Family<PartitionLabel, Gauge>,
    reconcile_duplicates: Family<PartitionLabel, Gauge>,
    reconcile_offsets: Counter,
    reconciled_at: Gauge<f64, AtomicU64>,
    enrichment: enrichment::Enrichment,
    http_requests: Family<RequestLabels, Counter>,
    http_seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    http_events: Family<HttpEventLabel, Counter>,
}

/// 1 ms to 32 s.
fn batch_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// 1 ms to 16 s.
fn http_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

impl Default for Families {
    fn default() -> Self {
        Self {
            records: Family::default(),
            stored_rows: Family::default(),
            dead_letters: Family::default(),
            classified: Family::default(),
            unclassified: Counter::default(),
            auth_failures: Family::default(),
            refreshes: Family::default(),
            reconnects: Family::default(),
            redactions: Family::default(),
            lag: Family::default(),
            freshness: Gauge::default(),
            batch_seconds: Family::new_with_constructor(batch_seconds),
            batch_rows: Histogram::new([1.0, 10.0, 100.0, 1_000.0, 5_000.0, 10_000.0, 25_000.0, 50_000.0, 100_000.0]),
            insert_retries: Family::default(),
            queue_depth: Family::default(),
            memory: Gauge::default(),
            flush_interval: Gauge::default(),
            gap_offsets: Family::default(),
            reconcile_lost: Family::default(),
            reconcile_duplicates: Family::default(),
            reconcile_offsets: Counter::default(),
            reconciled_at: Gauge::default(),
            enrichment: enrichment::Enrichment::default(),
            http_requests: Family::default(),
            http_seconds: Family::new_with_constructor(http_seconds),
            http_events: Family::default(),
        }
    }
}

impl Families {
    fn register_consume(&self, registry: &mut Registry) {
        let mut add = adder(registry);
        add("consume_records", "Kafka records by what became of them", &self.records);
        add("stored_rows", "Rows that ClickHouse confirmed, by table", &self.stored_rows);
        add("dead_letters", "Refused records that were stored as dead letters, by stable code", &self.dead_letters);
        add(
            "classified",
            "Events with a failure that is classified, by class and the hop that refused",
            &self.classified,
        );
        add(
            "unclassified",
            "Events with a failure that is unclassified: no rule explains it, and it resembles nothing known",
            &self.unclassified,
        );
        add(
            "auth_failures",
            "Events in which authentication failed for a person; without probes, tool errors and opening challenges",
            &self.auth_failures,
        );
        add("token_refreshes", "Token refreshes by outcome and what made the gateway refresh", &self.refreshes);
        add(
            "auth_reconnects",
            "People who had to sign in again although their connection should have held; counted without history",
            &self.reconnects,
        );
        add("redactions", "Secrets that were taken out before storing, by kind", &self.redactions);
        add("ingest_lag_records", "Records in Kafka that are not committed yet, by partition", &self.lag);
        add(
            "ingest_freshness_seconds",
            "Age of the newest stored record's Kafka timestamp; before the first, time since the start",
            &self.freshness,
        );
        add("batch_seconds", "Time a batch spent in each stage", &self.batch_seconds);
        add("batch_rows", "Rows of a batch", &self.batch_rows);
        add("ingest_memory_bytes", "Record bytes between poll and progress, of ingest.memory_bytes", &self.memory);
        add(
            "ingest_flush_interval_seconds",
            "How long a batch waits for more rows: the setting, or longer with many partitions or a busy database",
            &self.flush_interval,
        );
        add(
            "ingest_gap_offsets",
            "Offsets that were gone from Kafka before they were read, by reason",
            &self.gap_offsets,
        );
        add("insert_retries", "Inserts that were tried again, by class of the error", &self.insert_retries);
        add("reconcile_lost_rows", "Offsets that Kafka delivered and no table has; must be 0", &self.reconcile_lost);
        add(
            "reconcile_duplicate_rows",
            "Rows that are stored once too often, counted raw; must be 0",
            &self.reconcile_duplicates,
        );
        add("reconcile_checked_offsets", "Offsets that were compared with what is stored", &self.reconcile_offsets);
        add(
            "reconcile_last_check_timestamp_seconds",
            "When the comparison was completed last, in seconds since 1970; before the first, the start",
            &self.reconciled_at,
        );
    }

    fn register_serve(&self, registry: &mut Registry) {
        let mut add = adder(registry);
        add("http_requests", "HTTP requests by route template and status", &self.http_requests);
        add("http_request_seconds", "Time to answer an HTTP request, by route template", &self.http_seconds);
        add("ingest_http_events", "Events sent over HTTP by what became of them", &self.http_events);
    }
}

/// Registers handles under the prefix of the product.
fn adder<'r>(registry: &'r mut Registry) -> impl FnMut(&str, &str, &dyn CloneMetric) + 'r {
    |name, help, metric| metric.register(registry, &format!("gatetrail_{name}"), help)
}

/// A handle that can be put into a registry while its owner keeps it.
trait CloneMetric {
    fn register(&self, registry: &mut Registry, name: &str, help: &str);
}

impl<M: Metric + Clone> CloneMetric for M {
    fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        registry.register(name, help, self.clone());
    }
}

impl Metrics {
    /// The metrics of a process with this role, all at zero; freshness counts from now.
    #[must_use]
    pub fn new(role: Role, clock: Clock) -> Self {
        let mut registry = Registry::default();
        let families = Families::default();
        let version = VersionLabel { version: env!("CARGO_PKG_VERSION") };
        registry.register("gatetrail_build", "The version that runs", Info::new(version));
        registry.register("gatetrail_queue_depth", "Entries in a bounded queue", families.queue_depth.clone());
        if role != Role::Serve {
            families.register_consume(&mut registry);
            families.enrichment.register(&mut registry);
            families.start_consume_at_zero();
            families.enrichment.start_at_zero();
            families.reconciled_at.set(seconds_since_1970(clock.now()));
        }
        if role != Role::Consume {
            families.register_serve(&mut registry);
            families.start_serve_at_zero();
        }
        let inner = Inner {
            role,
            clock,
            registry,
            families,
            slugs: Mutex::new(CappedNames::new(MOST_SLUGS)),
            redaction_kinds: Mutex::new(CappedNames::new(MOST_REDACTION_KINDS)),
            newest_stored_ms: AtomicI64::new(clock.now().timestamp_millis()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The present values as OpenMetrics text; serve it with [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// Never in practice: writing to a string fails only when a metric refuses to be written.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        if self.inner.role != Role::Serve {
            self.inner.families.freshness.set(self.freshness().as_secs_f64());
        }
        let mut answer = String::with_capacity(16 * 1024);
        text::encode(&mut answer, &self.inner.registry)?;
        Ok(answer)
    }

    /// Adds a batch that ClickHouse has confirmed.
    pub fn apply(&self, counts: &BatchCounts) {
        let families = &self.inner.families;
        for (outcome, count) in [
            (RecordOutcome::Accepted, counts.accepted),
            (RecordOutcome::Refused, counts.refused),
            (RecordOutcome::Dropped, counts.dropped),
        ] {
            families.records.get_or_create(&OutcomeLabel { outcome }).inc_by(count);
        }
        for (table, rows) in [(Table::Events, counts.event_rows), (Table::DeadLetters, counts.dead_letter_rows)] {
            families.stored_rows.get_or_create(&TableLabel { table }).inc_by(rows);
        }
        for (code, count) in &counts.dead_letters {
            families.dead_letters.get_or_create(&CodeLabel { code }).inc_by(*count);
        }
        for ((class, hop), count) in &counts.classified {
            let labels = VerdictLabels { class: class.as_str(), hop: hop.as_str() };
            families.classified.get_or_create(&labels).inc_by(*count);
        }
        families.unclassified.inc_by(counts.unclassified);
        for (kind, count) in &counts.redactions {
            let kind = lock(&self.inner.redaction_kinds).label(kind, true);
            families.redactions.get_or_create(&KindLabel { kind }).inc_by(*count);
        }
        for (name, place) in &counts.slug_places {
            let of_slug = &counts.slugs[*place];
            let slug = lock(&self.inner.slugs).label(name, of_slug.exists);
            families.add_slug(&slug, of_slug);
        }
        if let Some(newest) = counts.newest_record {
            self.inner.newest_stored_ms.fetch_max(newest.timestamp_millis(), Ordering::Relaxed);
        }
    }

    /// Time that a batch spent in a stage.
    pub fn observe_stage(&self, stage: Stage, time: Duration) {
        self.inner.families.batch_seconds.get_or_create(&StageLabel { stage }).observe(time.as_secs_f64());
    }

    /// Rows of a batch.
    pub fn observe_batch_rows(&self, rows: u32) {
        self.inner.families.batch_rows.observe(f64::from(rows));
    }

    /// An insert that is tried again; `class` is a name of the store's retry table.
    pub fn insert_retried(&self, class: &'static str) {
        self.inner.families.insert_retries.get_or_create(&RetryLabel { class }).inc();
    }

    /// The gauge of a queue, to be kept by the queue's owner.
    #[must_use]
    pub fn queue_depth(&self, queue: Queue) -> Gauge {
        self.inner.families.queue_depth.get_or_create_owned(&QueueLabel { queue })
    }

    /// One answered HTTP request. `route` is the template (`/v1/requests/{request_id}`), never the path itself; what
    /// matched no route is one name for all.
    pub fn observe_http_request(&self, route: &str, status: u16, time: Duration) {
        let route: Arc<str> = Arc::from(route);
        let labels = RequestLabels { route: Arc::clone(&route), status };
        self.inner.families.http_requests.get_or_create(&labels).inc();
        self.inner.families.http_seconds.get_or_create(&RouteLabel { route }).observe(time.as_secs_f64());
    }

    /// Events sent over HTTP.
    pub fn add_http_events(&self, outcome: HttpEventOutcome, events: u64) {
        self.inner.families.http_events.get_or_create(&HttpEventLabel { outcome }).inc_by(events);
    }

    /// Age of the newest stored record; zero when its timestamp lies ahead of our clock.
    #[must_use]
    pub fn freshness(&self) -> Duration {
        let newest = self.inner.newest_stored_ms.load(Ordering::Relaxed);
        let age_ms = self.inner.clock.now().timestamp_millis().saturating_sub(newest);
        Duration::from_millis(u64::try_from(age_ms).unwrap_or(0))
    }
}

impl Families {
    /// A counter that is not there cannot rise: what is known beforehand starts at zero.
    fn start_consume_at_zero(&self) {
        for outcome in RecordOutcome::ALL {
            self.records.get_or_create(&OutcomeLabel { outcome: *outcome }).inc_by(0);
        }
        for table in Table::ALL {
            self.stored_rows.get_or_create(&TableLabel { table: *table }).inc_by(0);
        }
    }

    fn start_serve_at_zero(&self) {
        for outcome in HttpEventOutcome::ALL {
            self.http_events.get_or_create(&HttpEventLabel { outcome: *outcome }).inc_by(0);
        }
    }

    fn add_slug(&self, slug: &Arc<str>, counts: &SlugCounts) {
        for ((class, hop), count) in &counts.failures {
            let labels = FailureLabels { class: class.as_str(), hop: hop.as_str(), slug: Arc::clone(slug) };
            self.auth_failures.get_or_create(&labels).inc_by(*count);
        }
        for ((outcome, trigger), count) in &counts.refreshes {
            let labels = RefreshLabels { outcome: outcome.as_str(), trigger: trigger.as_str(), slug: Arc::clone(slug) };
            self.refreshes.get_or_create(&labels).inc_by(*count);
        }
        // Created at zero by the slug's first event of any kind, so that its first reconnect is seen as a rise.
        self.reconnects.get_or_create(&SlugLabel { slug: Arc::clone(slug) }).inc_by(counts.reconnects);
    }
}

fn seconds_since_1970(at: DateTime<Utc>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age lie below 2^53")]
    let milliseconds = at.timestamp_millis() as f64;
    milliseconds / 1_000.0
}

/// The names behind a lock; a thread that died while holding it left nothing half done.
fn lock(names: &Mutex<CappedNames>) -> std::sync::MutexGuard<'_, CappedNames> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

mod enrichment;
mod ingest;
#[cfg(test)]
mod tests;
