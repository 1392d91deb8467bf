//! Carries out the commands of [`Delivery`] against ClickHouse.
//!
//! Dropping the future at any moment is as safe as a crash: the plan is then replayed by whoever comes next.

use std::time::Duration;

use clickhouse::Client;
use tokio::time::{sleep, timeout};

use super::machine::{Command, Delivery, Heard};
use crate::store::body::{TimeBounds, event_times, row_count};
use crate::store::error::{Remedy, StoreError};
use crate::store::identities::stored_identities_within;
use crate::store::missing::missing_rows;
use crate::store::span::Span;
use crate::store::views::restore_views;
use crate::store::writer::{INSERT_TIMEOUT, Insert, insert_within};
use crate::telemetry::with_causes;

/// How patient delivery is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long an insert may take.
    pub insert: Duration,
    /// How long a read-back, or filling the views again, may take.
    pub read_back: Duration,
    /// No wait is longer than this, whatever the remedy.
    pub longest_wait: Duration,
}

impl Default for Patience {
    /// 90 s, 5 minutes, and the waits of [`Pause`](super::Pause) as they are.
    fn default() -> Self {
        Self { insert: INSERT_TIMEOUT, read_back: Duration::from_secs(300), longest_wait: Duration::MAX }
    }
}

/// What was delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Rows of the bodies for `events`; each of them is stored, whoever inserted it.
    pub rows_events: u64,
    /// Rows of the bodies for `dead_letters`; each of them is stored, whoever inserted it.
    pub rows_dead_letters: u64,
    /// Inserts that were sent; one a body when all went well, 0 when a replay found everything.
    pub attempts: u32,
    /// Rows that were missing although an insert of them had been confirmed, and were inserted again.
    pub repaired_rows: u64,
}

/// What is worth telling while a plan is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// Something failed and is tried again.
    Failed {
        /// Failures in a row, from 1: the first one is news.
        failures: u32,
        /// What is done about it.
        remedy: Remedy,
        /// Stable code of the error.
        code: &'static str,
        /// ClickHouse's number of the error, where it told one.
        server_code: Option<u32>,
        /// The error with its causes, in one line.
        cause: String,
    },
    /// An insert is about to be sent.
    Begun {
        /// Whether it holds only the rows that a read-back missed.
        repair: bool,
    },
    /// The bytes of a body are on their way to ClickHouse; its answer was not read.
    Sent,
    /// ClickHouse confirmed the insert of a body, at its first attempt.
    Confirmed {
        /// Into which table.
        table: &'static str,
    },
    /// After so many failures in a row something succeeded.
    Recovered {
        /// How many there were.
        failures: u32,
    },
    /// Rows were missing although an insert of them had been confirmed; they were inserted again.
    Repaired {
        /// Into which table.
        table: &'static str,
        /// How many.
        rows: u64,
    },
}

/// Who is told.
type Listener<'a> = &'a mut (dyn FnMut(&DeliveryEvent) + Send);

/// Delivers the bodies of a plan: returns once every row is stored, exactly once, and tells `on_event` what happens in
/// between. Waits for as long as it takes. `replayed` says that others may have delivered any of it: an earlier owner of
/// the plan, or an insert of a range that this one is a part of.
///
/// # Errors
/// Only what no later attempt can change: [`Remedy::Bisect`] when ClickHouse cannot take some row of the range (deliver
/// parts of it, as replays, with [`rows_between`](crate::store::rows_between)), else a body that cannot be read.
pub async fn deliver(
    client: &Client,
    span: &Span,
    inserts: &[Insert],
    replayed: bool,
    on_event: Listener<'_>,
) -> Result<Delivered, StoreError> {
    deliver_within(client, span, inserts, replayed, Patience::default(), on_event).await
}

/// The same with another patience.
///
/// # Errors
/// Those of [`deliver`].
pub async fn deliver_within(
    client: &Client,
    span: &Span,
    inserts: &[Insert],
    replayed: bool,
    patience: Patience,
    on_event: Listener<'_>,
) -> Result<Delivered, StoreError> {
    let mut delivery = Delivery::new(inserts.len(), replayed);
    let mut attempt = Attempt { client, span, inserts, replayed, patience, event_times: None, missing: Vec::new() };
    let mut delivered = rows_of(inserts)?;
    loop {
        let command = delivery.command();
        if let Command::Insert(_) | Command::InsertMissing(_) = command {
            on_event(&DeliveryEvent::Begun { repair: matches!(command, Command::InsertMissing(_)) });
        }
        let outcome = match command {
            Command::Done => return Ok(Delivered { attempts: delivery.attempts(), ..delivered }),
            Command::Wait(pause) => {
                sleep(pause.jittered().min(patience.longest_wait)).await;
                Ok(Heard::Waited)
            }
            Command::Insert(body) => attempt.insert(body, on_event).await,
            Command::ReadBack => attempt.read_back(delivery.repair()).await,
            // A poisoned delivery returned below, with the failure that made it so.
            Command::InsertMissing(_) | Command::Poison => attempt.insert_missing(on_event).await,
            Command::RestoreViews => attempt.restore_views().await,
        };
        let failures = delivery.failures();
        match outcome {
            Ok(heard) => {
                delivery.hear(heard);
                if let Command::Insert(body) = command
                    && let Some(insert) = inserts.get(body)
                {
                    on_event(&DeliveryEvent::Confirmed { table: insert.table });
                }
                if let Command::InsertMissing(1..) = command {
                    delivered.repaired_rows += attempt.report_repair(on_event)?;
                }
                if failures > 0 && delivery.failures() == 0 {
                    on_event(&DeliveryEvent::Recovered { failures });
                }
            }
            Err(error) if !error.may_pass() => return Err(error),
            Err(error) => {
                delivery.hear(Heard::Failed(error.remedy()));
                if delivery.command() == Command::Poison {
                    return Err(error);
                }
                on_event(&failed(&error, delivery.failures()));
            }
        }
    }
}

/// A plan, and what the last read-back said of it.
struct Attempt<'a> {
    client: &'a Client,
    span: &'a Span,
    inserts: &'a [Insert],
    replayed: bool,
    patience: Patience,
    event_times: Option<TimeBounds>,
    missing: Vec<Insert>,
}

impl Attempt<'_> {
    async fn insert(&self, body: usize, on_event: Listener<'_>) -> Result<Heard, StoreError> {
        if let Some(insert) = self.inserts.get(body) {
            self.send(insert, on_event).await?;
        }
        Ok(Heard::Confirmed)
    }

    async fn insert_missing(&self, on_event: Listener<'_>) -> Result<Heard, StoreError> {
        for insert in &self.missing {
            self.send(insert, on_event).await?;
        }
        Ok(Heard::Confirmed)
    }

    async fn send(&self, insert: &Insert, on_event: Listener<'_>) -> Result<(), StoreError> {
        let mut sent = || on_event(&DeliveryEvent::Sent);
        insert_within(self.client, insert, self.patience.insert, &mut sent).await
    }

    async fn read_back(&mut self, repair: u32) -> Result<Heard, StoreError> {
        let event_times = self.event_times()?;
        let reading = stored_identities_within(self.client, self.span, event_times);
        let stored = timeout(self.patience.read_back, reading).await.map_err(|_| timed_out())??;
        self.missing.clear();
        for insert in self.inserts {
            self.missing.extend(missing_rows(insert, &stored, repair)?);
        }
        Ok(if self.missing.is_empty() { Heard::Complete } else { Heard::Missing })
    }

    async fn restore_views(&mut self) -> Result<Heard, StoreError> {
        let event_times = self.event_times()?;
        let restoring = restore_views(self.client, self.span, event_times);
        timeout(self.patience.read_back, restoring).await.map_err(|_| timed_out())??;
        Ok(Heard::Confirmed)
    }

    /// Between which moments the plan's rows in `events` can be. Looked up once: it reads a whole body.
    fn event_times(&mut self) -> Result<TimeBounds, StoreError> {
        if let Some(known) = self.event_times {
            return Ok(known);
        }
        let mut times = TimeBounds::NONE;
        for insert in self.inserts {
            times = times.and(event_times(insert)?);
        }
        // What is refused now may have been an event, of any time, to the version that delivered it first.
        let has_dead_letters = self.inserts.iter().any(|insert| insert.table == DEAD_LETTERS);
        let known = if self.replayed && has_dead_letters { TimeBounds::ALL } else { times };
        self.event_times = Some(known);
        Ok(known)
    }

    /// Tells, table by table, what was inserted again.
    fn report_repair(&self, on_event: Listener<'_>) -> Result<u64, StoreError> {
        let mut all = 0;
        for insert in &self.missing {
            let rows = row_count(insert)?;
            all += rows;
            on_event(&DeliveryEvent::Repaired { table: insert.table, rows });
        }
        Ok(all)
    }
}

/// Name of the table of dead letters.
const DEAD_LETTERS: &str = "dead_letters";

fn rows_of(inserts: &[Insert]) -> Result<Delivered, StoreError> {
    let mut delivered = Delivered::default();
    for insert in inserts {
        let rows = row_count(insert)?;
        match insert.table {
            DEAD_LETTERS => delivered.rows_dead_letters += rows,
            _ => delivered.rows_events += rows,
        }
    }
    Ok(delivered)
}

fn failed(error: &StoreError, failures: u32) -> DeliveryEvent {
    DeliveryEvent::Failed {
        failures,
        remedy: error.remedy(),
        code: error.code(),
        server_code: error.server_code(),
        cause: with_causes(error),
    }
}

fn timed_out() -> StoreError {
    StoreError::of(clickhouse::error::Error::TimedOut)
}
