//! A router over canned answers, for the tests of the routes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::bounds::Bounds;
use super::health::Part;
use super::ingest::{Candidate, EventSink, OutgoingRecord, Refusal, SinkError};
use super::questions::{Answer, Questions};
use super::state::{AdminState, ApiState};
use crate::query::hops::{OtherHop, OtherHopRole};
use crate::query::missing::{Absence, MissingStep};
use crate::query::not_found::NotFoundReason;
use crate::query::order::ClockSkew;
use crate::query::stored::Relation;
use crate::query::texts::{AudienceFix, MarkedUrl, UrlDifference};
use crate::query::timeline::{Evidence, RelatedRequest, RequestVerdict, TimelineEntry};
use crate::query::{
    DeadLetterFilter, DeadLetterList, DeadLetterSummary, NotFound, Page, Paged, QueryError, RefreshFilter,
    RequestFilter, RequestSummary, RequestTimeline, TokenRefresh,
};
use crate::telemetry::clock::Clock;
use crate::telemetry::{Metrics, Role};

/// The id that makes the canned store unreachable.
pub const STORE_AWAY: &str = "store-away";
/// The id that makes the canned store panic.
pub const PANIC: &str = "panic";
/// The id whose answer never comes.
pub const NEVER: &str = "never";
/// The id of the canned request.
pub const KNOWN: &str = "0198f3c2-7d1e-7a55-9c1b-6f0d2b9a4e10";

/// Knows one request, whatever quotes or slashes its id has; others are not found.
pub struct Canned;

impl Questions for Canned {
    fn request_timeline<'a>(&'a self, request_id: &'a str) -> Answer<'a, Result<RequestTimeline, NotFound>> {
        let answer = match request_id {
            STORE_AWAY => {
                Err(QueryError::StoreUnreachable(clickhouse::error::Error::Network("secret_host refused".into())))
            }
            PANIC => panic!("a secret that must not be repeated"),
            NEVER => return futures_util::future::pending().boxed(),
            KNOWN => Ok(Ok(failed_refresh(request_id))),
            id if id.contains(['/', '\'', '"', '<']) => Ok(Ok(failed_refresh(id))),
            _ => Ok(Err(NotFound {
                reason: NotFoundReason::NoTrace,
                detail: "no event carries this id, and ingest is up to date".to_owned(),
                known_as: Vec::new(),
                newest_event_age_s: Some(1),
            })),
        };
        async move { answer }.boxed()
    }

    fn search_requests<'a>(&'a self, filter: &'a RequestFilter, _: &'a Page) -> Answer<'a, Paged<RequestSummary>> {
        async { filter.checked_range(Clock.now()).map(|_| Paged { items: Vec::new(), next_cursor: None }) }.boxed()
    }

    fn token_refreshes<'a>(&'a self, filter: &'a RefreshFilter, _: &'a Page) -> Answer<'a, Paged<TokenRefresh>> {
        async {
            filter
                .checked_range(Clock.now())
                .map(|_| Paged { items: failed_refresh(KNOWN).refreshes, next_cursor: None })
        }
        .boxed()
    }

    fn dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter, _: &'a Page) -> Answer<'a, DeadLetterList> {
        let answer = filter.checked_range(Clock.now()).map(|_| match filter.topic.as_deref() {
            Some("quiet") => DeadLetterList { items: Vec::new(), next_cursor: None, counts: BTreeMap::new() },
            _ => refused(),
        });
        async move { answer }.boxed()
    }
}

/// Two refused records, one of a code that this version does not know; another page follows.
pub fn refused() -> DeadLetterList {
    let letter = |code: &str, field: Option<&str>, excerpt: &str| DeadLetterSummary {
        received_at: "2026-11-22T10:00:00.123456Z".parse().unwrap(),
        code: code.into(),
        field: field.map(Into::into),
        detail: "`time` is not a <time>".into(),
        excerpt: excerpt.into(),
        record_bytes: 48,
        kafka_topic: "mcp.gateway.events".into(),
        kafka_topic_id: None,
        kafka_partition: 3,
        kafka_offset: 1_207,
        kafka_index: 0,
        state: "refused".into(),
        replayed_at: None,
        replay_code: None,
    };
    let long = format!("\u{202E}{}", "ü".repeat(500));
    DeadLetterList {
        items: vec![
            letter("bad_time", Some("time"), "<script>alert(1)</script><img src=x onerror=alert(2)>"),
            letter("of_a_later_version", None, &long),
        ],
        next_cursor: Some("bmV4dA".into()),
        counts: BTreeMap::from([("bad_time".into(), 12), ("of_a_later_version".into(), 400)]),
    }
}

/// Keeps what it is given; a key `away` is not confirmed, a key `large` is too large.
#[derive(Default)]
pub struct MemorySink(pub Mutex<Vec<OutgoingRecord>>);

impl EventSink for MemorySink {
    fn produce(&self, records: Vec<OutgoingRecord>) -> BoxFuture<'_, Vec<Result<(), SinkError>>> {
        let confirm = |record: &OutgoingRecord| match record.key.as_deref() {
            Some("away") => Err(SinkError::Unreachable),
            Some("large") => Err(SinkError::TooLarge),
            _ => Ok(()),
        };
        let confirmations = records.iter().map(confirm).collect();
        self.0.lock().unwrap().extend(records);
        async move { confirmations }.boxed()
    }
}

/// Takes an object with an `id`; its `key` is the Kafka key.
fn check(candidate: &Candidate) -> Result<Option<String>, Refusal> {
    let refused =
        |code, field: Option<&str>| Refusal { code, field: field.map(str::to_owned), detail: "it is wrong".to_owned() };
    let value: Value = serde_json::from_slice(&candidate.value).map_err(|_| refused("not_json", None))?;
    if value.get("id").is_none() && candidate.headers.is_empty() {
        return Err(refused("missing_field", Some("id")));
    }
    Ok(value.get("key").and_then(Value::as_str).map(str::to_owned))
}

/// A state over canned parts; `kafka_works` is what readiness learns.
pub fn state(sink: Arc<MemorySink>) -> ApiState {
    let part = |name, needed, ok: bool| Part {
        name,
        needed,
        probe: Box::new(move || {
            async move { if ok { Ok("answers".to_owned()) } else { Err("does not answer".to_owned()) } }.boxed()
        }),
    };
    ApiState {
        questions: Arc::new(Canned),
        sink,
        event_check: Arc::new(|candidate, _| check(candidate)),
        admin: AdminState {
            parts: Arc::from([part("clickhouse", true, true), part("kafka", false, false)]),
            metrics: Metrics::new(Role::Serve, Clock),
        },
        clock: Clock,
        bounds: Bounds::default(),
    }
}

/// The main router over canned parts.
pub fn router() -> Router {
    super::router(state(Arc::new(MemorySink::default())))
}

/// An answer as a test looks at it.
pub struct Seen {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Seen {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// Sends a request through the whole router.
pub async fn send(router: Router, request: Request<Body>) -> Seen {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Seen { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// Sends a GET, with the headers of `accept` when it is not empty.
pub async fn get(path: &str, accept: &str) -> Seen {
    let mut request = Request::get(path);
    if !accept.is_empty() {
        request = request.header("accept", accept);
    }
    send(router(), request.body(Body::empty()).unwrap()).await
}

fn entry(id: &str, time: &str, step: [&str; 4], columns: Value) -> TimelineEntry {
    let [type_name, hop, outcome, class] = step.map(str::to_owned);
    let columns: BTreeMap<String, Value> = serde_json::from_value(columns).unwrap();
    let joined_by = if id == "e0" { Relation::Connection } else { Relation::Request };
    TimelineEntry {
        event_id: id.to_owned(),
        time: time.parse().unwrap(),
        type_name,
        hop,
        outcome,
        class,
        source: "//gateway/eu-1/gw-3".to_owned(),
        rank: 0,
        joined_by,
        origins: BTreeMap::from([("slug".to_owned(), "url".to_owned())]),
        columns,
    }
}

/// A request whose token could not be refreshed, told in full.
pub fn failed_refresh(request_id: &str) -> RequestTimeline {
    let time = |text: &str| format!("2026-11-22T10:00:0{text}Z");
    let timeline = vec![
        entry(
            "e0",
            "2026-11-22T07:12:40.100Z",
            ["mcp.auth.refresh", "upstream", "success", "none"],
            json!({"http_status": 200, "token_trigger": "proactive", "token_attempt": 1}),
        ),
        entry(
            "e1",
            &time("0.000"),
            ["mcp.auth.credential", "downstream", "success", "none"],
            json!({"credential_kind": "user_key", "credential_sent": true}),
        ),
        entry(
            "e2",
            &time("0.004"),
            ["mcp.auth.decision", "internal", "success", "none"],
            json!({"credential_permissions": ["mcp.invoke"]}),
        ),
        entry(
            "e3",
            &time("0.0121"),
            ["mcp.call.completed", "upstream", "failure", "sign_in_required"],
            json!({"http_status": 401, "mcp_method": "tools/call", "mcp_tool": "search_issues", "www_authenticate_error": "invalid_token"}),
        ),
        entry(
            "e4",
            &time("0.1824"),
            ["mcp.auth.refresh", "upstream", "failure", "refresh_failure"],
            json!({
            "http_status": 400, "oauth_error": "invalid_grant", "oauth_error_description": "Token has been used <b>before</b>", "oauth_issuer": "https://idp.example",
            "token_trigger": "on_401", "token_attempt": 1, "token_age_s": 3611, "workspace": "acme", "slug": "github"}),
        ),
        entry(
            "e5",
            &time("0.201"),
            ["mcp.auth.challenge", "downstream", "failure", "sign_in_required"],
            json!({"http_status": 401}),
        ),
        entry(
            "e6",
            &time("0.203"),
            ["mcp.request.completed", "downstream", "failure", "refresh_failure"],
            json!({
            "http_status": 401, "http_method": "POST", "url_path": "/github/mcp", "message": "Authorization with the MCP server failed. <script>alert(1)</script>", "duration_ms": 203.4}),
        ),
    ];
    let refresh = |time: &str, outcome: &str, class: &str, error: Option<&str>, request: Option<&str>| TokenRefresh {
        time: time.parse().unwrap(),
        workspace: Some("acme".into()),
        slug: Some("github".into()),
        user_id: Some("u_42".into()),
        connection_id: Some("hmac-sha256:51c0a1e9d2b34f77".into()),
        outcome: outcome.into(),
        class: class.into(),
        reason: error.map(|_| "reused_race".into()),
        trigger: Some(if request.is_some() { "on_401" } else { "proactive" }.into()),
        attempt: Some(1),
        oauth_error: error.map(Into::into),
        fingerprint: Some("hmac-sha256:9f2c44d01b7e6a30".into()),
        new_fingerprint: None,
        rotated: Some(true),
        expires_in: Some(3600),
        age_s: Some(3611),
        refresh_age_s: None,
        duration_ms: Some(170.0),
        request_id: request.map(Into::into),
        event_id: "e".into(),
        source: "//gateway/eu-1/gw-3".into(),
    };
    let marked = |what: &str, path: &str| MarkedUrl {
        what: what.into(),
        url: format!("https://mcp.example{path}"),
        differs_at: 19,
        differs_length: path.len(),
    };
    let fix = |audience: &str, text: &str| AudienceFix { audience: audience.into(), text: text.into() };
    RequestTimeline {
        request_id: request_id.to_owned(),
        workspace: Some("acme".into()),
        slug: Some("github".into()),
        user_id: Some("u_42".into()),
        client: Some("claude-code".into()),
        client_version: Some("2.3.1".into()),
        gateway_product: Some("example-gateway".into()),
        started_at: "2026-11-22T10:00:00.000Z".parse().unwrap(),
        ended_at: "2026-11-22T10:00:00.203Z".parse().unwrap(),
        outcome: Some("failure".into()),
        verdict: RequestVerdict {
            class: "refresh_failure".into(),
            reason: Some("reused_race".into()),
            hop: Some("upstream".into()),
            who_acts: "end_user".into(),
            rule: "refresh-invalid-grant-reused".into(),
            confidence: "certain".into(),
            summary: "https://idp.example refused the refresh token (invalid_grant): it had been used before.".into(),
            fix: "Disconnect github and connect it again. If it comes back, tell whoever runs the gateway that two replicas refresh at the same time.".into(),
            evidence: vec![
                Evidence { event_id: "e4".into(), field: "oauth_error".into(), value: "invalid_grant".into() },
                Evidence { event_id: "e4".into(), field: "oauth_error_description".into(), value: "used <b>before</b>".into() },
            ],
            event_id: Some("e4".into()),
            fixes: vec![fix("end_user", "Disconnect github and connect it again."), fix("gateway_operator", "Let one <instance> refresh at a time.")],
            difference: Some(UrlDifference { left: marked("registered", ""), right: marked("advertised", "/mcp") }),
            other_hop: Some(OtherHop {
                hop: "downstream".into(),
                role: OtherHopRole::Consequence,
                class: "sign_in_required".into(),
                reason: None,
                event_id: "e5".into(),
                text: "the client was answered with the consequence (HTTP 401, sign_in_required)".into(),
            }),
            earlier_failure: None,
            recovered: None,
        },
        timeline,
        missing: vec![MissingStep {
            type_name: "mcp.auth.authorize".into(),
            hop: "upstream".into(),
            after_event_id: "e5".into(),
            absence: Absence::Missing,
            last_reported_at: Some("2026-11-22T09:58:00Z".parse().unwrap()),
            text: "the sign-in that the challenge asked for was not begun".into(),
        }],
        refreshes: vec![
            refresh("2026-11-22T07:12:40.100Z", "success", "none", None, None),
            refresh("2026-11-22T10:00:00.182Z", "failure", "refresh_failure", Some("invalid_grant"), Some(request_id)),
        ],
        related_requests: vec![RelatedRequest { request_id: "0198f3c2-9999".into(), relation: Relation::Retry, outcome: Some("failure".into()) }],
        clock_skew: vec![ClockSkew { source: "//gateway/eu-1/gw-4".into(), ahead_ms: -340 }],
        workspaces: vec!["acme".into()],
        truncated: false,
    }
}
