//! What stored events say of sign-ins and connections: for the memory of enrichment, after a start or when it had forgotten.
//!
//! One look at `lookup` says where and when they were seen, one statement reads what was said there, within bounds on rows:
//! whatever it leaves out is joined when a timeline is read. What was itself only inferred is left out.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use clickhouse::Client;
use serde::Deserialize;

use super::error::QueryError;
use super::sightings::{Extent, Sighting, sightings_of};
use super::statement::Statement;
use super::stored::id_of_key_hex;
use crate::enrich::memory::{Learned, Miss, MissKind};
use crate::event::ServerAuth;
use crate::event::vocabulary::ClosedEnum;

/// How far back of its last event something is read; what is older was said again since.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// How long before its miss something may have been seen last to be worth asking.
const OLDEST: TimeDelta = TimeDelta::days(30);
/// Most rows that are looked at, and that are answered.
const MOST_READ: u64 = 1_000_000;
const MOST_ROWS: u32 = 5_000;

#[derive(Deserialize)]
struct Row {
    flow: Option<String>,
    connection: Option<String>,
    request_hex: String,
    workspace: Option<String>,
    slug: Option<String>,
    user_id: Option<String>,
    oauth_issuer: Option<String>,
    server_auth: Option<String>,
    origins: String,
}

/// What stored events say of these, in no order; nothing of those that no event names.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn remembered_facts(client: &Client, misses: &[Miss]) -> Result<Vec<Learned>, QueryError> {
    let of_kind = |kind: MissKind| -> Vec<String> {
        misses.iter().filter(|miss| miss.kind == kind).map(|miss| miss.id.clone()).collect()
    };
    let (flows, connections) = (of_kind(MissKind::Flow), of_kind(MissKind::Connection));
    let ids: Vec<String> = flows.iter().chain(&connections).cloned().collect();
    let sightings = sightings_of(client, "flow", &ids).await?;
    let newest = misses.iter().map(|miss| miss.at).max().unwrap_or_default();
    let Some(extent) = last_seen(&sightings, newest - OLDEST, [("flow", &flows), ("connection", &connections)]) else {
        return Ok(Vec::new());
    };
    let rows: Vec<Row> = Statement::new(client, "remembered_facts", include_str!("sql/remembered_facts.sql"))
        .bind("flow_ids", &flows)
        .bind("connection_ids", &connections)
        .bind_extent(&extent)
        .bind("row_limit", MOST_ROWS)
        .reads_little()
        .read_at_most(MOST_READ)
        .rows()
        .await?;
    let (flows, connections) = (BTreeSet::from_iter(flows), BTreeSet::from_iter(connections));
    Ok(rows.into_iter().flat_map(|row| learned(row, &flows, &connections)).collect())
}

/// The part of `events` where these were seen last.
fn last_seen(
    sightings: &[Sighting],
    oldest: chrono::DateTime<chrono::Utc>,
    ids: [(&str, &Vec<String>); 2],
) -> Option<Extent> {
    let each = ids.into_iter().flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, std::slice::from_ref(id))));
    let last_of = |(kind, id): (&str, &[String])| {
        let seen = Extent::of(sightings, kind, id)?;
        let (first, last) = seen.span;
        (last >= oldest).then(|| Extent { span: (first.max(last - WINDOW), last), ..seen })
    };
    each.filter_map(last_of).reduce(Extent::and)
}

/// What a row says: of its sign-in, of its connection, or of both.
fn learned(row: Row, flows: &BTreeSet<String>, connections: &BTreeSet<String>) -> Vec<Learned> {
    let is_guess = |member: &str| row.origins.contains(&format!("\"{member}\":\"inferred\""));
    let certain = |member: &str, value: &Option<String>| value.clone().filter(|_| !is_guess(member));
    let of = |kind: MissKind, id: &str| Learned {
        kind,
        id: id.to_owned(),
        workspace: certain("workspace", &row.workspace),
        slug: certain("slug", &row.slug),
        user_id: certain("user_id", &row.user_id),
        request_id: certain("request_id", &id_of_key_hex(&row.request_hex)).filter(|_| kind == MissKind::Flow),
        connection_id: certain("connection_id", &row.connection).filter(|_| kind == MissKind::Flow),
        oauth_issuer: certain("oauth_issuer", &row.oauth_issuer),
        server_auth: row.server_auth.as_deref().and_then(ServerAuth::find),
    };
    let flow = row.flow.as_deref().filter(|id| flows.contains(*id)).map(|id| of(MissKind::Flow, id));
    let connection = row.connection.as_deref().filter(|id| connections.contains(*id));
    flow.into_iter().chain(connection.map(|id| of(MissKind::Connection, id))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Row, learned};
    use crate::enrich::memory::MissKind;
    use crate::event::ServerAuth;

    #[test]
    fn a_row_tells_of_its_sign_in_and_its_connection_and_hands_on_no_guess() {
        let row = || Row {
            flow: Some("f1".into()),
            connection: Some("c1".into()),
            request_hex: hex::encode_upper("r1"),
            workspace: Some("acme".into()),
            slug: Some("wiki".into()),
            user_id: Some("u1".into()),
            oauth_issuer: None,
            server_auth: Some("oauth_user".into()),
            origins: r#"{"slug":"url","user_id":"inferred"}"#.into(),
        };
        let only = |id: &str| BTreeSet::from([id.to_owned()]);
        let both = learned(row(), &only("f1"), &only("c1"));
        let kinds: Vec<(MissKind, &str)> = both.iter().map(|learned| (learned.kind, learned.id.as_str())).collect();
        assert_eq!(kinds, [(MissKind::Flow, "f1"), (MissKind::Connection, "c1")]);
        let (flow, connection) = (&both[0], &both[1]);
        assert_eq!((flow.request_id.as_deref(), flow.connection_id.as_deref()), (Some("r1"), Some("c1")));
        assert_eq!((connection.request_id.as_deref(), connection.server_auth), (None, Some(ServerAuth::OAuthUser)));
        assert_eq!((flow.slug.as_deref(), flow.user_id.as_deref()), (Some("wiki"), None));
        assert_eq!(learned(row(), &only("f2"), &only("c2")), []);
    }
}
