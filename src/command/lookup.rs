//! `gatetrail lookup ID`: the verdict and the timeline of one request, for a person or as JSON.
//!
//! The JSON is the object of `GET /v1/requests/{id}`. This file asks one question and prints; it decides nothing.

use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use clickhouse::Client;
use comfy_table::{Cell, CellAlignment, Color};
use serde_json::{Value, json};

use super::Exit;
use super::terminal::{BAD, BOLD, FAINT, GOOD, OutputStyle, printable, printable_start};
use crate::classify::wording;
use crate::query::missing::Absence;
use crate::query::not_found::NotFound;
use crate::query::stored::{Relation, time_text};
use crate::query::timeline::{RequestTimeline, RequestVerdict, TimelineEntry};
use crate::query::{VerdictTexts, request_timeline, why_not_found};

/// Arguments of `gatetrail lookup`.
#[derive(Debug, Args)]
pub struct LookupArgs {
    /// The request_id, as the gateway handed it out
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub id: String,
    /// Print the same object as GET /v1/requests/{id}
    #[arg(long)]
    pub json: bool,
}

/// Prints what is known about one request. `retention_days`: for how many days events about authentication are kept.
///
/// # Errors
/// What keeps the store from answering ([`crate::query::QueryError`]), or the output from being written.
pub async fn run(
    args: &LookupArgs,
    client: &Client,
    texts: &VerdictTexts,
    retention_days: u32,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let Some(found) = request_timeline(client, &args.id, texts).await? else {
        let why = why_not_found(client, &args.id, retention_days, now).await?;
        write_not_found(out, args, &why)?;
        return Ok(Exit::NotFound);
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &found)?;
        writeln!(out)?;
    } else {
        write_timeline(out, &found, style)?;
    }
    Ok(Exit::Ok)
}

fn write_not_found(out: &mut impl Write, args: &LookupArgs, why: &NotFound) -> anyhow::Result<()> {
    if args.json {
        let answer =
            json!({"code": "request_not_found", "request_id": args.id, "detail": why.detail, "not_found": why});
        serde_json::to_writer_pretty(&mut *out, &answer)?;
        writeln!(out)?;
    } else {
        writeln!(out, "request {} was not found: {}", printable(&args.id), why.detail)?;
    }
    Ok(())
}

/// The page for a terminal: whose request, the verdict, the steps, and what is missing or odd.
fn write_timeline(out: &mut impl Write, found: &RequestTimeline, style: OutputStyle) -> std::io::Result<()> {
    let whose = [&found.workspace, &found.slug, &found.user_id, &found.client];
    let whose: Vec<String> = whose.into_iter().flatten().map(|text| printable(text)).collect();
    writeln!(out, "{}  {}", style.paint(&printable(&found.request_id), BOLD), whose.join(" / "))?;
    let took = (found.ended_at - found.started_at).num_milliseconds();
    let outcome = found.outcome.as_deref().unwrap_or("unknown");
    writeln!(
        out,
        "{}",
        style.paint(&format!("{}, {took} ms, ended in {outcome}", time_text(found.started_at)), FAINT)
    )?;
    writeln!(out)?;
    write_verdict(out, &found.verdict, style)?;
    writeln!(out)?;
    writeln!(out, "{}", steps_table(found, style))?;
    write_remarks(out, found)
}

/// The card on top: what failed, where, who acts, what to do, and why we say so.
fn write_verdict(out: &mut impl Write, verdict: &RequestVerdict, style: OutputStyle) -> std::io::Result<()> {
    let failed = verdict.class != "none";
    let reason = verdict.reason.as_deref().map(|reason| format!(" / {}", printable(reason))).unwrap_or_default();
    let title =
        if failed { format!("FAILED  {}{reason}", verdict.class) } else { "NOTHING FAILED in the end".to_owned() };
    writeln!(out, "{}", style.paint(&title, if failed { BAD } else { GOOD }))?;
    if failed {
        writeln!(out, "  hop:      {}", verdict.hop.as_deref().unwrap_or("unknown"))?;
        writeln!(out, "  who acts: {}", verdict.who_acts.replace('_', " "))?;
    }
    writeln!(out, "  what:     {}", printable(&verdict.summary))?;
    if failed {
        writeln!(out, "  fix:      {}", printable(&verdict.fix))?;
        write_difference(out, verdict, style)?;
        write_other_fixes(out, verdict)?;
    }
    if let Some(other) = &verdict.other_hop {
        writeln!(out, "  besides:  {}", printable(&other.text))?;
    }
    if let Some(earlier) = &verdict.earlier_failure {
        let at = time_text(earlier.at);
        writeln!(
            out,
            "  before:   this connection failed at {at} ({}), see {}",
            earlier.class,
            printable(&earlier.event_id)
        )?;
    }
    if let Some(later) = &verdict.later_success {
        let how =
            if later.text.is_empty() { String::new() } else { format!(", {}", printable_start(&later.text, 200)) };
        let by = later.by_request_id.as_deref().unwrap_or_default();
        writeln!(out, "  since:    the same person got through at {} ({}){how}", time_text(later.at), printable(by))?;
    }
    if let Some(recovered) = &verdict.recovered {
        let at = time_text(recovered.at);
        let by = recovered.by_request_id.as_deref().unwrap_or("its sign-in");
        writeln!(out, "  recovered by {} at {at}{}", printable(by), words_of(&recovered.steps))?;
        for change in &recovered.changed {
            writeln!(
                out,
                "    {} changed: {} → {}",
                change.field,
                printable_start(&change.before, 60),
                printable_start(&change.after, 60)
            )?;
        }
    }
    for fact in &verdict.evidence {
        writeln!(out, "  evidence: {} = {}", printable(&fact.field), printable_start(&fact.value, 120))?;
    }
    let by = match verdict.rule.as_str() {
        wording::RULE => "a guess by the words it shares with known messages".to_owned(),
        rule => format!("by rule {}", printable(rule)),
    };
    let rule = format!("  ({}, {by})", verdict.confidence);
    writeln!(out, "{}", style.paint(&rule, FAINT))
}

/// The two URLs one below the other, with the part marked in which they differ.
fn write_difference(out: &mut impl Write, verdict: &RequestVerdict, style: OutputStyle) -> std::io::Result<()> {
    let Some(difference) = &verdict.difference else { return Ok(()) };
    let width = difference.left.what.len().max(difference.right.what.len());
    for marked in [&difference.left, &difference.right] {
        let (before, part, behind) = marked.parts();
        let part = style.paint(&printable(&part), BAD);
        writeln!(out, "    {:width$}  {}{part}{}", marked.what, printable(&before), printable(&behind))?;
    }
    let longest = difference.left.differs_length.max(difference.right.differs_length);
    let marks = "^".repeat(longest.max(1));
    let indent = difference.left.differs_at + width + 2;
    writeln!(out, "    {:indent$}{}", "", style.paint(&marks, BAD))
}

/// What the others have to do.
fn write_other_fixes(out: &mut impl Write, verdict: &RequestVerdict) -> std::io::Result<()> {
    let others = verdict.fixes.iter().filter(|fix| fix.audience != verdict.who_acts);
    for fix in others {
        writeln!(out, "    for the {}: {}", fix.audience.replace('_', " "), printable(&fix.text))?;
    }
    Ok(())
}

fn words_of(steps: &[String]) -> String {
    if steps.is_empty() { String::new() } else { format!(", after {}", printable(&steps.join(", "))) }
}

/// One row an event; `>` marks the first failing step.
fn steps_table(found: &RequestTimeline, style: OutputStyle) -> comfy_table::Table {
    let mut table = style.table(&["", "after", "hop", "step", "outcome", "class", "facts"]);
    let first_failing = found.verdict.event_id.as_deref();
    for entry in &found.timeline {
        let decided = first_failing == Some(entry.event_id.as_str());
        let failed = entry.class != "none";
        let colour = |cell: Cell| match (decided, failed, entry.joined_by) {
            (true, _, _) => cell.fg(Color::Red),
            (false, true, _) => cell.fg(Color::Yellow),
            (false, false, Relation::Request) => cell,
            _ => cell.fg(Color::DarkGrey),
        };
        let step = entry.type_name.strip_prefix("mcp.").unwrap_or(&entry.type_name);
        table.add_row([
            Cell::new(if decided { ">" } else { "" }).fg(Color::Red),
            Cell::new(offset(entry.time - found.started_at)).set_alignment(CellAlignment::Right),
            colour(Cell::new(&entry.hop)),
            colour(Cell::new(printable(step))),
            colour(Cell::new(&entry.outcome)),
            colour(Cell::new(if failed { entry.class.as_str() } else { "" })),
            Cell::new(facts(entry)),
        ]);
    }
    table
}

/// Time since the request's start, in the unit a person reads.
fn offset(since: TimeDelta) -> String {
    let milliseconds = since.num_milliseconds();
    let sign = if milliseconds < 0 { '-' } else { '+' };
    match milliseconds.unsigned_abs() {
        short @ 0..10_000 => format!("{sign}{short} ms"),
        medium @ 10_000..600_000 => format!("{sign}{} s", medium / 1000),
        long @ 600_000..36_000_000 => format!("{sign}{} min", long / 60_000),
        longer => format!("{sign}{} h", longer / 3_600_000),
    }
}

/// Columns worth a word in the table, with what stands before the value.
const FACTS: [(&str, &str); 15] = [
    ("http_status", "HTTP "),
    ("oauth_error", ""),
    ("www_authenticate_error", ""),
    ("mcp_error_code", "JSON-RPC "),
    ("mcp_tool", "tool "),
    ("credential_kind", "with "),
    ("token_trigger", ""),
    ("token_attempt", "attempt "),
    ("oauth_grant_type", "grant "),
    ("oauth_metadata_url", ""),
    ("scope_required", "requires "),
    ("resource_registered", "registered "),
    ("resource_advertised", "advertised "),
    ("config_version", "config "),
    ("class_at_arrival", "at arrival "),
];

fn facts(entry: &TimelineEntry) -> String {
    let mut facts: Vec<String> = Vec::new();
    if entry.joined_by != Relation::Request {
        let by = match entry.joined_by {
            Relation::CausedBy => "earlier request",
            Relation::Retry => "retry",
            Relation::Flow => "sign-in",
            Relation::Trace => "trace",
            Relation::Connection | Relation::Request => "connection",
        };
        facts.push(format!("[{by}]"));
    }
    for (column, lead) in FACTS {
        match entry.columns.get(column) {
            Some(Value::String(text)) => facts.push(format!("{lead}{}", printable_start(text, 60))),
            Some(Value::Number(number)) => facts.push(format!("{lead}{number}")),
            _ => {}
        }
    }
    if let Some(message) = entry.text("message") {
        facts.push(format!("\"{}\"", printable_start(message, 100)));
    }
    facts.join(", ")
}

/// What is missing, what is odd, and what else to look at.
fn write_remarks(out: &mut impl Write, found: &RequestTimeline) -> std::io::Result<()> {
    let earlier = found.refreshes.iter().filter(|refresh| refresh.time < found.started_at).count();
    if earlier > 0 {
        writeln!(out, "refreshes of this connection in the hour before: {earlier}")?;
    }
    for step in &found.missing {
        let lead = if step.absence == Absence::Missing { "missing" } else { "unknown" };
        let last = step.last_reported_at.map(|at| format!(" (such a step was last reported at {})", time_text(at)));
        writeln!(out, "{lead}: {}{}", printable(&step.text), last.unwrap_or_default())?;
    }
    for related in &found.related_requests {
        let how = if related.relation == Relation::Retry { "retried or continued by" } else { "retries or continues" };
        let outcome = related.outcome.as_deref().unwrap_or("unknown");
        writeln!(out, "{how} {} ({outcome})", printable(&related.request_id))?;
    }
    for skew in &found.clock_skew {
        let way = if skew.ahead_ms < 0 { "behind" } else { "ahead" };
        writeln!(
            out,
            "the clock of {} is at least {} ms {way}",
            printable(&skew.source),
            skew.ahead_ms.unsigned_abs()
        )?;
    }
    if found.truncated {
        writeln!(out, "there are more events than are shown")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::{OutputStyle, offset, write_timeline};
    use crate::classify::WhoActs;
    use crate::classify::difference::Difference;
    use crate::query::timeline::{Beyond, Joined, assemble};
    use crate::query::{RequestTimeline, VerdictTexts};

    fn found() -> RequestTimeline {
        let row = |id: &str, kind: &str, hop: &str, ms: u32, class: &str, more: serde_json::Value| {
            let mut row = json!({
                "event_id": id, "source": "//gateway/a", "type": kind, "time": format!("2026-11-22T10:00:00.{ms:03}000Z"),
                "hop": hop, "outcome": if class == "none" { "success" } else { "failure" }, "class": class, "reason": null,
                "class_hop": hop, "who_acts": "end_user", "rule": "refresh_invalid_grant", "confidence": "certain",
                "request_id": "r1", "workspace": "acme", "slug": "github",
            });
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(row).unwrap()
        };
        let joined = Joined {
            events: vec![
                row("1", "mcp.auth.credential", "downstream", 0, "none", json!({"credential_kind": "user_key"})),
                row(
                    "2",
                    "mcp.auth.refresh",
                    "upstream",
                    182,
                    "refresh_failure",
                    json!({
                        "reason": "expired", "http_status": 400, "oauth_error": "invalid_grant", "token_trigger": "on_demand",
                        "evidence": {"oauth_error": "invalid_grant"}, "message": "token \u{1b}[31mtoo old",
                    }),
                ),
                row("3", "mcp.request.rejected", "downstream", 190, "sign_in_required", json!({"http_status": 401})),
            ],
            truncated: false,
        };
        let texts = VerdictTexts {
            summary: |input| format!("The refresh was refused ({}).", (input.values)("oauth_error").unwrap()),
            fix: |_| "Sign in again.".to_owned(),
            fixes: |_| {
                let for_operator = "Look at \u{1b}[31mthe token store.".to_owned();
                vec![(WhoActs::EndUser, "Sign in again.".to_owned()), (WhoActs::GatewayOperator, for_operator)]
            },
            difference: |_| {
                let url = |path: &str| format!("https://mcp.example{path}");
                Difference::of(("registered", url("")), ("advertised", url("/mcp")))
            },
        };
        assemble("r1", &joined, Beyond::default(), &texts).unwrap()
    }

    #[test]
    fn the_page_for_a_terminal() {
        let mut out = Vec::new();
        write_timeline(&mut out, &found(), OutputStyle::Plain).unwrap();
        let lines: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_guess_is_called_one() {
        let mut guessed = found();
        guessed.verdict.rule = crate::classify::wording::RULE.to_owned();
        let mut out = Vec::new();
        write_timeline(&mut out, &guessed, OutputStyle::Plain).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("a guess by the words it shares with known messages"));
    }

    #[test]
    fn colours_appear_only_when_asked_for() {
        for (style, has_colours) in [(OutputStyle::Plain, false), (OutputStyle::Colour, true)] {
            let mut out = Vec::new();
            write_timeline(&mut out, &found(), style).unwrap();
            assert_eq!(out.contains(&0x1b), has_colours);
        }
    }

    #[test]
    fn offsets_are_read_in_a_fitting_unit() {
        for (milliseconds, text) in
            [(0, "+0 ms"), (-2000, "-2000 ms"), (65_000, "+65 s"), (-3_000_000, "-50 min"), (90_000_000, "+25 h")]
        {
            assert_eq!(offset(TimeDelta::milliseconds(milliseconds)), text);
        }
    }
}
