//! Secrets behind a name without a separator: `invalid token 'a1b2…'`, `login u password x`, `(:access_token "x")`.
//!
//! Words about secrets are everywhere in such texts, so the value must be quoted or long, and look generated.

use super::keys::Manner;
use super::kind::SecretKind;
use super::name;
use super::scan::{Found, Tables, View};
use super::value::{self, Ends};
use super::words;

/// Shortest value in quotes, and without them, that is believed here.
const QUOTED: usize = 16;
const BARE: usize = 20;

/// Looks at the value behind the word that ends at or soon after `trigger`.
pub(super) fn after_word(tables: &Tables, view: View<'_>, trigger: usize) -> Option<Found> {
    let bytes = view.bytes;
    let letters = bytes[trigger..].iter().take(6).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word_end = trigger + letters;
    let name_quote = value::quote_at(bytes, word_end).filter(|_| letters < 6);
    let after_name = word_end + name_quote.map_or(0, |quote| quote.length);
    let mut at = value::skip_spaces(bytes, after_name);
    if at == after_name || at >= bytes.len() {
        return None;
    }
    let first = bytes[at];
    let is_worth_it =
        first.is_ascii_alphanumeric() || matches!(first, b'"' | b'\'' | b'`' | b'\\' | b'%' | b'&' | b'|');
    if !is_worth_it {
        return None;
    }
    let name = name::before(&tables.keys, view, after_name)?;
    let rule = name.rule;
    if !matches!(rule.manner, Manner::Always | Manner::Opaque | Manner::Plain | Manner::Random) {
        return None;
    }
    // `password is 'x'`, `token was x`, a table's column.
    let mut is_said = false;
    for word in [&b"is "[..], b"was ", b"| "] {
        if bytes[at..].starts_with(word) {
            at = value::skip_spaces(bytes, at + word.len());
            is_said = true;
        }
    }
    let ends = Ends { percent_level: 0, comma: true, semicolon: true, equals: false, limit: None };
    let read = value::read(bytes, at, ends);
    let text = bytes.get(read.start..read.end)?;
    if text.is_empty() || words::is_placeholder(text) || words::is_statement(text, true) {
        return None;
    }
    let is_password = rule.kind == SecretKind::Password;
    let is_taken = match read.quote {
        Some(_) if is_password && is_said => !text.contains(&b' '),
        Some(_) => words::is_generated(text, if rule.manner == Manner::Always { 12 } else { QUOTED }),
        None if is_password => follows_login(view, name.start),
        None => words::is_generated(text, BARE) && (words::is_mixed(text) || text.len() >= 32),
    };
    is_taken.then_some(Found::plain(read.start, read.end, rule.kind))
}

/// Whether the name stands behind `login user`, as in a `.netrc` file.
fn follows_login(view: View<'_>, start: usize) -> bool {
    let head = view.bytes[view.floor..start].trim_ascii_end();
    let user = head.iter().rev().take(128).take_while(|byte| !byte.is_ascii_whitespace()).count();
    let before = head[..head.len() - user].trim_ascii_end();
    user > 0 && before.ends_with(b"login")
}
