//! The parts of a text that the rules are asked about one after the other, the causes before what wraps them.

use super::class::{Class, Confidence};
use super::rules::{Rule, needed_patterns};

/// A part of the text that the rules are asked about, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole text, by the rules that outrank every cause.
    OverCauses,
    /// A cause without what wraps it: the innermost (0), the one around it (1).
    Cause(usize),
    /// The whole text.
    Whole,
}

impl Part {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::OverCauses, Self::Cause(0), Self::Cause(1), Self::Whole];

    /// Whether the rule that fires first for this part decides: a part of a text only by its words or by structure that
    /// leaves no doubt, because what wraps it may say more.
    #[must_use]
    pub fn may_be_decided_by(self, rule: &Rule) -> bool {
        match self {
            Self::OverCauses | Self::Whole => true,
            Self::Cause(_) => {
                let by_its_words = needed_patterns(&rule.when).is_some() && rule.confidence != Confidence::Weak;
                // That nothing failed is for the whole to say.
                rule.class != Class::None && (by_its_words || rule.confidence == Confidence::Certain)
            }
        }
    }
}
