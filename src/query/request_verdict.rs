//! The verdict over a joined timeline as it is answered: made of the decision, worded by the texts. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::hops::{OtherHop, other_hop};
use super::nearest::Nearest;
use super::order::placed;
use super::recovery::Recovery;
use super::stored::{StoredEvent, micros};
use super::texts::{AudienceFix, TextInput, UrlDifference, VerdictTexts};
use super::verdict::Decision;
use crate::classify::{Class, WhoActs};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Hop, Outcome};

/// The verdict over the joined timeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct RequestVerdict {
    /// What went wrong; `none` when nothing failed in the end.
    pub class: String,
    /// Finer than the class.
    pub reason: Option<String>,
    /// The hop that refused.
    pub hop: Option<String>,
    /// Who has to act.
    pub who_acts: String,
    /// Id of the rule that decided.
    pub rule: String,
    /// `certain`, `likely` or `weak`.
    pub confidence: String,
    /// What happened, in one sentence.
    pub summary: String,
    /// What to do.
    pub fix: String,
    /// What each of those concerned should do: who has to act first, then the others that have something to do.
    pub fixes: Vec<AudienceFix>,
    /// The two URLs that should be the same, where that is what failed.
    pub difference: Option<UrlDifference>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// The first failing step: the event that decided.
    pub event_id: Option<String>,
    /// What the hop shows that the verdict is not about, where events tell.
    pub other_hop: Option<OtherHop>,
    /// A step of this connection that failed before this request: the reason behind it, if what is to be done does not help.
    pub earlier_failure: Option<EarlierFailure>,
    /// What failed at first and was made up for.
    pub recovered: Option<Recovery>,
}

/// One fact that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Evidence {
    /// The event.
    pub event_id: String,
    /// Column name of the member.
    pub field: String,
    /// Its value, or the words in it that decided.
    pub value: String,
}

/// A step of the connection that failed before this request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EarlierFailure {
    /// Its class.
    pub class: String,
    /// Its reason.
    pub reason: Option<String>,
    /// The event.
    pub event_id: String,
    /// When it failed, by the reporter's clock.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
}

/// Words the decision over these events; `known_slug` is a registered server whose name is like the request's slug.
#[must_use]
pub fn verdict_of(
    decision: &Decision<'_>,
    events: &[StoredEvent],
    known_slug: Option<&str>,
    texts: &VerdictTexts,
) -> RequestVerdict {
    let deciding = decision.deciding;
    let class = deciding.map_or(Class::None, |event| event.class);
    let reason = deciding.and_then(|event| event.str("reason"));
    let hop = deciding.map(|event| event.class_hop);
    let who_acts = deciding.map_or(WhoActs::Nobody, |event| event.who_acts);
    let nearest = Nearest::of(events, deciding);
    let product = nearest.value("gateway_product");
    let values = |column: &str| match column {
        "known_slug" => known_slug.map(str::to_owned),
        _ => nearest.value(column),
    };
    let input = TextInput { class, reason, hop, who_acts, product: product.as_deref(), values: &values };
    let fixes = (texts.fixes)(&input).into_iter();
    RequestVerdict {
        class: class.as_str().to_owned(),
        reason: reason.map(str::to_owned),
        hop: hop.filter(|hop| *hop != Hop::Unknown).map(|hop| hop.as_str().to_owned()),
        who_acts: who_acts.as_str().to_owned(),
        rule: deciding.and_then(|event| event.text("rule")).unwrap_or_else(|| "none".to_owned()),
        confidence: confidence_of(decision).to_owned(),
        summary: summary_of(decision, &input, texts),
        fix: (texts.fix)(&input),
        fixes: fixes.map(|(audience, text)| AudienceFix { audience: audience.as_str().to_owned(), text }).collect(),
        difference: deciding.and((texts.difference)(&input)).map(UrlDifference::from),
        evidence: evidence_of(decision, events),
        event_id: deciding.map(|event| event.event_id.clone()),
        other_hop: deciding.and_then(|event| other_hop(event, &placed(events))),
        earlier_failure: decision.earlier.map(|event| EarlierFailure {
            class: event.class.as_str().to_owned(),
            reason: event.str("reason").map(str::to_owned),
            event_id: event.event_id.clone(),
            at: event.time,
        }),
        recovered: decision.recovered.clone(),
    }
}

/// "Nothing failed" is certain only where the end was seen.
fn confidence_of(decision: &Decision<'_>) -> &'static str {
    match decision.deciding {
        Some(event) => event.confidence.as_str(),
        None if decision.closed && decision.outcome == Some(Outcome::Success) => "certain",
        None if decision.recovered.is_some() => "certain",
        None => "likely",
    }
}

fn summary_of(decision: &Decision<'_>, input: &TextInput<'_>, texts: &VerdictTexts) -> String {
    let Some(recovered) = &decision.recovered else {
        return (texts.summary)(input);
    };
    let by = match (&recovered.by_request_id, (input.values)("request_id")) {
        (None, _) => "the sign-in it asked for was completed".to_owned(),
        (Some(by), Some(own)) if *by == own => "the same request then succeeded".to_owned(),
        (Some(by), _) => format!("the retry {by} succeeded"),
    };
    let how = if recovered.text.is_empty() { String::new() } else { format!(" {}", recovered.text) };
    format!("It failed at first ({}), and {by}{how}.", recovered.class)
}

/// What the deciding event's rule looked at; for a recovery, the failure and the success.
fn evidence_of(decision: &Decision<'_>, events: &[StoredEvent]) -> Vec<Evidence> {
    let of = |event: &StoredEvent| -> Vec<Evidence> {
        let facts = event.map("evidence").into_iter();
        facts.map(|(field, value)| Evidence { event_id: event.event_id.clone(), field, value }).collect()
    };
    if let Some(event) = decision.deciding {
        return of(event);
    }
    let Some(recovered) = &decision.recovered else {
        return Vec::new();
    };
    let failed = events.iter().find(|event| event.event_id == recovered.event_id);
    let mut evidence: Vec<Evidence> = failed.map(of).unwrap_or_default();
    evidence.push(Evidence {
        event_id: recovered.by_event_id.clone(),
        field: "outcome".to_owned(),
        value: "success".to_owned(),
    });
    evidence
}
