//! Re-classification on a real store: new rules change what the API answers, and not one row of `events`.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Running, Stage, event, get, wait_until};

/// Failures that only a rule of ours explains, on two days and of several servers, then a refresh that fails with the same words,
/// then events in which nothing failed. The first one is sent twice: two rows of one event.
const UNEXPLAINED: u64 = 60;
const REFRESH: u64 = UNEXPLAINED;
const EVENTS: u64 = 100;
const ROWS: u64 = EVENTS + 1;
/// Rows that a rule about those words explains.
const FAILED_ROWS: u64 = UNEXPLAINED + 1 + 1;
/// The hour of the second day lies so far back.
const A_DAY: i64 = 26 * 3_600;

/// A rules file that explains the words of this test, or a part of them.
fn rules(stage: &Stage, version: &str, words: &str) -> PathBuf {
    let file = stage.file(&format!("rules-{version}.toml"));
    let text = format!(
        "version = \"it-{version}\"\n[who_acts]\nrate_limited = \"nobody\"\nforbidden = \"workspace_admin\"\n\
         [[rule]]\nid = \"it.plutonium\"\nclass = \"rate_limited\"\nreason = \"plutonium\"\nconfidence = \"certain\"\nwhen.text = ['{words}']\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// A stage with the events of this test, stored under the built-in rules, and its consumer.
fn stage_with_events(test: &str) -> (Stage, Running) {
    let stage = Stage::new(test);
    let consume = stage.start(&["consume"], &[]);
    let records: Vec<String> = (0..EVENTS)
        .map(|number| {
            let back = if number % 2 == 0 { 60 } else { A_DAY };
            let slug = ["wiki", "crm", "mail"][usize::try_from(number % 3).unwrap()];
            let mut data = json!({"request_id": format!("r-{number}"), "slug": slug, "hop": "upstream",
                "scope": {"granted": ""}, "oauth": {"params_sent": []}, "attributes": {"flux.level": number.to_string()}});
            if number <= REFRESH {
                data["outcome"] = json!("failure");
                data["message"] = json!(format!("zyqx vrrk plutonium-{number}"));
            }
            if number % 5 == 0 {
                data["slug"] = Value::Null;
            }
            // A step that no rule knows, so that no rule guesses by the step.
            let type_name = if number == REFRESH { "mcp.auth.refresh" } else { "mcp.auth.telepathy" };
            event(&format!("e-{number}"), type_name, back, &data).to_string()
        })
        .collect();
    let twice = records.iter().chain(records.first());
    stage.produce(&twice.map(|record| ("key", record.as_bytes())).collect::<Vec<_>>());
    stage.wait_for_rows(ROWS, 0, &consume);
    (stage, consume)
}

/// The answer of `replay --reclassify --json` with these rules.
fn reclassify(stage: &Stage, rules: Option<&PathBuf>, more: &[&str]) -> Value {
    let mut command = stage.command(&["replay", "--reclassify", "--json"]);
    command.args(more);
    if let Some(rules) = rules {
        command.env("GATETRAIL_CLASSIFY_RULES", rules);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Both lists of `check unclassified`.
fn unclassified(stage: &Stage, more: &[&str]) -> (Value, Value) {
    let output = stage.command(&["check", "unclassified", "--from", "-3d", "--json"]).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (report["unclassified"].take(), report["weak"].take())
}

/// Everything that `events` holds, in one number.
fn content(stage: &Stage) -> Value {
    stage.query("SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM {db}.events")[0].clone()
}

fn overlays(stage: &Stage) -> u64 {
    stage.count("SELECT count() FROM {db}.reclassifications")
}

fn class_of(base: &str, number: u64) -> Value {
    let (status, timeline) = get(&format!("{base}/v1/requests/r-{number}"));
    assert_eq!(status, 200, "{timeline}");
    timeline["verdict"]["class"].clone()
}

fn found(base: &str, filter: &str) -> usize {
    let (status, page) = get(&format!("{base}/v1/requests?from=-3d&limit=1000&{filter}"));
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().len()
}

#[test]
fn new_rules_change_the_answers_and_no_row() {
    let (stage, consume) = stage_with_events("reclassify");
    let (_serve, base) = stage.serve();
    let before = content(&stage);
    let second = rules(&stage, "2", "vrrk plutonium");
    assert_eq!(class_of(&base, 3), "unclassified", "the test has a gap in the rules to fill");
    assert_eq!(found(&base, "class=unclassified"), 60);

    let (gap, weak) = unclassified(&stage, &["--weak"]);
    assert_eq!((&gap["events"], &gap["shapes"], &gap["complete"]), (&json!(60), &json!(1), &json!(true)), "{gap:#}");
    let group = &gap["groups"][0];
    assert_eq!((&group["shape"], &group["step"]), (&json!("zyqx vrrk <id>"), &json!("unknown")));
    assert!(group["example_text"].as_str().unwrap().starts_with("zyqx vrrk plutonium-"), "{gap:#}");
    let (status, _) = get(&format!("{base}/v1/requests/{}", group["example_request_id"].as_str().unwrap()));
    assert_eq!(status, 200);
    assert!(weak["groups"].is_array(), "{weak}");
    let skeleton = stage.run(&["check", "unclassified", "--from", "-3d", "--rule", "1"]);
    let skeleton = String::from_utf8(skeleton.stdout).unwrap();
    assert!(skeleton.contains("when.text = ['zyqx vrrk .+?']"), "{skeleton}");

    let same = reclassify(&stage, None, &[]);
    assert_eq!(
        (&same["rows"], &same["changed"]),
        (&json!(ROWS), &json!(0)),
        "what is stored is classified as it was: {same}"
    );

    let dry = reclassify(&stage, Some(&second), &["--dry-run"]);
    assert_eq!(
        (&dry["changed"], &dry["written"], &dry["dry_run"]),
        (&json!(FAILED_ROWS), &json!(0), &json!(true)),
        "{dry}"
    );
    let change = &dry["changes"][0];
    assert_eq!(
        (&change["from"], &change["to"], &change["rows"]),
        (&json!("unclassified"), &json!("rate_limited"), &json!(61))
    );
    assert!(change["example_request_id"].as_str().unwrap().starts_with("r-"), "{change}");
    assert_eq!(overlays(&stage), 0, "a dry run writes nothing");
    assert_eq!(class_of(&base, 3), "unclassified");

    let today = reclassify(&stage, Some(&second), &["--since", "-2h"]);
    assert_eq!(today["written"], json!(32), "{today}");
    assert_eq!((class_of(&base, 2), class_of(&base, 3)), (json!("rate_limited"), json!("unclassified")));
    let rest = reclassify(&stage, Some(&second), &[]);
    assert_eq!((&rest["changed"], &rest["written"]), (&json!(30), &json!(30)), "only what is left: {rest}");
    let again = reclassify(&stage, Some(&second), &[]);
    assert_eq!((&again["rows"], &again["changed"], &again["written"]), (&json!(ROWS), &json!(0), &json!(0)), "{again}");
    assert_eq!(overlays(&stage), FAILED_ROWS);

    let (left, _) = unclassified(&stage, &[]);
    assert_eq!((&left["events"], &left["groups"]), (&json!(0), &json!([])), "it counts what counts now");

    // Every reader.
    let (_, timeline) = get(&format!("{base}/v1/requests/r-3"));
    assert_eq!(timeline["verdict"]["class"], "rate_limited", "{timeline}");
    assert_eq!(
        (&timeline["verdict"]["rule"], &timeline["verdict"]["reason"]),
        (&json!("it.plutonium"), &json!("plutonium"))
    );
    assert!(timeline["verdict"]["evidence"][0]["value"].as_str().unwrap().contains("plutonium"), "{timeline}");
    let entry = &timeline["timeline"][0];
    assert_eq!((&entry["class"], &entry["class_at_arrival"]), (&json!("rate_limited"), &json!("unclassified")));
    assert!(entry["class_version"].as_str().unwrap().contains("it-2"), "{entry}");
    assert_ne!(entry["class_version_at_arrival"], entry["class_version"]);
    let (_, fine) = get(&format!("{base}/v1/requests/r-70"));
    assert!(fine["timeline"][0].get("class_at_arrival").is_none(), "{fine}");
    assert_eq!((found(&base, "class=unclassified"), found(&base, "class=rate_limited")), (0, 61));
    assert_eq!((found(&base, "class=none"), found(&base, "class=rate_limited&hop=upstream&slug=crm")), (39, 16));
    let (_, listed) = get(&format!("{base}/v1/requests?from=-3d&limit=1000"));
    let classes: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["class"].as_str().unwrap()).collect();
    assert_eq!(classes.iter().filter(|class| **class == "rate_limited").count(), 61);
    let (_, ledger) = get(&format!("{base}/v1/token-refreshes?from=-3d&limit=1000"));
    let refreshes = ledger["items"].as_array().unwrap();
    assert_eq!(refreshes.len(), 1, "{ledger}");
    assert_eq!((&refreshes[0]["class"], &refreshes[0]["reason"]), (&json!("rate_limited"), &json!("plutonium")));
    let view = stage.query(
        "SELECT class, count() AS rows, any(rule) AS rule, countIf(class_at_arrival = 'unclassified') AS were_not FROM {db}.classified_events GROUP BY class ORDER BY class",
    );
    assert_eq!(
        view,
        [
            json!({"class": "none", "rows": 39, "rule": "none", "were_not": 0}),
            json!({"class": "rate_limited", "rows": 62, "rule": "it.plutonium", "were_not": 61})
        ]
    );

    // What that costs rests on the store's planner: a condition on the time reaches all four tables of the view, one on the class
    // is tested before the join, and where anything was re-classified is told without reading.
    let plan = |sql: &str| -> String {
        let lines = stage.query(&format!("EXPLAIN indexes = 1 {sql}"));
        lines.iter().map(|line| line["explain"].as_str().unwrap().to_owned() + "\n").collect()
    };
    let by_class = plan(
        "SELECT class, count() FROM {db}.classified_events WHERE time >= now64(6) - INTERVAL 2 HOUR AND class != 'none' GROUP BY class",
    );
    assert_eq!(by_class.matches("ReadFromMergeTree").count(), 4, "{by_class}");
    let by_key = by_class.split("PrimaryKey").skip(1).filter(|rest| {
        let end = rest.find("Ranges:").unwrap_or(rest.len());
        rest[..end].contains("Condition: (time in [")
    });
    assert_eq!(by_key.count(), 4, "each of them is narrowed by its key: {by_class}");
    let prewhere = by_class.lines().find(|line| line.contains("Prewhere filter column") && line.contains("'none'"));
    assert!(prewhere.is_some_and(|line| line.contains("derived")), "{by_class}");
    let bounds = plan("SELECT count(), min(time), max(time) FROM {db}.reclassifications SETTINGS enable_analyzer = 0");
    assert!(bounds.contains("minmax_count_projection"), "{bounds}");

    // And back: the last word counts.
    let third = rules(&stage, "3", "vrrk plutonium-.$");
    let back = reclassify(&stage, Some(&third), &[]);
    assert_eq!(
        back["changed"], FAILED_ROWS,
        "fifty are explained no longer, and the evidence of the others is longer: {back}"
    );
    let (_, timeline) = get(&format!("{base}/v1/requests/r-30"));
    assert_eq!(timeline["verdict"]["class"], "unclassified");
    assert_eq!(timeline["timeline"][0]["class_at_arrival"], "unclassified");
    assert_eq!(found(&base, "class=rate_limited"), 10);

    assert_eq!(content(&stage), before, "no row of events was touched");
    consume.stop_well();
    let check = stage.run(&["check", "ingest", "--from", "-3d", "--json"]);
    let check: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!((&check["lost"], &check["duplicates"]), (&json!(0), &json!(0)), "{check:#}");
}

#[test]
fn a_run_that_was_killed_is_run_again_and_two_at_once_do_no_harm() {
    let (stage, consume) = stage_with_events("reclassify_killed");
    consume.stop_well();
    let before = content(&stage);
    let second = rules(&stage, "2", "vrrk plutonium");
    let killed = stage
        .command(&["replay", "--reclassify"])
        .env("GATETRAIL_CLASSIFY_RULES", &second)
        .env("GATETRAIL_CRASH_AT", "reclassifications-inserted")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None, "{}", String::from_utf8_lossy(&killed.stderr));
    let written = overlays(&stage);
    assert!(written > 0 && written < FAILED_ROWS, "killed between two pages: {written}");
    let rest = reclassify(&stage, Some(&second), &[]);
    assert_eq!(rest["written"], FAILED_ROWS - written, "{rest}");

    // Two with other rules, at the same time.
    let third = rules(&stage, "3", "zyqx vrrk");
    let mut both: Vec<_> = (0..2)
        .map(|_| stage.start(&["replay", "--reclassify"], &[("GATETRAIL_CLASSIFY_RULES", third.to_str().unwrap())]))
        .collect();
    for running in &mut both {
        let status = running.wait_for_end();
        assert!(status.success(), "{}", running.log_text());
    }
    let again = reclassify(&stage, Some(&third), &[]);
    assert_eq!((&again["rows"], &again["changed"]), (&json!(ROWS), &json!(0)), "{again}");
    let by_class =
        || stage.query("SELECT class, count() AS rows FROM {db}.classified_events GROUP BY class ORDER BY class");
    assert_eq!(by_class(), [json!({"class": "none", "rows": 39}), json!({"class": "rate_limited", "rows": 62})]);
    stage.execute("OPTIMIZE TABLE {db}.reclassifications FINAL");
    wait_until("one row of each is left", || overlays(&stage) == FAILED_ROWS, || overlays(&stage).to_string());
    assert_eq!(by_class(), [json!({"class": "none", "rows": 39}), json!({"class": "rate_limited", "rows": 62})]);
    assert_eq!(content(&stage), before);
}

#[test]
fn a_row_that_was_stored_anew_keeps_the_class_it_arrived_with() {
    let (stage, consume) = stage_with_events("reclassify_anew");
    consume.stop_well();
    let second = rules(&stage, "2", "vrrk plutonium");
    assert_eq!(reclassify(&stage, Some(&second), &[])["written"], FAILED_ROWS);
    let row = "kafka_partition = (SELECT any(kafka_partition) FROM {db}.events) AND kafka_offset = 3";
    stage.execute(&format!("ALTER TABLE {{db}}.events DELETE WHERE {row} SETTINGS mutations_sync = 2"));
    let partition = stage.count("SELECT any(kafka_partition) FROM {db}.events").to_string();
    let third = rules(&stage, "3", "nothing of the kind");
    let replay = stage
        .command(&["replay", "--partition", &partition, "--from", "3", "--to", "4"])
        .env("GATETRAIL_CLASSIFY_RULES", &third)
        .output()
        .unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let classes = stage.query(&format!("SELECT class FROM {{db}}.classified_events WHERE {row}"));
    assert_eq!(classes, [json!({"class": "unclassified"})], "it was classified by newer rules than the overlay's");
    let (_serve, base) = stage.serve();
    assert_eq!((class_of(&base, 3), class_of(&base, 4)), (json!("unclassified"), json!("rate_limited")));
}
