//! Rules that can never fire: their own condition contradicts itself, or an earlier rule fires whenever they would.
//!
//! Decided from the conditions alone, so only what is certain is said: `implies` and `excludes` answer no where they
//! cannot tell (two different patterns may or may not match the same texts).

use super::condition::{Condition, Test};
use super::rules::Rule;

/// Why a rule can never fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dead {
    /// Two parts of its condition cannot both hold.
    Contradiction,
    /// The rule at this place in the list comes first whenever this one would.
    Behind(usize),
}

/// Why the rule at `place` can never fire; `None` when it may.
#[must_use]
pub fn why_dead(rules: &[Rule], place: usize) -> Option<Dead> {
    let rule = rules.get(place)?;
    if contradicts_itself(&rule.when) {
        return Some(Dead::Contradiction);
    }
    let earlier = rules.iter().take(place);
    // A rule for whole texts is asked before those of another kind, wherever it stands.
    let comes_first = |other: &Rule| other.over_causes || !rule.over_causes;
    let behind = earlier.into_iter().position(|other| comes_first(other) && implies(&rule.when, &other.when))?;
    Some(Dead::Behind(behind))
}

fn contradicts_itself(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => {
            parts.iter().any(contradicts_itself)
                || parts
                    .iter()
                    .enumerate()
                    .any(|(at, part)| parts.iter().skip(at + 1).any(|other| excludes(part, other)))
        }
        Condition::Any(parts) => parts.iter().all(contradicts_itself),
        Condition::Status(ranges) | Condition::RpcCode(ranges) | Condition::Field(_, Test::Within(ranges)) => {
            ranges.iter().all(|(least, most)| least > most)
        }
        _ => false,
    }
}

/// Whether `left` and `right` cannot both hold.
fn excludes(left: &Condition, right: &Condition) -> bool {
    match (left, right) {
        (Condition::Any(parts), other) | (other, Condition::Any(parts)) => {
            parts.iter().all(|part| excludes(part, other))
        }
        (Condition::All(parts), other) | (other, Condition::All(parts)) => {
            parts.iter().any(|part| excludes(part, other))
        }
        (Condition::Not(part), other) | (other, Condition::Not(part)) => implies(other, part),
        (Condition::Step(left), Condition::Step(right)) => are_disjoint(left, right),
        (Condition::Type(left), Condition::Type(right)) | (Condition::Code(left), Condition::Code(right)) => {
            are_disjoint(left, right)
        }
        (Condition::Status(left), Condition::Status(right)) | (Condition::RpcCode(left), Condition::RpcCode(right)) => {
            are_apart(left, right)
        }
        (Condition::Field(field, left), Condition::Field(other, right)) if field == other => test_excludes(left, right),
        (Condition::Attribute(name, left), Condition::Attribute(other, right)) if name == other => {
            test_excludes(left, right)
        }
        _ => false,
    }
}

fn test_excludes(left: &Test, right: &Test) -> bool {
    match (left, right) {
        (Test::Present(left), Test::Present(right)) => left != right,
        (Test::Present(false), _) | (_, Test::Present(false)) => true,
        (Test::OneOf(left), Test::OneOf(right)) => are_disjoint(left, right),
        (Test::Within(left), Test::Within(right)) => are_apart(left, right),
        (Test::OneOf(values), Test::StartsWith(starts)) | (Test::StartsWith(starts), Test::OneOf(values)) => {
            !values.iter().any(|value| starts.iter().any(|start| value.starts_with(start.as_str())))
        }
        (Test::OneOf(values), Test::Contains(words)) | (Test::Contains(words), Test::OneOf(values)) => {
            !values.iter().any(|value| words.iter().any(|word| value.contains(word.as_str())))
        }
        _ => false,
    }
}

/// Whether `right` holds wherever `left` does.
fn implies(left: &Condition, right: &Condition) -> bool {
    if left == right {
        return true;
    }
    if let Condition::All(parts) = right {
        return parts.iter().all(|part| implies(left, part));
    }
    let by_parts = match left {
        Condition::All(parts) => parts.iter().any(|part| implies(part, right)),
        Condition::Any(parts) => parts.iter().all(|part| implies(part, right)),
        _ => false,
    };
    if by_parts {
        return true;
    }
    match (left, right) {
        (left, Condition::Any(parts)) => parts.iter().any(|part| implies(left, part)),
        (Condition::Not(left), Condition::Not(right)) => implies(right, left),
        // What is told apart by its value is not what is excluded.
        (left, Condition::Not(right)) => excludes(left, right),
        (Condition::Text(left), Condition::Text(right)) => is_within(left, right),
        (Condition::Step(left), Condition::Step(right)) => is_within(left, right),
        (Condition::Type(left), Condition::Type(right)) | (Condition::Code(left), Condition::Code(right)) => {
            is_within(left, right)
        }
        (Condition::Status(left), Condition::Status(right)) | (Condition::RpcCode(left), Condition::RpcCode(right)) => {
            are_covered(left, right)
        }
        (Condition::Field(field, left), Condition::Field(other, right)) if field == other => test_implies(left, right),
        (Condition::Attribute(name, left), Condition::Attribute(other, right)) if name == other => {
            test_implies(left, right)
        }
        (Condition::TextUrls(left), Condition::TextUrls(right)) => is_within(left, right),
        (Condition::Urls(a, b, left), Condition::Urls(c, d, right)) => a == c && b == d && is_within(left, right),
        _ => false,
    }
}

fn test_implies(left: &Test, right: &Test) -> bool {
    match (left, right) {
        (left, right) if left == right => true,
        (left, Test::Present(true)) => *left != Test::Present(false),
        (Test::OneOf(left), Test::OneOf(right)) | (Test::Has(left), Test::Has(right)) => is_within(left, right),
        (Test::Lacks(left), Test::Lacks(right)) => is_within(right, left),
        (Test::Within(left), Test::Within(right)) => are_covered(left, right),
        (Test::StartsWith(left) | Test::OneOf(left), Test::StartsWith(right)) => {
            left.iter().all(|start| right.iter().any(|other| start.starts_with(other.as_str())))
        }
        (Test::Contains(left) | Test::OneOf(left) | Test::StartsWith(left), Test::Contains(right)) => {
            left.iter().all(|word| right.iter().any(|other| word.contains(other.as_str())))
        }
        _ => false,
    }
}

fn is_within<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    some.iter().all(|member| all.contains(member))
}

fn are_disjoint<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    !left.iter().any(|member| right.contains(member))
}

type Range = (f64, f64);

fn are_covered(ranges: &[Range], by: &[Range]) -> bool {
    ranges.iter().all(|(least, most)| by.iter().any(|(from, to)| from <= least && most <= to))
}

fn are_apart(left: &[Range], right: &[Range]) -> bool {
    left.iter().all(|(least, most)| right.iter().all(|(from, to)| most < from || to < least))
}

#[cfg(test)]
mod tests {
    use super::{Dead, why_dead};
    use crate::classify::rules::Rules;
    use crate::classify::testing::CLASSIFIER;

    /// Why the second of two rules is dead, as far as the check for it can be asked without refusing the file.
    fn second(first: &str, second: &str) -> Option<Dead> {
        let rule = |id: &str, when: &str| format!("[[rule]]\nid = \"{id}\"\nclass = \"forbidden\"\n{when}\n");
        let file =
            format!("version = \"1\"\n[who_acts]\nforbidden = \"nobody\"\n{}{}", rule("a", first), rule("b", second));
        let rules = Rules::load_unchecked(&[("r.toml", &file)]).expect("sound but for dead rules");
        why_dead(&rules.rules, 1)
    }

    #[test]
    fn a_rule_behind_a_wider_one_is_dead() {
        let cases = [
            ("when.status = 403", "when.status = 403"),
            ("when.status = { min = 400, max = 499 }", "when.status = 404\nwhen.step = \"call\""),
            ("when.text = ['abc', 'def']", "when.text = 'def'\nwhen.status = 400"),
            ("when.step = [\"call\", \"token\"]", "when.any = [{ step = \"call\" }, { step = \"token\" }]"),
            ("when.any = [{ status = 403 }, { code = \"x\" }]", "when.code = \"x\""),
            ("when.not.step = \"call\"", "when.step = \"token\""),
            ("when.not.status = { min = 500 }", "when.not.status = { min = 400 }"),
            ("when.message = { present = true }", "when.message = { contains = [\"x\"] }"),
            ("when.url_path = { starts_with = [\"/a\"] }", "when.url_path = { starts_with = [\"/ab\", \"/ac\"] }"),
        ];
        for (wide, narrow) in cases {
            assert_eq!(second(wide, narrow), Some(Dead::Behind(0)), "{wide} | {narrow}");
        }
    }

    #[test]
    fn a_rule_that_contradicts_itself_is_dead() {
        let cases = [
            "when.step = \"call\"\nwhen.not.step = [\"call\", \"token\"]",
            "when.message = { present = false }\nwhen.all = [{ message = { contains = [\"x\"] } }]",
            "when.all = [{ status = 403 }, { status = { min = 500 } }]",
            "when.all = [{ code = \"a\" }, { any = [{ code = \"b\" }, { code = \"c\" }] }]",
            "when.status = { min = 500, max = 400 }",
        ];
        for when in cases {
            assert_eq!(second("when.code = \"zzz\"", when), Some(Dead::Contradiction), "{when}");
        }
    }

    #[test]
    fn a_rule_that_may_fire_is_not_dead() {
        let cases = [
            ("when.status = 403\nwhen.step = \"call\"", "when.status = 403"),
            ("when.text = 'def'", "when.text = ['abc', 'def']"),
            ("when.status = 403", "when.status = { min = 400 }"),
            ("when.not.step = \"call\"", "when.step = [\"call\", \"token\"]"),
            ("when.message = { contains = [\"xy\"] }", "when.message = { contains = [\"x\"] }"),
            ("when.status = 403", "over_causes = true\nwhen.status = 403\nwhen.text = 'x'"),
        ];
        for (first, then) in cases {
            assert_eq!(second(first, then), None, "{first} | {then}");
        }
    }

    #[test]
    fn no_rule_of_ours_is_dead() {
        let rules = CLASSIFIER.rules();
        let dead: Vec<_> =
            (0..rules.len()).filter(|place| why_dead(rules, *place).is_some()).map(|place| &rules[place].id).collect();
        assert!(dead.is_empty(), "{dead:?}");
    }
}
