//! Picks what is asked for at random: requests by their id, and servers as often as they have events.

use anyhow::ensure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::store::Store;

/// Requests that go before the timed ones, of other targets.
pub const WARM_UP: u32 = 40;

/// Paths of one kind of request, the first [`WARM_UP`] of them for warming up.
pub struct Targets {
    /// What kind it is.
    pub name: &'static str,
    /// Paths with query.
    pub paths: Vec<String>,
}

#[derive(Deserialize)]
struct Server {
    workspace: String,
    slug: String,
}

#[derive(Deserialize)]
struct Request {
    id: String,
}

/// Paths for `requests` timed requests of each kind.
pub fn pick(store: &Store, requests: u32) -> anyhow::Result<Vec<Targets>> {
    let rows = store.number("SELECT count() FROM events")?;
    let wanted = requests + WARM_UP;
    let by_id = |condition: &str| -> anyhow::Result<Vec<String>> {
        let found: Vec<Request> = store.rows(
            &format!(
                "{} AND {condition} {}",
                include_str!("targets_requests.sql"),
                "ORDER BY rand() LIMIT {wanted:UInt32}"
            ),
            &[("wanted", wanted.to_string()), ("every", (rows / u64::from(wanted) / 100).max(1).to_string())],
        )?;
        Ok(found.into_iter().map(|request| format!("/v1/requests/{}", encoded(&request.id))).collect())
    };
    let by_server = |path: &str, condition: &str| -> anyhow::Result<Vec<String>> {
        let found: Vec<Server> = store.rows(
            &format!("{} AND {condition} ORDER BY rand() LIMIT {{wanted:UInt32}}", include_str!("targets_servers.sql")),
            &[("wanted", wanted.to_string())],
        )?;
        Ok(found
            .into_iter()
            .map(|server| format!("{path}?workspace={}&slug={}", encoded(&server.workspace), encoded(&server.slug)))
            .collect())
    };
    let all = [
        ("look-up by request_id, a UUIDv7", by_id("length(request_key) = 16")?),
        ("look-up by request_id, an id without time", by_id("length(request_key) != 16")?),
        ("refresh ledger of one server, 30 days", by_server("/v1/token-refreshes", "type = 'mcp.auth.refresh'")?),
        ("requests of one server, 24 hours", by_server("/v1/requests", "time > now() - INTERVAL 1 DAY")?),
    ];
    let mut targets = Vec::new();
    for (name, paths) in all {
        let found = paths.len();
        ensure!(found == wanted as usize, "{name}: {found} targets found of {wanted}; ask for more rows");
        targets.push(Targets { name, paths });
    }
    Ok(targets)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
