//! What the headers say about a body of events.
//!
//! CloudEvents HTTP binding 1.0.2 §3: structured and batched mode by content type, binary mode by `ce-` headers. A body
//! that says nothing about itself is refused: a web page of another origin may send such a body without being asked
//! first (Fetch, "CORS-safelisted request-header"), and would write events from a visitor's browser.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode_str;

use crate::api::code::Code;
use crate::api::problem::Problem;

/// How a body holds its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One object, or an array of objects.
    Json,
    /// One CloudEvent in structured mode.
    Structured,
    /// An array of CloudEvents.
    Batch,
    /// One object a line.
    Lines,
    /// The body is `data`; the attributes are these headers, by their Kafka names (CloudEvents Kafka binding §3.2.3).
    Binary(Vec<(String, String)>),
}

/// The content types that hold events, for the sentence of a refusal.
const ACCEPTED: &str = "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json, or ce- headers with application/json";

/// The form of a body.
///
/// # Errors
/// `unsupported_media_type`, `unsupported_content_encoding`.
pub fn of(headers: &HeaderMap) -> Result<Form, Problem> {
    refuse_encoding(headers)?;
    let binary = headers.contains_key("ce-specversion") || headers.contains_key("ce-id");
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        return if binary { binary_headers(headers).map(Form::Binary) } else { Err(unsupported()) };
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    refuse_charset(parameters)?;
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/json" if binary => binary_headers(headers).map(Form::Binary),
        "application/json" => Ok(Form::Json),
        "application/cloudevents+json" => Ok(Form::Structured),
        "application/cloudevents-batch+json" => Ok(Form::Batch),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Form::Lines),
        _ => Err(unsupported()),
    }
}

fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedMediaType, format!("Set Content-Type. Events are taken as {ACCEPTED}."))
}

fn refuse_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encoded =
        headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        let detail = "Bodies are taken as they are, without Content-Encoding; send the events uncompressed.";
        return Err(Problem::new(Code::UnsupportedContentEncoding, detail));
    }
    Ok(())
}

/// JSON between systems is UTF-8 (RFC 8259 §8.1); another charset would be misread in silence.
fn refuse_charset(parameters: &str) -> Result<(), Problem> {
    for parameter in parameters.split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "Events are UTF-8; send charset=utf-8 or no charset.",
            ));
        }
    }
    Ok(())
}

/// The `ce-` headers by their Kafka names, and the content type. Values are percent-encoded UTF-8 over HTTP (HTTP
/// binding §3.1.3.2) and plain UTF-8 in Kafka.
fn binary_headers(headers: &HeaderMap) -> Result<Vec<(String, String)>, Problem> {
    let mut kafka_headers = Vec::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let text = value.to_str().ok().and_then(|text| percent_decode_str(unquoted(text)).decode_utf8().ok());
        let Some(text) = text else {
            let detail = format!("The header `{name}` is not percent-encoded UTF-8.");
            return Err(Problem::new(Code::BadParameter, detail));
        };
        kafka_headers.push((format!("ce_{attribute}"), text.into_owned()));
    }
    kafka_headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Ok(kafka_headers)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Form, of};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        pairs.iter().map(parse).collect()
    }

    #[test]
    fn the_content_type_decides() {
        let cases = [
            ("application/json", Form::Json),
            ("Application/JSON; charset=\"UTF-8\"", Form::Json),
            ("application/x-ndjson", Form::Lines),
            ("application/jsonl", Form::Lines),
            ("application/cloudevents+json; charset=utf-8", Form::Structured),
            ("application/cloudevents-batch+json", Form::Batch),
        ];
        for (content_type, expected) in cases {
            assert_eq!(of(&headers(&[("content-type", content_type)])).unwrap(), expected, "{content_type}");
        }
    }

    #[test]
    fn what_holds_no_events_is_refused() {
        for content_type in ["application/x-www-form-urlencoded", "text/plain", "", "application/json; charset=latin1"]
        {
            let problem = of(&headers(&[("content-type", content_type)])).unwrap_err();
            assert_eq!(problem.code.as_str(), "unsupported_media_type", "{content_type}");
        }
        assert_eq!(of(&headers(&[])).unwrap_err().code.as_str(), "unsupported_media_type");
        let problem = of(&headers(&[("content-type", "application/json"), ("content-encoding", "gzip")])).unwrap_err();
        assert_eq!(problem.code.as_str(), "unsupported_content_encoding");
        assert!(of(&headers(&[("content-encoding", "identity"), ("content-type", "application/json")])).is_ok());
    }

    #[test]
    fn binary_mode_carries_its_attributes_as_kafka_headers() {
        let sent = headers(&[
            ("ce-specversion", "1.0"),
            ("ce-id", "a%20%E2%82%AC"),
            ("ce-source", "\"//gw/1\""),
            ("accept", "*/*"),
        ]);
        let Form::Binary(mut kafka_headers) = of(&sent).unwrap() else { panic!("not binary") };
        kafka_headers.sort();
        let expected = [
            ("ce_id", "a €"),
            ("ce_source", "//gw/1"),
            ("ce_specversion", "1.0"),
            ("content-type", "application/json"),
        ];
        assert_eq!(kafka_headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let broken = headers(&[("ce-id", "%FF")]);
        assert_eq!(of(&broken).unwrap_err().code.as_str(), "bad_parameter");
    }
}
