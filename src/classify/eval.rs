//! Measures the classifier with labelled messages: accuracy, precision and recall, confusion, calibration, misses.
//!
//! An entry is right when its class or one of `also_accept` is answered, or when it is undecidable from its text and the
//! answer is `unclassified`. Pure; reading the file and printing are the command's.

use std::collections::BTreeMap;

use serde::Serialize;

use super::class::Class;
use super::classifier::Classifier;
use super::labelled::Entry;
use super::text_case::{Phase, TextCase};
use super::verdict::Verdict;
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// What the measurement found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of the rules that were measured.
    pub version: String,
    /// Entries.
    pub entries: usize,
    /// Entries answered right.
    pub right: usize,
    /// `right` ÷ `entries`; 0 without entries.
    pub accuracy: f64,
    /// The hop, over the entries that name one.
    pub hop: HopReport,
    /// The entries that are no failure.
    pub no_failure: NoFailureReport,
    /// Per class.
    pub classes: Vec<ClassReport>,
    /// Per confidence: how often it is right.
    pub calibration: Vec<CalibrationReport>,
    /// How often one class was answered for another.
    pub confusion: Vec<Confusion>,
    /// Every entry answered wrong.
    pub misses: Vec<Miss>,
}

/// How often the hop is right.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HopReport {
    /// Entries that name a hop.
    pub named: usize,
    /// Right when the classifier is told the hop, as the entry tells it.
    pub right_when_told: usize,
    /// Right when the hop is kept from it.
    pub right_when_not_told: usize,
}

/// How often an entry that is no failure was not called one.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct NoFailureReport {
    /// Entries that are no failure.
    pub entries: usize,
    /// Of them not called one.
    pub right: usize,
}

/// Precision and recall of one class; `None` where the divisor is 0.
#[derive(Debug, Clone, Serialize)]
pub struct ClassReport {
    /// The class.
    pub class: String,
    /// Entries of this class.
    pub expected: usize,
    /// Answers of this class.
    pub answered: usize,
    /// Answers of this class that are right ÷ answers.
    pub precision: Option<f64>,
    /// Entries of this class answered right ÷ entries.
    pub recall: Option<f64>,
}

/// How often a confidence is right.
#[derive(Debug, Clone, Serialize)]
pub struct CalibrationReport {
    /// The confidence.
    pub confidence: &'static str,
    /// Answers with it.
    pub answered: usize,
    /// Of them right.
    pub right: usize,
}

/// One cell of the confusion table.
#[derive(Debug, Clone, Serialize)]
pub struct Confusion {
    /// The right class.
    pub expected: String,
    /// The answer.
    pub answered: String,
    /// How often.
    pub count: usize,
}

/// One entry answered wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Miss {
    /// Name of the entry.
    pub id: Option<String>,
    /// The right class.
    pub expected: String,
    /// The answer.
    pub answered: &'static str,
    /// The rule that decided.
    pub rule: String,
    /// How sure it was.
    pub confidence: &'static str,
    /// The beginning of the message.
    pub message: String,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    expected: usize,
    expected_right: usize,
    answered: usize,
    answered_right: usize,
}

impl Entry {
    /// The message as a case; `hop` as given or kept unknown.
    #[must_use]
    pub fn as_case(&self, hop: Hop) -> TextCase {
        TextCase {
            message: self.message.clone(),
            http_status: self.http_status,
            oauth_error: self.oauth_error.clone(),
            phase: self.phase.as_deref().map_or(Phase::Unknown, Phase::parse),
            hop,
        }
    }

    /// The hop the entry names.
    #[must_use]
    pub fn named_hop(&self) -> Hop {
        self.hop.as_deref().map_or(Hop::Unknown, Hop::parse)
    }

    fn accepts(&self, answer: &str) -> bool {
        answer == self.class
            || self.also_accept.iter().any(|class| class == answer)
            || (self.undecidable_from_text && answer == "unclassified")
    }
}

/// Classifies every entry and counts.
#[must_use]
pub fn evaluate(classifier: &Classifier, entries: &[Entry]) -> Report {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut by_confidence: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    let mut cells: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    let mut hop = HopReport::default();
    let mut no_failure = NoFailureReport::default();
    let mut misses = Vec::new();
    for entry in entries {
        let named_hop = entry.named_hop();
        let verdict = classifier.classify_text(&entry.as_case(named_hop));
        let answer = verdict.class.as_str();
        let is_right = entry.accepts(answer);
        if entry.class == Class::None.as_str() {
            no_failure.entries += 1;
            no_failure.right += usize::from(is_right);
        }
        count(tallies.entry(&entry.class).or_default(), tallies_answer(is_right, true));
        count(tallies.entry(answer).or_default(), tallies_answer(is_right, false));
        let confidence = by_confidence.entry(verdict.confidence.as_str()).or_default();
        confidence.0 += 1;
        confidence.1 += usize::from(is_right);
        if named_hop != Hop::Unknown {
            hop.named += 1;
            hop.right_when_told += usize::from(verdict.hop == named_hop);
            let untold = classifier.classify_text(&entry.as_case(Hop::Unknown));
            hop.right_when_not_told += usize::from(untold.hop == named_hop);
        }
        if !is_right {
            *cells.entry((&entry.class, answer)).or_default() += 1;
            misses.push(miss(entry, &verdict));
        }
    }
    let right = entries.len() - misses.len();
    Report {
        version: classifier.version().to_owned(),
        entries: entries.len(),
        right,
        accuracy: share(right, entries.len()).unwrap_or(0.0),
        hop,
        no_failure,
        classes: tallies.into_iter().map(|(class, tally)| class_report(class, tally)).collect(),
        calibration: by_confidence
            .into_iter()
            .map(|(confidence, (answered, right))| CalibrationReport { confidence, answered, right })
            .collect(),
        confusion: cells
            .into_iter()
            .map(|((expected, answered), count)| Confusion {
                expected: expected.to_owned(),
                answered: answered.to_owned(),
                count,
            })
            .collect(),
        misses,
    }
}

/// One entry's contribution to the tally of its class (`expected`) or of the answer's.
fn tallies_answer(is_right: bool, expected: bool) -> Tally {
    let right = usize::from(is_right);
    if expected {
        Tally { expected: 1, expected_right: right, ..Tally::default() }
    } else {
        Tally { answered: 1, answered_right: right, ..Tally::default() }
    }
}

fn count(sum: &mut Tally, one: Tally) {
    sum.expected += one.expected;
    sum.expected_right += one.expected_right;
    sum.answered += one.answered;
    sum.answered_right += one.answered_right;
}

fn class_report(class: &str, tally: Tally) -> ClassReport {
    ClassReport {
        class: class.to_owned(),
        expected: tally.expected,
        answered: tally.answered,
        precision: share(tally.answered_right, tally.answered),
        recall: share(tally.expected_right, tally.expected),
    }
}

/// Counts here are far below 2⁵³, so the conversion is exact.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn miss(entry: &Entry, verdict: &Verdict<'_, '_>) -> Miss {
    const LONGEST_EXCERPT: usize = 160;
    Miss {
        id: entry.id.clone(),
        expected: entry.class.clone(),
        answered: verdict.class.as_str(),
        rule: verdict.rule.to_owned(),
        confidence: verdict.confidence.as_str(),
        message: entry.message.chars().take(LONGEST_EXCERPT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, evaluate};
    use crate::classify::testing::CLASSIFIER;

    fn entry(class: &str, message: &str, also: &[&str], undecidable: bool) -> Entry {
        Entry {
            id: None,
            message: message.to_owned(),
            http_status: None,
            oauth_error: None,
            phase: Some("mcp_request".to_owned()),
            hop: Some("downstream".to_owned()),
            class: class.to_owned(),
            also_accept: also.iter().map(|class| (*class).to_owned()).collect(),
            undecidable_from_text: undecidable,
        }
    }

    #[test]
    fn right_wrong_accepted_and_undecidable_are_counted() {
        let entries = [
            entry("rate_limited", "429 too many requests", &[], false),
            entry("forbidden", "429 too many requests", &["rate_limited"], false),
            entry("forbidden", "xyzzy", &[], true),
            entry("forbidden", "429 too many requests", &[], false),
        ];
        let report = evaluate(&CLASSIFIER, &entries);
        assert_eq!((report.entries, report.right), (4, 3));
        assert_eq!(report.misses.len(), 1);
        assert_eq!(report.confusion[0].answered, "rate_limited");
        assert_eq!((report.hop.named, report.hop.right_when_told), (4, 4));
        let limited = report.classes.iter().find(|class| class.class == "rate_limited").expect("counted");
        assert_eq!((limited.expected, limited.answered), (1, 3));
        assert_eq!(limited.recall, Some(1.0));
    }
}
