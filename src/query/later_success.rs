//! Whether the same person reached the same server again after a request that failed, and what was different then.
//!
//! A retry that names the request as its cause makes up for it ([`super::verdict`]). This is weaker: nobody says that the
//! two belong together, so the request stays failed, and the later success is told beside its verdict.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;

use super::error::QueryError;
use super::nearest::Nearest;
use super::order::{Placed, placed};
use super::recovery::{Recovery, recovery_of};
use super::statement::Statement;
use super::stored::{Relation, StoredEvent, key_hex};
use super::verdict::decide;

/// For how long after the request a success is looked for.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// Most events that are read: those of the first request, and few others.
const ROWS: u32 = 8;
/// How many rows of the server may be looked through; past it nothing is known.
const ROWS_READ: u64 = 200_000;

/// Whose success is looked for, where, and after which moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterSuccess {
    workspace: String,
    slug: String,
    user_id: Option<String>,
    credential_key_id: Option<String>,
    own_key: String,
    end: DateTime<Utc>,
}

impl LaterSuccess {
    /// What is to be asked after these events; `None` when nothing failed, or where or by whom is not known. Pure.
    #[must_use]
    pub fn after(events: &[StoredEvent]) -> Option<Self> {
        let deciding = decide(events).deciding?;
        let nearest = Nearest::of(events, Some(deciding));
        let (user_id, credential_key_id) = (nearest.value("user_id"), nearest.value("credential_key_id"));
        if user_id.is_none() && credential_key_id.is_none() {
            return None;
        }
        Some(Self {
            workspace: nearest.value("workspace")?,
            slug: nearest.value("slug")?,
            user_id,
            credential_key_id,
            own_key: deciding.str("request_id").map(key_hex).unwrap_or_default(),
            end: events.iter().filter(|event| event.relation == Relation::Request).map(|event| event.time).max()?,
        })
    }

    /// The events with which the next requests of the same person (or, without one, the same key) at the same server went well,
    /// first ones first.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask(&self, client: &Client) -> Result<Vec<StoredEvent>, QueryError> {
        Statement::new(client, "later_success", include_str!("sql/later_success.sql"))
            .bind("workspace", &self.workspace)
            .bind("slug", &self.slug)
            .bind("user_id", &self.user_id)
            .bind("key_id", &self.credential_key_id)
            .bind("own_key", &self.own_key)
            .bind_time("first", self.end + TimeDelta::microseconds(1))
            .bind_time("last", self.end + WINDOW)
            .bind("row_limit", ROWS)
            .reads_little()
            .read_at_most(ROWS_READ)
            .rows()
            .await
    }
}

/// The first success among what [`LaterSuccess::ask`] found, compared with the event that decided. Pure.
#[must_use]
pub fn recovery_by(events: &[StoredEvent], later: &[StoredEvent]) -> Option<Recovery> {
    success_among(decide(events).deciding?, events, later)
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
