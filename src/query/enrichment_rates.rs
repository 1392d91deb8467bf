//! How much is known about the events of a time, from what, and what stays empty: fill rates by member, origin and product.
//!
//! A rate is over the events that can have the member at all: a refresh in the background has no request, a service key no
//! user. What cannot be is not counted as missing. One statement groups, everything else is done here and pure.

use std::collections::BTreeMap;

use clickhouse::Client;
use serde::{Deserialize, Serialize};

use super::error::QueryError;
use super::filter::TimeRange;
use super::statement::Statement;
use crate::event::EventKind;

/// How long the statement may take; it reads every event of the range.
const PATIENCE_SECONDS: u64 = 120;

/// A member that enrichment is about, in the order of the statement's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Request,
    Workspace,
    Slug,
    User,
    Connection,
    Flow,
    Trace,
    ServerAuth,
    Issuer,
    CredentialKind,
}

impl Member {
    const ALL: [Self; 10] = [
        Self::Request,
        Self::Workspace,
        Self::Slug,
        Self::User,
        Self::Connection,
        Self::Flow,
        Self::Trace,
        Self::ServerAuth,
        Self::Issuer,
        Self::CredentialKind,
    ];

    fn column(self) -> &'static str {
        match self {
            Self::Request => "request_id",
            Self::Workspace => "workspace",
            Self::Slug => "slug",
            Self::User => "user_id",
            Self::Connection => "connection_id",
            Self::Flow => "flow_id",
            Self::Trace => "trace_id",
            Self::ServerAuth => "server_auth",
            Self::Issuer => "oauth_issuer",
            Self::CredentialKind => "credential_kind",
        }
    }

    /// What a gateway would have to send, or an operator to provide, where it is not known.
    fn hint(self) -> &'static str {
        match self {
            Self::Request => "send `request_id`, the same on both hops, or `traceparent` with one request a trace",
            Self::Workspace => {
                "send `workspace`, or `credential.key_id` of a registered key, or register the server on the registry topic"
            }
            Self::Slug => "send `slug`, or `url_path` of the inbound request",
            Self::User => {
                "send `user_id`, or `connection_id` or `flow_id` that another event names together with the user"
            }
            Self::Connection => {
                "send `connection_id`, or `user_id` and `oauth.issuer` (the registry can tell the issuer) with workspace and slug"
            }
            Self::Flow => "send `flow_id` (the keyed hash of `state`), the same for every leg of a sign-in",
            Self::Trace => "send `traceparent`",
            Self::ServerAuth => {
                "register the server with its `server_auth` on the registry topic, or send `server_auth`"
            }
            Self::Issuer => "send `oauth.issuer`, or register the server with its `issuer`",
            Self::CredentialKind => "send `credential.kind`, or `credential.key_id` of a registered key",
        }
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }

    /// Whether an event can have it.
    fn is_expected(self, row: &Row) -> bool {
        let kind = EventKind::of(&row.type_name);
        let upstream = row.hop == "upstream";
        let of_a_life = matches!(
            kind,
            EventKind::SessionOpened | EventKind::SessionClosed | EventKind::ServerState | EventKind::ConfigChanged
        );
        let is_auth = matches!(kind, EventKind::Token | EventKind::Refresh | EventKind::StepUp | EventKind::Connection);
        let at_the_door =
            matches!(kind, EventKind::Credential | EventKind::RequestCompleted | EventKind::RequestRejected);
        match self {
            Self::Workspace | Self::Slug => true,
            Self::Request => !of_a_life && row.has(CLIENT_ASKED),
            Self::User => !of_a_life && row.has(CAN_HAVE_USER),
            Self::Connection => upstream && is_auth,
            Self::Flow => row.has(SIGN_IN),
            // Of use where there is one, and nobody has to send it.
            Self::Trace => false,
            Self::ServerAuth => !of_a_life && (at_the_door || upstream),
            Self::Issuer => upstream && (is_auth || row.has(SIGN_IN)),
            Self::CredentialKind => at_the_door,
        }
    }
}

/// Bits beyond those of the members.
const CAN_HAVE_USER: u16 = 1 << 10;
const CLIENT_ASKED: u16 = 1 << 11;
const SIGN_IN: u16 = 1 << 12;

#[derive(Debug, Clone, Deserialize)]
struct Row {
    product: Option<String>,
    #[serde(rename = "type")]
    type_name: String,
    hop: String,
    origins: String,
    known: u16,
    events: u64,
}

impl Row {
    fn has(&self, bit: u16) -> bool {
        self.known & bit != 0
    }
}

/// How often one member is known, of the events that can have it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MemberRate {
    /// Column name.
    pub member: &'static str,
    /// Events that can have it.
    pub events: u64,
    /// Those that do.
    pub known: u64,
    /// From what, by origin; `event`: the event itself carried it.
    pub by_origin: BTreeMap<String, u64>,
}

impl MemberRate {
    /// Per cent of the events that know it; `None` when no event can.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts of events lie below 2^53")]
        let ratio = |known: u64, events: u64| known as f64 / events as f64 * 100.0;
        (self.events > 0).then(|| ratio(self.known, self.events))
    }
}

/// The rates of one gateway product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductRates {
    /// The product; `null` for events that do not name theirs.
    pub product: Option<String>,
    /// Its events.
    pub events: u64,
    /// Each member.
    pub members: Vec<MemberRate>,
}

/// A member that stays unknown in events of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenMember {
    /// The product; `null` for events that do not name theirs.
    pub product: Option<String>,
    /// Type of the events.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Their hop.
    pub hop: String,
    /// The member.
    pub member: &'static str,
    /// Events that could have it.
    pub events: u64,
    /// Those in which it is unknown.
    pub unknown: u64,
    /// What would have to be sent.
    pub hint: &'static str,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnrichmentRates {
    /// All events of the range.
    pub events: u64,
    /// Each member over all products.
    pub members: Vec<MemberRate>,
    /// The same by product, the one with most events first.
    pub products: Vec<ProductRates>,
    /// What stays unknown, most events first.
    pub open: Vec<OpenMember>,
}

/// The fill rates of the events of a range.
///
/// # Errors
/// [`QueryError`] of the store.
pub async fn enrichment_rates(client: &Client, range: TimeRange) -> Result<EnrichmentRates, QueryError> {
    let rows: Vec<Row> = Statement::new(client, "enrichment_counts", include_str!("sql/enrichment_counts.sql"))
        .bind_time("from", range.from)
        .bind_time("to", range.to)
        .may_take_seconds(PATIENCE_SECONDS)
        .rows()
        .await?;
    Ok(rates_of(&rows))
}

fn rates_of(rows: &[Row]) -> EnrichmentRates {
    let mut by_product: BTreeMap<Option<&str>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_product.entry(row.product.as_deref()).or_default().push(row);
    }
    let mut products: Vec<ProductRates> = by_product
        .into_iter()
        .map(|(product, rows)| ProductRates {
            product: product.map(str::to_owned),
            events: rows.iter().map(|row| row.events).sum(),
            members: members_of(&rows),
        })
        .collect();
    products.sort_by_key(|product| std::cmp::Reverse(product.events));
    EnrichmentRates {
        events: rows.iter().map(|row| row.events).sum(),
        members: members_of(&rows.iter().collect::<Vec<_>>()),
        products,
        open: open_members(rows),
    }
}

fn members_of(rows: &[&Row]) -> Vec<MemberRate> {
    let rate = |member: Member| {
        let mut rate = MemberRate { member: member.column(), ..MemberRate::default() };
        for row in rows {
            let is_known = row.has(member.bit());
            // What nobody expects and is there all the same is worth telling.
            if !is_known && !member.is_expected(row) {
                continue;
            }
            rate.events += row.events;
            if is_known {
                rate.known += row.events;
                *rate.by_origin.entry(origin_of(row, member)).or_default() += row.events;
            }
        }
        rate
    };
    Member::ALL.into_iter().map(rate).collect()
}

/// Where a known member came from.
fn origin_of(row: &Row, member: Member) -> String {
    let origins: BTreeMap<String, String> = serde_json::from_str(&row.origins).unwrap_or_default();
    origins.get(member.column()).cloned().unwrap_or_else(|| "event".to_owned())
}

/// Product, type, hop and member.
type Place<'r> = (Option<&'r str>, &'r str, &'r str, Member);

fn open_members(rows: &[Row]) -> Vec<OpenMember> {
    let mut counts: BTreeMap<Place<'_>, (u64, u64)> = BTreeMap::new();
    for row in rows {
        for member in Member::ALL.into_iter().filter(|member| member.is_expected(row)) {
            let key = (row.product.as_deref(), row.type_name.as_str(), row.hop.as_str(), member);
            let (events, unknown) = counts.entry(key).or_default();
            *events += row.events;
            *unknown += if row.has(member.bit()) { 0 } else { row.events };
        }
    }
    let open = counts.into_iter().filter(|(_, (_, unknown))| *unknown > 0);
    let mut open: Vec<OpenMember> = open
        .map(|((product, type_name, hop, member), (events, unknown))| OpenMember {
            product: product.map(str::to_owned),
            type_name: type_name.to_owned(),
            hop: hop.to_owned(),
            member: member.column(),
            events,
            unknown,
            hint: member.hint(),
        })
        .collect();
    open.sort_by_key(|member| std::cmp::Reverse(member.unknown));
    open
}

#[cfg(test)]
mod tests {
    use super::{CAN_HAVE_USER, CLIENT_ASKED, Member, Row, SIGN_IN, rates_of};

    fn row(type_name: &str, hop: &str, known: &[Member], flags: u16, origins: &str, events: u64) -> Row {
        Row {
            product: Some("portkey".to_owned()),
            type_name: type_name.to_owned(),
            hop: hop.to_owned(),
            origins: origins.to_owned(),
            known: known.iter().map(|member| member.bit()).sum::<u16>() | flags,
            events,
        }
    }

    #[test]
    fn rates_are_over_events_that_can_have_the_member_and_by_origin() {
        use Member::{Connection, Flow, Request, Slug, User, Workspace};
        let rows = [
            row(
                "mcp.auth.callback",
                "upstream",
                &[Request, Workspace, Slug, User, Flow],
                CAN_HAVE_USER | CLIENT_ASKED | SIGN_IN,
                r#"{"request_id":"flow","slug":"url"}"#,
                60,
            ),
            row("mcp.auth.callback", "upstream", &[Flow], CAN_HAVE_USER | CLIENT_ASKED | SIGN_IN, "", 20),
            // In the background, so no request is missing.
            row("mcp.auth.refresh", "upstream", &[Workspace, Slug, Connection], CAN_HAVE_USER, "", 20),
        ];
        let rates = rates_of(&rows);
        assert_eq!(rates.events, 100);
        let of = |name: &str| rates.members.iter().find(|rate| rate.member == name).unwrap();
        let request = of("request_id");
        assert_eq!((request.events, request.known, request.percent()), (80, 60, Some(75.0)));
        assert_eq!(request.by_origin, [("flow".to_owned(), 60)].into());
        let slug = of("slug");
        assert_eq!((slug.events, slug.known), (100, 80));
        assert_eq!(slug.by_origin, [("event".to_owned(), 20), ("url".to_owned(), 60)].into());
        assert_eq!((of("trace_id").events, of("trace_id").percent()), (0, None));
        assert_eq!((of("connection_id").events, of("connection_id").known), (20, 20));

        let open: Vec<(&str, &str, u64, u64)> =
            rates.open.iter().map(|open| (open.type_name.as_str(), open.member, open.events, open.unknown)).collect();
        assert!(open.contains(&("mcp.auth.callback", "request_id", 80, 20)), "{open:?}");
        assert!(open.contains(&("mcp.auth.refresh", "user_id", 20, 20)), "{open:?}");
        assert!(
            !open.iter().any(|(type_name, member, ..)| (*type_name, *member) == ("mcp.auth.refresh", "request_id"))
        );
        assert!(open.is_sorted_by_key(|(.., unknown)| std::cmp::Reverse(*unknown)), "{open:?}");
    }
}
