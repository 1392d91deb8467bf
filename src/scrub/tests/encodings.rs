//! Every shape and every named place, through every encoding and surrounding that log lines have.

use super::scrubber;
use crate::scrub::{Scrubber, SecretKind};

/// Mixed letters for made-up tails; contains the mark that must never survive.
const TAIL: &str = "MARKx7Qz2MARKx7Qz2MARKx7Qz2MARKx7Qz2";

/// Prefixes of vendors, in parts.
const PREFIXES: &[(&str, &str)] = &[
    ("gh", "p_"),
    ("gh", "o_"),
    ("gh", "u_"),
    ("gh", "s_"),
    ("gh", "r_"),
    ("github_", "pat_"),
    ("gl", "pat-"),
    ("xox", "b-"),
    ("xox", "p-"),
    ("xoxe.", "xoxp-"),
    ("xa", "pp-"),
    ("ya", "29."),
    ("1/", "/0"),
    ("4/", "0"),
    ("AI", "za"),
    ("GOC", "SPX-"),
    ("ATA", "TT3"),
    ("ATC", "TT3"),
    ("nt", "n_"),
    ("sec", "ret_"),
    ("s", "k-"),
    ("sk-", "ant-api03-"),
    ("sb", "p_"),
    ("ph", "x_"),
    ("np", "m_"),
    ("rk_", "live_"),
    ("sk_", "test_"),
    ("AK", "IA"),
    ("hv", "s."),
    ("h", "f_"),
    ("xaz8", "Q~"),
    ("ey", "J"),
];

/// A way of writing text inside other text.
type Encode = fn(&str) -> String;

fn json_once(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("strings are JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent_once(text: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(letter).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

fn unicode_escapes(text: &str) -> String {
    let letter = |one: char| {
        if one.is_ascii_alphanumeric() || one == '_' || one == '-' || one == '.' {
            one.to_string()
        } else {
            format!("\\u{:04x}", u32::from(one))
        }
    };
    text.chars().map(letter).collect()
}

const ENCODINGS: &[(&str, Encode)] = &[
    ("plain", str::to_owned),
    ("JSON", json_once),
    ("JSON twice", |text| json_once(&json_once(text))),
    ("JSON three times", |text| json_once(&json_once(&json_once(text)))),
    ("percent", percent_once),
    ("percent twice", |text| percent_once(&percent_once(text))),
    ("percent in JSON", |text| json_once(&percent_once(text))),
    ("JSON in percent", |text| percent_once(&json_once(text))),
    ("HTML", html),
    ("unicode escapes", unicode_escapes),
];

/// Surroundings in which a secret is known by its shape alone: `@` is the secret.
const BARE: &[&str] = &[
    "@",
    "the server said @ and stopped",
    "refused: @.",
    "(@)",
    "[\"@\"]",
    "{\"note\":\"@\"}",
    "a,@,b",
    "Received=@",
    "curl https://mcp.example/v1 -H 'X-Note: @'",
    "input_value='@', input_type=str",
    "line one\n@\nline three",
    "<p>@</p>",
    "note=@&other=1",
    "https://mcp.example/@/mcp",
    "x @\ttail",
];

/// Places that make any value a secret: `@` is the secret.
const PLACES: &[(&str, SecretKind)] = &[
    ("Authorization: Bearer @", SecretKind::Bearer),
    ("authorization: bearer @\r\nHost: mcp.example", SecretKind::Bearer),
    ("{\"Authorization\":\"Bearer @\",\"Accept\":\"*/*\"}", SecretKind::Bearer),
    ("{'authorization': 'Bearer @'}", SecretKind::Bearer),
    ("Headers([('authorization', 'Bearer @')])", SecretKind::Bearer),
    ("curl -H \"Authorization: Bearer @\" https://mcp.example", SecretKind::Bearer),
    ("map[Authorization:[Bearer @] Accept:[text]]", SecretKind::Bearer),
    ("http.Header{\"Authorization\":[]string{\"Bearer @\"}}", SecretKind::Bearer),
    ("Authorization: Basic @", SecretKind::Basic),
    ("Authorization: DPoP @", SecretKind::Dpop),
    ("{\"access_token\":\"@\",\"token_type\":\"Bearer\"}", SecretKind::AccessToken),
    ("{\"error\":\"invalid_grant\",\"refresh_token\": \"@\"}", SecretKind::RefreshToken),
    ("{'id_token': '@'}", SecretKind::IdToken),
    ("{accessToken:\"@\"}", SecretKind::AccessToken),
    ("grant_type=refresh_token&refresh_token=@&scope=read", SecretKind::RefreshToken),
    ("grant_type=authorization_code&code=@&redirect_uri=x", SecretKind::AuthorizationCode),
    ("https://gw.example/callback?code=@&state=s1", SecretKind::AuthorizationCode),
    ("https://gw.example/callback?iss=x&state=@", SecretKind::State),
    ("https://gw.example/#access_token=@&expires_in=3", SecretKind::AccessToken),
    ("code_verifier=@", SecretKind::CodeVerifier),
    ("client_id=a&client_secret=@", SecretKind::ClientSecret),
    ("client_assertion=@&x=1", SecretKind::Assertion),
    ("x-api-key: @", SecretKind::ApiKey),
    ("x-vendor-api-key: @\nhost: a", SecretKind::ApiKey),
    ("https://mcp.example/mcp?api_key=@", SecretKind::ApiKey),
    ("('x-api-key', '@')", SecretKind::ApiKey),
    ("OPENAI_API_KEY=@", SecretKind::ApiKey),
    ("export GITHUB_TOKEN=\"@\"", SecretKind::Token),
    ("[{\"name\":\"x-api-key\", \"value\":\"@\"}]", SecretKind::ApiKey),
    ("Set-Cookie: session=@; Path=/; HttpOnly", SecretKind::Cookie),
    ("{\"cookie\":\"a=1; sid=@\"}", SecretKind::Cookie),
    ("password=@", SecretKind::Password),
    ("Server=db;User Id=u;Password=@;Encrypt=true", SecretKind::Password),
    ("postgres://u:@@db.example/x", SecretKind::Password),
    ("API key: @", SecretKind::ApiKey),
    ("tool --client-secret=@ --verbose", SecretKind::ClientSecret),
];

/// What is wrong with the scrubbed form of `text`, if anything.
fn fault(scrubber: &Scrubber, text: &str, what: &str) -> Option<String> {
    let scrubbed = scrubber.scrub_text(text);
    if scrubbed.text.contains("MARK") {
        return Some(format!("leak, {what}\n  {text}\n  {}", scrubbed.text));
    }
    let again = scrubber.scrub_text(&scrubbed.text).text;
    (again != scrubbed.text).then(|| format!("again, {what}\n  {}\n  {again}", scrubbed.text))
}

/// Fails with all faults at once.
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_shape_in_every_surrounding_and_encoding() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    for (first, second) in PREFIXES {
        let secret = [first, second, TAIL].concat();
        for bare in BARE {
            for (name, encode) in ENCODINGS {
                let text = encode(&bare.replace('@', &secret));
                faults.extend(fault(&scrubber, &text, &format!("{first}{second} in {bare}, {name}")));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_place_in_every_encoding() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    for (place, kind) in PLACES {
        for (name, encode) in ENCODINGS {
            let text = encode(&place.replacen('@', TAIL, 1));
            faults.extend(fault(&scrubber, &text, &format!("{place}, {name}")));
            let removals = scrubber.scrub_text(&text).removals;
            if removals.iter().all(|removal| removal.kind != *kind) {
                faults.push(format!("kind, {place}, {name}: {removals:?}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_place_inside_a_longer_text() {
    for (place, _) in PLACES {
        for (before, after) in
            [("upstream said: ", " (401)"), ("{\"message\":\"", "\"}"), ("\n> ", "\n< HTTP/1.1 401\n")]
        {
            let text = [before, &place.replacen('@', TAIL, 1), after].concat();
            let scrubbed = scrubber().scrub_text(&text);
            assert!(!scrubbed.text.contains("MARK"), "{text}\n  {}", scrubbed.text);
            assert!(scrubbed.text.starts_with(before), "{text}\n  {}", scrubbed.text);
        }
    }
}

#[test]
fn a_cut_off_text_leaks_nothing_either() {
    let secret = ["ey", "JhbGciOi.", TAIL].concat();
    let text = format!("{{\"error\":\"x\",\"access_token\":\"{secret}");
    let scrubber = scrubber();
    let cuts = text.len() - TAIL.len()..=text.len();
    let faults: Vec<String> = cuts.filter_map(|length| fault(&scrubber, &text[..length], "cut off JSON")).collect();
    assert_none(&faults);
}
