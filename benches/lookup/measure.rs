//! Asks one request at a time and takes the time until the whole answer is there.

use std::time::Instant;

use anyhow::ensure;
use serde::Serialize;
use serde_json::Value;

use super::roles::Serve;
use super::store::Store;
use super::targets::{Targets, WARM_UP};

/// What requests of one kind took.
#[derive(Debug, Serialize)]
pub struct Series {
    /// What kind it is.
    pub name: &'static str,
    /// How many were timed.
    pub requests: usize,
    /// Milliseconds until the answer was read: the median.
    pub p50_ms: f64,
    /// 90 of a hundred were faster.
    pub p90_ms: f64,
    /// 99 of a hundred were faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// Statements in ClickHouse, per request.
    pub statements: f64,
    /// Rows read by them, per request.
    pub rows_read: f64,
    /// Bytes of the columns of these rows, uncompressed, per request.
    pub bytes_read: f64,
    /// Milliseconds of CPU that ClickHouse spent, per request.
    pub clickhouse_cpu_ms: f64,
    /// Bytes of an answer.
    pub answer_bytes: f64,
    /// Events or items in an answer.
    pub items: f64,
}

/// Times every target.
pub fn measure(store: &Store, serve: &Serve, targets: &[Targets]) -> anyhow::Result<Vec<Series>> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut all = Vec::new();
    for kind in targets {
        println!("bench-lookup: {}", kind.name);
        let (warm_up, timed) = kind.paths.split_at(WARM_UP as usize);
        for path in warm_up {
            ask(&agent, serve, path)?;
        }
        let before = store.counters()?;
        let answers = timed.iter().map(|path| ask(&agent, serve, path)).collect::<anyhow::Result<Vec<Answer>>>()?;
        let after = store.counters()?;
        let mut times: Vec<f64> = answers.iter().map(|answer| answer.ms).collect();
        times.sort_by(f64::total_cmp);
        let number = count(answers.len());
        let each = |name: &str| after.grown(&before, name) as f64 / number;
        all.push(Series {
            name: kind.name,
            requests: answers.len(),
            p50_ms: percentile(&times, 50),
            p90_ms: percentile(&times, 90),
            p99_ms: percentile(&times, 99),
            max_ms: percentile(&times, 100),
            statements: each("SelectQuery"),
            rows_read: each("SelectedRows"),
            bytes_read: each("SelectedBytes"),
            clickhouse_cpu_ms: each("OSCPUVirtualTimeMicroseconds") / 1000.0,
            answer_bytes: answers.iter().map(|answer| count(answer.bytes)).sum::<f64>() / number,
            items: answers.iter().map(|answer| count(answer.items)).sum::<f64>() / number,
        });
    }
    Ok(all)
}

struct Answer {
    ms: f64,
    bytes: usize,
    items: usize,
}

fn ask(agent: &ureq::Agent, serve: &Serve, path: &str) -> anyhow::Result<Answer> {
    let start = Instant::now();
    let mut answer = agent.get(format!("{}{path}", serve.url)).call()?;
    let text = answer.body_mut().read_to_string()?;
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    ensure!(answer.status().is_success(), "{path}: {} {text}", answer.status());
    let body: Value = serde_json::from_str(&text)?;
    let items = ["timeline", "items"].iter().find_map(|name| body[name].as_array()).map_or(0, Vec::len);
    // Every target was picked because it is there: an empty answer would be fast and wrong.
    ensure!(items > 0, "{path}: an empty answer: {text}");
    Ok(Answer { ms, bytes: text.len(), items })
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
