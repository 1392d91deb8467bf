//! `gatetrail check rules`: the faults of a rules file, all at once with their lines, or what it makes of the rules.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use crate::classify::Classifier;
use crate::command::Exit;
use crate::config::Config;

/// What `check rules` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct RulesArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// The rules file; without it the one of the setting `classify.rules`, or else the built-in rules
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs it: exit 2 when the file has faults.
///
/// # Errors
/// When the file cannot be read or the output written.
pub fn run(args: &RulesArgs, settings: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    let loaded = match args.file.as_ref().or(settings.rules.as_ref()) {
        None => Classifier::embedded(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the rules file {}", path.display()))?;
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            Classifier::with_own(&name, &text)
        }
    };
    let faults = loaded.as_ref().err().map_or(&[][..], |error| &error.faults);
    if args.json {
        let faults: Vec<_> = faults
            .iter()
            .map(|fault| json!({ "file": fault.file, "line": fault.line, "problem": fault.problem }))
            .collect();
        let sound = loaded.as_ref().ok();
        let answer = json!({
            "version": sound.map(Classifier::version),
            "rules": sound.map(|classifier| classifier.rules().len()),
            "patterns": sound.map(|classifier| classifier.patterns().len()),
            "faults": faults,
        });
        writeln!(output, "{answer}")?;
    } else {
        for fault in faults {
            writeln!(output, "{fault}")?;
        }
        if let Ok(classifier) = &loaded {
            let (rules, patterns) = (classifier.rules().len(), classifier.patterns().len());
            writeln!(output, "sound: version {}, {rules} rules, {patterns} patterns", classifier.version())?;
        }
    }
    Ok(if loaded.is_ok() { Exit::Ok } else { Exit::Usage })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{RulesArgs, run};
    use crate::command::Exit;
    use crate::config::{Config, Layers};

    fn checked(content: &str, json: bool) -> (Exit, String) {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        file.write_all(content.as_bytes()).expect("written");
        let mut output = Vec::new();
        let args = RulesArgs { json, file: Some(file.path().to_owned()) };
        let exit = run(&args, &Config::load(&Layers::default()).expect("sound"), &mut output).expect("runs");
        (exit, String::from_utf8(output).expect("UTF-8"))
    }

    #[test]
    fn all_faults_are_printed_and_the_exit_says_so() {
        let rules =
            "[[rule]]\nid = \"a\"\nclass = \"nope\"\nwhen.text = '('\n[[rule]]\nid = \"a\"\nclass = \"forbidden\"\n";
        let (exit, text) = checked(rules, false);
        assert_eq!(exit.code(), 2);
        assert_eq!(text.lines().count(), 4, "{text}");
        let (exit, json) = checked(rules, true);
        assert_eq!(exit.code(), 2);
        let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(answer["faults"].as_array().map(Vec::len), Some(4));
        assert_eq!(answer["faults"][0]["line"], 3);
    }

    #[test]
    fn a_sound_file_is_told_with_its_version() {
        let (exit, text) = checked("version = \"blue\"\ndisable = [\"limit.text\"]\n", false);
        assert_eq!(exit.code(), 0, "{text}");
        assert!(text.starts_with("sound: version ") && text.contains("+blue."), "{text}");
    }
}
