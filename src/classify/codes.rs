//! The texts about each class, as data: title, meaning, how it looks, who acts, summary, fixes by audience.
//!
//! Read from `codes.toml`, which is part of the binary. [`super::fix`] fills the texts with an event's values.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::class::Class;
use crate::event::vocabulary::ClosedEnum;

/// All texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// What an audience is told in a class that has no text for it; `{actor}` is who has to act.
    pub handover: BTreeMap<String, String>,
    class: BTreeMap<String, ClassText>,
}

/// The texts about one class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassText {
    /// A few words.
    pub title: String,
    /// What happened, in a sentence.
    pub meaning: String,
    /// How it shows.
    pub looks: String,
    /// Who usually has to act, as the code of [`super::WhoActs`].
    pub who_acts: String,
    /// The clause of the one-line verdict, as variants.
    pub summary: Vec<String>,
    /// What to do, by audience.
    pub fix: Vec<Fix>,
}

/// What one audience has to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// Whom it is said to, as the code of [`super::WhoActs`].
    pub audience: String,
    /// Only for this reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// Only for this gateway product.
    #[serde(default)]
    pub product: Option<String>,
    /// Variants: the first whose placeholders are all known is used.
    pub text: Vec<String>,
}

#[expect(clippy::expect_used, reason = "part of the binary; the tests of this module read it")]
static EMBEDDED: LazyLock<Codes> =
    LazyLock::new(|| toml::from_str(include_str!("codes.toml")).expect("codes.toml is sound"));

impl Codes {
    /// The texts that come with the binary.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The texts about a class.
    #[must_use]
    pub fn of(&self, class: Class) -> Option<&ClassText> {
        self.class.get(class.as_str())
    }

    /// Every class with its texts, in the order of the vocabulary.
    pub fn all(&self) -> impl Iterator<Item = (Class, &ClassText)> {
        Class::KNOWN.iter().filter_map(|class| Some((*class, self.of(*class)?)))
    }
}

impl ClassText {
    /// The fix that fits best: for this reason and product, for this product, for this reason, or for all.
    #[must_use]
    pub fn fix_for(&self, audience: &str, reason: Option<&str>, product: Option<&str>) -> Option<&Fix> {
        let fits = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given.is_some_and(|given| given.eq_ignore_ascii_case(wanted)))
        };
        let narrowness = |fix: &&Fix| usize::from(fix.product.is_some()) * 2 + usize::from(fix.reason.is_some());
        let fitting = self
            .fix
            .iter()
            .filter(|fix| fix.audience == audience && fits(&fix.reason, reason) && fits(&fix.product, product));
        fitting.max_by_key(narrowness)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClosedEnum, Codes};
    use crate::classify::class::{Class, WhoActs};
    use crate::classify::fix::{DERIVED, placeholders};
    use crate::event::FieldId;

    #[test]
    fn every_class_has_its_texts_and_no_other_has() {
        let codes = Codes::embedded();
        assert_eq!(codes.class.len(), Class::KNOWN.len());
        for class in Class::KNOWN {
            let text = codes.of(*class).unwrap_or_else(|| panic!("{} has no text", class.as_str()));
            assert!(!text.title.is_empty() && !text.meaning.is_empty() && !text.looks.is_empty());
            assert_ne!(WhoActs::parse(&text.who_acts), WhoActs::Unknown, "{}", class.as_str());
            assert!(text.fix_for(&text.who_acts, None, None).is_some(), "{}: no fix for who acts", class.as_str());
        }
        assert_eq!(codes.handover.len(), WhoActs::KNOWN.len());
    }

    #[test]
    fn every_text_has_a_last_variant_without_a_hole_and_only_known_placeholders() {
        for (class, text) in Codes::embedded().all() {
            let fixes = text.fix.iter().map(|fix| {
                assert_ne!(WhoActs::parse(&fix.audience), WhoActs::Unknown, "{}", class.as_str());
                &fix.text
            });
            for variants in fixes.chain([&text.summary]) {
                let last = variants.last().expect("at least one variant");
                assert_eq!(placeholders(last).count(), 0, "{}: {last}", class.as_str());
                for name in variants.iter().flat_map(|variant| placeholders(variant)) {
                    let known = FieldId::from_column(name).is_some() || DERIVED.contains(&name);
                    assert!(known, "{}: unknown placeholder {name}", class.as_str());
                }
            }
        }
    }
}
