//! The seam to the words: the query knows what failed, the texts know how to say it.
//!
//! The composition root fills it with the texts of the classifier, which are data keyed by class, reason, audience,
//! gateway product and client; the query hands them the request's own values.

use serde::Serialize;
use utoipa::ToSchema;

use crate::classify::difference::Difference;
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
    /// `attributes.<key>` is a member of that map, `known_slug` a registered server whose name is like the slug.
    pub values: &'a dyn Fn(&str) -> Option<String>,
}

/// The texts of a verdict.
#[derive(Debug, Clone, Copy)]
pub struct VerdictTexts {
    /// One sentence: what happened.
    pub summary: fn(&TextInput<'_>) -> String,
    /// What the one who has to act should do, in plain words.
    pub fix: fn(&TextInput<'_>) -> String,
    /// What each of those concerned should do, who has to act first.
    pub fixes: fn(&TextInput<'_>) -> Vec<(WhoActs, String)>,
    /// Two URLs that should be the same and are not.
    pub difference: fn(&TextInput<'_>) -> Option<Difference>,
}

/// What one of those concerned should do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AudienceFix {
    /// To whom it is said.
    pub audience: String,
    /// What to do.
    pub text: String,
}

/// Two URLs that should be the same and are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UrlDifference {
    /// The one to be changed.
    pub left: MarkedUrl,
    /// What it should be.
    pub right: MarkedUrl,
}

/// A URL with the part in which it differs from another; characters, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarkedUrl {
    /// What it is: `registered`, `advertised`, `sent`, `expected`…
    pub what: String,
    /// The URL.
    pub url: String,
    /// First character that differs.
    pub differs_at: usize,
    /// How many characters differ; 0 when the other URL has more there.
    pub differs_length: usize,
}

impl From<Difference> for UrlDifference {
    fn from(difference: Difference) -> Self {
        let marked = |(what, url): (&str, String), differs_length| MarkedUrl {
            what: what.to_owned(),
            url,
            differs_at: difference.at,
            differs_length,
        };
        Self {
            left: marked(difference.left, difference.left_length),
            right: marked(difference.right, difference.right_length),
        }
    }
}

impl MarkedUrl {
    /// What stands before, in and behind the part that differs.
    #[must_use]
    pub fn parts(&self) -> (String, String, String) {
        let characters = |from: usize, length: usize| self.url.chars().skip(from).take(length).collect();
        let behind = self.differs_at + self.differs_length;
        (
            characters(0, self.differs_at),
            characters(self.differs_at, self.differs_length),
            characters(behind, usize::MAX),
        )
    }
}
