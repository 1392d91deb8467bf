//! The fast way for records as nearly every gateway sends them: one pass, no allocation, nothing repaired.
//!
//! A record is *plain* when it is valid, its strings have no escapes, and everything in it has a member in the contract or is
//! an attribute of one value. Whatever is not plain is left to [`super::native`], which also words every refusal:
//! this module never refuses, it only steps back. So both must read a plain record alike, which a property test holds
//! them to.

mod kinds;
mod names;
mod reader;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::kinds::ReadPlain;
use self::names::{Envelope, Group, Member};
use self::reader::Reader;
use super::limits::{self, Limits};
use super::native;
use crate::event::fields::{
    Count, Flag, Free, Id, Integer, Millis, Name, Names, OneOf, Scope, Status, with_event_fields,
};
use crate::event::{Event, EventKind, FieldId, RecordTime};

/// Reads a structured CloudEvent into the empty `event`; `None` when the record is not plain, `event` is then of no use.
pub fn read_structured<'a>(text: &'a str, event: &mut Event<'a>, record: RecordTime, limits: &Limits) -> Option<()> {
    let mut draft = Draft { reader: Reader::new(text), event, time: None, seen_fields: 0, seen_names: 0 };
    draft.reader.expect(b'{')?;
    draft.members(Group::ENVELOPE)?;
    draft.reader.end()?;
    let time = draft.time?;
    native::complete(event, time, record, limits).ok()
}

/// An event while it is being read.
struct Draft<'e, 'a> {
    reader: Reader<'a>,
    event: &'e mut Event<'a>,
    time: Option<&'a str>,
    /// One bit for each [`FieldId`] that was read.
    seen_fields: u128,
    /// One bit for each group and envelope member that was read.
    seen_names: u32,
}

impl<'a> Draft<'_, 'a> {
    /// Reads the members of the object of `group`, whose brace was read.
    fn members(&mut self, group: Group) -> Option<()> {
        let mut next = self.reader.next_byte();
        if next == b'}' {
            self.reader.skip_byte();
            return Some(());
        }
        loop {
            if next != b'"' {
                return None;
            }
            self.reader.skip_byte();
            let key = self.reader.key()?;
            self.reader.expect(b':')?;
            self.reader.next_byte();
            self.member(names::find(group, key)?)?;
            match self.reader.next_byte() {
                b',' => self.reader.skip_byte(),
                b'}' => {
                    self.reader.skip_byte();
                    return Some(());
                }
                _ => return None,
            }
            next = self.reader.next_byte();
        }
    }

    fn member(&mut self, member: Member) -> Option<()> {
        match member {
            Member::Field(field) => {
                let bit = 1_u128 << (field as u32);
                if self.seen_fields & bit != 0 {
                    return None;
                }
                self.seen_fields |= bit;
                read_into(self.event, field, &mut self.reader)
            }
            Member::Group(group) => {
                self.see_name(group.bit())?;
                self.reader.expect(b'{')?;
                self.members(group)
            }
            Member::Attributes => {
                self.see_name(names::ATTRIBUTES_BIT)?;
                self.attributes()
            }
            Member::Envelope(name) => {
                self.see_name(name.bit())?;
                self.envelope(name)
            }
        }
    }

    fn see_name(&mut self, bit: u32) -> Option<()> {
        let is_new = self.seen_names & bit == 0;
        self.seen_names |= bit;
        is_new.then_some(())
    }

    fn envelope(&mut self, name: Envelope) -> Option<()> {
        self.reader.expect(b'"')?;
        let text = self.reader.string().filter(|text| !text.is_empty())?;
        match name {
            Envelope::SpecVersion if text != "1.0" => return None,
            Envelope::Id if text.len() > limits::ID_BYTES => return None,
            Envelope::Id => self.event.event_id = Cow::Borrowed(text),
            Envelope::Source => self.event.source = Cow::Borrowed(text),
            Envelope::Type => {
                self.event.kind = EventKind::of(text);
                self.event.type_name = Cow::Borrowed(text);
            }
            Envelope::Time => self.time = Some(text),
            Envelope::TraceParent => {
                let (trace, span) = native::trace_and_span(text)?;
                self.event.trace_id = Some(Cow::Borrowed(trace));
                self.event.span_id = Some(Cow::Borrowed(span));
            }
            Envelope::SpecVersion | Envelope::DataContentType => {}
        }
        Some(())
    }

    /// Attributes of one value each; `null` and `""` are unknown and leave nothing.
    fn attributes(&mut self) -> Option<()> {
        self.reader.expect(b'{')?;
        let mut next = self.reader.next_byte();
        if next == b'}' {
            self.reader.skip_byte();
            return Some(());
        }
        loop {
            if next != b'"' {
                return None;
            }
            self.reader.skip_byte();
            let key = self.reader.string().filter(|key| !key.is_empty())?;
            self.reader.expect(b':')?;
            if let Some(value) = self.reader.scalar()? {
                let kept = &mut self.event.attributes;
                if kept.len() >= limits::ATTRIBUTES || kept.iter().any(|(known, _)| known == key) {
                    return None;
                }
                kept.push((Cow::Borrowed(key), Cow::Borrowed(value)));
            }
            match self.reader.next_byte() {
                b',' => self.reader.skip_byte(),
                b'}' => {
                    self.reader.skip_byte();
                    return Some(());
                }
                _ => return None,
            }
            next = self.reader.next_byte();
        }
    }
}

macro_rules! define_read_into {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        fn read_into<'a>(event: &mut Event<'a>, field: FieldId, reader: &mut Reader<'a>) -> Option<()> {
            match field {
                $($(FieldId::$field => event.$field = <$kind as ReadPlain>::read(reader, FieldId::$field)?,)+)+
            }
            Some(())
        }
    };
}
with_event_fields!(define_read_into);
