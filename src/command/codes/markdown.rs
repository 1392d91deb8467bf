//! The pages of `docs/failures`: one a class, an index, and how each step is done in each client.
//!
//! Generated, never edited: `gatetrail codes --markdown docs/failures`. A test compares them with the data.

use super::page::{Page, Told, written};
use crate::classify::clients::{ACTIONS, Action, Clients};
use crate::classify::{Class, WhoActs};
use crate::event::vocabulary::ClosedEnum;

/// Name and text of every file.
#[must_use]
pub fn files(pages: &[Page]) -> Vec<(String, String)> {
    let mut files = vec![("README.md".to_owned(), index(pages)), ("clients.md".to_owned(), clients())];
    files.extend(pages.iter().map(|page| (format!("{}.md", page.class.as_str()), of_class(page))));
    files
}

const GENERATED: &str =
    "<!-- Made by `gatetrail codes --markdown docs/failures`: change src/classify/codes.d, not this file. -->\n\n";

fn index(pages: &[Page]) -> String {
    let mut text = format!("{GENERATED}# Failures\n\n");
    text.push_str(
        "Every verdict has one of these classes. The codes are stable: they are added to, never renamed. The same in a terminal: \
         `gatetrail codes`, `gatetrail codes CLASS`.\n\nA verdict names the rule that decided. The rule `wording` stands for none: the words \
         resemble those of known messages of this class. Such a verdict is weak.\n\n| class | what it means | who usually acts |\n|---|---|---|\n",
    );
    for page in pages {
        let class = page.class.as_str();
        text.push_str(&format!(
            "| [`{class}`]({class}.md) | {} | {} |\n",
            cell(&page.text.meaning),
            who(&page.text.who_acts)
        ));
    }
    text.push_str(
        "\nWhat people do in their client (sign in again, reconnect, change the address, start over) differs by client: \
         [clients.md](clients.md).\n",
    );
    text
}

fn of_class(page: &Page) -> String {
    let class = page.class.as_str();
    let mut text = format!("{GENERATED}# {}: `{class}`\n\n{}\n\n", page.text.title, page.text.meaning);
    text.push_str(&format!("**How it looks.** {}\n\n", page.text.looks));
    text.push_str(&format!("**Who usually acts.** {}\n", capital(&who(&page.text.who_acts))));
    if !page.text.reasons.is_empty() {
        text.push_str("\n## Reasons\n\n| reason | what it says |\n|---|---|\n");
        for (reason, meaning) in &page.text.reasons {
            text.push_str(&format!("| `{reason}` | {} |\n", cell(meaning)));
        }
    }
    if page.class != Class::None {
        text.push_str("\n## What to do\n\nNames in angle brackets are the request's own values.\n");
    }
    for told in &page.fixes {
        if page.class != Class::None {
            text.push_str(&for_audience(told));
        }
    }
    if !page.rules.is_empty() {
        text.push_str("\n## Rules that decide it\n\nIn the order in which they are asked, among all others.\n\n");
        text.push_str("| rule | reason | confidence | note |\n|---|---|---|---|\n");
        for rule in &page.rules {
            let reason = rule.reason.as_ref().map(|reason| format!("`{reason}`")).unwrap_or_default();
            let note = cell(rule.note.as_deref().unwrap_or_default());
            text.push_str(&format!("| `{}` | {reason} | {} | {note} |\n", rule.id, rule.confidence));
        }
    }
    text.push_str("\n## Sources\n\n");
    for source in &page.sources {
        text.push_str(&format!("- [{}]({})\n", source.section, source.url));
    }
    text
}

fn for_audience(told: &Told) -> String {
    let mut text = format!("\n### {}\n\n", capital(&who(told.audience.as_str())));
    for fix in &told.all {
        let only = if fix.only.is_empty() { String::new() } else { format!("*{}:* ", fix.only) };
        // The steps stand on a page of their own: they are the same for every class.
        let told = written(&plain(&fix.text), |action| {
            let (title, _) = heading(action);
            format!("[How, by client](clients.md#{}).", title.to_lowercase().replace('\'', "").replace(' ', "-"))
        });
        text.push_str(&format!("- {only}{told}\n"));
    }
    text
}

/// Under which heading the steps for an action stand, and what it is.
fn heading(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::SignInAgain => ("Sign in again", "Forget the stored sign-in and sign in."),
        Action::Reconnect => ("Reconnect", "Start a new session, keeping the sign-in."),
        Action::EditServer => ("Change the server's entry", "Its address, or the key that is sent."),
        Action::StartOver => ("Start over", "Remove the server and add it again, so that the client registers anew."),
    }
}

fn clients() -> String {
    let mut text = format!("{GENERATED}# How it is done in each client\n\n");
    text.push_str("A client is recognised by the name it gives itself (`client.name`), else by its user agent.\n");
    for (_, action) in ACTIONS {
        let (title, lead) = heading(action);
        text.push_str(&format!("\n## {title}\n\n{lead}\n\n"));
        for client in Clients::embedded().all().iter().map(Some).chain([None]) {
            text.push_str(&format!("- {}\n", plain(&Clients::embedded().step(client, action, "<server>"))));
        }
    }
    text
}

/// Who acts, in words.
fn who(code: &str) -> String {
    let words = match WhoActs::parse(code) {
        WhoActs::EndUser => "the person at the client",
        WhoActs::WorkspaceAdmin => "an admin of the workspace",
        WhoActs::IdentityProviderAdmin => "an admin of the identity provider",
        WhoActs::GatewayOperator => "whoever runs the gateway",
        WhoActs::ServerOwner => "whoever runs the MCP server",
        WhoActs::ClientVendor => "the maker of the client",
        WhoActs::Nobody | WhoActs::Unknown => "nobody",
    };
    words.to_owned()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Text that Markdown shows as it is, with `{name}` as ‹name›: `<name>` would be taken for HTML. The steps that differ by
/// client stay to be filled.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        plain.push_str(&escaped(before));
        match ACTIONS.iter().any(|(placeholder, _)| *placeholder == name) {
            true => plain.push_str(&format!("{{{name}}}")),
            false => plain.push_str(&format!("‹{}›", escaped(name))),
        }
        rest = behind;
    }
    plain.push_str(&escaped(rest));
    plain
}

fn escaped(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('_', "\\_")
}

/// Text within a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::files;
    use crate::command::codes::page::pages;

    /// `UPDATE_DOCS=1 cargo test --lib docs_failures` writes them anew.
    #[test]
    fn docs_failures_hold_what_the_data_says() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures");
        let files = files(&pages().expect("the embedded rules are sound"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            for (name, text) in &files {
                std::fs::write(folder.join(name), text).expect("the page can be written");
            }
        }
        let there: BTreeSet<String> = std::fs::read_dir(&folder)
            .expect("docs/failures is there")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        let made: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(there, made, "run `UPDATE_DOCS=1 cargo test --lib docs_failures`, and remove what is left over");
        for (name, text) in &files {
            let stored = std::fs::read_to_string(folder.join(name)).expect("a page");
            assert!(stored == *text, "docs/failures/{name} is old: run `UPDATE_DOCS=1 cargo test --lib docs_failures`");
        }
    }

    #[test]
    fn every_page_has_all_its_parts() {
        for (name, text) in files(&pages().expect("the embedded rules are sound")) {
            assert!(text.lines().all(|line| !line.contains(['{', '}'])), "{name}");
            if !["README.md", "clients.md", "none.md"].contains(&name.as_str()) {
                for part in ["**How it looks.**", "## What to do", "### The person at the client", "## Sources"] {
                    assert!(text.contains(part), "{name} lacks {part}");
                }
            }
        }
    }
}
