//! The topic is deleted and created anew under its name: the same offsets are other records, and both are stored once.

use serde_json::{Value, json};

use crate::support::{Running, Stage, event, wait_until};

const SHORTER: u64 = 120;
const FIRST: u64 = 300;
const LONGER: u64 = 450;

fn records(prefix: &str, count: u64) -> Vec<String> {
    (0..count)
        .map(|number| event(&format!("{prefix}-{number}"), "mcp.auth.credential", 5, &json!({})).to_string())
        .collect()
}

fn produce(stage: &Stage, prefix: &str, count: u64) {
    let records = records(prefix, count);
    // One key, so one partition: the offsets of both topics overlap.
    stage.produce(&records.iter().map(|record| ("one key", record.as_bytes())).collect::<Vec<_>>());
}

/// Rows and distinct rows whose id begins so, and how many topic ids they name.
fn stored(stage: &Stage, prefix: &str) -> [u64; 3] {
    let row = &stage.query(&format!(
        "SELECT count() AS rows, uniqExact(event_id) AS ids, uniqExact(kafka_topic_id) AS topics
         FROM {{db}}.events WHERE startsWith(event_id, '{prefix}-')"
    ))[0];
    ["rows", "ids", "topics"].map(|name| row[name].as_u64().unwrap())
}

fn wait_for(stage: &Stage, prefix: &str, count: u64, consume: &Running) {
    wait_until(
        &format!("all records of {prefix} are stored once"),
        || stored(stage, prefix) == [count, count, 1],
        || format!("{:?} of {count}\n{}", stored(stage, prefix), consume.log_text()),
    );
}

fn create_again(stage: &Stage) {
    stage.delete_topic(&stage.topic());
    let output = stage.run(&["migrate", "--topics", "--partitions", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn topic_ids(stage: &Stage) -> Vec<Value> {
    stage.query("SELECT DISTINCT kafka_topic_id FROM {db}.events")
}

#[test]
fn a_topic_created_anew_while_it_is_read_is_read_from_its_beginning() {
    for (name, count) in [("fewer_records", SHORTER), ("more_records", LONGER)] {
        let stage = Stage::new(name);
        let consume = stage.start(&["consume"], &[]);
        produce(&stage, "first", FIRST);
        wait_for(&stage, "first", FIRST, &consume);
        create_again(&stage);
        produce(&stage, "second", count);
        wait_for(&stage, "second", count, &consume);
        assert_eq!(stored(&stage, "first"), [FIRST, FIRST, 1], "the first topic's rows stay as they were");
        assert_eq!(topic_ids(&stage).len(), 2, "{name}");
        consume.stop_well();
    }
}

#[test]
fn a_plan_of_a_topic_that_was_deleted_promises_nothing_about_the_next_one() {
    let stage = Stage::new("plan_of_deleted_topic");
    let mut consume = stage.start(&["consume"], &[("GATETRAIL_CRASH_AT", "plan-committed")]);
    produce(&stage, "first", FIRST);
    consume.wait_for_end();
    create_again(&stage);
    produce(&stage, "second", LONGER);
    let consume = stage.start(&["consume"], &[]);
    wait_for(&stage, "second", LONGER, &consume);
    consume.stop_well();
}
