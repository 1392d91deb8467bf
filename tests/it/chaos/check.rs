//! Whether every record is stored exactly once: raw rows of both tables, their contents, and what the views made of them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use super::traffic::{POISON_EVERY, POISON_REST};
use crate::support::Stage;

/// How long the group may take to store and commit everything once nothing new comes.
const QUIET: Duration = Duration::from_secs(90);
/// Most lost or doubled ranges that a failure names.
const SHOWN: usize = 12;

/// What the group has committed on each partition; `None` where nothing is.
fn committed(stage: &Stage, topic: &str, partitions: usize) -> Option<Vec<Option<u64>>> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &stage.brokers).set("group.id", &stage.name).create().unwrap();
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions {
        asked.add_partition(topic, i32::try_from(partition).unwrap());
    }
    let found = consumer.committed_offsets(asked, Duration::from_secs(5)).ok()?;
    let of = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => u64::try_from(offset).ok(),
        _ => None,
    };
    Some(found.elements().into_iter().map(of).collect())
}

/// Waits until the group has committed exactly what was produced.
pub fn wait_until_committed(stage: &Stage, produced: &[u64]) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let found = committed(stage, &stage.topic(), produced.len());
        let all: Vec<Option<u64>> = produced.iter().map(|records| (*records > 0).then_some(*records)).collect();
        if found.as_ref() == Some(&all) {
            return Ok(());
        }
        if start.elapsed() > QUIET {
            return Err(format!("the group has committed {found:?} of {produced:?} after {QUIET:?}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Compares what is stored with what was produced, by partition.
pub fn check(stage: &Stage, produced: &[u64]) -> Result<(), String> {
    let rows = stage.query(include_str!("../sql/exact_rows.sql"));
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| ["partition", "rows", "identities", "first", "next"].map(|name| number(row, name)))
        .collect();
    let expected: Vec<_> = (0_u64..)
        .zip(produced)
        .filter(|(_, records)| **records > 0)
        .map(|(partition, records)| [partition, *records, *records, 0, *records])
        .collect();
    if found != expected {
        return Err(explain(stage, &found, &expected));
    }
    let ids: Vec<&str> = rows.iter().map(|row| row["topic_id"].as_str().unwrap()).collect();
    if ids.iter().any(|id| id.is_empty() || *id != ids[0]) {
        return Err(format!("rows of several topics, or of none: {ids:?}"));
    }
    contents(stage)?;
    views(stage)?;
    gaps(stage)
}

/// Every row holds the record of its place.
fn contents(stage: &Stage) -> Result<(), String> {
    let place = "concat(toString(kafka_partition), '-', toString(kafka_offset))";
    let wrong_events = stage.query(&format!(
        "SELECT kafka_partition, kafka_offset, event_id FROM {{db}}.events
         WHERE event_id != {place} OR kafka_offset % {POISON_EVERY} = {POISON_REST} OR kafka_index != 0 LIMIT 5"
    ));
    let wrong_letters = stage.query(&format!(
        "SELECT kafka_partition, kafka_offset, code, excerpt FROM {{db}}.dead_letters
         WHERE code != 'not_json' OR excerpt != concat('{{not json ', {place}) OR kafka_offset % {POISON_EVERY} != {POISON_REST}
            OR kafka_index != 0 LIMIT 5"
    ));
    if wrong_events.is_empty() && wrong_letters.is_empty() {
        return Ok(());
    }
    Err(format!("rows that are not those of their records: {wrong_events:#?} {wrong_letters:#?}"))
}

/// Each view's target holds what the view's own statement makes of the rows that are there now.
fn views(stage: &Stage) -> Result<(), String> {
    let views = stage.query(
        "SELECT name, as_select FROM system.tables WHERE database = '{db}' AND engine = 'MaterializedView' ORDER BY name",
    );
    let names: Vec<&str> = views.iter().map(|view| view["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lookup_view"], "a new view needs its comparison here");
    let recomputed = views[0]["as_select"].as_str().unwrap();
    // The target keeps several rows a key until its parts are merged, and whole seconds.
    let seconds = |moment: &str| format!("toUnixTimestamp(toDateTime({moment}, 'UTC'))");
    let key = "id_hash, toInt8(kind) AS kind_number, workspace, slug, connection, week";
    let columns = format!("{key}, {} AS first, {} AS last", seconds("min(first_time)"), seconds("max(last_time)"));
    let group = "id_hash, kind_number, workspace, slug, connection, week";
    let stored = format!("SELECT {columns} FROM {{db}}.lookup GROUP BY {group}");
    let recomputed = format!("SELECT {columns} FROM ({recomputed}) GROUP BY {group}");
    for (left, right, what) in [(&stored, &recomputed, "only in lookup"), (&recomputed, &stored, "missing in lookup")] {
        let different = stage.query(&format!("SELECT * FROM ({left} EXCEPT {right}) LIMIT 5"));
        if !different.is_empty() {
            return Err(format!("the look-up table is not what its view makes of events; {what}: {different:#?}"));
        }
    }
    Ok(())
}

/// No gap was recorded: nothing was deleted from Kafka.
fn gaps(stage: &Stage) -> Result<(), String> {
    if stage.count("SELECT count() FROM system.tables WHERE database = '{db}' AND name = 'ingest_gaps'") == 0 {
        return Ok(());
    }
    let gaps = stage.query("SELECT * FROM {db}.ingest_gaps LIMIT 5");
    if gaps.is_empty() { Ok(()) } else { Err(format!("gaps were recorded, and there are none: {gaps:#?}")) }
}

/// Names what is lost and what is there more than once, by ranges of offsets, and what the logs say of them.
fn explain(stage: &Stage, found: &[[u64; 5]], expected: &[[u64; 5]]) -> String {
    let mut text = String::from("rows by partition as [partition, rows, identities, first, next]\n");
    let mut ranges = Vec::new();
    for wanted @ [partition, records, ..] in expected {
        let stored = found.iter().find(|row| row[0] == *partition);
        writeln!(text, "  {stored:?}, expected {wanted:?}").unwrap();
        if stored == Some(wanted) {
            continue;
        }
        let rows = format!(
            "SELECT kafka_offset AS offset, 'events' AS table, _part AS part, inserted_at FROM {{db}}.events WHERE kafka_partition = {partition}
             UNION ALL SELECT kafka_offset, 'dead_letters', _part, inserted_at FROM {{db}}.dead_letters WHERE kafka_partition = {partition}"
        );
        for (what, offsets) in [
            (
                "lost",
                format!(
                    "SELECT number AS offset FROM numbers({records}) WHERE offset NOT IN (SELECT toUInt64(offset) FROM ({rows}))"
                ),
            ),
            ("stored more than once", format!("SELECT offset FROM ({rows}) GROUP BY offset HAVING count() > 1")),
        ] {
            let runs = stage.query(&format!(
                "SELECT min(offset) AS first, max(offset) + 1 AS next FROM
                 (SELECT offset, offset - row_number() OVER (ORDER BY offset) AS run FROM ({offsets})) GROUP BY run ORDER BY first LIMIT {SHOWN}"
            ));
            for run in runs {
                let (first, next) = (run["first"].as_u64().unwrap(), run["next"].as_u64().unwrap());
                let parts = stage.query(&format!(
                    "SELECT table, part, min(offset) AS first, max(offset) + 1 AS next, min(inserted_at) AS inserted, count() AS rows
                     FROM ({rows}) WHERE offset >= {first} AND offset < {next} GROUP BY table, part ORDER BY table, inserted"
                ));
                writeln!(text, "  partition {partition}: {first}..{next} {what}; they lie in {}", Value::from(parts))
                    .unwrap();
                ranges.push((*partition, first, next));
            }
        }
    }
    for row in found.iter().filter(|row| !expected.iter().any(|wanted| wanted[0] == row[0])) {
        writeln!(text, "  {row:?}, expected nothing").unwrap();
    }
    text.push_str(&lines_about(&stage.file("."), &ranges));
    text
}

/// Lines of the consumers' logs that name a token or plan over one of the ranges.
fn lines_about(logs: &Path, ranges: &[(u64, u64, u64)]) -> String {
    let token = regex::Regex::new(r"v1:[^: ]*:[^: ]*:(\d+):(\d+):(\d+)").unwrap();
    let plan = regex::Regex::new(r"partition=(\d+).* first=(\d+) next=(\d+)").unwrap();
    let mut text = String::new();
    let mut files: Vec<_> = std::fs::read_dir(logs).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "log")) {
        let log = std::fs::read_to_string(file).unwrap_or_default();
        let about = |line: &&str| {
            let found = token.captures(line).or_else(|| plan.captures(line));
            let numbers = found.map(|found| [1, 2, 3].map(|group| found[group].parse::<u64>().unwrap_or(u64::MAX)));
            numbers.is_some_and(|[partition, first, next]| {
                ranges.iter().any(|(of, from, to)| *of == partition && first < *to && next > *from)
            })
        };
        for line in log.lines().filter(about).take(40) {
            writeln!(text, "{}: {line}", file.file_name().unwrap_or_default().to_string_lossy()).unwrap();
        }
    }
    text
}
