//! A problem as a page: the same status, code and sentence as the document.

use askama::Template;
use axum::response::Response;

use crate::api::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    detail: &'a str,
    status: u16,
    code: &'a str,
    answer_id: &'a str,
    retry_after_seconds: Option<u32>,
    /// `bad` for faults of ours, `odd` for what the reader can change.
    tone: &'static str,
}

/// The page of `problem`.
pub fn render(problem: &Problem, answer_id: &str) -> Response {
    let page = ProblemPage {
        title: problem.code.title(),
        detail: &problem.detail,
        status: problem.status().as_u16(),
        code: problem.code.as_str(),
        answer_id,
        retry_after_seconds: problem.retry_after_seconds,
        tone: if problem.status().is_server_error() { "bad" } else { "odd" },
    };
    let mut response = super::respond(problem.status(), &page);
    problem.add_headers(&mut response);
    response
}
