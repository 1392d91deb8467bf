//! `POST /v1/events`: events over HTTP, answered once Kafka confirmed them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::ingest::submit::{self, Checked};
use super::ingest::{MAXIMUM_BODY_BYTES, form, split};
use super::problem::{Problem, ProblemDocument, RejectedEvent};
use super::state::ApiState;
use crate::event::RecordTime;

/// What became of the events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsAnswer {
    /// How many events Kafka confirmed.
    pub accepted: usize,
    /// The others; those with `kafka_unreachable` may be sent again as they are.
    pub rejected: Vec<RejectedEvent>,
}

/// `POST /v1/events`: takes one event or many and answers when Kafka confirmed them.
///
/// The body is one JSON object or an array of them (`application/json`), one object a line (`application/x-ndjson`), a
/// CloudEvent in structured, batched or binary mode. At most 10,000 events and 16 MiB. Sending an event again is safe:
/// `source` and `id` tell it apart.
#[utoipa::path(post, path = "/v1/events", tag = "events",
    request_body(description = "events of the contract in schemas/events", content(
        (serde_json::Value = "application/json"), (String = "application/x-ndjson"),
        (serde_json::Value = "application/cloudevents+json"), (serde_json::Value = "application/cloudevents-batch+json"))),
    responses(
        (status = 202, description = "at least one event is confirmed", body = EventsAnswer),
        (status = 400, description = "no_events, not_json, not_utf8, bad_body", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "body_too_large, too_many_events", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "unsupported_media_type, unsupported_content_encoding", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "no_event_accepted, with each fault", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "kafka_unreachable, overloaded", body = ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn post_events(
    State(state): State<ApiState>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<EventsAnswer>), Problem> {
    let form = form::of(&headers)?;
    let body = Bytes::from_request(request, &state).await.map_err(body_problem)?;
    let checked = check_off_thread(&state, body, form).await?;
    let accepted = submit::produce(checked, state.sink.as_ref(), &state.admin.metrics).await?;
    Ok((StatusCode::ACCEPTED, Json(EventsAnswer { accepted: accepted.count, rejected: accepted.rejected })))
}

/// Splits and checks beside the threads that answer calls: 16 MiB take longer than another call should wait.
async fn check_off_thread(state: &ApiState, body: Bytes, form: form::Form) -> Result<Checked, Problem> {
    let received = RecordTime(state.clock.now());
    let event_check = state.event_check.clone();
    let work = move || Ok(submit::check(split::split(&body, form)?, received, &event_check));
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?
}

fn body_problem(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("A body may have {} MiB; send the events in several.", MAXIMUM_BODY_BYTES / 1024 / 1024);
        return Problem::new(Code::BodyTooLarge, detail);
    }
    Problem::new(Code::BadBody, "The connection ended before the body did.")
}
