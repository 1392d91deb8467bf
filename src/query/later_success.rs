//! Whether the same person reached the same server again after a request that failed, and what was different then.
//!
//! A retry that names the request as its cause makes up for it ([`super::verdict`]). This is weaker: nobody says that the
//! two belong together, so the request stays failed, and the later success is told beside its verdict.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::nearest::Nearest;
use super::order::{Placed, placed};
use super::recovery::{Recovery, recovery_of};
use super::related_events::request_events;
use super::sightings::Extent;
use super::statement::Statement;
use super::stored::{Relation, StoredEvent, id_of_key_hex, key_hex};
use super::verdict::decide;
use crate::classify::Class;
use crate::event::{EventKind, Outcome};

/// For how long after the request a success is looked for.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// Most events of that request that are read.
const ROWS: u32 = 50;
/// How long that request may take from one closing event to the other.
const LENGTH: TimeDelta = TimeDelta::minutes(1);
/// How many rows of the server may be looked through; past it nothing is known.
const ROWS_READ: u64 = 200_000;

/// The first success of the same person (or, without one, the same key) at the same server after a failed request.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn later_success(client: &Client, events: &[StoredEvent]) -> Result<Option<Recovery>, QueryError> {
    let Some(deciding) = decide(events).deciding else {
        return Ok(None);
    };
    let nearest = Nearest::of(events, Some(deciding));
    let whose = [nearest.value("user_id"), nearest.value("credential_key_id")];
    let end = events.iter().filter(|event| event.relation == Relation::Request).map(|event| event.time).max();
    let (Some(workspace), Some(slug), Some(end)) = (nearest.value("workspace"), nearest.value("slug"), end) else {
        return Ok(None);
    };
    let [user_id, key_id] = whose;
    if user_id.is_none() && key_id.is_none() {
        return Ok(None);
    }
    let found: Vec<Found> = Statement::new(client, "later_success", include_str!("sql/later_success.sql"))
        .bind("workspace", &workspace)
        .bind("slug", &slug)
        .bind("user_id", user_id)
        .bind("key_id", key_id)
        .bind("own_key", deciding.str("request_id").map(key_hex).unwrap_or_default())
        .bind_time("first", end + TimeDelta::microseconds(1))
        .bind_time("last", end + WINDOW)
        .reads_little()
        .read_at_most(ROWS_READ)
        .rows()
        .await?;
    let Some((time, id)) = found.first().and_then(|found| Some((found.time, id_of_key_hex(&found.request_hex)?)))
    else {
        return Ok(None);
    };
    let extent = Extent {
        workspaces: BTreeSet::from([workspace]),
        slugs: BTreeSet::from([slug]),
        any_without_workspace: false,
        any_without_slug: false,
        span: (time, time + LENGTH),
        connections: BTreeSet::new(),
    };
    let mut later = request_events(client, &[id], &extent, ROWS).await?;
    later.retain(|event| {
        matches!(event.kind, EventKind::RequestCompleted | EventKind::CallCompleted)
            && event.outcome == Outcome::Success
            && event.class == Class::None
    });
    Ok(success_among(deciding, events, &later))
}

/// The first request that went well.
#[derive(Deserialize)]
struct Found {
    request_hex: String,
    time: DateTime<Utc>,
}

/// The first later request's success, compared with the event that decided. Pure.
fn success_among(deciding: &StoredEvent, events: &[StoredEvent], later: &[StoredEvent]) -> Option<Recovery> {
    let own = deciding.str("request_id");
    let first = later.iter().find(|event| event.str("request_id").is_some_and(|id| own != Some(id)))?;
    let request = first.str("request_id");
    let of_first: Vec<Placed<'_>> = later
        .iter()
        .filter(|event| event.str("request_id") == request)
        .map(|event| Placed { event, at: event.time })
        .collect();
    let story = placed(events);
    let failure = *story.iter().find(|step| step.event.identity() == deciding.identity())?;
    recovery_of(failure, &of_first, &story, Relation::Retry)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::success_among;
    use crate::query::stored::StoredEvent;
    use crate::query::stored::tests::event;

    fn step(id: &str, request: &str, second: u32, members: Value) -> StoredEvent {
        let mut all = json!({
            "event_id": id, "request_id": request, "time": format!("2026-11-22T10:00:{second:02}.000000Z"),
            "type": "mcp.call.completed", "hop": "upstream",
        });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        event(all)
    }

    #[test]
    fn the_first_later_request_is_compared_with_what_failed() {
        let failed = json!({"outcome": "failure", "class": "resource_mismatch", "config_version": "7"});
        let events = [step("1", "r1", 0, failed)];
        let later = [
            step("1b", "r1", 1, json!({})),
            step("2", "r2", 20, json!({"config_version": "8"})),
            step("3", "r2", 21, json!({"type": "mcp.request.completed", "hop": "downstream"})),
            step("4", "r3", 30, json!({"config_version": "9"})),
        ];
        let found = success_among(&events[0], &events, &later).unwrap();
        assert_eq!((found.by_request_id.as_deref(), found.by_event_id.as_str()), (Some("r2"), "3"));
        assert_eq!(found.text, "with configuration 8 instead of 7");
        assert_eq!(success_among(&events[0], &events, &later[..1]), None);
    }
}
