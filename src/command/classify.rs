//! `gatetrail classify`: what a message, an event or a file of them means; `--eval` measures the rules.
//!
//! Input is plain text (one line = one message), JSON lines `{id?, message, http_status?, oauth_error?, phase?, hop?}`,
//! or one JSON object over several lines. Anything is accepted: what no rule explains is `unclassified`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use crate::classify::eval::{Entry, Report, evaluate};
use crate::classify::{Classifier, Phase, TextCase, Verdict};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// Arguments of `gatetrail classify`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClassifyArgs {
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
    /// Measure the rules with a file of labelled messages (JSON lines with `class`)
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub eval: Option<PathBuf>,
    /// File with messages; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl ClassifyArgs {
    /// The file to open as input; `None` means standard input.
    #[must_use]
    pub fn input_path(&self) -> Option<&Path> {
        self.eval.as_deref().or(self.file.as_deref()).filter(|path| *path != Path::new("-"))
    }
}

/// Reads messages from `input` and writes what they mean to `output`.
///
/// # Errors
/// When reading or writing fails, or when a line of an `--eval` file is no labelled message.
pub fn run(
    args: &ClassifyArgs,
    classifier: &Classifier,
    mut input: impl BufRead,
    mut output: impl Write,
) -> anyhow::Result<()> {
    if args.eval.is_some() {
        let report = evaluate(classifier, &read_entries(input)?);
        return if args.json { write_json(&mut output, &json!(report)) } else { write_report(&mut output, &report) };
    }
    let mut table = (!args.json).then(verdict_table);
    let mut first = String::new();
    if read_line(&mut input, &mut first)? == 0 {
        return Ok(());
    }
    for item in first_items(&first, &mut input)? {
        answer(classifier, &item, table.as_mut(), &mut output)?;
    }
    let mut line = String::new();
    while read_line(&mut input, &mut line)? > 0 {
        answer(classifier, &line, table.as_mut(), &mut output)?;
    }
    if let Some(table) = table.filter(|table| !table.is_empty()) {
        writeln!(output, "{table}")?;
    }
    output.flush()?;
    Ok(())
}

/// The first line alone; or, when it only begins a JSON object, the object to its end, or else all lines one by one.
fn first_items(first: &str, input: &mut impl BufRead) -> anyhow::Result<Vec<String>> {
    let begins_object = first.trim_start().starts_with('{') && serde_json::from_str::<Value>(first).is_err();
    if !begins_object {
        return Ok(vec![first.to_owned()]);
    }
    let mut rest = Vec::new();
    input.read_to_end(&mut rest)?;
    let all = format!("{first}{}", String::from_utf8_lossy(&rest));
    if serde_json::from_str::<Map<String, Value>>(&all).is_ok() {
        return Ok(vec![all]);
    }
    Ok(all.lines().map(str::to_owned).collect())
}

/// Reads one line into `line`, bytes that are no UTF-8 replaced; 0 at the end.
fn read_line(input: &mut impl BufRead, line: &mut String) -> anyhow::Result<usize> {
    let mut bytes = Vec::new();
    let count = input.read_until(b'\n', &mut bytes).context("reading the input failed")?;
    line.clear();
    line.push_str(&String::from_utf8_lossy(&bytes));
    Ok(count)
}

/// Classifies one message and prints or tabulates the verdict; blank lines have none.
fn answer(
    classifier: &Classifier,
    item: &str,
    table: Option<&mut Table>,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    if item.trim().is_empty() {
        return Ok(());
    }
    let (id, case) = read_case(item);
    let verdict = classifier.classify_text(&case);
    match table {
        Some(table) => {
            table.add_row(row(&id, &verdict, &case.message));
            Ok(())
        }
        None => write_json(output, &verdict_json(&id, &verdict)),
    }
}

/// A line as a case: a JSON object with a message, an event, or plain text.
fn read_case(item: &str) -> (Value, TextCase) {
    match serde_json::from_str::<Map<String, Value>>(item) {
        Ok(object) if object.contains_key("data") && object.contains_key("type") => {
            (id_of(&object), case_of_event(&object))
        }
        Ok(object) if object.get("message").is_some_and(Value::is_string) => (id_of(&object), case_of_object(&object)),
        _ => (Value::Null, TextCase::of(item.trim_end())),
    }
}

fn id_of(object: &Map<String, Value>) -> Value {
    object.get("id").cloned().unwrap_or(Value::Null)
}

fn case_of_object(object: &Map<String, Value>) -> TextCase {
    let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    TextCase {
        message: text("message").unwrap_or_default().to_owned(),
        http_status: object.get("http_status").and_then(status_of),
        oauth_error: text("oauth_error").map(str::to_owned),
        phase: text("phase").map_or(Phase::Unknown, Phase::parse),
        hop: text("hop").map_or(Hop::Unknown, Hop::parse),
    }
}

fn status_of(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
    u16::try_from(number).ok().filter(|status| *status <= 999)
}

/// Seam: an event in its native form. The members a message can have are read here; the decoder reads them all.
fn case_of_event(object: &Map<String, Value>) -> TextCase {
    let at = |pointer: &str| object.get("data").and_then(|data| data.pointer(pointer));
    let text = |pointer: &str| at(pointer).and_then(Value::as_str);
    let phase = object
        .get("type")
        .and_then(Value::as_str)
        .and_then(|name| Phase::KNOWN.iter().copied().find(|phase| phase.event_type() == name));
    let message = text("/message").or_else(|| text("/oauth/error_description")).unwrap_or_default();
    TextCase {
        message: message.to_owned(),
        http_status: at("/http/status").and_then(status_of),
        oauth_error: text("/oauth/error").map(str::to_owned),
        phase: phase.unwrap_or(Phase::Unknown),
        hop: text("/hop").map_or(Hop::Unknown, Hop::parse),
    }
}

/// A verdict as the contract of `classify --json` has it.
#[must_use]
pub fn verdict_json(id: &Value, verdict: &Verdict<'_, '_>) -> Value {
    let evidence: Vec<Value> =
        verdict.evidence.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
    json!({
        "id": id,
        "class": verdict.class.as_str(),
        "reason": verdict.reason,
        "hop": verdict.hop.as_str(),
        "who_acts": verdict.who_acts.as_str(),
        "rule": verdict.rule,
        "confidence": verdict.confidence.as_str(),
        "evidence": evidence,
    })
}

fn write_json(output: &mut impl Write, value: &Value) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")?;
    Ok(())
}

fn verdict_table() -> Table {
    let mut table = plain_table();
    table.set_header(["id", "class", "reason", "hop", "who acts", "rule", "confidence", "message"]);
    table
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

fn row(id: &Value, verdict: &Verdict<'_, '_>, message: &str) -> Vec<String> {
    const LONGEST_MESSAGE: usize = 60;
    let id = match id {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    vec![
        id,
        verdict.class.as_str().to_owned(),
        verdict.reason.unwrap_or("–").to_owned(),
        verdict.hop.as_str().to_owned(),
        verdict.who_acts.as_str().to_owned(),
        verdict.rule.to_owned(),
        verdict.confidence.as_str().to_owned(),
        message.chars().take(LONGEST_MESSAGE).filter(|character| !character.is_control()).collect(),
    ]
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

fn write_report(output: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    let percent = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0));
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
        "hop: {} of {} right when told, {} when not told",
        hop.right_when_told, hop.named, hop.right_when_not_told
    )?;
    let mut classes = plain_table();
    classes.set_header(["class", "expected", "answered", "precision", "recall"]);
    for class in &report.classes {
        let counts = [class.expected.to_string(), class.answered.to_string()];
        let [expected, answered] = counts;
        classes.add_row([class.class.clone(), expected, answered, percent(class.precision), percent(class.recall)]);
    }
    writeln!(output, "{classes}")?;
    for level in &report.calibration {
        writeln!(output, "{}: {} of {} right", level.confidence, level.right, level.answered)?;
    }
    for cell in &report.confusion {
        writeln!(output, "{} × {} answered as {}", cell.count, cell.expected, cell.answered)?;
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{ClassifyArgs, run};
    use crate::classify::testing::CLASSIFIER;

    fn verdicts(input: &[u8]) -> Vec<Value> {
        let mut output = Vec::new();
        run(&ClassifyArgs { json: true, ..ClassifyArgs::default() }, &CLASSIFIER, input, &mut output).expect("runs");
        String::from_utf8(output)
            .expect("UTF-8")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    #[test]
    fn each_form_of_input_is_understood() {
        let cases: [(&[u8], &str, Value); 6] = [
            (b"429 too many requests\n", "rate_limited", Value::Null),
            (br#"{"id":"a1","message":"no luck","http_status":429}"#, "rate_limited", "a1".into()),
            (
                b"{\n \"id\": 7,\n \"message\": \"no luck\",\n \"oauth_error\": \"invalid_client\"\n}\n",
                "invalid_client",
                7.into(),
            ),
            (
                br#"{"id":"e","type":"mcp.auth.refresh","data":{"hop":"upstream","oauth":{"error":"invalid_grant"}}}"#,
                "refresh_failure",
                "e".into(),
            ),
            (b"\xff\xfe \x00 {\"", "unclassified", Value::Null),
            (br#"{"unrelated": [1, 2, 3]}"#, "unclassified", Value::Null),
        ];
        for (input, class, id) in cases {
            let found = verdicts(input);
            assert_eq!(found.len(), 1, "{input:?}");
            assert_eq!((found[0]["class"].as_str(), &found[0]["id"]), (Some(class), &id), "{input:?}");
        }
    }

    #[test]
    fn lines_that_only_look_like_one_object_are_read_one_by_one() {
        let found = verdicts(b"{ broken\n429 too many requests\n\n");
        let classes: Vec<_> = found.iter().map(|verdict| verdict["class"].clone()).collect();
        assert_eq!(classes, ["unclassified", "rate_limited"]);
    }

    #[test]
    fn a_verdict_has_the_members_of_the_contract() {
        let found = verdicts(br#"{"id":"x","message":"refresh token revoked","phase":"refresh","hop":"upstream"}"#);
        let members: Vec<&String> = found[0].as_object().expect("an object").keys().collect();
        assert_eq!(members.len(), 8, "{members:?}");
        assert_eq!(found[0]["reason"], "revoked");
        assert_eq!(found[0]["hop"], "upstream");
        assert_eq!(found[0]["evidence"][0]["field"], "message");
    }

    #[test]
    fn the_table_is_for_people_and_empty_input_prints_nothing() {
        let mut output = Vec::new();
        run(&ClassifyArgs::default(), &CLASSIFIER, &b"429 too many requests\n"[..], &mut output).expect("runs");
        let text = String::from_utf8(output).expect("UTF-8");
        assert!(text.contains("rate_limited") && text.contains("who acts"), "{text}");
        let mut nothing = Vec::new();
        run(&ClassifyArgs::default(), &CLASSIFIER, &b""[..], &mut nothing).expect("runs");
        assert!(nothing.is_empty());
    }

    #[test]
    fn an_eval_file_is_measured_and_a_bad_line_is_named() {
        let args = ClassifyArgs { json: true, eval: Some("x".into()), file: None };
        let mut output = Vec::new();
        run(&args, &CLASSIFIER, &br#"{"message":"429 too many requests","class":"rate_limited"}"#[..], &mut output)
            .expect("runs");
        let report: Value = serde_json::from_slice(&output).expect("JSON");
        assert_eq!(report["accuracy"], 1.0);
        let error = run(&args, &CLASSIFIER, &b"{}\n"[..], Vec::new()).expect_err("no label");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
