//! Liveness, readiness and metrics.
//!
//! Live: the process answers. Ready: every *needed* part works; Kafka is not needed to read, so its loss is reported and
//! does not take the look-up away.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::parameters::Parameters;
use super::problem::{PartState, Problem};
use super::state::AdminState;
use crate::telemetry::metrics;

/// How long one part may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// One part that `serve` stands on, and how to ask whether it works.
pub struct Part {
    /// `clickhouse`, `schema`, `kafka`.
    pub name: &'static str,
    /// Whether `serve` is of no use without it.
    pub needed: bool,
    /// Asks; the sentence is for a person and holds no secret.
    pub probe: Box<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>,
}

/// The answer of a part that works, or of the whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    pub status: &'static str,
    /// Each part, with `?verbose`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartState>,
}

/// `GET /livez`: the process answers.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn get_liveness() -> Json<Health> {
    Json(Health { status: "live", parts: Vec::new() })
}

/// `GET /readyz`: whether every needed part works; `?verbose` lists them all.
#[utoipa::path(get, path = "/readyz", tag = "health",
    params(("verbose" = Option<String>, Query, description = "list every part")),
    responses((status = 200, body = Health), (status = 503, description = "not_ready", body = super::problem::ProblemDocument, content_type = "application/problem+json")))]
pub(super) async fn get_readiness(
    State(state): State<AdminState>,
    parameters: Parameters,
) -> Result<Json<Health>, Problem> {
    let parts = probe_all(&state.parts).await;
    let failing: Vec<String> = parts
        .iter()
        .filter(|part| part.needed && !part.ok)
        .map(|part| format!("{}: {}", part.name, part.detail))
        .collect();
    let shown = if parameters.has("verbose") { parts } else { Vec::new() };
    if failing.is_empty() {
        return Ok(Json(Health { status: "ready", parts: shown }));
    }
    Err(Problem { parts: shown, ..Problem::new(Code::NotReady, failing.join("; ")).retry_after(5) })
}

/// `GET /metrics`: every metric as OpenMetrics text; on the admin listener only.
pub(super) async fn get_metrics(State(state): State<AdminState>) -> Result<impl IntoResponse, Problem> {
    let text = state.metrics.encode().map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text))
}

async fn probe_all(parts: &[Part]) -> Vec<PartState> {
    join_all(parts.iter().map(|part| async move {
        let answer = tokio::time::timeout(PROBE_TIMEOUT, (part.probe)()).await;
        let timed_out = || Err(format!("no answer within {} s", PROBE_TIMEOUT.as_secs()));
        let answer = answer.unwrap_or_else(|_| timed_out());
        let ok = answer.is_ok();
        let detail = answer.unwrap_or_else(|fault| fault);
        PartState { name: part.name.to_owned(), ok, needed: part.needed, detail }
    }))
    .await
}
