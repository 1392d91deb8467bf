//! `gatetrail classify`: what a message, an event or a file of them means; `--explain` says why, `--eval` measures the
//! rules.
//!
//! Input is plain text (one line = one message), JSON lines `{id?, message, http_status?, oauth_error?, phase?, hop?}`,
//! or one JSON object over several lines. Anything is accepted: what no rule explains, and what resembles nothing known,
//! is `unclassified`.

mod report;

use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use crate::classify::explain::Explanation;
use crate::classify::{Classifier, Phase, TextCase, Verdict};
use crate::decode::{Limits, Payload, decode};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, Hop, RecordTime};

/// Arguments of `gatetrail classify`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClassifyArgs {
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
    /// Show what was read of each message, which rules held, and why one of them decided
    #[arg(long, conflicts_with = "eval")]
    pub explain: bool,
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
        return report::run(args.json, classifier, input, &mut output);
    }
    let mut answers = Answers { classifier, args, table: verdict_table(), output: &mut output };
    let mut first = String::new();
    if read_line(&mut input, &mut first)? == 0 {
        return Ok(());
    }
    for item in first_items(&first, &mut input)? {
        answers.add(&item)?;
    }
    let mut line = String::new();
    while read_line(&mut input, &mut line)? > 0 {
        answers.add(&line)?;
    }
    let table = answers.table;
    if !table.is_empty() {
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

/// Where answers go: printed one by one, or into a table for people.
struct Answers<'a, W> {
    classifier: &'a Classifier,
    args: &'a ClassifyArgs,
    table: Table,
    output: &'a mut W,
}

impl<W: Write> Answers<'_, W> {
    /// Classifies one message and prints or tabulates the verdict; blank lines have none.
    fn add(&mut self, item: &str) -> anyhow::Result<()> {
        if item.trim().is_empty() {
            return Ok(());
        }
        let (id, read) = read_item(item);
        let event = read.event(item);
        if self.args.explain {
            let explanation = self.classifier.explain(&event);
            return self.print_explanation(&id, &explanation);
        }
        let verdict = self.classifier.classify(&event);
        if self.args.json {
            return write_json(self.output, &verdict_json(&id, &verdict));
        }
        let words = event.message.as_deref().or(event.oauth_error_description.as_deref()).unwrap_or_default();
        self.table.add_row(row(&id, &verdict, words));
        Ok(())
    }

    fn print_explanation(&mut self, id: &Value, explanation: &Explanation<'_>) -> anyhow::Result<()> {
        if self.args.json {
            let mut answer = verdict_json(id, &explanation.verdict);
            answer["explanation"] = json!(explanation);
            return write_json(self.output, &answer);
        }
        if *id != Value::Null {
            writeln!(self.output, "{}", shown_id(id))?;
        }
        writeln!(self.output, "{explanation}")?;
        Ok(())
    }
}

/// What a line is.
enum Item {
    /// A whole event in its native form, which the decoder takes.
    Event,
    /// A message with what little is known about it.
    Case(TextCase),
}

impl Item {
    fn event<'l>(&'l self, line: &'l str) -> Event<'l> {
        match self {
            Self::Case(case) => case.as_event(),
            Self::Event => decoded(line).unwrap_or_else(|| {
                let nowhere = Cow::Borrowed("text");
                Event::new(nowhere.clone(), nowhere, Cow::Borrowed("unknown"), DateTime::UNIX_EPOCH)
            }),
        }
    }
}

/// A line as an event, as an object with a message, or as plain text.
fn read_item(line: &str) -> (Value, Item) {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(object) if object.contains_key("data") && object.contains_key("type") => {
            let item = if decoded(line).is_some() { Item::Event } else { Item::Case(case_of_event(&object)) };
            (id_of(&object), item)
        }
        Ok(object) if object.get("message").is_some_and(Value::is_string) => {
            (id_of(&object), Item::Case(case_of_object(&object)))
        }
        _ => (Value::Null, Item::Case(TextCase::of(line.trim_end()))),
    }
}

/// The event that a line is, when it is one to the letter.
fn decoded(line: &str) -> Option<Event<'_>> {
    // A message is pasted long after the event: how old it is says nothing here.
    let long_ago = Limits { retention_days: i64::from(i32::MAX) / 1000, ..Limits::default() };
    let time = serde_json::from_str::<Value>(line).ok()?.get("time")?.as_str()?.parse::<DateTime<Utc>>().ok()?;
    decode(&Payload { headers: &[], value: Some(line.as_bytes()), time: RecordTime(time) }, &long_ago).ok()
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

/// Something like an event, from which members are missing: what a message can have is read all the same.
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

/// One JSON value on a line.
pub(super) fn write_json(output: &mut impl Write, value: &Value) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")?;
    Ok(())
}

fn verdict_table() -> Table {
    let mut table = plain_table();
    table.set_header(["id", "class", "reason", "hop", "who acts", "rule", "confidence", "message"]);
    table
}

/// A table with lines between its rows.
pub(super) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

fn shown_id(id: &Value) -> String {
    match id {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn row(id: &Value, verdict: &Verdict<'_, '_>, message: &str) -> Vec<String> {
    const LONGEST_MESSAGE: usize = 60;
    vec![
        shown_id(id),
        verdict.class.as_str().to_owned(),
        verdict.reason.unwrap_or("–").to_owned(),
        verdict.hop.as_str().to_owned(),
        verdict.who_acts.as_str().to_owned(),
        verdict.rule.to_owned(),
        verdict.confidence.as_str().to_owned(),
        message.chars().take(LONGEST_MESSAGE).filter(|character| !character.is_control()).collect(),
    ]
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
    fn a_whole_event_is_read_with_all_its_members() {
        let event = include_str!("../../schemas/events/examples/valid/mcp.auth.refresh.json");
        for spelled in [event.to_owned(), event.replace('\n', " ")] {
            let found = verdicts(spelled.as_bytes());
            assert_eq!(found.len(), 1);
            let members = ["class", "reason", "hop", "id"].map(|member| found[0][member].as_str().unwrap_or("–"));
            assert_eq!(members, ["refresh_failure", "expired", "upstream", "01a202b7-59a8-7000-8000-00000000e013"]);
        }
    }

    #[test]
    fn an_explanation_names_the_rule_that_decided() {
        let args = ClassifyArgs { explain: true, ..ClassifyArgs::default() };
        let mut output = Vec::new();
        run(&args, &CLASSIFIER, &b"token refresh failed: too many requests\n"[..], &mut output).expect("runs");
        let text = String::from_utf8(output).expect("UTF-8");
        assert!(text.starts_with("rate_limited") && text.contains("decides"), "{text}");
        let mut output = Vec::new();
        let args = ClassifyArgs { json: true, ..args };
        run(&args, &CLASSIFIER, &b"token refresh failed: too many requests\n"[..], &mut output).expect("runs");
        let answer: Value = serde_json::from_slice(&output).expect("JSON");
        assert_eq!(answer["explanation"]["facts"]["step"], "refresh");
        assert_eq!(answer["explanation"]["fired"][0]["rule"], answer["rule"]);
    }

    #[test]
    fn an_eval_file_is_measured_and_a_bad_line_is_named() {
        let args = ClassifyArgs { json: true, eval: Some("x".into()), ..ClassifyArgs::default() };
        let mut output = Vec::new();
        run(&args, &CLASSIFIER, &br#"{"message":"429 too many requests","class":"rate_limited"}"#[..], &mut output)
            .expect("runs");
        let report: Value = serde_json::from_slice(&output).expect("JSON");
        assert_eq!(report["accuracy"], 1.0);
        let error = run(&args, &CLASSIFIER, &b"{}\n"[..], Vec::new()).expect_err("no label");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
