//! `GET /v1/dead-letters`: the records that were refused, and why.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use utoipa::IntoParams;

use super::parameters::Parameters;
use super::problem::{Problem, ProblemDocument};
use super::state::ApiState;
use crate::query::{DeadLetterFilter, DeadLetterList, List, Page};

/// `GET /v1/dead-letters`: refused records that fit every filter, newest first, with counts by code.
#[utoipa::path(get, path = "/v1/dead-letters", tag = "dead letters", params(DeadLetterParameters),
    responses(
        (status = 200, body = DeadLetterList),
        (status = 400, description = "bad_limit, bad_cursor, bad_time, bad_filter, bad_id, bad_parameter, unknown_parameter, duplicate_parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "store_unreachable, overloaded", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "timeout", body = ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn list_dead_letters(
    State(state): State<ApiState>,
    parameters: Parameters,
) -> Result<Json<DeadLetterList>, Problem> {
    let (filter, page) = asked(parameters, state.clock.now())?;
    Ok(Json(state.questions.dead_letters(&filter, &page).await?))
}

/// What the query string asks for, for the call and for the page.
///
/// # Errors
/// The first parameter that cannot be read, with its code.
pub(super) fn asked(mut parameters: Parameters, now: DateTime<Utc>) -> Result<(DeadLetterFilter, Page), Problem> {
    let filter = DeadLetterFilter {
        code: parameters.text("code")?,
        topic: parameters.text("topic")?,
        partition: parameters.count("partition")?,
        from: parameters.time("from", now)?,
        to: parameters.time("to", now)?,
    };
    let (limit, cursor) = (parameters.text("limit")?, parameters.text("cursor")?);
    parameters.finish()?;
    Ok((filter, Page::parse(List::DeadLetters, limit.as_deref(), cursor.as_deref())?))
}

/// The parameters of `GET /v1/dead-letters`, for its description; [`asked`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; the handler reads them strictly from the query string")]
struct DeadLetterParameters {
    /// Why they were refused: a code of the event contract. It narrows the items, not the counts.
    code: Option<String>,
    /// Kafka topic.
    topic: Option<String>,
    /// Kafka partition.
    #[param(minimum = 0)]
    partition: Option<i32>,
    /// First moment: RFC 3339, or back from now (`-2h`); 24 hours before `to` when absent.
    from: Option<String>,
    /// First moment after; now when absent.
    to: Option<String>,
    /// Most items, 1 to 1000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
