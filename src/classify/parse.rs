//! Reads rules files and names every fault with its line; what a condition may ask is in [`super::parse_condition`],
//! where an operator's own rules go in [`super::own`].
//!
//! `[words]` names parts of patterns: `<name>` in a pattern stands for the part. Words of earlier files hold in later ones.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::class::{Class, Confidence, WhoActs};
use super::condition::Condition;
use super::own::{Own, OwnRule, Position, version_of};
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
    /// Whether what no rule explains may be told by what it resembles.
    pub wording: bool,
}

/// Collects rules and faults over several files.
#[derive(Debug, Default)]
pub struct Reader {
    version: Option<String>,
    wording: bool,
    /// The rules so far, each with its place.
    pub(super) rules: Vec<(Rule, Place)>,
    /// Who usually acts.
    pub(super) who_acts: FxHashMap<(Class, Hop), WhoActs>,
    words: FxHashMap<String, String>,
    ids: FxHashSet<String>,
    /// The patterns of all conditions read so far.
    pub(super) patterns: PatternList,
    faults: Vec<(usize, Fault)>,
    unreadable: bool,
    /// The file that is being read, or the last one.
    pub(super) current: Source,
    own: Option<Own>,
    own_rules: Vec<OwnRule>,
}

/// The file that is being read.
#[derive(Debug, Default)]
pub struct Source {
    /// Its place among the files, from 1.
    pub number: usize,
    name: String,
    line_starts: Vec<usize>,
}

/// Where a rule stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// Place of the file among the files, from 1.
    pub source: usize,
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

impl Reader {
    /// Reads one file after those before it.
    pub fn read_file(&mut self, name: &str, content: &str) {
        /// What follows a syntax fault is mostly its echo.
        const SHOWN_SYNTAX_FAULTS: usize = 10;
        let line_starts = std::iter::once(0).chain(content.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.current = Source { number: self.current.number + 1, name: name.to_owned(), line_starts };
        let (table, errors) = DeTable::parse_recoverable(content);
        for error in errors.iter().take(SHOWN_SYNTAX_FAULTS) {
            self.fault(error.span().unwrap_or(0..0), error.message().to_owned());
        }
        self.unreadable |= !errors.is_empty();
        if errors.is_empty() {
            self.read_table(table.get_ref());
        }
    }

    /// Leaves out the rules read so far, their version and what texts resemble; who acts and the words of patterns stay.
    pub fn leave_out_rules(&mut self) {
        self.rules.clear();
        self.patterns = PatternList::default();
        self.version = None;
        self.wording = false;
    }

    /// Reads an operator's own file after the built-in ones and puts its rules among them.
    pub fn read_own_file(&mut self, name: &str, content: &str) {
        self.ids.clear();
        self.own = Some(Own::default());
        self.read_file(name, content);
        let Own { disabled, version } = self.own.take().unwrap_or_default();
        if !self.unreadable {
            let own = std::mem::take(&mut self.own_rules);
            self.place_own(own, &disabled);
        }
        self.version = Some(version_of(self.version.as_deref(), version.as_deref(), content));
    }

    /// All rules, or all faults.
    ///
    /// # Errors
    /// Every fault found in any file.
    pub fn finish(mut self) -> Result<ReadRules, RulesError> {
        // A file that could not be read may be the one that says who acts, or that has the rule asked for.
        if !self.unreadable {
            self.check_who_acts();
            self.check_dead_rules();
        }
        self.finish_unchecked()
    }

    /// As [`Self::finish`], dead rules and rules without anybody to act let through.
    ///
    /// # Errors
    /// Every fault found while reading.
    pub fn finish_unchecked(mut self) -> Result<ReadRules, RulesError> {
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
            wording: self.wording,
        })
    }

    /// Notes a fault of a rule read before.
    pub(super) fn fault_at(&mut self, place: &Place, problem: String) {
        self.faults.push((place.source, Fault { file: place.file.clone(), line: place.line, problem }));
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
        // Words first: patterns use them, wherever in the file they stand.
        if let Some((_, words)) = table.iter().find(|(key, _)| key.get_ref() == "words") {
            self.read_words(words);
        }
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("words", DeValue::Table(_)) => {}
                ("version", DeValue::String(version)) => match &mut self.own {
                    Some(own) => own.version = Some(version.to_string()),
                    None => drop(self.version.get_or_insert_with(|| version.to_string())),
                },
                ("wording", DeValue::Boolean(wording)) => self.wording = *wording,
                ("who_acts", DeValue::Table(actors)) => self.read_who_acts(actors),
                ("base", DeValue::String(base)) if self.own.is_some() => {
                    if !matches!(base.as_ref(), "built-in" | "none") {
                        self.fault(value.span(), format!("unknown base `{base}`: `built-in` or `none`"));
                    }
                }
                ("disable", DeValue::Array(ids)) if self.own.is_some() => {
                    for id in ids.iter() {
                        self.read_disabled(id);
                    }
                }
                ("rule", DeValue::Array(rules)) => {
                    for rule in rules.iter() {
                        self.read_rule(rule);
                    }
                }
                (other, _) => self.fault(key.span(), format!("unknown key `{other}`, or a value of the wrong type")),
            }
        }
    }

    fn read_disabled(&mut self, id: &Spanned<DeValue<'_>>) {
        match (id.get_ref().as_str(), &mut self.own) {
            (Some(name), Some(own)) => own.disabled.push((name.to_owned(), id.span())),
            _ => self.fault(id.span(), "`disable` wants ids of rules".to_owned()),
        }
    }

    fn read_words(&mut self, words: &Spanned<DeValue<'_>>) {
        let Some(table) = words.get_ref().as_table() else { return };
        for (name, part) in table {
            let is_name = name.get_ref().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            match part.get_ref().as_str() {
                Some(part) if is_name => drop(self.words.insert(name.get_ref().to_string(), part.to_owned())),
                _ => self.fault(
                    name.span(),
                    format!("`{}`: a word is a name of small letters and a part of a pattern", name.get_ref()),
                ),
            }
        }
    }

    /// The pattern with its words spelled out; the unknown word when there is one.
    pub(super) fn spelled_out(&self, expression: &str) -> Result<String, String> {
        let mut spelled = String::with_capacity(expression.len());
        let mut rest = expression;
        while let Some(at) = rest.find('<') {
            let (before, word) = rest.split_at(at);
            spelled.push_str(before);
            let name = word.get(1..).and_then(|word| word.split_once('>')).map_or("", |(name, _)| name);
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !is_name {
                spelled.push('<');
                rest = word.get(1..).unwrap_or("");
                continue;
            }
            let part = self.words.get(name).ok_or_else(|| name.to_owned())?;
            spelled.extend(["(?:", part, ")"]);
            rest = word.get(name.len() + 2..).unwrap_or("");
        }
        spelled.push_str(rest);
        Ok(spelled)
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
        let (mut when, mut over_causes, mut position) = (None, false, Position::Usual);
        let (id, is_new) = self.read_id(table, start.clone());
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => {}
                "note" => drop(self.text_of(key.get_ref(), value)),
                "class" => class = self.text_of("class", value).and_then(|name| self.class_named(&name, value.span())),
                "reason" => reason = self.read_reason(value),
                "hop" => hop = self.member_of_value::<Hop>("hop", value),
                "assume_hop" => assume_hop = self.member_of_value::<Hop>("hop", value),
                "who_acts" => who_acts = self.member_of_value::<WhoActs>("who_acts", value),
                "confidence" => confidence = self.member_of_value::<Confidence>("confidence", value),
                "over_causes" => match value.get_ref().as_bool() {
                    Some(flag) => over_causes = flag,
                    None => self.fault(value.span(), "`over_causes` wants true or false".to_owned()),
                },
                "before" if self.own.is_some() => {
                    position = self.text_of("before", value).map_or(Position::Usual, Position::Before);
                }
                "after" if self.own.is_some() => {
                    position = self.text_of("after", value).map_or(Position::Usual, Position::After);
                }
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
        if let (Some(id), true, Some(class), Some(when)) = (id, is_new && !asks_nothing, class, when) {
            let place =
                Place { source: self.current.number, file: self.current.name.clone(), line: self.line_of(start.start) };
            let confidence = confidence.unwrap_or(Confidence::Likely);
            let rule = Rule {
                id,
                class,
                reason,
                hop,
                assume_hop,
                who_acts,
                confidence,
                over_causes,
                is_own: self.own.is_some(),
                when,
            };
            if self.own.is_some() {
                self.own_rules.push((rule, place, position));
            } else {
                self.rules.push((rule, place));
            }
        }
    }

    fn text_of(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.fault(value.span(), format!("`{key}` wants a text"));
        }
        text
    }

    fn read_reason(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let is_name = |text: &&str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let reason = value.get_ref().as_str().filter(is_name).map(str::to_owned);
        if reason.is_none() {
            self.fault(value.span(), "`reason` wants a name of small letters, digits and underscores".to_owned());
        }
        reason
    }

    /// The id of a rule, and whether it is the first with it.
    fn read_id(&mut self, table: &DeTable<'_>, start: Range<usize>) -> (Option<String>, bool) {
        let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "id") else {
            self.fault(start, "`id` is missing".to_owned());
            return (None, false);
        };
        let id = value.get_ref().as_str().unwrap_or_default().to_owned();
        if id.is_empty() {
            self.fault(value.span(), "`id` is a text, not empty".to_owned());
            return (None, false);
        }
        let is_new = self.ids.insert(id.clone());
        if !is_new {
            self.fault(value.span(), format!("duplicate id `{id}`"));
        }
        (Some(id), is_new)
    }

    /// Whether the file that is being read has a rule with this id, sound or not.
    pub(super) fn names(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    fn class_named(&mut self, name: &str, span: Range<usize>) -> Option<Class> {
        self.member::<Class>("class", name, span)
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
