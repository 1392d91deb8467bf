//! Which sign-ins are reconnects: people who had to sign in again although their connection should still have held.
//!
//! A *grant* is a successful token request with `grant_type=authorization_code` on a connection (user × server). It is a
//! *reconnect* when the connection had been granted before, that grant was not revoked by its user, and its refresh
//! lifetime has not passed (unknown: 30 days); or when the gateway says so itself (`attributes.reconnect = "true"`).
//! A successful refresh shows that there was a grant and renews it. Events of probes and administrators (any
//! `initiator` but user, background or unknown) never count.
//!
//! This is the thin form that needs no history: a bounded memory of connections, by hash, inside one process. So
//! - the first grant seen of a connection is never a reconnect; after a restart every connection is unseen again;
//! - of more connections than the capacity, the longest unused half is forgotten first;
//! - events of one connection must come to one tracker in order, which the Kafka key `connection_id` gives.
//!
//! It therefore counts too few, never too many. The finding `reconnect_spike` counts over the stored history.

use std::hash::BuildHasher;

use chrono::{DateTime, TimeDelta, Utc};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::event::{Event, EventKind, Initiator, Outcome, TokenKind};

/// Refresh lifetime that is assumed when none is known, in days.
const USUAL_LIFETIME_DAYS: i64 = 30;
/// Longest lifetime believed, in seconds (ten years); keeps the arithmetic in range whatever was sent.
const LONGEST_LIFETIME_S: i64 = 10 * 366 * 86_400;

/// The last grant of a connection.
#[derive(Debug, Clone, Copy)]
struct Grant {
    /// When the connection was last granted or refreshed.
    time: DateTime<Utc>,
    /// Until when the user should not have to sign in again.
    holds_until: DateTime<Utc>,
}

/// Bounded memory of granted connections: two generations, of which the older is dropped when the younger is full.
#[derive(Debug)]
pub struct ReconnectTracker {
    young: FxHashMap<u64, Grant>,
    old: FxHashMap<u64, Grant>,
    generation: usize,
    /// Keyed at random, so that nobody can choose ids that collide.
    hasher: std::hash::RandomState,
}

impl ReconnectTracker {
    /// A tracker that remembers at most `capacity` connections (about 80 bytes each) and at least the latest half of
    /// them.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: FxHashMap::with_hasher(FxBuildHasher),
            old: FxHashMap::with_hasher(FxBuildHasher),
            generation: (capacity / 2).max(1),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Takes one event, in the order of its connection, and says whether it is a reconnect.
    pub fn is_reconnect(&mut self, event: &Event<'_>) -> bool {
        if !is_of_people(event) {
            return false;
        }
        match event.kind {
            EventKind::Token if is_grant(event) => self.grant(event),
            EventKind::Refresh if event.outcome == Some(Outcome::Success) => {
                self.refresh(event);
                false
            }
            EventKind::Connection if is_revoked_by_user(event) => {
                self.forget(event);
                false
            }
            _ => false,
        }
    }

    fn grant(&mut self, event: &Event<'_>) -> bool {
        let said_so = event.attribute("reconnect") == Some("true");
        let Some(key) = self.key(event) else { return said_so };
        let earlier = self.take(key);
        // Sent twice, or late: neither is a second sign-in.
        if let Some(known) = earlier.filter(|known| known.time >= event.time) {
            self.remember(key, known);
            return false;
        }
        let seen_to_hold = earlier.is_some_and(|known| event.time < known.holds_until);
        self.remember(key, Grant { time: event.time, holds_until: holds_until(event) });
        said_so || seen_to_hold
    }

    fn refresh(&mut self, event: &Event<'_>) {
        let Some(key) = self.key(event) else { return };
        let renewed = Grant { time: event.time, holds_until: holds_until(event) };
        let latest = self.take(key).filter(|known| known.time >= event.time).unwrap_or(renewed);
        self.remember(key, latest);
    }

    fn forget(&mut self, event: &Event<'_>) {
        if let Some(key) = self.key(event) {
            self.take(key);
        }
    }

    fn key(&self, event: &Event<'_>) -> Option<u64> {
        event.connection_id.as_deref().map(|id| self.hasher.hash_one(id))
    }

    fn take(&mut self, key: u64) -> Option<Grant> {
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    fn remember(&mut self, key: u64, grant: Grant) {
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, grant);
    }
}

/// Whether a person, or the gateway on a person's behalf, is behind the event; unknown counts as yes.
#[must_use]
pub fn is_of_people(event: &Event<'_>) -> bool {
    matches!(event.initiator, None | Some(Initiator::User | Initiator::Background | Initiator::Unknown))
}

fn is_grant(event: &Event<'_>) -> bool {
    event.outcome == Some(Outcome::Success) && event.oauth_grant_type.as_deref() == Some("authorization_code")
}

/// A revocation by anybody but the user (the provider, the gateway's clean-up) leaves the user to sign in again against
/// their will, so it does not excuse the next grant. Not said by whom: taken as the user's.
fn is_revoked_by_user(event: &Event<'_>) -> bool {
    let by_user = matches!(event.initiator, None | Some(Initiator::User | Initiator::Unknown));
    by_user && event.attribute("state") == Some("revoked")
}

/// `token.expires_in` is the access token's life unless the event is about the refresh token.
fn holds_until(event: &Event<'_>) -> DateTime<Utc> {
    let of_refresh_token = event.token_expires_in.filter(|_| event.token_kind == Some(TokenKind::Refresh));
    let lifetime = of_refresh_token
        .filter(|seconds| *seconds > 0)
        .map_or(TimeDelta::days(USUAL_LIFETIME_DAYS), |seconds| TimeDelta::seconds(seconds.min(LONGEST_LIFETIME_S)));
    event.time.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::ReconnectTracker;
    use crate::event::{Event, Initiator, Outcome, TokenKind};

    fn event(type_name: &'static str, minute: i64, connection: &'static str) -> Event<'static> {
        let start = Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0).unwrap();
        let mut event = Event::new("e".into(), "s".into(), type_name.into(), start + TimeDelta::minutes(minute));
        event.outcome = Some(Outcome::Success);
        event.connection_id = Some(connection.into());
        event
    }

    fn grant(minute: i64, connection: &'static str) -> Event<'static> {
        let mut event = event("mcp.auth.token", minute, connection);
        event.oauth_grant_type = Some("authorization_code".into());
        event
    }

    fn with(mut event: Event<'static>, change: impl FnOnce(&mut Event<'static>)) -> Event<'static> {
        change(&mut event);
        event
    }

    const DAY: i64 = 24 * 60;

    #[test]
    fn stories() {
        let revoked = |minute| {
            with(event("mcp.auth.connection", minute, "a"), |e| e.attributes.push(("state".into(), "revoked".into())))
        };
        let short = |e: &mut Event<'static>| {
            e.token_kind = Some(TokenKind::Refresh);
            e.token_expires_in = Some(3600);
        };
        let cases: Vec<(&str, Vec<Event<'static>>, usize)> = vec![
            ("the first grant seen is none", vec![grant(0, "a")], 0),
            ("a second is one", vec![grant(0, "a"), grant(60, "a")], 1),
            ("a third is another", vec![grant(0, "a"), grant(60, "a"), grant(120, "a")], 2),
            ("another connection", vec![grant(0, "a"), grant(60, "b")], 0),
            ("sent twice", vec![grant(0, "a"), grant(0, "a")], 0),
            ("late", vec![grant(60, "a"), grant(0, "a")], 0),
            ("after 30 days", vec![grant(0, "a"), grant(30 * DAY, "a")], 0),
            ("just before", vec![grant(0, "a"), grant(30 * DAY - 1, "a")], 1),
            (
                "refreshed meanwhile",
                vec![grant(0, "a"), event("mcp.auth.refresh", 20 * DAY, "a"), grant(40 * DAY, "a")],
                1,
            ),
            ("a refresh shows a grant", vec![event("mcp.auth.refresh", 0, "a"), grant(60, "a")], 1),
            ("a known short life is over", vec![with(grant(0, "a"), short), grant(61, "a")], 0),
            ("a known short life holds", vec![with(grant(0, "a"), short), grant(59, "a")], 1),
            ("revoked by its user", vec![grant(0, "a"), revoked(1), grant(60, "a")], 0),
            (
                "revoked by an administrator",
                vec![grant(0, "a"), with(revoked(1), |e| e.initiator = Some(Initiator::Admin)), grant(60, "a")],
                1,
            ),
            ("a probe's", vec![grant(0, "a"), with(grant(60, "a"), |e| e.initiator = Some(Initiator::HealthCheck))], 0),
            ("failed", vec![grant(0, "a"), with(grant(60, "a"), |e| e.outcome = Some(Outcome::Failure))], 0),
            (
                "the gateway's own identity",
                vec![grant(0, "a"), with(grant(60, "a"), |e| e.oauth_grant_type = Some("client_credentials".into()))],
                0,
            ),
            (
                "the gateway says so",
                vec![with(grant(0, "a"), |e| e.attributes.push(("reconnect".into(), "true".into())))],
                1,
            ),
            ("no connection known", vec![with(grant(0, "a"), |e| e.connection_id = None)], 0),
            (
                "a lifetime beyond every calendar",
                vec![
                    with(grant(0, "a"), |e| {
                        e.token_kind = Some(TokenKind::Refresh);
                        e.token_expires_in = Some(i64::MAX);
                    }),
                    grant(60, "a"),
                ],
                1,
            ),
        ];
        for (name, events, expected) in cases {
            let mut tracker = ReconnectTracker::new(100);
            let counted = events.iter().filter(|event| tracker.is_reconnect(event)).count();
            assert_eq!(counted, expected, "{name}");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_latest() {
        let names: Vec<&'static str> = (0..100).map(|n| &*format!("c{n}").leak()).collect();
        let mut tracker = ReconnectTracker::new(10);
        for name in &names {
            assert!(!tracker.is_reconnect(&grant(0, name)));
            assert!(tracker.young.len() + tracker.old.len() <= 10);
        }
        assert!(tracker.is_reconnect(&grant(60, "c99")), "latest is known");
        assert!(tracker.is_reconnect(&grant(60, "c95")), "the latest half is known");
        assert!(!tracker.is_reconnect(&grant(60, "c0")), "the first is forgotten");
    }
}
