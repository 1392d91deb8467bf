//! From Kafka into the tables: nothing lost, nothing blocking, nothing unscrubbed.

use serde_json::{Value, json};

use crate::support::{Stage, event, now_minus, wait_until};

#[test]
fn bad_records_become_dead_letters_and_stop_nothing() {
    let stage = Stage::new("bad_records");
    let consume = stage.start(&["consume"], &[]);
    let good = event("good", "mcp.auth.credential", 5, &json!({"request_id": "r-good"})).to_string();
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let future = json!({"id": "f", "source": "s", "type": "t", "time": now_minus(-7_200), "data": {"hop": "upstream", "outcome": "success"}}).to_string();
    let unknown = event(
        "unknown",
        "mcp.auth.telepathy",
        5,
        &json!({"hop": "sideways", "request_id": "it's \"quoted\" / '; DROP TABLE events; --"}),
    )
    .to_string();
    let records: [(&[u8], Option<&str>); 10] = [
        (b"{not json", Some("not_json")),
        (b"[1,2]", Some("not_an_object")),
        (b"{\"id\":\"x\"}", Some("missing_field")),
        (b"\xff\xfe\x00", Some("not_utf8")),
        (b"{\"id\":\"a\",\"id\":\"b\"}", Some("duplicate_field")),
        (b"{\"id\":\"nul\0\"}", Some("not_json")),
        (deep.as_bytes(), Some("nested_too_deep")),
        (future.as_bytes(), Some("time_in_future")),
        (unknown.as_bytes(), None),
        (good.as_bytes(), None),
    ];
    stage.produce(&records.map(|(record, _)| ("key", record)));
    stage.wait_for_rows(2, 8, &consume);
    let rows = stage.query("SELECT code, kafka_offset, field, excerpt FROM {db}.dead_letters ORDER BY kafka_offset");
    let codes: Vec<_> = rows.iter().map(|row| row["code"].as_str().unwrap()).collect();
    let expected: Vec<_> = records.iter().filter_map(|(_, code)| *code).collect();
    assert_eq!(codes, expected, "{rows:#?}");
    assert_eq!(rows[0]["excerpt"], "{not json");
    assert_refused_records_are_listed_once(&stage, &expected);
    let row = &stage
        .query("SELECT type, hop, request_id, attributes['hop'] AS sent FROM {db}.events WHERE event_id = 'unknown'")
        [0];
    assert_eq!(
        (row["type"].as_str(), row["hop"].as_str(), row["sent"].as_str()),
        (Some("mcp.auth.telepathy"), Some("unknown"), Some("sideways"))
    );
    assert_eq!(row["request_id"], "it's \"quoted\" / '; DROP TABLE events; --");
    assert_eq!(consume.stop(), 0);
}

/// The list as the command prints it, also where every row is stored twice: newest first, over pages, once each.
fn assert_refused_records_are_listed_once(stage: &Stage, codes: &[&str]) {
    stage.query("INSERT INTO {db}.dead_letters SELECT * FROM {db}.dead_letters SETTINGS async_insert = 0");
    let mut listed = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut arguments = vec!["check", "dead-letters", "--json", "--limit", "3"];
        arguments.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor.as_str()]));
        let output = stage.run(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let page: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(page["counts"]["not_json"], 2, "{page}");
        listed.extend(page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    listed.sort();
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    assert_eq!(listed, codes);
}

#[test]
fn a_record_of_20_megabytes_is_refused_with_its_size() {
    let stage = Stage::bare("large_record");
    assert!(stage.run(&["migrate"]).status.success());
    stage.create_topic(&stage.topic(), &[("max.message.bytes", "33554432")]);
    stage.create_topic(&stage.registry_topic(), &[]);
    let consume = stage.start(&["consume"], &[]);
    let large = vec![b'x'; 20 * 1_024 * 1_024];
    let good = event("after", "mcp.auth.credential", 5, &json!({})).to_string();
    stage.produce(&[("k", &large), ("k", good.as_bytes())]);
    stage.wait_for_rows(1, 1, &consume);
    let row = &stage.query("SELECT code, record_bytes, length(excerpt) AS length FROM {db}.dead_letters")[0];
    assert_eq!(
        (row["code"].as_str(), row["record_bytes"].as_u64(), row["length"].as_u64()),
        (Some("record_too_large"), Some(20_971_520), Some(1_000))
    );
    assert_eq!(consume.stop(), 0);
}

#[test]
fn secrets_reach_no_column_of_any_table() {
    let stage = Stage::new("secrets");
    let consume = stage.start(&["consume"], &[]);
    let marked = "MARKEDeyJhbGciOiJub25lIn0";
    let leaks = [
        format!("Authorization: Bearer {marked}.eyJzdWIiOiJ4In0.c2ln"),
        format!("grant_type=refresh_token&refresh_token={marked}&client_secret={marked}"),
        format!("{{\\\"access_token\\\":\\\"{marked}\\\"}}"),
        format!("https://app.example/callback?code={marked}&state={marked}"),
    ];
    let mut records: Vec<String> = leaks
        .iter()
        .enumerate()
        .map(|(number, leak)| {
            let data = json!({"message": leak, "user_agent": leak, "url_path": format!("/wiki/mcp?access_token={marked}"), "oauth": {"error_description": leak, "params_sent": [leak]}, "attributes": {"note": leak, "client_secret": marked}, "outside": {"deep": leak}});
            event(&format!("leak-{number}"), "mcp.auth.token", 5, &data).to_string()
        })
        .collect();
    records.push(format!("{{\"broken\": \"Authorization: Bearer {marked}.eyJzdWIiOiJ4In0.c2ln"));
    records.push(format!("{{\"id\":\"x\",\"refresh_token\":\"{marked}\",\"refresh_token\":\"{marked}\"}}"));
    let records: Vec<(&str, &[u8])> = records.iter().map(|record| ("k", record.as_bytes())).collect();
    stage.produce(&records);
    stage.wait_for_rows(4, 2, &consume);
    // Physical columns and aliases alike: what is stored in an object is read under its own name as well.
    let columns = stage.query(
        "SELECT table, name, default_kind = 'ALIAS' AS is_alias FROM system.columns WHERE database = '{db}' AND (type LIKE '%String%')",
    );
    let aliases = columns.iter().filter(|column| column["is_alias"] == 1).count();
    assert!(aliases > 70 && columns.len() - aliases > 30, "{aliases} aliases of {} columns", columns.len());
    for column in columns {
        let (table, name) = (column["table"].as_str().unwrap(), column["name"].as_str().unwrap());
        let found =
            stage.count(&format!("SELECT countIf(position(toString({name}), 'MARKED') > 0) FROM {{db}}.{table}"));
        assert_eq!(found, 0, "{table}.{name} holds the secret");
    }
    for object in ["rest", "reporter", "server", "client", "step", "derived"] {
        let filled = stage.count(&format!("SELECT countIf({object} != '') FROM {{db}}.events"));
        assert!(filled > 0, "nothing was looked at in {object}");
    }
    assert_eq!(stage.count("SELECT count() FROM {db}.events WHERE length(redactions) > 0"), 4);
    assert!(!consume.log_text().contains("MARKED"));
}

#[test]
fn a_restart_in_the_middle_loses_nothing() {
    let stage = Stage::new("restart");
    let records: Vec<String> = (0..2_000)
        .map(|number| {
            event(&format!("e-{number}"), "mcp.auth.credential", 60, &json!({"request_id": format!("r-{number}")}))
                .to_string()
        })
        .collect();
    let keyed: Vec<(String, &[u8])> =
        records.iter().enumerate().map(|(number, record)| (number.to_string(), record.as_bytes())).collect();
    let keyed: Vec<(&str, &[u8])> = keyed.iter().map(|(key, record)| (key.as_str(), *record)).collect();
    let first = stage.start(&["consume"], &[("GATETRAIL_INGEST_FLUSH_ROWS", "100")]);
    stage.produce(&keyed[..1_000]);
    wait_until("some rows are stored", || stage.count("SELECT count() FROM {db}.events") > 0, || first.log_text());
    first.kill();
    stage.produce(&keyed[1_000..]);
    let second = stage.start(&["consume"], &[]);
    wait_until(
        "every event is stored",
        || stage.count("SELECT uniqExact(event_id) FROM {db}.events") == 2_000,
        || second.log_text(),
    );
    assert_eq!(second.stop(), 0);
}

#[test]
fn stopping_stores_and_commits_what_was_read() {
    let stage = Stage::new("drain");
    let first = stage.start(&["consume"], &[("GATETRAIL_INGEST_FLUSH_MS", "60000")]);
    let record = event("only", "mcp.auth.credential", 5, &json!({})).to_string();
    stage.produce(&[("k", record.as_bytes())]);
    wait_until("the record was read", || first.log_text().contains("partitions assigned"), || first.log_text());
    // The batch stays open for a minute; only stopping seals it. Reading it takes a moment after the assignment.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(stage.count("SELECT count() FROM {db}.events"), 0);
    assert_eq!(first.stop(), 0);
    assert_eq!(stage.count("SELECT count() FROM {db}.events"), 1);
    let second = stage.start(&["consume"], &[]);
    let other = event("other", "mcp.auth.credential", 5, &json!({})).to_string();
    stage.produce(&[("k", other.as_bytes())]);
    stage.wait_for_rows(2, 0, &second);
}

#[test]
fn the_registry_names_workspace_and_server() {
    let stage = Stage::new("registry");
    let server = json!({"specversion": "1.0", "id": "s-1", "source": "//registry", "type": "mcp.registry.server", "time": now_minus(60),
        "data": {"workspace": "acme", "slug": "wiki", "url": "https://wiki.example/mcp", "server_auth": "oauth_user", "issuer": "https://idp.example"}})
    .to_string();
    let key = json!({"specversion": "1.0", "id": "k-1", "source": "//registry", "type": "mcp.registry.key", "time": now_minus(60),
        "data": {"key_id": "key-7", "kind": "service_key", "workspace": "acme", "permissions": ["mcp.invoke"]}})
    .to_string();
    let facts = [("server/acme/wiki", Some(server.as_bytes()), None), ("key/key-7", Some(key.as_bytes()), None)];
    stage.produce_with_headers(&stage.registry_topic(), &facts);
    let consume = stage.start(&["consume"], &[]);
    let bare = json!({"specversion": "1.0", "id": "e-1", "source": "//gateway/test", "type": "mcp.auth.credential", "time": now_minus(5),
        "data": {"hop": "downstream", "outcome": "denied", "request_id": "r-1", "url_path": "/wiki/mcp", "http": {"status": 500}, "credential": {"key_id": "key-7"}}})
    .to_string();
    stage.produce(&[("r-1", bare.as_bytes())]);
    stage.wait_for_rows(1, 0, &consume);
    let row = &stage.query("SELECT workspace, slug, server_url, credential_kind, class, origins FROM {db}.events")[0];
    assert_eq!(row["workspace"], "acme");
    assert_eq!(
        row["origins"],
        json!({"slug": "url", "credential_kind": "registry", "workspace": "registry", "credential_permissions": "registry", "server_auth": "registry", "server_url": "registry", "oauth_issuer": "registry"})
    );
    assert_eq!(row["class"], "user_identity_required", "a service key on a server that needs a user");
}

#[test]
fn binary_mode_and_structured_mode_give_the_same_row() {
    let stage = Stage::new("binary_mode");
    let consume = stage.start(&["consume"], &[]);
    let time = now_minus(5);
    let structured =
        json!({"specversion": "1.0", "id": "structured", "source": "//g", "type": "mcp.auth.refresh", "time": time,
        "data": {"hop": "upstream", "outcome": "failure", "oauth": {"error": "invalid_grant"}}})
        .to_string();
    let headers = vec![
        ("ce_specversion", "1.0"),
        ("ce_id", "binary"),
        ("ce_source", "//g"),
        ("ce_type", "mcp.auth.refresh"),
        ("ce_time", &time),
        ("content-type", "application/json"),
    ];
    let data: &[u8] = br#"{"hop": "upstream", "outcome": "failure", "oauth": {"error": "invalid_grant"}}"#;
    stage.produce_with_headers(
        &stage.topic(),
        &[("k", Some(structured.as_bytes()), None), ("k", Some(data), Some(headers)), ("k", None, None)],
    );
    stage.wait_for_rows(2, 1, &consume);
    let rows = stage.query("SELECT source, type, time, oauth_error, class, reason FROM {db}.events ORDER BY event_id");
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0]["class"], "refresh_failure");
    assert_eq!(stage.query("SELECT code FROM {db}.dead_letters")[0]["code"], "empty_record");
}
