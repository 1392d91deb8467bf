//! The subcommand as far as it needs no broker.

use clap::Parser;

use super::*;
use crate::config::{Config, Kafka, Layers};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    simulate: SimulateArguments,
}

fn arguments(line: &[&str]) -> Result<SimulateArguments, clap::Error> {
    let words = std::iter::once("simulate").chain(line.iter().copied());
    CommandLine::try_parse_from(words).map(|parsed| parsed.simulate)
}

fn nowhere() -> Kafka {
    let flags = [("kafka.brokers".to_owned(), "127.0.0.1:1".to_owned())].into();
    Config::load(&Layers { flags, ..Layers::default() }).unwrap().kafka
}

fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[test]
fn spans_have_a_unit_and_a_bound() {
    let cases = [
        ("90s", Some(90)),
        ("30m", Some(1_800)),
        ("1h", Some(3_600)),
        ("7d", Some(604_800)),
        ("0s", None),
        ("91d", None),
        ("1hh", None),
        ("-1h", None),
        ("h", None),
        ("60", None),
        ("5é", None),
        ("", None),
    ];
    for (text, seconds) in cases {
        assert_eq!(parse_span(text).ok(), seconds.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn arguments_out_of_range_are_refused() {
    let refused: [&[&str]; 6] = [
        &["--rate", "0"],
        &["--events", "-1"],
        &["--start", "noon"],
        &["--span", "soon"],
        &["--registry", "r"],
        &["--poison", "some"],
    ];
    for line in refused {
        assert!(arguments(line).is_err(), "{line:?}");
    }
}

#[test]
fn by_default_the_span_ends_now() {
    let options = options(&arguments(&["--span", "30m"]).unwrap(), b"key", noon()).unwrap();
    assert_eq!(options.start, noon() - TimeDelta::minutes(30));
}

#[test]
fn events_registry_and_answers_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (output, registry, answers) = (file("events"), file("registry"), file("answers"));
    let line = [
        "--events",
        "500",
        "--output",
        output.to_str().unwrap(),
        "--registry",
        registry.to_str().unwrap(),
        "--answers",
        answers.to_str().unwrap(),
    ];
    run(&arguments(&line).unwrap(), &nowhere(), b"key", noon()).unwrap();
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(&output), 500);
    assert!(lines(&registry) > 1_000);
    assert!((100..400).contains(&lines(&answers)), "{}", lines(&answers));
    assert!(!file("answers.partial").exists());
}

#[test]
fn faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("missing/file");
    let cases: [(&[&str], &str); 3] = [
        (&["--output", nested.to_str().unwrap()], "cannot write"),
        (&["--output", "-", "--events", "1", "--poison", "101"], "poison must be a number from 0 to 100"),
        (&["--events", "1"], "kafka at 127.0.0.1:1 does not answer"),
    ];
    for (line, expected) in cases {
        let fault = run(&arguments(line).unwrap(), &nowhere(), b"key", noon()).unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault:#}");
    }
}
