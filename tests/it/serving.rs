//! The HTTP side on real engines: ingest over HTTP, problems, bounds, stopping.

use serde_json::{Value, json};

use crate::support::{Stage, event, get, post, wait_until};

#[test]
fn events_sent_over_http_are_found_and_faults_are_listed() {
    let stage = Stage::new("http_ingest");
    let consume = stage.start(&["consume"], &[]);
    let (serve, base) = stage.serve();
    let one = event("one", "mcp.auth.credential", 5, &json!({"request_id": "r-http"}));
    let two = event("two", "mcp.call.completed", 4, &json!({"request_id": "r-http", "hop": "upstream"}));
    let (status, answer) = post(&format!("{base}/v1/events"), "application/json", one.to_string().as_bytes());
    assert_eq!((status, answer["accepted"].as_u64()), (202, Some(1)), "{answer}");
    let lines = format!("{two}\n{{\"id\": \"x\"}}\nnot json\n");
    let (status, answer) = post(&format!("{base}/v1/events"), "application/x-ndjson", lines.as_bytes());
    assert_eq!((status, answer["accepted"].as_u64()), (202, Some(1)), "{answer}");
    let rejected = answer["rejected"].as_array().unwrap();
    let codes: Vec<_> =
        rejected.iter().map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap())).collect();
    assert_eq!(codes, [(1, "missing_field"), (2, "not_json")]);
    let (status, answer) = post(&format!("{base}/v1/events"), "application/json", b"[{\"id\": 1}]");
    assert_eq!(status, 422, "{answer}");
    stage.wait_for_rows(2, 0, &consume);
    let (status, timeline) = get(&format!("{base}/v1/requests/r-http"));
    assert_eq!((status, timeline["timeline"].as_array().unwrap().len()), (200, 2), "{timeline}");
    assert_eq!(serve.stop(), 0);
}

#[test]
fn what_cannot_be_answered_is_a_problem_document() {
    let stage = Stage::new("problems");
    let (_serve, base) = stage.serve();
    let long = "x".repeat(10_000);
    for (path, status, code) in [
        ("/v1/requests/unknown-request".to_owned(), 404, "request_not_found"),
        (
            "/v1/requests/it%27s%20%22quoted%22%20%2F%20%27%3B%20DROP%20TABLE%20events%3B%20--".to_owned(),
            404,
            "request_not_found",
        ),
        (format!("/v1/requests/{long}"), 400, "bad_id"),
        ("/v1/requests?limit=-1".to_owned(), 400, "bad_limit"),
        ("/v1/requests?limit=1001".to_owned(), 400, "bad_limit"),
        ("/v1/requests?cursor=broken".to_owned(), 400, "bad_cursor"),
        ("/v1/token-refreshes?cursor=broken".to_owned(), 400, "bad_cursor"),
        ("/v1/token-refreshes?from=yesterday".to_owned(), 400, "bad_time"),
        ("/v1/requests?wrkspace=acme".to_owned(), 400, "unknown_parameter"),
        ("/v1/nothing".to_owned(), 404, "not_found"),
    ] {
        let (seen, problem) = get(&format!("{base}{path}"));
        assert_eq!((seen, problem["code"].as_str()), (status, Some(code)), "{path}: {problem}");
        assert_eq!(problem["status"].as_u64(), Some(u64::from(status)), "{path}: {problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{path}: {problem}");
    }
    let lookup = stage.run(&["lookup", "unknown-request"]);
    assert_eq!(lookup.status.code(), Some(3), "{}", String::from_utf8_lossy(&lookup.stderr));
    let (status, document) = get(&format!("{base}/openapi.json"));
    assert_eq!((status, document["openapi"].as_str().map(|version| version.starts_with("3.1"))), (200, Some(true)));
}

#[test]
fn pages_of_a_list_hold_every_item_once() {
    let stage = Stage::new("pages");
    let consume = stage.start(&["consume"], &[]);
    let events: Vec<String> = (0..25)
        .map(|number| {
            event(
                &format!("e-{number}"),
                "mcp.auth.credential",
                100 - number,
                &json!({"request_id": format!("r-{number}")}),
            )
            .to_string()
        })
        .collect();
    let records: Vec<(&str, &[u8])> = events.iter().map(|event| ("k", event.as_bytes())).collect();
    stage.produce(&records);
    stage.wait_for_rows(25, 0, &consume);
    let (_serve, base) = stage.serve();
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let after = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let (status, page) = get(&format!("{base}/v1/requests?limit=7{after}"));
        assert_eq!(status, 200, "{page}");
        ids.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["request_id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|number| format!("r-{number}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_panel_of_the_board_runs_on_the_real_store() {
    let stage = Stage::new("panels");
    let consume = stage.start(&["consume"], &[]);
    stage.produce(&[
        (
            "k",
            event("e", "mcp.auth.credential", 5, &json!({"outcome": "failure", "http": {"status": 401}}))
                .to_string()
                .as_bytes(),
        ),
        ("k", b"broken"),
    ]);
    stage.wait_for_rows(1, 1, &consume);
    let board =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana/json/gatetrail-overview.json");
    let queries = crate::grafana_sql::panel_queries(&std::fs::read_to_string(board).unwrap());
    assert!(queries.len() > 10, "{} queries", queries.len());
    for (panel, sql) in queries {
        let answer =
            ureq::post(format!("{}/?database={}", stage.clickhouse.trim_end_matches('/'), stage.name)).send(&sql);
        assert!(answer.is_ok(), "{panel}: {answer:?}\n{sql}");
    }
}

#[test]
fn serve_without_kafka_still_reads_and_says_what_is_missing() {
    let stage = Stage::new("no_kafka");
    let nowhere = format!("127.0.0.1:{}", crate::support::free_port());
    let address = format!("127.0.0.1:{}", crate::support::free_port());
    let serve = stage.start(&["serve"], &[("GATETRAIL_SERVE_LISTEN", &address), ("GATETRAIL_KAFKA_BROKERS", &nowhere)]);
    let base = format!("http://{address}");
    wait_until("serve answers", || ureq::get(format!("{base}/livez")).call().is_ok(), || serve.log_text());
    assert_eq!(get(&format!("{base}/v1/requests")).0, 200);
    let one = event("one", "mcp.auth.credential", 5, &Value::Object(serde_json::Map::new()));
    let (status, problem) = post(&format!("{base}/v1/events"), "application/json", one.to_string().as_bytes());
    assert_eq!((status, problem["code"].as_str()), (503, Some("kafka_unreachable")), "{problem}");
}

#[test]
fn serve_refuses_to_listen_beyond_loopback() {
    let stage = Stage::new("open");
    let output = stage.command(&["serve"]).env("GATETRAIL_SERVE_LISTEN", "0.0.0.0:0").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("127.0.0.1"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// ClickHouse's older analyzer computes a condition once that stands in `PREWHERE` and in `WHERE`, and then its index does not see
/// it: a look-up would read every day after the request's.
#[test]
fn a_look_up_reads_no_day_but_the_requests_own() {
    let stage = Stage::new("one_day");
    let consume = stage.start(&["consume"], &[]);
    let day = 24 * 60 * 60;
    let events: Vec<String> = (0..4)
        .map(|days| {
            let data = json!({"request_id": format!("r-{days}"), "connection_id": "c"});
            event(&format!("e-{days}"), "mcp.auth.credential", days * day + 60, &data).to_string()
        })
        .collect();
    let records: Vec<(&str, &[u8])> = events.iter().map(|event| ("", event.as_bytes())).collect();
    stage.produce(&records);
    stage.wait_for_rows(4, 0, &consume);

    let times = "SELECT toString(time) AS time, toString(time - INTERVAL 1 HOUR) AS before FROM {db}.events WHERE event_id = 'e-2'";
    let row = &stage.query(times)[0];
    let (time, before) = (row["time"].as_str().unwrap(), row["before"].as_str().unwrap());
    let sql = include_str!("../../src/query/sql/request_and_steps.sql")
        .replace("${event_columns}", include_str!("../../src/query/sql/event_columns.sql"))
        .replace("FROM events", "FROM {db}.events")
        .replace("{request_key:String}", "'722D32'")
        .replace("{step_types:Array(String)}", "['mcp.auth.token']")
        .replace("{connections:Array(UInt32)}", "[1]")
        .replace("{workspaces:Array(String)}", "['acme']")
        .replace("{slugs:Array(String)}", "['wiki']")
        .replace("{first:DateTime64(6, 'UTC')}", &format!("'{before}'"))
        .replace("{own_first:DateTime64(6, 'UTC')}", &format!("'{time}'"))
        .replace("{last:DateTime64(6, 'UTC')}", &format!("'{time}'"))
        .replace("{row_limit:UInt32}", "10");
    let plan = stage.query(&format!("EXPLAIN indexes = 1 {sql} SETTINGS enable_analyzer = 0"));
    let lines: Vec<&str> = plan.iter().map(|line| line["explain"].as_str().unwrap().trim()).collect();
    let read = lines.iter().find(|line| line.starts_with("Parts: ") && !line.contains('/'));
    let by_day = lines.iter().find(|line| line.starts_with("Parts: ") && line.contains('/'));
    assert_eq!((read, by_day), (Some(&"Parts: 1 | Granules: 1"), Some(&"Parts: 1/4")), "{}", lines.join("\n"));
    consume.stop_well();
}
