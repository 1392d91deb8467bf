//! `gatetrail replay --partition`: stores whatever of a range of offsets is in neither table.

use std::io::Write;
use std::sync::Arc;

use clickhouse::Client;
use indicatif::ProgressBar;
use serde::Serialize;

use super::batches::{Part, Place, read_part, seal};
use super::{ReplayError, counted, group_position, progress_bar};
use crate::command::steps::{registry_now, steps};
use crate::command::{Exit, decode_limits};
use crate::config::Config;
use crate::event::Run;
use crate::query::stored_ranges::{ALL_TIME, TopicName, stored_counts};
use crate::source::reread::RangeReader;
use crate::store::client::connect_database;
use crate::store::fill::{Filled, MissingFrom, fill_missing};
use crate::store::migrate::verify;

/// The range that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub from: i64,
    pub to: i64,
    pub dry_run: bool,
}

/// What came of it; the object of `--json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Summary {
    topic: String,
    partition: i32,
    from: i64,
    to: i64,
    dry_run: bool,
    /// Records read.
    records: u64,
    /// Rows of them that were stored before.
    already_stored: u64,
    inserted_events: u64,
    inserted_dead_letters: u64,
    /// Rows that ClickHouse confirmed and does not show.
    vanished: u64,
    /// Records with a row that ClickHouse cannot take.
    refused_by_store: u64,
    /// Offsets at the beginning of the range that Kafka no longer has and no table has either.
    gone_from_kafka: u64,
}

/// Runs it.
pub(super) async fn run(
    asked: &Asked<'_>,
    json: bool,
    config: &Config,
    output: &mut impl Write,
) -> anyhow::Result<Exit> {
    if asked.from >= asked.to {
        return Err(ReplayError::EmptyRange.into());
    }
    let store = connect_database(&config.clickhouse)?;
    verify(&store, &config.clickhouse.database).await?;
    let mut reader = RangeReader::new(&config.kafka)?;
    let topic_id = reader.topic_id(asked.topic)?;
    check_position(asked, topic_id.as_deref(), &reader, config)?;
    let place = Place { topic: Arc::from(asked.topic), topic_id: topic_id.map(Arc::from), partition: asked.partition };
    let progress = progress_bar(u64::try_from(asked.to - asked.from)?, "offsets")?;
    let summary = replay(asked, &place, &mut reader, &store, config, &progress).await?;
    progress.finish_and_clear();
    if json {
        writeln!(output, "{}", serde_json::to_string(&summary)?)?;
    } else {
        write_summary(&summary, output)?;
    }
    Ok(if summary.gone_from_kafka + summary.vanished + summary.refused_by_store > 0 { Exit::Failed } else { Exit::Ok })
}

/// Refuses what belongs to the consumer: it may be storing it at this moment.
fn check_position(
    asked: &Asked<'_>,
    topic_id: Option<&str>,
    reader: &RangeReader,
    config: &Config,
) -> anyhow::Result<()> {
    let (topic, partition) = (asked.topic.to_owned(), asked.partition);
    if !reader.partitions(asked.topic)?.contains(&partition) {
        return Err(ReplayError::NoPartition { topic, partition }.into());
    }
    let group = config.kafka.group.clone();
    match group_position(&config.kafka, asked.topic, topic_id, &[partition])?.get(&partition) {
        Some(committed) if asked.to <= *committed => Ok(()),
        Some(committed) => Err(ReplayError::AheadOfGroup { group, topic, partition, committed: *committed }.into()),
        None => Err(ReplayError::NothingCommitted { group, topic, partition }.into()),
    }
}

async fn replay(
    asked: &Asked<'_>,
    place: &Place,
    reader: &mut RangeReader,
    store: &Client,
    config: &Config,
    progress: &ProgressBar,
) -> anyhow::Result<Summary> {
    let Asked { topic, partition, from, to, dry_run } = *asked;
    let mut summary = Summary { topic: topic.to_owned(), partition, from, to, dry_run, ..Summary::default() };
    let mut steps = steps(config, registry_now(config, decode_limits(config)))?;
    let bounds = reader.open(topic, partition, Run { first: from, next: to })?;
    let gone = Run { first: from, next: bounds.low.min(to) };
    summary.gone_from_kafka = not_stored(store, place, gone).await?;
    let mut part = Part::default();
    while !part.is_last {
        part = read_part(reader, &mut steps, place, part, &mut |_| true)?;
        summary.records += part.records;
        let Some((span, inserts)) = seal(&mut part, place)? else { continue };
        let filled = fill_missing(store, &span, &inserts, MissingFrom::Both, dry_run).await?;
        summary.add(&filled);
        progress.set_position(u64::try_from(span.next - from).unwrap_or(0));
    }
    Ok(summary)
}

/// Offsets of a range that Kafka no longer has, less those that are stored.
async fn not_stored(store: &Client, place: &Place, gone: Run) -> anyhow::Result<u64> {
    if gone.is_empty() {
        return Ok(0);
    }
    let topic = TopicName { topic: &place.topic, topic_id: place.topic_id.as_deref() };
    let counts = stored_counts(store, topic, &[(place.partition, gone)].into(), ALL_TIME).await?;
    Ok(gone.len().saturating_sub(counts.get(&place.partition).map_or(0, |counts| counts.offsets)))
}

impl Summary {
    fn add(&mut self, filled: &Filled) {
        self.already_stored += filled.present;
        self.inserted_events += filled.events;
        self.inserted_dead_letters += filled.dead_letters;
        self.vanished += filled.vanished;
        self.refused_by_store += u64::try_from(filled.refused.len()).unwrap_or(u64::MAX);
    }
}

fn write_summary(summary: &Summary, output: &mut impl Write) -> std::io::Result<()> {
    let Summary { topic, partition, from, to, records, already_stored, .. } = summary;
    let inserted = summary.inserted_events + summary.inserted_dead_letters;
    writeln!(output, "{topic}, partition {partition}, offsets {from} to {to}: {} read", counted(*records, "record"))?;
    let not_stored = summary.vanished + summary.refused_by_store;
    match (inserted, summary.dry_run) {
        (0, _) if not_stored == 0 => {
            writeln!(output, "nothing is missing: all {already_stored} rows were stored before")?
        }
        (_, dry_run) => writeln!(
            output,
            "{} {} and {}; {already_stored} stored before",
            if dry_run { "would insert" } else { "inserted" },
            counted(summary.inserted_events, "event"),
            counted(summary.inserted_dead_letters, "dead letter"),
        )?,
    }
    if summary.gone_from_kafka > 0 {
        writeln!(
            output,
            "{} can no longer be replayed: Kafka has deleted them, and no table has them",
            counted(summary.gone_from_kafka, "offset")
        )?;
    }
    if summary.refused_by_store > 0 {
        writeln!(output, "{} cannot be stored: ClickHouse refuses a row", counted(summary.refused_by_store, "record"))?;
    }
    if summary.vanished > 0 {
        writeln!(
            output,
            "{} confirmed by ClickHouse and not there: are they older than the retention?",
            counted(summary.vanished, "row")
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Summary, write_summary};

    fn said(summary: &Summary) -> String {
        let mut output = Vec::new();
        write_summary(summary, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_summary_says_what_was_missing_and_what_is_gone() {
        let summary = Summary { topic: "t".into(), partition: 2, from: 10, to: 30, records: 18, ..Summary::default() };
        let second = Summary { already_stored: 18, ..summary.clone() };
        assert_eq!(
            said(&second),
            "t, partition 2, offsets 10 to 30: 18 records read\nnothing is missing: all 18 rows were stored before\n"
        );
        let first = Summary { already_stored: 15, inserted_events: 1, inserted_dead_letters: 2, ..summary.clone() };
        assert!(said(&first).ends_with("inserted 1 event and 2 dead letters; 15 stored before\n"));
        let dry = Summary { dry_run: true, ..first };
        assert!(said(&dry).contains("would insert 1 event"));
        let gone = Summary { gone_from_kafka: 1, vanished: 3, ..summary };
        assert!(said(&gone).contains("1 offset can no longer be replayed"), "{}", said(&gone));
        assert!(said(&gone).contains("3 rows confirmed by ClickHouse and not there"));
    }
}
