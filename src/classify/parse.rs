//! Reads rules files and names every fault with its line; what a condition may ask is in [`super::parse_condition`].

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::class::{Class, Confidence, WhoActs};
use super::condition::Condition;
use super::parse_condition::read_condition;
use super::rules::{Fault, Rule, RulesError, every_hop};
use super::text::{PatternList, Patterns};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// What a complete set of files says.
#[derive(Debug)]
pub struct ReadRules {
    /// Version, from the first file that has one.
    pub version: String,
    /// All rules in order.
    pub rules: Vec<Rule>,
    /// All patterns.
    pub patterns: Patterns,
    /// Who usually acts.
    pub who_acts: FxHashMap<(Class, Hop), WhoActs>,
}

/// Collects rules and faults over several files.
#[derive(Debug, Default)]
pub struct Reader {
    version: Option<String>,
    rules: Vec<(Rule, Place)>,
    who_acts: FxHashMap<(Class, Hop), WhoActs>,
    ids: FxHashSet<String>,
    /// The patterns of all conditions read so far.
    pub(super) patterns: PatternList,
    faults: Vec<(usize, Fault)>,
    unreadable: bool,
    current: Source,
}

/// The file that is being read.
#[derive(Debug, Default)]
struct Source {
    number: usize,
    name: String,
    line_starts: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Place {
    source: usize,
    file: String,
    line: usize,
}

impl Reader {
    /// Reads one file after those before it.
    pub fn read_file(&mut self, name: &str, content: &str) {
        let line_starts = std::iter::once(0).chain(content.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.current = Source { number: self.current.number + 1, name: name.to_owned(), line_starts };
        let (table, errors) = DeTable::parse_recoverable(content);
        for error in &errors {
            self.fault(error.span().unwrap_or(0..0), error.message().to_owned());
        }
        self.unreadable |= !errors.is_empty();
        if errors.is_empty() {
            self.read_table(table.get_ref());
        }
    }

    /// All rules, or all faults.
    ///
    /// # Errors
    /// Every fault found in any file.
    pub fn finish(mut self) -> Result<ReadRules, RulesError> {
        // A file that could not be read may be the one that says who acts.
        let checked = if self.unreadable { &[][..] } else { &self.rules[..] };
        for (rule, place) in checked {
            let usual = every_hop().all(|hop| self.who_acts.contains_key(&(rule.class, hop)));
            if rule.who_acts.is_none() && rule.class != Class::None && !usual {
                let problem = format!(
                    "nobody acts on `{}`: name `who_acts` here or in the table at the top",
                    rule.class.as_str()
                );
                self.faults.push((place.source, Fault { file: place.file.clone(), line: place.line, problem }));
            }
        }
        if self.version.is_none() && self.faults.is_empty() {
            self.fault(0..0, "`version` is missing".to_owned());
        }
        if !self.faults.is_empty() {
            self.faults.sort();
            return Err(RulesError { faults: self.faults.into_iter().map(|(_, fault)| fault).collect() });
        }
        Ok(ReadRules {
            version: self.version.unwrap_or_default(),
            rules: self.rules.into_iter().map(|(rule, _)| rule).collect(),
            patterns: self.patterns.finish(),
            who_acts: self.who_acts,
        })
    }

    /// Notes a fault at a place of the current file.
    pub(super) fn fault(&mut self, span: Range<usize>, problem: String) {
        let line = self.line_of(span.start);
        self.faults.push((self.current.number, Fault { file: self.current.name.clone(), line, problem }));
    }

    fn line_of(&self, offset: usize) -> usize {
        self.current.line_starts.partition_point(|start| *start <= offset).max(1)
    }

    fn read_table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("version", DeValue::String(version)) => {
                    self.version.get_or_insert_with(|| version.to_string());
                }
                ("who_acts", DeValue::Table(actors)) => self.read_who_acts(actors),
                ("rule", DeValue::Array(rules)) => {
                    for rule in rules.iter() {
                        self.read_rule(rule);
                    }
                }
                (other, _) => self.fault(key.span(), format!("unknown key `{other}`, or a value of the wrong type")),
            }
        }
    }

    fn read_who_acts(&mut self, actors: &DeTable<'_>) {
        for (key, value) in actors {
            let Some(class) = self.class_named(key.get_ref(), key.span()) else { continue };
            match value.get_ref() {
                DeValue::Table(by_hop) => {
                    for (hop, actor) in by_hop {
                        let hop_named = self.member::<Hop>("hop", hop.get_ref(), hop.span());
                        let actor = self.member_of_value::<WhoActs>("who_acts", actor);
                        if let (Some(hop), Some(actor)) = (hop_named, actor) {
                            self.who_acts.insert((class, hop), actor);
                        }
                    }
                }
                _ => {
                    if let Some(actor) = self.member_of_value::<WhoActs>("who_acts", value) {
                        self.who_acts.extend(every_hop().map(|hop| ((class, hop), actor)));
                    }
                }
            }
        }
    }

    fn read_rule(&mut self, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            self.fault(value.span(), "a rule is a table".to_owned());
            return;
        };
        let start = value.span();
        let mut class = None;
        let (mut reason, mut hop, mut assume_hop, mut who_acts, mut confidence) = (None, None, None, None, None);
        let mut when = None;
        let id = self.read_id(table, start.clone());
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" | "note" => {}
                "class" => class = value.get_ref().as_str().and_then(|name| self.class_named(name, value.span())),
                "reason" => reason = value.get_ref().as_str().map(str::to_owned),
                "hop" => hop = self.member_of_value::<Hop>("hop", value),
                "assume_hop" => assume_hop = self.member_of_value::<Hop>("hop", value),
                "who_acts" => who_acts = self.member_of_value::<WhoActs>("who_acts", value),
                "confidence" => confidence = self.member_of_value::<Confidence>("confidence", value),
                "when" => when = read_condition(self, value),
                other => self.fault(key.span(), format!("unknown key `{other}`")),
            }
        }
        if !table.keys().any(|key| key.get_ref() == "class") {
            self.fault(start.clone(), "`class` is missing".to_owned());
        }
        let asks_nothing = matches!(&when, Some(Condition::All(parts)) if parts.is_empty());
        if let Some(id) = id.as_ref().filter(|_| asks_nothing || !table.keys().any(|key| key.get_ref() == "when")) {
            self.fault(
                start.clone(),
                format!("rule `{id}` has no condition, so it would fire for every failure: add `when`"),
            );
        }
        if let (Some(id), Some(class), Some(when)) = (id, class, when) {
            let place =
                Place { source: self.current.number, file: self.current.name.clone(), line: self.line_of(start.start) };
            let confidence = confidence.unwrap_or(Confidence::Likely);
            self.rules.push((Rule { id, class, reason, hop, assume_hop, who_acts, confidence, when }, place));
        }
    }

    fn read_id(&mut self, table: &DeTable<'_>, start: Range<usize>) -> Option<String> {
        let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "id") else {
            self.fault(start, "`id` is missing".to_owned());
            return None;
        };
        let id = value.get_ref().as_str().unwrap_or_default().to_owned();
        if id.is_empty() {
            self.fault(value.span(), "`id` is a text, not empty".to_owned());
            return None;
        }
        if !self.ids.insert(id.clone()) {
            self.fault(value.span(), format!("duplicate id `{id}`"));
        }
        Some(id)
    }

    fn class_named(&mut self, name: &str, span: Range<usize>) -> Option<Class> {
        let class = self.member::<Class>("class", name, span)?;
        Some(class)
    }

    /// The member of a closed enumeration that a value names.
    fn member_of_value<E: ClosedEnum>(&mut self, what: &str, value: &Spanned<DeValue<'_>>) -> Option<E> {
        let name = value.get_ref().as_str().unwrap_or_default().to_owned();
        self.member(what, &name, value.span())
    }

    fn member<E: ClosedEnum>(&mut self, what: &str, name: &str, span: Range<usize>) -> Option<E> {
        let found = E::KNOWN.iter().copied().find(|member| member.as_str() == name);
        let unknown_hop = what == "hop" && name == "unknown";
        if found.is_none() && unknown_hop {
            return Some(E::UNKNOWN);
        }
        if found.is_none() {
            self.fault(span, format!("unknown {what} `{name}`"));
        }
        found
    }
}
