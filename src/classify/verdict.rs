//! What classification answers for one event.

use std::borrow::Cow;

use super::class::{Class, Confidence, WhoActs};
use crate::event::Hop;

/// The answer for one event; names borrow from the rules (`'r`), values from the event (`'e`).
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'r, 'e> {
    /// What went wrong; [`Class::None`] when nothing did.
    pub class: Class,
    /// Finer than the class, free to grow.
    pub reason: Option<&'r str>,
    /// The hop that refused.
    pub hop: Hop,
    /// Who has to act.
    pub who_acts: WhoActs,
    /// Id of the rule that decided; `none` and `unclassified` for the two answers without a rule.
    pub rule: &'r str,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// What the rule looked at: (column name of the field, its value or the span of the text that matched).
    pub evidence: Vec<(&'static str, Cow<'e, str>)>,
}

impl<'r> Verdict<'r, '_> {
    /// The verdict with its evidence copied, so that it outlives the event.
    #[must_use]
    pub fn into_owned(self) -> Verdict<'r, 'static> {
        let evidence =
            self.evidence.into_iter().map(|(column, value)| (column, Cow::Owned(value.into_owned()))).collect();
        Verdict {
            class: self.class,
            reason: self.reason,
            hop: self.hop,
            who_acts: self.who_acts,
            rule: self.rule,
            confidence: self.confidence,
            evidence,
        }
    }
}
