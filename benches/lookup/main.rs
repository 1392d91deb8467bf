//! Look-up speed through the real API: fills ClickHouse, starts `gatetrail serve`, times random look-ups and pages.
//!
//! Run with `make bench-lookup`, which brings engines of its own. One client, one connection, one request at a time: what
//! one person waits for, HTTP, SQL and join included. What a request reads is the growth of ClickHouse's own counters, so
//! nobody else may use that server meanwhile. [`fill`] makes the rows, [`targets`] picks what is asked for, [`measure`]
//! asks, [`report`] says.

#![expect(clippy::print_stdout, reason = "its progress and its results are for the terminal")]

mod fill;
mod measure;
mod report;
mod roles;
mod store;
mod targets;

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use gatetrail::telemetry::clock::Clock;

/// What is measured, and where.
#[derive(Debug, Parser)]
struct Options {
    /// Least number of rows in `events`; whole copies of the first ones make a few more
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Timed requests of each kind
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(100..))]
    requests: u32,
    /// Directory of the results: lookup-ROWS.json, and lookup-ROWS.md for benches/RESULTS.md
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Only fill
    #[arg(long)]
    fill_only: bool,
    #[arg(long, hide = true, help = "what cargo tells every benchmark")]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let store = store::Store::of_environment(format!("bench_lookup_{}", options.rows))?;
    let filled = fill::fill(&store, options.rows)?;
    if options.fill_only {
        return Ok(());
    }
    let targets = targets::pick(&store, options.requests)?;
    let serve = roles::Serve::start(&store)?;
    let series = measure::measure(&store, &serve, &targets)?;
    drop(serve);
    let report = report::Report::new(Clock.now(), &store, options.requests, filled, series)?;
    print!("{}", report.table());
    std::fs::create_dir_all(&options.output)?;
    for (ending, text) in [("json", report.json()?), ("md", report.section())] {
        let file = options.output.join(format!("lookup-{}.{ending}", options.rows));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
