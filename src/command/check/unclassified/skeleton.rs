//! A rule for a group of texts, as far as it can be written without knowing what the failure means. Pure.

use std::fmt::Write;

use chrono::SecondsFormat;

use super::groups::Group;
use super::shape::PLACEHOLDERS;
use crate::classify::facts::Step;
use crate::command::terminal::printable_start;
use crate::event::vocabulary::ClosedEnum;

/// Stands where a person has to choose; no class has this name, so that the file is refused until one did.
pub const CHOOSE: &str = "CHOOSE";
/// Characters of an example in a comment.
const EXAMPLE: usize = 400;

/// The rule in TOML: what holds for every event of the group, with class and reason left open.
#[must_use]
pub fn skeleton(group: &Group) -> String {
    let key = &group.key;
    let seconds = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut lines = vec![
        format!("# {} events from {} to {}", group.events, seconds(group.first_seen), seconds(group.last_seen)),
        format!("# for example: {}", example_of(group)),
    ];
    if let Some(text) = &group.example_text {
        lines.push(format!("# which says: {}", one_line(text)));
    }
    lines.push("[[rule]]".to_owned());
    lines.push(format!("id = \"own.{}\"", id_of(group)));
    lines.push(format!("class = \"{CHOOSE}\"  # one of those that `gatetrail codes` lists"));
    lines.push("# reason = \"…\"          # finer than the class, in your own words".to_owned());
    lines.push("confidence = \"likely\"".to_owned());
    if key.step != Step::Unknown.as_str() {
        lines.push(format!("when.step = \"{}\"", key.step));
    }
    lines.extend(key.status.filter(|status| *status >= 400).map(|status| format!("when.status = {status}")));
    lines.extend(key.code.as_deref().map(|code| format!("when.code = {}", quoted(code))));
    lines.extend(key.rpc_code.map(|code| format!("when.rpc_code = {code}")));
    lines.extend(key.gateway_product.as_deref().map(|product| format!("# when.gateway_product = {}", quoted(product))));
    lines.extend(key.shape.as_deref().map(|shape| format!("when.text = [{}]", literal(&pattern_of(shape)))));
    lines.join("\n") + "\n"
}

fn example_of(group: &Group) -> String {
    match &group.example_request_id {
        Some(request_id) => format!("request {}", one_line(request_id)),
        None => format!("event {}", one_line(&group.example_event_id)),
    }
}

/// Text of a stranger in a comment: one line, no control characters.
fn one_line(text: &str) -> String {
    printable_start(text, EXAMPLE)
}

/// The first words of the shape, as an id.
fn id_of(group: &Group) -> String {
    let shape =
        PLACEHOLDERS.iter().fold(group.key.shape.clone().unwrap_or_default(), |shape, name| shape.replace(name, " "));
    let words = shape.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let named: Vec<String> = words.take(5).map(str::to_ascii_lowercase).collect();
    if named.is_empty() { format!("{}_says_nothing", group.key.step) } else { named.join("_") }
}

/// A pattern that matches texts of the shape: words as they are, anything in place of what names one case.
fn pattern_of(shape: &str) -> String {
    let mut pattern = String::new();
    let mut rest = shape.trim_end_matches('…');
    while !rest.is_empty() {
        let next = PLACEHOLDERS.iter().filter_map(|name| Some((rest.find(name)?, name.len()))).min();
        let (start, length) = next.unwrap_or((rest.len(), 0));
        pattern.push_str(&regex::escape(&rest[..start]));
        if length > 0 {
            pattern.push_str(".+?");
        }
        rest = &rest[start + length..];
    }
    pattern
}

/// A basic TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            character if character.is_control() => {
                // Writing to a string does not fail.
                write!(out, "\\u{:04X}", u32::from(character)).unwrap_or_default();
            }
            character => out.push(character),
        }
    }
    out.push('"');
    out
}

/// A literal TOML string where the text allows it, since patterns are full of backslashes.
fn literal(text: &str) -> String {
    if text.contains('\'') || text.contains(char::is_control) { quoted(text) } else { format!("'{text}'") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::groups::Groups;
    use super::super::groups::tests::text;
    use super::{CHOOSE, skeleton};
    use crate::classify::{Class, Classifier, TextCase};

    fn skeleton_of(members: Value) -> String {
        let mut groups = Groups::default();
        groups.add(text(members));
        skeleton(&groups.sorted()[0])
    }

    #[test]
    fn a_skeleton_names_everything_but_the_class() {
        insta::assert_snapshot!(skeleton_of(json!({
            "code": "server_error", "rpc_code": -32050, "example_request_id": "r1",
            "message": "can't open vault 17 (of \"jo\"): it's sealed\u{1b}[2J"
        })));
    }

    #[test]
    fn with_a_class_it_is_a_rule_that_explains_the_example_and_others_of_its_shape() {
        for (message, other) in [
            ("can't open vault 17 (of \"jo\"): it's sealed", "can't open vault 4 (of \"Mary Ann\"): it's sealed"),
            ("sealed by https://vault.example/17", "sealed by http://other.example/x?y=1"),
            ("a\\b [c] {d} $e ^f 12", "a\\b [c] {d} $e ^f 4711"),
        ] {
            let skeleton = skeleton_of(json!({"message": message, "type": "mcp.auth.telepathy", "status": null}));
            assert!(Classifier::from_toml(&format!("version = \"1\"\n{skeleton}")).is_err(), "somebody has to choose");
            let rule = skeleton.replace(CHOOSE, "forbidden");
            let rules = format!("version = \"1\"\n[who_acts]\nforbidden = \"workspace_admin\"\n{rule}");
            let classifier = Classifier::from_toml(&rules).unwrap_or_else(|error| panic!("{error}\n{rules}"));
            for said in [message, other] {
                let case = TextCase::of(said);
                let event = case.as_event();
                assert_eq!(classifier.classify(&event).class, Class::Forbidden, "{said}\n{rules}");
            }
        }
    }

    #[test]
    fn a_group_that_says_nothing_has_a_skeleton_too() {
        let said = skeleton_of(json!({"message": null}));
        assert!(said.contains("id = \"own.token_says_nothing\"") && !said.contains("when.text"), "{said}");
    }
}
