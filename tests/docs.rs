//! What README, ARCHITECTURE, CHANGELOG and the event contract's README say is so.
//!
//! Offline. Settings, folders, make targets, subcommands with their flags, links, alerts: each is compared with the thing
//! itself. Commands are looked for in fenced `sh` blocks and in inline code; what a `text` block shows is output and is
//! not looked at.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use gatetrail::config::{Config, Layers, SETTINGS, Setting};
    use regex::Regex;

    const DOCUMENTS: [&str; 5] =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/enrichment.md", "schemas/events/README.md"];
    /// Variables that are no settings.
    const OTHER_VARIABLES: [&str; 4] = ["GATETRAIL_CONFIG", "GATETRAIL_BIN", "GATETRAIL_LOG", "GATETRAIL_CRASH_AT"];

    fn root(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn text(path: &str) -> String {
        std::fs::read_to_string(root(path)).unwrap_or_else(|reason| panic!("{path}: {reason}"))
    }

    fn regex(pattern: &str) -> Regex {
        Regex::new(pattern).unwrap()
    }

    /// The part of a document under a heading of the second level.
    fn section(document: &str, heading: &str) -> String {
        let text = text(document);
        let opening = format!("\n## {heading}\n");
        let (_, rest) = text.split_once(&opening).unwrap_or_else(|| panic!("{document} has no section `{heading}`"));
        rest.split("\n## ").next().unwrap().to_owned()
    }

    /// The document without its fenced blocks, and the fenced blocks with their language.
    fn prose_and_blocks(document: &str) -> (String, Vec<(String, String)>) {
        let text = text(document);
        let mut prose = String::new();
        let mut blocks: Vec<(String, String)> = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                inside = !inside;
                if inside {
                    blocks.push((language.to_owned(), String::new()));
                }
                continue;
            }
            let into = if inside { &mut blocks.last_mut().unwrap().1 } else { &mut prose };
            into.push_str(line);
            into.push('\n');
        }
        assert!(!inside, "{document}: a fenced block is not closed");
        (prose, blocks)
    }

    fn inline_code(prose: &str) -> Vec<String> {
        regex("`([^`\n]+)`").captures_iter(prose).map(|found| found[1].to_owned()).collect()
    }

    /// Every piece of text that a reader may type: lines of `sh` blocks, and inline code.
    fn commands(document: &str) -> Vec<String> {
        let (prose, blocks) = prose_and_blocks(document);
        let shell = blocks.iter().filter(|(language, _)| language == "sh").flat_map(|(_, block)| block.lines());
        let without_comments = shell.map(|line| line.split(" #").next().unwrap().trim().to_owned());
        without_comments.filter(|line| !line.starts_with('#')).chain(inline_code(&prose)).collect()
    }

    fn help(words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_gatetrail")).args(words).arg("--help").env_clear().output();
        let output = output.unwrap();
        assert!(output.status.success(), "gatetrail {} --help", words.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The subcommands that a help page lists.
    fn subcommands(page: &str) -> BTreeSet<String> {
        let Some((_, list)) = page.split_once("Commands:\n") else { return BTreeSet::new() };
        let list = list.split("\n\n").next().unwrap();
        let name = regex(r"(?m)^  ([a-z-]+)  ");
        name.captures_iter(list).map(|found| found[1].to_owned()).collect()
    }

    /// The row that the table of settings has for a setting.
    fn row(setting: &Setting) -> String {
        let default = match (setting.default, setting.secret) {
            (Some(default), _) => format!("`{default}`"),
            (None, true) => "secret, not set".to_owned(),
            (None, false) => "not set".to_owned(),
        };
        format!("| `{}` | {default} | {} |", setting.path(), setting.help)
    }

    #[test]
    fn the_table_of_settings_is_the_programs_own() {
        let settings = section("README.md", "Settings");
        let rows: Vec<&str> = settings.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = SETTINGS.iter().map(row).collect();
        assert_eq!(rows, expected, "the table should read:\n{}", expected.join("\n"));
    }

    #[test]
    fn every_variable_that_is_named_exists() {
        let variable = regex("GATETRAIL_[A-Z_]+[A-Z]");
        for document in DOCUMENTS {
            for found in variable.find_iter(&text(document)) {
                let name = found.as_str();
                let is_setting = SETTINGS.iter().any(|setting| {
                    name == setting.variable() || (setting.secret && name == format!("{}_FILE", setting.variable()))
                });
                let is_rule = name == "GATETRAIL_SECTION_KEY";
                assert!(is_setting || is_rule || OTHER_VARIABLES.contains(&name), "{document}: {name}");
            }
        }
    }

    /// Every TOML block of README is a complete configuration file, or a file of rules.
    #[test]
    fn every_configuration_that_is_shown_is_taken() {
        let (_, blocks) = prose_and_blocks("README.md");
        let folder = tempfile::tempdir().unwrap();
        let mut seen = 0;
        for (_, text) in blocks.iter().filter(|(language, _)| language == "toml") {
            let file = folder.path().join(format!("{seen}.toml"));
            std::fs::write(&file, text).unwrap();
            seen += 1;
            if text.contains("[[rule]]") {
                let checked =
                    Command::new(env!("CARGO_BIN_EXE_gatetrail")).args(["check", "rules"]).arg(&file).output();
                let checked = checked.unwrap();
                assert!(checked.status.success(), "{text}\n{}", String::from_utf8_lossy(&checked.stdout));
                continue;
            }
            let loaded = Config::load(&Layers { file: Some(file), ..Layers::default() });
            assert!(loaded.is_ok(), "{text}\n{}", loaded.unwrap_err());
        }
        assert!(seen >= 2, "a configuration and rules are shown");
    }

    #[test]
    fn the_codemap_holds_every_folder_of_the_source_and_no_other() {
        let codemap = section("ARCHITECTURE.md", "Codemap");
        let listed: BTreeSet<String> =
            regex(r"(?m)^\| `([a-z_]+)/` ").captures_iter(&codemap).map(|found| found[1].to_owned()).collect();
        let folders: BTreeSet<String> = std::fs::read_dir(root("src"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        assert_eq!(listed, folders);
    }

    #[test]
    fn every_file_that_is_named_exists() {
        let path = regex(r"^[a-z_./]*[a-z_0-9-]+(/|\.(rs|toml|sql|yml|json|md))$");
        let named = regex(r"^[\w.]+(/[\w.-]+)+/?$");
        let mut seen = 0;
        for document in DOCUMENTS {
            let folder = root(document).parent().unwrap().to_owned();
            for code in inline_code(&prose_and_blocks(document).0) {
                if !path.is_match(&code) || !named.is_match(&code) {
                    continue;
                }
                let exists =
                    [folder.join(&code), root(&code), root("src").join(&code)].iter().any(|path| path.exists());
                assert!(exists, "{document}: `{code}`");
                seen += 1;
            }
        }
        assert!(seen >= 40, "only {seen} files are named: is the pattern still right?");
    }

    #[test]
    fn every_make_target_that_is_named_exists() {
        let makefile = text("Makefile");
        let targets: BTreeSet<String> =
            regex(r"(?m)^([a-z][a-z0-9-]*):").captures_iter(&makefile).map(|found| found[1].to_owned()).collect();
        let mut seen = 0;
        for document in DOCUMENTS {
            for command in commands(document) {
                let Some(found) =
                    regex(r"^(?:[A-Z_]+=\S+ )*make((?: [a-z][a-z0-9-]*)+(?: [A-Z_]+=\S+)*)$").captures(&command)
                else {
                    continue;
                };
                for target in found[1].split_whitespace().filter(|word| !word.contains('=')) {
                    seen += 1;
                    assert!(targets.contains(target), "{document}: make {target}");
                }
            }
        }
        assert!(seen >= 5, "only {seen} targets are named: is the pattern still right?");
    }

    #[test]
    fn every_subcommand_and_flag_that_is_named_exists() {
        let call = regex(r"(?:^|[ (|])gatetrail ([a-z][a-z-]*)(?: ([a-z-]+))?([^|)]*)");
        let flag = regex(r"--[a-z][a-z-]*");
        let roles = subcommands(&help(&[]));
        let mut pages: BTreeMap<String, String> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for document in DOCUMENTS {
            for command in commands(document) {
                for found in call.captures_iter(&command) {
                    let role = &found[1];
                    assert!(roles.contains(role), "{document}: gatetrail {role}");
                    let mut words = vec![role];
                    let below = subcommands(pages.entry(role.to_owned()).or_insert_with(|| help(&[role])));
                    if let Some(second) = found.get(2).filter(|_| !below.is_empty()) {
                        assert!(below.contains(second.as_str()), "{document}: gatetrail {role} {}", second.as_str());
                        words.push(second.as_str());
                    }
                    let page = pages.entry(words.join(" ")).or_insert_with(|| help(&words));
                    for flag in flag.find_iter(&found[3]) {
                        assert!(page.contains(flag.as_str()), "{document}: {command}: {}", flag.as_str());
                    }
                    seen.insert(role.to_owned());
                }
            }
        }
        let expected: BTreeSet<String> = roles.into_iter().filter(|role| role != "help").collect();
        assert_eq!(seen, expected, "README and ARCHITECTURE together name every role");
    }

    /// The anchor that a heading gets: lower case, spaces as hyphens, the rest of the punctuation left out.
    fn anchor(heading: &str) -> String {
        let kept = heading.trim().to_lowercase();
        kept.chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    }

    fn anchors(path: &Path) -> BTreeSet<String> {
        let text = std::fs::read_to_string(path).unwrap();
        let headings = text.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
    }

    #[test]
    fn every_relative_link_resolves() {
        let link = regex(r"\]\(([^)\s]+)\)");
        let mut seen = 0;
        for document in DOCUMENTS {
            let path = root(document);
            for found in link.captures_iter(&prose_and_blocks(document).0) {
                let target = &found[1];
                if target.contains("://") {
                    continue;
                }
                seen += 1;
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
                assert!(file.exists(), "{document}: {target}");
                assert!(heading.is_empty() || anchors(&file).contains(heading), "{document}: {target}");
            }
        }
        assert!(seen >= 5, "only {seen} links: is the pattern still right?");
    }

    #[test]
    fn every_alert_has_a_runbook() {
        let runbooks = section("README.md", "Alerts");
        let alerts = text("dashboards/prometheus/alerts.yml");
        let names: Vec<String> =
            regex(r"- alert: (\w+)").captures_iter(&alerts).map(|found| found[1].to_owned()).collect();
        assert!(!names.is_empty());
        let described: Vec<String> =
            regex(r"(?m)^### (\w+)").captures_iter(&runbooks).map(|found| found[1].to_owned()).collect();
        assert_eq!(described, names);
        for url in regex(r"runbook_url: README\.md#(\S+)").captures_iter(&alerts) {
            assert!(anchors(&root("README.md")).contains(&url[1]), "README.md#{}", &url[1]);
        }
    }

    #[test]
    fn a_heading_and_its_anchor() {
        assert_eq!(anchor(" What is stored, and what never"), "what-is-stored-and-what-never");
        assert_eq!(anchor("`make demo`"), "make-demo");
    }
}
