//! Tests of `gatetrail scrub` over memory instead of files.

use super::{MAX_LINE, ScrubArguments, ScrubError, ScrubSummary, run};
use crate::scrub::{FingerprintKey, Scrubber};

fn scrub(json: bool, input: &[u8]) -> (String, ScrubSummary) {
    let mut output = Vec::new();
    let arguments = ScrubArguments { json, file: "-".into() };
    let summary = run(&arguments, &Scrubber::new(FingerprintKey::new(b"test")), input, &mut output)
        .expect("memory does not fail");
    (String::from_utf8(output).expect("output is text"), summary)
}

#[test]
fn lines_out_are_lines_in() {
    let cases: [(&str, &str); 6] = [
        ("", ""),
        ("\n\n", "\n\n"),
        ("no break", "no break"),
        ("a\r\npassword=hunter2x\r\n", "a\r\npassword=[redacted:password]\r\n"),
        ("a\nb", "a\nb"),
        (
            "key:\n-----BEGIN PRIVATE KEY-----\nTUFSS0VE\nRkFLRQ==\n-----END PRIVATE KEY-----\nafter\n",
            "key:\n-----BEGIN PRIVATE KEY-----\n[redacted:pem_private_key]\n[redacted:pem_private_key]\n[redacted:pem_private_key]\nafter\n",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(scrub(false, input.as_bytes()).0, expected, "{input:?}");
    }
}

#[test]
fn json_lines_carry_counts_by_kind() {
    let input = "\"password=hunter2x; Password: hunter3x \\u00e9\"\n\"clean\"\nnot json, api_key=abc123\n\n";
    let (output, summary) = scrub(true, input.as_bytes());
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"text":"password=[redacted:password]; Password: [redacted:password] é","redactions":[{"kind":"password","count":2}]}"#,
            r#"{"text":"clean","redactions":[]}"#,
            r#"{"text":"not json, api_key=[redacted:api_key]","redactions":[{"kind":"api_key","count":1}],"error":"not_a_json_string"}"#,
            r#"{"text":"","redactions":[],"error":"not_a_json_string"}"#,
        ]
    );
    assert_eq!(summary, ScrubSummary { lines: 4, removals: 3, faults: 2 });
}

#[test]
fn bytes_that_are_not_text_do_not_stop_it() {
    let (output, _) = scrub(false, b"\xff\xfe token=a1b2c3d4 \x80\nnext\n");
    assert_eq!(output, "\u{fffd}\u{fffd} token=[redacted:token] \u{fffd}\nnext\n");
}

#[test]
fn an_overlong_line_is_cut_before_a_word() {
    let mut input = vec![b'a'; MAX_LINE - 20];
    input.extend_from_slice(b" password=hunter2hunter2hunter2\nnext\n");
    let (output, summary) = scrub(false, &input);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("a[truncated 31 bytes]"), "{}", &lines[0][lines[0].len() - 60..]);
    assert_eq!((lines[1], summary.faults), ("next", 1));
}

#[test]
fn a_missing_file_is_named() {
    let arguments = ScrubArguments { json: false, file: "no/such/file.log".into() };
    let error = run(&arguments, &Scrubber::new(FingerprintKey::new(b"test")), &b""[..], Vec::new())
        .expect_err("there is no such file");
    assert!(matches!(error, ScrubError::Open { .. }));
    assert_eq!(error.code(), "cannot_open");
    assert!(error.to_string().contains("no/such/file.log"));
}
