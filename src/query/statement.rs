//! Runs one SQL file: values bound on the server's side, limits set, rows read as JSON.
//!
//! Every statement carries its function's name as `log_comment`, so that a line of ClickHouse's query log leads to the
//! code. Table names are unqualified: the client's database decides. It does not retry; the caller says so to the person.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clickhouse::Client;
use clickhouse::query::Query;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::QueryError;
use super::page::Page;

/// Seconds after which the server gives a query up.
const MAX_EXECUTION_SECONDS: u64 = 10;
/// Bytes of rows a query may answer with.
const MAX_RESULT_BYTES: u64 = 64 << 20;
/// Bytes of memory a query may use.
const MAX_MEMORY_BYTES: u64 = 2 << 30;
/// When this side stops waiting for a server that does not even give up.
const PATIENCE: Duration = Duration::from_secs(MAX_EXECUTION_SECONDS + 2);

/// What [`super::stored::StoredEvent`] reads.
const EVENT_COLUMNS: &str = include_str!("sql/event_columns.sql");

/// One statement on its way to the store.
pub struct Statement {
    query: Query,
    patience: Duration,
}

impl Statement {
    /// The statement of a function: its name and the text of its SQL file, in which `${event_columns}` stands for all that
    /// is stored of an event, in the form that [`super::stored::StoredEvent`] reads.
    #[must_use]
    pub fn new(client: &Client, function: &'static str, sql: &'static str) -> Self {
        Self::of_text(client, function, sql)
    }

    fn of_text(client: &Client, function: &'static str, sql: &str) -> Self {
        let query = client
            .query_raw(&sql.replace("${event_columns}", EVENT_COLUMNS.trim_end()))
            .with_setting("log_comment", function)
            .with_setting("max_execution_time", MAX_EXECUTION_SECONDS.to_string())
            .with_setting("max_result_bytes", MAX_RESULT_BYTES.to_string())
            .with_setting("max_memory_usage", MAX_MEMORY_BYTES.to_string())
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            .with_setting("date_time_output_format", "iso")
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .with_setting("output_format_json_validate_utf8", "1");
        Self { query, patience: PATIENCE }
    }

    /// [`Statement::new`] with another name in the place of `${events}`: the table, or a view of the same columns.
    #[must_use]
    pub fn over(client: &Client, function: &'static str, sql: &'static str, events: &'static str) -> Self {
        Self::of_text(client, function, &sql.replace("${events}", events))
    }

    /// Lets the server work longer than usual: for what is no page that a person waits for.
    #[must_use]
    pub fn may_take_seconds(self, seconds: u64) -> Self {
        let query = self.query.with_setting("max_execution_time", seconds.to_string());
        Self { query, patience: Duration::from_secs(seconds + 2) }
    }

    /// Binds a value to `{name:Type}`; `None` is NULL.
    #[must_use]
    pub fn bind(self, name: &str, value: impl Serialize) -> Self {
        Self { query: self.query.param(name, value), ..self }
    }

    /// Binds a moment to `{name:DateTime64(6, 'UTC')}`.
    #[must_use]
    pub fn bind_time(self, name: &str, time: DateTime<Utc>) -> Self {
        self.bind(name, store_time(time))
    }

    /// Binds where the page before ended to `{after_time:…}` and `{after_id:…}`; NULL on the first page.
    #[must_use]
    pub fn bind_after(self, page: &Page) -> Self {
        let after = page.after();
        self.bind("after_time", after.map(|after| store_time(after.time)))
            .bind("after_id", after.map(|after| after.id.as_str()))
    }

    /// Stops reading, without an error, after about so many rows: for questions where a partial answer is an answer.
    #[must_use]
    pub fn read_at_most(self, rows: u64) -> Self {
        let query =
            self.query.with_setting("max_rows_to_read", rows.to_string()).with_setting("read_overflow_mode", "break");
        Self { query, ..self }
    }

    /// Tells the server that a few granules are read, so that what it prepares counts more than what it reads: one thread,
    /// its older analyzer, which does not work out every `ALIAS` of a table in each statement (2 ms with ours), and no threads to
    /// write a few rows (0.5 ms).
    #[must_use]
    pub fn reads_little(self) -> Self {
        let query = self
            .query
            .with_setting("max_threads", "1")
            .with_setting("enable_analyzer", "0")
            .with_setting("output_format_parallel_formatting", "0");
        Self { query, ..self }
    }

    /// Runs it and reads every row.
    ///
    /// # Errors
    /// [`QueryError`] when the store cannot be reached, refuses, takes too long, or answers with other columns.
    pub async fn rows<T: DeserializeOwned>(self) -> Result<Vec<T>, QueryError> {
        let read = async {
            let mut cursor = self.query.fetch_bytes("JSONEachRow")?;
            cursor.collect().await
        };
        let bytes = tokio::time::timeout(self.patience, read).await.map_err(|_| QueryError::Timeout)??;
        let mut rows = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            rows.push(serde_json::from_slice(line).map_err(QueryError::StoreAnswer)?);
        }
        Ok(rows)
    }
}

/// A moment as ClickHouse reads a `DateTime64(6, 'UTC')` parameter.
#[must_use]
pub fn store_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::store_time;

    #[test]
    fn a_moment_keeps_its_microseconds() {
        let time: DateTime<Utc> = "2026-11-22T10:00:00.000120Z".parse().unwrap();
        assert_eq!(store_time(time), "2026-11-22 10:00:00.000120");
    }
}
