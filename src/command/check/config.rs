//! `gatetrail check config`: every setting with its value and where it came from.

use std::io::Write;

use serde_json::json;

use crate::command::Exit;
use crate::config::{Config, SETTINGS};

/// What `check config` takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ConfigArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Runs it. Faults of the configuration ended the program before this.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &ConfigArgs, settings: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    let mut values = serde_json::Map::new();
    for setting in SETTINGS {
        let path = setting.path();
        let found = settings.found.get(&path);
        let value = found.map(|found| setting.shown(&found.text));
        let origin = found.map_or("not set", |found| found.origin.as_str());
        if args.json {
            values.insert(path, json!({ "value": value, "origin": origin }));
        } else {
            writeln!(output, "{path:<32} {:<32} {origin}", value.as_deref().unwrap_or("-"))?;
        }
    }
    if args.json {
        writeln!(output, "{}", serde_json::Value::Object(values))?;
    }
    Ok(Exit::Ok)
}
