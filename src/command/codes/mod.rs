//! `gatetrail codes [CLASS]`: what each class of failure means, who acts, and what to do.
//!
//! The same data as a table, as the page of one class for a terminal, as JSON, and (`--markdown DIR`) as the pages of
//! `docs/failures`. What stands on a page is gathered in [`page`]; it is written here and in [`markdown`].

mod markdown;
mod page;
mod sources;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::classify::Class;
use crate::classify::clients::Clients;
use crate::classify::codes::Codes;
use crate::classify::spelling::edit_distance;
use crate::event::vocabulary::ClosedEnum;
use page::{Page, pages, written};

/// Arguments of `gatetrail codes`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CodesArgs {
    /// Only this class
    #[arg(value_name = "CLASS")]
    pub class: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write the page of every class, an index and the clients' steps as Markdown into this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["class", "json"])]
    pub markdown: Option<PathBuf>,
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
    if let Some(folder) = &args.markdown {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let files = markdown::files(&pages()?);
        for (name, text) in &files {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        writeln!(output, "{} pages are in {}", files.len(), folder.display())?;
        return Ok(());
    }
    let wanted = args.class.as_deref().map(class_named).transpose()?;
    let pages: Vec<Page> = pages()?.into_iter().filter(|page| wanted.is_none_or(|class| class == page.class)).collect();
    match (wanted, args.json) {
        (Some(_), true) => pages.iter().try_for_each(|page| write_json(&mut output, &page_json(page)))?,
        (Some(_), false) => pages.iter().try_for_each(|page| write_page(&mut output, page))?,
        (None, true) => write_json(&mut output, &pages.iter().map(page_json).collect())?,
        (None, false) => {
            let mut table = Table::new();
            table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(["class", "who acts", "meaning"]);
            for (class, text) in Codes::embedded().all() {
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

fn page_json(page: &Page) -> Value {
    let reasons: std::collections::BTreeSet<&str> =
        page.text.fix.iter().flat_map(|fix| fix.reason.0.iter().map(String::as_str)).collect();
    let usual: serde_json::Map<String, Value> = page
        .fixes
        .iter()
        .filter_map(|told| Some((told.audience.as_str().to_owned(), Value::String(told.usual.clone()?))))
        .collect();
    let fixes = page.fixes.iter().flat_map(|told| {
        told.all.iter().map(|fix| json!({"audience": told.audience.as_str(), "only": fix.only, "text": in_any_client(&fix.text)}))
    });
    let rules =
        page.rules.iter().map(|rule| json!({"id": rule.id, "reason": rule.reason, "note": rule.note, "confidence": rule.confidence}));
    let sources = page.sources.iter().map(|source| json!({"section": source.section, "url": source.url}));
    json!({
        "class": page.class.as_str(),
        "title": page.text.title,
        "meaning": page.text.meaning,
        "looks": page.text.looks,
        "who_acts": page.text.who_acts,
        "reasons": page.text.reasons,
        "reasons_with_own_fix": reasons,
        "fix": usual,
        "fixes": fixes.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "sources": sources.collect::<Vec<_>>(),
    })
}

fn write_page(output: &mut impl Write, page: &Page) -> anyhow::Result<()> {
    writeln!(output, "{}: {}", page.class.as_str(), page.text.title)?;
    writeln!(output, "  meaning   {}", page.text.meaning)?;
    writeln!(output, "  looks     {}", page.text.looks)?;
    writeln!(output, "  who acts  {}", page.text.who_acts)?;
    for (reason, meaning) in &page.text.reasons {
        writeln!(output, "  reason    {reason}: {meaning}")?;
    }
    for told in &page.fixes {
        for fix in &told.all {
            let only = if fix.only.is_empty() { String::new() } else { format!(", {}", fix.only) };
            writeln!(output, "  fix ({}{only})  {}", told.audience.as_str(), in_any_client(&fix.text))?;
        }
    }
    for rule in &page.rules {
        let about = [&rule.reason, &rule.note].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
        let about = if about.is_empty() { about } else { format!(" ({about})") };
        writeln!(output, "  rule      {}, {}{about}", rule.id, rule.confidence)?;
    }
    for source in &page.sources {
        writeln!(output, "  source    {} <{}>", source.section, source.url)?;
    }
    Ok(())
}

/// The text with the steps that hold in most clients.
fn in_any_client(text: &str) -> String {
    written(text, |action| Clients::embedded().step(None, action, "<server>"))
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
        let args = CodesArgs { class: class.map(str::to_owned), json, markdown: None };
        run(&args, &mut output).expect("runs");
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
        assert!(page.contains("source    RFC 6749 §3.3 <https://www.rfc-editor.org/rfc/rfc6749#section-3.3>"), "{page}");
        let object: Value = serde_json::from_str(&printed(Some("invalid_scope"), true)).expect("JSON");
        assert_eq!(object["who_acts"], "workspace_admin");
        assert!(object["fix"]["workspace_admin"].is_string());
        assert!(object["fixes"].as_array().is_some_and(|fixes| fixes.len() > 2), "{object}");
        assert!(object["rules"].as_array().is_some_and(|rules| !rules.is_empty()), "{object}");
    }

    #[test]
    fn an_unknown_class_is_answered_with_the_nearest() {
        let args = CodesArgs { class: Some("forbiden".to_owned()), ..CodesArgs::default() };
        let error = run(&args, Vec::new()).expect_err("no such class");
        let unknown = error.downcast_ref::<UnknownClass>().expect("a fault of usage");
        assert_eq!(unknown.nearest[0], "forbidden");
    }
}
