//! Proof by killing: consumers, ClickHouse and the broker die, freeze and lose writes while records keep coming, and in
//! the end every record is stored exactly once.
//!
//! `make test` runs a short script that holds each kind of fault; `make chaos KILLS=500` draws a long one from `SEED`. Both
//! start engines of their own, since they kill them. Linux only: a fault at a part's rename needs `LD_PRELOAD`.
//!
//! Words: a **fault** is one thing done to one process; a **deck** is the list of faults of a run; the **stage** is the
//! database, topic and group; a **slot** is the place of one consumer, whose process is started again after each death.

mod broker;
mod check;
mod clickhouse;
mod consumer;
mod deck;
mod engine;
mod report;
mod run;
mod third;
mod topic_again;
mod traffic;

use run::Run;

/// Faults that `make test` does: every kind once, ClickHouse's losses at each table.
const SHORT: u64 = 0;

#[test]
fn killed_frozen_and_broken_and_every_record_is_stored_exactly_once() {
    if !cfg!(feature = "crash-points") {
        panic!("run this with --features crash-points, as scripts/test does");
    }
    let kills = number("KILLS").unwrap_or(SHORT);
    let seed = number("SEED").unwrap_or_else(rand::random);
    Run::new(seed, kills).play();
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a whole number is expected")))
}
