//! Reads one member's value by its [`Kind`], where it is written plainly; `null` and `""` are unknown.

use std::borrow::Cow;
use std::fmt::Debug;

use super::super::limits;
use super::super::value::{is_bounded_id, may_be_number};
use super::reader::Reader;
use crate::event::FieldId;
use crate::event::fields::{Count, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status};
use crate::event::vocabulary::ClosedEnum;

/// A kind of member that can be read from a plain record.
pub trait ReadPlain: Kind {
    /// The value that begins here; `None` when it is not plain or not of this kind.
    fn read<'a>(reader: &mut Reader<'a>, field: FieldId) -> Option<Self::Value<'a>>;
}

/// Text, unknown when it is `null` or empty.
fn text<'a>(reader: &mut Reader<'a>) -> Option<Option<&'a str>> {
    if reader.opens_string() {
        return reader.string().map(|text| Some(text).filter(|text| !text.is_empty()));
    }
    reader.is_null().then_some(None)
}

/// Text, or a number where the field allows that.
fn text_or_number<'a>(reader: &mut Reader<'a>) -> Option<Option<&'a str>> {
    match reader.next_byte() {
        b'0'..=b'9' => reader.whole_number().map(Some),
        _ => text(reader),
    }
}

macro_rules! read_text {
    ($($kind:ident)+) => {$(
        impl ReadPlain for $kind {
            #[inline(always)]
            fn read<'a>(reader: &mut Reader<'a>, field: FieldId) -> Option<Self::Value<'a>> {
                let text = if may_be_number(field) { text_or_number(reader)? } else { text(reader)? };
                if is_bounded_id(field) && text.is_some_and(|id| id.len() > limits::ID_BYTES) {
                    return None;
                }
                Some(text.map(Cow::Borrowed))
            }
        }
    )+};
}
read_text!(Free Id Name Scope);

impl ReadPlain for Names {
    fn read<'a>(reader: &mut Reader<'a>, _: FieldId) -> Option<Self::Value<'a>> {
        if reader.is_null() {
            return Some(None);
        }
        reader.expect(b'[')?;
        let mut names = Vec::new();
        if reader.next_byte() == b']' {
            reader.skip_byte();
            return Some(Some(names));
        }
        loop {
            reader.expect(b'"')?;
            names.push(Cow::Borrowed(reader.string()?));
            let next = reader.next_byte();
            reader.skip_byte();
            match next {
                b',' => {}
                b']' => return Some(Some(names)),
                _ => return None,
            }
        }
    }
}

/// Reads `null` as unknown, and a number within the range of its type.
macro_rules! read_number {
    ($($kind:ident: $method:ident => $within:expr;)+) => {$(
        impl ReadPlain for $kind {
            #[inline]
            fn read<'a>(reader: &mut Reader<'a>, _: FieldId) -> Option<Self::Value<'a>> {
                if reader.is_null() {
                    return Some(None);
                }
                reader.$method().and_then($within).map(Some)
            }
        }
    )+};
}
read_number! {
    Status: integer => |number| u16::try_from(number).ok().filter(|status| *status <= 999);
    Integer: integer => Some;
    Count: integer => |number| u32::try_from(number).ok();
    Millis: decimal => Some;
}

impl ReadPlain for Flag {
    fn read<'a>(reader: &mut Reader<'a>, _: FieldId) -> Option<Self::Value<'a>> {
        match reader.next_byte() {
            b't' => reader.literal("true").map(|()| Some(true)),
            b'f' => reader.literal("false").map(|()| Some(false)),
            _ => reader.is_null().then_some(None),
        }
    }
}

impl<C: ClosedEnum + Debug> ReadPlain for OneOf<C> {
    /// A value outside the list is kept beside the event, which is not plain.
    #[inline]
    fn read<'a>(reader: &mut Reader<'a>, _: FieldId) -> Option<Self::Value<'a>> {
        match text(reader)? {
            None => Some(None),
            Some(text) => C::find(text).map(Some),
        }
    }
}
