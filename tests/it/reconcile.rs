//! The continuous check on real engines: it sees what is lost, what is doubled, that it was mended, and what a process that
//! died had not checked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gatetrail::config::{Config, Layers};
use gatetrail::event::Run;
use gatetrail::pipeline::reconcile::{Delivered, Place, Reconciler};
use gatetrail::store::client::connect_database;
use gatetrail::telemetry::clock::Clock;
use gatetrail::telemetry::{Metrics, Role};
use serde_json::{Value, json};

use crate::support::{Stage, event, wait_until};

/// Stores so many events in one partition of a topic of its own and leaves, with everything committed.
fn stage_with_events(test: &str, events: u64) -> Stage {
    let stage = Stage::bare(test);
    assert!(stage.run(&["migrate"]).status.success());
    stage.create_topic(&stage.topic(), &[]);
    stage.create_topic(&stage.registry_topic(), &[]);
    let records: Vec<String> = (0..events)
        .map(|number| event(&format!("e-{number}"), "mcp.auth.credential", 60, &json!({})).to_string())
        .collect();
    let consume = stage.start(&["consume"], &[]);
    stage.produce(&records.iter().map(|record| ("k", record.as_bytes())).collect::<Vec<_>>());
    stage.wait_for_rows(events, 0, &consume);
    assert_eq!(consume.stop(), 0);
    stage
}

fn reconciler(stage: &Stage) -> (Reconciler, Metrics) {
    let flags: BTreeMap<String, String> = [
        ("kafka.brokers", stage.brokers.clone()),
        ("kafka.topic", stage.topic()),
        ("kafka.registry_topic", stage.registry_topic()),
        ("kafka.group", stage.name.clone()),
        ("clickhouse.url", stage.clickhouse.clone()),
        ("clickhouse.database", stage.name.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let config = Config::load(&Layers { flags, environment: BTreeMap::new(), file: None }).unwrap();
    let metrics = Metrics::new(Role::Consume, Clock);
    let store = connect_database(&config.clickhouse).unwrap();
    (Reconciler::new(store, metrics.clone(), &config.kafka, config.retention), metrics)
}

fn place(stage: &Stage) -> Place {
    let id = stage.query("SELECT DISTINCT kafka_topic_id AS id FROM {db}.events")[0]["id"].as_str().map(Into::into);
    Place { topic: stage.topic().into(), topic_id: id, partition: 0 }
}

/// One look, as if so many seconds had passed.
fn look(reconciler: &Reconciler, seconds: u64, with_unresolved: bool) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reconciler.look(Instant::now() + Duration::from_secs(seconds), with_unresolved)).unwrap()
}

/// Lost and doubled rows as the metrics show them.
fn gauges(metrics: &Metrics) -> (u64, u64) {
    let text = metrics.encode().unwrap();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{"))).unwrap_or_else(|| panic!("{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    (value("gatetrail_reconcile_lost_rows"), value("gatetrail_reconcile_duplicate_rows"))
}

fn checks(stage: &Stage) -> Vec<Value> {
    stage.query(
        "SELECT first_offset, next_offset, delivered, rows, lost, duplicates, unchecked FROM {db}.ingest_reconciliations \
         ORDER BY checked_at",
    )
}

#[test]
fn lost_and_doubled_rows_show_until_they_are_mended() {
    let stage = stage_with_events("reconcile_rows", 100);
    let (reconciler, metrics) = reconciler(&stage);
    let delivered = |first, next| Delivered {
        place: place(&stage),
        range: Run { first, next },
        records: u64::try_from(next - first).unwrap(),
        dropped: 0,
        times: None,
    };
    reconciler.finished(delivered(0, 40));
    reconciler.finished(delivered(40, 60));
    look(&reconciler, 10, false);
    assert_eq!(gauges(&metrics), (0, 0));
    let expected = json!({"first_offset": 0, "next_offset": 60, "delivered": 60, "rows": 60, "lost": 0, "duplicates": 0, "unchecked": 0});
    assert_eq!(checks(&stage), [expected]);

    stage.execute("ALTER TABLE {db}.events DELETE WHERE kafka_offset IN (61, 99) SETTINGS mutations_sync = 2");
    stage.execute("INSERT INTO {db}.events SELECT * FROM {db}.events WHERE kafka_offset IN (70, 71, 72) SETTINGS async_insert = 0");
    reconciler.finished(delivered(60, 100));
    look(&reconciler, 10, false);
    assert_eq!(gauges(&metrics), (2, 3));
    assert_eq!((&checks(&stage)[1]["lost"], &checks(&stage)[1]["duplicates"]), (&json!(2), &json!(3)));
    look(&reconciler, 10, false);
    assert_eq!(gauges(&metrics), (2, 3), "nothing new finished, and nothing is mended");

    let replay = stage.run(&["replay", "--partition", "0", "--from", "60", "--to", "100"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    look(&reconciler, 10, true);
    assert_eq!(gauges(&metrics), (0, 3));

    reconciler.revoked(&stage.topic(), 0);
    metrics.forget_partition(&stage.topic(), 0);
    assert!(!metrics.encode().unwrap().contains("gatetrail_reconcile_lost_rows{"), "its next owner reports it");
}

#[test]
fn what_a_process_that_died_had_not_checked_is_checked_by_the_next() {
    let stage = stage_with_events("reconcile_taken_over", 50);
    stage.execute("TRUNCATE TABLE {db}.ingest_reconciliations");
    stage.execute(
        "INSERT INTO {db}.ingest_reconciliations (checked_at, kafka_topic, kafka_topic_id, kafka_partition, first_offset, next_offset, \
         delivered, rows, lost) SELECT now64(3) - 60, any(kafka_topic), any(kafka_topic_id), 0, 0, 20, 20, 19, 1 FROM {db}.events",
    );
    stage.execute("ALTER TABLE {db}.events DELETE WHERE kafka_offset IN (5, 30) SETTINGS mutations_sync = 2");
    let (reconciler, metrics) = reconciler(&stage);
    reconciler.assigned(place(&stage), 50);
    assert_eq!(gauges(&metrics), (0, 0));
    assert_eq!(look(&reconciler, 10, false), 0);
    assert_eq!(checks(&stage).len(), 1, "the owner before has time to check itself");
    assert_eq!(look(&reconciler, 100, false), 2);
    assert_eq!(gauges(&metrics), (2, 0), "what it knew to be lost, and what it had not checked");
    let found: Vec<(Value, Value, Value)> = checks(&stage)[1..]
        .iter()
        .map(|row| (row["first_offset"].clone(), row["next_offset"].clone(), row["lost"].clone()))
        .collect();
    assert!(found.contains(&(json!(20), json!(50), json!(1))), "{found:?}");
}

#[test]
fn consume_checks_what_it_stored_by_itself() {
    let stage = Stage::new("reconcile_consume");
    let consume = stage.start(&["consume"], &[]);
    let good = event("good", "mcp.auth.credential", 5, &json!({})).to_string();
    stage.produce(&[("k", good.as_bytes()), ("k", b"{not json"), ("k", good.as_bytes())]);
    stage.wait_for_rows(2, 1, &consume);
    let sums = || {
        stage.query("SELECT sum(delivered) AS delivered, sum(rows) AS rows, sum(dead_letters) AS dead_letters, sum(lost) AS lost, sum(duplicates) AS duplicates FROM {db}.ingest_reconciliations")[0].clone()
    };
    let expected = json!({"delivered": 3, "rows": 2, "dead_letters": 1, "lost": 0, "duplicates": 0});
    wait_until("the check is written down", || sums() == expected, || format!("{}\n{}", sums(), consume.log_text()));
    assert_eq!(consume.stop(), 0);
}
