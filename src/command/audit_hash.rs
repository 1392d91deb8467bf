//! `gatetrail audit-hash`: the keyed hash under which a token, a sign-in, a connection or a person is stored.
//!
//! Prints the hash and nothing of the value, which is read from standard input by preference: arguments are seen by
//! whoever lists processes. The definitions stand in `schemas/events/README.md` §4; `vectors.json` beside it is the test.

use std::io::{Read, Write};

use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::scrub::{FingerprintKey, email_hash};

/// Longest value, in bytes: tokens are shorter.
const MAX_VALUE: u64 = 1 << 20;

/// What the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum HashKind {
    /// A token: what `token.fingerprint` holds
    #[default]
    Token,
    /// The `state` of a sign-in, as generated or as it stands in the URL: its `flow_id`
    State,
    /// A connection, by its parts: its `connection_id`
    Connection,
    /// An e-mail address: what `gatetrail.email_hash` holds
    Email,
}

/// Arguments of `gatetrail audit-hash`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "The keyed hash of a token, a state, a connection or an e-mail address",
    long_about = "Computes the keyed hash under which a token, the state of a sign-in, a connection or an e-mail \
                  address is stored, so that it can be looked up without being stored itself.\n\n\
                  The value is read from standard input (one line end at its end does not count) and never printed. \
                  Given as an argument it can be seen in the list of processes.\n\n\
                  Of a token a leading `Bearer ` is left out, a state is percent-decoded, an address put in lower \
                  case; with --raw the bytes are taken as they are."
)]
pub struct AuditHashArguments {
    /// What the value is
    #[arg(long, value_enum, default_value_t)]
    pub kind: HashKind,

    /// Workspace of the connection
    #[arg(long, required_if_eq("kind", "connection"))]
    pub workspace: Option<String>,

    /// Slug of the connection's server
    #[arg(long, required_if_eq("kind", "connection"))]
    pub slug: Option<String>,

    /// User of the connection; none when it is shared
    #[arg(long)]
    pub user: Option<String>,

    /// Issuer of the connection's tokens, spelled as the authorization server does
    #[arg(long)]
    pub issuer: Option<String>,

    /// Take the bytes as they are
    #[arg(long)]
    pub raw: bool,

    /// Write a JSON object
    #[arg(long)]
    pub json: bool,

    /// The value; `-` reads it from standard input
    #[arg(value_name = "VALUE", default_value = "-", hide_default_value = true)]
    pub value: String,
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum AuditHashError {
    /// Nothing was given.
    #[error(
        "no value was given: write it to standard input, for example with `printf %s \"$TOKEN\" | gatetrail audit-hash`"
    )]
    Empty,
    /// More was given than any token has.
    #[error("the value is longer than 1 MiB; give one token")]
    TooLong,
    /// The kinds of text want text.
    #[error("the value is not UTF-8, which a state or an address is; use --raw to hash its bytes")]
    NotText,
    /// Standard input could not be read.
    #[error("standard input cannot be read")]
    Read(#[source] std::io::Error),
}

#[derive(Serialize)]
struct Answer<'a> {
    kind: &'static str,
    hash: &'a str,
    development_key: bool,
}

/// Writes the hash. `is_development_key` tells that no key is configured.
///
/// # Errors
/// [`AuditHashError`], or writing fails.
pub fn run(
    arguments: &AuditHashArguments,
    key: &FingerprintKey,
    is_development_key: bool,
    stdin: impl Read,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let hash = match arguments.kind {
        HashKind::Connection => key.connection_id(
            arguments.workspace.as_deref().unwrap_or_default(),
            arguments.slug.as_deref().unwrap_or_default(),
            arguments.user.as_deref().filter(|user| !user.is_empty()),
            arguments.issuer.as_deref(),
        ),
        kind => hash_of(key, kind, arguments.raw, &value(arguments, stdin)?)?,
    };
    if arguments.json {
        let kind = match arguments.kind {
            HashKind::Token => "token",
            HashKind::State => "state",
            HashKind::Connection => "connection",
            HashKind::Email => "email",
        };
        let answer = Answer { kind, hash: &hash, development_key: is_development_key };
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
    } else {
        writeln!(output, "{hash}")?;
    }
    Ok(())
}

/// The value, without the line end of an input.
fn value(arguments: &AuditHashArguments, stdin: impl Read) -> Result<Vec<u8>, AuditHashError> {
    let mut bytes = Vec::new();
    if arguments.value == "-" {
        stdin.take(MAX_VALUE + 1).read_to_end(&mut bytes).map_err(AuditHashError::Read)?;
        if !arguments.raw {
            let without_break = bytes.strip_suffix(b"\n").map(|head| head.strip_suffix(b"\r").unwrap_or(head).len());
            bytes.truncate(without_break.unwrap_or(bytes.len()));
        }
    } else {
        bytes.extend_from_slice(arguments.value.as_bytes());
    }
    match bytes.len() {
        0 => Err(AuditHashError::Empty),
        length if length as u64 > MAX_VALUE => Err(AuditHashError::TooLong),
        _ => Ok(bytes),
    }
}

/// The hash of a value, after the definition of its kind.
fn hash_of(key: &FingerprintKey, kind: HashKind, is_raw: bool, value: &[u8]) -> Result<String, AuditHashError> {
    let text = || std::str::from_utf8(value).map_err(|_| AuditHashError::NotText);
    match kind {
        _ if is_raw => Ok(key.fingerprint(value)),
        HashKind::State => Ok(key.fingerprint(&percent_decode_str(text()?).collect::<Vec<u8>>())),
        HashKind::Email => Ok(email_hash(key, text()?)),
        HashKind::Token | HashKind::Connection => Ok(key.fingerprint(without_scheme(value))),
    }
}

/// The token without `Bearer ` or `DPoP `.
fn without_scheme(value: &[u8]) -> &[u8] {
    let scheme = [&b"Bearer "[..], b"DPoP "]
        .into_iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    scheme.map_or(value, |scheme| &value[scheme.len()..])
}

#[cfg(test)]
mod tests {
    use super::{AuditHashArguments, HashKind, run};
    use crate::scrub::FingerprintKey;
    use serde_json::Value;

    fn arguments(kind: HashKind) -> AuditHashArguments {
        AuditHashArguments {
            kind,
            workspace: None,
            slug: None,
            user: None,
            issuer: None,
            raw: false,
            json: false,
            value: "-".to_owned(),
        }
    }

    fn hash(arguments: &AuditHashArguments, key: &str, input: &str) -> String {
        let mut output = Vec::new();
        run(arguments, &FingerprintKey::new(key.as_bytes()), false, input.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap().trim_end().to_owned()
    }

    #[test]
    fn the_published_vectors_are_its_answers() {
        let vectors: Value = serde_json::from_str(include_str!("../../schemas/events/vectors.json")).unwrap();
        let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
        let mut seen = 0;
        for (group, kind, member) in [
            ("token_fingerprint", HashKind::Token, "token"),
            ("flow_id", HashKind::State, "state"),
            ("flow_id", HashKind::State, "state_in_url"),
            ("email", HashKind::Email, "address"),
            ("connection_id", HashKind::Connection, "slug"),
        ] {
            for row in vectors[group].as_array().unwrap() {
                let mut arguments = arguments(kind);
                arguments.workspace = text(row, "workspace");
                arguments.slug = text(row, "slug");
                arguments.user = text(row, "user_id");
                arguments.issuer = text(row, "issuer");
                let input = [text(row, member).unwrap().as_str(), "\n"].concat();
                assert_eq!(hash(&arguments, row["key"].as_str().unwrap(), &input), row["result"], "{row}");
                seen += 1;
            }
        }
        assert!(seen >= 20, "{seen}");
    }

    #[test]
    fn a_token_is_hashed_without_its_scheme_and_line_end() {
        let plain = hash(&arguments(HashKind::Token), "k", "abc");
        for input in ["abc\n", "abc\r\n", "Bearer abc\n", "bearer abc"] {
            assert_eq!(hash(&arguments(HashKind::Token), "k", input), plain, "{input:?}");
        }
        let raw = AuditHashArguments { raw: true, ..arguments(HashKind::Token) };
        assert_ne!(hash(&raw, "k", "abc\n"), plain);
    }

    #[test]
    fn nothing_is_no_value_and_no_error_shows_one() {
        let key = FingerprintKey::new(b"k");
        let error = run(&arguments(HashKind::Token), &key, false, &b"\n"[..], &mut Vec::new()).unwrap_err();
        assert!(error.to_string().starts_with("no value"), "{error}");
        let error = run(&arguments(HashKind::Email), &key, false, &b"\xff\xfe"[..], &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }
}
