//! What happened to one request: its joined timeline and the verdict over it.

use clickhouse::Client;
use futures_util::try_join;

use super::beyond::{Answers, Questions};
use super::error::QueryError;
use super::filter::check_id;
use super::join::{join_rest, own_request};
use super::later_success::recovery_by;
use super::texts::VerdictTexts;
use super::timeline::{Beyond, RequestTimeline, assemble};

/// The timeline of a request and its verdict; `None` when no event carries the id (then see
/// [`super::not_found::why_not_found`]).
///
/// # Errors
/// `bad_id` when the id cannot be one; otherwise what keeps the store from answering.
pub async fn request_timeline(
    client: &Client,
    request_id: &str,
    texts: &VerdictTexts,
) -> Result<Option<RequestTimeline>, QueryError> {
    check_id("request_id", request_id)?;
    let Some(own) = own_request(client, request_id).await? else {
        return Ok(None);
    };
    let early = Questions::of(&own.events);
    let (joined, answers) = try_join!(join_rest(client, request_id, own), early.ask(client))?;
    let questions = Questions::of(&joined.events);
    let Answers { missing, known_slug, later } = questions.ask_what_differs(client, &early, answers).await?;
    let later_success = recovery_by(&joined.events, &later);
    Ok(assemble(request_id, &joined, Beyond { missing, known_slug, later_success }, texts))
}
