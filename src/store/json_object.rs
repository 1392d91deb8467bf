//! Writes the members of one JSON object into a text, without spaces and without absent members.
//!
//! The form matters: ClickHouse's `simpleJSON…` functions, which the aliases of `events` use, look for `"name":` and read
//! on from there. So names are plain (columns of ours), nothing stands between a name, its colon and its value, and a
//! quotation mark inside a value is always escaped.

/// An object that is being written at the end of a text. Nothing is written before its first member.
#[derive(Debug)]
pub struct JsonObject<'b> {
    out: &'b mut String,
    members: usize,
}

impl<'b> JsonObject<'b> {
    /// An object without members.
    pub fn new(out: &'b mut String) -> Self {
        Self { out, members: 0 }
    }

    /// Writes a member that is text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_quoted(self.out, value);
    }

    /// Writes a member that is a number or a flag, as it is displayed.
    pub fn plain(&mut self, name: &str, value: impl ToString) {
        self.name(name);
        self.out.push_str(&value.to_string());
    }

    /// Writes a member that is a list of texts.
    pub fn list<'t>(&mut self, name: &str, items: impl Iterator<Item = &'t str>) {
        self.name(name);
        self.out.push('[');
        for (number, item) in items.enumerate() {
            if number > 0 {
                self.out.push(',');
            }
            push_quoted(self.out, item);
        }
        self.out.push(']');
    }

    /// Writes a member that is an object of texts.
    pub fn texts<'t>(&mut self, name: &str, members: impl Iterator<Item = (&'t str, &'t str)>) {
        self.name(name);
        self.out.push('{');
        for (number, (key, value)) in members.enumerate() {
            if number > 0 {
                self.out.push(',');
            }
            push_quoted(self.out, key);
            self.out.push(':');
            push_quoted(self.out, value);
        }
        self.out.push('}');
    }

    /// Ends the object. Without members it is the empty text.
    pub fn close(self) {
        if self.members > 0 {
            self.out.push('}');
        }
    }

    fn name(&mut self, name: &str) {
        self.out.push_str(if self.members == 0 { "{\"" } else { ",\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
        self.members += 1;
    }
}

/// Escapes what RFC 8259 §7 says must be escaped, and nothing else.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut written = 0;
    for (place, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0..=0x1f => "\\u00",
            _ => continue,
        };
        out.push_str(&text[written..place]);
        out.push_str(escape);
        if byte < 0x20 {
            out.push(if byte < 0x10 { '0' } else { '1' });
            out.push(char::from(b"0123456789abcdef"[usize::from(byte & 0x0f)]));
        }
        written = place + 1;
    }
    out.push_str(&text[written..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::JsonObject;

    #[test]
    fn members_stand_in_order_without_spaces() {
        let mut out = "before".to_owned();
        let mut object = JsonObject::new(&mut out);
        object.text("a", "x\"y\\\n\u{1f}é");
        object.plain("b", -7);
        object.plain("c", true);
        object.list("d", ["1", "2"].into_iter());
        object.list("e", std::iter::empty());
        object.texts("f", [("k", "v"), ("l", "")].into_iter());
        object.close();
        assert_eq!(
            out,
            "before{\"a\":\"x\\\"y\\\\\\u000a\\u001fé\",\"b\":-7,\"c\":true,\"d\":[\"1\",\"2\"],\"e\":[],\"f\":{\"k\":\"v\",\"l\":\"\"}}"
        );
    }

    #[test]
    fn no_member_is_no_text() {
        let mut out = String::new();
        JsonObject::new(&mut out).close();
        assert_eq!(out, "");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(value in any::<String>(), key in any::<String>()) {
            let mut out = String::new();
            let mut object = JsonObject::new(&mut out);
            object.text("text", &value);
            object.list("list", [value.as_str(), key.as_str()].into_iter());
            object.texts("texts", [(key.as_str(), value.as_str())].into_iter());
            object.close();
            let read: serde_json::Value = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(&read["text"], &json!(value));
            prop_assert_eq!(&read["list"], &json!([value, key]));
            prop_assert_eq!(&read["texts"], &json!({key: value}));
        }
    }
}
