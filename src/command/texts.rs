//! Connects the verdict of a request with the words of the classifier.

use crate::classify::{fix_text, summary_text};
use crate::event::Hop;
use crate::query::VerdictTexts;

/// The texts of the built-in codes.
#[must_use]
pub fn verdict_texts() -> VerdictTexts {
    VerdictTexts {
        summary: |input| summary_text(input.class, input.hop.unwrap_or(Hop::Unknown), input.who_acts, input.values),
        fix: |input| fix_text(input.class, input.reason, input.who_acts, input.product, input.values),
    }
}
