//! What gateways leave out: filled at ingest, warmed up after a start, joined when a timeline is read; and what refuses the
//! registry's records.

use serde_json::{Value, json};

use crate::support::{NewRecord, Running, Stage, event, free_port, get, get_as, now_minus, wait_until};

/// An event whose `data` is exactly this.
fn told(id: &str, type_name: &str, seconds: i64, data: &Value) -> Value {
    let mut told = event(id, type_name, seconds, &json!({}));
    told["data"] = data.clone();
    told
}

/// Produces events under one key, so that they stay in their order.
fn produce(stage: &Stage, key: &str, events: &[Value]) {
    let texts: Vec<String> = events.iter().map(Value::to_string).collect();
    let records: Vec<(&str, &[u8])> = texts.iter().map(|text| (key, text.as_bytes())).collect();
    stage.produce(&records);
}

/// The entry of an event in the timeline of a request.
fn entry(base: &str, request: &str, event: &str) -> Value {
    let (status, timeline) = get(&format!("{base}/v1/requests/{request}"));
    assert_eq!(status, 200, "{timeline}");
    let entries = timeline["timeline"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["event_id"] == event);
    found.unwrap_or_else(|| panic!("{event} is not in {timeline:#}")).clone()
}

/// Members of an entry with their origins, as `member=value (origin)`.
fn shown(entry: &Value) -> Vec<String> {
    let members = ["request_id", "workspace", "slug", "user_id", "connection_id"];
    let known = members.iter().filter(|member| !entry[**member].is_null());
    known
        .map(|member| {
            format!("{member}={} ({})", entry[*member].as_str().unwrap(), entry["origins"][*member].as_str().unwrap())
        })
        .collect()
}

fn authorize(seconds: i64) -> Value {
    told(
        "authorize",
        "mcp.auth.authorize",
        seconds,
        &json!({"hop": "upstream", "outcome": "success", "request_id": "r-1", "flow_id": "f-1", "connection_id": "c-1",
            "workspace": "acme", "slug": "wiki", "user_id": "u-1", "server_auth": "oauth_user", "oauth": {"issuer": "https://idp.example"}}),
    )
}

fn closing(seconds: i64) -> Value {
    told(
        "closing",
        "mcp.request.completed",
        seconds,
        &json!({"hop": "downstream", "outcome": "connect_required", "request_id": "r-1", "workspace": "acme", "slug": "wiki",
            "user_id": "u-1", "http": {"status": 200}}),
    )
}

/// A leg of the sign-in that names nothing but its state.
fn leg(id: &str, type_name: &str, seconds: i64) -> Value {
    told(id, type_name, seconds, &json!({"hop": "upstream", "outcome": "success", "flow_id": "f-1"}))
}

const BY_FLOW: [&str; 5] = [
    "request_id=r-1 (flow)",
    "workspace=acme (flow)",
    "slug=wiki (flow)",
    "user_id=u-1 (flow)",
    "connection_id=c-1 (flow)",
];

#[test]
fn a_sign_in_reads_the_same_in_whatever_order_its_legs_arrive() {
    let orders: [(&str, &[usize]); 3] =
        [("in order", &[0, 1, 2, 3]), ("reversed", &[3, 2, 1, 0]), ("mixed", &[2, 0, 3, 1])];
    for (name, order) in orders {
        let stage = Stage::new("legs");
        let consume = stage.start(&["consume"], &[]);
        let story =
            [authorize(60), closing(59), leg("callback", "mcp.auth.callback", 30), leg("token", "mcp.auth.token", 29)];
        let events: Vec<Value> = order.iter().map(|place| story[*place].clone()).collect();
        produce(&stage, "f-1", &events);
        stage.wait_for_rows(4, 0, &consume);
        let (_serve, base) = stage.serve();
        for leg in ["callback", "token"] {
            let entry = entry(&base, "r-1", leg);
            assert_eq!(shown(&entry), BY_FLOW, "{name}: {entry:#}");
            assert_eq!(entry["joined_by"], "request", "{name}");
            assert_eq!(entry["request_id_trust"], "inferred", "{name}");
        }
        consume.stop_well();
    }
}

/// One of a process's own numbers.
fn metric(admin: &str, name: &str) -> f64 {
    let text = get_as(&format!("http://{admin}/metrics"), "text/plain").1;
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} is not in\n{text}"));
    line.trim().parse().unwrap()
}

fn consume_with_admin(stage: &Stage) -> (Running, String) {
    let admin = format!("127.0.0.1:{}", free_port());
    (stage.start(&["consume"], &[("GATETRAIL_ADMIN_LISTEN", &admin)]), admin)
}

#[test]
fn after_a_restart_what_was_forgotten_is_asked_for_and_serves_what_follows() {
    let stage = Stage::new("warm_up");
    let (consume, _) = consume_with_admin(&stage);
    produce(&stage, "f-1", &[authorize(60)]);
    stage.wait_for_rows(1, 0, &consume);
    consume.stop_well();

    let (consume, admin) = consume_with_admin(&stage);
    produce(&stage, "f-1", &[leg("callback", "mcp.auth.callback", 30)]);
    stage.wait_for_rows(2, 0, &consume);
    wait_until(
        "clickhouse was asked about the sign-in",
        || metric(&admin, "gatetrail_enrich_asked_ids_total{outcome=\"known\"}") >= 1.0,
        || consume.log_text(),
    );
    produce(&stage, "f-1", &[leg("token", "mcp.auth.token", 29)]);
    stage.wait_for_rows(3, 0, &consume);
    let stored = stage.query("SELECT event_id, request_id, origins FROM {db}.events ORDER BY time");
    // The one that missed is stored as it is, and the one after it knows.
    assert_eq!(stored[1]["request_id"], Value::Null, "{stored:#?}");
    assert_eq!(
        (stored[2]["request_id"].as_str(), stored[2]["origins"]["request_id"].as_str()),
        (Some("r-1"), Some("flow"))
    );

    // Both read the same.
    let (_serve, base) = stage.serve();
    for leg in ["callback", "token"] {
        assert_eq!(shown(&entry(&base, "r-1", leg)), BY_FLOW, "{leg}");
    }
    let entries = metric(&admin, "gatetrail_enrich_memory_entries{kind=\"flow\"}");
    assert!(entries >= 1.0, "{entries}");
    assert!(metric(&admin, "gatetrail_enrich_memory_bytes") < f64::from(33 << 20));
    consume.stop_well();
}

/// An event of a trace.
fn traced(id: &str, type_name: &str, seconds: i64, data: &Value) -> Value {
    let mut traced = told(id, type_name, seconds, data);
    traced["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    traced
}

#[test]
fn a_call_without_a_request_is_joined_by_its_trace_when_it_can_only_be_its_own() {
    let stage = Stage::new("traces");
    let consume = stage.start(&["consume"], &[]);
    let refused = json!({"hop": "downstream", "outcome": "failure", "request_id": "r-1", "workspace": "acme", "slug": "wiki", "user_id": "u-1",
        "http": {"status": 502}, "message": "the MCP server could not be reached", "duration_ms": 2000});
    let call =
        json!({"hop": "upstream", "outcome": "failure", "http": {"status": 429}, "message": "too many requests"});
    let mut of_another = refused.clone();
    of_another["request_id"] = json!("r-2");
    let other = traced("other", "mcp.request.rejected", 10, &of_another);
    // The inner span ends first, so the request is not known when it comes.
    let events =
        [traced("call", "mcp.call.completed", 11, &call), traced("refused", "mcp.request.rejected", 10, &refused)];
    produce(&stage, "k", &events);
    stage.wait_for_rows(2, 0, &consume);
    let (_serve, base) = stage.serve();
    let joined = entry(&base, "r-1", "call");
    assert_eq!(joined["joined_by"], "request", "{joined:#}");
    assert_eq!(
        shown(&joined),
        ["request_id=r-1 (trace)", "workspace=acme (trace)", "slug=wiki (trace)", "user_id=u-1 (trace)"],
        "{joined:#}"
    );
    let (_, timeline) = get(&format!("{base}/v1/requests/r-1"));
    assert_eq!(timeline["verdict"]["class"], "rate_limited", "{timeline:#}");

    // Another request of the trace at the same time: nobody can tell whose the call is.
    produce(&stage, "k", &[other]);
    stage.wait_for_rows(3, 0, &consume);
    let joined = entry(&base, "r-1", "call");
    assert_eq!((joined["joined_by"].as_str(), shown(&joined)), (Some("trace"), Vec::new()), "{joined:#}");
}

#[test]
fn a_refresh_that_names_only_its_connection_belongs_to_the_request_that_needed_it() {
    let stage = Stage::new("on_demand");
    let consume = stage.start(&["consume"], &[]);
    let credential = json!({"hop": "downstream", "outcome": "success", "request_id": "r-1", "connection_id": "c-1", "workspace": "acme",
        "slug": "wiki", "user_id": "u-1", "server_auth": "oauth_user"});
    let refresh = |trigger: &str| {
        json!({"hop": "upstream", "outcome": "failure", "connection_id": "c-1", "token": {"trigger": trigger},
            "oauth": {"error": "invalid_grant", "grant_type": "refresh_token"}, "http": {"status": 400}})
    };
    let refused = json!({"hop": "downstream", "outcome": "failure", "request_id": "r-1", "connection_id": "c-1", "workspace": "acme",
        "slug": "wiki", "user_id": "u-1", "http": {"status": 502}, "message": "upstream error"});
    let events = [
        told("ahead", "mcp.auth.refresh", 14, &refresh("proactive")),
        told("credential", "mcp.auth.credential", 12, &credential),
        told("needed", "mcp.auth.refresh", 11, &refresh("on_demand")),
        told("refused", "mcp.request.rejected", 10, &refused),
    ];
    produce(&stage, "c-1", &events);
    stage.wait_for_rows(4, 0, &consume);
    let (_serve, base) = stage.serve();
    let needed = entry(&base, "r-1", "needed");
    let by_connection = [
        "workspace=acme (connection)",
        "slug=wiki (connection)",
        "user_id=u-1 (connection)",
        "connection_id=c-1 (event)",
    ];
    let mut expected = vec!["request_id=r-1 (inferred)"];
    expected.extend(by_connection);
    assert_eq!(shown(&needed), expected, "{needed:#}");
    // Nothing was known of the connection when it came; the timeline fills it, and no request.
    let ahead = entry(&base, "r-1", "ahead");
    assert_eq!(
        (ahead["joined_by"].as_str(), shown(&ahead)),
        (Some("connection"), by_connection.map(str::to_owned).to_vec())
    );

    let output = stage.run(&["check", "enrichment", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rates: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rates["events"], 4, "{rates:#}");
    let request = rates["members"].as_array().unwrap().iter().find(|rate| rate["member"] == "request_id").unwrap();
    assert_eq!(request["by_origin"], json!({"event": 2, "inferred": 1}), "{rates:#}");
    let page = stage.run(&["check", "enrichment"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains("request_id"), "{}", String::from_utf8_lossy(&page.stdout));
}

#[test]
fn simulated_gateways_that_leave_ids_out_are_told_with_their_origins() {
    let stage = Stage::new("left_out");
    let consume = stage.start(&["consume"], &[]);
    let file = stage.file("answers.jsonl");
    let output = stage.run(&["simulate", "--events", "20000", "--seed", "11", "--answers", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    stage.wait_for_rows(20_000, 0, &consume);
    let (_serve, base) = stage.serve();
    let answers: Vec<Value> =
        std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |story: &str| -> Vec<String> {
        let told = answers.iter().filter(|answer| answer["story"] == story);
        told.map(|answer| answer["request_id"].as_str().unwrap().to_owned()).collect()
    };
    let origins_of = |request: &str, type_name: &str| -> Value {
        let (status, timeline) = get(&format!("{base}/v1/requests/{request}"));
        assert_eq!(status, 200, "{timeline}");
        let entries = timeline["timeline"].as_array().unwrap();
        let found = entries.iter().find(|entry| entry["type"] == type_name && entry["hop"] == "upstream");
        found.unwrap_or_else(|| panic!("no {type_name} in {timeline:#}"))["origins"].clone()
    };
    for (story, type_name, origin) in [
        ("refresh_names_only_its_connection", "mcp.auth.refresh", "inferred"),
        ("refused_refresh_names_only_its_connection", "mcp.auth.refresh", "inferred"),
        ("call_names_only_its_trace", "mcp.call.completed", "trace"),
    ] {
        let requests = of(story);
        assert!(requests.len() >= 3, "{story}: {}", requests.len());
        let told: Vec<Value> = requests.iter().take(10).map(|request| origins_of(request, type_name)).collect();
        let filled = told.iter().filter(|origins| origins["request_id"] == origin).count();
        // Now and then two requests are under way on a connection, or a gateway sends no trace.
        assert!(filled * 10 >= told.len() * 7, "{story}: {filled} of {}: {told:#?}", told.len());
    }
    let requests = of("refused_refresh_names_only_its_connection");
    let right = requests
        .iter()
        .filter(|request| get(&format!("{base}/v1/requests/{request}")).1["verdict"]["class"] == "refresh_failure");
    assert_eq!(right.count(), requests.len(), "every refused refresh explains its request");
}

#[test]
fn a_registry_record_that_cannot_be_read_is_counted_and_told_and_the_rest_is_used() {
    let stage = Stage::new("bad_registry");
    let server = json!({"specversion": "1.0", "id": "s-1", "source": "//registry", "type": "mcp.registry.server", "time": now_minus(60),
        "data": {"workspace": "acme", "slug": "wiki", "server_auth": "oauth_user"}}).to_string();
    let nameless = server.replace("\"slug\":\"wiki\"", "\"secret_slug\":\"do-not-show\"");
    let records: [NewRecord<'_>; 3] = [
        ("server/acme/wiki", Some(server.as_bytes()), None),
        ("server/acme/none", Some(nameless.as_bytes()), None),
        ("server/acme/broken", Some(b"{do-not-show"), None),
    ];
    stage.produce_with_headers(&stage.registry_topic(), &records);
    let (consume, admin) = consume_with_admin(&stage);
    wait_until("it has partitions", || consume.has_partitions(), || consume.log_text());
    assert_eq!(metric(&admin, "gatetrail_registry_entries{kind=\"server\"}"), 1.0);
    assert_eq!(metric(&admin, "gatetrail_registry_refused_records_total{code=\"missing_field\"}"), 1.0);
    assert_eq!(metric(&admin, "gatetrail_registry_refused_records_total{code=\"not_json\"}"), 1.0);
    assert!(!consume.log_text().contains("do-not-show"), "{}", consume.log_text());

    let output = stage.run(&["check", "registry", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["servers"].as_u64(), report["refused"].as_u64()), (Some(1), Some(2)), "{report:#}");
    let mut codes: Vec<&str> =
        report["refused_records"].as_array().unwrap().iter().map(|record| record["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["missing_field", "not_json"]);
    assert!(!report.to_string().contains("do-not-show"));

    // Facts that come, and go, later.
    stage.produce_with_headers(&stage.registry_topic(), &[("server/acme/wiki", None, None)]);
    wait_until(
        "the server is gone",
        || metric(&admin, "gatetrail_registry_entries{kind=\"server\"}") == 0.0,
        || consume.log_text(),
    );
    consume.stop_well();
}

#[test]
fn consume_begins_without_a_registry_and_takes_it_up_when_it_is_there() {
    let stage = Stage::bare("late_registry");
    let output = stage.run(&["migrate"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    stage.create_topic(&stage.topic(), &[]);
    let (consume, admin) = consume_with_admin(&stage);
    wait_until("it has partitions", || consume.has_partitions(), || consume.log_text());
    let (status, ready) = get(&format!("http://{admin}/readyz?verbose"));
    let part = ready["parts"].as_array().unwrap().iter().find(|part| part["name"] == "registry").unwrap().clone();
    assert_eq!((status, part["ok"].as_bool()), (200, Some(false)), "{ready}");
    stage.create_topic(&stage.registry_topic(), &[]);
    let server = json!({"specversion": "1.0", "id": "s-1", "source": "//registry", "type": "mcp.registry.server", "time": now_minus(60),
        "data": {"workspace": "acme", "slug": "wiki"}}).to_string();
    stage.produce_with_headers(&stage.registry_topic(), &[("server/acme/wiki", Some(server.as_bytes()), None)]);
    wait_until(
        "the registry is followed",
        || metric(&admin, "gatetrail_registry_entries{kind=\"server\"}") == 1.0,
        || consume.log_text(),
    );
    consume.stop_well();
}
