//! The event itself: borrowed from the record it came in, so that nothing is copied before it becomes a column.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::fields::{
    Count, FieldId, Flag, Free, Id, Integer, Kind, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use super::kind::EventKind;
use super::vocabulary::Origin;

/// Text borrowed from the record, or owned where it had to be unescaped or was changed by a step.
pub type Text<'a> = Cow<'a, str>;

macro_rules! define_event {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// One step that a gateway reported: who, where, what, and how it ended.
        ///
        /// Optional members are `None` when unknown; no step ever puts `""` there.
        #[derive(Debug, Clone)]
        pub struct Event<'a> {
            /// CloudEvents `id`: with `source` it identifies the event.
            pub event_id: Text<'a>,
            /// CloudEvents `source`: the reporter.
            pub source: Text<'a>,
            /// CloudEvents `type` as sent.
            pub type_name: Text<'a>,
            /// What `type_name` stands for.
            pub kind: EventKind,
            /// When it happened, by the reporter's clock.
            pub time: DateTime<Utc>,
            /// W3C trace id, 32 lower-case hex digits.
            pub trace_id: Option<Text<'a>>,
            /// W3C span id, 16 lower-case hex digits.
            pub span_id: Option<Text<'a>>,
            $($($(#[$doc])* pub $field: <$kind as Kind>::Value<'a>,)+)+
            /// What the contract has no member for, by path.
            pub attributes: Vec<(Text<'a>, Text<'a>)>,
            /// Where each enriched member came from, when not from the event.
            pub origins: Vec<(FieldId, Origin)>,
            /// What the scrubber removed, as `kind@field`.
            pub redactions: Vec<String>,
        }

        impl<'a> Event<'a> {
            /// An event with its envelope and nothing else known.
            #[must_use]
            pub fn new(event_id: Text<'a>, source: Text<'a>, type_name: Text<'a>, time: DateTime<Utc>) -> Self {
                let kind = EventKind::of(&type_name);
                Self {
                    event_id, source, type_name, kind, time, trace_id: None, span_id: None,
                    $($($field: Default::default(),)+)+
                    attributes: Vec::new(), origins: Vec::new(), redactions: Vec::new(),
                }
            }

            /// The value of a member as text, for rules and evidence; `None` when unknown.
            #[must_use]
            pub fn text_of(&self, field: FieldId) -> Option<Cow<'_, str>> {
                match field { $($(FieldId::$field => <$kind as Kind>::as_text(&self.$field),)+)+ }
            }

            /// Calls `visit` with every string of `data` that a secret could hide in, and the member it stands in.
            pub fn each_text(&mut self, mut visit: impl FnMut(FieldId, &mut Text<'a>)) {
                $($(<$kind as Kind>::each_text(&mut self.$field, |text| visit(FieldId::$field, text));)+)+
            }
        }
    };
}
with_event_fields!(define_event);

impl Event<'_> {
    /// Where the value of `field` came from; `None` when the field is unknown.
    #[must_use]
    pub fn origin_of(&self, field: FieldId) -> Option<Origin> {
        self.text_of(field)?;
        let filled = self.origins.iter().find(|(name, _)| *name == field);
        Some(filled.map_or(Origin::Event, |(_, origin)| *origin))
    }

    /// The value kept under `key` in the attributes.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref())
    }
}
