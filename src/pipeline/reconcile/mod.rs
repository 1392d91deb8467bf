//! Reconciliation, for ever: every minute, what Kafka delivered against what ClickHouse holds, partition by partition.
//!
//! For each finished range: distinct offsets delivered = distinct offsets in `events` and `dead_letters` + dropped on
//! purpose; and no row twice, counted raw. Offsets in `ingest_gaps` were not delivered and do not count. What is not in order
//! is said once as an error, shown in two gauges, and looked at again every few minutes until it is (a replay mends it).
//!
//! A process that dies has not checked its last minute. So each check is a row of `ingest_reconciliations`, and whoever
//! takes a partition over reads again what lies between the last row and the committed offset.
//!
//! It never touches the loop's work: [`Reconciler::finished`] and its like only make a note; [`Reconciler::run`] is a task
//! beside it, and when ClickHouse does not answer it tries again a minute later.

mod book;
mod check;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use clickhouse::Client;

use self::book::{Book, Due, MOST_UNRESOLVED, TakenOver};
pub use self::book::{Delivered, Place};
use crate::config::{self, Retention};
use crate::event::Run;
use crate::query::reconciliations::{reconciled_to, unresolved_reconciliations};
use crate::query::stored_ranges::TopicName;
use crate::query::{QueryError, TimeRange};
use crate::source::kafka::SourceError;
use crate::source::reread::RangeReader;
use crate::store::writer::insert_once;
use crate::store::{Reconciliation, StoreError, reconciliation_insert};
use crate::telemetry::clock::Clock;
use crate::telemetry::{Metrics, with_causes};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);
/// The same when there was nothing to look at, which costs nothing.
const EVERY_IDLE: Duration = Duration::from_secs(10);
/// How often also at what was not in order before: nobody may ever mend it, and looking for rows that are not there is dear.
const UNRESOLVED_EVERY: Duration = Duration::from_secs(300);
/// How long after an assignment the range of the owner before is looked at: by then an owner that lives has checked it.
const TAKEN_OVER_AFTER: Duration = Duration::from_secs(90);
/// Most offsets that are read again for a partition that was taken over; what lies before them is noted as not checked.
const MOST_REREAD: i64 = 1_000_000;

/// Why a look did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// ClickHouse did not answer a question.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What was found could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Kafka did not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The thread that read Kafka again ended.
    #[error("the reading thread ended")]
    Thread(#[from] tokio::task::JoinError),
}

/// Checks what was stored. Clones share their notes.
#[derive(Debug, Clone)]
pub struct Reconciler {
    store: Client,
    metrics: Metrics,
    kafka: Arc<config::Kafka>,
    /// The shorter of both retentions: older rows may be gone.
    kept: TimeDelta,
    book: Arc<Mutex<Book>>,
}

impl Reconciler {
    /// Nothing is noted yet; [`Reconciler::run`] is to be spawned.
    #[must_use]
    pub fn new(store: Client, metrics: Metrics, kafka: &config::Kafka, retention: Retention) -> Self {
        // Whole days are dropped, and an event may be a little older than its record.
        let days = i64::from(retention.auth_days.min(retention.call_days)) - 1;
        let kept = TimeDelta::days(days.max(0));
        Self { store, metrics, kafka: Arc::new(kafka.clone()), kept, book: Arc::default() }
    }

    /// A batch is stored and its progress is made. Never waits.
    pub fn finished(&self, delivered: Delivered) {
        self.book().finished(delivered, Instant::now());
    }

    /// A partition was assigned, with this committed offset. Never waits.
    pub fn assigned(&self, place: Place, committed: i64) {
        self.metrics.set_reconciliation(&place.topic, place.partition, 0, 0);
        self.book().assigned(TakenOver { place, committed, since: Instant::now() });
    }

    /// A partition was given back: its next owner looks after what is not in order. Never waits.
    pub fn revoked(&self, topic: &str, partition: i32) {
        self.book().revoked(topic, partition);
    }

    /// Looks every minute, for ever.
    pub async fn run(self) {
        let (mut failing, mut wait) = (false, EVERY_IDLE);
        let mut unresolved_looked_at = Instant::now();
        loop {
            tokio::time::sleep(wait).await;
            let now = Instant::now();
            let with_unresolved = now.duration_since(unresolved_looked_at) >= UNRESOLVED_EVERY;
            if with_unresolved {
                unresolved_looked_at = now;
            }
            match self.look(now, with_unresolved).await {
                Ok(ranges) => {
                    failing = false;
                    wait = if ranges == 0 { EVERY_IDLE } else { EVERY };
                }
                Err(error) => {
                    wait = EVERY;
                    // Said once; the age of the last check shows that it lasts.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            cause = with_causes(&error),
                            "what was stored could not be checked; it is tried again every minute"
                        );
                    }
                }
            }
        }
    }

    /// One look, as of `now`: at partitions taken over, at what has settled since the last look, and now and then at what
    /// was not in order. How many ranges it looked at.
    ///
    /// # Errors
    /// [`LookError`]; nothing is forgotten, the next look does it all again.
    pub async fn look(&self, now: Instant, with_unresolved: bool) -> Result<usize, LookError> {
        let long_ago = now.checked_sub(EVERY).unwrap_or(now);
        let taken_over = self.book().take_taken_over(now, TAKEN_OVER_AFTER);
        for (place, taken) in taken_over.iter().enumerate() {
            match self.of_owner_before(taken).await {
                Ok(all) => all.into_iter().for_each(|due| self.book().add(taken.place.clone(), due, long_ago)),
                Err(error) => {
                    taken_over[place..].iter().for_each(|taken| self.book().put_back(taken.clone()));
                    return Err(error);
                }
            }
        }
        let due = self.book().take_due(now);
        let mut ranges = due.len();
        if let Err(error) = self.check_all(&due).await {
            // Nothing is forgotten: it is due again.
            due.into_iter().for_each(|(place, due)| self.book().add(place, due, long_ago));
            return Err(error);
        }
        if with_unresolved {
            let unresolved = self.book().unresolved();
            self.check_all(&unresolved).await?;
            ranges += unresolved.len();
        }
        self.metrics.note_reconciliation(Clock.now());
        Ok(ranges)
    }

    /// Checks topic by topic, in rounds of one range a partition.
    async fn check_all(&self, due: &[(Place, Due)]) -> Result<(), LookError> {
        let kept_from = Clock.now() - self.kept;
        let mut found = Vec::with_capacity(due.len());
        for (place, mut rounds) in by_topic(due) {
            let topic = TopicName { topic: &place.topic, topic_id: place.topic_id.as_deref() };
            while !rounds.is_empty() {
                let round: BTreeMap<i32, (Place, Due)> =
                    rounds.iter_mut().filter_map(|(partition, all)| Some((*partition, all.pop()?))).collect();
                rounds.retain(|_, all| !all.is_empty());
                found.extend(check::check(&self.store, topic, &round, kept_from).await?);
            }
        }
        self.write_down(&found).await?;
        self.show(&found);
        Ok(())
    }

    async fn write_down(&self, found: &[(Place, Due, Reconciliation)]) -> Result<(), StoreError> {
        let rows: Vec<Reconciliation> = found.iter().map(|(_, _, row)| row.clone()).collect();
        match reconciliation_insert(&rows, Clock.now())? {
            Some(insert) => insert_once(&self.store, &insert).await,
            None => Ok(()),
        }
    }

    /// Says what is not in order, once, and shows the sums.
    fn show(&self, found: &[(Place, Due, Reconciliation)]) {
        for (place, due, row) in found {
            self.metrics.count_reconciled(row.delivered);
            if self.book().note(place, *due, row.lost, row.duplicates) {
                tracing::error!(
                    topic = &*place.topic,
                    partition = place.partition,
                    first = row.first_offset,
                    next = row.next_offset,
                    lost = row.lost,
                    duplicates = row.duplicates,
                    "what is stored is not what kafka delivered: `gatetrail check ingest` names the offsets, `gatetrail replay` stores what is missing"
                );
            }
        }
        for (place, _, _) in found {
            let (lost, duplicates) = self.book().sums(place);
            self.metrics.set_reconciliation(&place.topic, place.partition, lost, duplicates);
        }
    }

    /// What the owner before may not have checked: from where the checks end up to what it had committed. And what its
    /// checks found not to be in order.
    async fn of_owner_before(&self, taken: &TakenOver) -> Result<Vec<Due>, LookError> {
        let TakenOver { place, committed, .. } = taken;
        let topic = TopicName { topic: &place.topic, topic_id: place.topic_id.as_deref() };
        let unresolved =
            unresolved_reconciliations(&self.store, topic, place.partition, MOST_UNRESOLVED).await?.into_iter();
        let mut all: Vec<Due> = unresolved
            .map(|range| Due {
                range: Run { first: range.first, next: range.next },
                records: range.delivered,
                dropped: range.dropped,
                times: None,
                unchecked: 0,
            })
            .collect();
        let checked_to = reconciled_to(&self.store, topic, place.partition, *committed).await?;
        let range = Run { first: checked_to.unwrap_or(0), next: *committed };
        if !range.is_empty() {
            all.extend(self.reread(place.clone(), range).await?);
        }
        Ok(all)
    }

    /// A range as Kafka has it now; `None` when Kafka has nothing of it.
    async fn reread(&self, place: Place, range: Run) -> Result<Option<Due>, LookError> {
        let kafka = Arc::clone(&self.kafka);
        let reading = move || {
            let mut reader = RangeReader::new(&kafka)?;
            let bounds = reader.bounds(&place.topic, place.partition)?;
            let first = range.first.max(bounds.low).max(range.next - MOST_REREAD);
            let part = Run { first, next: range.next };
            Ok::<_, SourceError>((part, reader.offsets(&place.topic, place.partition, part)?))
        };
        let (part, in_kafka) = tokio::task::spawn_blocking(reading).await??;
        if part.is_empty() {
            return Ok(None);
        }
        let times = in_kafka.times.map(|(from, to)| TimeRange { from, to });
        let unchecked = Run { first: range.first, next: part.first }.len();
        Ok(Some(Due { range: part, records: in_kafka.offsets.len(), dropped: 0, times, unchecked }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A thread that died while holding it left a list at worst one note short.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ranges of one topic by partition, with a place that names the topic.
type OfTopic<'d> = (&'d Place, BTreeMap<i32, Vec<(Place, Due)>>);

fn by_topic(due: &[(Place, Due)]) -> Vec<OfTopic<'_>> {
    let mut topics: BTreeMap<(&str, Option<&str>), OfTopic<'_>> = BTreeMap::new();
    for (place, due) in due {
        let name = (&*place.topic, place.topic_id.as_deref());
        let (_, partitions) = topics.entry(name).or_insert_with(|| (place, BTreeMap::new()));
        partitions.entry(place.partition).or_default().push((place.clone(), *due));
    }
    topics.into_values().collect()
}
