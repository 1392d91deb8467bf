//! Why nothing is known about a request: too old, not here yet, another kind of id, or no trace at all.
//!
//! It never says whether somebody else's workspace has it.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::QueryError;
use super::filter::check_id;
use super::id_time::time_of_id;
use super::sightings::other_kinds_of;
use super::statement::Statement;

/// How far back the newest event is looked for.
const FRESHNESS_WINDOW: TimeDelta = TimeDelta::days(2);
/// A store whose newest event is older than this may be behind.
const USUAL_LAG: TimeDelta = TimeDelta::seconds(60);

/// Why a request was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotFound {
    /// The reason, for scripts.
    pub reason: NotFoundReason,
    /// The reason as a sentence.
    pub detail: String,
    /// As what other kind of id the value is known.
    pub known_as: Vec<String>,
    /// How old the newest stored event is, in seconds; `null` when there is none of the last two days.
    pub newest_event_age_s: Option<i64>,
}

/// The reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotFoundReason {
    /// The id's own time lies before what is kept.
    OlderThanRetention,
    /// What is stored does not reach the id's own time yet, or the newest event is old.
    IngestBehind,
    /// The value is known, but it is not the id of a request.
    OtherKindOfId,
    /// Nothing carries it.
    NoTrace,
}

/// How far ingest has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct IngestFreshness {
    /// Time of the newest event.
    pub newest_time: DateTime<Utc>,
    /// When a row was stored last.
    pub last_inserted_at: DateTime<Utc>,
}

/// How far ingest has come; `None` when no event of the last two days is stored.
///
/// # Errors
/// What keeps the store from answering.
pub async fn ingest_freshness(client: &Client, now: DateTime<Utc>) -> Result<Option<IngestFreshness>, QueryError> {
    let rows = Statement::new(client, "ingest_freshness", include_str!("sql/ingest_freshness.sql"))
        .bind_time("from", now - FRESHNESS_WINDOW)
        .rows()
        .await?;
    Ok(rows.first().copied())
}

/// Why no event carries `request_id`, given for how many days authentication events are kept.
///
/// # Errors
/// `bad_id` when the id cannot be one; otherwise what keeps the store from answering.
pub async fn why_not_found(
    client: &Client,
    request_id: &str,
    retention_days: u32,
    now: DateTime<Utc>,
) -> Result<NotFound, QueryError> {
    check_id("request_id", request_id)?;
    let (freshness, known_as) =
        futures_util::try_join!(ingest_freshness(client, now), other_kinds_of(client, request_id))?;
    Ok(explain(time_of_id(request_id), known_as, freshness, retention_days, now))
}

/// The reason, from what is known. Pure.
fn explain(
    minted: Option<DateTime<Utc>>,
    known_as: Vec<String>,
    freshness: Option<IngestFreshness>,
    retention_days: u32,
    now: DateTime<Utc>,
) -> NotFound {
    let newest_age = freshness.map(|freshness| now - freshness.newest_time);
    let is_too_old = minted.is_some_and(|minted| minted < now - TimeDelta::days(i64::from(retention_days)));
    let is_not_reached = match (minted, freshness) {
        (Some(minted), Some(freshness)) => minted <= now && minted > freshness.newest_time,
        (_, None) => true,
        (None, Some(_)) => newest_age.is_some_and(|age| age > USUAL_LAG),
    };
    let (reason, detail) = if !known_as.is_empty() {
        let kinds = known_as.join(", ").replace('_', " ");
        (NotFoundReason::OtherKindOfId, format!("no request has this id; it is known as another kind of id: {kinds}"))
    } else if is_too_old {
        let day = minted.map(|minted| minted.date_naive().to_string()).unwrap_or_default();
        (
            NotFoundReason::OlderThanRetention,
            format!("the id is from {day}, and events are kept for {retention_days} days"),
        )
    } else if is_not_reached {
        let newest = match newest_age {
            Some(age) => format!("the newest stored event is {} s old", age.num_seconds().max(0)),
            None => "no event of the last two days is stored".to_owned(),
        };
        (
            NotFoundReason::IngestBehind,
            format!("no event carries this id yet: {newest}; try again when ingest has caught up"),
        )
    } else {
        (NotFoundReason::NoTrace, "no event carries this id, and ingest is up to date".to_owned())
    };
    NotFound { reason, detail, known_as, newest_event_age_s: newest_age.map(|age| age.num_seconds().max(0)) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{IngestFreshness, NotFoundReason, explain};

    #[test]
    fn not_found_says_which() {
        let now: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
        let ago = |seconds: i64| now - TimeDelta::seconds(seconds);
        let fresh = |seconds: i64| Some(IngestFreshness { newest_time: ago(seconds), last_inserted_at: ago(seconds) });
        let cases = [
            (Some(ago(91 * 86_400)), fresh(1), NotFoundReason::OlderThanRetention, "events are kept for 90 days"),
            (Some(ago(5)), fresh(30), NotFoundReason::IngestBehind, "30 s old"),
            (Some(ago(300)), fresh(5), NotFoundReason::NoTrace, "up to date"),
            (None, fresh(5), NotFoundReason::NoTrace, "up to date"),
            (None, fresh(600), NotFoundReason::IngestBehind, "600 s old"),
            (None, None, NotFoundReason::IngestBehind, "no event of the last two days"),
            (Some(ago(-600)), fresh(5), NotFoundReason::NoTrace, "up to date"),
        ];
        for (minted, freshness, reason, words) in cases {
            let answer = explain(minted, Vec::new(), freshness, 90, now);
            assert_eq!(answer.reason, reason, "{minted:?}");
            assert!(answer.detail.contains(words), "{}", answer.detail);
        }
        let other = explain(None, vec!["client_request".into()], fresh(5), 90, now);
        assert_eq!((other.reason, other.detail.ends_with("client request")), (NotFoundReason::OtherKindOfId, true));
    }
}
