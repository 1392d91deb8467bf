//! The texts about each class, as data: title, meaning, how it looks, who acts, summary, sources, fixes by audience.
//!
//! Read from `codes.d/*.toml`, which are part of the binary. [`super::fix`] chooses among the fixes and fills them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use super::class::Class;
use crate::event::vocabulary::ClosedEnum;

/// All texts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// What an audience is told in a class that has no text for it; `{actor}` is who has to act.
    #[serde(default)]
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
    /// Sections of specifications: `RFC 6749 §5.2`, `MCP <revision> <page> #<heading>`.
    pub sources: Vec<String>,
    /// What each reason says.
    #[serde(default)]
    pub reasons: BTreeMap<String, String>,
    /// What to do, by audience.
    pub fix: Vec<Fix>,
}

/// What one audience has to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// Whom it is said to, as the code of [`super::WhoActs`].
    pub audience: String,
    /// Only for these reasons; for every one when empty.
    #[serde(default)]
    pub reason: Few,
    /// Only for this gateway product.
    #[serde(default)]
    pub product: Option<String>,
    /// Only where these columns have one of these values; `hop` is the hop that refused.
    #[serde(default)]
    pub when: BTreeMap<String, Few>,
    /// Variants: the first whose placeholders are all known is used.
    pub text: Vec<String>,
}

/// One name or several; written as a text or a list of texts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Few(pub Vec<String>);

impl<'de> Deserialize<'de> for Few {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(name) => Self(vec![name]),
            OneOrMany::Many(names) => Self(names),
        })
    }
}

const FILES: [&str; 4] = [
    include_str!("codes.d/01_access.toml"),
    include_str!("codes.d/02_set_up.toml"),
    include_str!("codes.d/03_sign_in.toml"),
    include_str!("codes.d/04_calls.toml"),
];

#[expect(clippy::expect_used, reason = "part of the binary; the tests of this module read it")]
static EMBEDDED: LazyLock<Codes> = LazyLock::new(|| {
    let mut all = Codes::default();
    for file in FILES {
        let part: Codes = toml::from_str(file).expect("codes.d is sound");
        all.handover.extend(part.handover);
        all.class.extend(part.class);
    }
    all
});

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

impl Fix {
    /// Whether it is said about a failure of this reason and product; `known` gives the value of a column.
    #[must_use]
    pub fn fits(&self, reason: Option<&str>, product: Option<&str>, known: impl Fn(&str) -> Option<String>) -> bool {
        let is_one_of = |few: &Few, value: Option<&str>| {
            few.0.is_empty() || value.is_some_and(|value| few.0.iter().any(|name| name.eq_ignore_ascii_case(value)))
        };
        let of_product = self
            .product
            .as_deref()
            .is_none_or(|wanted| product.is_some_and(|product| product.eq_ignore_ascii_case(wanted)));
        of_product
            && is_one_of(&self.reason, reason)
            && self.when.iter().all(|(column, values)| is_one_of(values, known(column).as_deref()))
    }

    /// How narrow it is: product before reason before the number of columns.
    #[must_use]
    pub fn narrowness(&self) -> (bool, bool, usize) {
        (self.product.is_some(), !self.reason.0.is_empty(), self.when.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{ClosedEnum, Codes, FILES};
    use crate::classify::class::{Class, WhoActs};
    use crate::classify::derived::{ALWAYS_KNOWN, DERIVED};
    use crate::classify::fix::placeholders;
    use crate::event::FieldId;

    #[test]
    fn every_class_has_its_texts_once_and_no_other_has() {
        let codes = Codes::embedded();
        let listed: usize = FILES.iter().map(|file| file.matches("\n[class.").count()).sum();
        let with_reasons = codes.class.values().filter(|text| !text.reasons.is_empty()).count();
        assert_eq!(listed - with_reasons, Class::KNOWN.len(), "a class is in two files");
        assert_eq!(codes.class.len(), Class::KNOWN.len());
        for class in Class::KNOWN {
            let text = codes.of(*class).unwrap_or_else(|| panic!("{} has no text", class.as_str()));
            assert!(!text.title.is_empty() && !text.meaning.is_empty() && !text.looks.is_empty());
            assert_ne!(WhoActs::parse(&text.who_acts), WhoActs::Unknown, "{}", class.as_str());
            assert!(!text.sources.is_empty(), "{} has no source", class.as_str());
        }
        assert_eq!(codes.handover.len(), WhoActs::KNOWN.len());
    }

    #[test]
    fn every_text_has_a_last_variant_that_can_always_be_filled_and_only_known_placeholders() {
        for (class, text) in Codes::embedded().all() {
            let class = class.as_str();
            let fixes = text.fix.iter().map(|fix| &fix.text);
            for variants in fixes.chain([&text.summary]) {
                let last = variants.last().expect("at least one variant");
                let holes: Vec<&str> = placeholders(last).filter(|name| !ALWAYS_KNOWN.contains(name)).collect();
                assert!(holes.is_empty(), "{class}: {holes:?} in the last variant: {last}");
                for name in variants.iter().flat_map(|variant| placeholders(variant)) {
                    let known =
                        FieldId::from_column(name).is_some() || DERIVED.contains(&name) || ALWAYS_KNOWN.contains(&name);
                    assert!(known, "{class}: unknown placeholder {name}");
                }
            }
        }
    }

    #[test]
    fn fixes_name_only_audiences_columns_and_reasons_that_exist() {
        for (class, text) in Codes::embedded().all() {
            let class = class.as_str();
            let mut keys = std::collections::BTreeSet::new();
            for fix in &text.fix {
                assert_ne!(WhoActs::parse(&fix.audience), WhoActs::Unknown, "{class}: {}", fix.audience);
                for column in fix.when.keys() {
                    assert!(FieldId::from_column(column).is_some(), "{class}: {column} is no column");
                }
                for reason in &fix.reason.0 {
                    assert!(text.reasons.contains_key(reason), "{class}: the reason {reason} is not explained");
                }
                let key = format!("{} {:?} {:?} {:?}", fix.audience, fix.reason, fix.product, fix.when);
                assert!(keys.insert(key), "{class}: {} is told two things at once", fix.audience);
            }
        }
    }
}
