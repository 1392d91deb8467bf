//! Fills `events`: 100,000 simulated events go the real way once, and are then copied by `INSERT … SELECT`.
//!
//! Every copy is a slice of the time that is filled, with ids, users and workspaces of its own; whole stories move
//! together, so that what belongs together in the first copy does in all. So a copy's rows have the widths, the joins and
//! the rarities of simulated traffic, and the `lookup` table is filled by its own view. Inserts are of the size of a
//! consumer's batches, or a bit larger; parts are merged as always.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{SecondsFormat, TimeDelta};
use gatetrail::telemetry::clock::Clock;
use serde::{Deserialize, Serialize};

use super::roles::{Role, run};
use super::store::Store;

/// How many events are simulated.
const FIRST_ROWS: u64 = 100_000;
/// How much time is filled: a bit less than calls are kept.
const SPAN: TimeDelta = TimeDelta::days(29);
/// Into how many workspaces those of the simulation are spread.
const WORKSPACES: u64 = 40;
/// How often progress is told where nobody watches.
const PROGRESS: Duration = Duration::from_secs(10);
/// How long merges may take at the end.
const MERGE_PATIENCE: Duration = Duration::from_secs(900);

/// What was filled.
#[derive(Debug, Clone, Serialize)]
pub struct Filled {
    /// Rows of `events`.
    pub rows: u64,
    /// Seconds that the copies took; `None` when they were there from before.
    pub seconds: Option<f64>,
}

/// Fills the database, or takes what an earlier run has filled completely.
pub fn fill(store: &Store, rows: u64) -> anyhow::Result<Filled> {
    let database = &store.database;
    let complete =
        store.number(&format!("SELECT count() FROM system.databases WHERE name = '{database}' AND comment = 'filled'"));
    if complete? == 1 {
        let rows = store.number("SELECT count() FROM events")?;
        println!("bench-lookup: {rows} rows from an earlier run");
        return Ok(Filled { rows, seconds: None });
    }
    for name in [database.clone(), first_database(store)] {
        store.run(&format!("DROP DATABASE IF EXISTS {name} SYNC"), &[])?;
        run(store, &name, &["migrate", "--topics", "--partitions", "4"])?;
    }
    let copies = rows.div_ceil(FIRST_ROWS);
    let slice = SPAN / i32::try_from(copies)?;
    ingest_first(store, slice)?;
    let seconds = copy(store, copies, slice)?;
    store.run(&format!("DROP DATABASE {} SYNC", first_database(store)), &[])?;
    let rows = store.number("SELECT count() FROM events")?;
    println!("bench-lookup: {rows} rows in {seconds:.0} s; waiting for merges");
    wait_for_merges(store)?;
    store.run(&format!("ALTER DATABASE {database} MODIFY COMMENT 'filled'"), &[])?;
    Ok(Filled { rows, seconds: Some(seconds) })
}

fn first_database(store: &Store) -> String {
    format!("{}_first", store.database)
}

/// Simulates and ingests the events of the first slice.
fn ingest_first(store: &Store, slice: TimeDelta) -> anyhow::Result<()> {
    let first = first_database(store);
    let start = (Clock.now() - SPAN).to_rfc3339_opts(SecondsFormat::Secs, true);
    let span = format!("{}s", slice.num_seconds().max(60));
    let events = FIRST_ROWS.to_string();
    run(store, &first, &["simulate", "--events", &events, "--start", &start, "--span", &span])?;
    let mut consume = Role::start(store, &first, "consume", &[])?;
    let sql = format!("SELECT count() FROM {first}.events");
    consume.wait_until("the first events are stored", || Ok(store.number(&sql)? >= FIRST_ROWS))?;
    drop(consume);
    store.run(&include_str!("first_rows.sql").replace("{first}", &first), &[])?;
    println!("bench-lookup: {FIRST_ROWS} simulated events are stored");
    Ok(())
}

/// Makes the copies; seconds it took.
fn copy(store: &Store, copies: u64, slice: TimeDelta) -> anyhow::Result<f64> {
    let sql = copy_statement(&first_database(store));
    let (start, mut told) = (Instant::now(), Instant::now());
    for copy in 0..copies {
        let values = [
            ("copy", copy.to_string()),
            ("later_ms", (i64::try_from(copy)? * slice.num_milliseconds()).to_string()),
            ("workspaces", WORKSPACES.to_string()),
        ];
        store.run(&sql, &values)?;
        let is_last = copy + 1 == copies;
        if std::io::stdout().is_terminal() || told.elapsed() > PROGRESS || is_last {
            told = Instant::now();
            tell(copy + 1, copies, start.elapsed());
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a progress line")]
fn tell(done: u64, copies: u64, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    let rate = (done * FIRST_ROWS) as f64 / seconds;
    let left = seconds / done as f64 * (copies - done) as f64;
    let line = format!(
        "bench-lookup: {} of {} rows, {} %, {rate:.0} rows/s, {left:.0} s left",
        done * FIRST_ROWS,
        copies * FIRST_ROWS,
        done * 100 / copies
    );
    let is_last = done == copies;
    if std::io::stdout().is_terminal() && !is_last { print!("\r{line}   ") } else { println!("{line}") }
}

/// The statement of one copy, with `{moved …}` in `copy.sql` written out.
fn copy_statement(first: &str) -> String {
    let mut sql = include_str!("copy.sql").replace("{first}", first);
    while let Some((before, rest)) = sql.split_once("{moved ") {
        let Some((column, after)) = rest.split_once('}') else { break };
        let moved = include_str!("moved_id.sql").replace("{id}", column);
        sql = format!("{before}{}{after}", moved.trim());
    }
    sql
}

/// Waits until ClickHouse has nothing to merge, so that two runs measure the same parts.
fn wait_for_merges(store: &Store) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Row {
        merges: u64,
        parts: u64,
    }
    let sql = format!(
        "SELECT toUInt64((SELECT count() FROM system.merges)) AS merges,
         toUInt64((SELECT count() FROM system.parts WHERE active AND database = '{}')) AS parts",
        store.database
    );
    let (start, mut quiet_since, mut last_parts) = (Instant::now(), Instant::now(), 0);
    while quiet_since.elapsed() < Duration::from_secs(5) {
        ensure!(start.elapsed() < MERGE_PATIENCE, "merges have not ended within {MERGE_PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(500));
        for row in store.rows::<Row>(&sql, &[])? {
            if row.merges > 0 || row.parts != last_parts {
                quiet_since = Instant::now();
            }
            last_parts = row.parts;
        }
    }
    Ok(())
}
