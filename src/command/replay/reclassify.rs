//! `gatetrail replay --reclassify`: stored events, classified again by the rules in force; Kafka is not asked.
//!
//! Rows of `events` stay as they arrived. A verdict that differs from the one that counts so far becomes a row of
//! `reclassifications`, and the last run's word counts. So a run that was killed is run again and writes the rest; running twice
//! writes nothing the second time; of two at once, each may write what the other has written, which changes nothing.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use super::verdict_changes::{Changes, Summary, reclassification, write_summary};
use super::{ReplayArgs, progress_bar};
use crate::classify::{Classifier, Verdict};
use crate::command::terminal::OutputStyle;
use crate::command::{Exit, classifier};
use crate::config::Config;
use crate::event::Event;
use crate::pipeline::crash_point::{CrashPoint, reach};
use crate::query::event_pages::{EventPage, days_of, events_between, pages_of_day};
use crate::query::reclassified::Reclassified;
use crate::query::restored::restored;
use crate::query::stored::StoredEvent;
use crate::query::stored_ranges::ALL_TIME;
use crate::query::{QueryError, TimeRange, parse_time};
use crate::store::client::connect_database;
use crate::store::migrate::verify;
use crate::store::writer::insert_once;
use crate::store::{Insert, Reclassification, Remedy, StoreError, reclassification_insert, token};

/// Events may be ahead of now by as much as decoding lets them.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// Failed attempts at one insert before the run is given up; the next run goes on.
const ATTEMPTS: u32 = 6;
/// Wait before the second attempt; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The rows of a page on their way.
type Reading = JoinHandle<Result<Vec<StoredEvent>, QueryError>>;

/// What every page needs.
struct Job<'j> {
    store: &'j Client,
    classifier: &'j Classifier,
    /// When the run began, by the store's clock.
    began_at: DateTime<Utc>,
    dry_run: bool,
}

/// Runs it.
pub(super) async fn run(
    args: &ReplayArgs,
    config: &Config,
    now: DateTime<Utc>,
    output: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let times = times(args, now)?;
    let classifier = classifier(config)?;
    let store = connect_database(&config.clickhouse)?;
    verify(&store, &config.clickhouse.database).await?;
    let found = events_between(&store, times).await?;
    let job = Job { store: &store, classifier: &classifier, began_at: found.store_time, dry_run: args.dry_run };
    let progress = progress_bar(found.rows, "events")?;
    let mut summary =
        Summary { dry_run: args.dry_run, class_version: classifier.version().to_owned(), ..Summary::default() };
    if found.rows > 0 {
        let last = found.last + TimeDelta::microseconds(1);
        let times = TimeRange { from: times.from.max(found.first), to: times.to.min(last) };
        job.reclassify(times, &mut summary, &progress).await?;
    }
    progress.finish_and_clear();
    if args.json {
        writeln!(output, "{}", serde_json::to_string(&summary)?)?;
    } else {
        write_summary(&summary, output, style)?;
    }
    Ok(Exit::Ok)
}

fn times(args: &ReplayArgs, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
    let time =
        |name: &'static str, text: &Option<String>| text.as_deref().map(|text| parse_time(name, text, now)).transpose();
    let from = time("since", &args.since)?.unwrap_or(ALL_TIME.from);
    TimeRange::of(Some(from), Some(time("until", &args.until)?.unwrap_or(now + AHEAD)), now, TimeDelta::zero())
}

impl Job<'_> {
    async fn reclassify(&self, times: TimeRange, summary: &mut Summary, progress: &ProgressBar) -> anyhow::Result<()> {
        let mut changes = Changes::default();
        for day in days_of(times) {
            let reclassified = Reclassified::ask(self.store).await?;
            // A stack, the first page on top, since a page whose rows are too large is read in halves.
            let mut pages: Vec<EventPage> = pages_of_day(self.store, day).await?.into_iter().rev().collect();
            let mut reading = self.start_reading(pages.pop());
            while let Some((page, read)) = reading.take() {
                let mut events = match read.await? {
                    Ok(events) => events,
                    Err(QueryError::Timeout) if page.halves().is_some() => {
                        pages.extend(page.halves().into_iter().flat_map(|[first, second]| [second, first]));
                        reading = self.start_reading(pages.pop());
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                // The store reads the next page while this one is classified.
                reading = self.start_reading(pages.pop());
                reclassified.lay_over(self.store, &mut events).await?;
                self.reclassify_page(&events, summary, &mut changes).await?;
                progress.inc(u64::try_from(events.len())?);
            }
        }
        summary.changes = changes.sorted();
        Ok(())
    }

    /// Begins to read a page beside what goes on here.
    fn start_reading(&self, page: Option<EventPage>) -> Option<(EventPage, Reading)> {
        let page = page?;
        let (store, asked) = (self.store.clone(), page.clone());
        Some((page, tokio::spawn(async move { asked.read(&store).await })))
    }

    async fn reclassify_page(
        &self,
        stored: &[StoredEvent],
        summary: &mut Summary,
        changes: &mut Changes,
    ) -> anyhow::Result<()> {
        let events: Vec<Event<'_>> = stored.iter().map(restored).collect();
        let verdicts: Vec<Verdict<'_, '_>> = events.iter().map(|event| self.classifier.classify(event)).collect();
        let mut rows: Vec<Reclassification<'_>> = Vec::new();
        for (stored, verdict) in stored.iter().zip(&verdicts) {
            if let Some(row) = reclassification(stored, verdict, self.classifier.version()) {
                changes.add(stored, row.class);
                rows.push(row);
            }
        }
        let changed = u64::try_from(rows.len())?;
        summary.rows += u64::try_from(stored.len())?;
        summary.changed += changed;
        let insert = if self.dry_run { None } else { reclassification_insert(&rows, self.began_at)? };
        if let Some(insert) = insert {
            insert_patiently(self.store, &insert)
                .await
                .context("not everything was written; run the same again, and it goes on where it stopped")?;
            summary.written += changed;
            reach(CrashPoint::ReclassificationsInserted);
        }
        Ok(())
    }
}

/// Inserts, and tries again for a while. Each attempt has a token of its own: a second one under the first one's could be
/// dropped although no row of the first one is there, and rows that are there twice are one.
async fn insert_patiently(store: &Client, insert: &Insert) -> Result<(), StoreError> {
    let mut failures = 0;
    loop {
        let attempt = Insert { token: token::of_repair(&insert.token, failures), ..insert.clone() };
        let Err(error) = insert_once(store, &attempt).await else { return Ok(()) };
        failures += 1;
        let passes = matches!(error.remedy(), Remedy::Retry | Remedy::SlowDown | Remedy::AlreadyRunning);
        if failures >= ATTEMPTS || !passes {
            return Err(error);
        }
        tokio::time::sleep(FIRST_WAIT * 2_u32.pow(failures - 1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{ReplayArgs, times};

    #[test]
    fn everything_is_classified_again_unless_a_time_is_named() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let all = times(&ReplayArgs::default(), now).unwrap();
        assert!(all.from.timestamp() <= 0 && all.to > now, "{all:?}");
        let day = ReplayArgs { since: Some("-24h".into()), until: Some("-1h".into()), ..ReplayArgs::default() };
        assert_eq!((times(&day, now).unwrap().to - times(&day, now).unwrap().from).num_hours(), 23);
        for args in [
            ReplayArgs { since: Some("yesterday".into()), ..ReplayArgs::default() },
            ReplayArgs { since: Some("-1h".into()), until: Some("-2h".into()), ..ReplayArgs::default() },
        ] {
            assert_eq!(times(&args, now).unwrap_err().code(), "bad_time");
        }
    }
}
