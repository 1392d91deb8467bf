//! `gatetrail codes [CLASS]`: what each class of failure means, who acts, and what to do.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::classify::codes::{ClassText, Codes};
use crate::classify::{Class, WhoActs, fix_text};
use crate::event::vocabulary::ClosedEnum;

/// Arguments of `gatetrail codes`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CodesArgs {
    /// Only this class
    #[arg(value_name = "CLASS")]
    pub class: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A class that does not exist: a fault of usage, exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no class `{name}`; the nearest: {}", .nearest.join(", "))]
pub struct UnknownClass {
    /// What was asked for.
    pub name: String,
    /// The classes whose names are nearest, the nearest first.
    pub nearest: Vec<&'static str>,
}

/// Writes the texts of one class or of all.
///
/// # Errors
/// [`UnknownClass`] when there is no such class; an I/O error when writing fails.
pub fn run(args: &CodesArgs, mut output: impl Write) -> anyhow::Result<()> {
    let codes = Codes::embedded();
    match &args.class {
        Some(name) => {
            let class = class_named(name)?;
            if let Some(text) = codes.of(class) {
                if args.json {
                    write_json(&mut output, &class_json(class, text))?
                } else {
                    write_page(&mut output, class, text)?
                }
            }
        }
        None if args.json => {
            let all: Vec<Value> = codes.all().map(|(class, text)| class_json(class, text)).collect();
            write_json(&mut output, &json!(all))?;
        }
        None => {
            let mut table = Table::new();
            table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(["class", "who acts", "meaning"]);
            for (class, text) in codes.all() {
                table.add_row([class.as_str(), text.who_acts.as_str(), text.meaning.as_str()]);
            }
            writeln!(output, "{table}")?;
        }
    }
    output.flush()?;
    Ok(())
}

fn class_named(name: &str) -> Result<Class, UnknownClass> {
    const SHOWN: usize = 3;
    let found = Class::KNOWN.iter().copied().find(|class| class.as_str() == name);
    found.ok_or_else(|| {
        let mut nearest: Vec<&'static str> = Class::KNOWN.iter().map(|class| class.as_str()).collect();
        nearest.sort_by_key(|class| edit_distance(class, name));
        nearest.truncate(SHOWN);
        UnknownClass { name: name.to_owned(), nearest }
    })
}

/// Levenshtein distance in characters, row by row; the other side is cut, since no class is longer.
fn edit_distance(class: &str, name: &str) -> usize {
    const LONGEST_COMPARED: usize = 64;
    let name: Vec<char> = name.chars().take(LONGEST_COMPARED).collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (above, left) in class.chars().enumerate() {
        let mut next = vec![above + 1];
        for (index, right) in name.iter().enumerate() {
            let substituted = row.get(index).copied().unwrap_or_default() + usize::from(left != *right);
            let removed = row.get(index + 1).copied().unwrap_or_default() + 1;
            let added = next.get(index).copied().unwrap_or_default() + 1;
            next.push(substituted.min(removed).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// What each audience is told when nothing is known about the request.
fn fixes(class: Class, text: &ClassText) -> Vec<(WhoActs, String)> {
    let has_text = |audience: &WhoActs| text.fix.iter().any(|fix| fix.audience == audience.as_str());
    WhoActs::KNOWN
        .iter()
        .copied()
        .filter(has_text)
        .map(|audience| (audience, fix_text(class, None, audience, None, &|_| None)))
        .collect()
}

fn class_json(class: Class, text: &ClassText) -> Value {
    let reasons: std::collections::BTreeSet<&str> = text.fix.iter().filter_map(|fix| fix.reason.as_deref()).collect();
    let fix: serde_json::Map<String, Value> = fixes(class, text)
        .into_iter()
        .map(|(audience, words)| (audience.as_str().to_owned(), Value::String(words)))
        .collect();
    json!({
        "class": class.as_str(),
        "title": text.title,
        "meaning": text.meaning,
        "looks": text.looks,
        "who_acts": text.who_acts,
        "reasons_with_own_fix": reasons,
        "fix": fix,
    })
}

fn write_page(output: &mut impl Write, class: Class, text: &ClassText) -> anyhow::Result<()> {
    writeln!(output, "{}: {}", class.as_str(), text.title)?;
    writeln!(output, "  meaning   {}", text.meaning)?;
    writeln!(output, "  looks     {}", text.looks)?;
    writeln!(output, "  who acts  {}", text.who_acts)?;
    for (audience, words) in fixes(class, text) {
        writeln!(output, "  fix ({})  {words}", audience.as_str())?;
    }
    Ok(())
}

fn write_json(output: &mut impl Write, value: &Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *output, value)?;
    output.write_all(b"\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{CodesArgs, UnknownClass, run};
    use crate::classify::Class;
    use crate::event::vocabulary::ClosedEnum;

    fn printed(class: Option<&str>, json: bool) -> String {
        let mut output = Vec::new();
        run(&CodesArgs { class: class.map(str::to_owned), json }, &mut output).expect("runs");
        String::from_utf8(output).expect("UTF-8")
    }

    #[test]
    fn all_classes_are_listed_in_both_forms() {
        let list: Value = serde_json::from_str(&printed(None, true)).expect("JSON");
        assert_eq!(list.as_array().map(Vec::len), Some(Class::KNOWN.len()));
        let table = printed(None, false);
        assert!(Class::KNOWN.iter().all(|class| table.contains(class.as_str())), "{table}");
    }

    #[test]
    fn one_class_has_its_page() {
        let page = printed(Some("invalid_scope"), false);
        assert!(page.starts_with("invalid_scope: ") && page.contains("fix (workspace_admin)"), "{page}");
        let object: Value = serde_json::from_str(&printed(Some("invalid_scope"), true)).expect("JSON");
        assert_eq!(object["who_acts"], "workspace_admin");
        assert!(object["fix"]["workspace_admin"].is_string());
    }

    #[test]
    fn an_unknown_class_is_answered_with_the_nearest() {
        let args = CodesArgs { class: Some("forbiden".to_owned()), json: false };
        let error = run(&args, Vec::new()).expect_err("no such class");
        let unknown = error.downcast_ref::<UnknownClass>().expect("a fault of usage");
        assert_eq!(unknown.nearest[0], "forbidden");
    }
}
