//! What stands on the page of a class: its texts, what each audience is told and when, the rules that decide it, the
//! sources. Gathered from the data, whatever the form in which it is then written.

use std::collections::BTreeMap;

use super::sources::{Source, source_of};
use crate::classify::classifier::EMBEDDED;
use crate::classify::clients::{ACTIONS, Action};
use crate::classify::codes::{ClassText, Codes, Fix};
use crate::classify::rules::{Rule, Rules};
use crate::classify::{Class, Failure, WhoActs};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// The page of one class.
pub struct Page {
    /// The class.
    pub class: Class,
    /// Its texts.
    pub text: &'static ClassText,
    /// What each audience is told, who usually acts first.
    pub fixes: Vec<Told>,
    /// The rules that decide it, in the order in which they are asked.
    pub rules: Vec<RuleLine>,
    /// Where it is specified.
    pub sources: Vec<Source>,
}

/// What one audience is told.
pub struct Told {
    /// The audience.
    pub audience: WhoActs,
    /// What it is told when nothing is known about the request; nothing when it is told something in some cases only.
    pub usual: Option<String>,
    /// Every text with the case it is for, the usual one first.
    pub all: Vec<CaseText>,
}

/// A text and the case it is for.
pub struct CaseText {
    /// `reason expired`, `product portkey`, `hop upstream`; empty for the usual case.
    pub only: String,
    /// The text with its placeholders; [`written`] fills them for people.
    pub text: String,
}

/// A rule in one line.
pub struct RuleLine {
    /// Its id.
    pub id: String,
    /// The reason it gives.
    pub reason: Option<String>,
    /// Why it says so.
    pub note: Option<String>,
    /// How sure it is.
    pub confidence: &'static str,
}

/// The pages of all classes, in the order of the vocabulary.
///
/// # Errors
/// The faults of the embedded rules; a test keeps that list empty.
pub fn pages() -> anyhow::Result<Vec<Page>> {
    let rules = Rules::load(EMBEDDED)?;
    let notes = notes();
    let page = |(class, text): (Class, &'static ClassText)| Page {
        class,
        text,
        fixes: told(class, text),
        rules: rules.rules.iter().filter(|rule| rule.class == class).map(|rule| line(rule, &notes)).collect(),
        sources: text.sources.iter().filter_map(|source| source_of(source)).collect(),
    };
    Ok(Codes::embedded().all().map(page).collect())
}

fn line(rule: &Rule, notes: &BTreeMap<String, String>) -> RuleLine {
    RuleLine {
        id: rule.id.clone(),
        reason: rule.reason.clone(),
        note: notes.get(&rule.id).cloned(),
        confidence: rule.confidence.as_str(),
    }
}

/// What the rules files say about a rule for people, by id.
fn notes() -> BTreeMap<String, String> {
    let mut notes = BTreeMap::new();
    for (_, content) in EMBEDDED {
        let Ok(file) = content.parse::<toml::Table>() else { continue };
        for rule in file.get("rule").and_then(toml::Value::as_array).into_iter().flatten() {
            let text = |key: &str| rule.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            if let (Some(id), Some(note)) = (text("id"), text("note")) {
                notes.insert(id, without_point(&note).to_owned());
            }
        }
    }
    notes
}

/// The note without the number of the point of precedence that it begins with ("8: …", "14, RFC 9207: …"): it is for those
/// who read the rules in their order.
fn without_point(note: &str) -> &str {
    let digits = note.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0);
    let (number, rest) = note.split_at(digits);
    let rest = rest.strip_prefix(|letter: char| letter.is_ascii_lowercase()).unwrap_or(rest);
    let behind = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(", "));
    behind.filter(|_| !number.is_empty()).unwrap_or(note)
}

fn told(class: Class, text: &ClassText) -> Vec<Told> {
    let nothing = |_: &str| None;
    let failure = Failure { class, reason: None, hop: Hop::Unknown, product: None, values: &nothing };
    let usual_actor = WhoActs::parse(&text.who_acts);
    let others = WhoActs::KNOWN.iter().copied().filter(|audience| *audience != usual_actor);
    let told = [usual_actor].into_iter().chain(others).map(|audience| {
        let mut fixes: Vec<&Fix> = text.fix.iter().filter(|fix| fix.audience == audience.as_str()).collect();
        fixes.sort_by_key(|fix| fix.narrowness());
        let is_usual = |fix: &&&Fix| fix.narrowness() == (false, false, 0);
        let usual = fixes.iter().find(is_usual).map(|_| failure.fix(audience, usual_actor));
        let all = fixes.iter().map(|fix| CaseText { only: only(fix), text: shown(fix) }).collect();
        Told { audience, usual, all }
    });
    told.filter(|told| !told.all.is_empty()).collect()
}

/// The case that a fix is for, in words.
fn only(fix: &Fix) -> String {
    let product = fix.product.iter().map(|product| format!("product {product}"));
    let reason = (!fix.reason.0.is_empty()).then(|| format!("reason {}", fix.reason.0.join(" or ")));
    let when = fix.when.iter().map(|(column, values)| format!("{column} {}", values.0.join(" or ")));
    product.chain(reason).chain(when).collect::<Vec<_>>().join(", ")
}

/// The fullest variant.
fn shown(fix: &Fix) -> String {
    fix.text.first().cloned().unwrap_or_default()
}

/// A text as it is written: the request's own values as `<name>`, and the steps that differ by client as `step` says.
pub fn written(text: &str, step: impl Fn(Action) -> String) -> String {
    let mut text = text.to_owned();
    for (placeholder, action) in ACTIONS {
        let hole = format!("{{{placeholder}}}");
        if text.contains(&hole) {
            text = text.replace(&hole, &step(action));
        }
    }
    text.replace('{', "<").replace('}', ">")
}

#[cfg(test)]
mod tests {
    use super::without_point;

    #[test]
    fn a_note_is_told_without_its_number() {
        for (note, told) in [
            ("8: the grant type decides", "the grant type decides"),
            ("14, RFC 9207: `iss` of the callback", "RFC 9207: `iss` of the callback"),
            ("4a: even when the gateway says so", "even when the gateway says so"),
            ("RFC 6750 §3.1", "RFC 6750 §3.1"),
            ("401 at the token endpoint", "401 at the token endpoint"),
        ] {
            assert_eq!(without_point(note), told);
        }
    }
}
