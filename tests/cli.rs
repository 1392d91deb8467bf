//! The command line without engines: what a user types, what it prints, how it ends.

#![cfg(test)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn gatetrail(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatetrail"));
    command
        .args(arguments)
        .env_clear()
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read its input may be gone already.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn help_lists_the_roles() {
    let output = gatetrail(&["-h"], "");
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!("help", out(&output));
}

#[test]
fn help_of_commands_with_several_forms() {
    for (name, arguments) in
        [("help_replay", vec!["replay", "-h"]), ("help_check_unclassified", vec!["check", "unclassified", "-h"])]
    {
        let output = gatetrail(&arguments, "");
        assert_eq!(code(&output), 0);
        insta::assert_snapshot!(name, out(&output));
    }
}

#[test]
fn forms_of_replay_exclude_each_other() {
    for arguments in [
        vec!["replay"],
        vec!["replay", "--since", "-1h"],
        vec!["replay", "--reclassify", "--dead-letters"],
        vec!["replay", "--reclassify", "--code", "not_json"],
        vec!["replay", "--reclassify", "--topic", "t"],
        vec!["replay", "--reclassify", "--partition", "0", "--from", "0", "--to", "1"],
        vec!["replay", "--partition", "0", "--from", "0", "--to", "1", "--since", "-1h"],
        vec!["replay", "--reclassify", "--since", "yesterday"],
        vec!["check", "unclassified", "--rule", "0"],
        vec!["check", "unclassified", "--rule", "1", "--json"],
        vec!["check", "unclassified", "--limit", "1001"],
    ] {
        let output = gatetrail(&arguments, "");
        assert_eq!(code(&output), 2, "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn the_long_help_lists_every_setting_with_default_and_variable() {
    let help = out(&gatetrail(&["--help"], ""));
    for setting in gatetrail::config::SETTINGS {
        assert!(help.contains(&format!("--{}", setting.flag())), "{}", setting.path());
        assert!(help.contains(&setting.variable()), "{}", setting.path());
    }
}

#[test]
fn the_version_is_the_package_version() {
    assert_eq!(out(&gatetrail(&["--version"], "")), format!("gatetrail {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn words_that_do_not_fit_end_with_2() {
    for arguments in [
        vec!["frobnicate"],
        vec!["codes", "no_such_class"],
        vec!["lookup"],
        vec!["check", "config", "--ingest-flush-ms", "soon"],
        vec!["check", "config", "--config", "/does/not/exist.toml"],
        vec!["simulate", "--span", "1hh"],
    ] {
        let output = gatetrail(&arguments, "");
        assert_eq!(code(&output), 2, "{arguments:?}: {}", err(&output));
        assert!(!err(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_wrong_class_names_the_nearest() {
    let output = gatetrail(&["codes", "resource_missmatch"], "");
    assert!(err(&output).contains("resource_mismatch"), "{}", err(&output));
}

#[test]
fn every_class_has_its_text() {
    for class in ["sign_in_required", "resource_mismatch", "refresh_failure", "protocol_error"] {
        let output = gatetrail(&["codes", class, "--json"], "");
        assert_eq!(code(&output), 0, "{}", err(&output));
        assert!(out(&output).contains(class));
    }
    insta::assert_snapshot!("codes_resource_mismatch", out(&gatetrail(&["codes", "resource_mismatch"], "")));
}

#[test]
fn classify_reads_lines_and_answers_as_json() {
    let input = "{\"id\": \"a\", \"message\": \"token request refused\", \"oauth_error\": \"invalid_grant\", \"phase\": \"refresh\"}\n{\"id\": \"b\", \"message\": \"no idea\"}\n";
    let output = gatetrail(&["classify", "--json"], input);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let answers: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[0]["id"].as_str(), answers[0]["class"].as_str()), (Some("a"), Some("refresh_failure")));
    assert_eq!((answers[1]["id"].as_str(), answers[1]["class"].as_str()), (Some("b"), Some("unclassified")));
    for name in ["reason", "hop", "who_acts", "rule", "confidence", "evidence"] {
        assert!(answers[0].get(name).is_some(), "{name} is missing in {}", answers[0]);
    }
}

#[test]
fn a_rules_file_with_faults_ends_with_2_and_names_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let rules = "[[rule]]\nid = \"a\"\nclass = \"nope\"\nwhen.text = '('\n[[rule]]\nid = \"a\"\nclass = \"forbidden\"\nwhen.status = 403\n\
                 [[rule]]\nid = \"b\"\nclass = \"rate_limited\"\nafter = \"limit.status\"\nwhen.http_status = 429\n";
    std::fs::write(&path, rules).unwrap();
    let file = path.to_str().unwrap();
    let checked = gatetrail(&["check", "rules", file], "");
    assert_eq!(code(&checked), 2);
    let faults = [
        "own.toml:3: unknown class",
        "own.toml:4: bad regex",
        "own.toml:6: duplicate id",
        "own.toml:9: rule `b` can never fire",
    ];
    for fault in faults {
        assert!(out(&checked).contains(fault), "{fault} is missing in {}", out(&checked));
    }
    let used = gatetrail(&["classify", "--classify-rules", file], "429\n");
    assert_eq!(code(&used), 2, "{}", err(&used));
    for fault in faults {
        assert!(err(&used).contains(fault), "{fault} is missing in {}", err(&used));
    }
    std::fs::write(&path, "[[rule]]\nid = \"own\"\nclass = \"forbidden\"\nwhen.text = 'green badge'\n").unwrap();
    let answer = out(&gatetrail(&["classify", "--json", "--classify-rules", file], "429: green badge\n"));
    assert!(answer.contains("\"rule\":\"own\""), "{answer}");
}

#[test]
fn scrub_writes_as_many_lines_as_it_read() {
    let secret = ["Authorization: Bearer ", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJGQUtFIn0.ZmFrZXNpZw"].concat();
    let input = format!("before\n{secret}\nafter\n");
    let output = gatetrail(&["scrub"], &input);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output).lines().count(), 3);
    assert!(!out(&output).contains("eyJhbGci"), "{}", out(&output));
    let json = format!("{}\n", serde_json::to_string(&secret).unwrap());
    let answer: Value = serde_json::from_str(out(&gatetrail(&["scrub", "--json"], &json)).trim()).unwrap();
    assert_eq!(answer["redactions"][0]["count"], 1, "{answer}");
}

#[test]
fn check_events_says_what_is_wrong_and_which_level_is_reached() {
    let now = gatetrail::telemetry::clock::Clock.now().to_rfc3339();
    let good = format!(
        "{{\"id\":\"1\",\"source\":\"//g\",\"type\":\"mcp.auth.credential\",\"time\":\"{now}\",\"data\":{{\"hop\":\"downstream\",\"outcome\":\"success\",\"request_id\":\"r\",\"slgu\":\"typo\"}}}}"
    );
    let input = format!("{good}\n{{\"id\":\"2\"}}\nnot json\n");
    let output = gatetrail(&["check", "events", "-"], &input);
    assert_eq!(code(&output), 1, "{}", err(&output));
    insta::assert_snapshot!("check_events", out(&output));
    assert_eq!(code(&gatetrail(&["check", "events"], &good)), 0);
    assert_eq!(code(&gatetrail(&["check", "events", "--require-level", "3"], &good)), 1);
}

#[test]
fn the_published_examples_pass_the_check_or_say_that_they_are_old() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/events/examples/valid/minimal.json");
    let output = gatetrail(&["check", "events", folder.to_str().unwrap(), "--json"], "");
    let answer: Value = serde_json::from_str(out(&output).trim()).unwrap();
    assert!(answer["ok"] == true || answer["code"] == "time_too_old", "{answer}");
}

#[test]
fn check_config_shows_origins_and_hides_secrets() {
    let output = gatetrail(&["check", "config", "--clickhouse-password", "hush-hush", "--kafka-group", "audit"], "");
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(!out(&output).contains("hush-hush"));
    insta::assert_snapshot!("check_config", out(&output));
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = gatetrail(&["completions", shell], "");
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains("gatetrail"), "{shell}");
    }
}

#[test]
fn simulate_is_deterministic_and_its_events_pass_the_check() {
    let start = (gatetrail::telemetry::clock::Clock.now() - chrono::Duration::hours(2)).to_rfc3339();
    let arguments = ["simulate", "--events", "500", "--seed", "3", "--start", &start, "--output", "-"];
    let (first, second) = (gatetrail(&arguments, ""), gatetrail(&arguments, ""));
    assert_eq!(code(&first), 0, "{}", err(&first));
    assert_eq!(first.stdout, second.stdout);
    let checked = gatetrail(&["check", "events", "-"], &out(&first));
    assert_eq!(code(&checked), 0, "{}", out(&checked));
    assert!(out(&checked).contains("500 events, 0 refused"), "{}", out(&checked));
}
