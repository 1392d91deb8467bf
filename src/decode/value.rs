//! Reads one member's value by its [`Kind`]: borrowed where the JSON allows, refused with a code where the type is wrong.
//!
//! `null` and `""` are unknown everywhere. A value outside a closed enumeration becomes `unknown` and what was sent is
//! kept in the attributes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::context::Context;
use super::error::DecodeError;
use super::limits;
use crate::event::fields::{Count, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{FieldId, Text};

/// A kind of member that can be read from a record.
pub trait ReadMember: Kind {
    /// The value of `field` from what was sent.
    fn from_sent<'de, E: Error>(
        field: FieldId,
        sent: Sent<'de>,
        context: &mut Context<'de>,
    ) -> Result<Self::Value<'de>, E>;
}

/// A JSON value as far as a member can hold it.
#[derive(Debug)]
pub enum Sent<'de> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number that fits 64 signed bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Text<'de>),
    /// An array of strings.
    Texts(Vec<Text<'de>>),
}

impl Sent<'_> {
    /// `null` for the empty string, which is unknown whatever the member's type.
    #[must_use]
    pub fn or_unknown(self) -> Self {
        match self {
            Self::Text(text) if text.is_empty() => Self::Null,
            sent => sent,
        }
    }
}

/// Reads a [`Sent`]; arrays may hold strings only, objects are refused by serde as of the wrong type.
#[derive(Debug, Clone, Copy)]
pub struct SentSeed;

impl<'de> DeserializeSeed<'de> for SentSeed {
    type Value = Sent<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SentSeed {
    type Value = Sent<'de>;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, a number, a boolean, null or an array of strings")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Sent::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Sent::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Sent::Integer(value))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "such a number is out of range for every member but a duration")]
        Ok(i64::try_from(value).map_or(Sent::Float(value as f64), Sent::Integer))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Sent::Float(value))
    }
    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Borrowed(value)))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Owned(value.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            let Sent::Text(text) = item else {
                return Err(A::Error::invalid_type(serde::de::Unexpected::Other("not a string"), &self));
            };
            texts.push(text);
        }
        Ok(Sent::Texts(texts))
    }
}

fn wrong<'de, T, E: Error>(context: &mut Context<'de>, expected: &'static str) -> Result<T, E> {
    let field = context.path();
    Err(context.refuse(DecodeError::InvalidField { field, expected }))
}

fn known(text: Text<'_>) -> Option<Text<'_>> {
    if text.is_empty() { None } else { Some(text) }
}

/// The members whose text may also be sent as a number (JSON-RPC 2.0 §4 allows numeric ids).
pub fn may_be_number(field: FieldId) -> bool {
    matches!(field, FieldId::mcp_jsonrpc_id | FieldId::config_version)
}

fn text<'de, E: Error>(field: FieldId, sent: Sent<'de>, context: &mut Context<'de>) -> Result<Option<Text<'de>>, E> {
    match sent {
        Sent::Null => Ok(None),
        Sent::Text(text) => Ok(known(text)),
        Sent::Integer(number) if may_be_number(field) => Ok(Some(Cow::Owned(number.to_string()))),
        Sent::Float(number) if field == FieldId::mcp_jsonrpc_id => Ok(Some(Cow::Owned(number.to_string()))),
        _ => wrong(context, "a string"),
    }
}

/// Refuses an identifier that is longer than [`limits::ID_BYTES`].
pub fn bounded_id<'de, E: Error>(id: &str, context: &mut Context<'de>) -> Result<(), E> {
    if id.len() > limits::ID_BYTES {
        let field = context.path();
        return Err(context.refuse(DecodeError::IdTooLong { field, bytes: id.len(), limit: limits::ID_BYTES }));
    }
    Ok(())
}

/// The members whose length is limited: what identifies or joins.
pub fn is_bounded_id(field: FieldId) -> bool {
    matches!(
        field,
        FieldId::request_id
            | FieldId::client_request_id
            | FieldId::caused_by
            | FieldId::flow_id
            | FieldId::connection_id
            | FieldId::session_id
            | FieldId::credential_key_id
    )
}

macro_rules! read_text {
    ($($kind:ident)+) => {$(
        impl ReadMember for $kind {
            fn from_sent<'de, E: Error>(field: FieldId, sent: Sent<'de>, context: &mut Context<'de>) -> Result<Self::Value<'de>, E> {
                let text = text(field, sent, context)?;
                if let Some(id) = text.as_deref().filter(|_| is_bounded_id(field)) {
                    bounded_id(id, context)?;
                }
                Ok(text)
            }
        }
    )+};
}
read_text!(Free Id Name);

/// A kind whose value comes from what was sent alone; `null` is unknown.
pub trait Plain: Kind {
    /// What a producer should send, for the refusal.
    const EXPECTED: &'static str;
    /// The value; `None` when what was sent is of the wrong type.
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>>;
}

impl<K: Plain> ReadMember for K {
    fn from_sent<'de, E: Error>(
        _: FieldId,
        sent: Sent<'de>,
        context: &mut Context<'de>,
    ) -> Result<Self::Value<'de>, E> {
        if matches!(sent, Sent::Null) {
            return Ok(K::Value::default());
        }
        K::of(sent).map_or_else(|| wrong(context, K::EXPECTED), Ok)
    }
}

impl Plain for Scope {
    const EXPECTED: &'static str = "scopes as one space-separated string or an array of strings";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        match sent {
            Sent::Text(text) => Some(known(text)),
            Sent::Texts(scopes) => Some(known(Cow::Owned(scopes.join(" ")))),
            _ => None,
        }
    }
}

impl Plain for Names {
    const EXPECTED: &'static str = "an array of strings";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        if let Sent::Texts(names) = sent { Some(Some(names)) } else { None }
    }
}

impl Plain for Status {
    const EXPECTED: &'static str = "a whole number from 0 to 999";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        if let Sent::Integer(number @ 0..=999) = sent { u16::try_from(number).ok().map(Some) } else { None }
    }
}

impl Plain for Integer {
    const EXPECTED: &'static str = "a whole number of at most 64 bits";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        if let Sent::Integer(number) = sent { Some(Some(number)) } else { None }
    }
}

impl Plain for Count {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        if let Sent::Integer(number) = sent { u32::try_from(number).ok().map(Some) } else { None }
    }
}

impl Plain for Millis {
    const EXPECTED: &'static str = "milliseconds as a number from 0";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        #[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds has no 53 significant bits")]
        let millis = match sent {
            Sent::Integer(number) => number as f64,
            Sent::Float(number) => number,
            _ => return None,
        };
        (millis >= 0.0 && millis.is_finite()).then_some(Some(millis))
    }
}

impl Plain for Flag {
    const EXPECTED: &'static str = "true or false";
    fn of(sent: Sent<'_>) -> Option<Self::Value<'_>> {
        if let Sent::Bool(flag) = sent { Some(Some(flag)) } else { None }
    }
}

impl<C: ClosedEnum + fmt::Debug> ReadMember for OneOf<C> {
    fn from_sent<'de, E: Error>(
        field: FieldId,
        sent: Sent<'de>,
        context: &mut Context<'de>,
    ) -> Result<Self::Value<'de>, E> {
        let Some(text) = text(field, sent, context)? else { return Ok(None) };
        let known = C::find(&text);
        if known.is_none() {
            context.keep(Cow::Borrowed(field.path()), text)?;
        }
        Ok(Some(known.unwrap_or(C::UNKNOWN)))
    }
}
