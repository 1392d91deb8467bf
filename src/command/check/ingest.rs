//! `gatetrail check ingest`: what Kafka has against what is stored, partition by partition, with Kafka read again.
//!
//! Every offset of the range that Kafka delivers must have a row in `events` or `dead_letters`, or be a known gap, and no
//! row may be there twice. Only what the group has committed is looked at: the rest may be on its way at this moment.

mod partition;

use std::io::Write;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use comfy_table::Cell;
use serde::Serialize;

use self::partition::{Checker, PartitionCheck};
use crate::command::Exit;
use crate::command::replay::group_position;
use crate::command::terminal::{BAD, GOOD, OutputStyle, printable};
use crate::config::Config;
use crate::query::stored_ranges::{TopicName, last_reconciliations};
use crate::query::{QueryError, TimeRange, parse_time};
use crate::source::reread::RangeReader;
use crate::store::client::connect_database;
use crate::store::migrate::verify;

/// How far back a check goes without `--from`.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(1);

/// What `check ingest` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct IngestArgs {
    /// Records from this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: -1h]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Records before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this topic [default: every topic of kafka.topic]
    #[arg(long)]
    topic: Option<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// The answer; the object of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Report {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Offsets without a row, of all partitions.
    lost: u64,
    /// Rows that are stored once too often, of all partitions.
    duplicates: u64,
    partitions: Vec<PartitionCheck>,
}

/// Checks, prints, and fails when something is lost or doubled.
///
/// # Errors
/// A time that cannot be read; what keeps Kafka or ClickHouse from answering; a schema that this binary does not know.
pub async fn run(
    args: &IngestArgs,
    config: &Config,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let times = args.times(now)?;
    let store = connect_database(&config.clickhouse)?;
    verify(&store, &config.clickhouse.database).await?;
    let topics = args.topic.clone().map_or_else(|| config.kafka.topics.clone(), |topic| vec![topic]);
    let mut reader = RangeReader::new(&config.kafka)?;
    let mut partitions = Vec::new();
    for topic in &topics {
        let numbers = reader.partitions(topic)?;
        let topic_id = reader.topic_id(topic)?;
        let name = TopicName { topic, topic_id: topic_id.as_deref() };
        let committed = group_position(&config.kafka, topic, topic_id.as_deref(), &numbers)?;
        let mut last = last_reconciliations(&store, name).await?;
        let mut checker = Checker { store: &store, reader: &mut reader, topic: name, times, now };
        for number in numbers {
            let mut check = checker.check(number, committed.get(&number).copied()).await?;
            check.last_check = last.remove(&number).map(Into::into);
            partitions.push(check);
        }
    }
    let report = Report {
        from: times.from,
        to: times.to,
        lost: partitions.iter().map(|check| check.lost).sum(),
        duplicates: partitions.iter().map(|check| check.duplicates).sum(),
        partitions,
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        write_report(out, &report, style)?;
    }
    Ok(if report.lost + report.duplicates > 0 { Exit::Failed } else { Exit::Ok })
}

impl IngestArgs {
    fn times(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        let time = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, now)).transpose()
        };
        TimeRange::of(time("from", &self.from)?, time("to", &self.to)?, now, DEFAULT_LENGTH)
    }
}

fn write_report(out: &mut impl Write, report: &Report, style: OutputStyle) -> std::io::Result<()> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    writeln!(out, "records from {} to {}, as far as the group has committed", time(report.from), time(report.to))?;
    let mut table = style.table(&[
        "topic",
        "partition",
        "offsets",
        "records",
        "events",
        "dead letters",
        "gaps",
        "unchecked",
        "lost",
        "duplicates",
        "lag",
        "newest",
        "last check",
    ]);
    for check in &report.partitions {
        let age = |milliseconds: Option<i64>| milliseconds.map_or_else(|| "-".to_owned(), short_age);
        let last = check.last_check.as_ref().map_or_else(
            || "never".to_owned(),
            |last| match last.lost + last.duplicates {
                0 => format!("{} ago: ok", short_age((report.to - last.checked_at).num_milliseconds())),
                _ => format!("{} lost, {} duplicates", last.lost, last.duplicates),
            },
        );
        table.add_row([
            Cell::new(printable(&check.topic)),
            Cell::new(check.partition),
            Cell::new(format!("{}..{}", check.from, check.to)),
            Cell::new(check.records),
            Cell::new(check.event_rows),
            Cell::new(check.dead_letter_rows),
            Cell::new(check.gaps),
            Cell::new(check.unchecked),
            Cell::new(check.lost),
            Cell::new(check.duplicates),
            Cell::new(check.lag),
            Cell::new(age(check.newest_record_age_ms)),
            Cell::new(last),
        ]);
    }
    writeln!(out, "{table}")?;
    for check in report.partitions.iter().filter(|check| check.begins_with_log) {
        writeln!(
            out,
            "partition {} of {}: Kafka begins at offset {}; what was before it cannot be compared",
            check.partition,
            printable(&check.topic),
            check.from
        )?;
    }
    for check in report.partitions.iter().filter(|check| check.lost > 0) {
        let offsets: Vec<String> = check.first_lost.iter().map(i64::to_string).collect();
        let more = if check.lost > u64::try_from(offsets.len()).unwrap_or(u64::MAX) { ", …" } else { "" };
        let first = check.first_lost.first().copied().unwrap_or(check.from);
        writeln!(
            out,
            "lost in partition {}: {}{more}; `gatetrail replay --topic {} --partition {} --from {first} --to {}` stores what Kafka still has",
            check.partition,
            offsets.join(", "),
            printable(&check.topic),
            check.partition,
            check.to
        )?;
    }
    let verdict = match (report.lost, report.duplicates) {
        (0, 0) => style.paint("nothing lost, nothing doubled", GOOD),
        (lost, duplicates) => style.paint(&format!("{lost} lost, {duplicates} duplicate rows"), BAD),
    };
    writeln!(out, "{verdict}")
}

/// An age as a person says it: `12 s`, `7 min`, `3 h`, `9 d`.
fn short_age(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::partition::{LastCheck, PartitionCheck};
    use super::{IngestArgs, OutputStyle, Report, short_age, write_report};

    #[test]
    fn a_check_covers_the_last_hour_unless_told_otherwise() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let times = IngestArgs::default().times(now).unwrap();
        assert_eq!((times.to - times.from).num_minutes(), 60);
        let wrong = IngestArgs { from: Some("yesterday".into()), ..IngestArgs::default() };
        assert_eq!(wrong.times(now).unwrap_err().code(), "bad_time");
    }

    #[test]
    fn ages_are_short() {
        let cases = [(-5, "0 s"), (119_999, "119 s"), (120_000, "2 min"), (7_200_000, "2 h"), (172_800_000, "2 d")];
        for (milliseconds, said) in cases {
            assert_eq!(short_age(milliseconds), said);
        }
    }

    #[test]
    fn the_report_for_a_terminal() {
        let (from, to) = ("2026-11-23T09:00:00Z".parse().unwrap(), "2026-11-23T10:00:00Z".parse().unwrap());
        let good = PartitionCheck {
            topic: "mcp.gateway.events".into(),
            partition: 0,
            from: 1_200,
            to: 2_400,
            records: 1_199,
            event_rows: 1_190,
            dead_letter_rows: 9,
            lag: 12,
            newest_record_age_ms: Some(1_500),
            last_check: Some(LastCheck {
                checked_at: "2026-11-23T09:59:20Z".parse().unwrap(),
                checked_to: 2_400,
                lost: 0,
                duplicates: 0,
            }),
            ..PartitionCheck::default()
        };
        let bad = PartitionCheck {
            partition: 1,
            lost: 25,
            first_lost: vec![1_300, 1_301, 1_377],
            duplicates: 2,
            gaps: 4,
            last_check: None,
            newest_record_age_ms: None,
            begins_with_log: true,
            ..good.clone()
        };
        let report = Report { from, to, lost: 25, duplicates: 2, partitions: vec![good, bad] };
        let mut out = Vec::new();
        write_report(&mut out, &report, OutputStyle::Plain).unwrap();
        let lines: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
