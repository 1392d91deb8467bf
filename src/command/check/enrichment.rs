//! `gatetrail check enrichment`: how often each member is known, from what, and what a gateway would have to send for the rest.
//!
//! Read from what is stored, so what is joined only when a timeline is read does not count. Always exit 0: an answer, no
//! failure.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use clickhouse::Client;
use comfy_table::Cell;
use serde_json::json;

use crate::command::Exit;
use crate::command::terminal::{BOLD, FAINT, OutputStyle, printable};
use crate::event::Origin;
use crate::event::vocabulary::ClosedEnum;
use crate::query::enrichment_rates::{EnrichmentRates, MemberRate, OpenMember, enrichment_rates};
use crate::query::{QueryError, TimeRange, parse_time};

/// How far back without `--from`.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(24);
/// Rows of what stays unknown on a terminal; `--json` has all.
const MOST_OPEN: usize = 30;

/// What `check enrichment` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct EnrichmentArgs {
    /// Events from this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: -24h]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Events before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl EnrichmentArgs {
    fn range(&self, now: DateTime<Utc>) -> Result<TimeRange, QueryError> {
        let time = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, now)).transpose()
        };
        TimeRange::of(time("from", &self.from)?, time("to", &self.to)?, now, DEFAULT_LENGTH)
    }
}

/// Prints the fill rates.
///
/// # Errors
/// An argument that cannot be read, what keeps the store from answering ([`QueryError`]), or the output from being written.
pub async fn run(
    args: &EnrichmentArgs,
    client: &Client,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let range = args.range(now)?;
    let rates = enrichment_rates(client, range).await?;
    if args.json {
        let mut answer = serde_json::to_value(&rates)?;
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        answer["from"] = json!(shown(range.from));
        answer["to"] = json!(shown(range.to));
        writeln!(out, "{answer:#}")?;
    } else {
        write_rates(out, &rates, style)?;
    }
    Ok(Exit::Ok)
}

fn write_rates(out: &mut impl Write, rates: &EnrichmentRates, style: OutputStyle) -> std::io::Result<()> {
    if rates.events == 0 {
        return writeln!(out, "no event is stored of this time");
    }
    writeln!(out, "{}", style.paint(&format!("{} events", rates.events), BOLD))?;
    write_members(out, &rates.members, style)?;
    for product in &rates.products {
        let name = product.product.as_deref().map_or("(product not named)".to_owned(), printable);
        writeln!(out, "\n{}", style.paint(&format!("{name}: {} events", product.events), BOLD))?;
        write_members(out, &product.members, style)?;
    }
    write_open(out, &rates.open, style)
}

/// One line a member: how often it is known, and from what, in per cent of the events that can have it.
fn write_members(out: &mut impl Write, members: &[MemberRate], style: OutputStyle) -> std::io::Result<()> {
    let origins: Vec<&str> = Origin::KNOWN.iter().map(|origin| origin.as_str()).collect();
    let header: Vec<&str> = ["member", "events", "known"].into_iter().chain(origins.iter().copied()).collect();
    let mut table = style.table(&header);
    for rate in members.iter().filter(|rate| rate.events > 0) {
        let share = |events: u64| {
            let part = MemberRate { events: rate.events, known: events, ..MemberRate::default() };
            part.percent().filter(|_| events > 0).map_or_else(String::new, |percent| format!("{percent:.1}"))
        };
        let of_origin = origins.iter().map(|origin| share(rate.by_origin.get(*origin).copied().unwrap_or(0)));
        let known = format!("{:.1} %", rate.percent().unwrap_or(0.0));
        table.add_row([rate.member.to_owned(), rate.events.to_string(), known].into_iter().chain(of_origin));
    }
    writeln!(out, "{table}")
}

fn write_open(out: &mut impl Write, open: &[OpenMember], style: OutputStyle) -> std::io::Result<()> {
    if open.is_empty() {
        return writeln!(out, "\nnothing stays unknown that could be known");
    }
    writeln!(out, "\n{}", style.paint("what stays unknown", BOLD))?;
    let mut table = style.table(&["product", "type", "hop", "member", "unknown", "of", "to be known"]);
    for member in open.iter().take(MOST_OPEN) {
        table.add_row([
            Cell::new(member.product.as_deref().map_or("?".to_owned(), printable)),
            Cell::new(printable(&member.type_name)),
            Cell::new(printable(&member.hop)),
            Cell::new(member.member),
            Cell::new(member.unknown),
            Cell::new(member.events),
            Cell::new(member.hint),
        ]);
    }
    writeln!(out, "{table}")?;
    if open.len() > MOST_OPEN {
        let rest = format!("and {} more: --json", open.len() - MOST_OPEN);
        writeln!(out, "{}", style.paint(&rest, FAINT))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EnrichmentArgs, OutputStyle, write_rates};
    use crate::query::enrichment_rates::{EnrichmentRates, MemberRate, OpenMember, ProductRates};

    #[test]
    fn a_fault_in_an_argument_has_its_code() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let args = EnrichmentArgs { from: Some("last tuesday".into()), ..Default::default() };
        assert_eq!(args.range(now).unwrap_err().code(), "bad_time");
        let day = EnrichmentArgs::default().range(now).unwrap();
        assert_eq!((day.to - day.from).num_hours(), 24);
    }

    #[test]
    fn the_rates_for_a_terminal() {
        let members = vec![
            MemberRate {
                member: "request_id",
                events: 1_000,
                known: 800,
                by_origin: [("event".to_owned(), 700), ("flow".to_owned(), 100)].into(),
            },
            MemberRate { member: "trace_id", events: 0, known: 0, by_origin: Default::default() },
        ];
        let open = OpenMember {
            product: Some("lite\u{1b}[2Jllm".into()),
            type_name: "mcp.auth.callback".into(),
            hop: "upstream".into(),
            member: "request_id",
            events: 400,
            unknown: 200,
            hint: "send `request_id`",
        };
        let products = vec![ProductRates { product: None, events: 1_000, members: members.clone() }];
        let rates = EnrichmentRates { events: 1_000, members, products, open: vec![open; 31] };
        let mut out = Vec::new();
        write_rates(&mut out, &rates, OutputStyle::Plain).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let shown: Vec<&str> = lines[..10].iter().chain(&lines[lines.len() - 1..]).copied().collect();
        insta::assert_snapshot!(shown.join("\n"));
        assert!(!text.contains('\u{1b}'));
    }
}
