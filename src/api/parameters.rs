//! Ids from the path and parameters from the query string, each fault with its code.
//!
//! The query string is read strictly: a parameter that a call does not know is refused, because a misspelt filter that
//! is ignored in silence answers a question nobody asked.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

use super::code::Code;
use super::problem::Problem;
use crate::query::filter::{check_id, parse_time};

/// The longest value of any other filter, in bytes.
const VALUE_BYTES: usize = 2_000;

/// An id from the path, percent-decoded: 1 to 200 bytes without control characters, quotes and slashes allowed.
#[derive(Debug, Clone)]
pub struct PathId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let Ok(Path(id)) = id else {
            return Err(Problem::new(Code::BadId, "The id is not UTF-8 after percent-decoding."));
        };
        check_id("request_id", &id)?;
        Ok(Self(id))
    }
}

/// The parameters of a query string; each call takes those it knows and then calls [`Parameters::finish`].
#[derive(Debug)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    taken: Vec<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    /// Reads a query string (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, taken: Vec::new() }
    }

    /// Whether `name` is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// The value of `name`; empty means not given.
    ///
    /// # Errors
    /// `duplicate_parameter`, or `bad_parameter` when it is overlong or holds control characters.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.taken.push(name);
        let mut values = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Problem::new(Code::DuplicateParameter, format!("`{name}` is given more than once.")));
        }
        if value.len() > VALUE_BYTES || value.chars().any(char::is_control) {
            let detail = format!("`{name}` has more than {VALUE_BYTES} bytes or holds control characters.");
            return Err(Problem::new(Code::BadParameter, detail));
        }
        Ok(Some(value.clone()).filter(|value| !value.is_empty()))
    }

    /// The value of `name` as a time: RFC 3339, or back from `now` (`-2h`).
    ///
    /// # Errors
    /// As [`Parameters::text`], and `bad_time` when it is no time.
    pub fn time(&mut self, name: &'static str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Ok(Some(parse_time(name, &text, now)?))
    }

    /// The value of `name` as a whole number from 0 on.
    ///
    /// # Errors
    /// As [`Parameters::text`], and `bad_parameter` when it is no such number.
    pub fn count(&mut self, name: &'static str) -> Result<Option<i32>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => Err(Problem::new(Code::BadParameter, format!("`{name}` must be a whole number from 0 on."))),
        }
    }

    /// Refuses what no call of the above took.
    ///
    /// # Errors
    /// `unknown_parameter`, with the names that are known.
    pub fn finish(self) -> Result<(), Problem> {
        let unknown = self.pairs.iter().find(|(key, _)| !self.taken.contains(&key.as_str()));
        let Some((name, _)) = unknown else { return Ok(()) };
        let shown: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
        let known = if self.taken.is_empty() { "none".to_owned() } else { self.taken.join(", ") };
        Err(Problem::new(Code::UnknownParameter, format!("`{shown}` is not a parameter of this call. Known: {known}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn a_value_is_given_once_and_is_plain_text() {
        let text = |query: &str| Parameters::parse(query).text("slug").map_err(|problem| problem.code.as_str());
        assert_eq!(text("slug=a%20%26%20b"), Ok(Some("a & b".to_owned())));
        assert_eq!(text("slug="), Ok(None));
        assert_eq!(text("slug=a&slug=b"), Err("duplicate_parameter"));
        assert_eq!(text("slug=a%00b"), Err("bad_parameter"));
        assert_eq!(text(&format!("slug={}", "x".repeat(2_001))), Err("bad_parameter"));
    }

    #[test]
    fn a_number_is_whole_and_not_negative() {
        let count = |query: &str| Parameters::parse(query).count("partition").map_err(|problem| problem.code.as_str());
        assert_eq!(count("partition=0"), Ok(Some(0)));
        assert_eq!(count(""), Ok(None));
        for query in ["partition=-1", "partition=1.5", "partition=x", "partition=99999999999"] {
            assert_eq!(count(query), Err("bad_parameter"), "{query}");
        }
    }

    #[test]
    fn a_misspelt_filter_is_named_with_those_that_are_known() {
        let mut parameters = Parameters::parse("slug=github&wrokspace=acme");
        assert_eq!(parameters.text("slug").unwrap().as_deref(), Some("github"));
        assert_eq!(parameters.text("workspace").unwrap(), None);
        let problem = parameters.finish().unwrap_err();
        assert_eq!(problem.code.as_str(), "unknown_parameter");
        assert_eq!(problem.detail, "`wrokspace` is not a parameter of this call. Known: slug, workspace.");
    }
}
