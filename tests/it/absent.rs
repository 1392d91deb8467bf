//! Engines that are not there: exit 4 and a sentence, never a hang or a backtrace; `consume` waits for them.

use crate::support::{Stage, free_port, get, wait_until};

#[test]
fn clickhouse_absent_ends_with_4_and_a_sentence() {
    let stage = Stage::bare("absent_clickhouse");
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    for arguments in [vec!["migrate"], vec!["lookup", "some-request"], vec!["refreshes"]] {
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
    for arguments in [vec!["migrate", "--topics"], vec!["simulate", "--events", "10"]] {
        let output = stage.command(&arguments).env("GATETRAIL_KAFKA_BROKERS", &nowhere).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.to_lowercase().contains("kafka"), "{arguments:?}: {said}");
    }
}

/// It says once what it waits for, its readiness names the part, and it ends when it is asked to.
fn assert_consume_waits_for(part: &str, setting: &str, nowhere: &str, stage: &Stage) {
    let admin = format!("127.0.0.1:{}", free_port());
    let consume = stage.start(&["consume"], &[(setting, nowhere), ("GATETRAIL_ADMIN_LISTEN", &admin)]);
    let sentence = format!("waiting for {part}");
    wait_until("it says what it waits for", || consume.log_text().contains(&sentence), || consume.log_text());
    let (status, answer) = get(&format!("http://{admin}/readyz"));
    assert_eq!(status, 503, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains(part), "{answer}");
    assert_eq!(get(&format!("http://{admin}/livez")).0, 200);
    assert_eq!(consume.log_text().matches(&sentence).count(), 1, "{}", consume.log_text());
    assert_eq!(consume.stop(), 0);
}

#[test]
fn consume_waits_for_clickhouse() {
    let stage = Stage::bare("wait_clickhouse");
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    assert_consume_waits_for("clickhouse", "GATETRAIL_CLICKHOUSE_URL", &nowhere, &stage);
}

#[test]
fn consume_waits_for_kafka() {
    let stage = Stage::new("wait_kafka");
    let nowhere = format!("127.0.0.1:{}", free_port());
    assert_consume_waits_for("kafka", "GATETRAIL_KAFKA_BROKERS", &nowhere, &stage);
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
