//! What is stored is read back under the name of each member, whatever column or object holds it.

use gatetrail::event::FieldId;
use serde_json::{Value, json};

use crate::support::{Stage, event};

/// The example that has every member of the contract.
fn everything() -> Value {
    let text = std::fs::read_to_string("schemas/events/examples/valid/everything.json").unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["data"].take()
}

fn select_members() -> String {
    let columns: Vec<&str> = FieldId::ALL.iter().map(|field| field.column()).collect();
    format!(
        "SELECT {}, event_id, source, trace_id, span_id, attributes, class, rule FROM {{db}}.events",
        columns.join(", ")
    )
}

/// What JSON says at the path of a member.
fn at_path(data: &Value, field: FieldId) -> Value {
    data.pointer(&format!("/{}", field.path().replace('.', "/"))).cloned().unwrap_or(Value::Null)
}

/// Values as text: a name that was sent as a number is stored as text, a set of scopes that was sent as a list with spaces.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        Value::Number(number) => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    }
}

#[test]
fn every_member_is_read_back_under_its_own_name() {
    let stage = Stage::new("members");
    let consume = stage.start(&["consume"], &[]);
    let data = everything();
    let mut full = event("0198f3c2-1234-7abc-8def-0123456789ab", "mcp.auth.refresh", 5, &data);
    full["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let bare = json!({"specversion": "1.0", "id": "sixteen bytes ok", "source": "//gateway/bare", "type": "mcp.server.state",
        "time": full["time"], "data": {"hop": "internal", "outcome": "success"}});
    let records: Vec<String> = [&full, &bare, &full, &bare].map(ToString::to_string).to_vec();
    stage.produce(&records.iter().map(|record| ("one key", record.as_bytes())).collect::<Vec<_>>());
    stage.wait_for_rows(4, 0, &consume);
    let rows = stage.query(&format!("{} ORDER BY kafka_offset", select_members()));
    assert_eq!((&rows[0], &rows[1]), (&rows[2], &rows[3]), "the same record makes the same row");
    assert_eq!(rows[0]["event_id"], "0198f3c2-1234-7abc-8def-0123456789ab");
    assert_eq!(rows[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(rows[0]["span_id"], "b7ad6b7169203331");
    assert_eq!(rows[0]["attributes"], data["attributes"]);
    for field in FieldId::ALL {
        assert_eq!(text(&rows[0][field.column()]), text(&at_path(&full["data"], *field)), "{}", field.path());
    }
    assert_eq!((rows[1]["event_id"].as_str(), rows[1]["trace_id"].as_str()), (Some("sixteen bytes ok"), None));
    for field in FieldId::ALL {
        let list = ["credential_permissions", "oauth_params_sent", "oauth_params_received"].contains(&field.column());
        let expected = match field.column() {
            "hop" => json!("internal"),
            "outcome" => json!("success"),
            _ if list => json!([]),
            _ => Value::Null,
        };
        assert_eq!(rows[1][field.column()], expected, "{}", field.path());
    }
}

#[test]
fn dictionaries_of_any_size_give_each_row_its_own_values() {
    let stage = Stage::new("dictionaries");
    let consume = stage.start(&["consume"], &[("GATETRAIL_INGEST_FLUSH_MS", "3000")]);
    // Some without a client and a user, so that rows without a value stand between; more than 256 with one each.
    let records: Vec<String> = (0..3_000)
        .map(|number| {
            let id = format!("e-{number}");
            let client = if number % 7 == 0 { json!({}) } else { json!({"name": format!("client {number} \"é\\")}) };
            let user = if number % 5 == 0 { Value::Null } else { json!(format!("u-{number}")) };
            let data = json!({"request_id": format!("r-{number}"), "client": client, "user_id": user, "message": id,
                "mcp": {"tool": format!("tool-{}", number % 300)}, "duration_ms": number});
            event(&id, "mcp.call.completed", 5, &data).to_string()
        })
        .collect();
    stage.produce(&records.iter().map(|record| ("one key", record.as_bytes())).collect::<Vec<_>>());
    stage.wait_for_rows(3_000, 0, &consume);
    let wrong = "SELECT count() FROM
        (SELECT *, toUInt32(substring(event_id, 3)) AS number, event_id, request_id, client_name, message, mcp_tool, duration_ms FROM {db}.events)
        WHERE NOT (request_id = concat('r-', toString(number)) AND message = event_id
            AND client_name IS NOT DISTINCT FROM if(number % 7 = 0, NULL, concat('client ', toString(number), ' \"é\\\\'))
            AND user_id IS NOT DISTINCT FROM if(number % 5 = 0, NULL, concat('u-', toString(number)))
            AND mcp_tool = concat('tool-', toString(number % 300)) AND duration_ms = number)";
    assert_eq!(stage.count(wrong), 0);
    assert_eq!(stage.count("SELECT uniqExact(event_id) FROM {db}.events"), 3_000);
}
