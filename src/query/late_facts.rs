//! Facts that came too late for ingest, joined when a timeline is read: an event gets what other joined events of the same
//! sign-in, connection or trace know and it does not, with its origin. Pure; nothing stored is changed.
//!
//! The rules are those of `enrich`: only what is missing is filled, only with what nothing contradicts, and no guess is
//! handed on. So a timeline reads the same in whatever order its events arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::StoredEvent;
use crate::event::{EventKind, TokenTrigger, vocabulary::ClosedEnum};

/// What ties events together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The same sign-in attempt.
    Flow,
    /// The same connection.
    Connection,
    /// The same trace.
    Trace,
}

impl Link {
    /// In the order in which they are believed.
    const ALL: [Self; 3] = [Self::Flow, Self::Connection, Self::Trace];

    /// The column of its id.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::Flow => "flow_id",
            Self::Connection => "connection_id",
            Self::Trace => "trace_id",
        }
    }

    /// The origin of what it fills.
    fn origin(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Connection => "connection",
            Self::Trace => "trace",
        }
    }
}

/// Members that are filled.
const MEMBERS: [&str; 4] = ["workspace", "slug", "user_id", "connection_id"];

/// Gives the events without a request that can only belong to this one its id: those of a sign-in or a trace in which no
/// other request is named.
pub fn attribute(request_id: &str, own: &[StoredEvent], found: &mut [StoredEvent], link: Link) {
    let mut others = BTreeSet::new();
    let mut ours = BTreeSet::new();
    for event in own.iter().chain(found.iter()) {
        match (event.text(link.column()), event.str("request_id")) {
            (Some(id), Some(request)) if request == request_id => ours.insert(id),
            (Some(id), Some(_)) => others.insert(id),
            _ => false,
        };
    }
    for event in found.iter_mut().filter(|event| takes_request(event, link)) {
        let Some(id) = event.text(link.column()) else { continue };
        if ours.contains(&id) && !others.contains(&id) {
            event.fill("request_id", request_id, link.origin());
            if event.str("request_id_trust").is_none() {
                event.fill("request_id_trust", "inferred", link.origin());
            }
        }
    }
}

/// The traces in which several requests are named: what is known of one says nothing about another.
#[must_use]
pub fn shared_traces(own: &[StoredEvent], found: &[StoredEvent]) -> BTreeSet<String> {
    let mut requests: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for event in own.iter().chain(found) {
        if let (Some(trace), Some(request)) = (event.text("trace_id"), event.str("request_id")) {
            requests.entry(trace).or_default().insert(request);
        }
    }
    requests.into_iter().filter(|(_, requests)| requests.len() > 1).map(|(trace, _)| trace).collect()
}

/// Fills workspace, slug, user and connection of the events that lack them; nothing from shared traces.
pub fn fill(events: &mut [StoredEvent], shared_traces: &BTreeSet<String>) {
    for link in Link::ALL {
        let facts = Facts::of(events, link, shared_traces);
        for event in events.iter_mut() {
            facts.fill(event, link);
        }
    }
}

/// What the events of each id of a link say: one value, or several.
struct Facts {
    values: BTreeMap<(String, &'static str), BTreeSet<String>>,
}

impl Facts {
    fn of(events: &[StoredEvent], link: Link, shared_traces: &BTreeSet<String>) -> Self {
        let mut facts = Self { values: BTreeMap::new() };
        for event in events {
            let Some(id) = event.text(link.column()) else { continue };
            if link == Link::Trace && shared_traces.contains(&id) {
                continue;
            }
            let origins = event.map("origins");
            for member in MEMBERS {
                let is_guess = origins.get(member).is_some_and(|origin| origin == "inferred");
                if let Some(value) = event.text(member).filter(|_| !is_guess) {
                    facts.values.entry((id.clone(), member)).or_default().insert(value);
                }
            }
        }
        facts
    }

    fn fill(&self, event: &mut StoredEvent, link: Link) {
        let Some(id) = event.text(link.column()) else { return };
        let said = |member: &'static str| self.values.get(&(id.clone(), member));
        let is_contradicted = MEMBERS.iter().any(|member| {
            let others = said(member);
            event.text(member).is_some_and(|own| others.is_some_and(|others| others.iter().any(|value| *value != own)))
        });
        if is_contradicted {
            return;
        }
        for member in MEMBERS {
            let is_open = event.text(member).is_none() && (member != "user_id" || takes_user(event, link));
            if let (true, Some(values)) = (is_open, said(member))
                && let (Some(value), 1) = (values.first(), values.len())
            {
                event.fill(member, value, link.origin());
            }
        }
    }
}

/// Whether there can be a user: a service key has none, a request without a credential neither, and a connection that all
/// share belongs to nobody.
fn takes_user(event: &StoredEvent, link: Link) -> bool {
    let is_shared = matches!(event.str("server_auth"), Some("client_credentials" | "headers" | "none"));
    !(matches!(event.str("credential_kind"), Some("service_key" | "none"))
        || event.flag("credential_sent") == Some(false)
        || (link == Link::Connection && is_shared))
}

/// Whether it can belong to a request that it does not name. What closes a request is one of its own, unless a trace says
/// otherwise.
fn takes_request(event: &StoredEvent, link: Link) -> bool {
    let asked_for = matches!(event.str("initiator"), None | Some("user" | "unknown"));
    let ahead_of_time = event.str("token_trigger") == Some(TokenTrigger::Proactive.as_str());
    let fits = match event.kind {
        EventKind::SessionOpened | EventKind::SessionClosed | EventKind::ServerState | EventKind::ConfigChanged => {
            false
        }
        EventKind::RequestCompleted | EventKind::RequestRejected => link == Link::Trace,
        _ => true,
    };
    event.str("request_id").is_none() && asked_for && fits && !(link != Link::Trace && ahead_of_time)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Link, attribute, fill, shared_traces};
    use crate::query::stored::StoredEvent;
    use crate::query::stored::tests::event;

    /// An event of no request with these members.
    fn without_request(members: serde_json::Value) -> StoredEvent {
        let mut all = json!({"request_id": null, "type": "mcp.auth.callback"});
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        event(all)
    }

    /// A member with its origin.
    fn told(event: &StoredEvent, member: &str) -> Option<String> {
        let origin = event.map("origins").remove(member);
        Some(format!("{} ({})", event.text(member)?, origin.unwrap_or("event".into())))
    }

    #[test]
    fn members_that_one_other_event_knows_are_filled_with_their_origin() {
        let authorize =
            json!({"flow_id": "f", "workspace": "acme", "slug": "wiki", "user_id": "u1", "connection_id": "c"});
        let cases = [
            (
                "flow",
                json!({"flow_id": "f"}),
                [Some("acme (flow)"), Some("wiki (flow)"), Some("u1 (flow)"), Some("c (flow)")],
            ),
            (
                "connection",
                json!({"connection_id": "c"}),
                [Some("acme (connection)"), Some("wiki (connection)"), Some("u1 (connection)"), Some("c (event)")],
            ),
            (
                "shared connection",
                json!({"connection_id": "c", "server_auth": "client_credentials"}),
                [Some("acme (connection)"), Some("wiki (connection)"), None, Some("c (event)")],
            ),
            (
                "service key",
                json!({"flow_id": "f", "credential_kind": "service_key"}),
                [Some("acme (flow)"), Some("wiki (flow)"), None, Some("c (flow)")],
            ),
            (
                "contradicted",
                json!({"flow_id": "f", "workspace": "globex"}),
                [Some("globex (event)"), None, None, None],
            ),
            ("nothing in common", json!({"flow_id": "f2"}), [None, None, None, None]),
        ];
        for (name, members, expected) in cases {
            let mut events = [event(authorize.clone()), without_request(members)];
            fill(&mut events, &BTreeSet::new());
            let found = super::MEMBERS.map(|member| told(&events[1], member));
            assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{name}");
            assert_eq!(told(&events[0], "user_id").as_deref(), Some("u1 (event)"), "{name}");
        }
    }

    #[test]
    fn what_differs_or_was_guessed_is_not_handed_on() {
        let mut events = [
            event(json!({"flow_id": "f", "slug": "wiki", "user_id": "u1"})),
            event(json!({"flow_id": "f", "slug": "mail", "workspace": "acme", "origins": {"workspace": "inferred"}})),
            without_request(json!({"flow_id": "f"})),
        ];
        fill(&mut events, &BTreeSet::new());
        assert_eq!(told(&events[2], "slug"), None);
        assert_eq!(told(&events[2], "workspace"), None);
        assert_eq!(told(&events[2], "user_id").as_deref(), Some("u1 (flow)"));
    }

    #[test]
    fn a_trace_of_several_requests_says_nothing_about_one_of_them() {
        let own = || event(json!({"trace_id": "t", "user_id": "u1"}));
        let open = || without_request(json!({"trace_id": "t"}));
        let other = event(json!({"trace_id": "t", "request_id": "r2"}));
        for (found, expected) in [(Vec::new(), Some("u1 (trace)")), (vec![other], None)] {
            let shared = shared_traces(&[own()], &found);
            let mut events = [own(), open()];
            fill(&mut events, &shared);
            assert_eq!(told(&events[1], "user_id").as_deref(), expected, "{shared:?}");
        }
    }

    #[test]
    fn an_event_belongs_to_the_only_request_of_its_sign_in_or_trace() {
        let cases = [
            ("flow", Link::Flow, json!({"flow_id": "f"}), json!({"flow_id": "f"}), None, Some("r1 (flow)")),
            ("trace", Link::Trace, json!({"trace_id": "t"}), json!({"trace_id": "t"}), None, Some("r1 (trace)")),
            ("another flow", Link::Flow, json!({"flow_id": "f"}), json!({"flow_id": "g"}), None, None),
            (
                "two requests",
                Link::Trace,
                json!({"trace_id": "t"}),
                json!({"trace_id": "t"}),
                Some(json!({"trace_id": "t", "request_id": "r2"})),
                None,
            ),
            (
                "in the background",
                Link::Trace,
                json!({"trace_id": "t"}),
                json!({"trace_id": "t", "initiator": "background"}),
                None,
                None,
            ),
            (
                "a request of its own",
                Link::Flow,
                json!({"flow_id": "f"}),
                json!({"flow_id": "f", "type": "mcp.request.completed"}),
                None,
                None,
            ),
        ];
        for (name, link, own, open, other, expected) in cases {
            let own = [event(own)];
            let mut found = vec![without_request(open)];
            found.extend(other.map(event));
            attribute("r1", &own, &mut found, link);
            assert_eq!(told(&found[0], "request_id").as_deref(), expected, "{name}");
            let trust = expected.map(|_| "inferred".to_owned());
            assert_eq!(found[0].text("request_id_trust"), trust, "{name}");
        }
    }
}
