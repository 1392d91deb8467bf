//! The description of the API (OpenAPI 3.1), made from the handlers; `schemas/api/openapi.json` is its copy, kept equal
//! by a test.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::OpenApi;

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "gatetrail",
        description = "Tells from one request_id why a request through an MCP gateway failed to authenticate. Errors are problem documents (RFC 9457) with a stable `code`; times are RFC 3339 in UTC; every answer carries `X-Request-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        super::requests::get_request,
        super::requests::search_requests,
        super::refreshes::list_token_refreshes,
        super::dead_letters::list_dead_letters,
        super::events::post_events,
        super::health::get_liveness,
        super::health::get_readiness,
        get_description
    )
)]
struct Description;

/// The description as JSON text.
#[must_use]
pub fn document() -> String {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /openapi.json`: this description.
#[utoipa::path(get, path = "/openapi.json", tag = "description", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn get_description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document())
}

#[cfg(test)]
mod tests {
    /// Where the copy lies; `UPDATE_OPENAPI=1 cargo test openapi` writes it anew.
    const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/api/openapi.json");

    #[test]
    fn the_copy_in_schemas_is_what_the_code_describes() {
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::create_dir_all(std::path::Path::new(COPY).parent().unwrap()).unwrap();
            std::fs::write(COPY, super::document()).unwrap();
        }
        let copy = std::fs::read_to_string(COPY).unwrap_or_default();
        assert!(copy == super::document(), "schemas/api/openapi.json is old: run UPDATE_OPENAPI=1 cargo test openapi");
    }

    #[test]
    fn it_is_openapi_3_1_and_every_reference_resolves() {
        let document: serde_json::Value = serde_json::from_str(&super::document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name} is not described");
        }
    }
}
