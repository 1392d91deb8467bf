//! A JSON value with blanks, prepared so that writing it is copying bytes and filling the blanks.
//!
//! `{name}` in a string is a blank ([`Slot`]) or a *choice*: a list of phrasings of which one is drawn each time, and
//! which may hold blanks and choices in turn. Braces around anything but a name stand for themselves, and so do all
//! other characters: what needs escaping in JSON is escaped here, once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::slot::{Form, Slot};

/// Named lists of phrasings.
pub type Choices = BTreeMap<String, Vec<String>>;

/// How deep choices may refer to choices.
const DEEPEST_CHOICE: usize = 4;

/// A piece of a prepared value.
#[derive(Debug)]
pub enum Piece {
    /// Bytes as they are.
    Literal(Vec<u8>),
    /// A blank inside a text.
    Slot(Slot),
    /// One of several phrasings.
    Choice(Vec<Vec<Piece>>),
    /// A member that consists of one blank; left out when the blank stays empty.
    Member {
        /// The quoted name and the colon.
        lead: Vec<u8>,
        /// The blank.
        slot: Slot,
    },
}

/// Prepares a value.
///
/// # Errors
/// A sentence: a name that is neither a blank nor a choice.
pub fn prepare(value: &Value, choices: &[&Choices]) -> Result<Vec<Piece>, String> {
    let mut preparation = Preparation { choices, pieces: Vec::new(), literal: Vec::new() };
    preparation.value(value)?;
    Ok(preparation.finish())
}

struct Preparation<'a> {
    choices: &'a [&'a Choices],
    pieces: Vec<Piece>,
    literal: Vec<u8>,
}

impl Preparation<'_> {
    fn finish(mut self) -> Vec<Piece> {
        self.push_literal();
        self.pieces
    }

    fn push_literal(&mut self) {
        if !self.literal.is_empty() {
            let literal = std::mem::take(&mut self.literal);
            self.pieces.push(Piece::Literal(literal));
        }
    }

    fn push(&mut self, piece: Piece) {
        self.push_literal();
        self.pieces.push(piece);
    }

    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Object(members) => self.object(members),
            Value::Array(items) => self.array(items),
            Value::String(text) => {
                self.literal.push(b'"');
                self.text(text, 0)?;
                self.literal.push(b'"');
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.literal.extend_from_slice(value.to_string().as_bytes());
                Ok(())
            }
        }
    }

    fn array(&mut self, items: &[Value]) -> Result<(), String> {
        self.literal.push(b'[');
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.literal.push(b',');
            }
            self.value(item)?;
        }
        self.literal.push(b']');
        Ok(())
    }

    /// Members that may drop out come last: those before them never need to know whether a comma is due.
    fn object(&mut self, members: &serde_json::Map<String, Value>) -> Result<(), String> {
        self.literal.push(b'{');
        let mut lone = Vec::new();
        let mut first = true;
        for (name, value) in members {
            if let Some(slot) = self.lone_slot(value) {
                lone.push((name, slot));
                continue;
            }
            if !first {
                self.literal.push(b',');
            }
            first = false;
            self.name(name);
            self.value(value)?;
        }
        for (name, slot) in lone {
            self.push_literal();
            self.name(name);
            let lead = std::mem::take(&mut self.literal);
            self.pieces.push(Piece::Member { lead, slot });
        }
        self.literal.push(b'}');
        Ok(())
    }

    fn name(&mut self, name: &str) {
        let quoted = Value::from(name).to_string();
        self.literal.extend_from_slice(quoted.as_bytes());
        self.literal.push(b':');
    }

    /// The blank that a value consists of; choices are not blanks, they are never empty.
    fn lone_slot(&self, value: &Value) -> Option<Slot> {
        let name = value.as_str()?.strip_prefix('{')?.strip_suffix('}')?;
        if self.choice(name).is_some() {
            return None;
        }
        Slot::find(name)
    }

    fn choice(&self, name: &str) -> Option<&Vec<String>> {
        self.choices.iter().find_map(|choices| choices.get(name))
    }

    fn text(&mut self, text: &str, depth: usize) -> Result<(), String> {
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let after = &rest[open + 1..];
            let name_length = after.bytes().take_while(|byte| matches!(byte, b'a'..=b'z' | b'_')).count();
            let closed = after.as_bytes().get(name_length) == Some(&b'}');
            if name_length == 0 || !closed {
                self.escaped(&rest[..=open]);
                rest = after;
                continue;
            }
            self.escaped(&rest[..open]);
            self.blank(&after[..name_length], depth)?;
            rest = &after[name_length + 1..];
        }
        self.escaped(rest);
        Ok(())
    }

    fn blank(&mut self, name: &str, depth: usize) -> Result<(), String> {
        let Some(phrasings) = self.choice(name).cloned() else {
            let slot = Slot::find(name).ok_or_else(|| format!("there is no blank and no choice `{{{name}}}`"))?;
            if slot.form() == Form::Bare && matches!(slot, Slot::Gateway | Slot::Client | Slot::Credential) {
                return Err(format!("`{{{name}}}` is an object and cannot stand inside a text"));
            }
            self.push(Piece::Slot(slot));
            return Ok(());
        };
        if depth == DEEPEST_CHOICE {
            return Err(format!("choice `{name}` refers to choices more than {DEEPEST_CHOICE} deep"));
        }
        if phrasings.is_empty() {
            return Err(format!("choice `{name}` has no phrasing"));
        }
        let mut prepared = Vec::with_capacity(phrasings.len());
        for phrasing in &phrasings {
            let mut inner = Preparation { choices: self.choices, pieces: Vec::new(), literal: Vec::new() };
            inner.text(phrasing, depth + 1)?;
            prepared.push(inner.finish());
        }
        self.push(Piece::Choice(prepared));
        Ok(())
    }

    /// Appends text as it stands between the quotes of a JSON string.
    fn escaped(&mut self, text: &str) {
        let quoted = Value::from(text).to_string();
        self.literal.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
    }
}

/// Writes prepared pieces; `fill` writes the value of a blank (nothing: unknown), `pick` draws among phrasings.
pub fn write<F>(pieces: &[Piece], out: &mut Vec<u8>, fill: &mut F)
where
    F: Fill,
{
    for piece in pieces {
        match piece {
            Piece::Literal(bytes) => out.extend_from_slice(bytes),
            Piece::Slot(slot) => fill.slot(*slot, out),
            Piece::Choice(phrasings) => {
                let drawn = fill.pick(phrasings.len());
                write(&phrasings[drawn], out, fill);
            }
            Piece::Member { lead, slot } => write_member(lead, *slot, out, fill),
        }
    }
}

fn write_member<F: Fill>(lead: &[u8], slot: Slot, out: &mut Vec<u8>, fill: &mut F) {
    let before = out.len();
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend_from_slice(lead);
    let quoted = slot.form() == Form::Text;
    if quoted {
        out.push(b'"');
    }
    let start = out.len();
    fill.slot(slot, out);
    if out.len() == start {
        out.truncate(before);
    } else if quoted {
        out.push(b'"');
    }
}

/// Fills the blanks of one event.
pub trait Fill {
    /// Appends the value of a blank as it stands in JSON, without quotes; appends nothing when it is unknown.
    fn slot(&mut self, slot: Slot, out: &mut Vec<u8>);
    /// Draws one of `count` phrasings.
    fn pick(&mut self, count: usize) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Knows the user, does not know the key; picks the last phrasing.
    struct Sample;

    impl Fill for Sample {
        fn slot(&mut self, slot: Slot, out: &mut Vec<u8>) {
            match slot {
                Slot::User => out.extend_from_slice(b"u_1"),
                Slot::RpcId => out.extend_from_slice(b"7"),
                _ => {}
            }
        }
        fn pick(&mut self, count: usize) -> usize {
            count - 1
        }
    }

    fn rendered(value: &Value) -> Result<Value, String> {
        let story = Choices::from([("greeting".into(), vec!["no".into(), "hi \"{user}\"".into()])]);
        let pieces = prepare(value, &[&story])?;
        let mut out = Vec::new();
        write(&pieces, &mut out, &mut Sample);
        serde_json::from_slice(&out).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&out)))
    }

    #[test]
    fn values_with_blanks_become_json() {
        let cases = [
            (json!({"a": "{user}", "b": 1}), json!({"a": "u_1", "b": 1})),
            (json!({"key": "{key_id}", "id": "{rpc_id}"}), json!({"id": 7})),
            (json!({"only": "{key_id}"}), json!({})),
            (json!({"text": "{greeting}, {user}"}), json!({"text": "hi \"u_1\", u_1"})),
            (json!(["{user}", {"x": "{user}"}]), json!(["u_1", {"x": "u_1"}])),
            (json!({"body": "{\"error\":\"a\\b\"} {} {1}"}), json!({"body": "{\"error\":\"a\\b\"} {} {1}"})),
        ];
        for (value, expected) in cases {
            assert_eq!(rendered(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for value in [json!("{nobody}"), json!("see {gateway}")] {
            assert!(prepare(&value, &[]).is_err(), "{value}");
        }
    }

    #[test]
    fn choices_that_turn_in_circles_are_refused() {
        let circle = Choices::from([("again".into(), vec!["{again}".into()])]);
        assert!(prepare(&json!("{again}"), &[&circle]).is_err());
    }
}
