//! What has happened so far: a line for each fault, counts by kind, what went wrong, and a summary as JSON.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

pub struct Report {
    seed: u64,
    start: Instant,
    by_kind: BTreeMap<String, u64>,
    missed: BTreeMap<String, u64>,
    done: u64,
    lines: Vec<String>,
    wrong: Vec<String>,
}

impl Report {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            start: Instant::now(),
            by_kind: BTreeMap::new(),
            missed: BTreeMap::new(),
            done: 0,
            lines: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// A fault has happened.
    pub fn done(&mut self, what: String, kind: impl Into<String>) {
        self.done += 1;
        *self.by_kind.entry(kind.into()).or_default() += 1;
        self.say(&format!("{:4}  {what}", self.done));
    }

    /// A fault did not happen, because what it waits for did not come.
    pub fn missed(&mut self, what: String, kind: impl Into<String>) {
        *self.missed.entry(kind.into()).or_default() += 1;
        self.say(&format!("   -  {what}"));
    }

    /// Something that must never happen; the run goes on and fails in the end.
    pub fn wrong(&mut self, what: String) {
        self.say(&format!("WRONG {what}"));
        self.wrong.push(what);
    }

    /// A line of progress.
    pub fn say(&mut self, text: &str) {
        let line = format!("{:7.1} s  {text}", self.start.elapsed().as_secs_f64());
        println!("{line}");
        self.lines.push(line);
    }

    pub fn faults(&self) -> u64 {
        self.done
    }

    pub fn wrongs(&self) -> &[String] {
        &self.wrong
    }

    /// Kinds that never happened although they were tried.
    pub fn never(&self) -> Vec<&str> {
        self.missed.keys().filter(|kind| !self.by_kind.contains_key(*kind)).map(String::as_str).collect()
    }

    /// The whole run as one line of JSON.
    pub fn summary(&self, records: u64) -> String {
        json!({
            "seed": self.seed, "faults": self.done, "seconds": self.start.elapsed().as_secs(), "records": records,
            "lost": 0, "duplicated": 0, "by_kind": self.by_kind, "not_reached": self.missed,
        })
        .to_string()
    }

    /// What a person needs to understand a failure.
    pub fn failure(&self, reason: &str) -> String {
        format!("{reason}\n\nSEED={}; the faults so far:\n{}", self.seed, self.lines.join("\n"))
    }
}
