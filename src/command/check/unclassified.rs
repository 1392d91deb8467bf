//! `gatetrail check unclassified`: what failed and was not understood, put together by shape, so that the next rule is easy to write.
//!
//! Classes are those of the rules in force, as far as events were re-classified. That something was not understood is an answer and
//! no failure: exit 0.

mod groups;
mod shape;
mod skeleton;

use std::io::Write;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use clickhouse::Client;
use comfy_table::{Cell, CellAlignment};
use serde::Serialize;

use self::groups::{Group, Groups};
use self::skeleton::skeleton;
use crate::command::Exit;
use crate::command::terminal::{BOLD, FAINT, OutputStyle, printable, printable_start};
use crate::query::unexplained::unexplained_texts;
use crate::query::{QueryError, TimeRange, parse_time};

/// How far back it goes without `--from`.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(24);
/// Characters of a text in the list.
const TEXT_CHARACTERS: usize = 300;

/// What `check unclassified` takes.
#[derive(Debug, Clone, Args)]
pub struct UnclassifiedArgs {
    /// From this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: -24h]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Also what only a weak rule explains, as a second list
    #[arg(long)]
    weak: bool,
    /// Most groups of each list, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print the beginning of a rule for the N-th group of the first list, to be completed and put into the rules file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), conflicts_with_all = ["json", "weak"])]
    rule: Option<u16>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// The answer; the object of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Report {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    unclassified: List,
    /// Absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    weak: Option<List>,
}

/// One list of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct List {
    /// Events of all groups.
    events: u64,
    /// Number of groups, those that are not listed included.
    shapes: usize,
    /// Whether every text was looked at; the rarest of a busy time are left out.
    complete: bool,
    /// The largest groups.
    groups: Vec<Group>,
}

/// Prints what was not understood.
///
/// # Errors
/// A time that cannot be read, what keeps the store from answering ([`QueryError`]), or the output from being written.
pub async fn run(
    args: &UnclassifiedArgs,
    client: &Client,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let times = args.times(now)?;
    let limit = usize::from(args.rule.unwrap_or(args.limit));
    let unclassified = list(client, times, false, limit).await?;
    if let Some(number) = args.rule {
        return write_rule(out, &unclassified, usize::from(number));
    }
    let weak = if args.weak { Some(list(client, times, true, limit).await?) } else { None };
    let report = Report { from: times.from, to: times.to, unclassified, weak };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        write_report(out, &report, style)?;
    }
    Ok(Exit::Ok)
}

impl UnclassifiedArgs {
    fn times(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        let time = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, now)).transpose()
        };
        TimeRange::of(time("from", &self.from)?, time("to", &self.to)?, now, DEFAULT_LENGTH)
    }
}

async fn list(client: &Client, times: TimeRange, weak: bool, limit: usize) -> Result<List, QueryError> {
    let mut groups = Groups::default();
    let all = unexplained_texts(client, times, weak, &mut |text| groups.add(text)).await?;
    let left_out = groups.left_out;
    let mut sorted = groups.sorted();
    let (shapes, listed) = (sorted.len(), sorted.iter().map(|group| group.events).sum::<u64>());
    sorted.truncate(limit);
    Ok(List { events: listed + left_out, shapes, complete: all && left_out == 0, groups: sorted })
}

fn write_rule(out: &mut impl Write, list: &List, number: usize) -> anyhow::Result<Exit> {
    match list.groups.get(number - 1) {
        Some(group) => {
            write!(out, "{}", skeleton(group))?;
            Ok(Exit::Ok)
        }
        None => {
            writeln!(out, "there are only {} groups in this time", list.groups.len())?;
            Ok(Exit::NotFound)
        }
    }
}

fn write_report(out: &mut impl Write, report: &Report, style: OutputStyle) -> std::io::Result<()> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let range = format!("from {} to {}", time(report.from), time(report.to));
    if report.unclassified.groups.is_empty() {
        writeln!(out, "a rule explains every failure {range}")?;
    } else {
        let list = &report.unclassified;
        let title = format!("{} that no rule explains, {range}", counts(list));
        writeln!(out, "{}", style.paint(&title, BOLD))?;
        write_list(out, list, style)?;
        writeln!(out, "\n`gatetrail check unclassified --rule N` prints the beginning of a rule for the N-th")?;
    }
    match &report.weak {
        None => Ok(()),
        Some(weak) if weak.groups.is_empty() => writeln!(out, "\nno verdict {range} is weak"),
        Some(weak) => {
            let title = format!("{} that only a weak rule explains", counts(weak));
            writeln!(out, "\n{}", style.paint(&title, BOLD))?;
            write_list(out, weak, style)
        }
    }
}

fn counts(list: &List) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let events = usize::try_from(list.events).unwrap_or(usize::MAX);
    format!("{events} event{} in {} shape{}", plural(events), list.shapes, plural(list.shapes))
}

fn write_list(out: &mut impl Write, list: &List, style: OutputStyle) -> std::io::Result<()> {
    let mut table = style.table(&[
        "",
        "events",
        "first seen",
        "last seen",
        "step",
        "status",
        "code",
        "gateway",
        "verdict",
        "example",
    ]);
    for (number, group) in (1..).zip(&list.groups) {
        let key = &group.key;
        let time = |time: DateTime<Utc>| Cell::new(time.to_rfc3339_opts(SecondsFormat::Secs, true));
        let text = |value: &Option<String>| value.as_deref().map(printable).unwrap_or_default();
        let codes = [key.code.clone(), key.rpc_code.map(|code| code.to_string())];
        let codes: Vec<String> = codes.into_iter().flatten().collect();
        let verdict = if key.class == key.rule { key.class.clone() } else { format!("{} by {}", key.class, key.rule) };
        table.add_row([
            Cell::new(number).set_alignment(CellAlignment::Right),
            Cell::new(group.events).set_alignment(CellAlignment::Right),
            time(group.first_seen),
            time(group.last_seen),
            Cell::new(key.step),
            Cell::new(key.status.map(|status| status.to_string()).unwrap_or_default()),
            Cell::new(printable(&codes.join(" "))),
            Cell::new(text(&key.gateway_product)),
            Cell::new(printable(&verdict)),
            Cell::new(
                group
                    .example_request_id
                    .as_deref()
                    .map_or_else(|| format!("event {}", printable(&group.example_event_id)), printable),
            ),
        ]);
    }
    writeln!(out, "{table}")?;
    for (number, group) in (1..).zip(&list.groups) {
        let (Some(shape), Some(text)) = (&group.key.shape, &group.example_text) else {
            writeln!(out, "\n{number}  {}", style.paint("nothing was said", FAINT))?;
            continue;
        };
        writeln!(out, "\n{number}  {}", printable(shape))?;
        writeln!(out, "   {}", style.paint(&printable_start(text, TEXT_CHARACTERS), FAINT))?;
    }
    if list.shapes > list.groups.len() {
        writeln!(out, "\n{} more shapes: --limit", list.shapes - list.groups.len())?;
    }
    if !list.complete {
        writeln!(out, "\nthere are more texts than are looked at; the rarest are left out: narrow the time")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::groups::Groups;
    use super::groups::tests::text;
    use super::{List, OutputStyle, Report, write_report, write_rule};
    use crate::command::Exit;

    fn list(members: Vec<serde_json::Value>) -> List {
        let mut groups = Groups::default();
        members.into_iter().for_each(|members| groups.add(text(members)));
        let groups = groups.sorted();
        List { events: groups.iter().map(|group| group.events).sum(), shapes: groups.len(), complete: true, groups }
    }

    fn said(report: &Report) -> String {
        let mut out = Vec::new();
        write_report(&mut out, report, OutputStyle::Plain).unwrap();
        let lines: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    fn report(unclassified: List, weak: Option<List>) -> Report {
        Report {
            from: "2026-11-21T10:00:00Z".parse().unwrap(),
            to: "2026-11-22T10:00:00Z".parse().unwrap(),
            unclassified,
            weak,
        }
    }

    #[test]
    fn the_report_for_a_terminal() {
        let mut unclassified = list(vec![
            json!({"distinct_events": 412, "example_request_id": "r1", "message": "vault 17 is sealed\u{1b}[2J for \"jo\""}),
            json!({"distinct_events": 3, "message": null, "code": "server_error", "rpc_code": -32050, "gateway_product": null}),
        ]);
        unclassified.shapes = 7;
        unclassified.complete = false;
        let weak = list(vec![json!({"class": "tool_error", "rule": "tool.left", "message": "it did not work"})]);
        insta::assert_snapshot!(said(&report(unclassified, Some(weak))));
    }

    #[test]
    fn nothing_to_say_is_said() {
        assert_eq!(
            said(&report(list(Vec::new()), Some(list(Vec::new())))),
            "a rule explains every failure from 2026-11-21T10:00:00Z to 2026-11-22T10:00:00Z\n\n\
             no verdict from 2026-11-21T10:00:00Z to 2026-11-22T10:00:00Z is weak"
        );
    }

    #[test]
    fn a_rule_for_a_group_that_is_not_there_ends_with_3() {
        let one = list(vec![json!({})]);
        let mut out = Vec::new();
        assert_eq!(write_rule(&mut out, &one, 1).unwrap(), Exit::Ok);
        assert!(String::from_utf8(out).unwrap().contains("[[rule]]"));
        assert_eq!(write_rule(&mut Vec::new(), &one, 2).unwrap(), Exit::NotFound);
    }
}
