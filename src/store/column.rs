//! One Arrow column builder for each kind of field value.
//!
//! Names and enumerations become dictionaries, which ClickHouse takes over as `LowCardinality` without hashing again.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder,
    UInt16Builder, UInt32Builder,
};
use arrow_array::types::Int32Type;
use arrow_schema::ArrowError;

use crate::event::fields::{Count, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status};
use crate::event::vocabulary::ClosedEnum;

/// Text from a small set.
pub type Dictionary = StringDictionaryBuilder<Int32Type>;
/// A list of text from a small set.
pub type DictionaryList = ListBuilder<Dictionary>;
/// A map from keys of a small set to free text.
pub type TextMap = MapBuilder<Dictionary, StringBuilder>;
/// A map from keys of a small set to values of a small set.
pub type NameMap = MapBuilder<Dictionary, Dictionary>;

/// A kind of value that can be stored.
pub trait Column: Kind {
    /// The builder of its column.
    type Builder;
    /// An empty column.
    fn builder() -> Self::Builder;
    /// Appends one row's value; unknown becomes NULL (an empty array for lists, which cannot be NULL).
    fn append(builder: &mut Self::Builder, value: &Self::Value<'_>);
    /// The finished column; the builder is empty again.
    fn finish(builder: &mut Self::Builder) -> ArrayRef;
    /// Whether the value is a list that was sent empty, which the column alone cannot say.
    fn is_empty_list(_value: &Self::Value<'_>) -> bool {
        false
    }
}

macro_rules! text_column {
    ($($kind:ident => $builder:ty;)+) => {$(
        impl Column for $kind {
            type Builder = $builder;
            fn builder() -> Self::Builder {
                <$builder>::new()
            }
            fn append(builder: &mut Self::Builder, value: &Self::Value<'_>) {
                builder.append_option(value.as_deref());
            }
            fn finish(builder: &mut Self::Builder) -> ArrayRef {
                Arc::new(builder.finish())
            }
        }
    )+};
}
text_column!(Id => StringBuilder; Free => StringBuilder; Name => Dictionary; Scope => Dictionary;);

macro_rules! plain_column {
    ($($kind:ident => $builder:ty;)+) => {$(
        impl Column for $kind {
            type Builder = $builder;
            fn builder() -> Self::Builder {
                <$builder>::new()
            }
            fn append(builder: &mut Self::Builder, value: &Self::Value<'_>) {
                builder.append_option(*value);
            }
            fn finish(builder: &mut Self::Builder) -> ArrayRef {
                Arc::new(builder.finish())
            }
        }
    )+};
}
plain_column!(Status => UInt16Builder; Integer => Int64Builder; Count => UInt32Builder; Millis => Float64Builder; Flag => BooleanBuilder;);

impl<E: ClosedEnum + Debug> Column for OneOf<E> {
    type Builder = Dictionary;
    fn builder() -> Self::Builder {
        Dictionary::new()
    }
    fn append(builder: &mut Self::Builder, value: &Self::Value<'_>) {
        builder.append_option(value.map(ClosedEnum::as_str));
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        Arc::new(builder.finish())
    }
}

impl Column for Names {
    type Builder = DictionaryList;
    fn builder() -> Self::Builder {
        DictionaryList::new(Dictionary::new())
    }
    fn append(builder: &mut Self::Builder, value: &Self::Value<'_>) {
        append_list(builder, value.iter().flatten().map(Cow::as_ref));
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        Arc::new(builder.finish())
    }
    fn is_empty_list(value: &Self::Value<'_>) -> bool {
        value.as_ref().is_some_and(Vec::is_empty)
    }
}

/// Appends one row's list.
pub fn append_list<'t>(builder: &mut DictionaryList, items: impl Iterator<Item = &'t str>) {
    for item in items {
        builder.values().append_value(item);
    }
    builder.append(true);
}

/// Appends one row's map of free text.
///
/// # Errors
/// When keys and values got out of step, which Arrow checks.
pub fn append_text_map<'t>(
    builder: &mut TextMap,
    pairs: impl Iterator<Item = (&'t str, &'t str)>,
) -> Result<(), ArrowError> {
    for (key, value) in pairs {
        builder.keys().append_value(key);
        builder.values().append_value(value);
    }
    builder.append(true)
}

/// Appends one row's map of names.
///
/// # Errors
/// When keys and values got out of step, which Arrow checks.
pub fn append_name_map<'t>(
    builder: &mut NameMap,
    pairs: impl Iterator<Item = (&'t str, &'t str)>,
) -> Result<(), ArrowError> {
    for (key, value) in pairs {
        builder.keys().append_value(key);
        builder.values().append_value(value);
    }
    builder.append(true)
}
