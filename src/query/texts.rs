//! The seam to the words: the query knows what failed, the texts know how to say it.
//!
//! The composition root fills it with the texts of the classifier, which are data keyed by class, audience and gateway
//! product; the query hands them the request's own values.

use crate::classify::{Class, WhoActs};
use crate::event::Hop;

/// What a text may speak about.
pub struct TextInput<'a> {
    /// What failed; [`Class::None`] when nothing did in the end.
    pub class: Class,
    /// Finer than the class.
    pub reason: Option<&'a str>,
    /// The hop that refused; `None` when nothing failed.
    pub hop: Option<Hop>,
    /// Who has to act.
    pub who_acts: WhoActs,
    /// Product of the gateway, where it is known.
    pub product: Option<&'a str>,
    /// The request's own value of a column: of the event that decided, else of the nearest that knows it.
    pub values: &'a dyn Fn(&str) -> Option<String>,
}

/// The two texts of a verdict.
#[derive(Debug, Clone, Copy)]
pub struct VerdictTexts {
    /// One sentence: what happened.
    pub summary: fn(&TextInput<'_>) -> String,
    /// What to do, in plain words.
    pub fix: fn(&TextInput<'_>) -> String,
}
