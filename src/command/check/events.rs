//! `gatetrail check events`: line by line, what is wrong with an event, or which level it reaches and what is missing.
//!
//! The decoder that judges here is the one that `consume` uses. Times are judged against the moment of the check, as if
//! the event had been sent now.

use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::command::{Exit, decode_limits};
use crate::config::Config;
use crate::decode::levels::{HIGHEST, level_of};
use crate::decode::{self, Limits, Payload, advice};
use crate::event::RecordTime;

/// What `check events` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct EventsArgs {
    /// File with one event a line, or one event, or an array of them; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Fail when an event reaches less than this level (1 look-up, 2 verdicts, 3 refresh history)
    #[arg(long, value_name = "LEVEL", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=3))]
    require_level: u8,
}

/// What the check counted.
#[derive(Debug, Default)]
struct Totals {
    events: usize,
    refused: usize,
    below: usize,
    by_level: [usize; 4],
}

/// Runs it: exit 1 when an event is refused or below the required level.
///
/// # Errors
/// When the input cannot be read or the output written.
pub fn run(args: &EventsArgs, settings: &Config, now: DateTime<Utc>, output: &mut impl Write) -> anyhow::Result<Exit> {
    let text = read_all(&args.file)?;
    let limits = decode_limits(settings);
    let mut totals = Totals::default();
    for (place, event) in split(&text) {
        let payload = Payload { headers: &[], value: Some(event), time: RecordTime(now) };
        let answer = judge(&payload, &limits, args.require_level, &mut totals);
        if args.json {
            writeln!(output, "{}", with_place(answer, place))?;
        } else {
            write_for_people(&answer, place, output)?;
        }
    }
    if !args.json {
        write_totals(&totals, output)?;
    }
    Ok(if totals.refused + totals.below > 0 { Exit::Failed } else { Exit::Ok })
}

fn read_all(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    if file.as_os_str() == "-" {
        stdin().read_to_end(&mut text).context("cannot read the events")?;
    } else {
        text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(text)
}

/// The events with their place: one object or the members of one array when the whole text is one JSON value, else one a
/// line.
fn split(text: &[u8]) -> Vec<(usize, &[u8])> {
    if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(text) {
        return (1..).zip(items.into_iter().map(|item| item.get().as_bytes())).collect();
    }
    if serde_json::from_slice::<&RawValue>(text).is_ok() {
        return vec![(1, text)];
    }
    (1..).zip(text.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace)).collect()
}

fn judge(payload: &Payload<'_>, limits: &Limits, required: u8, totals: &mut Totals) -> Value {
    totals.events += 1;
    match decode::decode(payload, limits) {
        Err(error) => {
            totals.refused += 1;
            json!({ "ok": false, "code": error.code(), "field": error.field(), "detail": error.to_string(), "change": advice(error.code()).map(|advice| advice.change) })
        }
        Ok(event) => {
            let reached = level_of(&event);
            totals.by_level[usize::from(reached.level)] += 1;
            totals.below += usize::from(reached.level < required);
            let unknown: Vec<&str> = event
                .attributes
                .iter()
                .map(|(key, _)| key.as_ref())
                .filter(|key| is_outside_contract(key, payload))
                .collect();
            json!({ "ok": true, "type": event.type_name, "id": event.event_id, "level": reached.level, "missing_for_next_level": reached.missing, "kept_as_attributes": unknown })
        }
    }
}

/// Whether the key was put into the attributes by the decoder: worth telling, since it may be a typing error.
fn is_outside_contract(key: &str, payload: &Payload<'_>) -> bool {
    let sent: Option<Value> = payload.value.and_then(|value| serde_json::from_slice(value).ok());
    sent.is_some_and(|event| event["data"]["attributes"].get(key).is_none())
}

fn with_place(mut answer: Value, place: usize) -> Value {
    answer["line"] = json!(place);
    answer
}

fn write_for_people(answer: &Value, number: usize, output: &mut impl Write) -> std::io::Result<()> {
    let text = |name: &str| answer[name].as_str().unwrap_or("-").to_owned();
    if answer["ok"] == false {
        return writeln!(output, "line {number}: {}: {}\n    change: {}", text("code"), text("detail"), text("change"));
    }
    writeln!(output, "line {number}: ok, level {} ({})", answer["level"], text("type"))?;
    let list = |name: &str| {
        answer[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    };
    let (missing, kept) = (list("missing_for_next_level"), list("kept_as_attributes"));
    if !missing.is_empty() {
        writeln!(output, "    for level {}: {missing}", answer["level"].as_u64().unwrap_or(0) + 1)?;
    }
    if !kept.is_empty() {
        writeln!(output, "    outside the contract, kept as attributes: {kept}")?;
    }
    Ok(())
}

fn write_totals(totals: &Totals, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(output, "{} events, {} refused", totals.events, totals.refused)?;
    for (level, name) in (0..=usize::from(HIGHEST)).zip([
        "not to be found by any id",
        "look-up works",
        "verdicts work",
        "refresh history works",
    ]) {
        if totals.by_level[level] > 0 {
            writeln!(output, "  level {level}, {name}: {}", totals.by_level[level])?;
        }
    }
    Ok(())
}
