//! Where each setting's value comes from: flag > environment > file > default. All faults are collected, none hides another.
//!
//! Values stay text until a section parses them, so that a password of digits is still a password.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::kafka_options;
use super::table::{SETTINGS, Setting};

/// A setting's value and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value as text.
    pub text: String,
    /// Where it was found, in words: `--kafka-brokers`, `GATETRAIL_KAFKA_BROKERS`, a file, `default`.
    pub origin: String,
}

/// The raw layers, before any value is parsed.
#[derive(Debug, Default, Clone)]
pub struct Layers {
    /// Values given as flags, by `section.key`.
    pub flags: BTreeMap<String, String>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The configuration file, if one is used.
    pub file: Option<PathBuf>,
}

/// Merges the layers: `section.key` → value with origin, and every fault in words.
#[must_use]
pub fn merge(layers: &Layers) -> (BTreeMap<String, Found>, Vec<String>) {
    let mut faults = Vec::new();
    let file = layers.file.as_deref().map(|path| read_file(path, &mut faults)).unwrap_or_default();
    report_unknown_variables(&layers.environment, &mut faults);
    let mut found = BTreeMap::new();
    for setting in SETTINGS {
        let path = setting.path();
        let value = flag(layers, setting)
            .or_else(|| variable(layers, setting, &mut faults))
            .or_else(|| file.get(&path).cloned())
            .or_else(|| setting.default.map(|text| Found { text: text.to_owned(), origin: "default".to_owned() }));
        if let Some(value) = value {
            found.insert(path, value);
        }
    }
    (found, faults)
}

fn flag(layers: &Layers, setting: &Setting) -> Option<Found> {
    let text = layers.flags.get(&setting.path())?.clone();
    Some(Found { text, origin: format!("--{}", setting.flag()) })
}

fn variable(layers: &Layers, setting: &Setting, faults: &mut Vec<String>) -> Option<Found> {
    let name = setting.variable();
    if let Some(text) = layers.environment.get(&name).filter(|text| !text.is_empty()) {
        return Some(Found { text: text.clone(), origin: name });
    }
    let file_variable = format!("{name}_FILE");
    let path = layers.environment.get(&file_variable).filter(|path| setting.secret && !path.is_empty())?;
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Found { text: text.trim_end_matches(['\r', '\n']).to_owned(), origin: file_variable }),
        Err(fault) => {
            faults.push(format!("{file_variable}: cannot read {path}: {fault}"));
            None
        }
    }
}

/// Variables that look like settings and are none: a typing error would otherwise go unseen.
fn report_unknown_variables(environment: &BTreeMap<String, String>, faults: &mut Vec<String>) {
    const OTHERS: [&str; 3] = ["GATETRAIL_CONFIG", "GATETRAIL_BIN", "GATETRAIL_LOG"];
    let of_test_builds = |name: &str| cfg!(feature = "crash-points") && name == "GATETRAIL_CRASH_AT";
    for name in environment.keys().filter(|name| name.starts_with("GATETRAIL_")) {
        let known = OTHERS.contains(&name.as_str())
            || of_test_builds(name)
            || SETTINGS.iter().any(|setting| {
                let variable = setting.variable();
                *name == variable || (setting.secret && *name == format!("{variable}_FILE"))
            });
        if !known {
            faults.push(format!("{name}: no such setting"));
        }
    }
}

fn read_file(path: &Path, faults: &mut Vec<String>) -> BTreeMap<String, Found> {
    let origin = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(fault) => {
            faults.push(format!("{origin}: cannot read it: {fault}"));
            return BTreeMap::new();
        }
    };
    match text.parse::<toml::Table>() {
        Ok(table) => flatten(&table, &origin, faults),
        Err(fault) => {
            faults.push(format!("{origin}: {}", fault.message()));
            BTreeMap::new()
        }
    }
}

fn flatten(table: &toml::Table, origin: &str, faults: &mut Vec<String>) -> BTreeMap<String, Found> {
    let mut values = BTreeMap::new();
    for (section, members) in table {
        let Some(members) = members.as_table() else {
            faults.push(format!("{origin}: `{section}` stands outside a section"));
            continue;
        };
        for (key, value) in members {
            let path = format!("{section}.{key}");
            let Some(setting) = SETTINGS.iter().find(|setting| setting.path() == path) else {
                faults.push(format!("{origin}: [{section}] {key}: no such setting"));
                continue;
            };
            let text = match value {
                toml::Value::Table(options) if setting.table => match kafka_options::text_of(options) {
                    Ok(text) => text,
                    Err(fault) => {
                        faults.push(format!("{origin}: [{section}.{key}] {fault}"));
                        continue;
                    }
                },
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                _ => {
                    faults.push(format!(
                        "{origin}: [{section}] {key}: a string, a whole number or a boolean is expected"
                    ));
                    continue;
                }
            };
            values.insert(path, Found { text, origin: origin.to_owned() });
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::{Layers, merge};

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gatetrail.toml");
        std::fs::write(&file, "[kafka]\nbrokers = \"file:1\"\ngroup = \"file\"\ntopic = \"file\"\n").unwrap();
        let layers = Layers {
            flags: [("kafka.brokers".to_owned(), "flag:1".to_owned())].into(),
            environment: [
                ("GATETRAIL_KAFKA_BROKERS".to_owned(), "env:1".to_owned()),
                ("GATETRAIL_KAFKA_GROUP".to_owned(), "env".to_owned()),
            ]
            .into(),
            file: Some(file),
        };
        let (found, faults) = merge(&layers);
        assert!(faults.is_empty(), "{faults:?}");
        let text = |path: &str| found[path].text.as_str();
        assert_eq!((text("kafka.brokers"), text("kafka.group"), text("kafka.topic")), ("flag:1", "env", "file"));
        assert_eq!(found["clickhouse.database"].origin, "default");
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gatetrail.toml");
        std::fs::write(&file, "top = 1\n[kafka]\nbroker = \"x\"\n[ingest]\nflush_ms = [1]\n").unwrap();
        let environment = [
            ("GATETRAIL_KAFKA_BROKRES".to_owned(), "x".to_owned()),
            ("GATETRAIL_SCRUB_KEY_FILE".to_owned(), "/does/not/exist".to_owned()),
        ]
        .into();
        let (_, faults) = merge(&Layers { environment, file: Some(file), ..Layers::default() });
        assert_eq!(faults.len(), 5, "{faults:#?}");
    }
}
