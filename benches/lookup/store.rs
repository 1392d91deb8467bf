//! ClickHouse over HTTP: statements, numbers, and its counters.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

/// One database of the server that the environment names.
pub struct Store {
    agent: ureq::Agent,
    url: String,
    /// The database; statements name their tables without it.
    pub database: String,
}

impl Store {
    /// The server of `GATETRAIL_CLICKHOUSE_URL`.
    pub fn of_environment(database: String) -> anyhow::Result<Self> {
        let url = std::env::var("GATETRAIL_CLICKHOUSE_URL")
            .context("GATETRAIL_CLICKHOUSE_URL is not set: run this with `make bench-lookup`")?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned(), database })
    }

    /// Runs a statement with these bound values and settings; what it answers.
    pub fn run(&self, sql: &str, values: &[(&str, String)]) -> anyhow::Result<String> {
        // These are asked before the database is there, or while it is made anew.
        let needs_no_database = sql.contains(" DATABASE ") || sql.contains("FROM system.");
        let mut call = self.agent.post(format!("{}/", self.url)).query("output_format_json_quote_64bit_integers", "0");
        if !needs_no_database {
            call = call.query("database", &self.database);
        }
        for (name, value) in values {
            call = call.query(format!("param_{name}"), value);
        }
        let mut answer = call.send(sql)?;
        let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
        if !answer.status().is_success() {
            bail!("ClickHouse refused: {text}\n{sql}");
        }
        Ok(text)
    }

    /// The rows of a question.
    pub fn rows<T: DeserializeOwned>(&self, sql: &str, values: &[(&str, String)]) -> anyhow::Result<Vec<T>> {
        let text = self.run(&format!("{sql} FORMAT JSONEachRow"), values)?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// One number.
    pub fn number(&self, sql: &str) -> anyhow::Result<u64> {
        Ok(self.run(sql, &[])?.trim().parse()?)
    }

    /// The server's counters since its start.
    pub fn counters(&self) -> anyhow::Result<Counters> {
        #[derive(serde::Deserialize)]
        struct Row {
            event: String,
            value: u64,
        }
        let rows: Vec<Row> = self.rows("SELECT event, value FROM system.events", &[])?;
        Ok(Counters(rows.into_iter().map(|row| (row.event, row.value)).collect()))
    }
}

/// Values of `system.events`, by name.
pub struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// By how much a counter has grown since `before`; one that was never counted is 0.
    pub fn grown(&self, before: &Self, name: &str) -> u64 {
        let value = |counters: &Self| counters.0.get(name).copied().unwrap_or_default();
        value(self).saturating_sub(value(before))
    }
}
