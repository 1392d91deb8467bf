//! A story of every class, as gateways tell it, through Kafka to the API: the verdict must be the one that was lived.

use std::collections::BTreeSet;

use gatetrail::classify::Class;
use gatetrail::event::vocabulary::ClosedEnum;
use serde_json::{Value, json};

use crate::support::{Stage, event, get, get_as, wait_until};

/// Every failure class is among the answers of so many events (a unit test of the simulator holds it to that).
const EVENTS: &str = "12000";
/// How many requests of each class are looked up.
const OF_EACH_CLASS: usize = 3;

fn answers(stage: &Stage) -> Vec<Value> {
    let file = stage.file("answers.jsonl");
    let told = stage.run(&["simulate", "--events", EVENTS, "--seed", "21", "--answers", file.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_class_is_recognised_from_kafka_to_the_api() {
    let stage = Stage::new("stories");
    let consume = stage.start(&["consume"], &[]);
    let answers = answers(&stage);
    stage.wait_for_rows(EVENTS.parse().unwrap(), 0, &consume);
    let (_serve, base) = stage.serve();

    let mut wrong = Vec::new();
    let (mut seen, mut looked_up) = (BTreeSet::new(), 0);
    for class in Class::KNOWN.iter().map(|class| class.as_str()) {
        for answer in answers.iter().filter(|answer| answer["class"] == class).take(OF_EACH_CLASS) {
            let id = answer["request_id"].as_str().unwrap();
            let (status, timeline) = get(&format!("{base}/v1/requests/{id}"));
            assert_eq!(status, 200, "{id}: {timeline}");
            let verdict = &timeline["verdict"];
            seen.insert(class);
            looked_up += 1;
            if verdict["class"] != class {
                wrong
                    .push(format!("{} is {} by {}, lived {class}", answer["story"], verdict["class"], verdict["rule"]));
            } else if class != "none" {
                assert!(!verdict["fix"].as_str().unwrap_or_default().is_empty(), "{timeline}");
                assert!(!verdict["summary"].as_str().unwrap_or_default().is_empty(), "{timeline}");
                assert!(!verdict["evidence"].as_array().unwrap().is_empty(), "{timeline}");
            }
        }
    }
    let never_simulated = ["unclassified"];
    for class in Class::KNOWN.iter().map(|class| class.as_str()).filter(|class| !never_simulated.contains(class)) {
        assert!(seen.contains(class), "no story of {class} was told");
    }
    assert!(wrong.len() * 20 <= looked_up, "{} of {looked_up} verdicts are wrong: {wrong:#?}", wrong.len());
}

fn story_events() -> Vec<Value> {
    let call = json!({"request_id": "req-story", "user_id": "u-1"});
    let mut upstream = call.clone();
    upstream["hop"] = json!("upstream");
    upstream["outcome"] = json!("failure");
    upstream["oauth"] =
        json!({"error": "invalid_grant", "grant_type": "refresh_token", "issuer": "https://idp.example"});
    upstream["token"] = json!({"trigger": "on_demand", "attempt": 1, "fingerprint": "hmac-sha256:00112233445566aa"});
    upstream["http"] = json!({"status": 400});
    let mut rejected = call.clone();
    rejected["outcome"] = json!("failure");
    rejected["http"] = json!({"status": 401});
    rejected["message"] = json!("authorization failed");
    vec![
        event("credential", "mcp.auth.credential", 12, &call),
        event("refresh", "mcp.auth.refresh", 11, &upstream),
        event("rejected", "mcp.request.rejected", 10, &rejected),
    ]
}

fn produce(stage: &Stage, events: &[Value]) {
    let texts: Vec<String> = events.iter().map(Value::to_string).collect();
    let records: Vec<(&str, &[u8])> = texts.iter().map(|text| ("req-story", text.as_bytes())).collect();
    stage.produce(&records);
}

#[test]
fn out_of_order_and_sent_twice_is_one_story() {
    let stage = Stage::new("order");
    let consume = stage.start(&["consume"], &[]);
    let mut events = story_events();
    events.reverse();
    produce(&stage, &events);
    produce(&stage, &events);
    stage.wait_for_rows(6, 0, &consume);
    let (_serve, base) = stage.serve();
    let (status, timeline) = get(&format!("{base}/v1/requests/req-story"));
    assert_eq!(status, 200, "{timeline}");
    let order: Vec<_> =
        timeline["timeline"].as_array().unwrap().iter().map(|entry| entry["event_id"].as_str().unwrap()).collect();
    assert_eq!(order, ["credential", "refresh", "rejected"]);
    let verdict = &timeline["verdict"];
    assert_eq!(
        (verdict["class"].as_str(), verdict["hop"].as_str()),
        (Some("refresh_failure"), Some("upstream")),
        "{verdict}"
    );
    assert_eq!(timeline["refreshes"].as_array().unwrap().len(), 1);

    let (status, page) = get(&format!("{base}/v1/token-refreshes?workspace=acme&slug=wiki"));
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{page}");
    assert_eq!(
        (items[0]["oauth_error"].as_str(), items[0]["trigger"].as_str(), items[0]["request_id"].as_str()),
        (Some("invalid_grant"), Some("on_demand"), Some("req-story"))
    );

    let (status, found) = get(&format!("{base}/v1/requests?workspace=acme&class=refresh_failure"));
    assert_eq!((status, found["items"].as_array().unwrap().len()), (200, 1), "{found}");

    let looked_up = stage.run(&["lookup", "req-story", "--json"]);
    let same: Value = serde_json::from_slice(&looked_up.stdout).unwrap();
    assert_eq!(same, timeline, "the command and the API answer with the same object");

    let (status, html) = get_as(&format!("{base}/requests/req-story"), "text/html");
    assert_eq!(status, 200);
    assert!(html.contains("refresh_failure") || html.contains("refresh"), "{html}");
}

#[test]
fn a_refresh_in_the_background_explains_the_request_it_broke() {
    let stage = Stage::new("connection");
    let consume = stage.start(&["consume"], &[]);
    let connection = "hmac-sha256:0123456789abcdef";
    let refresh = event(
        "background",
        "mcp.auth.refresh",
        40,
        &json!({"hop": "upstream", "outcome": "failure", "connection_id": connection, "initiator": "background", "user_id": "u-1",
            "oauth": {"error": "invalid_client", "grant_type": "refresh_token"}, "token": {"trigger": "proactive"}, "http": {"status": 401}}),
    );
    let call = event(
        "call",
        "mcp.call.completed",
        10,
        &json!({"hop": "upstream", "outcome": "failure", "request_id": "req-story", "connection_id": connection, "user_id": "u-1",
            "http": {"status": 401}, "www_authenticate": {"error": "invalid_token"}}),
    );
    produce(&stage, &[call, refresh]);
    stage.wait_for_rows(2, 0, &consume);
    let (_serve, base) = stage.serve();
    let (_, timeline) = get(&format!("{base}/v1/requests/req-story"));
    assert_eq!(timeline["verdict"]["class"], "invalid_client", "{timeline}");
    assert_eq!(timeline["verdict"]["evidence"][0]["event_id"], "background", "{timeline}");
}

#[test]
fn metrics_count_what_was_stored() {
    let stage = Stage::new("metrics");
    let admin = format!("127.0.0.1:{}", crate::support::free_port());
    let consume = stage.start(&["consume"], &[("GATETRAIL_ADMIN_LISTEN", &admin)]);
    produce(&stage, &story_events());
    stage.produce(&[("k", b"broken")]);
    stage.wait_for_rows(3, 1, &consume);
    let metrics = || get_as(&format!("http://{admin}/metrics"), "text/plain").1;
    // Each partition's batch is counted when it is stored, in whatever order.
    let expected = [
        "gatetrail_dead_letters_total{code=\"not_json\"} 1",
        "gatetrail_stored_rows_total{table=\"events\"} 3",
        "gatetrail_token_refreshes_total{outcome=\"failure\",trigger=\"on_demand\",slug=\"wiki\"} 1",
        "gatetrail_classified_total{class=\"refresh_failure\",hop=\"upstream\"} 1",
    ];
    let not_yet = |text: &str| expected.into_iter().find(|line| !text.contains(line));
    wait_until(
        "every batch is counted",
        || not_yet(&metrics()).is_none(),
        || {
            let text = metrics();
            format!("{:?} is not in\n{text}", not_yet(&text))
        },
    );
    assert_eq!(get(&format!("http://{admin}/livez")).0, 200);
    let (status, ready) = get(&format!("http://{admin}/readyz?verbose"));
    assert_eq!((status, ready["parts"].as_array().unwrap().len()), (200, 5), "{ready}");
}
