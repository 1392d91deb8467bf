//! Which verdicts the rules in force change, and the summary of it. Pure.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use comfy_table::{Cell, CellAlignment};
use serde::Serialize;

use super::counted;
use crate::classify::Verdict;
use crate::command::terminal::{OutputStyle, printable};
use crate::event::vocabulary::ClosedEnum;
use crate::query::stored::{StoredEvent, time_text};
use crate::store::Reclassification;

/// The verdict as a row of `reclassifications`, when it is not the one that counts for the event now.
///
/// All of it is compared: an answer shows hop, fix and evidence as well as the class.
pub(super) fn reclassification<'v>(
    event: &'v StoredEvent,
    verdict: &'v Verdict<'v, 'v>,
    class_version: &'v str,
) -> Option<Reclassification<'v>> {
    // A column that decided twice is stored once.
    let evidence: BTreeMap<&'static str, &str> =
        verdict.evidence.iter().map(|(column, value)| (*column, value.as_ref())).collect();
    let is_same = event.class == verdict.class
        && event.str("reason") == verdict.reason
        && event.class_hop == verdict.hop
        && event.who_acts == verdict.who_acts
        && event.str("rule") == Some(verdict.rule)
        && event.confidence == verdict.confidence
        && is_same_evidence(event, &evidence);
    if is_same {
        return None;
    }
    Some(Reclassification {
        time: time_text(event.time),
        type_name: &event.type_name,
        workspace: event.str("workspace"),
        slug: event.str("slug"),
        kafka_topic: event.str("kafka_topic")?,
        kafka_topic_id: event.str("kafka_topic_id"),
        kafka_partition: event.integer("kafka_partition")?,
        kafka_offset: event.integer("kafka_offset")?,
        kafka_index: event.integer("kafka_index")?,
        class: verdict.class.as_str(),
        reason: verdict.reason,
        class_hop: verdict.hop.as_str(),
        who_acts: verdict.who_acts.as_str(),
        rule: verdict.rule,
        class_version,
        confidence: verdict.confidence.as_str(),
        evidence,
    })
}

fn is_same_evidence(event: &StoredEvent, evidence: &BTreeMap<&'static str, &str>) -> bool {
    let stored = event.map("evidence");
    let stored = stored.iter().map(|(column, value)| (column.as_str(), value.as_str()));
    stored.eq(evidence.iter().map(|(column, value)| (*column, *value)))
}

/// How many verdicts change from one class to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// The class that counted so far.
    pub from: String,
    /// The class by the rules in force; the same one when only its reason, hop, rule or evidence changes.
    pub to: &'static str,
    /// Rows of `events`.
    pub rows: u64,
    /// A request with such an event.
    pub example_request_id: Option<String>,
    /// Such an event.
    pub example_event_id: String,
}

/// Counts of changes by (from, to).
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<(&'static str, &'static str), Change>);

impl Changes {
    /// Counts one; the first one that names a request is the example.
    pub(super) fn add(&mut self, event: &StoredEvent, to: &'static str) {
        let from = event.class.as_str();
        let change = self.0.entry((from, to)).or_insert_with(|| Change {
            from: from.to_owned(),
            to,
            rows: 0,
            example_request_id: None,
            example_event_id: event.event_id.clone(),
        });
        change.rows += 1;
        if change.example_request_id.is_none() {
            change.example_request_id = event.text("request_id");
            if change.example_request_id.is_some() {
                change.example_event_id.clone_from(&event.event_id);
            }
        }
    }

    /// Those of most rows first.
    pub(super) fn sorted(self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.0.into_values().collect();
        changes.sort_by(|one, other| {
            other.rows.cmp(&one.rows).then_with(|| (&one.from, one.to).cmp(&(&other.from, other.to)))
        });
        changes
    }
}

/// What came of it; the object of `--json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub dry_run: bool,
    /// Version of the rules in force.
    pub class_version: String,
    /// Rows of `events` that were classified again.
    pub rows: u64,
    /// Those whose verdict changes.
    pub changed: u64,
    /// Re-classifications written.
    pub written: u64,
    /// From what to what.
    pub changes: Vec<Change>,
}

/// Prints it for a person.
pub(super) fn write_summary(summary: &Summary, output: &mut impl Write, style: OutputStyle) -> std::io::Result<()> {
    let version = printable(&summary.class_version);
    writeln!(output, "{} classified again by rules {version}", counted(summary.rows, "event"))?;
    if summary.changes.is_empty() {
        return writeln!(output, "no verdict changes");
    }
    writeln!(output)?;
    let mut table = style.table(&["events", "class so far", "", "class now", "for example"]);
    for change in &summary.changes {
        let (arrow, to) =
            if change.from == change.to { ("=", "another reason, hop, rule or evidence") } else { ("→", change.to) };
        let example = match &change.example_request_id {
            Some(request_id) => printable(request_id),
            None => format!("event {}", printable(&change.example_event_id)),
        };
        table.add_row([
            Cell::new(change.rows).set_alignment(CellAlignment::Right),
            Cell::new(printable(&change.from)),
            Cell::new(arrow),
            Cell::new(to),
            Cell::new(example),
        ]);
    }
    writeln!(output, "{table}")?;
    writeln!(output)?;
    let changed = counted(summary.changed, "verdict");
    if summary.dry_run {
        writeln!(output, "{changed} would change; nothing was written")
    } else {
        writeln!(output, "{changed} changed; the rows of `events` stay as they arrived")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Change, Changes, Summary, reclassification, write_summary};
    use crate::classify::{Class, Confidence, Verdict, WhoActs};
    use crate::command::terminal::OutputStyle;
    use crate::event::Hop;
    use crate::query::stored::StoredEvent;

    fn stored(members: Value) -> StoredEvent {
        let mut row = json!({
            "event_id": "e1", "source": "//gateway/a", "type": "mcp.auth.token", "time": "2026-11-22T10:00:00.000120Z",
            "hop": "upstream", "outcome": "failure", "class": "forbidden", "reason": "policy", "class_hop": "upstream",
            "who_acts": "workspace_admin", "rule": "r", "confidence": "likely", "evidence": {"http_status": "403"},
            "slug": "wiki", "kafka_topic": "t", "kafka_topic_id": "id", "kafka_partition": 3, "kafka_offset": 7, "kafka_index": 0,
        });
        for (name, value) in members.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    fn verdict() -> Verdict<'static, 'static> {
        Verdict {
            class: Class::Forbidden,
            reason: Some("policy"),
            hop: Hop::Upstream,
            who_acts: WhoActs::WorkspaceAdmin,
            rule: "r",
            confidence: Confidence::Likely,
            evidence: vec![("http_status", "40".into()), ("http_status", "403".into())],
        }
    }

    #[test]
    fn the_same_verdict_is_no_change_and_a_difference_in_any_part_is_one() {
        let same = verdict();
        let event = stored(json!({"class_version": "older"}));
        assert!(reclassification(&event, &same, "2").is_none(), "only the version differs");
        let changed: [fn(&mut Verdict<'static, 'static>); 7] = [
            |verdict| verdict.class = Class::RateLimited,
            |verdict| verdict.reason = None,
            |verdict| verdict.hop = Hop::Downstream,
            |verdict| verdict.who_acts = WhoActs::EndUser,
            |verdict| verdict.rule = "s",
            |verdict| verdict.confidence = Confidence::Weak,
            |verdict| verdict.evidence = vec![("http_status", "404".into())],
        ];
        for (number, change) in changed.into_iter().enumerate() {
            let mut other = verdict();
            change(&mut other);
            assert!(reclassification(&event, &other, "2").is_some(), "{number}");
        }
    }

    #[test]
    fn a_change_names_its_row_and_the_new_verdict() {
        let other = Verdict { class: Class::RateLimited, reason: None, ..verdict() };
        let event = stored(json!({}));
        let row = serde_json::to_value(reclassification(&event, &other, "2").unwrap()).unwrap();
        assert_eq!(
            row,
            json!({"time": "2026-11-22T10:00:00.000120Z", "type": "mcp.auth.token", "workspace": null, "slug": "wiki",
                "kafka_topic": "t", "kafka_topic_id": "id", "kafka_partition": 3, "kafka_offset": 7, "kafka_index": 0,
                "class": "rate_limited", "reason": null, "class_hop": "upstream", "who_acts": "workspace_admin", "rule": "r",
                "class_version": "2", "confidence": "likely", "evidence": {"http_status": "403"}})
        );
    }

    #[test]
    fn changes_are_counted_and_an_example_with_a_request_is_preferred() {
        let mut changes = Changes::default();
        changes.add(&stored(json!({"class": "unclassified"})), "rate_limited");
        changes.add(&stored(json!({"class": "forbidden", "event_id": "e2"})), "forbidden");
        changes.add(&stored(json!({"class": "unclassified", "event_id": "e3", "request_id": "r3"})), "rate_limited");
        changes.add(&stored(json!({"class": "unclassified", "event_id": "e4", "request_id": "r4"})), "rate_limited");
        let sorted = changes.sorted();
        let said: Vec<(&str, &str, u64, Option<&str>, &str)> = sorted
            .iter()
            .map(|change| {
                let Change { from, to, rows, example_request_id, example_event_id } = change;
                (from.as_str(), *to, *rows, example_request_id.as_deref(), example_event_id.as_str())
            })
            .collect();
        assert_eq!(
            said,
            [("unclassified", "rate_limited", 3, Some("r3"), "e3"), ("forbidden", "forbidden", 1, None, "e2")]
        );
    }

    fn said(summary: &Summary) -> String {
        let mut output = Vec::new();
        write_summary(summary, &mut output, OutputStyle::Plain).unwrap();
        let lines: Vec<String> =
            String::from_utf8(output).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    #[test]
    fn a_summary_says_from_what_to_what() {
        let nothing = Summary { class_version: "2".into(), rows: 1, ..Summary::default() };
        assert_eq!(said(&nothing), "1 event classified again by rules 2\nno verdict changes");
        let change = |from: &str, to, rows, request: Option<&str>| Change {
            from: from.to_owned(),
            to,
            rows,
            example_request_id: request.map(str::to_owned),
            example_event_id: "e1".to_owned(),
        };
        let summary = Summary {
            dry_run: true,
            class_version: "2026-11-23.3".into(),
            rows: 120_345,
            changed: 415,
            written: 0,
            changes: vec![
                change("unclassified", "rate_limited", 412, Some("req-1\u{1b}[2J")),
                change("forbidden", "forbidden", 3, None),
            ],
        };
        insta::assert_snapshot!(said(&summary));
        let written = Summary { dry_run: false, written: 415, ..summary };
        assert!(said(&written).ends_with("415 verdicts changed; the rows of `events` stay as they arrived"));
    }
}
