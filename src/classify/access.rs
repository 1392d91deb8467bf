//! Typed access to an event's members by [`FieldId`]: numbers, lists, and what a rule may compare a member with.
//!
//! Generated from the one table of fields, so that a new member can stand in a rule without a line here.

use std::borrow::Cow;

use crate::event::fields::{
    Count, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, FieldId};

/// What values a member can have, for the check of a rules file.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Any text.
    Text,
    /// Whole or decimal numbers.
    Number,
    /// `true` or `false`.
    Flag,
    /// Several texts.
    List,
    /// A member of a closed enumeration.
    OneOf(fn(&str) -> bool),
}

/// How a kind of member is read by rules.
trait Readable: Kind {
    const SHAPE: Shape;
    fn number(_: &Self::Value<'_>) -> Option<f64> {
        None
    }
    fn list<'v, 'a>(_: &'v Self::Value<'a>) -> Option<&'v [Cow<'a, str>]> {
        None
    }
}

macro_rules! readable {
    ($($kind:ident $shape:ident)+) => { $(impl Readable for $kind { const SHAPE: Shape = Shape::$shape; })+ };
}
readable!(Id Text  Free Text  Name Text  Scope List  Flag Flag);

macro_rules! readable_number {
    ($($kind:ident)+) => {$(
        impl Readable for $kind {
            const SHAPE: Shape = Shape::Number;
            fn number(value: &Self::Value<'_>) -> Option<f64> {
                value.map(f64::from)
            }
        }
    )+};
}
readable_number!(Status Count Millis);

impl Readable for Integer {
    const SHAPE: Shape = Shape::Number;
    fn number(value: &Self::Value<'_>) -> Option<f64> {
        // Error codes and ages in seconds are far below 2⁵³, where the conversion would start to round.
        value.map(|number| number as f64)
    }
}

impl Readable for Names {
    const SHAPE: Shape = Shape::List;
    fn list<'v, 'a>(value: &'v Self::Value<'a>) -> Option<&'v [Cow<'a, str>]> {
        value.as_deref()
    }
}

impl<E: ClosedEnum + std::fmt::Debug> Readable for OneOf<E> {
    const SHAPE: Shape = Shape::OneOf(is_known::<E>);
}

/// Whether `text` is the spelling of a known member of `E`.
fn is_known<E: ClosedEnum>(text: &str) -> bool {
    E::KNOWN.iter().any(|member| member.as_str() == text)
}

macro_rules! define_access {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// What values `field` can have.
        #[must_use]
        pub fn shape_of(field: FieldId) -> Shape {
            match field { $($(FieldId::$field => <$kind as Readable>::SHAPE,)+)+ }
        }

        /// The value of a number member; `None` when unknown or no number.
        #[must_use]
        pub fn number_of(event: &Event<'_>, field: FieldId) -> Option<f64> {
            match field { $($(FieldId::$field => <$kind as Readable>::number(&event.$field),)+)+ }
        }

        /// Whether a member has a value, of whatever kind; spells nothing out.
        #[must_use]
        pub fn has_value(event: &Event<'_>, field: FieldId) -> bool {
            match field { $($(FieldId::$field => event.$field.is_some(),)+)+ }
        }

        fn stored_list<'v, 'a>(event: &'v Event<'a>, field: FieldId) -> Option<&'v [Cow<'a, str>]> {
            match field { $($(FieldId::$field => <$kind as Readable>::list(&event.$field),)+)+ }
        }
    };
}
with_event_fields!(define_access);

/// The members of a list, or the words of a set of scopes (RFC 6749 §3.3); `None` when unknown.
#[must_use]
pub fn list_of<'v>(event: &'v Event<'_>, field: FieldId) -> Option<Vec<Cow<'v, str>>> {
    if let Some(names) = stored_list(event, field) {
        return Some(names.iter().map(|name| Cow::Borrowed(name.as_ref())).collect());
    }
    if !matches!(shape_of(field), Shape::List) {
        return None;
    }
    match event.text_of(field)? {
        Cow::Borrowed(text) => Some(text.split_ascii_whitespace().map(Cow::Borrowed).collect()),
        Cow::Owned(text) => Some(text.split_ascii_whitespace().map(|word| Cow::Owned(word.to_owned())).collect()),
    }
}

/// The value of a text, flag or enumeration member; an unknown member of an enumeration counts as unknown.
#[must_use]
pub fn text_of<'v>(event: &'v Event<'_>, field: FieldId) -> Option<Cow<'v, str>> {
    let text = event.text_of(field)?;
    let outside_the_list = matches!(shape_of(field), Shape::OneOf(known) if !known(&text));
    if outside_the_list { None } else { Some(text) }
}
