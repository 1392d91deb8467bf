//! A wording that no rule explains, on the real engines: a guess is stored as one, and called one wherever it is shown.

use serde_json::{Value, json};

use crate::support::{Stage, event, get, get_as};

/// No rule matches it, and it shares its words with what is known of the state of a sign-in.
const SAID: &str = "the browser brought home a state that nobody here handed out";
const CALLED: &str = "a guess by the words it shares with known messages";

#[test]
fn a_guess_by_resemblance_is_called_one_everywhere() {
    let stage = Stage::new("wording");
    let consume = stage.start(&["consume"], &[]);
    let data =
        json!({"request_id": "r-guess", "slug": "wiki", "hop": "upstream", "outcome": "failure", "message": SAID});
    let record = event("e-guess", "mcp.auth.authorize", 60, &data).to_string();
    stage.produce(&[("key", record.as_bytes())]);
    stage.wait_for_rows(1, 0, &consume);
    let stored = stage.query("SELECT class, rule, confidence FROM {db}.events");
    assert_eq!(stored, [json!({"class": "pkce_or_state_mismatch", "rule": "wording", "confidence": "weak"})]);

    let (_serve, base) = stage.serve();
    let url = format!("{base}/v1/requests/r-guess");
    let (status, timeline) = get(&url);
    let verdict = &timeline["verdict"];
    assert_eq!(
        (status, &verdict["rule"], &verdict["confidence"]),
        (200, &json!("wording"), &json!("weak")),
        "{timeline}"
    );
    let words: Vec<&str> =
        verdict["evidence"].as_array().unwrap().iter().map(|fact| fact["value"].as_str().unwrap()).collect();
    assert!(!words.is_empty() && words.iter().all(|word| SAID.contains(word)), "{words:?}");
    let (status, page) = get_as(&format!("{base}/requests/r-guess"), "text/html");
    assert!(status == 200 && page.contains(CALLED), "{status}: {page}");
    let lookup = stage.run(&["lookup", "r-guess"]);
    assert!(String::from_utf8_lossy(&lookup.stdout).contains(CALLED), "{lookup:?}");

    // It lacks a rule all the same.
    let output = stage.command(&["check", "unclassified", "--from", "-1d", "--weak", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let group = &report["unclassified"]["groups"][0];
    assert_eq!((&group["rule"], &group["events"]), (&json!("wording"), &json!(1)), "{report:#}");
    assert_eq!(report["weak"]["groups"], json!([]), "{report:#}");
}
