//! Replays and checks on real engines: what is missing comes back once, what was refused can become good, and the check
//! sees what is lost and what is doubled.

use serde_json::{Value, json};

use crate::support::{Stage, event};

/// The JSON that the binary prints with these arguments and settings, and its exit code.
fn answer(stage: &Stage, arguments: &[&str], settings: &[(&str, &str)]) -> (i32, Value) {
    let output = stage.command(arguments).envs(settings.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"));
    (output.status.code().unwrap(), answer)
}

/// Stores these records with `consume` under some settings and stops it, so that everything is committed.
fn consume(stage: &Stage, records: &[(String, String)], rows: (u64, u64), settings: &[(&str, &str)]) {
    let running = stage.start(&["consume"], settings);
    let records: Vec<(&str, &[u8])> = records.iter().map(|(key, record)| (key.as_str(), record.as_bytes())).collect();
    stage.produce(&records);
    stage.wait_for_rows(rows.0, rows.1, &running);
    assert_eq!(running.stop(), 0);
}

#[test]
fn a_dead_letter_that_a_setting_made_good_becomes_an_event_once() {
    let stage = Stage::new("replay_letters");
    let small = ("GATETRAIL_INGEST_MAX_RECORD_BYTES", "1024");
    let record = |id: &str, message: String| {
        (
            "key".to_owned(),
            event(id, "mcp.auth.credential", 5, &json!({"request_id": id, "message": message})).to_string(),
        )
    };
    let records = [
        record("good-1", String::new()),
        record("large-1", "x".repeat(2_000)),
        ("key".to_owned(), "{not json".to_owned()),
        record("large-2", "y".repeat(2_000)),
        record("good-2", String::new()),
    ];
    consume(&stage, &records, (2, 3), &[small]);
    let events = || stage.count("SELECT count() FROM {db}.events");
    let letters = || stage.count("SELECT count() FROM {db}.dead_letters");
    let arguments = ["replay", "--dead-letters", "--json"];

    let (code, nothing_changed) = answer(&stage, &arguments, &[small]);
    assert_eq!(code, 1);
    assert_eq!(nothing_changed["still_refused"], json!({"record_too_large": 2, "not_json": 1}));
    let (code, dry) = answer(&stage, &["replay", "--dead-letters", "--json", "--dry-run"], &[]);
    assert_eq!((code, &dry["stored"], &dry["inserted_events"]), (1, &json!(2), &json!(2)), "{dry}");
    assert_eq!((events(), letters()), (2, 3), "a dry run stores nothing");

    let (code, first) = answer(&stage, &arguments, &[]);
    assert_eq!(
        (code, &first["letters"], &first["stored"], &first["inserted_events"]),
        (1, &json!(3), &json!(2), &json!(2))
    );
    assert_eq!(first["still_refused"], json!({"not_json": 1}));
    assert_eq!((events(), letters()), (4, 3), "what is still refused is no second dead letter");

    let (code, second) = answer(&stage, &arguments, &[]);
    assert_eq!((code, &second["letters"], &second["inserted_events"]), (1, &json!(1), &json!(0)), "{second}");
    let (code, of_code) = answer(&stage, &["replay", "--dead-letters", "--code", "record_too_large", "--json"], &[]);
    assert_eq!((code, &of_code["letters"]), (0, &json!(0)));
    let (code, too_early) = answer(&stage, &["replay", "--dead-letters", "--until", "-1h", "--json"], &[]);
    assert_eq!((code, &too_early["letters"]), (0, &json!(0)));
    assert_eq!((events(), letters()), (4, 3));

    let (_, listed) = answer(&stage, &["check", "dead-letters", "--json"], &[]);
    let mut states: Vec<(String, String)> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["code"].as_str().unwrap().to_owned(), item["state"].as_str().unwrap().to_owned()))
        .collect();
    states.sort();
    let expected = [("not_json", "still_refused"), ("record_too_large", "replayed"), ("record_too_large", "replayed")];
    assert_eq!(states, expected.map(|(code, state)| (code.to_owned(), state.to_owned())));
    let (code, check) = answer(&stage, &["check", "ingest", "--json"], &[]);
    assert_eq!((code, &check["lost"], &check["duplicates"]), (0, &json!(0), &json!(0)), "{check:#}");
}

#[test]
fn exactly_the_missing_rows_of_a_range_come_back() {
    let stage = Stage::new("replay_range");
    let records: Vec<(String, String)> = (0..400)
        .map(|number| {
            let record = event(&format!("e-{number}"), "mcp.auth.credential", 60, &json!({})).to_string();
            (number.to_string(), if number % 50 == 7 { "{not json".to_owned() } else { record })
        })
        .collect();
    consume(&stage, &records, (392, 8), &[]);
    let end = stage.count(
        "SELECT greatest((SELECT max(kafka_offset) FROM {db}.events WHERE kafka_partition = 0), \
         (SELECT max(kafka_offset) FROM {db}.dead_letters WHERE kafka_partition = 0)) + 1",
    );
    let to = end.to_string();
    let range = ["replay", "--partition", "0", "--from", "0", "--to", &to, "--json"];
    let (code, untouched) = answer(&stage, &range, &[]);
    assert_eq!((code, &untouched["inserted_events"], &untouched["inserted_dead_letters"]), (0, &json!(0), &json!(0)));
    assert_eq!((&untouched["records"], &untouched["already_stored"]), (&json!(end), &json!(end)));
    let check = |expected_code: i32, lost: u64, duplicates: u64| {
        let (code, report) = answer(&stage, &["check", "ingest", "--json"], &[]);
        assert_eq!(
            (code, report["lost"].as_u64(), report["duplicates"].as_u64()),
            (expected_code, Some(lost), Some(duplicates)),
            "{report:#}"
        );
        report
    };
    let report = check(0, 0, 0);
    assert_eq!(report["partitions"].as_array().unwrap().len(), 2);
    assert_eq!(report["partitions"][0]["lag"], 0);

    // Twice, since ClickHouse remembers the token of rows that are gone.
    for _ in 0..2 {
        let a_third = "kafka_partition = 0 AND kafka_offset % 3 = 0";
        let lost = stage.count(&format!("SELECT count() FROM {{db}}.events WHERE {a_third}"));
        let lost_letters = stage.count(&format!("SELECT count() FROM {{db}}.dead_letters WHERE {a_third}"));
        assert!(lost > 20 && lost_letters > 0, "{lost}, {lost_letters}");
        for table in ["events", "dead_letters"] {
            stage.execute(&format!("ALTER TABLE {{db}}.{table} DELETE WHERE {a_third} SETTINGS mutations_sync = 2"));
        }
        let report = check(1, lost + lost_letters, 0);
        assert_eq!(report["partitions"][0]["first_lost"], json!([0, 3, 6, 9, 12]));
        let mut dry: Vec<&str> = range.to_vec();
        dry.push("--dry-run");
        assert_eq!(answer(&stage, &dry, &[]).1["inserted_events"], lost);
        check(1, lost + lost_letters, 0);
        let (code, first) = answer(&stage, &range, &[]);
        assert_eq!(
            (code, &first["inserted_events"], &first["inserted_dead_letters"]),
            (0, &json!(lost), &json!(lost_letters))
        );
        let (code, second) = answer(&stage, &range, &[]);
        assert_eq!((code, &second["inserted_events"], &second["already_stored"]), (0, &json!(0), &json!(end)));
        check(0, 0, 0);
        assert_eq!(stage.count("SELECT count() FROM {db}.events"), 392);
        assert_eq!(stage.count("SELECT count() FROM {db}.dead_letters"), 8);
    }

    stage.execute(
        "INSERT INTO {db}.events SELECT * FROM {db}.events WHERE kafka_partition = 1 LIMIT 3 SETTINGS async_insert = 0",
    );
    check(1, 0, 3);
}

#[test]
fn what_belongs_to_the_consumer_is_refused() {
    let stage = Stage::new("replay_ahead");
    let one = [("k".to_owned(), event("e", "mcp.auth.credential", 5, &json!({})).to_string())];
    let said = |arguments: &[&str]| {
        let output = stage.run(arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, sentence) = said(&["replay", "--partition", "0", "--from", "0", "--to", "1"]);
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("has committed nothing in partition 0"), "{sentence}");
    consume(&stage, &one, (1, 0), &[]);
    let partition = stage.count("SELECT toUInt64(kafka_partition) FROM {db}.events").to_string();
    stage.produce(&[("k", one[0].1.as_bytes())]);
    let (code, sentence) = said(&["replay", "--partition", &partition, "--from", "0", "--to", "2"]);
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("--to may be at most 1"), "{sentence}");
    for (from, to, partition) in [("1", "1", partition.as_str()), ("0", "1", "17")] {
        let (code, sentence) = said(&["replay", "--partition", partition, "--from", from, "--to", to]);
        assert_eq!(code, Some(2), "{sentence}");
    }
    let (code, report) = answer(&stage, &["check", "ingest", "--json"], &[]);
    assert_eq!((code, report["lost"].as_u64()), (0, Some(0)), "what is not committed is lag and not lost");
    let lag: i64 = report["partitions"].as_array().unwrap().iter().map(|check| check["lag"].as_i64().unwrap()).sum();
    assert_eq!(lag, 1);
}
