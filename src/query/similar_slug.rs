//! Which registered server a slug was meant to name: the one of the caller's own workspace whose name is most like it.
//!
//! A workspace's servers are those of whose calls events tell; other workspaces' are never looked at.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;
use super::stored::StoredEvent;
use super::verdict::decide;
use crate::classify::Class;
use crate::classify::spelling::edit_distance;
use crate::event::Hop;

/// How far back of the request a server counts as registered, the last day first, and how many rows that may cost; past them a
/// server may be overlooked.
const KNOWN_FOR: [(TimeDelta, u64); 2] = [(TimeDelta::days(1), 500_000), (TimeDelta::days(7), 2_000_000)];

/// How many letters a name of the last day may be off, so that a nearer one is not looked for further back.
const NEAR: usize = 1;

#[derive(Deserialize)]
struct Known {
    slug: String,
}

/// The workspace in which a server is looked for, under which name, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeantServer {
    workspace: String,
    slug: String,
    at: DateTime<Utc>,
}

impl MeantServer {
    /// What is to be asked when the gateway knows no server of this name; `None` when it does. Pure.
    #[must_use]
    pub fn of(events: &[StoredEvent]) -> Option<Self> {
        let deciding = decide(events).deciding.filter(|event| event.class == Class::ServerNotFound)?;
        let (workspace, slug) = (deciding.str("workspace")?, deciding.str("slug")?);
        let is_here = deciding.class_hop != Hop::Upstream;
        is_here.then(|| Self { workspace: workspace.to_owned(), slug: slug.to_owned(), at: deciding.time })
    }

    /// The server of the workspace whose name is most like it, where one is like it.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask(&self, client: &Client) -> Result<Option<String>, QueryError> {
        let mut nearest = None;
        for (window, rows) in KNOWN_FOR {
            let known: Vec<Known> =
                Statement::new(client, "slugs_of_workspace", include_str!("sql/slugs_of_workspace.sql"))
                    .bind("workspace", &self.workspace)
                    .bind_time("first", self.at - window)
                    .bind_time("last", self.at)
                    .read_at_most(rows)
                    .rows()
                    .await?;
            let similar = most_similar(&self.slug, known.into_iter().map(|known| known.slug));
            let is_near = matches!(similar, Some((letters, _)) if letters <= NEAR);
            nearest = similar.or(nearest);
            if is_near {
                break;
            }
        }
        Ok(nearest.map(|(_, name)| name))
    }
}

/// The name that is most like `slug`: a third of its letters may differ, or one holds the other (`github`, `github-mcp`).
/// Before it, how many letters differ.
fn most_similar(slug: &str, names: impl Iterator<Item = String>) -> Option<(usize, String)> {
    const SHORTEST_PART: usize = 3;
    let plain = |name: &str| name.to_lowercase().replace(['_', '.', ' '], "-");
    let wanted = plain(slug);
    let holds = |long: &str, short: &str| short.len() >= SHORTEST_PART && long.split('-').any(|part| part == short);
    let distance = |name: &String| {
        let candidate = plain(name);
        let letters = edit_distance(&candidate, &wanted);
        let is_near = letters * 3 <= candidate.chars().count().max(wanted.chars().count());
        let is_part = holds(&candidate, &wanted) || holds(&wanted, &candidate);
        (is_near || is_part).then_some(letters)
    };
    names.filter(|name| name != slug).filter_map(|name| Some((distance(&name)?, name))).min()
}

#[cfg(test)]
mod tests {
    use super::most_similar;

    #[test]
    fn the_server_that_was_meant_is_found_and_no_other() {
        let names = ["github", "jira", "notes", "wiki-internal"];
        for (slug, expected) in [
            ("githbu", Some("github")),
            ("GitHub", Some("github")),
            ("github-mcp", Some("github")),
            ("wiki", Some("wiki-internal")),
            ("note", Some("notes")),
            ("linear", None),
            ("0198f3c2-7d1e-7a55-9c1b-6f0d2b9a4e10", None),
            ("x", None),
        ] {
            let found = most_similar(slug, names.iter().map(|name| (*name).to_owned()));
            assert_eq!(found.as_ref().map(|(_, name)| name.as_str()), expected, "{slug}");
        }
        assert_eq!(most_similar("github", std::iter::once("github".to_owned())), None);
    }
}
