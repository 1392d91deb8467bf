//! Fills in rows that are missing, beside a consumer that runs: for `gatetrail replay`, never for the loop itself.
//!
//! Before and after every insert it reads back which rows of the range are stored. What is missing goes out under the
//! insert's token; the same bytes under the same token as long as no attempt was confirmed, and under the next repair's
//! when one was confirmed and rows are missing all the same (ClickHouse remembered the token of rows that were deleted
//! since, or died before it placed them). So running twice, or two at the same time, stores every row once.
//!
//! Unlike [`delivery`](super::delivery) it gives up after a while, since a person waits for it; nothing is lost by that.

use std::collections::BTreeSet;
use std::time::Duration;

use clickhouse::Client;

use super::body::{TimeBounds, event_times, keep_rows, row_count};
use super::error::{Remedy, StoreError};
use super::identities::{StoredIdentities, stored_identities_within};
use super::missing::{missing_rows, rows_between};
use super::span::{Identity, Span};
use super::views::restore_views;
use super::writer::{Insert, insert_once};

/// Failed attempts at one insert before it is given up.
const ATTEMPTS: u32 = 6;
/// Wait before the second attempt; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Repairs of one insert: more often than that nobody deletes and replays the same rows in a row.
const MOST_REPAIRS: u32 = 8;
/// How far from the times of the batch an event of the same range is looked for, in microseconds: one day.
const MARGIN: i64 = 86_400_000_000;

/// Which rows count as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFrom {
    /// Those that are neither in `events` nor in `dead_letters`.
    Both,
    /// Those that are not in `events`, whatever was refused once.
    Events,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// Rows that were there before.
    pub present: u64,
    /// Rows inserted into `events`, or that would be.
    pub events: u64,
    /// Rows inserted into `dead_letters`, or that would be.
    pub dead_letters: u64,
    /// Rows whose insert ClickHouse confirms again and again and that are not there: something takes them away.
    pub vanished: u64,
    /// Offsets with a row that ClickHouse cannot take.
    pub refused: BTreeSet<i64>,
}

impl Filled {
    /// Adds what was done elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.present += other.present;
        self.events += other.events;
        self.dead_letters += other.dead_letters;
        self.vanished += other.vanished;
        self.refused.extend(&other.refused);
    }
}

/// Inserts exactly the rows that are missing; with `dry_run` only counts them.
///
/// # Errors
/// [`StoreError`] when a body cannot be read, ClickHouse refuses, or does not answer for a while.
pub async fn fill_missing(
    client: &Client,
    span: &Span,
    inserts: &[Insert],
    missing_from: MissingFrom,
    dry_run: bool,
) -> Result<Filled, StoreError> {
    let mut filled = Filled::default();
    for insert in inserts {
        // Parts of a range that ClickHouse refuses for one of its rows, the first one on top.
        let mut parts = vec![(span.clone(), insert.clone())];
        while let Some((span, insert)) = parts.pop() {
            let rows = row_count(&insert)?;
            let (missing, vanished) = match fill_one(client, &span, &insert, missing_from, dry_run).await {
                Ok(filled) => filled,
                Err(error) if error.remedy() == Remedy::Bisect => {
                    match span.halves() {
                        Some((left, right)) => {
                            for half in [right, left] {
                                parts
                                    .extend(rows_between(&insert, half.first, half.next)?.map(|insert| (half, insert)));
                            }
                        }
                        None => {
                            filled.refused.insert(span.first);
                        }
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            filled.present += rows - missing;
            filled.vanished += vanished;
            let inserted = if insert.table == "events" { &mut filled.events } else { &mut filled.dead_letters };
            *inserted += missing - vanished;
        }
    }
    Ok(filled)
}

/// Fills in one insert's rows: how many were missing at first, and how many of them in the end.
async fn fill_one(
    client: &Client,
    span: &Span,
    insert: &Insert,
    missing_from: MissingFrom,
    dry_run: bool,
) -> Result<(u64, u64), StoreError> {
    let (mut repair, mut failures, mut missing_at_first) = (0, 0, None);
    loop {
        let stored = stored_of(client, span, insert, missing_from).await?;
        let missing = missing_rows(insert, &stored, repair)?;
        let rows = missing.as_ref().map_or(Ok(0), row_count)?;
        let first = *missing_at_first.get_or_insert(rows);
        let Some(missing) = missing.filter(|_| !dry_run) else {
            if failures > 0 {
                // An attempt that failed may have stored rows that their views have not heard of.
                restore_views(client, span, event_times(insert)?).await?;
            }
            return Ok((first, 0));
        };
        if repair > MOST_REPAIRS {
            return Ok((first, rows.min(first)));
        }
        match insert_once(client, &missing).await {
            Ok(()) => repair += 1,
            Err(error) => {
                failures += 1;
                let passes = matches!(error.remedy(), Remedy::Retry | Remedy::SlowDown | Remedy::AlreadyRunning);
                if failures >= ATTEMPTS || !passes {
                    return Err(error);
                }
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(failures - 1)).await;
            }
        }
    }
}

/// What is stored of an insert's range, as far as it makes a row of it not missing.
async fn stored_of(
    client: &Client,
    span: &Span,
    insert: &Insert,
    missing_from: MissingFrom,
) -> Result<StoredIdentities, StoreError> {
    let times = event_times(insert)?;
    let near = TimeBounds { first: times.first.saturating_sub(MARGIN), last: times.last.saturating_add(MARGIN) };
    let mut stored = stored_identities_within(client, span, near).await?;
    if missing_from == MissingFrom::Events {
        stored.dead_letters.clear();
    }
    if insert.table == "events" {
        return Ok(stored);
    }
    // A record that is refused now may have been stored as an event once, at any time: that is looked up for those that
    // are not among the dead letters, which are few.
    let mut refused_newly: Option<Span> = None;
    keep_rows(insert, &mut |identity: Identity| {
        if !stored.holds(identity) {
            let from = refused_newly.take().unwrap_or_else(|| Span { first: identity.offset, ..span.clone() });
            refused_newly = Some(Span { next: identity.offset + 1, ..from });
        }
        false
    })?;
    if let Some(part) = refused_newly {
        stored.events.extend(stored_identities_within(client, &part, TimeBounds::ALL).await?.events);
    }
    Ok(stored)
}
