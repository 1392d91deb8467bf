//! Engines that are not there: exit 4 and a sentence, never a hang or a backtrace.

use crate::support::{Stage, free_port};

#[test]
fn clickhouse_absent_ends_with_4_and_a_sentence() {
    let stage = Stage::bare("absent_clickhouse");
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    for arguments in [vec!["consume"], vec!["migrate"], vec!["lookup", "some-request"], vec!["refreshes"]] {
        let output = stage.command(&arguments).env("GATETRAIL_CLICKHOUSE_URL", &nowhere).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.to_lowercase().contains("clickhouse"), "{arguments:?}: {said}");
    }
}

#[test]
fn kafka_absent_ends_with_4_and_a_sentence() {
    let stage = Stage::new("absent_kafka");
    let nowhere = format!("127.0.0.1:{}", free_port());
    for arguments in [vec!["consume"], vec!["migrate", "--topics"], vec!["simulate", "--events", "10"]] {
        let output = stage.command(&arguments).env("GATETRAIL_KAFKA_BROKERS", &nowhere).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.to_lowercase().contains("kafka"), "{arguments:?}: {said}");
    }
}

#[test]
fn missing_tables_and_topics_name_the_command_that_makes_them() {
    let stage = Stage::bare("absent_tables");
    let output = stage.run(&["consume"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("gatetrail migrate"), "{said}");
    assert!(stage.run(&["migrate"]).status.success());
    let output = stage.run(&["consume"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--topics"), "{said}");
}

#[test]
fn a_schema_from_a_newer_binary_is_refused() {
    let stage = Stage::new("newer_schema");
    stage.query("SELECT 1");
    let insert =
        format!("INSERT INTO {}.schema_migrations (version, step, name) VALUES (9999, 1, 'future')", stage.name);
    ureq::post(stage.clickhouse.trim_end_matches('/')).send(&insert).unwrap();
    for arguments in [["consume"], ["migrate"]] {
        let output = stage.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("9999"), "{said}");
    }
}
