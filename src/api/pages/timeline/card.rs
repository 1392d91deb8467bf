//! The verdict card: what went wrong, who refused, who acts, what to do, how sure, and on what it rests.

use super::words;
use crate::query::texts;
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
    /// What to do, for whom, who has to act first; nothing when nothing failed.
    pub fixes: Vec<AudienceFix>,
    /// The two URLs that should be the same.
    pub difference: Vec<MarkedUrl>,
    /// What the other hop shows, what failed before: worth a sentence each.
    pub besides: Vec<String>,
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

/// What one of those concerned should do.
#[derive(Debug, PartialEq)]
pub struct AudienceFix {
    /// To whom it is said, in words.
    pub who: String,
    /// What to do.
    pub text: String,
    /// Whether they have to act.
    pub acts: bool,
}

/// A URL in three parts, the middle one differs from another URL.
#[derive(Debug, PartialEq)]
pub struct MarkedUrl {
    /// What it is.
    pub what: String,
    /// What both have.
    pub before: String,
    /// What differs; empty where the other URL has more.
    pub part: String,
    /// What both have again.
    pub behind: String,
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
            fixes: if failed { fixes(verdict) } else { Vec::new() },
            difference: verdict.difference.iter().flat_map(|pair| [marked(&pair.left), marked(&pair.right)]).collect(),
            besides: besides(verdict, events),
            hop: verdict.hop.as_deref().filter(|_| failed).map(words::hop),
            who: failed.then(|| words::who(&verdict.who_acts)),
            confidence: verdict.confidence.clone(),
            rule: failed.then(|| verdict.rule.clone()),
            evidence: evidence.collect(),
            recovered: recovered.map(|recovery| words::class(&recovery.class)),
        }
    }
}

fn fixes(verdict: &RequestVerdict) -> Vec<AudienceFix> {
    let each = verdict.fixes.iter().map(|fix| AudienceFix {
        who: words::who(&fix.audience),
        text: fix.text.clone(),
        acts: fix.audience == verdict.who_acts,
    });
    each.collect()
}

fn marked(url: &texts::MarkedUrl) -> MarkedUrl {
    let (before, part, behind) = url.parts();
    MarkedUrl { what: url.what.clone(), before, part, behind }
}

fn besides(verdict: &RequestVerdict, events: &[TimelineEntry]) -> Vec<String> {
    let number = |id: &str| events.iter().position(|event| event.event_id == id).map(|place| place + 1);
    let of_event = |id: &str| number(id).map(|number| format!(" (event {number})")).unwrap_or_default();
    let other = verdict.other_hop.as_ref().map(|other| format!("{}{}.", capital(&other.text), of_event(&other.event_id)));
    let earlier = verdict.earlier_failure.as_ref().map(|earlier| {
        let class = words::class(&earlier.class);
        format!("A step of this connection failed before: {class}{}.", of_event(&earlier.event_id))
    });
    other.into_iter().chain(earlier).collect()
}

/// The text with a capital at its start.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Card;
    use crate::classify::difference::Difference;
    use crate::query::texts::{AudienceFix, UrlDifference};
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
            fixes: vec![
                AudienceFix { audience: "end_user".into(), text: "Sign in.".into() },
                AudienceFix { audience: "server_owner".into(), text: "Look.".into() },
            ],
            difference: Difference::of(
                ("registered", "https://a.example".into()),
                ("advertised", "https://a.example/mcp".into()),
            )
            .map(UrlDifference::from),
            ..RequestVerdict::default()
        }
    }

    #[test]
    fn a_verdict_without_a_failure_names_nobody() {
        let card = Card::of(&verdict("none"), &[]);
        assert_eq!((card.tone, card.hop, card.who, card.rule), ("good", None, None, None));
        assert!(card.fixes.is_empty());
    }

    #[test]
    fn a_failure_is_told_in_words() {
        let card = Card::of(&verdict("refresh_failure"), &[]);
        assert_eq!((card.headline.as_str(), card.tone), ("The token could not be refreshed", "bad"));
        assert_eq!(card.reason.as_deref(), Some("reused race"));
        assert_eq!(card.hop.as_deref(), Some("Gateway → MCP server"));
        assert_eq!(card.who.as_deref(), Some("The person at the client"));
        assert_eq!(card.evidence[0].field, "oauth error");
        let fixes: Vec<(&str, bool)> = card.fixes.iter().map(|fix| (fix.who.as_str(), fix.acts)).collect();
        assert_eq!(fixes, [("The person at the client", true), ("Whoever runs the MCP server", false)]);
        let parts: Vec<&str> = card.difference.iter().map(|url| url.part.as_str()).collect();
        assert_eq!(parts, ["", "/mcp"]);
        assert_eq!(Card::of(&verdict("unclassified"), &[]).tone, "odd");
    }
}
