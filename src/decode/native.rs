//! The native form: a CloudEvent 1.0 as one JSON object, or its `data` alone with the envelope in headers (binary mode).

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::context::Context;
use super::data::{GroupSeed, KeySeed};
use super::error::DecodeError;
use super::limits::{self, Limits};
use super::value::{Sent, SentSeed, bounded_id};
use crate::event::{Event, EventKind, FieldId, RecordTime, Text};

/// Header prefixes of CloudEvents' binary mode: the Kafka binding's and the HTTP binding's.
const HEADER_PREFIXES: [&str; 2] = ["ce_", "ce-"];

/// Decodes a structured CloudEvent.
///
/// # Errors
/// The first fault found, with its stable code.
pub fn decode_structured<'a>(text: &'a str, record: RecordTime, limits: &Limits) -> Result<Event<'a>, DecodeError> {
    let mut draft = Draft::default();
    parse_object(text, &mut draft, |draft, deserializer| EnvelopeSeed { draft }.deserialize(deserializer))?;
    finish(draft, record, limits)
}

/// Decodes binary mode: the envelope from headers named `ce_*` or `ce-*`, `data` from the body.
///
/// # Errors
/// The first fault found, with its stable code.
pub fn decode_binary<'a>(
    headers: &[(&'a str, &'a [u8])],
    body: &'a str,
    record: RecordTime,
    limits: &Limits,
) -> Result<Event<'a>, DecodeError> {
    let mut draft = Draft::default();
    for (header, value) in headers {
        let Some(name) = HEADER_PREFIXES.iter().find_map(|prefix| header.strip_prefix(prefix)) else { continue };
        let value =
            std::str::from_utf8(value).map_err(|fault| DecodeError::NotUtf8 { valid_up_to: fault.valid_up_to() })?;
        set_envelope::<serde_json::Error>(&mut draft, Cow::Borrowed(name), Sent::Text(Cow::Borrowed(value)))
            .map_err(|fault| draft.context.explain(&fault))?;
    }
    parse_object(body, &mut draft, |draft, deserializer| {
        GroupSeed { group: "", event: &mut draft.event, context: &mut draft.context }.deserialize(deserializer)
    })?;
    finish(draft, record, limits)
}

/// Whether the headers are those of binary mode.
#[must_use]
pub fn is_binary_mode(headers: &[(&str, &[u8])]) -> bool {
    headers
        .iter()
        .any(|(name, _)| HEADER_PREFIXES.iter().any(|prefix| name.strip_prefix(prefix) == Some("specversion")))
}

/// An event while its envelope is still incomplete.
struct Draft<'a> {
    event: Event<'a>,
    time: Option<Text<'a>>,
    context: Context<'a>,
}

impl Default for Draft<'_> {
    fn default() -> Self {
        Self { event: blank(), time: None, context: Context::default() }
    }
}

/// An event with nothing in it, not even an envelope; it never leaves this stage: [`complete`] refuses what is missing.
pub(super) fn blank<'a>() -> Event<'a> {
    Event::new(Cow::Borrowed(""), Cow::Borrowed(""), Cow::Borrowed(""), DateTime::UNIX_EPOCH)
}

fn parse_object<'a>(
    text: &'a str,
    draft: &mut Draft<'a>,
    read: impl FnOnce(
        &mut Draft<'a>,
        &mut serde_json::Deserializer<serde_json::de::StrRead<'a>>,
    ) -> Result<(), serde_json::Error>,
) -> Result<(), DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    if !text.trim_start().starts_with('{') {
        // Tell "not JSON" from "JSON, but no object"; skipping a value needs no stack, however deep it is.
        let skipped =
            <&RawValue as serde::Deserialize>::deserialize(&mut deserializer).and_then(|_| deserializer.end());
        return Err(skipped.map_or_else(|fault| draft.context.explain(&fault), |()| DecodeError::NotAnObject));
    }
    read(draft, &mut deserializer).and_then(|()| deserializer.end()).map_err(|fault| draft.context.explain(&fault))
}

/// Reads the CloudEvent object.
struct EnvelopeSeed<'e, 'de> {
    draft: &'e mut Draft<'de>,
}

impl<'de> DeserializeSeed<'de> for EnvelopeSeed<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a CloudEvent")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let draft = self.draft;
        while let Some(key) = members.next_key_seed(KeySeed)? {
            if key == "data" {
                draft.context.enter_name(Cow::Borrowed("data"))?;
                members.next_value_seed(GroupSeed {
                    group: "",
                    event: &mut draft.event,
                    context: &mut draft.context,
                })?;
            } else if envelope_name(&key).is_some() {
                let sent = members.next_value_seed(SentSeed)?;
                set_envelope(draft, key, sent)?;
            } else {
                let raw: &'de RawValue = members.next_value()?;
                draft.context.keep_json(Cow::Owned(format!("ce.{key}")), raw.get(), 1)?;
            }
        }
        Ok(())
    }
}

/// The envelope members that the contract knows.
fn envelope_name(key: &str) -> Option<&'static str> {
    ["specversion", "id", "source", "type", "time", "datacontenttype", "traceparent"]
        .into_iter()
        .find(|name| *name == key)
}

fn set_envelope<'de, E: Error>(draft: &mut Draft<'de>, key: Text<'de>, sent: Sent<'de>) -> Result<(), E> {
    let Some(name) = envelope_name(&key) else {
        let Sent::Text(value) = sent else { return Ok(()) };
        return draft.context.keep(Cow::Owned(format!("ce.{key}")), value);
    };
    draft.context.enter_name(Cow::Borrowed(name))?;
    let text = match sent {
        Sent::Null => return Ok(()),
        Sent::Text(text) if text.is_empty() => return Ok(()),
        Sent::Text(text) => text,
        _ => {
            return Err(draft
                .context
                .refuse(DecodeError::InvalidField { field: name.to_owned(), expected: "a string" }));
        }
    };
    match name {
        "specversion" if text != "1.0" => return Err(draft.context.refuse(DecodeError::UnsupportedSpecversion)),
        "id" => {
            bounded_id(&text, &mut draft.context)?;
            draft.event.event_id = text;
        }
        "source" => draft.event.source = text,
        "type" => {
            draft.event.kind = EventKind::of(&text);
            draft.event.type_name = text;
        }
        "time" => draft.time = Some(text),
        "traceparent" => {
            bounded_id(&text, &mut draft.context)?;
            set_trace(draft, text)?;
        }
        _ => {}
    }
    Ok(())
}

/// Anything but a `traceparent` of the standard's form is kept as it is, not refused.
fn set_trace<'de, E: Error>(draft: &mut Draft<'de>, text: Text<'de>) -> Result<(), E> {
    let owned = |(trace, span): (&str, &str)| (Cow::Owned(trace.to_owned()), Cow::Owned(span.to_owned()));
    match trace_and_span(&text).map(owned) {
        Some((trace, span)) => {
            draft.event.trace_id = Some(trace);
            draft.event.span_id = Some(span);
            Ok(())
        }
        None => draft.context.keep(Cow::Borrowed("ce.traceparent"), text),
    }
}

/// Trace and span of a `traceparent` (W3C Trace Context §3.2): `00-<32 hex>-<16 hex>-<2 hex>`.
pub(super) fn trace_and_span(text: &str) -> Option<(&str, &str)> {
    // `&` and no early end: the compiler makes vector instructions of it.
    let is_hex = |part: &&str, length: usize| {
        let digits = part.bytes().fold(true, |all, byte| all & (byte.is_ascii_digit() | (b'a'..=b'f').contains(&byte)));
        part.len() == length && digits
    };
    let mut parts = text.split('-');
    parts.next().filter(|version| is_hex(version, 2))?;
    let trace = parts.next().filter(|trace| is_hex(trace, 32))?;
    let span = parts.next().filter(|span| is_hex(span, 16))?;
    Some((trace, span))
}

fn finish<'a>(draft: Draft<'a>, record: RecordTime, limits: &Limits) -> Result<Event<'a>, DecodeError> {
    let Draft { mut event, time, context } = draft;
    let time = time.ok_or_else(|| missing("time"))?;
    complete(&mut event, &time, record, limits)?;
    event.attributes = context.attributes;
    Ok(event)
}

fn missing(field: &str) -> DecodeError {
    DecodeError::MissingField { field: field.to_owned() }
}

/// Judges whether all is there that must be, and sets the time.
pub(super) fn complete(
    event: &mut Event<'_>,
    time: &str,
    record: RecordTime,
    limits: &Limits,
) -> Result<(), DecodeError> {
    for (field, value) in [("id", &event.event_id), ("source", &event.source), ("type", &event.type_name)] {
        if value.is_empty() {
            return Err(missing(field));
        }
    }
    for (field, is_known) in [(FieldId::hop, event.hop.is_some()), (FieldId::outcome, event.outcome.is_some())] {
        if !is_known {
            return Err(missing(&format!("data.{}", field.path())));
        }
    }
    event.time = limits::parse_time(time)?;
    limits::judge_time(event.time, record, limits)
}
