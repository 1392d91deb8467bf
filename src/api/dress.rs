//! What every answer wears: an `X-Request-Id`, security headers, its problem in the form the reader can use, and a line
//! in the access log.
//!
//! The log line names the route and never the address as asked, because ids and filters are data of persons.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::pages;
use super::problem::Problem;
use crate::telemetry::Metrics;

/// Carries the id of the call: taken from the caller when it fits, minted otherwise, returned in any case.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken from a caller, in bytes.
const CALLERS_ID_BYTES: usize = 128;

/// Routes that machines ask every few seconds: their log lines would hide the others.
const PROBED: &[&str] = &["/livez", "/readyz", "/metrics"];

/// Nothing but our own style sheet, script and icon; no inline code; no frame around us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Dresses the answer of everything inside.
pub async fn dress(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let answer_id = accepted_id(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let for_browser = wants_page(request.headers(), request.uri().path());

    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = rendered(&problem, &response, &answer_id, for_browser);
    }
    add_headers(response.headers_mut(), &answer_id);

    let status = response.status().as_u16();
    metrics.observe_http_request(&route, status, started.elapsed());
    let elapsed_ms = started.elapsed().as_millis();
    if PROBED.contains(&route.as_str()) {
        tracing::debug!(target: "gatetrail::access", %method, route, status, elapsed_ms, request_id = answer_id, "answered");
    } else {
        tracing::info!(target: "gatetrail::access", %method, route, status, elapsed_ms, request_id = answer_id, "answered");
    }
    response
}

/// The id a caller sent, when it is safe to repeat in headers, logs and documents.
fn accepted_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let fits = (1..=CALLERS_ID_BYTES).contains(&id.len());
    let allowed = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (fits && allowed).then(|| id.to_owned())
}

/// Whether a person's browser asks, for something that is not the API.
fn wants_page(headers: &HeaderMap, path: &str) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !path.starts_with("/v1/")
}

fn rendered(problem: &Problem, first: &Response, answer_id: &str, for_browser: bool) -> Response {
    let mut response =
        if for_browser { pages::problem::render(problem, answer_id) } else { problem.respond(Some(answer_id)) };
    if let Some(methods) = first.headers().get(ALLOW) {
        response.headers_mut().insert(ALLOW, methods.clone());
    }
    response
}

fn add_headers(headers: &mut HeaderMap, answer_id: &str) {
    if let Ok(id) = HeaderValue::from_str(answer_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{X_REQUEST_ID, accepted_id, wants_page};

    #[test]
    fn only_ids_of_a_bounded_charset_are_taken() {
        let taken = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            accepted_id(&headers).is_some()
        };
        for id in ["a", "0198f3c2-7d1e.A_b", &"x".repeat(128)] {
            assert!(taken(id), "{id}");
        }
        for id in ["", "a b", "a/b", "<script>", "é", &"x".repeat(129)] {
            assert!(!taken(id), "{id}");
        }
    }

    #[test]
    fn the_api_answers_json_even_to_a_browser() {
        let mut headers = HeaderMap::new();
        assert!(!wants_page(&headers, "/"));
        headers.insert("accept", HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9"));
        assert!(wants_page(&headers, "/requests/1"));
        assert!(!wants_page(&headers, "/v1/requests/1"));
    }
}
