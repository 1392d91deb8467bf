//! Secrets in commands: `--token value`, `-u user:password`, `-b 'sid=…'`, `mysql -pSECRET`.
//!
//! Options with `=` and headers after `-H` are found like any other pair.

use super::cookie;
use super::keys::{KeyRule, Manner};
use super::kind::SecretKind;
use super::scan::{Found, Tables, View};
use super::value::{self, Ends, Value};
use super::words;

/// Longest value of interest where the option is vague, in bytes.
const VAGUE_LIMIT: usize = 4096;

/// Shortest value that can look random.
const SHORT_OPAQUE: usize = 6;

/// How far before `-p` the command's name is looked for, in bytes.
const COMMAND_LOOK_BACK: usize = 200;

/// Commands whose `-p` is a password.
const PASSWORD_COMMANDS: [&[u8]; 7] =
    [b"mysql", b"mysqldump", b"mysqladmin", b"mariadb", b"sshpass", b"docker login", b"podman login"];

/// How an option's value ends.
const ENDS: Ends = Ends { percent_level: 0, comma: false, semicolon: false, equals: false, limit: Some(VAGUE_LIMIT) };

/// A command-line option and its value.
pub(super) fn at_option(tables: &Tables, view: View<'_>, position: usize) -> Option<Found> {
    let bytes = view.bytes;
    let is_at_edge =
        position == view.floor || matches!(bytes[position - 1], b' ' | b'\t' | b'"' | b'\'' | b'\n' | b'+');
    if !is_at_edge {
        return None;
    }
    let rest = &bytes[position..];
    let dashes = if rest.starts_with(b"--") { 2 } else { 1 };
    if !rest.get(dashes).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let length =
        rest[dashes..].iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    // A short option's value may stand right behind it.
    let length = if dashes == 1 { 1 } else { length };
    let option = &rest[dashes..dashes + length];
    let after = position + dashes + length;
    let start = value::skip_spaces(bytes, after);
    let is_joined = start == after && dashes == 1;
    if (start == after && !is_joined)
        || start >= bytes.len()
        || bytes[start] == b'-'
        || words::is_placeholder_at(bytes, start)
    {
        return None;
    }
    let read = value::read(bytes, start, ENDS);
    let text = &bytes[read.start..read.end];
    match option {
        b"u" | b"user" | b"proxy-user" => user_password(bytes, &read),
        b"p" if runs_with_password(view, position) => {
            let is_nothing = text.is_empty() || words::is_placeholder(text);
            (!is_nothing).then_some(Found::plain(read.start, read.end, SecretKind::Password))
        }
        b"b" | b"cookie" if !is_joined && text.contains(&b'=') => cookie::in_header(view, start, 0),
        _ if dashes == 1 => None,
        _ => {
            let rule = option_rule(tables, option)?;
            let is_nothing = text.is_empty() || words::is_placeholder(text) || words::is_statement(text, true);
            let is_taken =
                rule.manner == Manner::Always || words::is_opaque(text, SHORT_OPAQUE) || words::is_uuid(text);
            (!is_nothing && is_taken).then_some(Found::plain(read.start, read.end, rule.kind))
        }
    }
}

/// The password of `user:password`.
fn user_password(bytes: &[u8], read: &Value) -> Option<Found> {
    let text = &bytes[read.start..read.end];
    let colon = text.iter().position(|byte| *byte == b':')?;
    let password = &text[colon + 1..];
    let is_masked = text[..colon].ends_with(b"[redacted")
        || words::is_placeholder(password)
        || words::is_placeholder_at(bytes, read.start + colon + 1);
    let is_password = !password.is_empty() && !is_masked && !password.starts_with(b"//");
    is_password.then_some(Found::plain(read.start + colon + 1, read.end, SecretKind::Password))
}

/// Whether the line's command takes a password with `-p`.
fn runs_with_password(view: View<'_>, position: usize) -> bool {
    let head = &view.bytes[position.saturating_sub(COMMAND_LOOK_BACK).max(view.floor)..position];
    let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or(head);
    PASSWORD_COMMANDS.iter().any(|command| {
        line.windows(command.len() + 1).any(|window| window.starts_with(command) && window[command.len()] == b' ')
    })
}

/// What an option's name stands for; headers and cookies are no options' values here.
fn option_rule(tables: &Tables, option: &[u8]) -> Option<KeyRule> {
    let rule = tables.keys.find(option)?;
    matches!(rule.manner, Manner::Always | Manner::Plain | Manner::Opaque | Manner::Random).then_some(rule)
}
