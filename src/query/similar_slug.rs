//! Which registered server a slug was meant to name: the one of the caller's own workspace whose name is most like it.
//!
//! A workspace's servers are those of whose calls events tell; other workspaces' are never looked at.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::statement::Statement;
use crate::classify::spelling::edit_distance;

/// How far back of the request a server counts as registered.
const KNOWN_FOR: TimeDelta = TimeDelta::days(7);
/// How many rows that may cost; past it a server may be overlooked.
const ROWS: u64 = 2_000_000;

#[derive(Deserialize)]
struct Known {
    slug: String,
}

/// The server of the workspace whose name is most like `slug`, where one is like it.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn similar_slug(
    client: &Client,
    workspace: &str,
    slug: &str,
    at: DateTime<Utc>,
) -> Result<Option<String>, QueryError> {
    let known: Vec<Known> = Statement::new(client, "slugs_of_workspace", include_str!("sql/slugs_of_workspace.sql"))
        .bind("workspace", workspace)
        .bind_time("first", at - KNOWN_FOR)
        .bind_time("last", at)
        .read_at_most(ROWS)
        .rows()
        .await?;
    Ok(most_similar(slug, known.into_iter().map(|known| known.slug)))
}

/// The name that is most like `slug`: a third of its letters may differ, or one holds the other (`github`, `github-mcp`).
fn most_similar(slug: &str, names: impl Iterator<Item = String>) -> Option<String> {
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
    let similar = names.filter(|name| name != slug).filter_map(|name| Some((distance(&name)?, name)));
    similar.min().map(|(_, name)| name)
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
            assert_eq!(found.as_deref(), expected, "{slug}");
        }
        assert_eq!(most_similar("github", std::iter::once("github".to_owned())), None);
    }
}
