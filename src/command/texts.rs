//! Connects the verdict of a request with the words of the classifier.

use crate::classify::Failure;
use crate::classify::difference::difference_of;
use crate::event::Hop;
use crate::query::{TextInput, VerdictTexts};

/// The texts of the built-in codes.
#[must_use]
pub fn verdict_texts() -> VerdictTexts {
    VerdictTexts {
        summary: |input| failure_of(input).summary(input.who_acts),
        fix: |input| failure_of(input).fix(input.who_acts, input.who_acts),
        fixes: |input| failure_of(input).fixes(input.who_acts),
        difference: |input| difference_of(&failure_of(input)),
    }
}

fn failure_of<'a>(input: &TextInput<'a>) -> Failure<'a> {
    Failure {
        class: input.class,
        reason: input.reason,
        hop: input.hop.unwrap_or(Hop::Unknown),
        product: input.product,
        values: input.values,
    }
}
