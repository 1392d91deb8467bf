//! Stories in which gateways leave ids out: what is filled, from where, and what stays unknown.

use chrono::{TimeDelta, TimeZone, Utc};

use super::{Learned, Memory, Miss, MissKind};
use crate::enrich::Enricher;
use crate::enrich::registry::Registry;
use crate::event::vocabulary::ClosedEnum;
use crate::event::{
    CredentialKind, Event, FieldId, Hop, Initiator, Origin, Outcome, RequestIdTrust, ServerAuth, TokenTrigger,
};
use crate::scrub::FingerprintKey;

type Change = fn(&mut Event<'static>);

/// An event this many seconds into the story.
fn event(type_name: &'static str, second: i64, change: Change) -> Event<'static> {
    let start = Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap();
    let mut event = Event::new("e".into(), "s".into(), type_name.into(), start + TimeDelta::seconds(second));
    (event.hop, event.outcome) = (Some(Hop::Upstream), Some(Outcome::Success));
    change(&mut event);
    event
}

/// The last event of a story, enriched after the others.
fn last_of(memory: &mut Memory, story: Vec<Event<'static>>) -> Event<'static> {
    let enricher: &'static Enricher =
        Box::leak(Box::new(Enricher { registry: Registry::default(), key: FingerprintKey::new(b"test") }));
    let mut last = None;
    for mut event in story {
        enricher.enrich(memory, &mut event);
        last = Some(event);
    }
    last.unwrap()
}

/// What was filled in the last event of a story, as `member=value (origin)`.
fn filled(story: Vec<Event<'static>>) -> String {
    let event = last_of(&mut Memory::default(), story);
    let shown = |(field, origin): &(FieldId, Origin)| {
        format!("{}={} ({})", field.column(), event.text_of(*field).unwrap(), origin.as_str())
    };
    event
        .origins
        .iter()
        .filter(|(field, _)| *field != FieldId::request_id_trust)
        .map(shown)
        .collect::<Vec<_>>()
        .join(" ")
}

fn authorize(second: i64) -> Event<'static> {
    event("mcp.auth.authorize", second, |event| {
        event.flow_id = Some("f1".into());
        event.request_id = Some("r1".into());
        event.user_id = Some("u1".into());
        event.workspace = Some("acme".into());
        event.slug = Some("wiki".into());
        event.connection_id = Some("c1".into());
    })
}

fn callback(second: i64, change: Change) -> Event<'static> {
    let mut callback = event("mcp.auth.callback", second, |event| event.flow_id = Some("f1".into()));
    change(&mut callback);
    callback
}

#[test]
fn a_sign_in_tells_its_later_legs() {
    let all = "workspace=acme (flow) slug=wiki (flow) user_id=u1 (flow) connection_id=c1 (flow) request_id=r1 (flow)";
    let other_leg: Change = |event| event.request_id = Some("r2".into());
    let cases: Vec<(&str, Vec<Event<'static>>, &str)> = vec![
        ("the callback has nothing but its state", vec![authorize(0), callback(40, |_| {})], all),
        ("nothing was seen before", vec![callback(40, |_| {})], ""),
        ("an hour later", vec![authorize(0), callback(3_600, |_| {})], all),
        (
            "each leg is a request of its own",
            vec![authorize(0), callback(40, other_leg)],
            "workspace=acme (flow) slug=wiki (flow) user_id=u1 (flow) connection_id=c1 (flow)",
        ),
        (
            "then nobody knows which request the next leg is of",
            vec![authorize(0), callback(40, other_leg), callback(41, |_| {})],
            "workspace=acme (flow) slug=wiki (flow) user_id=u1 (flow) connection_id=c1 (flow)",
        ),
        ("another user", vec![authorize(0), callback(40, |event| event.user_id = Some("u2".into()))], ""),
        (
            "users differ, so none is known",
            vec![authorize(0), callback(40, |event| event.user_id = Some("u2".into())), callback(41, |_| {})],
            "workspace=acme (flow) slug=wiki (flow) request_id=r1 (flow)",
        ),
        (
            "an administrator's leg belongs to no request",
            vec![authorize(0), callback(40, |event| event.initiator = Some(Initiator::Admin))],
            "workspace=acme (flow) slug=wiki (flow) user_id=u1 (flow) connection_id=c1 (flow)",
        ),
        (
            "a service key has no user",
            vec![authorize(0), callback(40, |event| event.credential_kind = Some(CredentialKind::ServiceKey))],
            "workspace=acme (flow) slug=wiki (flow) connection_id=c1 (flow) request_id=r1 (flow)",
        ),
    ];
    for (name, story, expected) in cases {
        assert_eq!(filled(story), expected, "{name}");
    }
}

#[test]
fn a_filled_request_is_one_that_was_inferred_and_a_sent_trust_stays() {
    let filled = last_of(&mut Memory::default(), vec![authorize(0), callback(40, |_| {})]);
    assert_eq!(filled.request_id_trust, Some(RequestIdTrust::Inferred));
    assert_eq!(filled.origin_of(FieldId::request_id_trust), Some(Origin::Flow));
    let sent: Change = |event| event.request_id_trust = Some(RequestIdTrust::Client);
    let filled = last_of(&mut Memory::default(), vec![authorize(0), callback(40, sent)]);
    assert_eq!(filled.request_id_trust, Some(RequestIdTrust::Client));
}

/// A call on connection `c1` for `request`.
fn call(second: i64, request: &'static str) -> Event<'static> {
    let mut call = event("mcp.call.completed", second, |event| {
        event.user_id = Some("u1".into());
        event.workspace = Some("acme".into());
        event.slug = Some("wiki".into());
        event.connection_id = Some("c1".into());
        event.oauth_issuer = Some("https://idp.example".into());
        event.server_auth = Some(ServerAuth::OAuthUser);
    });
    call.request_id = Some(request.into());
    call
}

fn done(second: i64, request: &'static str) -> Event<'static> {
    let mut done = call(second, request);
    (done.kind, done.hop) = (crate::event::EventKind::RequestCompleted, Some(Hop::Downstream));
    done
}

fn refresh(second: i64, trigger: TokenTrigger, change: Change) -> Event<'static> {
    let mut refresh = event("mcp.auth.refresh", second, |event| event.connection_id = Some("c1".into()));
    refresh.token_trigger = Some(trigger);
    change(&mut refresh);
    refresh
}

#[test]
fn a_refresh_gets_the_request_that_needed_the_token_and_no_other() {
    use TokenTrigger::{On401, OnDemand, Proactive};
    let parts = "workspace=acme (connection) slug=wiki (connection) server_auth=oauth_user (connection) \
        oauth_issuer=https://idp.example (connection) user_id=u1 (connection)";
    let with_request = format!("{parts} request_id=r1 (inferred)");
    let background: Change = |event| event.initiator = Some(Initiator::Background);
    let cases: Vec<(&str, Vec<Event<'static>>, &str)> = vec![
        ("on demand", vec![call(0, "r1"), refresh(1, OnDemand, |_| {})], &with_request),
        ("after a 401", vec![call(0, "r1"), refresh(1, On401, |_| {})], &with_request),
        ("ahead of time", vec![call(0, "r1"), refresh(1, Proactive, |_| {})], parts),
        ("in the background", vec![call(0, "r1"), refresh(1, OnDemand, background)], parts),
        ("the request had ended", vec![call(0, "r1"), done(1, "r1"), refresh(2, OnDemand, |_| {})], parts),
        (
            "late, of a request that has ended",
            vec![call(0, "r1"), done(2, "r1"), refresh(1, OnDemand, |_| {})],
            &with_request,
        ),
        ("two are under way", vec![call(0, "r1"), call(1, "r2"), refresh(2, OnDemand, |_| {})], parts),
        (
            "one of two has ended",
            vec![call(0, "r0"), done(1, "r0"), call(2, "r1"), refresh(3, OnDemand, |_| {})],
            &with_request,
        ),
        ("minutes later", vec![call(0, "r1"), refresh(60, OnDemand, |_| {})], parts),
    ];
    for (name, story, expected) in cases {
        assert_eq!(filled(story), expected, "{name}");
    }
}

#[test]
fn a_connection_that_all_share_names_no_user() {
    for server_auth in [ServerAuth::ClientCredentials, ServerAuth::Headers, ServerAuth::None] {
        let mut shared = call(0, "r1");
        shared.server_auth = Some(server_auth);
        let filled = last_of(&mut Memory::default(), vec![shared, refresh(1, TokenTrigger::Proactive, |_| {})]);
        assert_eq!((filled.slug.as_deref(), filled.user_id), (Some("wiki"), None), "{server_auth:?}");
    }
}

fn traced(second: i64, change: Change) -> Event<'static> {
    let mut traced = event("mcp.call.completed", second, |event| event.trace_id = Some("t1".into()));
    change(&mut traced);
    traced
}

fn of_request(second: i64, request: &'static str) -> Event<'static> {
    let mut told = traced(second, |event| {
        event.user_id = Some("u1".into());
        event.workspace = Some("acme".into());
        event.slug = Some("wiki".into());
    });
    told.request_id = Some(request.into());
    told
}

#[test]
fn a_trace_speaks_for_its_one_request_while_that_is_under_way() {
    let all = "workspace=acme (trace) slug=wiki (trace) user_id=u1 (trace) request_id=r1 (trace)";
    let cases: Vec<(&str, Vec<Event<'static>>, &str)> = vec![
        ("a call without ids", vec![of_request(0, "r1"), traced(1, |_| {})], all),
        (
            "its own request",
            vec![of_request(0, "r1"), traced(1, |event| event.request_id = Some("r1".into()))],
            "workspace=acme (trace) slug=wiki (trace) user_id=u1 (trace)",
        ),
        ("another request", vec![of_request(0, "r1"), traced(1, |event| event.request_id = Some("r2".into()))], ""),
        ("another server", vec![of_request(0, "r1"), traced(1, |event| event.slug = Some("mail".into()))], ""),
        ("several requests", vec![of_request(0, "r1"), of_request(1, "r2"), traced(2, |_| {})], ""),
        ("long after", vec![of_request(0, "r1"), traced(60, |_| {})], ""),
        ("before", vec![of_request(9, "r1"), traced(1, |_| {})], ""),
    ];
    for (name, story, expected) in cases {
        assert_eq!(filled(story), expected, "{name}");
    }
}

/// An event of a client at a server.
fn of_client(type_name: &'static str, second: i64, change: Change) -> Event<'static> {
    let mut told = event(type_name, second, |event| {
        event.hop = Some(Hop::Downstream);
        event.slug = Some("wiki".into());
        event.client_address = Some("10.0.0.7".into());
        event.user_agent = Some("client/1.0".into());
    });
    change(&mut told);
    told
}

#[test]
fn circumstances_suggest_and_say_so() {
    let r1: Change = |event| {
        event.request_id = Some("r1".into());
        event.user_id = Some("u1".into());
        event.workspace = Some("acme".into());
    };
    let r2: Change = |event| {
        event.request_id = Some("r2".into());
        event.user_id = Some("u2".into());
    };
    let first = || of_client("mcp.request.rejected", 0, r1);
    let discovery = |second, change| of_client("mcp.auth.discovery", second, change);
    let all = "workspace=acme (inferred) user_id=u1 (inferred) request_id=r1 (inferred)";
    let cases: Vec<(&str, Vec<Event<'static>>, &str)> = vec![
        ("what the client does next", vec![first(), discovery(5, |_| {})], all),
        ("after two minutes", vec![first(), discovery(121, |_| {})], ""),
        ("another address", vec![first(), discovery(5, |event| event.client_address = Some("10.0.0.8".into()))], ""),
        ("the address is not known", vec![first(), discovery(5, |event| event.client_address = None)], ""),
        (
            "two users behind one address",
            vec![first(), of_client("mcp.request.completed", 1, r2), discovery(5, |_| {})],
            "",
        ),
        ("another user", vec![first(), discovery(5, |event| event.user_id = Some("u2".into()))], ""),
        (
            "the next request is one of its own",
            vec![first(), of_client("mcp.request.completed", 5, |_| {})],
            "workspace=acme (inferred) user_id=u1 (inferred)",
        ),
        (
            "no credential was sent",
            vec![first(), of_client("mcp.auth.credential", 5, |event| event.credential_sent = Some(false))],
            "workspace=acme (inferred) request_id=r1 (inferred)",
        ),
        (
            "a probe",
            vec![first(), discovery(5, |event| event.initiator = Some(Initiator::ClientProbe))],
            "workspace=acme (inferred) user_id=u1 (inferred)",
        ),
    ];
    for (name, story, expected) in cases {
        assert_eq!(filled(story), expected, "{name}");
    }
}

#[test]
fn a_guess_is_not_handed_on_as_a_fact() {
    let r1: Change = |event| {
        event.request_id = Some("r1".into());
        event.user_id = Some("u1".into());
    };
    let guessed: Change = |event| event.flow_id = Some("f1".into());
    let story = vec![
        of_client("mcp.request.rejected", 0, r1),
        of_client("mcp.auth.authorize", 1, guessed),
        callback(30, |_| {}),
    ];
    assert_eq!(filled(story), "slug=wiki (flow)");
}

#[test]
fn what_was_never_seen_is_missed_once_and_the_answer_serves_what_follows() {
    let mut memory = Memory::default();
    let at = callback(40, |_| {}).time;
    last_of(&mut memory, vec![callback(40, |_| {}), callback(41, |_| {}), refresh(41, TokenTrigger::OnDemand, |_| {})]);
    let miss = |kind, id: &str, at| Miss { kind, id: id.to_owned(), at };
    let later = at + TimeDelta::seconds(1);
    assert_eq!(memory.take_misses(), [miss(MissKind::Flow, "f1", at), miss(MissKind::Connection, "c1", later)]);
    assert_eq!(memory.take_misses(), []);

    let known = |text: &str| Some(text.to_owned());
    memory.learn(&Learned {
        kind: MissKind::Flow,
        id: "f1".to_owned(),
        workspace: known("acme"),
        slug: known("wiki"),
        user_id: known("u1"),
        request_id: known("r1"),
        connection_id: None,
        oauth_issuer: None,
        server_auth: None,
    });
    let filled = last_of(&mut memory, vec![callback(50, |_| {})]);
    assert_eq!((filled.request_id.as_deref(), filled.user_id.as_deref()), (Some("r1"), Some("u1")));
    assert_eq!(filled.origin_of(FieldId::request_id), Some(Origin::Flow));
}

#[test]
fn an_event_that_says_everything_is_no_miss() {
    let mut memory = Memory::default();
    let mut complete = authorize(0);
    complete.server_auth = Some(ServerAuth::OAuthUser);
    last_of(&mut memory, vec![complete, call(1, "r1")]);
    assert_eq!(memory.take_misses(), []);
}

#[test]
fn memory_is_bounded_whatever_is_told() {
    let bound = 1 << 20;
    let mut memory = Memory::new(bound);
    for number in 0..20_000 {
        let long = format!("{number}{}", "x".repeat(190));
        let mut told = event("mcp.auth.authorize", number, |_| {});
        told.flow_id = Some(long.clone().into());
        told.connection_id = Some(long.clone().into());
        told.trace_id = Some(long.clone().into());
        told.request_id = Some(long.clone().into());
        told.client_address = Some(long.clone().into());
        told.user_agent = Some(long.clone().into());
        told.slug = Some(long.clone().into());
        told.user_id = Some(long.into());
        memory.note(&told);
        let size = memory.size();
        // What traces and clients have on the heap comes on top: 200 bytes a text at most.
        assert!(size.bytes <= bound + (size.traces + size.clients) * 800, "{size:?}");
    }
    assert!(memory.size().flows > 40, "{:?}", memory.size());
}
