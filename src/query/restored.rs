//! The event of a stored row, as the steps had it when they classified it. Pure.
//!
//! The way back from [`crate::store::event_rows`]: rows are opened by [`super::stored`], and each kind of value is read where it is
//! written ([`Stored::read`]). What the table does not keep is not there: nanoseconds of a time.

use std::borrow::Cow;

use serde_json::Value;

use super::stored::StoredEvent;
use crate::event::fields::{
    Count, FieldId, Flag, Free, Id, Integer, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{Event, Origin, Text};
use crate::store::column::Stored;

macro_rules! define_restore {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// The event of a row, borrowed from it.
        #[must_use]
        pub fn restored(stored: &StoredEvent) -> Event<'_> {
            let mut event = Event::new(
                Cow::Borrowed(&stored.event_id),
                Cow::Borrowed(&stored.source),
                Cow::Borrowed(&stored.type_name),
                stored.time,
            );
            $($(
                if let Some(value) = stored.column(stringify!($field)) {
                    event.$field = <$kind as Stored>::read(value);
                }
            )+)+
            event.trace_id = text(stored, "trace_id");
            event.span_id = text(stored, "span_id");
            event.attributes = attributes(stored);
            event.origins = origins(stored);
            event.redactions = redactions(stored);
            event
        }
    };
}
with_event_fields!(define_restore);

fn text<'s>(stored: &'s StoredEvent, column: &str) -> Option<Text<'s>> {
    stored.str(column).map(Cow::Borrowed)
}

/// The members of an object of texts.
fn texts<'s>(stored: &'s StoredEvent, column: &str) -> impl Iterator<Item = (&'s str, &'s str)> {
    let members = stored.column(column).and_then(Value::as_object);
    members.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

fn attributes(stored: &StoredEvent) -> Vec<(Text<'_>, Text<'_>)> {
    texts(stored, "attributes").map(|(key, value)| (Cow::Borrowed(key), Cow::Borrowed(value))).collect()
}

fn origins(stored: &StoredEvent) -> Vec<(FieldId, Origin)> {
    let known = texts(stored, "origins");
    known.filter_map(|(column, origin)| Some((FieldId::from_column(column)?, Origin::parse(origin)))).collect()
}

fn redactions(stored: &StoredEvent) -> Vec<String> {
    let items = stored.column("redactions").and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests;
