//! `GET /v1/token-refreshes`: the ledger of token refreshes.

use axum::Json;
use axum::extract::State;
use utoipa::IntoParams;

use super::parameters::Parameters;
use super::problem::{Problem, ProblemDocument};
use super::state::ApiState;
use crate::query::{List, Page, Paged, RefreshFilter, TokenRefresh};

/// `GET /v1/token-refreshes`: refresh attempts that fit every filter, newest first.
#[utoipa::path(get, path = "/v1/token-refreshes", tag = "token refreshes", params(RefreshParameters),
    responses(
        (status = 200, body = Paged<TokenRefresh>),
        (status = 400, description = "bad_limit, bad_cursor, bad_time, bad_filter, bad_id, unknown_parameter, duplicate_parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "store_unreachable, overloaded", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "timeout", body = ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn list_token_refreshes(
    State(state): State<ApiState>,
    mut parameters: Parameters,
) -> Result<Json<Paged<TokenRefresh>>, Problem> {
    let now = state.clock.now();
    let filter = RefreshFilter {
        workspace: parameters.text("workspace")?,
        slug: parameters.text("slug")?,
        user_id: parameters.text("user_id")?,
        connection_id: parameters.text("connection_id")?,
        outcome: parameters.text("outcome")?,
        from: parameters.time("from", now)?,
        to: parameters.time("to", now)?,
    };
    let (limit, cursor) = (parameters.text("limit")?, parameters.text("cursor")?);
    parameters.finish()?;
    let page = Page::parse(List::TokenRefreshes, limit.as_deref(), cursor.as_deref())?;
    Ok(Json(state.questions.token_refreshes(&filter, &page).await?))
}

/// The parameters of `GET /v1/token-refreshes`, for its description; [`list_token_refreshes`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; the handler reads them strictly from the query string")]
struct RefreshParameters {
    /// Workspace.
    workspace: Option<String>,
    /// Slug of the MCP server.
    slug: Option<String>,
    /// User at the gateway.
    user_id: Option<String>,
    /// Connection (workspace, slug, user or shared, issuer) as a keyed hash.
    connection_id: Option<String>,
    /// How the attempt ended.
    outcome: Option<String>,
    /// First moment: RFC 3339, or back from now (`-2h`); 30 days before `to` when absent.
    from: Option<String>,
    /// First moment after; now when absent.
    to: Option<String>,
    /// Most items, 1 to 1000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
