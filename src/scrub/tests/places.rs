//! Single cases with their exact results: what stays readable around a removal, fingerprints, URLs, lines.

use super::{scrub, scrubber};
use crate::scrub::{LineScrubber, Removal, SecretKind};

#[test]
fn what_stands_around_a_secret_stays_readable() {
    let cases = [
        ("Authorization: Bearer abc123def was refused", "Authorization: Bearer [redacted:bearer] was refused"),
        ("Bearer abc123def456 expired", "Bearer [redacted:bearer] expired"),
        ("Authorization: fake9key8here", "Authorization: [redacted:authorization]"),
        (
            "Authorization: Digest username=\"u\", nonce=\"n1\", response=\"r2\" end",
            "Authorization: Digest [redacted:digest] end",
        ),
        ("Cookie: a=b1; c=d2 was sent", "Cookie: [redacted:cookie] was sent"),
        ("Set-Cookie: s=v1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; HttpOnly", "Set-Cookie: [redacted:cookie]"),
        ("amqp://user:pa55@mq.example:5672/v", "amqp://user:[redacted:password]@mq.example:5672/v"),
        ("https://mcp.example/s/K3YK3YK3Y/mcp?x=1", "https://mcp.example/s/[redacted:api_key]/mcp?x=1"),
        (
            "?next=%2Fcb%3Fcode%3DabcDEF%26state%3Dxyz",
            "?next=%2Fcb%3Fcode%3D[redacted:authorization_code]%26state%3D[redacted:state]",
        ),
        ("curl -u admin:hunter2 https://x.example", "curl -u admin:[redacted:password] https://x.example"),
        ("tool --token abc123def --verbose", "tool --token [redacted:token] --verbose"),
        ("<password>hunter2</password>", "<password>[redacted:password]</password>"),
        (
            "{\"password\":\"a \\\"quoted\\\" word\",\"user\":\"u\"}",
            "{\"password\":\"[redacted:password]\",\"user\":\"u\"}",
        ),
        ("Environment variable 'my-fake-key-123' not found", "Environment variable '[redacted:api_key]' not found"),
        (
            "{\"kty\":\"RSA\",\"d\":\"f4K3f4K3f4K3f4K3f4K3f4K3f4K3f4K3f4K3\"}",
            "{\"kty\":\"RSA\",\"d\":\"[redacted:pem_private_key]\"}",
        ),
        (
            "key=\"-----BEGIN PRIVATE KEY-----\\nRkFLRUZBS0VGQUtF\\nRkFLRQ==\\n-----END PRIVATE KEY-----\\n\"!",
            "key=\"[redacted:pem_private_key]\\n\"!",
        ),
        ("-----BEGIN RSA PRIVATE KEY-----\nRkFLRQ==\nThe next line", "[redacted:pem_private_key]\nThe next line"),
    ];
    for (text, expected) in cases {
        assert_eq!(scrub(text), expected);
    }
}

#[test]
fn a_state_has_one_flow_id_however_it_travelled() {
    let scrubber = scrubber();
    let expected = scrubber.key().fingerprint(b"s+a/t=1");
    let texts = [
        "https://gw.example/cb?code=abc&state=s%2Ba%2Ft%3D1",
        "?next=%2Fcb%3Fcode%3Dx%26state%3Ds%252Ba%252Ft%253D1",
        "/cb?state=s+a/t=1&code=x",
        "/cb?state=s%2Ba/t%3D1",
    ];
    for text in texts {
        let removals = scrubber.scrub_text(text).removals;
        let state = removals.iter().find(|removal| removal.kind == SecretKind::State).expect(text);
        assert_eq!(state.value_fingerprint.as_deref(), Some(expected.as_str()), "{text}");
    }
}

#[test]
fn a_token_has_one_fingerprint_however_it_travelled() {
    let scrubber = scrubber();
    let expected = Some(scrubber.key().fingerprint(b"r3fr/esh+tok=="));
    let texts = [
        "refresh_token=r3fr%2Fesh%2Btok%3D%3D&x=1",
        "{\"refresh_token\":\"r3fr/esh+tok==\"}",
        "{\"refresh_token\":\"r3fr\\/esh+tok==\"}",
        "{\\\"refresh_token\\\":\\\"r3fr\\\\/esh+tok==\\\"}",
        "refreshToken: 'r3fr/esh+tok=='",
    ];
    for text in texts {
        let removals = scrubber.scrub_text(text).removals;
        assert_eq!(
            removals,
            [Removal { kind: SecretKind::RefreshToken, value_fingerprint: expected.clone() }],
            "{text}"
        );
    }
}

#[test]
fn urls_keep_origin_and_path_only() {
    let cases = [
        ("https://mcp.example/a/mcp", "https://mcp.example/a/mcp"),
        ("https://mcp.example/a?code=x1&state=y#f", "https://mcp.example/a"),
        ("https://u:p4ss@mcp.example/a#frag", "https://mcp.example/a"),
        ("https://user@mcp.example", "https://mcp.example"),
        ("https://mcp.example/s/K3YK3YK3Y/mcp", "https://mcp.example/s/[redacted:api_key]/mcp"),
        ("https://mcp.example/aB3dE5gH7jK9mN1pQ3sT5/mcp", "https://mcp.example/[redacted:api_key]/mcp"),
        ("/github/mcp?api_key=k1", "/github/mcp"),
        ("/servers/9b2e7c41-5a0d-4a57-8f5e-6a4f2d1c0b3a/mcp", "/servers/9b2e7c41-5a0d-4a57-8f5e-6a4f2d1c0b3a/mcp"),
        ("not a url", "not a url"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(scrubber().strip_url(text).text, expected, "{text}");
        assert_eq!(scrubber().strip_url(expected).text, expected, "again: {expected}");
    }
}

#[test]
fn a_dropped_query_still_tells_its_state() {
    let scrubber = scrubber();
    let removals = scrubber.scrub_url("/callback?code=c0de&state=st4te").removals;
    assert_eq!(removals.len(), 2);
    assert_eq!(removals[1].value_fingerprint, Some(scrubber.key().fingerprint(b"st4te")));
}

#[test]
fn a_key_over_several_lines_is_followed() {
    let scrubber = scrubber();
    let mut lines = LineScrubber::new(&scrubber);
    let input = [
        "start -----BEGIN EC PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "",
        "RkFLRQ",
        "12:00 app | RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U=",
        "-----END EC PRIVATE KEY----- password=hunter2",
        "plain again",
    ];
    let output: Vec<String> = input.iter().map(|line| lines.scrub_line(line).text.into_owned()).collect();
    let gone = "[redacted:pem_private_key]";
    let expected = [
        "start -----BEGIN EC PRIVATE KEY-----",
        gone,
        "",
        gone,
        "12:00 app | [redacted:pem_private_key]",
        "[redacted:pem_private_key] password=[redacted:password]",
        "plain again",
    ];
    assert_eq!(output, expected);
}
