//! What one record's decoding carries along: the fault found, the member being read, the keys already seen.
//!
//! serde's errors hold a sentence only, so a fault with a code is put here and the outer call takes it from here.

use std::borrow::Cow;

use super::error::DecodeError;
use super::limits;
use crate::event::{FieldId, Text};

/// The member being read.
#[derive(Debug)]
enum Reading {
    Field(FieldId),
    Name(Cow<'static, str>),
}

impl Default for Reading {
    fn default() -> Self {
        Self::Name(Cow::Borrowed("record"))
    }
}

/// The state of decoding one record.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// The first fault that has a code of its own.
    pub fault: Option<DecodeError>,
    /// The member being read, for faults of type.
    reading: Reading,
    /// What the contract has no member for.
    pub attributes: Vec<(Text<'a>, Text<'a>)>,
    seen_fields: u128,
    seen_names: Vec<Cow<'static, str>>,
}

impl<'a> Context<'a> {
    /// Remembers the fault and gives serde something to stop with.
    pub fn refuse<E: serde::de::Error>(&mut self, fault: DecodeError) -> E {
        self.fault.get_or_insert(fault);
        E::custom("refused")
    }

    /// Notes that `field` is being read.
    ///
    /// # Errors
    /// [`DecodeError::DuplicateField`] when it was read before.
    pub fn enter_field<E: serde::de::Error>(&mut self, field: FieldId) -> Result<(), E> {
        self.reading = Reading::Field(field);
        let bit = 1_u128 << (field as u32);
        if self.seen_fields & bit != 0 {
            return Err(self.refuse(DecodeError::DuplicateField { field: format!("data.{}", field.path()) }));
        }
        self.seen_fields |= bit;
        Ok(())
    }

    /// Notes that the member `name`, one without a [`FieldId`], is being read.
    ///
    /// # Errors
    /// [`DecodeError::DuplicateField`] when it was read before.
    pub fn enter_name<E: serde::de::Error>(&mut self, name: Cow<'static, str>) -> Result<(), E> {
        if self.seen_names.contains(&name) {
            return Err(self.refuse(DecodeError::DuplicateField { field: name.into_owned() }));
        }
        self.reading = Reading::Name(name.clone());
        self.seen_names.push(name);
        Ok(())
    }

    /// Keeps a value that the contract has no member for.
    ///
    /// # Errors
    /// [`DecodeError::DuplicateField`], or [`DecodeError::TooManyAttributes`].
    pub fn keep<E: serde::de::Error>(&mut self, key: Text<'a>, value: Text<'a>) -> Result<(), E> {
        if self.attributes.iter().any(|(known, _)| *known == key) {
            return Err(self.refuse(DecodeError::DuplicateField { field: format!("data.attributes.{key}") }));
        }
        if self.attributes.len() >= limits::ATTRIBUTES {
            return Err(self.refuse(DecodeError::TooManyAttributes { limit: limits::ATTRIBUTES }));
        }
        self.attributes.push((key, value));
        Ok(())
    }

    /// Keeps the JSON text of a value that the contract has no member for: a string as itself, anything else as JSON;
    /// null and the empty string are unknown and leave nothing. `level` counts the objects around it, the record's own included.
    ///
    /// # Errors
    /// As [`Context::keep`], and [`DecodeError::NestedTooDeep`].
    pub fn keep_json<E: serde::de::Error>(&mut self, key: Text<'a>, json: &'a str, level: usize) -> Result<(), E> {
        if level + limits::depth_of(json) > limits::DEPTH {
            return Err(self.refuse(DecodeError::NestedTooDeep { field: key.into_owned(), limit: limits::DEPTH }));
        }
        if json == "null" || json == "\"\"" {
            return Ok(());
        }
        let value = if json.starts_with('"') {
            serde_json::from_str::<JsonText<'a>>(json).map_err(<E as serde::de::Error>::custom)?.0
        } else {
            Cow::Borrowed(json)
        };
        self.keep(key, value)
    }

    /// Path of the member being read.
    #[must_use]
    pub fn path(&self) -> String {
        match &self.reading {
            Reading::Field(field) => format!("data.{}", field.path()),
            Reading::Name(name) => name.to_string(),
        }
    }

    /// The code of what serde stopped with.
    #[must_use]
    pub fn explain(&mut self, error: &serde_json::Error) -> DecodeError {
        if let Some(fault) = self.fault.take() {
            return fault;
        }
        if error.is_data() {
            return DecodeError::InvalidField { field: self.path(), expected: "see the contract for its type" };
        }
        // serde_json gives this refusal no category of its own.
        if error.to_string().starts_with("recursion limit exceeded") {
            return DecodeError::NestedTooDeep { field: self.path(), limit: limits::DEPTH };
        }
        DecodeError::NotJson { line: error.line(), column: error.column() }
    }
}

/// A JSON string, borrowed where it has no escapes.
struct JsonText<'a>(Text<'a>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for JsonText<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Visitor).map(JsonText)
    }
}
