//! `POST /v1/events` through the whole router: every form, every refusal, and what Kafka would hold.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{MAXIMUM_BODY_BYTES, OutgoingRecord};
use crate::api::testing::{MemorySink, Seen, send, state};

async fn post(headers: &[(&str, &str)], body: impl Into<Body>) -> (Seen, Vec<OutgoingRecord>) {
    let sink = Arc::new(MemorySink::default());
    let mut request = Request::post("/v1/events");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let seen = send(crate::api::router(state(sink.clone())), request.body(body.into()).unwrap()).await;
    let records = sink.0.lock().unwrap().clone();
    (seen, records)
}

async fn post_as(content_type: &str, body: &str) -> (Seen, Vec<OutgoingRecord>) {
    post(&[("content-type", content_type)], body.to_owned()).await
}

fn values(records: &[OutgoingRecord]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.candidate.value.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn every_form_reaches_kafka_as_it_was_sent() {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("application/json", "{\"id\": 1.0}", &["{\"id\": 1.0}"]),
        ("application/json; charset=utf-8", "[{\"id\":1}, {\"id\":2}]", &["{\"id\":1}", "{\"id\":2}"]),
        ("application/x-ndjson", "{\"id\":1}\n\n{\"id\":2}\n", &["{\"id\":1}", "{\"id\":2}"]),
        ("application/cloudevents+json", "{\"id\":1}", &["{\"id\":1}"]),
        ("application/cloudevents-batch+json", "[{\"id\":1}]", &["{\"id\":1}"]),
        ("application/json", "{\"id\":1,\"key\":\"conn-7\"}", &["{\"id\":1,\"key\":\"conn-7\"}"]),
    ];
    for (content_type, body, expected) in cases {
        let (seen, records) = post_as(content_type, body).await;
        assert_eq!(seen.status.as_u16(), 202, "{body}: {}", seen.text);
        assert_eq!(seen.json(), json!({"accepted": expected.len(), "rejected": []}), "{body}");
        assert_eq!(values(&records), expected, "{body}");
    }
    let (_, records) = post_as("application/json", "{\"id\":1,\"key\":\"conn-7\"}").await;
    assert_eq!(records[0].key.as_deref(), Some("conn-7"));
}

#[tokio::test]
async fn binary_mode_carries_its_headers() {
    let headers = [("content-type", "application/json"), ("ce-specversion", "1.0"), ("ce-id", "e%201")];
    let (seen, records) = post(&headers, "{\"hop\":\"upstream\"}").await;
    assert_eq!(seen.status.as_u16(), 202, "{}", seen.text);
    assert!(records[0].candidate.headers.contains(&("ce_id".to_owned(), "e 1".to_owned())));
}

#[tokio::test]
async fn refused_events_are_named_and_the_others_accepted() {
    let (seen, records) = post_as("application/x-ndjson", "{\"id\":1}\n{broken\n{}\n{\"id\":4}").await;
    assert_eq!(seen.status.as_u16(), 202);
    assert_eq!(values(&records), ["{\"id\":1}", "{\"id\":4}"]);
    let expected = json!({"accepted": 2, "rejected": [
        {"index": 1, "code": "not_json", "detail": "it is wrong"},
        {"index": 2, "code": "missing_field", "field": "id", "detail": "it is wrong"}]});
    assert_eq!(seen.json(), expected);
}

#[tokio::test]
async fn a_body_without_one_good_event_is_a_problem() {
    let too_many = "{}\n".repeat(10_001);
    let cases = [
        ("application/json", "", 400, "no_events"),
        ("application/json", "[]", 400, "no_events"),
        ("application/json", "[{]", 400, "not_json"),
        ("application/json", "{}", 422, "no_event_accepted"),
        ("application/x-ndjson", "nonsense\n\0\n", 422, "no_event_accepted"),
        ("application/x-ndjson", &too_many, 413, "too_many_events"),
        ("application/x-www-form-urlencoded", "{\"id\":1}", 415, "unsupported_media_type"),
        ("text/plain", "{\"id\":1}", 415, "unsupported_media_type"),
        ("application/json", "{\"id\":1,\"key\":\"away\"}", 503, "kafka_unreachable"),
        ("application/json", "{\"id\":1,\"key\":\"large\"}", 422, "no_event_accepted"),
    ];
    for (content_type, body, status, code) in cases {
        let (seen, _) = post_as(content_type, body).await;
        let shown: String = body.chars().take(40).collect();
        assert_eq!(
            (seen.status.as_u16(), &seen.json()["code"]),
            (status, &json!(code)),
            "{content_type} {shown}: {}",
            seen.text
        );
        assert_eq!(seen.header("retry-after").is_some(), status == 503, "{shown}");
        assert_eq!(seen.json()["rejected"].is_array(), matches!(status, 422 | 503), "{shown}");
    }
    let (seen, records) = post(&[], "{\"id\":1}").await;
    assert_eq!((seen.json()["code"].as_str(), records.len()), (Some("unsupported_media_type"), 0), "no content type");
    let (seen, _) = post(&[("content-type", "application/json"), ("content-encoding", "gzip")], "…").await;
    assert_eq!(seen.json()["code"], "unsupported_content_encoding");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let line = format!("{{\"id\":1,\"x\":\"{}\"}}\n", "y".repeat(1024 * 1024 - 18));
    let at_limit = line.repeat(MAXIMUM_BODY_BYTES / line.len());
    assert!(at_limit.len() > MAXIMUM_BODY_BYTES - line.len());
    assert_eq!(post(&[("content-type", "application/x-ndjson")], at_limit.clone()).await.0.status.as_u16(), 202);
    let (seen, records) = post(&[("content-type", "application/x-ndjson")], at_limit + &line).await;
    assert_eq!((seen.status.as_u16(), &seen.json()["code"], records.len()), (413, &json!("body_too_large"), 0));
}

#[tokio::test]
async fn what_kafka_did_not_confirm_is_reported_for_each_event() {
    let (seen, _) =
        post_as("application/json", "[{\"id\":1},{\"id\":2,\"key\":\"away\"},{\"id\":3,\"key\":\"large\"}]").await;
    assert_eq!(seen.status.as_u16(), 202);
    let document = seen.json();
    assert_eq!(document["accepted"], 1);
    let codes: Vec<&Value> = document["rejected"].as_array().unwrap().iter().map(|event| &event["code"]).collect();
    assert_eq!(codes, ["kafka_unreachable", "record_too_large"]);
}
