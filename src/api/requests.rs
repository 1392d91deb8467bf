//! `GET /v1/requests/{request_id}` and `GET /v1/requests`.

use axum::Json;
use axum::extract::State;
use utoipa::IntoParams;

use super::parameters::{Parameters, PathId};
use super::problem::{Problem, ProblemDocument};
use super::state::ApiState;
use crate::query::{List, Page, Paged, RequestFilter, RequestSummary, RequestTimeline};

/// `GET /v1/requests/{request_id}`: what happened to a request on both hops, the verdict, and what is missing.
#[utoipa::path(get, path = "/v1/requests/{request_id}", tag = "requests",
    params(("request_id" = String, Path, description = "the id, percent-encoded; 1 to 200 bytes")),
    responses(
        (status = 200, body = RequestTimeline),
        (status = 400, description = "bad_id", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "request_not_found; the detail says why", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "store_unreachable, overloaded", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "timeout", body = ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn get_request(
    State(state): State<ApiState>,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Json<RequestTimeline>, Problem> {
    parameters.finish()?;
    find_request(&state, &id).await.map(Json)
}

/// Everything known about a request, for the call and for the page.
///
/// # Errors
/// `request_not_found` with the reason; else what [`crate::query`] reports.
pub(super) async fn find_request(state: &ApiState, id: &str) -> Result<RequestTimeline, Problem> {
    let found = state.questions.request_timeline(id).await?;
    Ok(found?)
}

/// `GET /v1/requests`: requests that fit every filter, newest first.
#[utoipa::path(get, path = "/v1/requests", tag = "requests", params(SearchParameters),
    responses(
        (status = 200, body = Paged<RequestSummary>),
        (status = 400, description = "bad_limit, bad_cursor, bad_time, bad_filter, bad_id, unknown_parameter, duplicate_parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "store_unreachable, overloaded", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "timeout", body = ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn search_requests(
    State(state): State<ApiState>,
    mut parameters: Parameters,
) -> Result<Json<Paged<RequestSummary>>, Problem> {
    let now = state.clock.now();
    let filter = RequestFilter {
        workspace: parameters.text("workspace")?,
        slug: parameters.text("slug")?,
        user_id: parameters.text("user_id")?,
        client: parameters.text("client")?,
        class: parameters.text("class")?,
        hop: parameters.text("hop")?,
        outcome: parameters.text("outcome")?,
        tool: parameters.text("tool")?,
        issuer: parameters.text("issuer")?,
        from: parameters.time("from", now)?,
        to: parameters.time("to", now)?,
        q: parameters.text("q")?,
    };
    let (limit, cursor) = (parameters.text("limit")?, parameters.text("cursor")?);
    parameters.finish()?;
    let page = Page::parse(List::Requests, limit.as_deref(), cursor.as_deref())?;
    Ok(Json(state.questions.search_requests(&filter, &page).await?))
}

/// The parameters of `GET /v1/requests`, for its description; [`search_requests`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; the handler reads them strictly from the query string")]
struct SearchParameters {
    /// Workspace.
    workspace: Option<String>,
    /// Slug of the MCP server.
    slug: Option<String>,
    /// User at the gateway.
    user_id: Option<String>,
    /// Client name.
    client: Option<String>,
    /// Class of a failure; `none`: no event failed.
    class: Option<String>,
    /// The hop that refused: `downstream`, `upstream`, `internal`.
    hop: Option<String>,
    /// How the request ended.
    outcome: Option<String>,
    /// Tool called.
    tool: Option<String>,
    /// Issuer of the authorization server.
    issuer: Option<String>,
    /// First moment: RFC 3339, or back from now (`-2h`); 24 hours before `to` when absent.
    from: Option<String>,
    /// First moment after; now when absent.
    to: Option<String>,
    /// Words inside a message.
    q: Option<String>,
    /// Most items, 1 to 1000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
