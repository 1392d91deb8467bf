//! The routes, through the whole router: every problem by its code, limits, headers, and pages that escape.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::bounds::Bounds;
use super::questions::StoreQuestions;
use super::testing::{KNOWN, MemorySink, NEVER, PANIC, STORE_AWAY, Seen, get, router, send, state};
use crate::query::VerdictTexts;
use crate::telemetry::clock::Clock;

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn long_id() -> String {
    "x".repeat(10_000)
}

fn assert_problem(seen: &Seen, status: u16, code: &str) {
    assert_eq!(seen.status.as_u16(), status, "{code}: {}", seen.text);
    assert_eq!(seen.header("content-type"), Some("application/problem+json"), "{code}");
    let document = seen.json();
    assert_eq!(document["code"], code);
    assert_eq!(document["status"], status);
    assert_eq!(document["type"], format!("urn:gatetrail:problem:{code}"));
    assert_eq!(document["instance"], format!("urn:gatetrail:answer:{}", seen.header("x-request-id").unwrap()));
    for name in ["title", "detail"] {
        assert!(
            document[name].as_str().is_some_and(|text| text.len() > 10 && !text.contains("secret")),
            "{code} {name}: {document}"
        );
    }
}

#[tokio::test]
async fn every_refused_question_has_its_code() {
    let long = format!("/v1/requests/{}", long_id());
    let cases = [
        ("/nowhere", 404, "not_found"),
        ("/v1/requests/a/b", 404, "not_found"),
        ("/assets/nothing.css", 404, "not_found"),
        ("/metrics", 404, "not_found"),
        ("/v1/requests/unheard-of", 404, "request_not_found"),
        ("/v1/requests/%00", 400, "bad_id"),
        ("/v1/requests/%0a", 400, "bad_id"),
        ("/v1/requests/%FF", 400, "bad_id"),
        (&long, 400, "bad_id"),
        ("/lookup?id=", 400, "bad_id"),
        ("/lookup?id=%20", 400, "bad_id"),
        ("/v1/requests?limit=-1", 400, "bad_limit"),
        ("/v1/requests?limit=0", 400, "bad_limit"),
        ("/v1/requests?limit=1001", 400, "bad_limit"),
        ("/v1/token-refreshes?limit=-1", 400, "bad_limit"),
        ("/v1/requests?cursor=broken", 400, "bad_cursor"),
        ("/v1/token-refreshes?cursor=%27%3B--", 400, "bad_cursor"),
        ("/v1/requests?from=yesterday", 400, "bad_time"),
        ("/v1/requests?from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z", 400, "bad_time"),
        ("/v1/requests?class=no_such_class", 400, "bad_filter"),
        ("/v1/token-refreshes?outcome=maybe", 400, "bad_filter"),
        ("/v1/requests?slgu=github", 400, "unknown_parameter"),
        ("/v1/token-refreshes?class=x", 400, "unknown_parameter"),
        ("/v1/requests/unheard-of?verbose", 400, "unknown_parameter"),
        ("/v1/requests?slug=a&slug=b", 400, "duplicate_parameter"),
        ("/v1/requests?slug=%00", 400, "bad_parameter"),
        ("/v1/dead-letters?code=bad_tiem", 400, "bad_filter"),
        ("/v1/dead-letters?partition=-1", 400, "bad_parameter"),
        ("/v1/dead-letters?cursor=broken", 400, "bad_cursor"),
        ("/v1/dead-letters?from=yesterday", 400, "bad_time"),
        ("/v1/dead-letters?slug=github", 400, "unknown_parameter"),
        (&format!("/v1/requests/{STORE_AWAY}"), 503, "store_unreachable"),
        (&format!("/v1/requests/{PANIC}"), 500, "internal"),
    ];
    for (path, status, code) in cases {
        let seen = get(path, "").await;
        assert_problem(&seen, status, code);
        let retry_after = seen.header("retry-after").is_some();
        assert_eq!(retry_after, status == 503, "{path}");
    }
}

#[tokio::test]
async fn a_clickhouse_that_is_not_there_is_told_by_the_real_queries() {
    let texts = VerdictTexts {
        summary: |_| String::new(),
        fix: |_| String::new(),
        fixes: |_| Vec::new(),
        difference: |_| None,
    };
    let client = clickhouse::Client::default().with_url("http://127.0.0.1:1");
    let mut away = state(Arc::new(MemorySink::default()));
    away.questions = Arc::new(StoreQuestions { client, texts, auth_retention_days: 90, clock: Clock });
    let router = super::router(away);
    for path in [
        "/v1/requests/it%27s%22a%2Fb",
        "/v1/requests?q=%27%3B%20DROP%20TABLE%20events",
        "/v1/token-refreshes?slug=github",
        "/v1/dead-letters?topic=%27%3B--",
    ] {
        let seen = send(router.clone(), Request::get(path).body(Body::empty()).unwrap()).await;
        assert_problem(&seen, 503, "store_unreachable");
        assert_eq!(seen.header("retry-after"), Some("5"), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout() {
    let mut hurried = state(Arc::new(MemorySink::default()));
    hurried.bounds.call_timeout = Duration::from_millis(50);
    let request = Request::get(format!("/v1/requests/{NEVER}")).body(Body::empty()).unwrap();
    let seen = send(super::router(hurried), request).await;
    assert_problem(&seen, 504, "timeout");
    assert!(seen.header("retry-after").is_some());
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    for (method, path, allowed) in [
        (Method::POST, "/v1/requests", "GET,HEAD"),
        (Method::GET, "/v1/events", "POST"),
        (Method::DELETE, "/livez", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let seen = send(router(), request).await;
        assert_problem(&seen, 405, "method_not_allowed");
        assert_eq!(seen.header("allow"), Some(allowed), "{path}");
    }
}

#[tokio::test]
async fn ids_with_quotes_slashes_and_sql_are_plain_ids() {
    for id in ["a%2Fb", "it%27s", "%22quoted%22", "%27%3B%20DROP%20TABLE%20events%20--%20%3C", "%2e%2e%2f%2e%2e%2fetc"]
    {
        let seen = get(&format!("/v1/requests/{id}"), "").await;
        let plain = percent_encoding::percent_decode_str(id).decode_utf8().unwrap().into_owned();
        assert_eq!((seen.status, &seen.json()["request_id"]), (StatusCode::OK, &json!(plain)), "{id}");
    }
}

#[tokio::test]
async fn the_answers_have_their_published_names() {
    let timeline = get(&format!("/v1/requests/{KNOWN}"), "").await.json();
    for name in [
        "request_id",
        "workspace",
        "slug",
        "user_id",
        "client",
        "started_at",
        "ended_at",
        "outcome",
        "verdict",
        "timeline",
        "missing",
        "refreshes",
    ] {
        assert!(timeline.get(name).is_some(), "{name}");
    }
    for name in ["class", "reason", "hop", "who_acts", "rule", "confidence", "summary", "fix", "evidence", "fixes", "other_hop"] {
        assert!(timeline["verdict"].get(name).is_some(), "verdict.{name}");
    }
    assert_eq!(timeline["verdict"]["fixes"][0], json!({"audience": "end_user", "text": "Disconnect github and connect it again."}));
    assert_eq!(get("/v1/requests/unheard-of", "").await.json()["reason"], "no_trace");
    for path in ["/v1/requests?hop=upstream&limit=1000", "/v1/token-refreshes?workspace=acme&from=-7d"] {
        let list = get(path, "").await;
        assert_eq!(list.status, StatusCode::OK, "{path}: {}", list.text);
        assert!(list.json()["items"].is_array() && list.json().get("next_cursor").is_some(), "{path}");
    }
}

#[tokio::test]
async fn every_answer_wears_its_headers() {
    for path in [
        "/",
        "/nowhere",
        "/livez",
        "/assets/style.css",
        "/openapi.json",
        "/v1/requests?limit=-1",
        &format!("/v1/requests/{PANIC}"),
    ] {
        let seen = get(path, "").await;
        let policy = seen.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(seen.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(seen.header("x-request-id").is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()), "{path}");
    }
    let request = Request::get("/livez").header("x-request-id", "mine-1").body(Body::empty()).unwrap();
    assert_eq!(send(router(), request).await.header("x-request-id"), Some("mine-1"));
}

#[tokio::test]
async fn another_host_is_refused_where_only_this_machine_is_served() {
    let ask = |host: &str| Request::get("/").header("host", host).body(Body::empty()).unwrap();
    assert_problem(&send(router(), ask("rebound.example:8080")).await, 421, "misdirected");
    assert_eq!(send(router(), ask("localhost:8080")).await.status, StatusCode::OK);
    let mut open = state(Arc::new(MemorySink::default()));
    open.bounds.own_host_only = false;
    assert_eq!(send(super::router(open), ask("gatetrail.example")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_calls_than_places_are_told_to_come_again() {
    let mut full = state(Arc::new(MemorySink::default()));
    full.bounds = Bounds { concurrent_calls: 0, ..full.bounds };
    let router = super::router(full);
    let ask = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let seen = send(router.clone(), ask("/v1/requests")).await;
    assert_problem(&seen, 503, "overloaded");
    assert_eq!(seen.header("retry-after"), Some("1"));
    assert_eq!(send(router, ask("/livez")).await.status, StatusCode::OK, "health has no places");
}

#[tokio::test]
async fn readiness_names_the_part_that_fails() {
    let ready = get("/readyz?verbose", "").await;
    assert_eq!(ready.status, StatusCode::OK, "Kafka is not needed to read");
    assert_eq!(
        ready.json()["parts"][1],
        json!({"name": "kafka", "ok": false, "needed": false, "detail": "does not answer"})
    );
    assert_eq!(get("/readyz", "").await.json(), json!({"status": "ready"}));

    let mut broken = state(Arc::new(MemorySink::default()));
    let unknown_version = || async { Err("version 9 is not known".to_owned()) }.boxed();
    broken.admin.parts =
        Arc::from([super::health::Part { name: "schema", needed: true, probe: Box::new(unknown_version) }]);
    let seen =
        send(super::admin_router(broken.admin.clone()), Request::get("/readyz?verbose").body(Body::empty()).unwrap())
            .await;
    assert_problem(&seen, 503, "not_ready");
    assert_eq!(seen.json()["detail"], "schema: version 9 is not known");
    assert_eq!(seen.json()["parts"][0]["name"], "schema");
    let metrics = send(super::admin_router(broken.admin), Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert!(metrics.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")));
    let counted = "gatetrail_http_requests_total{route=\"/readyz\",status=\"503\"} 1";
    assert!(metrics.text.contains(counted) && metrics.text.ends_with("# EOF\n"), "{}", metrics.text);
}

#[tokio::test]
async fn a_browser_gets_problems_as_pages_with_the_same_status() {
    for (path, status) in [
        ("/nowhere", 404),
        ("/requests/unheard-of", 404),
        ("/requests/%00", 400),
        ("/requests/store-away", 503),
        ("/requests/panic", 500),
    ] {
        let seen = get(path, BROWSER).await;
        assert_eq!(seen.status.as_u16(), status, "{path}");
        assert_eq!(seen.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(seen.text.contains("<h1>") && !seen.text.contains("secret"), "{path}");
    }
    assert_problem(&get("/v1/requests/unheard-of", BROWSER).await, 404, "request_not_found");
}

#[tokio::test]
async fn the_form_leads_to_the_page_of_the_id() {
    let seen = get("/lookup?id=%20a%2Fb%3Fc%20", BROWSER).await;
    assert_eq!((seen.status, seen.header("location")), (StatusCode::SEE_OTHER, Some("/requests/a%2Fb%3Fc")));
}

#[tokio::test]
async fn the_page_tells_the_verdict_and_escapes_what_others_wrote() {
    let seen = get("/requests/%3Cscript%3Ealert(2)%3C%2Fscript%3E", BROWSER).await;
    assert_eq!(seen.status, StatusCode::OK);
    for text in [
        "The token could not be refreshed",
        "Gateway → MCP server",
        "The person at the client",
        ">the cause<",
        "expected, not seen",
        "Disconnect github",
        "has to act",
        "Let one &#60;instance&#62; refresh at a time.",
        "<dt>registered</dt><dd>https://mcp.example<mark></mark></dd>",
        "<dt>advertised</dt><dd>https://mcp.example<mark>/mcp</mark></dd>",
        "The client was answered with the consequence (HTTP 401, sign_in_required) (event 6).",
    ] {
        assert!(seen.text.contains(text), "{text}: {}", seen.text);
    }
    for raw in ["<script>alert", "<b>before", "<instance>", " style=", " onclick", "javascript:"] {
        assert!(!seen.text.contains(raw), "{raw}");
    }
    assert_eq!(seen.text.matches("<script").count(), 1, "only our own module");
}

#[tokio::test]
async fn refused_records_are_listed_with_counts() {
    let seen = get("/v1/dead-letters?code=bad_time&partition=3&from=-7d", "").await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
    let list = seen.json();
    assert_eq!(list["counts"], json!({"bad_time": 12, "of_a_later_version": 400}));
    assert_eq!(list["next_cursor"], "bmV4dA");
    assert_eq!(
        list["items"][0],
        json!({
            "received_at": "2026-11-22T10:00:00.123456Z", "code": "bad_time", "field": "time",
            "detail": "`time` is not a <time>", "excerpt": "<script>alert(1)</script><img src=x onerror=alert(2)>",
            "record_bytes": 48, "kafka_topic": "mcp.gateway.events", "kafka_topic_id": null, "kafka_partition": 3,
            "kafka_offset": 1207, "kafka_index": 0, "state": "refused", "replayed_at": null, "replay_code": null,
        })
    );
}

#[tokio::test]
async fn the_page_of_refused_records_says_what_to_change_and_escapes_excerpts() {
    let seen = get("/dead-letters?topic=%22%3E%3Cscript%3E&limit=2", BROWSER).await;
    assert_eq!((seen.status, seen.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
    for text in [
        "412 in all",
        "send the time of the step as RFC 3339 with an offset",
        "a code that this version does not know",
        "partition 3, offset 1207",
        "the whole excerpt",
        "&#60;script&#62;alert(1)",
        "href=\"/dead-letters?topic=%22%3E%3Cscript%3E&#38;limit=2&#38;cursor=bmV4dA\"",
    ] {
        assert!(seen.text.contains(text), "{text}: {}", seen.text);
    }
    for raw in ["<script>", "<img", "<time>", " style=", " onclick"] {
        assert!(!seen.text.contains(raw), "{raw}");
    }
    assert!(seen.text.find("of_a_later_version") < seen.text.find("bad_time"), "the most frequent code first");
    let quiet = get("/dead-letters?topic=quiet", BROWSER).await;
    assert!(quiet.text.contains("No record was refused") && !quiet.text.contains("<table"), "{}", quiet.text);
    assert!(get("/", BROWSER).await.text.contains("href=\"/dead-letters\""));
    assert_eq!(get("/dead-letters?code=no_such", BROWSER).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_route_of_the_api_is_described() {
    let description = get("/openapi.json", "").await.json();
    let described: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/livez",
        "/openapi.json",
        "/readyz",
        "/v1/dead-letters",
        "/v1/events",
        "/v1/requests",
        "/v1/requests/{request_id}",
        "/v1/token-refreshes",
    ];
    assert_eq!(described, expected);
    let table = include_str!("mod.rs");
    for route in table
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|route| route.starts_with("/v1/"))
    {
        assert!(described.iter().any(|path| path.as_str() == route), "{route} is not described");
    }
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let as_problem = answer["content"].get("application/problem+json").is_some();
                assert_eq!(as_problem, status.starts_with(['4', '5']), "{method} {path} {status}");
            }
        }
    }
    let problem = &description["components"]["schemas"]["Problem"]["properties"];
    assert!(matches!(problem, Value::Object(members) if members.contains_key("code")), "{problem}");
}
