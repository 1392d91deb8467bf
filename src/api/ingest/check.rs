//! The check of an event over HTTP: the decoder of `consume`, and the key that keeps a story in one partition.

use std::sync::Arc;

use super::{Candidate, EventCheck, Refusal};
use crate::decode::{self, DecodeError, Limits, Payload};
use crate::event::{Event, RecordTime};
use crate::scrub::without_secrets;

/// Checks as `consume` will with these limits.
#[must_use]
pub fn event_check(limits: Limits) -> EventCheck {
    Arc::new(move |candidate, received| check(candidate, received, &limits))
}

fn check(candidate: &Candidate, received: RecordTime, limits: &Limits) -> Result<Option<String>, Refusal> {
    let headers: Vec<(&str, &[u8])> =
        candidate.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let payload = Payload { headers: &headers, value: Some(&candidate.value), time: received };
    decode::decode(&payload, limits).map(|event| key_of(&event)).map_err(|error| refusal_of(&error))
}

/// `connection_id`, else `flow_id`, else `request_id`.
fn key_of(event: &Event<'_>) -> Option<String> {
    let key = event.connection_id.as_ref().or(event.flow_id.as_ref()).or(event.request_id.as_ref());
    key.map(|key| key.clone().into_owned())
}

fn refusal_of(error: &DecodeError) -> Refusal {
    // A member's name can be a secret too.
    let clean = |text: &str| without_secrets(text).into_owned();
    Refusal { code: error.code(), field: error.field().map(clean), detail: clean(&error.to_string()) }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::{Value, json};

    use super::super::Candidate;
    use super::event_check;
    use crate::decode::Limits;
    use crate::event::RecordTime;

    fn checked(event: &Value, headers: &[(&str, &str)]) -> Result<Option<String>, (&'static str, Option<String>)> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let candidate = Candidate { value: Bytes::from(event.to_string()), headers };
        let received = RecordTime("2026-11-22T10:00:05Z".parse().unwrap());
        event_check(Limits::default())(&candidate, received).map_err(|refusal| (refusal.code, refusal.field))
    }

    fn event(ids: &Value) -> Value {
        let mut event = json!({"specversion": "1.0", "id": "e1", "source": "//gateway/a", "type": "mcp.auth.token",
            "time": "2026-11-22T10:00:00Z", "data": {"hop": "upstream", "outcome": "success"}});
        for (name, value) in ids.as_object().unwrap() {
            event["data"][name] = value.clone();
        }
        event
    }

    #[test]
    fn the_key_is_the_connection_else_the_flow_else_the_request() {
        let cases = [
            (json!({"connection_id": "c", "flow_id": "f", "request_id": "r"}), Some("c")),
            (json!({"flow_id": "f", "request_id": "r"}), Some("f")),
            (json!({"connection_id": "", "request_id": "r"}), Some("r")),
            (json!({}), None),
        ];
        for (ids, key) in cases {
            assert_eq!(checked(&event(&ids), &[]), Ok(key.map(str::to_owned)), "{ids}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_codes_of_the_contract() {
        let mut without_source = event(&json!({}));
        without_source["source"] = Value::Null;
        assert_eq!(checked(&without_source, &[]), Err(("missing_field", Some("source".to_owned()))));
        let mut ahead = event(&json!({}));
        ahead["time"] = json!("2026-11-22T11:30:00Z");
        assert_eq!(checked(&ahead, &[]), Err(("time_in_future", Some("time".to_owned()))));
        assert_eq!(checked(&json!([1]), &[]).unwrap_err().0, "not_an_object");
    }

    #[test]
    fn binary_mode_is_checked_with_its_headers() {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", "e1"),
            ("ce_source", "//gw"),
            ("ce_type", "mcp.auth.token"),
            ("ce_time", "2026-11-22T10:00:00Z"),
        ];
        let data = json!({"hop": "upstream", "outcome": "success", "request_id": "r"});
        assert_eq!(checked(&data, &headers), Ok(Some("r".to_owned())));
        assert_eq!(checked(&data, &headers[..4]), Err(("missing_field", Some("time".to_owned()))));
    }
}
