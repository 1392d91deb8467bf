//! Problem documents (RFC 9457): what every refused or failed call answers.
//!
//! A [`Problem`] is an error of a handler. Its first rendering knows neither the address nor the reader;
//! [`super::dress`] adds `instance` and, for a browser, turns it into a page.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use crate::query::not_found::NotFoundReason;
use crate::telemetry::with_causes;

/// Prefix of `type`: a name, not an address, so that no host name becomes part of the contract.
const TYPE_PREFIX: &str = "urn:gatetrail:problem:";

/// Prefix of `instance`, before the `X-Request-Id` of the answer.
const INSTANCE_PREFIX: &str = "urn:gatetrail:answer:";

/// A refused or failed call.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// What happened this time and what to do, for a person. Never holds a secret or an internal message.
    pub detail: String,
    /// Seconds after which to try again; sent as `Retry-After`.
    pub retry_after_seconds: Option<u32>,
    /// Why a request is not found.
    pub reason: Option<NotFoundReason>,
    /// The events that were refused, where the call took events.
    pub rejected: Vec<RejectedEvent>,
    /// The state of each part, where the call asked for it.
    pub parts: Vec<PartState>,
}

/// One event of a body that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RejectedEvent {
    /// Place of the event in the body, from 0; blank lines do not count.
    pub index: usize,
    /// Stable code: one of the event contract's, or `kafka_unreachable`.
    pub code: String,
    /// Path of the member at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what to send instead.
    pub detail: String,
}

/// Whether one part that `serve` stands on works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartState {
    /// `clickhouse`, `schema`, `kafka`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Whether `serve` is of no use without it.
    pub needed: bool,
    /// What was seen.
    pub detail: String,
}

/// A problem document (RFC 9457), as sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument<'a> {
    /// `urn:gatetrail:problem:` and the code.
    pub r#type: String,
    /// The same sentence for every occurrence.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time and what to do.
    pub detail: &'a str,
    /// Stable code, for scripts.
    pub code: &'a str,
    /// Names this answer: `urn:gatetrail:answer:` and its `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Why a request is not found, for `request_not_found`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<NotFoundReason>,
    /// The events that were refused, for `POST /v1/events`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub rejected: &'a [RejectedEvent],
    /// The state of each part, for `GET /readyz?verbose`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub parts: &'a [PartState],
}

impl Problem {
    /// A problem with its sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after_seconds: None,
            reason: None,
            rejected: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The same, and when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// A fault of ours: logged here, once, with its causes; the caller learns only that it happened.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = with_causes(error), "a call failed in a way that is not the caller's");
        Self::new(Code::Internal, "The fault is logged under the X-Request-Id of this answer. Trying again is safe.")
    }

    /// The document; `answer_id` is the answer's `X-Request-Id`.
    #[must_use]
    pub fn document(&self, answer_id: Option<&str>) -> ProblemDocument<'_> {
        ProblemDocument {
            r#type: format!("{TYPE_PREFIX}{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            instance: answer_id.map(|id| format!("{INSTANCE_PREFIX}{id}")),
            reason: self.reason,
            rejected: &self.rejected,
            parts: &self.parts,
        }
    }

    /// The answer as JSON; `answer_id` as in [`Problem::document`].
    #[must_use]
    pub fn respond(&self, answer_id: Option<&str>) -> Response {
        let body = serde_json::to_vec(&self.document(answer_id)).unwrap_or_default();
        let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.code.status(), [content_type], body).into_response();
        self.add_headers(&mut response);
        response
    }

    /// Puts `Retry-After` on an answer that tells of this problem.
    pub fn add_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.respond(None);
        response.extensions_mut().insert(self);
        response
    }
}
