//! In which order things happened when several gateways with clocks of their own report them.
//!
//! The gateway that closed the request gives the frame: whatever another gateway reports for the same request must lie
//! inside it. What lies outside shows by how much, at least, that gateway's clock is off, and is moved in by as much.
//! Pure; nothing stored is changed.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::stored::{Relation, StoredEvent};
use crate::event::{EventKind, Hop};

/// Clocks further apart than this are not clocks that are off: the id was used again.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(60);
/// Smaller differences are not worth a word.
const LEAST_SKEW_TOLD: TimeDelta = TimeDelta::milliseconds(100);

/// By how much the clock of one reporter is off, against the gateway that closed the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClockSkew {
    /// The reporter.
    pub source: String,
    /// Milliseconds it is ahead, at least; negative when behind.
    pub ahead_ms: i64,
}

/// An event with its time moved into the frame.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'e> {
    /// The event.
    pub event: &'e StoredEvent,
    /// When it happened by the frame's clock.
    pub at: DateTime<Utc>,
}

/// The events in the order in which they happened: by corrected time, then by the rank of their step.
#[must_use]
pub fn placed(events: &[StoredEvent]) -> Vec<Placed<'_>> {
    let skews = skews(events);
    let at = |event: &StoredEvent| event.time - skews.get(event.source.as_str()).copied().unwrap_or_default();
    let mut placed: Vec<Placed<'_>> = events.iter().map(|event| Placed { event, at: at(event) }).collect();
    placed.sort_by(|left, right| sort_key(left).cmp(&sort_key(right)));
    let mut seen = HashSet::new();
    placed.retain(|placed| seen.insert(placed.event.identity()));
    placed
}

fn sort_key<'e>(placed: &Placed<'e>) -> (DateTime<Utc>, u8, (&'e str, &'e str), Relation) {
    (placed.at, placed.event.kind.rank(), placed.event.identity(), placed.event.relation)
}

/// The differences worth a word.
#[must_use]
pub fn clock_skews(events: &[StoredEvent]) -> Vec<ClockSkew> {
    let told = skews(events).into_iter().filter(|(_, ahead)| ahead.abs() >= LEAST_SKEW_TOLD);
    told.map(|(source, ahead)| ClockSkew { source: source.to_owned(), ahead_ms: ahead.num_milliseconds() }).collect()
}

/// How far each reporter of the request is ahead of the frame, where it is.
fn skews(events: &[StoredEvent]) -> BTreeMap<&str, TimeDelta> {
    let own: Vec<&StoredEvent> = events.iter().filter(|event| event.relation == Relation::Request).collect();
    let Some((frame_source, first, last)) = frame(&own) else {
        return BTreeMap::new();
    };
    let mut spans: BTreeMap<&str, (DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for event in own.iter().filter(|event| event.source != frame_source && belongs_inside(event.kind)) {
        let span = spans.entry(event.source.as_str()).or_insert((event.time, event.time));
        *span = (span.0.min(event.time), span.1.max(event.time));
    }
    let ahead = |(earliest, latest): (DateTime<Utc>, DateTime<Utc>)| match (earliest < first, latest > last) {
        (true, false) => earliest - first,
        (false, true) => latest - last,
        // Inside, or longer than the frame: nothing can be said.
        _ => TimeDelta::zero(),
    };
    let skews = spans.into_iter().map(|(source, span)| (source, ahead(span)));
    skews.filter(|(_, ahead)| !ahead.is_zero() && ahead.abs() <= MOST_SKEW).collect()
}

/// The reporter that closed the request, and between which moments of its clock the request ran. A gateway may stamp the
/// closing event with its start or its end, so its duration counts in both directions.
fn frame<'e>(own: &[&'e StoredEvent]) -> Option<(&'e str, DateTime<Utc>, DateTime<Utc>)> {
    let closing = own.iter().find(|event| is_closing(event))?;
    let of_source = own.iter().filter(|event| event.source == closing.source);
    let times: Vec<DateTime<Utc>> = of_source.map(|event| event.time).collect();
    let duration = closing.number("duration_ms").map_or(TimeDelta::zero(), milliseconds);
    let (first, last) = (*times.iter().min()? - duration, *times.iter().max()? + duration);
    (first < last).then_some((closing.source.as_str(), first, last))
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and the value is bounded first")]
pub(super) fn milliseconds(duration: f64) -> TimeDelta {
    TimeDelta::milliseconds(duration.clamp(0.0, 86_400_000.0) as i64)
}

/// Whether the event closes a request at the gateway the client spoke to.
#[must_use]
pub fn is_closing(event: &StoredEvent) -> bool {
    matches!(event.kind, EventKind::RequestCompleted | EventKind::RequestRejected) && event.hop != Hop::Upstream
}

fn belongs_inside(kind: EventKind) -> bool {
    !matches!(kind, EventKind::SessionClosed | EventKind::ServerState | EventKind::ConfigChanged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{clock_skews, placed};
    use crate::query::stored::tests::event;

    #[test]
    fn a_gateway_whose_clock_is_off_is_moved_into_the_request() {
        let cases = [
            ("09:59:58.000", Some(-2000), "b a c"),
            ("10:00:02.600", Some(2000), "a c b"),
            ("10:00:00.300", None, "a b c"),
        ];
        for (upstream_time, ahead_ms, order) in cases {
            let events = [
                event(json!({"event_id": "a", "type": "mcp.auth.credential", "time": "2026-11-22T10:00:00.100000Z"})),
                event(json!({"event_id": "c", "duration_ms": 100.0, "time": "2026-11-22T10:00:00.500000Z"})),
                event(
                    json!({"event_id": "b", "source": "//gateway/b", "type": "mcp.call.completed", "hop": "upstream",
                    "time": format!("2026-11-22T{upstream_time}000Z")}),
                ),
            ];
            let skews: Vec<i64> = clock_skews(&events).iter().map(|skew| skew.ahead_ms).collect();
            assert_eq!(skews, Vec::from_iter(ahead_ms), "{upstream_time}");
            let placed = placed(&events);
            let ids: Vec<&str> = placed.iter().map(|placed| placed.event.event_id.as_str()).collect();
            assert_eq!(ids.join(" "), order, "{upstream_time}");
            let spread = placed[2].at - placed[0].at;
            assert!(spread.num_milliseconds() <= 600, "{upstream_time}: {spread}");
        }
    }

    #[test]
    fn equal_times_are_ordered_by_step_and_sent_twice_is_once() {
        let events = [
            event(json!({"event_id": "3"})),
            event(json!({"event_id": "2", "type": "mcp.call.completed"})),
            event(json!({"event_id": "1", "type": "mcp.auth.credential"})),
            event(json!({"event_id": "3"})),
        ];
        let order: Vec<&str> = placed(&events).iter().map(|placed| placed.event.event_id.as_str()).collect();
        assert_eq!(order, ["1", "2", "3"]);
    }
}
