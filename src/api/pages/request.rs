//! `GET /requests/{request_id}`: the page of one request.

use axum::extract::State;
use axum::response::Response;

use super::timeline;
use crate::api::parameters::{Parameters, PathId};
use crate::api::problem::Problem;
use crate::api::requests::find_request;
use crate::api::state::ApiState;

/// Shows what `GET /v1/requests/{request_id}` sends.
pub(in crate::api) async fn show_request(
    State(state): State<ApiState>,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let found = find_request(&state, &id).await?;
    Ok(timeline::render(&found))
}
