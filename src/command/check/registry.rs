//! `gatetrail check registry`: what the registry topic holds now, and which of its records cannot be read. Read from Kafka,
//! nothing is stored: a refused record is told by its place and what is wrong with it.

use std::io::Write;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;

use crate::command::Exit;
use crate::command::decode_limits;
use crate::command::terminal::{BAD, OutputStyle, printable};
use crate::config::Config;
use crate::decode::advice;
use crate::enrich::registry::Registry;
use crate::source::registry::{RefusedRecord, RegistryFact, RegistryReader};

/// Refused records that are listed; the rest is counted.
const MOST_LISTED: usize = 100;

/// What `check registry` takes.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct RegistryArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// The answer; the object of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Report {
    topic: String,
    /// Whether it was read to its end.
    complete: bool,
    servers: usize,
    keys: usize,
    /// Records for which there would be no room.
    left_out: u64,
    /// Records that cannot be read.
    refused: u64,
    /// The latest of them.
    refused_records: Vec<RefusedRecord>,
}

/// Reads the topic and prints what it holds; fails when a record cannot be read.
///
/// # Errors
/// What keeps Kafka from answering, or the output from being written.
pub async fn run(
    args: &RegistryArgs,
    config: &Config,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let (settings, limits) = (config.kafka.clone(), decode_limits(config));
    let read = move || -> anyhow::Result<Report> {
        let mut registry = Registry::default();
        let (mut refused, mut refused_records) = (0, std::collections::VecDeque::new());
        let mut take = |fact| match fact {
            RegistryFact::Known(record) => registry.apply(record),
            RegistryFact::Refused(record) => {
                refused += 1;
                refused_records.push_back(record);
                if refused_records.len() > MOST_LISTED {
                    refused_records.pop_front();
                }
            }
        };
        let complete = RegistryReader::connect(&settings, limits)?.read_to_end(&mut take)?;
        let (servers, keys, left_out) = registry.counts();
        let topic = settings.registry_topic;
        Ok(Report { topic, complete, servers, keys, left_out, refused, refused_records: refused_records.into() })
    };
    let report = tokio::task::spawn_blocking(read).await??;
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write_report(out, &report, style)?;
    }
    Ok(if report.refused + report.left_out > 0 || !report.complete { Exit::Failed } else { Exit::Ok })
}

fn write_report(out: &mut impl Write, report: &Report, style: OutputStyle) -> std::io::Result<()> {
    let Report { topic, complete, servers, keys, left_out, refused, refused_records } = report;
    writeln!(out, "{topic}: {servers} servers, {keys} keys")?;
    if !complete {
        writeln!(out, "{}", style.paint("it was not read to its end in time: there is more", BAD))?;
    }
    if *left_out > 0 {
        writeln!(out, "{}", style.paint(&format!("{left_out} records are left out: no room"), BAD))?;
    }
    if *refused == 0 {
        return Ok(());
    }
    writeln!(out, "{}", style.paint(&format!("{refused} records cannot be read"), BAD))?;
    let mut table = style.table(&["partition", "offset", "code", "what", "change"]);
    for record in refused_records {
        table.add_row([
            Cell::new(record.partition),
            Cell::new(record.offset),
            Cell::new(record.code),
            Cell::new(printable(&record.detail)),
            Cell::new(advice(record.code).map_or("", |advice| advice.change)),
        ]);
    }
    writeln!(out, "{table}")
}

#[cfg(test)]
mod tests {
    use super::{OutputStyle, Report, write_report};
    use crate::source::registry::RefusedRecord;

    #[test]
    fn refused_records_are_told_by_their_place_and_what_to_change() {
        let record =
            RefusedRecord { partition: 3, offset: 17, code: "missing_field", detail: "`data.slug` is missing".into() };
        let report = Report {
            topic: "mcp.gateway.registry".into(),
            complete: true,
            servers: 12,
            keys: 30,
            left_out: 0,
            refused: 1,
            refused_records: vec![record],
        };
        let mut out = Vec::new();
        write_report(&mut out, &report, OutputStyle::Plain).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("mcp.gateway.registry: 12 servers, 30 keys\n1 records cannot be read"), "{text}");
        for part in ["3", "17", "missing_field", "`data.slug` is missing"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
