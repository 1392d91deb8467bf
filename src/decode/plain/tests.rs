//! The fast way reads a record as the other does, or steps back: shown on records that were cut, mutated and pieced together.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::super::{Limits, native};
use super::read_structured;
use crate::event::RecordTime;

/// Every group, every kind of value, white space where it may stand.
const SAMPLES: &[&str] = &[
    r#"{"specversion":"1.0","id":"e1","source":"//g/1","type":"mcp.call.completed","time":"2026-11-22T09:00:00.123456Z","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","datacontenttype":"application/json","data":{"hop":"upstream","outcome":"failure","message":"no route — näh","duration_ms":604.679,"upstream_duration_ms":12,"config_version":88,"request_id":"01a202b2-c500-7a46-a69a-1af066eb28f0","request_id_trust":"gateway","http":{"method":"POST","status":502,"upstream_status":0},"mcp":{"jsonrpc_id":17,"error_code":-32603,"result_count":3},"credential":{"kind":"user_key","sent":true,"permissions":["a","b"]},"scope":{"requested":"a b"},"token":{"rotated":false,"expires_in":3600},"attributes":{"state":"x","n":5,"yes":true}}}"#,
    "{ \"id\" : \"e\" ,\n\"source\":\"s\",\t\"type\":\"t\",\"time\":\"2026-11-22T09:00:00Z\",\"data\" : { \"hop\": \"internal\", \"outcome\":\"success\", \"slug\":null, \"workspace\":\"\", \"credential\":{ \"permissions\" : [ ] , \"sent\":null }, \"gateway\":{ } , \"attributes\" : { \"a\" : null , \"b\":\"\" } } } \n",
];

/// What mutations put in: what ends tokens, what is nearly a value, names of other groups.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u0041",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\u{1}",
    "é",
    "null",
    "nul",
    "true",
    "truex",
    "-0",
    "-1",
    "01",
    "0",
    "1.",
    "1.5",
    "1.50",
    "0.1",
    "1e3",
    "123456789012345",
    "9007199254740993",
    "12345678901234567.5",
    "\"\"",
    "\"x\"",
    "\"hop\":\"upstream\"",
    "\"slug\":\"a\"",
    "\"slug\":7",
    "\"unknown\"",
    "\"sideways\"",
    "\"http\":{\"status\":1000}",
    "\"http\":{}",
    "\"http\":null",
    "\"attributes\":{\"a\":{}}",
    "\"a\":1",
    "\"hop\":\"unknown\",",
    "\"mcp\":{\"jsonrpc_id\":1.5}",
    "\"status\":200,",
    "\"token\":{\"age_s\":-5},",
];

/// Reads `text` both ways; whether the fast way did not step back.
fn is_plain(text: &str) -> bool {
    let record = RecordTime("2026-11-22T10:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let mut event = native::blank();
    if read_structured(text, &mut event, record, &Limits::default()).is_none() {
        return false;
    }
    let other = native::decode_structured(text, record, &Limits::default());
    assert_eq!(Some(format!("{event:?}")), other.ok().map(|event| format!("{event:?}")), "{text}");
    true
}

#[test]
fn usual_records_are_plain() {
    for text in SAMPLES {
        assert!(is_plain(text), "{text}");
    }
}

#[test]
fn what_the_other_way_has_to_judge_is_left_to_it() {
    let record = |data: &str| {
        format!(
            r#"{{"id":"e","source":"s","type":"t","time":"2026-11-22T09:00:00Z","data":{{"hop":"upstream","outcome":"success"{data}}}}}"#
        )
    };
    assert!(is_plain(&record("")));
    for data in [
        r#","message":"a\nb""#,
        r#","novel":1"#,
        r#","slug":"a","slug":"b""#,
        r#","http":{},"http":{}"#,
        r#","request_id":7"#,
        r#","http":{"status":1000}"#,
        r#","duration_ms":-1"#,
        r#","duration_ms":1e3"#,
        r#","credential":{"kind":"novel"}"#,
        r#","attributes":{"":1}"#,
        r#","attributes":{"a":[1]}"#,
        r#","http":null"#,
        ",",
    ] {
        assert!(!is_plain(&record(data)), "{data}");
    }
    assert!(!is_plain(&record(&format!(r#","request_id":"{}""#, "x".repeat(201)))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_record_is_read_alike(sample in 0..SAMPLES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, prop::sample::select(PIECES)), 1..4)) {
        let mut text = SAMPLES[sample].to_owned();
        for (index, removed, piece) in changes {
            let start = text.floor_char_boundary(index.index(text.len()));
            let end = text.ceil_char_boundary((start + removed).min(text.len()));
            text.replace_range(start..end, piece);
        }
        is_plain(&text);
    }

    #[test]
    fn a_number_is_read_alike(number in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?", field in prop::sample::select(&["duration_ms", "config_version", "slug"][..])) {
        is_plain(&format!(r#"{{"id":"e","source":"s","type":"t","time":"2026-11-22T09:00:00Z","data":{{"hop":"upstream","outcome":"success","{field}":{number}}}}}"#));
    }
}
