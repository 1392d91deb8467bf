//! A marked secret goes in through every member, every input form and every refusal, and must come out nowhere: in no
//! column of any table, no log, no answer, no page, no metric.
//!
//! The searches are tested too: a row and a line with the mark, planted by the test itself, must be found.

use serde_json::{Value, json};

use crate::support::{NewRecord, Running, Stage, event, free_port, get_as, now_minus, post, wait_until};

/// Stands in every secret, and nowhere else.
const MARK: &str = "MARKEDq7Zx2Lw9Vb4Tn6";

/// Texts with the secret in them, in the ways it comes.
fn leaks() -> Vec<String> {
    let token = format!("{}hbGciOiJub25lIn0.{MARK}.{MARK}", ["ey", "J"].concat());
    vec![
        format!("Authorization: Bearer {token}"),
        format!("grant_type=refresh_token&refresh_token={MARK}&client_secret={MARK}"),
        format!("{{\\\"access_token\\\":\\\"{MARK}\\\"}}"),
        format!("https://app.example/callback?code={MARK}&state={MARK}"),
        format!("https://u:{MARK}@mcp.example/s/{MARK}/mcp?api_key={MARK}#access_token={MARK}"),
        format!("%7B%22password%22%3A%22{MARK}%22%7D"),
        format!("{}{MARK}{MARK}", ["gh", "p_"].concat()),
        format!("Cookie: sid={MARK}; theme=dark"),
        format!("map[X-Api-Key:[{MARK}] Accept:[*/*]]"),
    ]
}

/// Every text of a value, replaced one at a time: as many values as there are texts.
fn with_each_text_replaced(value: &Value, leak: &str) -> Vec<Value> {
    let mut variants = Vec::new();
    match value {
        Value::String(_) => variants.push(Value::String(leak.to_owned())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for one in with_each_text_replaced(item, leak) {
                    let mut all = items.clone();
                    all[index] = one;
                    variants.push(Value::Array(all));
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                for one in with_each_text_replaced(member, leak) {
                    let mut all = members.clone();
                    all.insert(name.clone(), one);
                    variants.push(Value::Object(all));
                }
            }
        }
        _ => {}
    }
    variants
}

/// Every member of the contract and the envelope with a secret in it, one record each, and members outside of it.
fn accepted_records() -> Vec<String> {
    let text = std::fs::read_to_string("schemas/events/examples/valid/everything.json").unwrap();
    let everything: Value = serde_json::from_str(&text).unwrap();
    let leaks = leaks();
    let mut records = Vec::new();
    for (number, leak) in leaks.iter().enumerate() {
        for (index, mut data) in with_each_text_replaced(&everything["data"], leak).into_iter().enumerate() {
            // One way each; every member meets several over the whole.
            if (index + number) % 3 == 0 {
                data["request_id"] = if data["request_id"].as_str().is_some_and(|id| id.contains(MARK)) {
                    data["request_id"].clone()
                } else {
                    json!(format!("r-{number}-{index}"))
                };
                records.push(event(&format!("e-{number}-{index}"), "mcp.auth.token", 5, &data));
            }
        }
        let mut enveloped = event(
            &format!("{leak}-{number}"),
            "mcp.auth.telepathy",
            5,
            &json!({"message": leak, "outside": {"deep": {"refresh_token": MARK}}, "attributes": {leak: leak, "client_secret": MARK, "cookie": format!("a={MARK}")}}),
        );
        enveloped["source"] = json!(leak);
        enveloped["type"] = json!(leak);
        enveloped["traceparent"] = json!(leak);
        enveloped["extension"] = json!(leak);
        enveloped["xapikey"] = json!(MARK);
        records.push(enveloped);
    }
    records.iter().map(Value::to_string).collect()
}

/// One record and more for each code of refusal, with a secret in it.
fn refused_records() -> Vec<Vec<u8>> {
    let leak = leaks().remove(1);
    let header = leaks().remove(0);
    let usual = |change: fn(&mut Value, &str)| {
        let mut record = event("refused", "mcp.auth.token", 5, &json!({"message": leak, "user_agent": header}));
        change(&mut record, &leak);
        record.to_string().into_bytes()
    };
    let mut records = vec![
        format!("{{\"broken\": \"{header}").into_bytes(),
        [header.as_bytes(), b"\xff\xfe", leak.as_bytes()].concat(),
        format!("[{{\"message\":\"{leak}\"}}]").into_bytes(),
        format!("{{\"id\":\"x\",\"data\":{}\"{leak}\"{}}}", "{\"a\":".repeat(80), "}".repeat(80)).into_bytes(),
        usual(|record, _| record["specversion"] = json!("0.3")),
        usual(|record, leak| record["specversion"] = json!(leak)),
        usual(|record, _| record["data"]["outcome"] = Value::Null),
        usual(|record, leak| record["data"]["http"] = json!(leak)),
        usual(|record, leak| record["data"]["duration_ms"] = json!(leak)),
        usual(|record, leak| record["time"] = json!(leak)),
        usual(|record, _| record["time"] = json!("2000-01-01T00:00:00Z")),
        usual(|record, _| record["time"] = json!("2999-01-01T00:00:00Z")),
        usual(|record, leak| record["data"]["request_id"] = json!(leak.repeat(9))),
        usual(|record, leak| {
            let many: serde_json::Map<String, Value> =
                (0..80).map(|number| (format!("a{number}"), json!(leak))).collect();
            record["data"]["attributes"] = Value::Object(many);
        }),
        format!("{{\"id\":\"x\",\"refresh_token\":\"{MARK}\",\"refresh_token\":\"{MARK}\"}}").into_bytes(),
        format!("{{\"id\":\"x\",\"access_token={MARK}\":1,\"access_token={MARK}\":2}}").into_bytes(),
    ];
    let mut large = usual(|_, _| {});
    large.extend(std::iter::repeat_n(b' ', 100_000));
    records.push(large);
    records
}

/// Headers and value of a record.
type BinaryRecord = (Vec<(String, String)>, Vec<u8>);

/// Binary mode: secrets in the attributes that travel as headers, and in the value.
fn binary_records() -> Vec<BinaryRecord> {
    let time = now_minus(5);
    let mut records = Vec::new();
    for (number, leak) in leaks().into_iter().enumerate() {
        let data = json!({"hop": "upstream", "outcome": "failure", "message": leak}).to_string().into_bytes();
        let headers = |time: &str| {
            let all = [
                ("ce_specversion", "1.0"),
                ("ce_id", &format!("b-{number}")),
                ("ce_source", &leak),
                ("ce_type", &leak),
                ("ce_time", time),
                ("ce_note", &leak),
                ("ce_traceparent", &leak),
                ("authorization", &leak),
                ("content-type", "application/json"),
            ];
            all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        };
        records.push((headers(&time), data.clone()));
        records.push((headers(&leak), data));
    }
    records
}

/// What is registered, with secrets in it, and what cannot be.
fn registry_records() -> Vec<(String, Vec<u8>)> {
    let fact = |kind: &str, data: Value| {
        json!({"specversion": "1.0", "id": "f", "source": "//registry", "type": kind, "time": now_minus(60), "data": data}).to_string().into_bytes()
    };
    let leaks = leaks();
    let address = &leaks[4];
    vec![
        (
            "server/acme/leaky".to_owned(),
            fact(
                "mcp.registry.server",
                json!({"workspace": "acme", "slug": "leaky", "url": address, "server_auth": "oauth_user", "issuer": address, "scopes": [leaks[1]], "config_version": leaks[0]}),
            ),
        ),
        (
            "key/leaky-key".to_owned(),
            fact(
                "mcp.registry.key",
                json!({"key_id": "leaky-key", "kind": "service_key", "workspace": "acme", "permissions": [leaks[1]]}),
            ),
        ),
        ("key/broken".to_owned(), format!("{{\"{}\": ", leaks[1]).into_bytes()),
        (leaks[1].clone(), fact("mcp.registry.server", json!({"slug": leaks[1], "url": 7}))),
    ]
}

/// Columns of any table that hold the mark: text, lists and maps, physical ones and aliases.
fn marked_columns(stage: &Stage) -> Vec<String> {
    let columns = stage.query(
        "SELECT table, name FROM system.columns WHERE database = '{db}' AND match(type, 'String|Map|Array|Tuple|JSON|Dynamic|Variant')",
    );
    assert!(columns.len() > 100, "{} columns of text", columns.len());
    let holds_mark = |column: &&Value| {
        let (table, name) = (column["table"].as_str().unwrap(), column["name"].as_str().unwrap());
        stage.count(&format!("SELECT countIf(position(toString(`{name}`), '{MARK}') > 0) FROM {{db}}.`{table}`")) > 0
    };
    columns
        .iter()
        .filter(holds_mark)
        .map(|column| format!("{}.{}", column["table"], column["name"]).replace('"', ""))
        .collect()
}

/// Which of the named texts hold the mark.
fn marked_texts(texts: &[(String, String)]) -> Vec<&str> {
    texts.iter().filter(|(_, text)| text.contains(MARK)).map(|(name, _)| name.as_str()).collect()
}

/// Everything that can be read of it: answers, pages, metrics, command lines, logs.
fn everything_said(stage: &Stage, base: &str, metrics: &str, logs: &[&Running]) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let ids = stage
        .query("SELECT DISTINCT request_id FROM {db}.events WHERE startsWith(assumeNotNull(request_id), 'r-') ORDER BY request_id LIMIT 30");
    let mut paths: Vec<String> = [
        "/v1/requests?limit=1000",
        "/v1/dead-letters?limit=100",
        "/v1/token-refreshes?limit=100",
        "/",
        "/dead-letters",
        "/openapi.json",
    ]
    .map(str::to_owned)
    .to_vec();
    for id in &ids {
        let id: String = id["request_id"].as_str().unwrap().bytes().map(|byte| format!("%{byte:02X}")).collect();
        paths.push(format!("/v1/requests/{id}"));
        paths.push(format!("/requests/{id}"));
    }
    for path in paths {
        let accept = if path.starts_with("/v1/") || path.ends_with("json") { "application/json" } else { "text/html" };
        let (status, body) = get_as(&format!("{base}{path}"), accept);
        assert_eq!(status, 200, "{path}: {body}");
        said.push((path, body));
    }
    said.push(("/metrics".to_owned(), get_as(&format!("http://{metrics}/metrics"), "*/*").1));
    let first = ids[0]["request_id"].as_str().unwrap();
    for arguments in [
        &["check", "dead-letters", "--json", "--limit", "100"][..],
        &["lookup", first],
        &["lookup", first, "--json"],
        &["refreshes", "--json"],
    ] {
        let output = stage.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        said.push((arguments.join(" "), String::from_utf8(text).unwrap()));
    }
    said.extend(logs.iter().map(|running| (running.log.display().to_string(), running.log_text())));
    said
}

#[test]
fn a_marked_secret_comes_out_nowhere() {
    let stage = Stage::new("leaks");
    let facts = registry_records();
    let facts: Vec<_> = facts.iter().map(|(key, value)| (key.as_str(), Some(value.as_slice()), None)).collect();
    stage.produce_with_headers(&stage.registry_topic(), &facts);
    let metrics = format!("127.0.0.1:{}", free_port());
    let consume = stage.start(
        &["consume"],
        &[
            ("GATETRAIL_ADMIN_LISTEN", &metrics),
            ("GATETRAIL_INGEST_DEAD_LETTER_PERCENT", "100"),
            ("GATETRAIL_INGEST_MAX_RECORD_BYTES", "65536"),
            ("GATETRAIL_LOG", "debug,hyper=info,h2=info"),
        ],
    );
    let (serve, base) = stage.serve();

    let (accepted, refused, binary) = (accepted_records(), refused_records(), binary_records());
    let mut records: Vec<NewRecord<'_>> = Vec::new();
    records.extend(accepted.iter().map(|record| (MARK, Some(record.as_bytes()), None)));
    records.extend(refused.iter().map(|record| (MARK, Some(record.as_slice()), None)));
    records.push((MARK, None, Some(vec![("ce_id", MARK)])));
    for (headers, value) in &binary {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        records.push((MARK, Some(value.as_slice()), Some(headers)));
    }
    // What enrichment fills in from the registry.
    let asked = event("enriched", "mcp.auth.credential", 5, &json!({"slug": "leaky", "request_id": "r-enriched", "url_path": "/leaky/mcp", "credential": {"key_id": "leaky-key"}})).to_string();
    records.push((MARK, Some(asked.as_bytes()), None));
    stage.produce_with_headers(&stage.topic(), &records);
    let mut sent = records.len() as u64;

    let mut answers = Vec::new();
    for (number, record) in accepted.iter().take(20).enumerate() {
        // An id of its own: the same one counts once.
        let mut record: Value = serde_json::from_str(record).unwrap();
        record["id"] = json!(format!("h-{number}"));
        let (_, answer) = post(&format!("{base}/v1/events"), "application/json", record.to_string().as_bytes());
        sent += answer["accepted"].as_u64().unwrap_or(0);
        answers.push((format!("answer {number}"), answer.to_string()));
    }
    for (number, record) in refused.iter().enumerate() {
        let (status, answer) = post(&format!("{base}/v1/events"), "application/x-ndjson", record);
        assert!(status >= 400 || status == 202, "{answer}");
        sent += answer["accepted"].as_u64().unwrap_or(0);
        answers.push((format!("answer to refused {number}"), answer.to_string()));
    }
    assert_eq!(marked_texts(&answers), Vec::<&str>::new());

    let rows = || stage.count("SELECT count() FROM {db}.events") + stage.count("SELECT count() FROM {db}.dead_letters");
    wait_until("every record is stored", || rows() == sent, || format!("{} of {sent}\n{}", rows(), consume.log_text()));
    let codes = stage.count("SELECT uniqExact(code) FROM {db}.dead_letters");
    assert!(codes >= 15, "only {codes} codes of refusal were tried");
    assert!(stage.count("SELECT count() FROM {db}.events WHERE length(redactions) > 0") > 100);
    let enriched = stage
        .query("SELECT server_url, oauth_issuer, credential_permissions FROM {db}.events WHERE event_id = 'enriched'");
    assert!(enriched[0]["server_url"].as_str().is_some_and(|url| url.contains("mcp.example")), "{enriched:?}");

    assert_eq!(marked_columns(&stage), Vec::<String>::new());
    let said = everything_said(&stage, &base, &metrics, &[&consume, &serve]);
    assert_eq!(marked_texts(&said), Vec::<&str>::new());

    // Would it be seen? In a text, a list, a map, and in a line.
    stage.execute(&format!(
        "INSERT INTO {{db}}.dead_letters SELECT * REPLACE ('x {MARK} y' AS excerpt) FROM {{db}}.dead_letters LIMIT 1"
    ));
    let rest = json!({"attributes": {"note": MARK}});
    let derived = json!({"redactions": [MARK]});
    stage.execute(&format!(
        "INSERT INTO {{db}}.events SELECT * REPLACE ('{rest}' AS rest, '{derived}' AS derived) FROM {{db}}.events LIMIT 1"
    ));
    let planted = marked_columns(&stage);
    for column in ["dead_letters.excerpt", "events.rest", "events.redactions", "events.attributes"] {
        assert!(planted.iter().any(|found| found == column), "{column} was not seen: {planted:?}");
    }
    let line = [("log".to_owned(), format!("WARN refused: {MARK}")), ("other".to_owned(), "nothing".to_owned())];
    assert_eq!(marked_texts(&line), ["log"]);
    consume.stop_well();
    serve.stop_well();
}
