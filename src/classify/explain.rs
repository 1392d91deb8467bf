//! Why an event has its verdict: what was read of it, which rules fired for which part of its text, which one decided.

use std::fmt::{self, Display};

use serde::Serialize;

use super::facts::Facts;
use super::part::Part;
use super::unwrap::LAYERS;
use super::urls::{Difference, compare, first_two};
use super::verdict::Verdict;
use crate::event::vocabulary::ClosedEnum;

const DECIDES: &str = "decides: the first rule that holds for the first part that decides";

/// Everything that decided a verdict.
#[derive(Debug, Serialize)]
pub struct Explanation<'r> {
    /// The verdict itself.
    #[serde(skip)]
    pub verdict: Verdict<'r, 'static>,
    /// What the outcome says before any rule is asked.
    pub outcome: &'static str,
    /// What was read.
    pub facts: FactsRead,
    /// The rules whose condition held, in the order they were asked; at most one of them decided.
    pub fired: Vec<Fired>,
}

/// What was read of an event.
#[derive(Debug, Serialize)]
pub struct FactsRead {
    /// The step that failed.
    pub step: &'static str,
    /// Whether the text named the step, and not the event's type.
    pub step_is_said: bool,
    /// OAuth code and the column it came from.
    pub code: Option<(String, &'static str)>,
    /// HTTP status and the column it came from.
    pub status: Option<(u16, &'static str)>,
    /// JSON-RPC code and the column it came from.
    pub rpc_code: Option<(i64, &'static str)>,
    /// The first two URLs of the text and how they differ.
    pub urls: Option<(String, String, &'static str)>,
    /// The text without its wrapping.
    pub text: Option<String>,
    /// Its inner causes, the innermost first.
    pub causes: Vec<String>,
}

/// A rule whose condition held.
#[derive(Debug, Serialize)]
pub struct Fired {
    /// Id of the rule.
    pub rule: String,
    /// Its class.
    pub class: &'static str,
    /// How sure it is.
    pub confidence: &'static str,
    /// The part of the text it was asked about.
    pub part: &'static str,
    /// Why it decided or did not.
    pub why: &'static str,
    /// What it looked at.
    pub evidence: Vec<(&'static str, String)>,
}

impl Fired {
    /// A rule that held for a part of the text; whether it decides, and whether another one comes first.
    #[must_use]
    pub fn new(verdict: &Verdict<'_, '_>, part: Part, decides: bool, is_behind: bool) -> Self {
        let why = match (decides, is_behind) {
            (true, _) => DECIDES,
            (false, true) => "stands behind one that comes first",
            (false, false) => "too weak to decide by a part of the text; more of it is asked",
        };
        Self {
            rule: verdict.rule.to_owned(),
            class: verdict.class.as_str(),
            confidence: verdict.confidence.as_str(),
            part: match part {
                Part::OverCauses => "the whole text, before its causes",
                Part::Cause(0) => "the innermost cause",
                Part::Cause(_) => "the cause around it",
                Part::Whole => "the whole",
            },
            why,
            evidence: verdict.evidence.iter().map(|(column, value)| (*column, value.to_string())).collect(),
        }
    }

    /// Notes that what the text resembles counted more than the rule that would have decided.
    pub fn note_outweighed(&mut self) {
        if self.why == DECIDES {
            self.why = "would decide, but the words resemble those of another class by far more";
        }
    }
}

impl<'r> Explanation<'r> {
    /// Puts together what decided `verdict`.
    #[must_use]
    pub fn new(verdict: Verdict<'r, 'static>, outcome: &'static str, facts: &Facts<'_>, fired: Vec<Fired>) -> Self {
        let unwrapped = facts.text.as_ref().map(|reading| &reading.unwrapped);
        let urls = unwrapped.and_then(|unwrapped| {
            let (left, right) = first_two(&unwrapped.text)?;
            Some((left.to_owned(), right.to_owned(), name_of(compare(left, right)?)))
        });
        let facts = FactsRead {
            step: facts.step.as_str(),
            step_is_said: facts.step_is_said,
            code: facts.code.as_ref().map(|code| (code.value.to_string(), code.from.column())),
            status: facts.status.as_ref().map(|status| (status.value, status.from.column())),
            rpc_code: facts.rpc_code.as_ref().map(|code| (code.value, code.from.column())),
            urls,
            text: unwrapped.map(|unwrapped| unwrapped.text.clone()),
            causes: (0..LAYERS).filter_map(|depth| Some(unwrapped?.inner(depth)?.to_owned())).collect(),
        };
        Self { verdict, outcome, facts, fired }
    }
}

fn name_of(difference: Difference) -> &'static str {
    Difference::NAMES.iter().find(|(_, known)| *known == difference).map_or("unknown", |(name, _)| name)
}

impl Display for Explanation<'_> {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, outcome, facts, fired } = self;
        let (class, reason) = (verdict.class.as_str(), verdict.reason.unwrap_or("–"));
        writeln!(output, "{class} (reason {reason}, {}) by rule {}", verdict.confidence.as_str(), verdict.rule)?;
        writeln!(output, "hop {}, who acts {}", verdict.hop.as_str(), verdict.who_acts.as_str())?;
        writeln!(output, "outcome: {outcome}")?;
        let said = if facts.step_is_said { " (its text names it)" } else { "" };
        writeln!(output, "step: {}{said}", facts.step)?;
        write_fact(output, "code", facts.code.as_ref())?;
        write_fact(output, "status", facts.status.as_ref())?;
        write_fact(output, "JSON-RPC code", facts.rpc_code.as_ref())?;
        if let Some((left, right, difference)) = &facts.urls {
            writeln!(output, "URLs: {left} and {right} differ in {difference}")?;
        }
        if let Some(text) = &facts.text {
            writeln!(output, "text: {}", excerpt(text))?;
        }
        for cause in &facts.causes {
            writeln!(output, "cause: {}", excerpt(cause))?;
        }
        if fired.is_empty() {
            writeln!(output, "no rule was asked or held")?;
        }
        for (number, rule) in fired.iter().enumerate() {
            let evidence: Vec<String> =
                rule.evidence.iter().map(|(column, value)| format!("{column}={:?}", excerpt(value))).collect();
            writeln!(
                output,
                "{}. {} → {} ({}), asked about {}: {}; {}",
                number + 1,
                rule.rule,
                rule.class,
                rule.confidence,
                rule.part,
                rule.why,
                evidence.join(", ")
            )?;
        }
        Ok(())
    }
}

fn write_fact<T: Display>(output: &mut fmt::Formatter<'_>, name: &str, fact: Option<&(T, &str)>) -> fmt::Result {
    match fact {
        Some((value, from)) => writeln!(output, "{name}: {value} (from {from})"),
        None => Ok(()),
    }
}

fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().take(LONGEST).filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use crate::classify::testing::{CLASSIFIER, failed};
    use crate::classify::{Class, Phase, TextCase};
    use crate::event::Hop;

    #[test]
    fn the_rule_that_decides_is_the_verdicts_and_the_others_say_why_not() {
        let case =
            TextCase { phase: Phase::Token, ..TextCase::of("exchange failed: 429 too many requests, unauthorized") };
        let explanation = CLASSIFIER.explain(&case.as_event());
        let deciding: Vec<_> = explanation.fired.iter().filter(|rule| rule.why.starts_with("decides")).collect();
        assert_eq!(deciding.len(), 1, "{explanation}");
        assert_eq!(deciding[0].rule, explanation.verdict.rule);
        assert!(explanation.fired.len() > 1, "{explanation}");
        assert_eq!(explanation.facts.status, Some((429, "message")));
        assert_eq!(explanation.facts.causes, ["429 too many requests, unauthorized"]);
        assert_eq!(explanation.verdict, CLASSIFIER.classify_text(&case));
    }

    #[test]
    fn a_pair_of_urls_and_a_said_step_are_shown() {
        let text = "token refresh failed; resource https://a.example does not match expected https://a.example/mcp";
        let explanation = CLASSIFIER.explain(&TextCase::of(text).as_event());
        let shown = explanation.to_string();
        assert!(shown.contains("step: refresh (its text names it)"), "{shown}");
        assert!(shown.contains("differ in path"), "{shown}");
    }

    #[test]
    fn a_success_has_no_rule_to_show() {
        let mut event = failed("mcp.auth.token", Hop::Upstream, |_| {});
        event.outcome = Some(crate::event::Outcome::Success);
        let explanation = CLASSIFIER.explain(&event);
        assert_eq!(explanation.verdict.class, Class::None);
        assert!(explanation.fired.is_empty());
    }
}
