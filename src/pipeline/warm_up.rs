//! Asks the store about sign-ins and connections that the memory of enrichment missed, beside the loop.
//!
//! One question at a time, about all misses since the last one; nothing waits for the answer. It serves events that come
//! afterwards: the event that missed is stored as it is, and joined when a timeline is read. So enrichment stays pure, a
//! slow or absent ClickHouse costs completeness and never time, and how many rows there are does not depend on it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::enrich::memory::{Learned, Memory};
use crate::query::QueryError;
use crate::query::remembered_facts::remembered_facts;
use crate::telemetry::{AskedOutcome, Metrics};

/// Shortest pause between two questions: at most four a second, however many partitions there are.
const PAUSE: Duration = Duration::from_millis(250);
/// The pause after a question that was not answered.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The question under way, and its answer.
#[derive(Debug)]
pub struct WarmUp {
    store: clickhouse::Client,
    runtime: tokio::runtime::Handle,
    metrics: Metrics,
    answer: SyncSender<Answer>,
    answered: Receiver<Answer>,
    is_asking: bool,
    not_before: Instant,
}

#[derive(Debug)]
struct Answer {
    asked: usize,
    outcome: Result<Vec<Learned>, QueryError>,
}

impl WarmUp {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(store: clickhouse::Client, runtime: tokio::runtime::Handle, metrics: Metrics) -> Self {
        let (answer, answered) = sync_channel(1);
        Self { store, runtime, metrics, answer, answered, is_asking: false, not_before: Instant::now() }
    }

    /// Takes in an answer that has come, and asks the next question when there is one.
    pub fn turn(&mut self, memory: &mut Memory) {
        if self.is_asking {
            let Ok(Answer { asked, outcome }) = self.answered.try_recv() else { return };
            self.is_asking = false;
            self.take(asked, outcome, memory);
        }
        if Instant::now() < self.not_before {
            return;
        }
        let misses = memory.take_misses();
        if misses.is_empty() {
            return;
        }
        self.is_asking = true;
        self.not_before = Instant::now() + PAUSE;
        let (store, answer) = (self.store.clone(), self.answer.clone());
        self.runtime.spawn(async move {
            let outcome = remembered_facts(&store, &misses).await;
            // Nobody takes it only when the loop has ended.
            drop(answer.try_send(Answer { asked: misses.len(), outcome }));
        });
    }

    fn take(&mut self, asked: usize, outcome: Result<Vec<Learned>, QueryError>, memory: &mut Memory) {
        match outcome {
            Ok(learned) => {
                let mut known: Vec<&str> = learned.iter().map(|learned| learned.id.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                self.metrics.count_asked_ids(AskedOutcome::Known, known.len());
                self.metrics.count_asked_ids(AskedOutcome::New, asked.saturating_sub(known.len()));
                learned.iter().for_each(|learned| memory.learn(learned));
            }
            Err(error) => {
                tracing::debug!(%error, "the store did not tell about earlier sign-ins and connections");
                self.metrics.count_asked_ids(AskedOutcome::Unanswered, asked);
                self.not_before = Instant::now() + PAUSE_AFTER_FAILURE;
            }
        }
    }
}
