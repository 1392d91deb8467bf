//! The classifier: which rule decides for an event.
//!
//! What counts as a failure, before any rule is asked:
//! - outcome `failure`, `denied`, `application_error`, `connect_required`, and every challenge: failed;
//! - outcome `success`, `input_required`, `cancelled`: failed only when the structure says so ([`contradicts_success`]),
//!   because some gateways report success for a 401; else nothing failed and no rule runs;
//! - no or an unknown outcome: the rules decide, and a text that ends with a success is none.
//!
//! A text is asked in parts ([`Part`]): the innermost cause alone, the cause around it, and, when these do not decide, the
//! whole; not at all when the same text was said lately. Where no rule decides, or only a weak one, what the text
//! resembles may ([`wording`]).

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::class::{Class, Confidence, WhoActs};
use super::condition::{Asked, Case, Condition};
use super::ends_well::{ends_well, recovers};
use super::explain::{Explanation, Fired};
use super::facts::{Facts, facts_of};
use super::hop::{hop_of, hop_of_class, hop_of_step, known_hop};
use super::part::Part;
use super::reading::Readings;
use super::rules::{Matched, Rule, Rules, RulesError, needed_patterns};
use super::text::Patterns;
use super::verdict::Verdict;
use super::wording;
use crate::event::{Event, EventKind, FieldId, Hop, Outcome};

/// The rules that come with the binary, in the order of precedence.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("01_first.toml", include_str!("rules.d/01_first.toml")),
    ("02_providers.toml", include_str!("rules.d/02_providers.toml")),
    ("03_provider_codes.toml", include_str!("rules.d/03_provider_codes.toml")),
    ("04_identity_and_organizations.toml", include_str!("rules.d/04_identity_and_organizations.toml")),
    ("05_permissions_and_decisions.toml", include_str!("rules.d/05_permissions_and_decisions.toml")),
    ("06_sessions_and_addresses.toml", include_str!("rules.d/06_sessions_and_addresses.toml")),
    ("07_network_and_authorization.toml", include_str!("rules.d/07_network_and_authorization.toml")),
    ("08_refresh_and_clients.toml", include_str!("rules.d/08_refresh_and_clients.toml")),
    ("09_registration_and_discovery.toml", include_str!("rules.d/09_registration_and_discovery.toml")),
    ("10_tokens.toml", include_str!("rules.d/10_tokens.toml")),
    ("11_protocol_and_servers.toml", include_str!("rules.d/11_protocol_and_servers.toml")),
    ("12_other_languages.toml", include_str!("rules.d/12_other_languages.toml")),
    ("13_what_is_left.toml", include_str!("rules.d/13_what_is_left.toml")),
    ("14_by_subject.toml", include_str!("rules.d/14_by_subject.toml")),
];

/// Decides what failed, by rules as data. Pure and cheap to share.
#[derive(Debug)]
pub struct Classifier {
    rules: Rules,
    readings: Readings,
}

/// What the outcome says before any rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Fine,
    Failed,
    Unclear,
}

impl Classifier {
    /// The classifier with the rules that come with the binary.
    ///
    /// # Errors
    /// Every fault of the embedded rules; a test keeps that list empty.
    pub fn embedded() -> Result<Self, RulesError> {
        Rules::load(EMBEDDED).map(|rules| Self { rules, readings: Readings::default() })
    }

    /// A classifier with these rules alone.
    ///
    /// # Errors
    /// Every fault of the file, with its line.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        Rules::load(&[("rules", text)]).map(|rules| Self { rules, readings: Readings::default() })
    }

    /// The classifier with the rules that come with the binary and an operator's own ones.
    ///
    /// # Errors
    /// Every fault of the file, with its line.
    pub fn with_own(name: &str, text: &str) -> Result<Self, RulesError> {
        Rules::load_with_own(EMBEDDED, name, text).map(|rules| Self { rules, readings: Readings::default() })
    }

    /// Version of the rules, stored with each verdict as `class_version`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.rules.version
    }

    /// Every rule in the order of precedence.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules.rules
    }

    /// The patterns of all rules.
    #[must_use]
    pub fn patterns(&self) -> &Patterns {
        &self.rules.patterns
    }

    /// What failed, on which hop, who has to act, and why we say so.
    #[must_use]
    pub fn classify<'r, 'e>(&'r self, event: &'e Event<'_>) -> Verdict<'r, 'e> {
        let sign = sign_of(event);
        if sign == Sign::Fine {
            return none(event);
        }
        let facts = facts_of(event, self.readings.of_event(event));
        let decided = self.decide(event, sign, &facts);
        match (self.by_resemblance(event, sign, &facts, decided.as_ref()), decided) {
            (Some(other), _) => other,
            (None, Some((_, verdict))) => verdict,
            (None, None) if sign == Sign::Unclear && has_nothing_to_say(event, &facts) => none(event),
            (None, None) => unclassified(event, &facts),
        }
    }

    /// The rule that decides, of the first part of the text that does, and its verdict.
    fn decide<'r, 'e>(
        &'r self,
        event: &'e Event<'_>,
        sign: Sign,
        facts: &Facts<'e>,
    ) -> Option<(&'r Rule, Verdict<'r, 'e>)> {
        let decided = self.ask_each_part(event, sign, facts, |part, case, matched| {
            let may_fire = |rule: &&Rule| part != Part::OverCauses || rule.over_causes;
            let first = self.rules.candidates(matched, facts).filter(may_fire).find(|rule| rule.when.holds(case));
            match first {
                Some(rule) if part.may_be_decided_by(rule) => {
                    ControlFlow::Break((rule, self.verdict(rule, case, matched)))
                }
                _ => ControlFlow::Continue(()),
            }
        });
        decided.break_value()
    }

    /// What the text resembles, where no rule decided, or one that is less sure of another class.
    fn by_resemblance<'e>(
        &self,
        event: &'e Event<'_>,
        sign: Sign,
        facts: &Facts<'e>,
        decided: Option<&(&Rule, Verdict<'_, '_>)>,
    ) -> Option<Verdict<'static, 'e>> {
        let may_differ = decided.is_none_or(|(rule, _)| rule.may_be_outweighed());
        let reading = facts.text.as_deref().filter(|_| self.rules.wording && may_differ)?;
        let told_hop = known_hop(event);
        let guess = reading.words().guess(facts, told_hop, sign == Sign::Unclear)?;
        let stands = |(_, by_rule): &(&Rule, Verdict<'_, '_>)| {
            by_rule.class == guess.class || !guess.outweighs(by_rule.confidence)
        };
        if decided.is_some_and(stands) {
            return None;
        }
        let hop = told_hop.unwrap_or_else(|| hop_of_class(guess.class, facts));
        let words = guess.words(&reading.unwrapped.text).into_iter();
        let mut evidence: Vec<_> =
            words.map(|word| (column_of_text(event, word), Cow::Owned(word.to_owned()))).collect();
        if evidence.is_empty() {
            evidence.push(("type", Cow::Borrowed(event.type_name.as_ref())));
        }
        Some(Verdict {
            class: guess.class,
            reason: None,
            hop,
            who_acts: self.rules.usually_acts(guess.class, hop),
            rule: wording::RULE,
            confidence: Confidence::Weak,
            evidence,
        })
    }

    /// Asks `judge` about each part of the text in turn until it breaks.
    fn ask_each_part<'e, B>(
        &self,
        event: &'e Event<'_>,
        sign: Sign,
        facts: &Facts<'e>,
        mut judge: impl FnMut(Part, &Case<'_, 'e, '_>, &Matched) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let reading = facts.text.as_deref();
        let recovers = sign == Sign::Unclear && reading.is_some_and(|reading| recovers(&reading.unwrapped.text));
        let parts = if recovers { &[Part::Whole][..] } else { &Part::ALL };
        for part in parts.iter().copied() {
            let asked = match (part, reading) {
                (Part::OverCauses, Some(reading)) => {
                    let is_wrapped = reading.unwrapped.inner(0).is_some() && self.rules.has_rules_over_causes;
                    is_wrapped.then(|| reading.whole(&self.rules))
                }
                (Part::Cause(depth), Some(reading)) => reading.inner(depth, &self.rules),
                (Part::Whole, Some(reading)) => Some(reading.whole(&self.rules)),
                (Part::Whole, None) => Some(("", self.rules.no_text())),
                (_, None) => None,
            };
            let Some((text, matched)) = asked else { continue };
            let ends_well = part == Part::Whole && sign == Sign::Unclear && reading.is_some() && ends_well(text);
            let whole = reading.map_or((text, matched), |reading| reading.whole(&self.rules));
            let asked = |(text, matched)| self.asked(text, matched);
            let case = Case { event, facts, asked: asked((text, matched)), anywhere: asked(whole), ends_well };
            judge(part, &case, matched)?;
        }
        ControlFlow::Continue(())
    }

    fn asked<'c>(&'c self, text: &'c str, matched: &'c Matched) -> Asked<'c> {
        Asked { text, matches: &matched.patterns, patterns: &self.rules.patterns }
    }

    fn verdict<'r, 'e>(&'r self, rule: &'r Rule, case: &Case<'_, 'e, '_>, matched: &Matched) -> Verdict<'r, 'e> {
        let hop = hop_of(rule, case.event, case.facts);
        let mut evidence = Vec::new();
        rule.when.add_evidence(case, &mut evidence);
        let first_pattern = needed_patterns(&rule.when)
            .and_then(|patterns| patterns.iter().find(|pattern| case.asked.matches(**pattern)));
        if let Some(span) = first_pattern.and_then(|pattern| self.rules.span(matched, *pattern, case.asked.text)) {
            evidence.push((column_of_text(case.event, span), Cow::Owned(span.to_owned())));
        }
        if evidence.is_empty() {
            // A rule that fires on what is absent: the step that lacks it is what there is to show.
            evidence.push(("type", Cow::Borrowed(case.event.type_name.as_ref())));
        }
        Verdict {
            class: rule.class,
            reason: rule.reason.as_deref(),
            hop,
            who_acts: if rule.class == Class::None { WhoActs::Nobody } else { self.rules.who_acts(rule, hop) },
            rule: &rule.id,
            confidence: match rule.confidence {
                // What only the words say of the step leaves another reading.
                Confidence::Certain if case.facts.step_is_said && asks_for_step(&rule.when) => Confidence::Likely,
                other => other,
            },
            evidence,
        }
    }

    /// Everything about an event that decided its verdict, for a person who asks why.
    #[must_use]
    pub fn explain<'r>(&'r self, event: &Event<'_>) -> Explanation<'r> {
        let verdict = self.classify(event).into_owned();
        let sign = sign_of(event);
        let facts = facts_of(event, self.readings.of_event(event));
        let mut fired = Vec::new();
        if sign != Sign::Fine {
            let mut is_decided = false;
            let _all_asked = self.ask_each_part(event, sign, &facts, |part, case, matched| {
                let holding = self.rules.candidates(matched, &facts).filter(|rule| rule.when.holds(case));
                for (place, rule) in holding.filter(|rule| part != Part::OverCauses || rule.over_causes).enumerate() {
                    let decides = !is_decided && place == 0 && part.may_be_decided_by(rule);
                    is_decided |= decides;
                    fired.push(Fired::new(&self.verdict(rule, case, matched), part, decides, is_decided || place > 0));
                }
                ControlFlow::<()>::Continue(())
            });
        }
        if verdict.rule == wording::RULE {
            fired.iter_mut().for_each(Fired::note_outweighed);
        }
        Explanation::new(verdict, sign.in_words(), &facts, fired)
    }
}

impl Sign {
    fn in_words(self) -> &'static str {
        match self {
            Self::Fine => "it reports a success, and nothing in its structure says otherwise",
            Self::Failed => "it reports a failure, or its structure says so",
            Self::Unclear => "it does not say whether it failed",
        }
    }
}

fn asks_for_step(condition: &Condition) -> bool {
    match condition {
        Condition::Step(_) => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_for_step),
        _ => false,
    }
}

fn sign_of(event: &Event<'_>) -> Sign {
    match event.outcome {
        Some(Outcome::Failure | Outcome::Denied | Outcome::ApplicationError | Outcome::ConnectRequired) => Sign::Failed,
        _ if event.kind == EventKind::Challenge => Sign::Failed,
        Some(Outcome::Success | Outcome::InputRequired | Outcome::Cancelled) => {
            if contradicts_success(event) {
                Sign::Failed
            } else {
                Sign::Fine
            }
        }
        Some(Outcome::Unknown) | None => Sign::Unclear,
    }
}

/// Whether the structure says failure whatever the outcome claims: an error status (of the other side only where the
/// reporter's own is unknown), a JSON-RPC or OAuth error, a token answer without a token (RFC 6749 §5.1).
fn contradicts_success(event: &Event<'_>) -> bool {
    let status = event.http_status.or(event.http_upstream_status);
    let no_token = matches!(event.kind, EventKind::Token | EventKind::Refresh)
        && event.oauth_params_received.as_ref().is_some_and(|names| !names.iter().any(|name| name == "access_token"));
    status.is_some_and(|status| status >= 400)
        || event.mcp_error_code.is_some()
        || event.oauth_error.is_some()
        || no_token
}

fn has_nothing_to_say(event: &Event<'_>, facts: &Facts<'_>) -> bool {
    !contradicts_success(event) && facts.text.is_none()
}

fn column_of_text(event: &Event<'_>, span: &str) -> &'static str {
    let described = event.oauth_error_description.as_deref().is_some_and(|text| text.contains(span));
    let field = if described || event.message.is_none() { FieldId::oauth_error_description } else { FieldId::message };
    field.column()
}

fn none<'e>(event: &Event<'_>) -> Verdict<'static, 'e> {
    Verdict {
        class: Class::None,
        reason: None,
        hop: known_hop(event).unwrap_or(Hop::Unknown),
        who_acts: WhoActs::Nobody,
        rule: "none",
        confidence: Confidence::Certain,
        evidence: Vec::new(),
    }
}

fn unclassified<'e>(event: &Event<'_>, facts: &Facts<'_>) -> Verdict<'static, 'e> {
    Verdict {
        class: Class::Unclassified,
        reason: None,
        hop: known_hop(event).unwrap_or_else(|| hop_of_step(facts.step)),
        who_acts: WhoActs::Unknown,
        rule: "unclassified",
        confidence: Confidence::Weak,
        evidence: Vec::new(),
    }
}

#[cfg(test)]
mod embedded_rules {
    #[test]
    fn the_embedded_rules_have_no_fault() {
        let loaded = super::Classifier::embedded();
        assert!(loaded.is_ok(), "{}", loaded.err().map(|e| e.to_string()).unwrap_or_default());
    }
}
