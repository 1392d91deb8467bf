//! The ways in which log lines write text inside other text: escapes, dumps, line breaks.

/// A way of writing text inside other text.
pub(super) type Write = fn(&str) -> String;

pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("strings are JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent_with(text: &str, upper: bool) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            char::from(byte).to_string()
        } else if upper {
            format!("%{byte:02X}")
        } else {
            format!("%{byte:02x}")
        }
    };
    text.bytes().map(letter).collect()
}

pub(super) fn percent(text: &str) -> String {
    percent_with(text, true)
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

fn html_numbers(text: &str) -> String {
    let letter = |one: char| match one {
        '"' | '\'' | '&' | '<' | '>' | '=' => format!("&#{};", u32::from(one)),
        _ => one.to_string(),
    };
    text.chars().map(letter).collect()
}

fn html_hex(text: &str) -> String {
    let letter = |one: char| match one {
        '"' | '\'' | '&' | '<' | '>' | '=' => format!("&#x{:X};", u32::from(one)),
        _ => one.to_string(),
    };
    text.chars().map(letter).collect()
}

fn unicode(text: &str) -> String {
    let letter = |one: char| {
        if one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.' | ' ') {
            one.to_string()
        } else {
            format!("\\u{:04x}", u32::from(one))
        }
    };
    text.chars().map(letter).collect()
}

/// As Go's JSON writes: `<`, `>` and `&` as escapes too.
fn go_json(text: &str) -> String {
    json(text).replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// As PHP's JSON writes: slashes escaped.
fn php_json(text: &str) -> String {
    json(text).replace('/', "\\/")
}

/// Quotes as `\u0022`.
fn json_hex_quotes(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\u0022")
        .replace('\'', "\\u0027")
        .replace('&', "\\u0026")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// As nginx logs: `\x22`.
fn nginx(text: &str) -> String {
    let letter = |one: char| match one {
        '"' | '\\' => format!("\\x{:02X}", u32::from(one)),
        one if u32::from(one) < 32 => format!("\\x{:02X}", u32::from(one)),
        _ => one.to_string(),
    };
    text.chars().map(letter).collect()
}

fn python(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

/// As spreadsheets and SQL write: quotes doubled.
fn csv(text: &str) -> String {
    text.replace('"', "\"\"")
}

/// As forms are sent; what has nothing but spaces to escape stays as it is.
fn form(text: &str) -> String {
    let written = percent(text).replace("%20", "+");
    if written.contains('%') { written } else { text.to_owned() }
}

/// Every way, with a name for the failure.
pub(super) const WRITINGS: &[(&str, Write)] = &[
    ("plain", str::to_owned),
    ("JSON", json),
    ("JSON twice", |text| json(&json(text))),
    ("JSON three times", |text| json(&json(&json(text)))),
    ("JSON four times", |text| json(&json(&json(&json(text))))),
    ("Go JSON", go_json),
    ("Go JSON twice", |text| go_json(&go_json(text))),
    ("PHP JSON", php_json),
    ("PHP JSON in JSON", |text| json(&php_json(text))),
    ("\\u0022", json_hex_quotes),
    ("\\u0022 in JSON", |text| json(&json_hex_quotes(text))),
    ("\\x22", nginx),
    ("JSON in \\x22", |text| nginx(&json(text))),
    ("\\x22 in JSON", |text| json(&nginx(text))),
    ("Python", python),
    ("Python in JSON", |text| json(&python(text))),
    ("JSON in Python", |text| python(&json(text))),
    ("percent", percent),
    ("percent, lower case", |text| percent_with(text, false)),
    ("percent twice", |text| percent(&percent(text))),
    ("percent three times", |text| percent(&percent(&percent(text)))),
    ("form", form),
    ("form in percent", |text| percent(&form(text))),
    ("percent in JSON", |text| json(&percent(text))),
    ("JSON in percent", |text| percent(&json(text))),
    ("JSON in JSON in percent", |text| percent(&json(&json(text)))),
    ("JSON in percent twice", |text| percent(&percent(&json(text)))),
    ("HTML", html),
    ("HTML twice", |text| html(&html(text))),
    ("HTML numbers", html_numbers),
    ("HTML hexadecimal", html_hex),
    ("JSON in HTML", |text| html(&json(text))),
    ("JSON in JSON in HTML", |text| html(&json(&json(text)))),
    ("HTML in JSON", |text| json(&html(text))),
    ("unicode", unicode),
    ("unicode in JSON", |text| json(&unicode(text))),
    ("CSV", csv),
    ("JSON in CSV", |text| csv(&json(text))),
];
