//! The look-up box, and where its form leads.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::api::parameters::Parameters;
use crate::api::problem::Problem;
use crate::query::filter::check_id;

/// What stays as it is in a path segment (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage;

/// `GET /`: the look-up box.
pub async fn show_home() -> Response {
    super::respond(StatusCode::OK, &HomePage)
}

/// `GET /lookup?id=`: leads the form to the page of the id.
///
/// # Errors
/// `bad_id` when the id could not have been issued.
pub async fn redirect_to_request(mut parameters: Parameters) -> Result<Redirect, Problem> {
    let id = parameters.text("id")?.unwrap_or_default();
    parameters.finish()?;
    let id = id.trim();
    check_id("id", id)?;
    Ok(Redirect::to(&path_of(id)))
}

/// The address of the page of `id`.
pub(super) fn path_of(id: &str) -> String {
    format!("/requests/{}", encoded(id))
}

/// `id` as one path segment. A segment of dots alone would be read as a step upwards (RFC 3986 §5.2.4), so its dots are
/// encoded.
pub(super) fn encoded(id: &str) -> String {
    match id {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(id, UNRESERVED).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(path_of("0198f3c2-7d1e"), "/requests/0198f3c2-7d1e");
        assert_eq!(path_of("a/b?c#d\"e'"), "/requests/a%2Fb%3Fc%23d%22e%27");
        assert_eq!(path_of("é"), "/requests/%C3%A9");
    }
}
