//! The events of a body, each as its own original bytes: nothing is parsed into values and written again, so that Kafka
//! holds what the gateway sent.

use axum::body::Bytes;
use serde_json::value::RawValue;

use super::form::Form;
use super::{Candidate, MAXIMUM_EVENTS};
use crate::api::code::Code;
use crate::api::problem::Problem;

/// Splits `body` by its form.
///
/// # Errors
/// `no_events` for an empty body or array; `not_json`, `not_utf8` when an array cannot be split; `too_many_events`.
/// A fault inside one event is not found here: the check names it with the event's index.
pub fn split(body: &Bytes, form: Form) -> Result<Vec<Candidate>, Problem> {
    let values = match form {
        Form::Binary(headers) => return Ok(vec![Candidate { value: body.clone(), headers }]),
        Form::Structured => one(body),
        Form::Batch => elements(body)?,
        Form::Lines => lines(body),
        Form::Json if body.trim_ascii_start().first() == Some(&b'[') => elements(body)?,
        Form::Json => one(body),
    };
    if values.is_empty() {
        return Err(Problem::new(
            Code::NoEvents,
            "Send at least one event: one JSON object, an array of them, or one a line.",
        ));
    }
    if values.len() > MAXIMUM_EVENTS {
        let detail = format!("The body holds {} events; send at most {MAXIMUM_EVENTS} at a time.", values.len());
        return Err(Problem::new(Code::TooManyEvents, detail));
    }
    Ok(values.into_iter().map(|value| Candidate { value, headers: Vec::new() }).collect())
}

fn one(body: &Bytes) -> Vec<Bytes> {
    let value = body.trim_ascii();
    if value.is_empty() { Vec::new() } else { vec![body.slice_ref(value)] }
}

fn lines(body: &Bytes) -> Vec<Bytes> {
    let trimmed = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    trimmed.filter(|line| !line.is_empty()).map(|line| body.slice_ref(line)).collect()
}

/// The elements of an array, each with its own bytes. Elements are skipped over without recursion, so that depth costs
/// no stack here.
fn elements(body: &Bytes) -> Result<Vec<Bytes>, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::new(Code::NotUtf8, format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()))
    })?;
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::new(
            Code::NotJson,
            format!("The body is not a JSON array: the fault is at line {line}, column {column}."),
        )
    })?;
    Ok(raw.into_iter().map(|element| body.slice_ref(element.get().as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::{Form, split};

    fn values(body: &[u8], form: Form) -> Result<Vec<String>, &'static str> {
        let candidates = split(&Bytes::copy_from_slice(body), form).map_err(|problem| problem.code.as_str())?;
        Ok(candidates.iter().map(|candidate| String::from_utf8_lossy(&candidate.value).into_owned()).collect())
    }

    #[test]
    fn every_form_keeps_the_bytes_of_each_event() {
        let cases: [(&[u8], Form, &[&str]); 7] = [
            (b" {\"a\" : 1}\n", Form::Json, &["{\"a\" : 1}"]),
            (b" [ {\"a\" : 1.50} ,2,\"x\"]\n", Form::Json, &["{\"a\" : 1.50}", "2", "\"x\""]),
            (b"[{}]", Form::Batch, &["{}"]),
            (b"[{}]", Form::Structured, &["[{}]"]),
            (b"{\"a\":1}\r\n\n  \n{broken\n{\"b\":2}", Form::Lines, &["{\"a\":1}", "{broken", "{\"b\":2}"]),
            (b"{broken", Form::Json, &["{broken"]),
            (b" raw ", Form::Binary(Vec::new()), &[" raw "]),
        ];
        for (body, form, expected) in cases {
            assert_eq!(values(body, form.clone()).unwrap(), expected, "{form:?}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_split_has_a_code() {
        let cases: [(&[u8], Form, &str); 8] = [
            (b"", Form::Json, "no_events"),
            (b" \n\n ", Form::Lines, "no_events"),
            (b"[]", Form::Json, "no_events"),
            (b"", Form::Batch, "no_events"),
            (b"[{},", Form::Json, "not_json"),
            (b"[{}] trailing", Form::Json, "not_json"),
            (b"{}", Form::Batch, "not_json"),
            (b"[\"\xff\"]", Form::Batch, "not_utf8"),
        ];
        for (body, form, expected) in cases {
            assert_eq!(values(body, form), Err(expected), "{body:?}");
        }
        assert_eq!(values("{}\n".repeat(10_001).as_bytes(), Form::Lines), Err("too_many_events"));
    }

    #[test]
    fn ten_thousand_levels_are_split_without_recursion() {
        let deep = format!("[{}{},{{}}]", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(values(deep.as_bytes(), Form::Json).unwrap().len(), 2);
    }
}
