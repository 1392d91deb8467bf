//! Server-rendered pages: a look-up box, the timeline of one request, refused records. They work without JavaScript.
//!
//! A page shows what the API answers and decides nothing. Everything from an event is untrusted and is escaped by the
//! templates (files ending in `.html`).

pub mod dead_letters;
pub mod home;
pub mod problem;
pub mod request;
pub mod timeline;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A rendered page with its status.
fn respond(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => Problem::internal(&error).respond(None),
    }
}
