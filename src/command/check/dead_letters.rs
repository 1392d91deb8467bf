//! `gatetrail check dead-letters`: which records `consume` refused, and what to change at their sender.
//!
//! The JSON is the object of `GET /v1/dead-letters`. That records were refused is an answer and no failure: exit 0.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use clickhouse::Client;
use comfy_table::Cell;

use crate::command::Exit;
use crate::command::terminal::{BAD, OutputStyle, printable, printable_start};
use crate::decode::advice;
use crate::query::{
    DeadLetterFilter, DeadLetterList, DeadLetterSummary, List, Page, QueryError, dead_letter_list, parse_time,
};

/// Characters of an excerpt in the table.
const EXCERPT_CHARACTERS: usize = 60;

/// What `check dead-letters` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct DeadLettersArgs {
    /// Only records refused with this code
    #[arg(long)]
    code: Option<String>,
    /// From this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: -24h]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Most records to print, 1 to 1000 [default: 50]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    limit: Option<String>,
    /// Where the page before ended (its next_cursor)
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// Print the same object as GET /v1/dead-letters
    #[arg(long)]
    json: bool,
}

impl DeadLettersArgs {
    fn filter(&self, now: DateTime<Utc>) -> Result<DeadLetterFilter, QueryError> {
        let time = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, now)).transpose()
        };
        let (from, to) = (time("from", &self.from)?, time("to", &self.to)?);
        Ok(DeadLetterFilter { code: self.code.clone(), from, to, ..DeadLetterFilter::default() })
    }
}

/// Prints the refused records that the arguments ask for, newest first, after their counts by code.
///
/// # Errors
/// An argument that cannot be read, what keeps the store from answering ([`QueryError`]), or the output from being
/// written.
pub async fn run(
    args: &DeadLettersArgs,
    client: &Client,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let filter = args.filter(now)?;
    let page = Page::parse(List::DeadLetters, args.limit.as_deref(), args.cursor.as_deref())?;
    let found = dead_letter_list(client, &filter, &page, now).await?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &found)?;
        writeln!(out)?;
    } else {
        write_letters(out, &found, style)?;
    }
    Ok(Exit::Ok)
}

fn write_letters(out: &mut impl Write, found: &DeadLetterList, style: OutputStyle) -> std::io::Result<()> {
    if found.counts.is_empty() {
        return writeln!(out, "no record was refused in this time");
    }
    for (code, records) in &found.counts {
        writeln!(out, "{records:>8}  {}", style.paint(&printable(code), BAD))?;
        if let Some(advice) = advice(code) {
            writeln!(out, "          {}; change: {}", advice.meaning, advice.change)?;
        }
    }
    if found.items.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table =
        style.table(&["received", "code", "what", "bytes", "topic", "partition", "offset", "state", "excerpt"]);
    for letter in &found.items {
        table.add_row([
            Cell::new(letter.received_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            Cell::new(printable(&letter.code)),
            Cell::new(printable(&letter.detail)),
            Cell::new(letter.record_bytes),
            Cell::new(printable(&letter.kafka_topic)),
            Cell::new(letter.kafka_partition),
            Cell::new(letter.kafka_offset),
            Cell::new(printable(&state_of(letter))),
            Cell::new(printable_start(&letter.excerpt, EXCERPT_CHARACTERS)),
        ]);
    }
    writeln!(out, "{table}")?;
    match &found.next_cursor {
        Some(cursor) => writeln!(out, "more: --cursor {cursor}"),
        None => Ok(()),
    }
}

/// What a replay made of it, in words.
fn state_of(letter: &DeadLetterSummary) -> String {
    let state = letter.state.replace('_', " ");
    match letter.replay_code.as_deref().filter(|code| *code != letter.code) {
        Some(code) => format!("{state}: {code}"),
        None => state,
    }
}

#[cfg(test)]
mod tests {
    use super::{DeadLettersArgs, OutputStyle, write_letters};
    use crate::query::{DeadLetterList, DeadLetterSummary};

    #[test]
    fn a_fault_in_an_argument_has_its_code() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let args = DeadLettersArgs { from: Some("last tuesday".into()), ..Default::default() };
        assert_eq!(args.filter(now).unwrap_err().code(), "bad_time");
        let args = DeadLettersArgs { from: Some("-2h".into()), code: Some("bad_time".into()), ..Default::default() };
        let filter = args.filter(now).unwrap();
        assert_eq!(filter.from.unwrap().to_rfc3339(), "2026-11-22T08:00:00+00:00");
        assert_eq!(filter.code.as_deref(), Some("bad_time"));
    }

    #[test]
    fn the_list_for_a_terminal() {
        let letter = DeadLetterSummary {
            received_at: "2026-11-22T10:00:00.123456Z".parse().unwrap(),
            code: "not_json".into(),
            field: None,
            detail: "the record is not JSON: the fault is at line 1, column 1".into(),
            excerpt: format!("\u{1b}[2Jgateway restarted {}", "x".repeat(100)),
            record_bytes: 121,
            kafka_topic: "mcp.gateway.events".into(),
            kafka_topic_id: None,
            kafka_partition: 3,
            kafka_offset: 1_207,
            kafka_index: 0,
            state: "still_refused".into(),
            replayed_at: Some("2026-11-23T10:00:00Z".parse().unwrap()),
            replay_code: Some("time_too_old".into()),
        };
        let counts = [("not_json".to_owned(), 1), ("of_a_later_version".to_owned(), 400)].into();
        let found = DeadLetterList { items: vec![letter], next_cursor: Some("c".into()), counts };
        let mut out = Vec::new();
        write_letters(&mut out, &found, OutputStyle::Plain).unwrap();
        let lines: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        insta::assert_snapshot!(lines.join("\n"));

        let mut out = Vec::new();
        let none = DeadLetterList { items: Vec::new(), next_cursor: None, counts: Default::default() };
        write_letters(&mut out, &none, OutputStyle::Plain).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "no record was refused in this time\n");
    }
}
