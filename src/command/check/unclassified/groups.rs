//! Puts what was not understood together by its shape, step and codes. Pure; as many groups as fit, the rest is counted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::shape::shape_of;
use crate::classify::facts::{Step, step_of};
use crate::classify::unwrap::unwrap;
use crate::event::Event;
use crate::event::vocabulary::ClosedEnum;
use crate::query::unexplained::UnexplainedText;

/// Groups that are kept; failures that nobody explains come in fewer shapes, unless each text is one of its own.
const MOST_GROUPS: usize = 5_000;

/// What the events of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Key {
    /// Class that counts now.
    pub class: String,
    /// Rule that decided; `unclassified` for none.
    pub rule: String,
    /// Step of a sign-in or request, as rules name it.
    pub step: &'static str,
    /// HTTP status.
    pub status: Option<u16>,
    /// OAuth error code.
    pub code: Option<String>,
    /// JSON-RPC error code.
    pub rpc_code: Option<i64>,
    /// Product of the gateway.
    pub gateway_product: Option<String>,
    /// Shape of the innermost cause; absent when nothing was said.
    pub shape: Option<String>,
}

/// Events that say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they have in common.
    #[serde(flatten)]
    pub key: Key,
    /// How many they are.
    pub events: u64,
    /// Time of the first one.
    pub first_seen: DateTime<Utc>,
    /// Time of the last one.
    pub last_seen: DateTime<Utc>,
    /// A request with such an event.
    pub example_request_id: Option<String>,
    /// Such an event.
    pub example_event_id: String,
    /// What it says, scrubbed, as it is stored.
    pub example_text: Option<String>,
}

/// Groups as texts come in, newest first.
#[derive(Debug, Default)]
pub struct Groups {
    groups: HashMap<Key, Group>,
    /// Events of groups for which there was no room.
    pub left_out: u64,
}

impl Groups {
    /// Puts a text where it belongs.
    pub fn add(&mut self, text: UnexplainedText) {
        let key = Key {
            step: step(&text),
            shape: said_by(&text).map(|said| shape_of(&said)).filter(|shape| !shape.is_empty()),
            class: text.class,
            rule: text.rule,
            status: text.status,
            code: text.code,
            rpc_code: text.rpc_code,
            gateway_product: text.gateway_product,
        };
        if !self.groups.contains_key(&key) && self.groups.len() >= MOST_GROUPS {
            self.left_out += text.events;
            return;
        }
        let example_text = text.message.or(text.description);
        let group = self.groups.entry(key.clone()).or_insert_with(|| Group {
            key,
            events: 0,
            first_seen: text.first_seen,
            last_seen: text.last_seen,
            example_request_id: None,
            example_event_id: text.example_event_id.clone(),
            example_text: example_text.clone(),
        });
        group.events += text.events;
        group.first_seen = group.first_seen.min(text.first_seen);
        group.last_seen = group.last_seen.max(text.last_seen);
        if group.example_request_id.is_none() && text.example_request_id.is_some() {
            group.example_request_id = text.example_request_id;
            group.example_event_id = text.example_event_id;
            group.example_text = example_text;
        }
    }

    /// Those of most events first; of as many, the one seen last.
    #[must_use]
    pub fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by(|one, other| {
            let order = |group: &Group| (group.events, group.last_seen);
            order(other).cmp(&order(one)).then_with(|| one.example_event_id.cmp(&other.example_event_id))
        });
        groups
    }
}

/// The innermost cause, readable: what the classifier looks at first.
fn said_by(text: &UnexplainedText) -> Option<String> {
    let message = text.message.as_deref().or(text.description.as_deref())?;
    let unwrapped = unwrap(message, text.description.as_deref().filter(|_| text.message.is_some()));
    let inner = unwrapped.inner(0).filter(|inner| !inner.trim().is_empty());
    Some(inner.unwrap_or(&unwrapped.text).to_owned())
}

fn step(text: &UnexplainedText) -> &'static str {
    let mut event = Event::new("".into(), "".into(), text.type_name.as_str().into(), text.last_seen);
    event.oauth_grant_type = text.grant_type.as_deref().map(Into::into);
    let step: Step = step_of(&event);
    step.as_str()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::{Group, Groups, MOST_GROUPS};
    use crate::query::unexplained::UnexplainedText;

    pub(in super::super) fn text(members: Value) -> UnexplainedText {
        let mut row = json!({
            "class": "unclassified", "rule": "unclassified", "type": "mcp.auth.token", "status": 502, "code": null,
            "rpc_code": null, "gateway_product": "portkey", "grant_type": null, "message": "vault 17 is sealed for \"jo\"",
            "description": null, "distinct_events": 2, "first_seen": "2026-11-22T10:00:00Z", "last_seen": "2026-11-22T11:00:00Z",
            "example_request_id": null, "example_event_id": "e1",
        });
        for (name, value) in members.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    fn grouped(texts: Vec<UnexplainedText>) -> Vec<Group> {
        let mut groups = Groups::default();
        texts.into_iter().for_each(|text| groups.add(text));
        groups.sorted()
    }

    #[test]
    fn texts_of_one_shape_are_one_group_whoever_they_are_about() {
        let groups = grouped(vec![
            text(json!({})),
            text(
                json!({"message": "vault 4 is sealed for \"Mary Ann\"", "example_request_id": "r2", "example_event_id": "e2",
                "first_seen": "2026-11-21T10:00:00Z", "last_seen": "2026-11-21T11:00:00Z", "distinct_events": 3}),
            ),
        ]);
        assert_eq!(groups.len(), 1);
        let group = &groups[0];
        assert_eq!((group.events, group.key.shape.as_deref()), (5, Some("vault <n> is sealed for <quoted>")));
        assert_eq!(
            (group.first_seen.to_rfc3339(), group.last_seen.to_rfc3339()),
            ("2026-11-21T10:00:00+00:00".into(), "2026-11-22T11:00:00+00:00".into())
        );
        assert_eq!((group.example_request_id.as_deref(), group.example_event_id.as_str()), (Some("r2"), "e2"));
        assert_eq!(group.example_text.as_deref(), Some("vault 4 is sealed for \"Mary Ann\""));
    }

    #[test]
    fn what_a_rule_can_tell_apart_is_apart() {
        let groups = grouped(vec![
            text(json!({})),
            text(json!({"status": 403})),
            text(json!({"code": "server_error"})),
            text(json!({"rpc_code": -32001})),
            text(json!({"gateway_product": null})),
            text(json!({"type": "mcp.auth.refresh"})),
            text(json!({"grant_type": "refresh_token"})),
            text(json!({"message": "vault 17 is gone for \"jo\""})),
            text(json!({"message": null})),
            text(json!({"message": "gateway error: caused by: vault 17 is sealed for \"jo\""})),
        ]);
        let refreshes =
            groups.iter().filter(|group| group.key.step == "refresh").map(|group| group.events).sum::<u64>();
        assert_eq!(
            (groups.len(), refreshes),
            (8, 4),
            "a refresh is one by its type or its grant type, and the innermost cause counts"
        );
        assert!(groups.iter().any(|group| group.key.shape.is_none()), "nothing was said");
    }

    #[test]
    fn there_is_an_end_to_groups_and_the_rest_is_counted() {
        let mut groups = Groups::default();
        let word =
            |number: usize| -> String { number.to_string().bytes().map(|digit| char::from(digit + 49)).collect() };
        for number in 0..MOST_GROUPS + 10 {
            groups.add(text(json!({"message": format!("seal {}", word(number))})));
        }
        groups.add(text(json!({"message": format!("seal {}", word(3)), "distinct_events": 7})));
        assert_eq!(groups.left_out, 20);
        let sorted = groups.sorted();
        assert_eq!((sorted.len(), sorted[0].events), (MOST_GROUPS, 9));
    }
}
