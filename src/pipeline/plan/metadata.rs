//! What a plan looks like in Kafka: the metadata of a committed offset.
//!
//! `1|<next>|<schema>|<topic id>|<crc>`: the form's version, the end of the planned range (empty when there is no plan), the
//! version of the rows, the id of the topic (`-` when the broker tells none), and a CRC-32 over all that and the committed
//! offset, so that metadata which somebody else wrote or moved is not taken for a plan. About 50 bytes; Kafka's own limit is
//! `offset.metadata.max.bytes` (4,096 by default).

use super::{Commit, Range};

/// Version of the rows that a plan promises. Raised when the same records would become rows with other identities.
pub const ROW_SCHEMA: u32 = 1;

/// What was found beside a committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing, as committed by other tools (`kafka-consumer-groups --reset-offsets`) and earlier versions.
    Nothing,
    /// Ours.
    Ours {
        /// The planned range; `None` when the commit was progress alone.
        plan: Option<Range>,
        /// Version of the rows.
        schema: u32,
        /// The topic's id at that time; `None` when it was unknown.
        topic_id: Option<String>,
    },
    /// Something that is not ours, or damaged. It promises nothing.
    Foreign,
}

/// The metadata of a commit.
#[must_use]
pub fn encode(commit: Commit, topic_id: Option<&str>) -> String {
    let next = commit.plan.map(|plan| plan.next.to_string()).unwrap_or_default();
    let body = format!("1|{next}|{ROW_SCHEMA}|{}", topic_id.unwrap_or("-"));
    let checksum = checksum(commit.offset, &body);
    format!("{body}|{checksum:08x}")
}

/// Reads the metadata of the committed `offset`.
#[must_use]
pub fn decode(offset: i64, text: &str) -> Found {
    if text.is_empty() {
        return Found::Nothing;
    }
    parse(offset, text).unwrap_or(Found::Foreign)
}

fn parse(offset: i64, text: &str) -> Option<Found> {
    let (body, sum) = text.rsplit_once('|')?;
    if u32::from_str_radix(sum, 16).ok()? != checksum(offset, body) {
        return None;
    }
    let [version, next, schema, topic_id]: [&str; 4] = body.split('|').collect::<Vec<_>>().try_into().ok()?;
    if version != "1" {
        return None;
    }
    let plan = if next.is_empty() { None } else { Some(Range::new(offset, next.parse().ok()?)?) };
    let topic_id = (topic_id != "-").then(|| topic_id.to_owned());
    Some(Found::Ours { plan, schema: schema.parse().ok()?, topic_id })
}

fn checksum(offset: i64, body: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&offset.to_be_bytes());
    hasher.update(body.as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::{Found, ROW_SCHEMA, decode, encode};
    use crate::pipeline::plan::{Commit, Range};

    const ID: &str = "zs3WIGjSRjyjZFyBGHKaZA";

    #[test]
    fn what_was_written_is_read() {
        let plan = Range { first: 17, next: 9_000_000_000_000 };
        for (commit, topic_id) in [
            (Commit { offset: 17, plan: Some(plan) }, Some(ID)),
            (Commit { offset: 17, plan: None }, Some(ID)),
            (Commit { offset: 0, plan: None }, None),
        ] {
            let text = encode(commit, topic_id);
            assert!(text.len() < 100, "{text}");
            let expected = Found::Ours { plan: commit.plan, schema: ROW_SCHEMA, topic_id: topic_id.map(str::to_owned) };
            assert_eq!(decode(commit.offset, &text), expected);
        }
    }

    #[test]
    fn what_is_not_ours_or_was_moved_promises_nothing() {
        let text = encode(Commit { offset: 17, plan: Range::new(17, 20) }, Some(ID));
        assert_eq!(decode(17, ""), Found::Nothing);
        assert_eq!(decode(18, &text), Found::Foreign, "the plan of another offset");
        assert_eq!(decode(17, &text.replace("|20|", "|21|")), Found::Foreign);
        for foreign in ["NO_METADATA", "1|2|3", "||||", "2|20|1|-|00000000", "\u{0}"] {
            assert_eq!(decode(17, foreign), Found::Foreign, "{foreign}");
        }
    }
}
