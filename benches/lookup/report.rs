//! What was measured, as a table for the terminal, as JSON, and as a section of `benches/RESULTS.md`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::fill::Filled;
use super::measure::Series;
use super::store::Store;

/// Everything that a reader of the figures needs.
#[derive(Debug, Serialize)]
pub struct Report {
    /// When it was measured.
    pub measured_at: DateTime<Utc>,
    /// The machine's processor and its cores.
    pub machine: String,
    /// ClickHouse's version.
    pub clickhouse: String,
    /// Timed requests of each kind.
    pub requests: u32,
    /// What was filled.
    pub filled: Filled,
    /// Size and parts of each table.
    pub tables: Vec<Table>,
    /// What the requests took.
    pub series: Vec<Series>,
}

/// One table on disk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Active parts.
    pub parts: u64,
    /// Bytes on disk, compressed.
    pub bytes: u64,
}

impl Report {
    /// The report of a run.
    pub fn new(
        measured_at: DateTime<Utc>,
        store: &Store,
        requests: u32,
        filled: Filled,
        series: Vec<Series>,
    ) -> anyhow::Result<Self> {
        let tables = store.rows(
            &format!(
                "SELECT table AS name, count() AS parts, sum(bytes_on_disk) AS bytes FROM system.parts
                 WHERE active AND database = '{}' AND rows > 1000 GROUP BY table ORDER BY table",
                store.database
            ),
            &[],
        )?;
        let clickhouse = store.run("SELECT version()", &[])?.trim().to_owned();
        Ok(Self { measured_at, machine: machine(), clickhouse, requests, filled, tables, series })
    }

    /// The figures as a table.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| request | p50 ms | p90 ms | p99 ms | max ms | statements | rows read | KB read | ClickHouse CPU ms | events or items |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        );
        for one in &self.series {
            text.push_str(&format!(
                "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.1} | {:.1} |\n",
                one.name,
                one.p50_ms,
                one.p90_ms,
                one.p99_ms,
                one.max_ms,
                one.statements,
                one.rows_read,
                one.bytes_read / 1000.0,
                one.clickhouse_cpu_ms,
                one.items
            ));
        }
        text.push_str("\n| table | parts | bytes an event |\n|---|---|---|\n");
        for table in &self.tables {
            text.push_str(&format!("| {} | {} | {:.1} |\n", table.name, table.parts, self.bytes_an_event(table)));
        }
        text
    }

    /// The figures as JSON.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The text of the section.
    pub fn section(&self) -> String {
        format!(
            "`make bench-lookup` with {} events over 29 days: {} timed requests of each kind, one at a time over one connection, through the API of \
             `gatetrail serve`; targets drawn at random. Rows and bytes are what ClickHouse counts as selected, by request.\n\n\
             {}, ClickHouse {}, {}.\n\n{}",
            self.filled.rows,
            self.requests,
            self.machine,
            self.clickhouse,
            self.measured_at.format("%Y-%m-%d"),
            self.table()
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    fn bytes_an_event(&self, table: &Table) -> f64 {
        table.bytes as f64 / self.filled.rows as f64
    }
}

/// Cores and model of the processor, as far as the system tells.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = about.lines().find(|line| line.starts_with("model name"));
    let model = line.and_then(|line| line.split(": ").nth(1)).unwrap_or("a processor that does not tell its name");
    format!("{cores} cores of {model}")
}
