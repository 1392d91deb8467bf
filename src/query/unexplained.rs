//! What failed and was not understood: texts of events that no rule explains, or only a weak one.
//!
//! The store puts equal texts together; which texts have the same shape is for whoever asks. Part by part of the time, newest first,
//! so that no statement reads or answers more than it may.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::filter::TimeRange;
use super::reclassified::Reclassified;
use super::statement::Statement;

/// Different texts of one part of the time.
const TEXTS: u32 = 5_000;
/// Parts that a range is asked in, at most.
const PARTS: i32 = 48;
/// Shortest part.
const SHORTEST_PART: TimeDelta = TimeDelta::hours(1);
/// Seconds that a statement may work.
const MAX_SECONDS: u64 = 60;

/// Events that say the same, and by which no rule, or this one, decided.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct UnexplainedText {
    /// Class that counts now.
    pub class: String,
    /// Rule that decided; `unclassified` for none.
    pub rule: String,
    /// Type of the events.
    #[serde(rename = "type")]
    pub type_name: String,
    /// HTTP status: of the other side, else the reporter's own.
    pub status: Option<u16>,
    /// OAuth error code, of the answer or of a challenge.
    pub code: Option<String>,
    /// JSON-RPC error code.
    pub rpc_code: Option<i64>,
    /// Product of the gateway.
    pub gateway_product: Option<String>,
    /// Grant type of the token request.
    pub grant_type: Option<String>,
    /// What the gateway or server said.
    pub message: Option<String>,
    /// What the authorization server said.
    pub description: Option<String>,
    /// Different events.
    #[serde(rename = "distinct_events")]
    pub events: u64,
    /// Time of the first one.
    pub first_seen: DateTime<Utc>,
    /// Time of the last one.
    pub last_seen: DateTime<Utc>,
    /// A request with such an event.
    pub example_request_id: Option<String>,
    /// Such an event.
    pub example_event_id: String,
}

/// Hands the texts of a range to `take`, newest part first; says whether every text was handed over.
///
/// With `weak` those that a weak rule explains, else those that none does.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn unexplained_texts(
    client: &Client,
    times: TimeRange,
    weak: bool,
    take: &mut (dyn FnMut(UnexplainedText) + Send),
) -> Result<bool, QueryError> {
    let reclassified = Reclassified::ask(client).await?;
    let mut is_complete = true;
    for part in parts_of(times) {
        let events = reclassified.events((part.from, part.to));
        let texts: Vec<UnexplainedText> =
            Statement::over(client, "unexplained_texts", include_str!("sql/unexplained_texts.sql"), events)
                .bind_time("from", part.from)
                .bind_time("to", part.to)
                .bind("weak", weak)
                .bind("row_limit", TEXTS)
                .may_take_seconds(MAX_SECONDS)
                .rows()
                .await?;
        is_complete &= texts.len() < TEXTS as usize;
        texts.into_iter().for_each(&mut *take);
    }
    Ok(is_complete)
}

/// A range in parts of equal length, the newest first. Pure.
fn parts_of(times: TimeRange) -> Vec<TimeRange> {
    let length = ((times.to - times.from) / PARTS).max(SHORTEST_PART);
    let mut parts = Vec::new();
    let mut to = times.to;
    while to > times.from {
        let from = (to - length).max(times.from);
        parts.push(TimeRange { from, to });
        to = from;
    }
    parts
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::parts_of;
    use crate::query::TimeRange;

    #[test]
    fn a_range_is_asked_in_parts_that_hold_every_moment_once() {
        let to = "2026-11-24T00:00:00Z".parse().unwrap();
        for (length, parts) in [
            (TimeDelta::minutes(1), 1),
            (TimeDelta::minutes(61), 2),
            (TimeDelta::hours(24), 24),
            (TimeDelta::days(90), 48),
            (TimeDelta::microseconds(7_777_777_777_777), 49),
        ] {
            let times = TimeRange { from: to - length, to };
            let found = parts_of(times);
            assert_eq!(found.len(), parts, "{length}");
            assert_eq!((found[0].to, found[found.len() - 1].from), (times.to, times.from));
            assert!(found.windows(2).all(|pair| pair[0].from == pair[1].to));
        }
    }
}
