//! `gatetrail classify --eval`: how right the rules are on labelled messages, and how fast.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::{plain_table, write_json};
use crate::classify::Classifier;
use crate::classify::eval::{Confusion, Report, evaluate};
use crate::classify::labelled::Entry;

/// How long messages are classified over and over to say how fast that is.
const MEASURED: Duration = Duration::from_millis(300);

/// Measures the rules with the labelled messages in `input`.
///
/// # Errors
/// When reading or writing fails, or when a line is no labelled message.
pub fn run(as_json: bool, classifier: &Classifier, input: impl BufRead, output: &mut impl Write) -> anyhow::Result<()> {
    let entries = read_entries(input)?;
    let report = evaluate(classifier, &entries);
    let speed = microseconds_per_text(classifier, &entries);
    if as_json {
        let mut answer = json!(report);
        answer["microseconds_per_text"] = json!(speed);
        return write_json(output, &answer);
    }
    write_report(output, &report, speed)
}

/// Microseconds to classify one text that was not said before; `None` without texts.
fn microseconds_per_text(classifier: &Classifier, entries: &[Entry]) -> Option<f64> {
    let start = Instant::now();
    let (mut rounds, mut spent, mut texts) = (0_usize, Duration::ZERO, 0_u32);
    while !entries.is_empty() && start.elapsed() < MEASURED {
        rounds += 1;
        // One blank more each round: the words are the same, the text is not, so that no reading is remembered.
        let cases: Vec<_> = entries
            .iter()
            .map(|entry| {
                let mut case = entry.as_case(entry.named_hop());
                case.message.extend(std::iter::repeat_n(' ', rounds));
                case
            })
            .collect();
        let events: Vec<_> = cases.iter().map(crate::classify::TextCase::as_event).collect();
        let begin = Instant::now();
        events.iter().for_each(|event| drop(std::hint::black_box(classifier.classify(event))));
        spent += begin.elapsed();
        texts = texts.saturating_add(u32::try_from(events.len()).unwrap_or(u32::MAX));
    }
    (texts > 0).then(|| spent.as_secs_f64() * 1e6 / f64::from(texts))
}

fn read_entries(input: impl BufRead) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (index, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("line {} cannot be read", index + 1))?;
        if !line.trim().is_empty() {
            let entry =
                serde_json::from_str(&line).with_context(|| format!("line {} is no labelled message", index + 1))?;
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn write_report(output: &mut impl Write, report: &Report, speed: Option<f64>) -> anyhow::Result<()> {
    writeln!(
        output,
        "rules {}: {} of {} right, {}",
        report.version,
        report.right,
        report.entries,
        percent(Some(report.accuracy))
    )?;
    let hop = &report.hop;
    writeln!(
        output,
        "hop: {} of {} right when told ({}), {} when not told ({})",
        hop.right_when_told,
        hop.named,
        percent(share(hop.right_when_told, hop.named)),
        hop.right_when_not_told,
        percent(share(hop.right_when_not_told, hop.named)),
    )?;
    let no_failure = &report.no_failure;
    writeln!(
        output,
        "no failure: {} of {} never called one ({})",
        no_failure.right,
        no_failure.entries,
        percent(share(no_failure.right, no_failure.entries))
    )?;
    if let Some(speed) = speed {
        writeln!(output, "speed: {speed:.1} µs a text, {:.0} texts/s", 1e6 / speed)?;
    }
    let mut classes = plain_table();
    classes.set_header(["class", "expected", "answered", "precision", "recall"]);
    for class in &report.classes {
        let (expected, answered) = (class.expected.to_string(), class.answered.to_string());
        classes.add_row([class.class.clone(), expected, answered, percent(class.precision), percent(class.recall)]);
    }
    writeln!(output, "{classes}")?;
    let mut calibration = plain_table();
    calibration.set_header(["confidence", "answered", "right", "share"]);
    for level in &report.calibration {
        let (answered, right) = (level.answered.to_string(), level.right.to_string());
        calibration.add_row([
            level.confidence.to_owned(),
            answered,
            right,
            percent(share(level.right, level.answered)),
        ]);
    }
    writeln!(output, "{calibration}")?;
    if !report.confusion.is_empty() {
        writeln!(output, "{}", confusion_table(&report.confusion))?;
    }
    for miss in &report.misses {
        let id = miss.id.as_deref().unwrap_or("–");
        writeln!(
            output,
            "miss {id}: {} answered as {} by {} ({}): {:?}",
            miss.expected, miss.answered, miss.rule, miss.confidence, miss.message
        )?;
    }
    Ok(())
}

/// Expected classes down, answers across; only those that were mixed up.
fn confusion_table(cells: &[Confusion]) -> comfy_table::Table {
    let mut answers: Vec<&str> = cells.iter().map(|cell| cell.answered.as_str()).collect();
    answers.sort_unstable();
    answers.dedup();
    let mut expected: Vec<&str> = cells.iter().map(|cell| cell.expected.as_str()).collect();
    expected.dedup();
    let mut table = plain_table();
    table.set_header(std::iter::once("expected ↓ answered →").chain(answers.iter().copied()));
    for class in expected {
        let count = |answer: &&str| {
            let found = cells.iter().find(|cell| cell.expected == class && cell.answered == *answer);
            found.map_or_else(String::new, |cell| cell.count.to_string())
        };
        table.add_row(std::iter::once(class.to_owned()).chain(answers.iter().map(count)));
    }
    table
}
