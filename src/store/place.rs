//! Where in the table `events` a member of an event is stored.
//!
//! ClickHouse pays by the physical column: at every insert, at every merge, and at every look-up that wants all of an event.
//! So few members have a column of their own. What goes together in a few hundred combinations is one dictionary column
//! of JSON objects ([`Group`]), and what is rare or mostly unique is one JSON object a row. Under its own name every
//! member is an alias in `schemas/clickhouse/0001_events/01_grouped_events.sql`; a test below holds the two together.

use crate::event::FieldId;

/// A dictionary column: each of its values is a JSON object of members that vary together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The gateway that reports; with `source`, topic and rules.
    Reporter,
    /// The MCP server as it is registered.
    Server,
    /// The program at the other end.
    Client,
    /// What was done and how it ended.
    Step,
}

impl Group {
    /// Every group whose members are members of the event.
    pub const ALL: [Self; 4] = [Self::Reporter, Self::Server, Self::Client, Self::Step];

    /// The name of the column.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Reporter => "reporter",
            Self::Server => "server",
            Self::Client => "client",
            Self::Step => "step",
        }
    }
}

/// Where a member is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a physical column of its own.
    Own,
    /// In a dictionary column of objects.
    In(Group),
    /// In the object `links`: ids of other things that few events carry, apart from `rest` since the look-up table is
    /// made from them.
    Links,
    /// In the object `rest`.
    Rest,
}

/// Where this member is stored.
#[must_use]
pub const fn place_of(field: FieldId) -> Place {
    use FieldId as F;
    match field {
        F::workspace
        | F::slug
        | F::user_id
        | F::connection_id
        | F::credential_key_id
        | F::request_id
        | F::duration_ms
        | F::upstream_duration_ms => Place::Own,
        F::organization
        | F::gateway_product
        | F::gateway_version
        | F::gateway_instance
        | F::gateway_deployment
        | F::gateway_base_url => Place::In(Group::Reporter),
        F::server_url | F::server_auth | F::config_version | F::oauth_issuer | F::url_path => Place::In(Group::Server),
        F::client_name | F::client_version | F::user_agent | F::mcp_protocol_version => Place::In(Group::Client),
        F::hop
        | F::outcome
        | F::http_method
        | F::http_status
        | F::http_upstream_status
        | F::http_answered_by
        | F::http_content_type
        | F::mcp_method
        | F::mcp_tool
        | F::mcp_prompt
        | F::initiator
        | F::credential_kind
        | F::credential_sent
        | F::request_id_trust
        | F::token_kind
        | F::token_trigger
        | F::token_rotated
        | F::token_attempt => Place::In(Group::Step),
        F::client_request_id | F::caused_by | F::flow_id | F::http_upstream_request_id => Place::Links,
        _ => Place::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, place_of};
    use crate::event::FieldId;

    const TABLE: &str = include_str!("../../schemas/clickhouse/0001_events/01_grouped_events.sql");

    const VIEW: &str = include_str!("../../schemas/clickhouse/0005_reclassifications/02_classified_events.sql");

    /// The definition of a column, after its name.
    fn definition(column: &str) -> &'static str {
        let start = format!("    {column} ");
        TABLE.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap_or_else(|| panic!("no column {column}"))
    }

    #[test]
    fn every_member_is_queried_where_it_is_stored() {
        for field in FieldId::ALL {
            let definition = definition(field.column());
            let object = match place_of(*field) {
                Place::Own => continue,
                Place::In(group) => group.column(),
                Place::Links => "links",
                Place::Rest => "rest",
            };
            let read = format!("({object}, '{}'", field.column());
            assert!(definition.contains("ALIAS") && definition.contains(&read), "{}: {definition}", field.column());
        }
    }

    #[test]
    fn the_view_of_verdicts_has_every_column_of_the_table_in_both_halves() {
        let table = TABLE.split_once("\n(\n").unwrap().1.split_once("\n)\n").unwrap().0;
        let columns = table.lines().filter_map(|line| {
            let name = line.strip_prefix("    ")?.split(' ').next()?;
            name.starts_with(|letter: char| letter.is_ascii_lowercase()).then_some(name)
        });
        let (first, second) = VIEW.split_once("UNION ALL").unwrap();
        let has = |half: &str, column: &str| {
            let list = half.split_once("SELECT\n").unwrap().1.split_once("\nFROM ").unwrap().0;
            let mut items = list.split([',', '\n']).map(str::trim);
            items.any(|item| item == column || item.ends_with(&format!(" AS {column}")))
        };
        let mut seen = 0;
        for column in columns {
            seen += 1;
            assert!(has(first, column) && has(second, column), "{column}");
        }
        assert!(seen > 100, "the columns are found at all: {seen}");
    }

    #[test]
    fn what_stands_in_no_table_of_members_is_queried_under_its_name_too() {
        for column in ["event_id", "source", "trace_id", "span_id", "kafka_topic", "kafka_topic_id", "class_version"] {
            assert!(definition(column).contains("ALIAS"), "{column}");
        }
        for column in ["class", "reason", "class_hop", "who_acts", "rule", "confidence", "origins", "redactions"] {
            assert!(definition(column).contains("(derived, '"), "{column}");
        }
        for column in ["type", "time", "received_at", "kafka_partition", "kafka_offset", "kafka_index", "inserted_at"] {
            assert!(!definition(column).contains("ALIAS"), "{column}");
        }
    }
}
