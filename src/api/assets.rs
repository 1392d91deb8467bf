//! The style sheet, the script and the icon of the pages, compiled in.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::code::Code;
use super::problem::Problem;

/// Name, content type and bytes of each asset.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("copy.js", "text/javascript; charset=utf-8", include_str!("assets/copy.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// `GET /assets/{name}`.
pub(super) async fn get_asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let Some((_, content_type, text)) = ASSETS.iter().find(|(known, _, _)| *known == name) else {
        return Err(Problem::new(Code::NotFound, "There is no asset of this name."));
    };
    // Short, so that a new binary's pages soon have their own style.
    Ok(([(CONTENT_TYPE, *content_type), (CACHE_CONTROL, "max-age=300")], *text).into_response())
}
