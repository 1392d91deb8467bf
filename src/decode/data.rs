//! Reads the `data` object and its groups, one pass, straight into the event.
//!
//! The match of member names is generated from the table of fields. A member outside the contract is kept under its path.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::context::Context;
use super::error::DecodeError;
use super::value::{ReadMember, SentSeed};
use crate::event::fields::{
    Count, Flag, Free, Id, Integer, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::{Event, FieldId, Text};

/// What a member name stands for inside a group.
enum Member {
    Field(FieldId),
    Group(&'static str),
    Attributes,
    Outside,
}

macro_rules! define_lookup_and_set {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        fn field_in(group: &str, key: &str) -> Option<FieldId> {
            match group {
                $($group => match key { $($key => Some(FieldId::$field),)+ _ => None },)+
                _ => None,
            }
        }

        fn group_named(key: &str) -> Option<&'static str> {
            match key { $($group if !$group.is_empty() => Some($group),)+ _ => None }
        }

        fn read_into<'de, A: MapAccess<'de>>(
            event: &mut Event<'de>, field: FieldId, members: &mut A, context: &mut Context<'de>,
        ) -> Result<(), A::Error> {
            let sent = members.next_value_seed(SentSeed)?.or_unknown();
            match field {
                $($(FieldId::$field => event.$field = <$kind as ReadMember>::from_sent(field, sent, context)?,)+)+
            }
            Ok(())
        }
    };
}
with_event_fields!(define_lookup_and_set);

fn member_of(group: &str, key: &str) -> Member {
    if let Some(field) = field_in(group, key) {
        return Member::Field(field);
    }
    if !group.is_empty() {
        return Member::Outside;
    }
    match (key, group_named(key)) {
        ("attributes", _) => Member::Attributes,
        (_, Some(group)) => Member::Group(group),
        _ => Member::Outside,
    }
}

/// Reads the object of `group` (`""` is `data` itself) into the event.
pub struct GroupSeed<'e, 'de> {
    /// The group's name.
    pub group: &'static str,
    /// The event being filled.
    pub event: &'e mut Event<'de>,
    /// The state of this record's decoding.
    pub context: &'e mut Context<'de>,
}

impl<'de> DeserializeSeed<'de> for GroupSeed<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for GroupSeed<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() { Ok(()) } else { Err(E::invalid_type(serde::de::Unexpected::Str("text"), &self)) }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { group, event, context } = self;
        while let Some(key) = members.next_key_seed(KeySeed)? {
            match member_of(group, &key) {
                Member::Field(field) => {
                    context.enter_field(field)?;
                    read_into(event, field, &mut members, context)?;
                }
                Member::Group(name) => {
                    context.enter_name(Cow::Owned(format!("data.{name}")))?;
                    members.next_value_seed(GroupSeed { group: name, event, context })?;
                }
                Member::Attributes => {
                    context.enter_name(Cow::Borrowed("data.attributes"))?;
                    members.next_value_seed(AttributesSeed { context })?;
                }
                Member::Outside => {
                    let (path, level) =
                        if group.is_empty() { (key, 2) } else { (Cow::Owned(format!("{group}.{key}")), 3) };
                    let raw: &'de RawValue = members.next_value()?;
                    context.keep_json(path, raw.get(), level)?;
                }
            }
        }
        Ok(())
    }
}

/// Reads `data.attributes`: any object, kept by key.
struct AttributesSeed<'e, 'de> {
    context: &'e mut Context<'de>,
}

impl<'de> DeserializeSeed<'de> for AttributesSeed<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributesSeed<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() { Ok(()) } else { Err(E::invalid_type(serde::de::Unexpected::Str("text"), &self)) }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key_seed(KeySeed)? {
            if key.is_empty() {
                return Err(self.context.refuse(DecodeError::InvalidField {
                    field: "data.attributes".to_owned(),
                    expected: "keys that are not empty",
                }));
            }
            let raw: &'de RawValue = members.next_value()?;
            self.context.keep_json(key, raw.get(), 3)?;
        }
        Ok(())
    }
}

/// Reads a member name, borrowed where it has no escapes.
#[derive(Debug, Clone, Copy)]
pub struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Text<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Text<'de>;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }
    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
