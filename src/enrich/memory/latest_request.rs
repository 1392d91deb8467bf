//! The latest request of a connection, a trace or a client, to tell whether exactly one can be meant at a moment.
//!
//! Times are microseconds since 1970 by the events' own clocks. One request is remembered and until when another one was
//! under way too; while that lasts nobody can tell which is meant, so the answer is none.

use super::fact::LONGEST;
use super::inline_text::InlineText;
use crate::event::{Event, EventKind, Hop};

const SECOND: i64 = 1_000_000;
/// How long after its last event a request that was not seen to end still counts as in progress: longer than the pauses
/// between two events of one request that wait for another server.
pub const IN_PROGRESS: i64 = 10 * SECOND;
/// How long circumstances (same client, same server) speak for the same request.
pub const SAME_CIRCUMSTANCES: i64 = 120 * SECOND;
/// Longest duration that is believed.
const LONGEST_DURATION_MS: f64 = 3_600_000.0;

/// The latest request.
#[derive(Debug, Clone, Default)]
pub struct LatestRequest {
    request: Option<Request>,
    /// Until when an earlier request was under way too.
    disputed_until: i64,
}

#[derive(Debug, Clone)]
struct Request {
    id: InlineText<46>,
    first: i64,
    last: i64,
    ended: bool,
}

/// A moment of an event's request.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// When the event was.
    pub at: i64,
    /// When what it reports began, at the latest.
    began: i64,
    ends: bool,
}

impl Moment {
    /// The moment of this event.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let at = event.time.timestamp_micros();
        let ends = matches!(event.kind, EventKind::RequestCompleted | EventKind::RequestRejected)
            && event.hop != Some(Hop::Upstream);
        // Of the event that ends a request the duration is the request's own.
        let duration = event.duration_ms.filter(|_| ends).map_or(0, microseconds);
        Self { at, began: at.saturating_sub(duration), ends }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and the value is bounded first")]
fn microseconds(milliseconds: f64) -> i64 {
    (milliseconds.clamp(0.0, LONGEST_DURATION_MS) * 1_000.0) as i64
}

impl LatestRequest {
    /// Takes in an event of request `id`; how many bytes more are on the heap.
    pub fn note(&mut self, id: &str, moment: Moment, window: i64) -> usize {
        if let Some(request) = &mut self.request {
            if request.id.is(id) {
                request.first = request.first.min(moment.began);
                request.last = request.last.max(moment.at);
                request.ended |= moment.ends;
                return 0;
            }
            let until = if request.ended && window == IN_PROGRESS { request.last } else { request.last + window };
            self.disputed_until = self.disputed_until.max(until);
        }
        if id.len() > LONGEST {
            self.request = None;
            self.disputed_until = i64::MAX;
            return 0;
        }
        let id = InlineText::new(id);
        let bytes = id.heap_bytes();
        self.request = Some(Request { id, first: moment.began, last: moment.at, ended: moment.ends });
        bytes
    }

    /// The one request that was in progress at a moment.
    #[must_use]
    pub fn in_progress(&self, at: i64) -> Option<&str> {
        let request = self.undisputed(at)?;
        let until = if request.ended { request.last } else { request.last + IN_PROGRESS };
        (request.first <= at && at <= until).then(|| request.id.as_str())
    }

    /// The one request that was seen within [`SAME_CIRCUMSTANCES`] before a moment.
    #[must_use]
    pub fn lately(&self, at: i64) -> Option<&str> {
        let request = self.undisputed(at)?;
        (request.first <= at && at <= request.last + SAME_CIRCUMSTANCES).then(|| request.id.as_str())
    }

    /// Bytes that it has on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.request.as_ref().map_or(0, |request| request.id.heap_bytes())
    }

    /// Whether the latest request is this one.
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        self.request.as_ref().is_some_and(|request| request.id.is(id))
    }

    /// Whether no request was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.request.is_none()
    }

    fn undisputed(&self, at: i64) -> Option<&Request> {
        self.request.as_ref().filter(|_| at > self.disputed_until)
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_PROGRESS, LatestRequest, Moment, SAME_CIRCUMSTANCES, SECOND};

    /// An event: its request, its second, and whether it ends the request.
    type Seen = (&'static str, i64, bool);

    fn seen(events: &[Seen], window: i64) -> LatestRequest {
        let mut latest = LatestRequest::default();
        for (id, second, ends) in events {
            latest.note(id, Moment { at: second * SECOND, began: second * SECOND, ends: *ends }, window);
        }
        latest
    }

    #[test]
    fn in_progress_is_one_or_none() {
        let cases: [(&str, &[Seen], i64, Option<&str>); 10] = [
            ("none was seen", &[], 5, None),
            ("it began", &[("a", 0, false)], 5, Some("a")),
            ("it began later", &[("a", 9, false)], 5, None),
            ("it was silent for too long", &[("a", 0, false)], 11, None),
            ("it ended", &[("a", 0, false), ("a", 3, true)], 5, None),
            ("it ended afterwards", &[("a", 0, false), ("a", 9, true)], 5, Some("a")),
            ("two are under way", &[("a", 0, false), ("b", 2, false)], 5, None),
            ("the first one ended", &[("a", 0, false), ("a", 1, true), ("b", 2, false)], 5, Some("b")),
            (
                "the other one ended, and it went on",
                &[("a", 0, false), ("b", 1, false), ("b", 2, true), ("a", 3, false)],
                5,
                None,
            ),
            ("in turns", &[("a", 0, false), ("b", 1, false), ("a", 2, false), ("b", 3, false)], 5, None),
        ];
        for (name, events, at, expected) in cases {
            assert_eq!(seen(events, IN_PROGRESS).in_progress(at * SECOND), expected, "{name}");
        }
    }

    #[test]
    fn lately_is_one_within_two_minutes_whether_it_ended_or_not() {
        let cases: [(&[Seen], i64, Option<&str>); 5] = [
            (&[("a", 0, true)], 100, Some("a")),
            (&[("a", 0, true)], 121, None),
            (&[("a", 0, true), ("b", 60, true)], 100, None),
            (&[("a", 0, true), ("b", 60, true)], 121, Some("b")),
            (&[("a", 60, true)], 50, None),
        ];
        for (events, at, expected) in cases {
            assert_eq!(seen(events, SAME_CIRCUMSTANCES).lately(at * SECOND), expected, "{events:?} at {at}");
        }
    }
}
