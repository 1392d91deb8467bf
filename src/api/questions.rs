//! The seam between the handlers and the store: the four questions the API asks.
//!
//! Two implementations: [`crate::query`] on a real ClickHouse, and canned answers in the tests of the routes.

use clickhouse::Client;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::code::Code;
use super::problem::Problem;
use crate::query::{
    self, DeadLetterFilter, DeadLetterList, NotFound, Page, Paged, QueryError, RefreshFilter, RequestFilter,
    RequestSummary, RequestTimeline, TokenRefresh, VerdictTexts,
};
use crate::telemetry::clock::Clock;

/// Seconds after which to ask again when the store is away.
const RETRY_AFTER_SECONDS: u32 = 5;

/// An answer on its way.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, QueryError>>;

/// What the API asks of the store.
pub trait Questions: Send + Sync {
    /// Everything known about a request, or why nothing is.
    fn request_timeline<'a>(&'a self, request_id: &'a str) -> Answer<'a, Result<RequestTimeline, NotFound>>;
    /// Requests, newest first.
    fn search_requests<'a>(&'a self, filter: &'a RequestFilter, page: &'a Page) -> Answer<'a, Paged<RequestSummary>>;
    /// Refreshes, newest first.
    fn token_refreshes<'a>(&'a self, filter: &'a RefreshFilter, page: &'a Page) -> Answer<'a, Paged<TokenRefresh>>;
    /// Refused records, newest first, with their counts by code.
    fn dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter, page: &'a Page) -> Answer<'a, DeadLetterList>;
}

/// Asks a ClickHouse.
pub struct StoreQuestions {
    /// Its client, with database and user set.
    pub client: Client,
    /// The words of verdicts.
    pub texts: VerdictTexts,
    /// For how many days authentication events are kept.
    pub auth_retention_days: u32,
    /// The present, for times back from now.
    pub clock: Clock,
}

impl Questions for StoreQuestions {
    fn request_timeline<'a>(&'a self, request_id: &'a str) -> Answer<'a, Result<RequestTimeline, NotFound>> {
        async move {
            if let Some(found) = query::request_timeline(&self.client, request_id, &self.texts).await? {
                return Ok(Ok(found));
            }
            let why =
                query::why_not_found(&self.client, request_id, self.auth_retention_days, self.clock.now()).await?;
            Ok(Err(why))
        }
        .boxed()
    }

    fn search_requests<'a>(&'a self, filter: &'a RequestFilter, page: &'a Page) -> Answer<'a, Paged<RequestSummary>> {
        query::search_requests(&self.client, filter, page, self.clock.now()).boxed()
    }

    fn token_refreshes<'a>(&'a self, filter: &'a RefreshFilter, page: &'a Page) -> Answer<'a, Paged<TokenRefresh>> {
        query::token_refreshes(&self.client, filter, page, self.clock.now()).boxed()
    }

    fn dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter, page: &'a Page) -> Answer<'a, DeadLetterList> {
        query::dead_letter_list(&self.client, filter, page, self.clock.now()).boxed()
    }
}

impl From<NotFound> for Problem {
    fn from(why: NotFound) -> Self {
        Self { reason: Some(why.reason), ..Self::new(Code::RequestNotFound, sentence(&why.detail)) }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let code = match &error {
            QueryError::BadCursor => Code::BadCursor,
            QueryError::BadLimit => Code::BadLimit,
            QueryError::BadTime { .. } | QueryError::EmptyRange => Code::BadTime,
            QueryError::BadId { .. } => Code::BadId,
            QueryError::BadFilter { .. } => Code::BadFilter,
            QueryError::Timeout => Code::Timeout,
            QueryError::StoreUnreachable(_) => {
                tracing::warn!("the store cannot be reached");
                Code::StoreUnreachable
            }
            QueryError::StoreError(_) | QueryError::StoreAnswer(_) => return Self::internal(&error),
        };
        let problem = Self::new(code, sentence(&error.to_string()));
        if code.status().is_server_error() { problem.retry_after(RETRY_AFTER_SECONDS) } else { problem }
    }
}

/// An error's words as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error;

    use super::{Problem, QueryError};

    #[test]
    fn a_fault_of_the_query_keeps_its_code_and_hides_the_store() {
        let cases = [
            (QueryError::BadCursor, 400, "bad_cursor", None),
            (QueryError::BadLimit, 400, "bad_limit", None),
            (QueryError::BadTime { name: "from" }, 400, "bad_time", None),
            (QueryError::EmptyRange, 400, "bad_time", None),
            (QueryError::BadId { name: "slug" }, 400, "bad_id", None),
            (QueryError::BadFilter { name: "hop", allowed: "upstream".into() }, 400, "bad_filter", None),
            (QueryError::Timeout, 504, "timeout", Some(5)),
            (QueryError::StoreUnreachable(Error::Network("secret_host".into())), 503, "store_unreachable", Some(5)),
            (QueryError::StoreError(Error::BadResponse("secret_table".into())), 500, "internal", None),
        ];
        for (error, status, code, retry_after) in cases {
            let problem = Problem::from(error);
            assert_eq!(
                (problem.status().as_u16(), problem.code.as_str(), problem.retry_after_seconds),
                (status, code, retry_after)
            );
            assert!(!problem.detail.contains("secret"), "{}", problem.detail);
        }
        assert_eq!(Problem::from(QueryError::EmptyRange).detail, "The time range is empty: from must be before to.");
    }
}
