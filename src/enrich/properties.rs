//! What holds for any events in any order: nothing that was said is overwritten, every origin has its value, and the same
//! events give the same answers.

use std::hash::RandomState;
use std::sync::{Arc, LazyLock, Mutex};

use chrono::{TimeDelta, TimeZone, Utc};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::Enricher;
use super::memory::Memory;
use super::registry::Registry;
use crate::classify::Classifier;
use crate::decode::registry::{Key, RegistryRecord, Server};
use crate::decode::{Limits, Payload};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{
    CredentialKind, Event, EventKind, FieldId, Initiator, KafkaPosition, Origin, Outcome, RecordTime, ServerAuth, Text,
    TokenTrigger,
};
use crate::pipeline::Steps;
use crate::pipeline::batch::Batch;
use crate::scrub::{FingerprintKey, Scrubber};
use crate::source::Record;
use crate::telemetry::ReconnectTracker;

/// Lives as long as the process, since what it fills is borrowed from it.
static ENRICHER: LazyLock<Enricher> = LazyLock::new(|| {
    let mut registry = Registry::default();
    for (workspace, slug) in [("acme", "wiki"), ("acme", "mail"), ("globex", "mail")] {
        registry.apply(RegistryRecord::Server(Server {
            workspace: workspace.to_owned(),
            slug: slug.to_owned(),
            url: Some("https://mcp.example/mcp".to_owned()),
            server_auth: Some(ServerAuth::OAuthUser),
            issuer: Some("https://idp.example".to_owned()),
            scopes: None,
            config_version: None,
        }));
    }
    registry.apply(RegistryRecord::Key(Key {
        key_id: "k1".to_owned(),
        kind: Some(CredentialKind::ServiceKey),
        workspace: Some("globex".to_owned()),
        permissions: None,
    }));
    Enricher { registry, key: FingerprintKey::new(b"test") }
});

/// One of these texts, or none.
fn text(texts: &'static [&'static str]) -> impl Strategy<Value = Option<Text<'static>>> {
    of(select(texts)).prop_map(|text| text.map(Text::from))
}

prop_compose! {
    fn ids()(
        request_id in text(&["r1", "r2", "r3"]),
        flow_id in text(&["f1", "f2"]),
        connection_id in text(&["c1", "c2"]),
        trace_id in text(&["t1", "t2"]),
        user_id in text(&["u1", "u2"]),
    ) -> [Option<Text<'static>>; 5] {
        [request_id, flow_id, connection_id, trace_id, user_id]
    }
}

prop_compose! {
    fn any_event()(
        kind in select(EventKind::names().collect::<Vec<_>>()),
        second in 0_i64..300,
        ids in ids(),
        workspace in text(&["acme", "globex"]),
        slug in text(&["wiki", "mail"]),
        path in text(&["/mail/mcp", "/globex/mail/mcp", "/oauth/callback", "/566bba1540424098a74048793eecba8f/mcp"]),
        key in text(&["k1", "k2"]),
        address in text(&["10.0.0.7", "10.0.0.8"]),
        initiator in of(select(Initiator::KNOWN)),
        trigger in of(select(TokenTrigger::KNOWN)),
        outcome in select(Outcome::KNOWN),
        server_auth in of(select(ServerAuth::KNOWN)),
    ) -> Event<'static> {
        let start = Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap();
        let mut event = Event::new("e".into(), "s".into(), kind.into(), start + TimeDelta::seconds(second));
        [event.request_id, event.flow_id, event.connection_id, event.trace_id, event.user_id] = ids;
        (event.workspace, event.slug, event.url_path, event.credential_key_id) = (workspace, slug, path, key);
        (event.client_address, event.user_agent) = (address, Some("client/1.0".into()));
        (event.initiator, event.token_trigger, event.server_auth) = (initiator, trigger, server_auth);
        event.outcome = Some(outcome);
        event
    }
}

/// The events after enrichment, one by one.
fn enriched(events: &[Event<'static>]) -> Vec<Event<'static>> {
    enriched_under(events, RandomState::new())
}

/// The same with a memory of this key: what is forgotten first depends on it.
fn enriched_under(events: &[Event<'static>], key: RandomState) -> Vec<Event<'static>> {
    let mut memory = Memory::keyed(64 << 10, key);
    let enrich = |event: &Event<'static>| {
        let mut event = event.clone();
        ENRICHER.enrich(&mut memory, &mut event);
        event
    };
    events.iter().map(enrich).collect()
}

/// Every member as text, for comparing.
fn members(event: &Event<'_>) -> Vec<(FieldId, Option<String>)> {
    FieldId::ALL.iter().map(|field| (*field, event.text_of(*field).map(|text| text.into_owned()))).collect()
}

proptest! {
    #[test]
    fn what_was_said_stays_and_what_is_new_has_its_origin(events in prop::collection::vec(any_event(), 1..40)) {
        for (sent, event) in events.iter().zip(enriched(&events)) {
            for ((field, before), (_, after)) in members(sent).into_iter().zip(members(&event)) {
                let filled = event.origins.iter().filter(|(name, _)| *name == field).count();
                if before.is_some() {
                    prop_assert_eq!(&after, &before, "{:?} was overwritten", field);
                    prop_assert_eq!(filled, 0, "{:?} was sent and has an origin", field);
                } else {
                    prop_assert_eq!(filled, usize::from(after.is_some()), "origins of {:?}", field);
                }
                prop_assert!(after.as_deref() != Some(""), "{:?} is empty", field);
            }
        }
    }

    #[test]
    fn the_same_events_give_the_same_answers(events in prop::collection::vec(any_event(), 1..40)) {
        let key = RandomState::new();
        for (one, other) in enriched_under(&events, key.clone()).iter().zip(enriched_under(&events, key)) {
            prop_assert_eq!(members(one), members(&other));
            prop_assert_eq!(&one.origins, &other.origins);
            prop_assert_eq!(&one.attributes, &other.attributes);
        }
    }

    #[test]
    fn a_request_is_only_filled_with_one_that_was_told(events in prop::collection::vec(any_event(), 1..40)) {
        let mut told: Vec<String> = Vec::new();
        for event in enriched(&events) {
            let Some(request) = event.request_id.as_deref() else { continue };
            match event.origin_of(FieldId::request_id) {
                Some(Origin::Event) => told.push(request.to_owned()),
                _ => prop_assert!(told.iter().any(|known| known == request), "{} was never told", request),
            }
        }
    }

    #[test]
    fn how_many_rows_there_are_depends_on_nothing_that_is_remembered(events in prop::collection::vec(any_event(), 1..40)) {
        let topic: Arc<str> = Arc::from("events");
        let values: Vec<String> = events.iter().map(wire).collect();
        let time = RecordTime(events.iter().map(|event| event.time).max().unwrap_or_default());
        for memory in [Memory::new(0), remembering(&events)] {
            let mut steps = STEPS.lock().unwrap();
            steps.memory = memory;
            let mut batch = Batch::default();
            for (offset, value) in (0_i64..).zip(&values) {
                let position = KafkaPosition { topic: Arc::clone(&topic), topic_id: None, partition: 0, offset, index: 0 };
                let payload = Payload { headers: &[], value: Some(value.as_bytes()), time };
                steps.ingest(&Record { topic: &topic, partition: 0, offset, payload }, &position, &mut batch).unwrap();
                prop_assert_eq!(batch.rows(), usize::try_from(offset).unwrap() + 1, "{}", value);
                prop_assert_eq!(batch.refused(), 0, "{}", value);
            }
        }
    }
}

/// The event as a gateway sends it.
fn wire(event: &Event<'static>) -> String {
    let text = |value: &Option<Text<'static>>| value.as_deref().map(str::to_owned);
    let trace = event.trace_id.as_deref().map(|id| {
        let digits = id.replace('t', "0");
        format!("00-0af7651916cd43dd8448eb211c8031{digits}-b7ad6b7169203331-01")
    });
    let number = event.time.timestamp();
    serde_json::json!({
        "id": format!("{number}-{}", event.type_name), "source": "s", "type": event.type_name,
        "time": event.time.to_rfc3339(), "traceparent": trace,
        "data": {
            "hop": "upstream", "outcome": event.outcome.map(ClosedEnum::as_str), "request_id": text(&event.request_id),
            "flow_id": text(&event.flow_id), "connection_id": text(&event.connection_id), "user_id": text(&event.user_id),
            "workspace": text(&event.workspace), "slug": text(&event.slug), "url_path": text(&event.url_path),
            "initiator": event.initiator.map(ClosedEnum::as_str), "server_auth": event.server_auth.map(ClosedEnum::as_str),
            "token": {"trigger": event.token_trigger.map(ClosedEnum::as_str)},
        }
    })
    .to_string()
}

/// A memory in which these events are already.
fn remembering(events: &[Event<'static>]) -> Memory {
    let mut memory = Memory::default();
    events.iter().for_each(|event| memory.note(event));
    memory
}

/// The steps, made once, since their rules take long to read.
static STEPS: LazyLock<Mutex<Steps>> = LazyLock::new(|| {
    Mutex::new(Steps {
        limits: Limits::default(),
        scrubber: Scrubber::new(FingerprintKey::new(b"test")),
        enricher: Enricher { registry: Registry::default(), key: FingerprintKey::new(b"test") },
        memory: Memory::default(),
        classifier: Classifier::embedded().unwrap(),
        reconnects: ReconnectTracker::new(10),
    })
});
