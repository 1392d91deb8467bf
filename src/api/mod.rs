//! The HTTP service: the route table, and nothing that decides.
//!
//! A handler extracts, asks one question of [`crate::query`] and shapes the answer. No SQL here, no verdicts. Errors are
//! problem documents ([`problem`]) whose codes stand in one table ([`code`]).
//!
//! Layers, from outside in: compression, [`dress`] (ids, headers, log), the host guard, and for everything but health a
//! place among the calls being answered, their timeout, and the catching of panics ([`bounds`]).

pub mod assets;
pub mod bounds;
pub mod code;
pub mod dead_letters;
pub mod dress;
pub mod events;
pub mod health;
pub mod ingest;
pub mod listen;
pub mod openapi;
pub mod pages;
pub mod parameters;
pub mod problem;
pub mod questions;
pub mod refreshes;
pub mod requests;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use bounds::Gate;
use code::Code;
use ingest::MAXIMUM_BODY_BYTES;
use problem::Problem;
use state::{AdminState, ApiState};

/// The routes of the main listener.
pub fn router(state: ApiState) -> Router {
    let (bounds, metrics) = (state.bounds, state.admin.metrics.clone());
    let calls = Gate::new(bounds, bounds.concurrent_calls);
    let ingests = Gate::new(bounds, bounds.concurrent_ingests);
    let take_events: MethodRouter<ApiState> = post(events::post_events)
        .route_layer(DefaultBodyLimit::max(MAXIMUM_BODY_BYTES))
        .route_layer(from_fn_with_state(ingests, bounds::pass));

    Router::new()
        .route("/v1/requests/{request_id}", get(requests::get_request))
        .route("/v1/requests", get(requests::search_requests))
        .route("/v1/token-refreshes", get(refreshes::list_token_refreshes))
        .route("/v1/dead-letters", get(dead_letters::list_dead_letters))
        .route("/v1/events", take_events)
        .route("/openapi.json", get(openapi::get_description))
        .route("/", get(pages::home::show_home))
        .route("/requests/{request_id}", get(pages::request::show_request))
        .route("/dead-letters", get(pages::dead_letters::show_dead_letters))
        .route("/lookup", get(pages::home::redirect_to_request))
        .route("/assets/{name}", get(assets::get_asset))
        .layer(CatchPanicLayer::custom(bounds::answer_panic))
        .layer(from_fn_with_state(calls, bounds::pass))
        .merge(health_routes())
        .fallback(answer_unknown_route)
        .method_not_allowed_fallback(answer_wrong_method)
        .layer(from_fn_with_state(bounds, bounds::guard_host))
        .layer(from_fn_with_state(metrics, dress::dress))
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// The routes of the admin listener.
pub fn admin_router(state: AdminState) -> Router {
    let metrics = state.metrics.clone();
    health_routes()
        .route("/metrics", get(health::get_metrics))
        .fallback(answer_unknown_route)
        .method_not_allowed_fallback(answer_wrong_method)
        .layer(CatchPanicLayer::custom(bounds::answer_panic))
        .layer(from_fn_with_state(metrics, dress::dress))
        .with_state(state)
}

/// Outside the bounds: a prober must not be refused because others are busy.
fn health_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    AdminState: FromRef<S>,
{
    Router::new().route("/livez", get(health::get_liveness)).route("/readyz", get(health::get_readiness))
}

async fn answer_unknown_route() -> Problem {
    Problem::new(Code::NotFound, "No page and no call has this address; /openapi.json lists the calls.")
}

async fn answer_wrong_method(request: Request) -> Problem {
    let detail = format!("{} is not taken here; the Allow header lists what is.", request.method());
    Problem::new(Code::MethodNotAllowed, detail)
}
