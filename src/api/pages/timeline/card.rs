//! The verdict card: what went wrong, who refused, who acts, what to do, how sure, and on what it rests.

use super::words;
use crate::query::timeline::{RequestVerdict, TimelineEntry};

/// The verdict, ready to be shown.
#[derive(Debug, PartialEq)]
pub struct Card {
    /// The class in words.
    pub headline: String,
    /// The class itself.
    pub class: String,
    /// The finer reason.
    pub reason: Option<String>,
    /// `good` when nothing failed, `odd` when no rule explains it, else `bad`.
    pub tone: &'static str,
    /// What happened, in a sentence.
    pub summary: String,
    /// What to do; nothing when nobody has to do anything.
    pub fix: Option<String>,
    /// The hop that refused, in words.
    pub hop: Option<String>,
    /// Who has to act, in words.
    pub who: Option<String>,
    /// `certain`, `likely`, `weak`.
    pub confidence: String,
    /// Id of the rule that decided.
    pub rule: Option<String>,
    /// What the rule looked at.
    pub evidence: Vec<Evidence>,
    /// What failed at first and was made up for.
    pub recovered: Option<String>,
}

/// One thing a rule looked at.
#[derive(Debug, PartialEq)]
pub struct Evidence {
    /// Number of the event in the table, from 1; unknown when it is not drawn.
    pub number: Option<usize>,
    /// The member, in words.
    pub field: String,
    /// Its value.
    pub value: String,
}

impl Card {
    /// The card of a verdict over these events.
    pub fn of(verdict: &RequestVerdict, events: &[TimelineEntry]) -> Self {
        let failed = verdict.class != "none";
        let evidence = verdict.evidence.iter().map(|item| Evidence {
            number: events.iter().position(|event| event.event_id == item.event_id).map(|place| place + 1),
            field: words::spaced(&item.field),
            value: item.value.clone(),
        });
        let recovered = verdict.recovered.as_ref();
        Self {
            headline: words::class(&verdict.class),
            class: verdict.class.clone(),
            reason: verdict.reason.as_deref().map(words::spaced),
            tone: match verdict.class.as_str() {
                "none" => "good",
                "unclassified" => "odd",
                _ => "bad",
            },
            summary: verdict.summary.clone(),
            fix: Some(verdict.fix.clone()).filter(|fix| failed && !fix.is_empty()),
            hop: verdict.hop.as_deref().filter(|_| failed).map(words::hop),
            who: failed.then(|| words::who(&verdict.who_acts)),
            confidence: verdict.confidence.clone(),
            rule: failed.then(|| verdict.rule.clone()),
            evidence: evidence.collect(),
            recovered: recovered.map(|recovery| words::class(&recovery.class)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Card;
    use crate::query::timeline::{Evidence, RequestVerdict};

    fn verdict(class: &str) -> RequestVerdict {
        RequestVerdict {
            class: class.into(),
            reason: Some("reused_race".into()),
            hop: Some("upstream".into()),
            who_acts: "end_user".into(),
            rule: "refresh-grant".into(),
            confidence: "likely".into(),
            summary: "It happened.".into(),
            fix: "Do this.".into(),
            evidence: vec![Evidence {
                event_id: "e1".into(),
                field: "oauth_error".into(),
                value: "invalid_grant".into(),
            }],
            event_id: Some("e1".into()),
            recovered: None,
        }
    }

    #[test]
    fn a_verdict_without_a_failure_names_nobody() {
        let card = Card::of(&verdict("none"), &[]);
        assert_eq!((card.tone, card.hop, card.who, card.rule, card.fix), ("good", None, None, None, None));
    }

    #[test]
    fn a_failure_is_told_in_words() {
        let card = Card::of(&verdict("refresh_failure"), &[]);
        assert_eq!((card.headline.as_str(), card.tone), ("The token could not be refreshed", "bad"));
        assert_eq!(card.reason.as_deref(), Some("reused race"));
        assert_eq!(card.hop.as_deref(), Some("Gateway → MCP server"));
        assert_eq!(card.who.as_deref(), Some("The person at the client"));
        assert_eq!(card.evidence[0].field, "oauth error");
        assert_eq!(Card::of(&verdict("unclassified"), &[]).tone, "odd");
    }
}
