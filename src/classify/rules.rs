//! The rules file: what a rule is, loading with every fault named at once, and the index that avoids a scan.
//!
//! The order of the file is the precedence: the first rule that fires decides.

use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::class::{Class, Confidence, WhoActs};
use super::condition::Condition;
use super::facts::{Facts, Step};
use super::own::stands_alone;
use super::parse::{ReadRules, Reader};
use super::text::{Matches, Numbers, Patterns};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Stable id, stored with every verdict.
    pub id: String,
    /// The class it concludes; `none` says that nothing failed.
    pub class: Class,
    /// Finer than the class.
    pub reason: Option<String>,
    /// The hop that refused, when it is not the event's.
    pub hop: Option<Hop>,
    /// The hop to assume when the event names none.
    pub assume_hop: Option<Hop>,
    /// Who has to act, when it is not the class's usual.
    pub who_acts: Option<WhoActs>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it is asked about the whole text before the inner causes are asked by themselves.
    pub over_causes: bool,
    /// Whether it is an operator's.
    pub is_own: bool,
    /// What it asks.
    pub when: Condition,
}

impl Rule {
    /// Whether what the text resembles may count more: not where an operator said so.
    #[must_use]
    pub fn may_be_outweighed(&self) -> bool {
        !self.is_own && self.confidence == Confidence::Weak
    }
}

/// All rules with their patterns and the index over them.
#[derive(Debug)]
pub struct Rules {
    /// Version of the file, stored with every verdict.
    pub version: String,
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// Whether what no rule explains may be told by what it resembles.
    pub wording: bool,
    /// Every pattern of every rule.
    pub patterns: Patterns,
    /// Whether any rule is asked before the inner causes are.
    pub has_rules_over_causes: bool,
    who_acts: FxHashMap<(Class, Hop), WhoActs>,
    /// Rules that can fire without any text.
    without_text: Numbers,
    /// For each pattern the rules that cannot fire without one of their patterns.
    by_pattern: Vec<Vec<usize>>,
    /// What matches where there is no text.
    no_text: Matched,
    /// For each step the rules that may hold at it.
    at_step: FxHashMap<Step, Numbers>,
    /// The rules that may hold without a code, a status, a JSON-RPC code.
    without: [Numbers; 3],
}

/// What one text matches.
#[derive(Debug)]
pub struct Matched {
    /// The patterns.
    pub patterns: Matches,
    /// The rules that may fire.
    candidates: Numbers,
    /// A pattern and where it matched; the rule that fires for a text is mostly the same, so one is enough.
    span: OnceLock<(usize, Option<Range<usize>>)>,
}

/// One fault of a rules file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// A rules file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rules have {} fault(s):\n{}", .faults.len(), joined(.faults))]
pub struct RulesError {
    /// Every fault, in the order of the lines.
    pub faults: Vec<Fault>,
}

impl RulesError {
    /// Stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "invalid_rules"
    }
}

fn joined(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Rules {
    /// Loads the files `(name, content)` in this order as one list of rules.
    ///
    /// # Errors
    /// All faults of all files with their lines: syntax, unknown class, field or value, duplicate id, a rule without a
    /// condition, a regex that does not compile, a class without anybody to act, a rule that can never fire.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, RulesError> {
        Ok(Self::of(read_all(files).finish()?))
    }

    /// As [`Self::load`], with an operator's own file that extends, replaces or leaves out what `files` say.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with_own(files: &[(&str, &str)], name: &str, content: &str) -> Result<Self, RulesError> {
        let mut reader = read_all(files);
        if stands_alone(content) {
            reader.leave_out_rules();
        }
        reader.read_own_file(name, content);
        Ok(Self::of(reader.finish()?))
    }

    /// As [`Self::load`], dead rules let through.
    ///
    /// # Errors
    /// As [`Self::load`], but for dead rules.
    #[cfg(test)]
    pub(super) fn load_unchecked(files: &[(&str, &str)]) -> Result<Self, RulesError> {
        Ok(Self::of(read_all(files).finish_unchecked()?))
    }

    fn of(read: ReadRules) -> Self {
        let mut without_text = Numbers::none(read.rules.len());
        let mut by_pattern = vec![Vec::new(); read.patterns.len()];
        for (number, rule) in read.rules.iter().enumerate() {
            match needed_patterns(&rule.when) {
                None => without_text.insert(number),
                Some(patterns) => {
                    for pattern in patterns {
                        if let Some(rules) = by_pattern.get_mut(*pattern) {
                            rules.push(number);
                        }
                    }
                }
            }
        }
        let no_text = matched(&read.patterns, &without_text, &by_pattern, "");
        let rules_where = |impossible: &dyn Fn(&Condition) -> bool| {
            let mut possible = Numbers::none(read.rules.len());
            let numbered = read.rules.iter().enumerate();
            numbered
                .filter(|(_, rule)| may_hold(&rule.when, impossible))
                .for_each(|(number, _)| possible.insert(number));
            possible
        };
        let steps = Step::KNOWN.iter().copied().chain([Step::Unknown]);
        let at_step = steps
            .map(|step| (step, rules_where(&|part| matches!(part, Condition::Step(steps) if !steps.contains(&step)))))
            .collect();
        let without = [
            rules_where(&|part| matches!(part, Condition::Code(_))),
            rules_where(&|part| matches!(part, Condition::Status(_))),
            rules_where(&|part| matches!(part, Condition::RpcCode(_))),
        ];
        Self {
            version: read.version,
            wording: read.wording,
            has_rules_over_causes: read.rules.iter().any(|rule| rule.over_causes),
            rules: read.rules,
            patterns: read.patterns,
            who_acts: read.who_acts,
            without_text,
            by_pattern,
            no_text,
            at_step,
            without,
        }
    }

    /// What `text` matches.
    #[must_use]
    pub fn matched(&self, text: &str) -> Matched {
        matched(&self.patterns, &self.without_text, &self.by_pattern, text)
    }

    /// What matches where there is no text.
    #[must_use]
    pub fn no_text(&self) -> &Matched {
        &self.no_text
    }

    /// The rules that may fire for a text and these facts, in the order of the file.
    pub fn candidates(&self, matched: &Matched, facts: &Facts<'_>) -> impl Iterator<Item = &Rule> {
        let mut candidates = matched.candidates.clone();
        if let Some(at_step) = self.at_step.get(&facts.step) {
            candidates.keep(at_step);
        }
        let is_known = [facts.code.is_some(), facts.status.is_some(), facts.rpc_code.is_some()];
        for (without, _) in self.without.iter().zip(is_known).filter(|(_, is_known)| !is_known) {
            candidates.keep(without);
        }
        candidates.into_numbers().filter_map(|place| self.rules.get(place))
    }

    /// The span of `text` that a pattern matches.
    #[must_use]
    pub fn span<'t>(&self, matched: &Matched, pattern: usize, text: &'t str) -> Option<&'t str> {
        let find = || self.patterns.span(pattern, text);
        let (known, span) = matched.span.get_or_init(|| (pattern, find()));
        let span = if *known == pattern { span.clone() } else { find() };
        text.get(span?)
    }

    /// Who has to act: what the rule says, else what the file says for the class and hop.
    #[must_use]
    pub fn who_acts(&self, rule: &Rule, hop: Hop) -> WhoActs {
        rule.who_acts.unwrap_or_else(|| self.usually_acts(rule.class, hop))
    }

    /// Who usually has to act on such a failure on this hop.
    #[must_use]
    pub fn usually_acts(&self, class: Class, hop: Hop) -> WhoActs {
        if class == Class::None {
            return WhoActs::Nobody;
        }
        self.who_acts.get(&(class, hop)).copied().unwrap_or(WhoActs::Unknown)
    }
}

fn read_all(files: &[(&str, &str)]) -> Reader {
    let mut reader = Reader::default();
    for (name, content) in files {
        reader.read_file(name, content);
    }
    reader
}

/// The patterns of which one must match for the condition to hold; `None` when it can hold without text.
#[must_use]
pub fn needed_patterns(condition: &Condition) -> Option<&[usize]> {
    match condition {
        Condition::Text(patterns) => Some(patterns),
        Condition::All(parts) => parts.iter().find_map(needed_patterns),
        _ => None,
    }
}

/// Whether the condition can hold when the parts named `impossible` do not.
fn may_hold(condition: &Condition, impossible: &dyn Fn(&Condition) -> bool) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| may_hold(part, impossible)),
        Condition::Any(parts) => parts.iter().any(|part| may_hold(part, impossible)),
        Condition::Not(_) => true,
        part => !impossible(part),
    }
}

fn matched(patterns: &Patterns, without_text: &Numbers, by_pattern: &[Vec<usize>], text: &str) -> Matched {
    let patterns = patterns.of_text(text);
    let mut candidates = without_text.clone();
    for rule in patterns.possible().filter_map(|pattern| by_pattern.get(pattern)).flatten() {
        candidates.insert(*rule);
    }
    Matched { patterns, candidates, span: OnceLock::new() }
}

/// Every hop an event can be about, `unknown` included.
pub fn every_hop() -> impl Iterator<Item = Hop> {
    Hop::KNOWN.iter().copied().chain([Hop::Unknown])
}

#[cfg(test)]
mod tests {
    use super::Rules;

    const HEAD: &str = "version = \"1\"\n[who_acts]\nforbidden = \"workspace_admin\"\n";

    fn faults(rules: &str) -> Vec<String> {
        let file = format!("{HEAD}{rules}");
        Rules::load(&[("r.toml", &file)])
            .err()
            .map_or_else(Vec::new, |error| error.faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        let cases = [
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\n",
                "r.toml:4: rule `a` has no condition, so it would fire for every failure: add `when`",
            ),
            ("[[rule]]\nid = \"a\"\nclass = \"forbiden\"\nwhen.status = 403\n", "r.toml:6: unknown class `forbiden`"),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.statuss = 403\n",
                "r.toml:7: unknown condition or field `statuss`",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.credential_kind = \"key\"\n",
                "r.toml:7: `credential_kind` can never be `key`",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.text = \"(\"\n",
                "r.toml:7: bad regex `(`: unclosed group",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.any = []\n",
                "r.toml:7: `any` needs at least one condition",
            ),
            ("[[rule]]\nclass = \"forbidden\"\nwhen.status = 403\n", "r.toml:4: `id` is missing"),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nhopp = \"upstream\"\nwhen.status = 403\n",
                "r.toml:7: unknown key `hopp`",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"tool_error\"\nwhen.status = 403\n",
                "r.toml:4: nobody acts on `tool_error`: name `who_acts` here or in the table at the top",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.status = \"x\"\n",
                "r.toml:7: `status` wants numbers or { min, max }",
            ),
            (
                "[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.urls = { left = \"server_url\", right = \"nope\", differ = [\"path\"] }\n",
                "r.toml:7: unknown field `nope`",
            ),
        ];
        for (rules, fault) in cases {
            assert_eq!(faults(rules), vec![fault.to_owned()], "{rules}");
        }
    }

    #[test]
    fn all_faults_come_at_once_in_order() {
        let rules =
            "[[rule]]\nid = \"a\"\nclass = \"nope\"\nwhen.text = \"[\"\n[[rule]]\nid = \"a\"\nclass = \"forbidden\"\n";
        let found = faults(rules);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found.iter().any(|fault| fault.contains("r.toml:9: duplicate id `a`")), "{found:?}");
        assert!(
            found.is_sorted_by_key(|fault| fault.split(':').nth(1).and_then(|line| line.parse::<u32>().ok())),
            "{found:?}"
        );
    }

    #[test]
    fn syntax_faults_and_a_missing_version_are_faults_too() {
        let error = Rules::load(&[("r.toml", "x = = 1")]).expect_err("no TOML");
        assert_eq!(error.code(), "invalid_rules");
        let error = Rules::load(&[("r.toml", "[who_acts]\n")]).expect_err("no version");
        assert!(error.to_string().contains("`version` is missing"), "{error}");
    }
}
