//! The request's own value of a column: of the event that decided, else of the closest event that knows it. Pure.

use super::stored::{LEADING_COLUMNS, Relation, StoredEvent};

/// Events in the order in which they are asked for a value.
pub struct Nearest<'e> {
    ordered: Vec<&'e StoredEvent>,
}

/// What comes before the name of a member of `attributes`.
const ATTRIBUTE: &str = "attributes.";

impl<'e> Nearest<'e> {
    /// Asks `first` before all others, then the request's own events, then those it is joined with by closeness; among
    /// these in their order.
    #[must_use]
    pub fn of(events: &'e [StoredEvent], first: Option<&'e StoredEvent>) -> Self {
        let mut ordered: Vec<&StoredEvent> = events.iter().collect();
        ordered.sort_by_key(|event| event.relation);
        Self { ordered: first.into_iter().chain(ordered).collect() }
    }

    /// The value of a column, or with `attributes.<key>` of a member of that map. A member of `attributes` counts only in
    /// the request's own events: what it is about differs from event to event.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<String> {
        if let Some(key) = column.strip_prefix(ATTRIBUTE) {
            let own = self.ordered.iter().take(1).chain(self.ordered.iter().filter(|event| is_own(event)));
            return own.copied().find_map(|event| event.map("attributes").remove(key));
        }
        self.ordered.iter().find_map(|event| value_of(event, column))
    }
}

fn is_own(event: &StoredEvent) -> bool {
    event.relation == Relation::Request
}

fn value_of(event: &StoredEvent, column: &str) -> Option<String> {
    let leading = match column {
        "event_id" => &event.event_id,
        "source" => &event.source,
        "type" => &event.type_name,
        _ => return event.text(column),
    };
    debug_assert!(LEADING_COLUMNS.contains(&column));
    Some(leading.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Nearest;
    use crate::query::stored::Relation;
    use crate::query::stored::tests::event;

    #[test]
    fn the_event_that_decided_knows_best_and_then_the_closest() {
        let mut of_connection = event(json!({"event_id": "c", "slug": "far", "workspace": "acme",
            "attributes": {"retry_after": "9"}}));
        of_connection.relation = Relation::Connection;
        let events = [
            of_connection,
            event(json!({"event_id": "1", "slug": "near", "attributes": {"policy": "no-writes"}})),
            event(json!({"event_id": "2", "slug": "other"})),
        ];
        let value = |first: Option<usize>, column: &str| Nearest::of(&events, first.map(|at| &events[at])).value(column);
        assert_eq!(value(None, "slug").as_deref(), Some("near"));
        assert_eq!(value(Some(2), "slug").as_deref(), Some("other"));
        assert_eq!(value(Some(2), "workspace").as_deref(), Some("acme"));
        assert_eq!(value(Some(2), "attributes.policy").as_deref(), Some("no-writes"));
        assert_eq!(value(Some(2), "attributes.retry_after"), None);
        assert_eq!(value(Some(0), "attributes.retry_after").as_deref(), Some("9"));
        assert_eq!(value(None, "type").as_deref(), Some("mcp.request.completed"));
    }
}
