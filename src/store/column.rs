//! How a value of each kind is stored: as a member of a JSON object, or as a part of what tells two objects apart.
//!
//! A dictionary column of objects ([`super::place::Group`]) needs its JSON only for objects that are new in a batch. What is
//! looked up for every event is the shorter signature: the number and the bytes of each member that is there.
//!
//! [`Stored::read`] is the way back, for whoever needs the event of a row again: next to the way there, so that the two cannot
//! drift apart.

use std::borrow::Cow;
use std::fmt::Debug;

use serde_json::Value;

use super::json_object::JsonObject;
use crate::event::fields::{Count, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status};
use crate::event::vocabulary::ClosedEnum;

/// A kind of value that can be stored.
pub trait Stored: Kind {
    /// Writes the value as a member of an object, under the name of its column; nothing when it is unknown or an empty list.
    fn write(value: &Self::Value<'_>, column: &str, object: &mut JsonObject<'_>);
    /// Appends the value to a signature; nothing when it is unknown. `number` is the member's own.
    fn sign(value: &Self::Value<'_>, number: u8, signature: &mut Vec<u8>);
    /// The value that [`Stored::write`] wrote. What has not its form was written by something else, and is unknown.
    fn read(stored: &Value) -> Self::Value<'_>;
    /// Whether the value is a list that was sent empty, which the stored object cannot say.
    fn is_empty_list(_value: &Self::Value<'_>) -> bool {
        false
    }
}

/// Ends a text in a signature: no UTF-8 text holds this byte (RFC 3629 §3), so no two lists of members look the same.
const END: u8 = 0xff;

/// Appends a member's number and its text.
pub fn sign_text(text: &str, number: u8, signature: &mut Vec<u8>) {
    signature.reserve(text.len() + 2);
    signature.push(number);
    signature.extend_from_slice(text.as_bytes());
    signature.push(END);
}

macro_rules! text_columns {
    ($($kind:ident)+) => {$(
        impl Stored for $kind {
            fn write(value: &Self::Value<'_>, column: &str, object: &mut JsonObject<'_>) {
                if let Some(text) = value {
                    object.text(column, text);
                }
            }
            fn sign(value: &Self::Value<'_>, number: u8, signature: &mut Vec<u8>) {
                if let Some(text) = value {
                    sign_text(text, number, signature);
                }
            }
            fn read(stored: &Value) -> Self::Value<'_> {
                stored.as_str().map(Cow::Borrowed)
            }
        }
    )+};
}
text_columns!(Id Free Name Scope);

macro_rules! plain_columns {
    ($($kind:ident: $bytes:expr, $read:expr;)+) => {$(
        impl Stored for $kind {
            fn write(value: &Self::Value<'_>, column: &str, object: &mut JsonObject<'_>) {
                if let Some(plain) = value {
                    object.plain(column, plain);
                }
            }
            fn sign(value: &Self::Value<'_>, number: u8, signature: &mut Vec<u8>) {
                if let Some(plain) = *value {
                    signature.push(number);
                    signature.extend_from_slice(&$bytes(plain));
                }
            }
            fn read(stored: &Value) -> Self::Value<'_> {
                $read(stored)
            }
        }
    )+};
}
plain_columns! {
    Status: u16::to_le_bytes, |stored: &Value| stored.as_u64().and_then(|number| u16::try_from(number).ok());
    Integer: i64::to_le_bytes, Value::as_i64;
    Count: u32::to_le_bytes, |stored: &Value| stored.as_u64().and_then(|number| u32::try_from(number).ok());
    Millis: f64::to_le_bytes, Value::as_f64;
    Flag: |flag| [u8::from(flag)], Value::as_bool;
}

impl<E: ClosedEnum + Debug> Stored for OneOf<E> {
    fn write(value: &Self::Value<'_>, column: &str, object: &mut JsonObject<'_>) {
        if let Some(member) = value {
            object.text(column, member.as_str());
        }
    }
    fn sign(value: &Self::Value<'_>, number: u8, signature: &mut Vec<u8>) {
        if let Some(member) = value {
            signature.extend_from_slice(&[number, member.number()]);
        }
    }
    fn read(stored: &Value) -> Self::Value<'_> {
        stored.as_str().map(E::parse)
    }
}

impl Stored for Names {
    fn write(value: &Self::Value<'_>, column: &str, object: &mut JsonObject<'_>) {
        if let Some(names) = value.as_ref().filter(|names| !names.is_empty()) {
            object.list(column, names.iter().map(Cow::as_ref));
        }
    }
    fn sign(value: &Self::Value<'_>, number: u8, signature: &mut Vec<u8>) {
        if let Some(names) = value {
            signature.push(number);
            signature.extend_from_slice(&u32::try_from(names.len()).unwrap_or(u32::MAX).to_le_bytes());
            names.iter().for_each(|name| sign_text(name, number, signature));
        }
    }
    fn read(stored: &Value) -> Self::Value<'_> {
        Some(stored.as_array()?.iter().filter_map(Value::as_str).map(Cow::Borrowed).collect())
    }
    fn is_empty_list(value: &Self::Value<'_>) -> bool {
        value.as_ref().is_some_and(Vec::is_empty)
    }
}
