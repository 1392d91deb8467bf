//! The operator's own rules: a file that extends the built-in rules, replaces some of them, or stands alone.
//!
//! - `base = "built-in"` (the default): a rule with the id of a built-in one replaces it where it stands; a new one goes
//!   to the front, or where `before = "id"` / `after = "id"` says; `disable = ["id", …]` takes built-in rules out.
//! - `base = "none"`: the file's rules alone, in its order. Who usually acts, and the words of patterns, stay.
//!
//! The version stored with each verdict names both and ends in a sum of the file's bytes, so that a change is seen even
//! when nobody raised a number.

use std::ops::Range;

use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};

use super::parse::{Place, Reader};
use super::rules::Rule;

/// Where an own rule goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Position {
    /// In front of all others; in place of the rule with the same id.
    #[default]
    Usual,
    /// Before the rule with this id.
    Before(String),
    /// After the rule with this id.
    After(String),
}

/// What an own file says beside its rules.
#[derive(Debug, Default)]
pub struct Own {
    /// Ids of rules to take out, with their place in the file.
    pub disabled: Vec<(String, Range<usize>)>,
    /// The version it gives itself.
    pub version: Option<String>,
}

/// Whether the file says that it stands alone. A file that cannot be read says nothing; its faults are named elsewhere.
#[must_use]
pub fn stands_alone(content: &str) -> bool {
    let (table, _) = DeTable::parse_recoverable(content);
    let base = table.get_ref().iter().find(|(key, _)| key.get_ref() == "base");
    matches!(base.map(|(_, value)| value.get_ref()), Some(DeValue::String(base)) if base == "none")
}

/// The version of built-in rules and an own file together.
#[must_use]
pub fn version_of(base: Option<&str>, own: Option<&str>, content: &str) -> String {
    const SHOWN_BYTES: usize = 4;
    let sum = Sha256::digest(content.as_bytes());
    let sum = hex::encode(sum.get(..SHOWN_BYTES).unwrap_or_default());
    let name = own.unwrap_or("own");
    match base {
        Some(base) => format!("{base}+{name}.{sum}"),
        None => format!("{name}.{sum}"),
    }
}

/// One own rule, where it stands in its file, and where it goes.
pub type OwnRule = (Rule, Place, Position);

impl Reader {
    /// Puts own rules among the built-in ones; what cannot be placed is a fault.
    pub(super) fn place_own(&mut self, own: Vec<OwnRule>, disabled: &[(String, Range<usize>)]) {
        for (id, span) in disabled {
            match self.place_of(id) {
                Some(at) => drop(self.rules.remove(at)),
                None => self.fault(span.clone(), format!("`disable` names `{id}`, and there is no such rule")),
            }
        }
        let mut front = Vec::new();
        let mut behind = Vec::new();
        for (rule, place, position) in own {
            let known = self.place_of(&rule.id);
            match (position, known) {
                (Position::Usual, Some(at)) => self.rules[at] = (rule, place),
                (Position::Usual, None) => front.push((rule, place)),
                (Position::Before(anchor), known) => {
                    if let Some(at) = known {
                        self.rules.remove(at);
                    }
                    match self.place_of(&anchor) {
                        Some(at) => self.rules.insert(at, (rule, place)),
                        None => self.no_anchor(&place, "before", &anchor),
                    }
                }
                (Position::After(anchor), known) => {
                    if let Some(at) = known {
                        self.rules.remove(at);
                    }
                    behind.push((rule, place, anchor));
                }
            }
        }
        // The last one first, so that those behind the same rule keep the order of the file.
        for (rule, place, anchor) in behind.into_iter().rev() {
            match self.place_of(&anchor) {
                Some(at) => self.rules.insert(at + 1, (rule, place)),
                None => self.no_anchor(&place, "after", &anchor),
            }
        }
        self.rules.splice(0..0, front);
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|(rule, _)| rule.id == id)
    }

    fn no_anchor(&mut self, place: &Place, word: &str, anchor: &str) {
        // A rule of the same file that has faults of its own is there, as soon as these are gone.
        if self.names(anchor) {
            return;
        }
        self.fault_at(place, format!("`{word}` names `{anchor}`, and there is no such rule"));
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classifier, Phase, TextCase};
    use crate::event::vocabulary::ClosedEnum;

    fn own(text: &str) -> Classifier {
        Classifier::with_own("own.toml", text).expect("sound")
    }

    fn class_and_rule(classifier: &Classifier, message: &str) -> (String, String) {
        let verdict = classifier.classify_text(&TextCase::of(message));
        (verdict.class.as_str().to_owned(), verdict.rule.to_owned())
    }

    fn faults(text: &str) -> Vec<String> {
        let error = Classifier::with_own("own.toml", text).expect_err("faults");
        error.faults.iter().map(ToString::to_string).collect()
    }

    const GREEN: &str = "[[rule]]\nid = \"own.green\"\nclass = \"forbidden\"\nwhen.text = '\\bgreen badge\\b'\n";

    #[test]
    fn a_new_rule_extends_and_comes_first() {
        let classifier = own(GREEN);
        assert_eq!(class_and_rule(&classifier, "429: no green badge").1, "own.green");
        assert_eq!(class_and_rule(&classifier, "too many requests").0, "rate_limited");
        assert_eq!(classifier.rules()[0].id, "own.green");
    }

    #[test]
    fn a_rule_is_placed_before_or_after_another() {
        let placed = |position: &str| {
            let two = format!("{GREEN}{position}\n{}{position}\n", GREEN.replace("own.green", "own.second"));
            let two = two.replacen("badge", "badge one", 1);
            let classifier = own(&two);
            classifier.rules().iter().map(|rule| rule.id.clone()).collect::<Vec<_>>()
        };
        let near = |ids: Vec<String>| {
            let at = ids.iter().position(|id| id == "limit.status").expect("built in");
            (ids[at - 2].clone(), ids[at - 1].clone(), ids[at + 1].clone(), ids[at + 2].clone())
        };
        let (first, second, ..) = near(placed("before = \"limit.status\""));
        assert_eq!((first.as_str(), second.as_str()), ("own.green", "own.second"));
        let (.., first, second) = near(placed("after = \"limit.status\""));
        assert_eq!((first.as_str(), second.as_str()), ("own.green", "own.second"));
    }

    #[test]
    fn a_rule_with_a_known_id_replaces_it_and_a_disabled_one_is_gone() {
        let replaced =
            own("[[rule]]\nid = \"limit.text\"\nclass = \"forbidden\"\nwhen.text = '\\btoo many requests\\b'\n");
        assert_eq!(class_and_rule(&replaced, "too many requests"), ("forbidden".into(), "limit.text".into()));
        let before = own("").rules().iter().position(|rule| rule.id == "limit.text");
        assert_eq!(replaced.rules().iter().position(|rule| rule.id == "limit.text"), before);
        let disabled = own("disable = [\"limit.text\"]");
        assert_ne!(class_and_rule(&disabled, "too many requests").1, "limit.text");
    }

    #[test]
    fn guessing_by_resemblance_can_be_switched_off_and_never_contradicts_an_own_rule() {
        let said = "the browser brought home a state that nobody here handed out";
        let case = TextCase { phase: Phase::Authorization, ..TextCase::of(said) };
        let told = |classifier: &Classifier| classifier.classify_text(&case).rule.to_owned();
        assert_eq!(told(&own("")), crate::classify::wording::RULE);
        assert_eq!(told(&own("wording = false")), "unclassified");
        let weak =
            "[[rule]]\nid = \"own.home\"\nclass = \"forbidden\"\nconfidence = \"weak\"\nwhen.text = 'brought home'\n";
        assert_eq!(told(&own(weak)), "own.home");
    }

    #[test]
    fn a_file_may_stand_alone() {
        let alone = own(&format!("base = \"none\"\nversion = \"7\"\n{GREEN}"));
        assert_eq!(alone.rules().len(), 1);
        assert_eq!(class_and_rule(&alone, "too many requests").0, "unclassified");
        assert!(alone.version().starts_with("7."), "{}", alone.version());
    }

    #[test]
    fn the_version_names_both_and_changes_with_every_byte() {
        let built_in = Classifier::embedded().expect("sound").version().to_owned();
        let named = own(&format!("version = \"blue-3\"\n{GREEN}"));
        assert!(named.version().starts_with(&format!("{built_in}+blue-3.")), "{}", named.version());
        let changed = own(&format!("version = \"blue-3\"\n# a word\n{GREEN}"));
        assert_ne!(named.version(), changed.version());
        assert!(own(GREEN).version().starts_with(&format!("{built_in}+own.")));
    }

    #[test]
    fn every_fault_of_an_own_file_comes_at_once_with_its_line() {
        let text = "disable = [\"nope\"]\n[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nbefore = \"gone\"\nwhen.text = 'x y'\n\
                    [[rule]]\nid = \"a\"\nclass = \"forbiden\"\nwhen.text = '('\n\
                    [[rule]]\nid = \"c\"\nclass = \"forbidden\"\nreason = 3\nafter = \"limit.status\"\nwhen.http_status = 429\n";
        assert_eq!(
            faults(text),
            [
                "own.toml:1: `disable` names `nope`, and there is no such rule",
                "own.toml:2: `before` names `gone`, and there is no such rule",
                "own.toml:8: duplicate id `a`",
                "own.toml:9: unknown class `forbiden`",
                "own.toml:10: bad regex `(`: unclosed group",
                "own.toml:11: rule `c` can never fire: `limit.status` (01_first.toml) comes first whenever it would",
                "own.toml:14: `reason` wants a name of small letters, digits and underscores",
            ]
        );
    }

    #[test]
    fn a_dead_rule_is_a_fault_and_what_an_own_rule_covers_is_not() {
        let dead = "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nafter = \"limit.status\"\nwhen.http_status = 429\n\
                    [[rule]]\nid = \"b\"\nclass = \"forbidden\"\nwhen.step = \"call\"\nwhen.not.step = \"call\"\n";
        assert_eq!(
            faults(dead),
            [
                "own.toml:1: rule `a` can never fire: `limit.status` (01_first.toml) comes first whenever it would",
                "own.toml:6: rule `b` can never fire: its condition contradicts itself",
            ]
        );
        let covering = "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.status = 429\n";
        assert_eq!(own(covering).rules()[0].id, "a");
    }
}
